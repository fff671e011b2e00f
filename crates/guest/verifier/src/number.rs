//! The field in ten signed limbs of 26 bits, in Montgomery form with R = 2^260.
//!
//! No step depends on a value: no branch, no address. Limbs and values may be negative and exceed q; the largest that
//! a product takes are in `docs/spec/verifier.md`.

use core::hint::black_box;

use crate::field::{Field, Flag, LIMBS};

/// Bits of a limb.
pub const BITS: u32 = 26;
/// The largest limb of a small element.
pub const MASK: i32 = (1 << BITS) - 1;
/// 2^32 divided by q / 2^234: what the top limb is multiplied by to estimate a quotient.
const TOP_INVERSE: i32 = 5417;

/// q.
#[export_name = "bedroll_prime"]
pub static Q: [i32; LIMBS] = [
    8_191_303, 2_295_222, 11_064_258, 38_117_831, 26_706_282, 6_313_495, 17_062_760, 41_985_761,
    41_083_185, 792_851,
];
/// (q − 1) / 2.
static HALF: [i32; LIMBS] = [
    4_095_651, 1_147_611, 39_086_561, 19_058_915, 46_907_573, 3_156_747, 42_085_812, 54_547_312,
    54_096_024, 396_425,
];
/// R modulo q.
const ONE: [i32; LIMBS] = [
    50_128_052, 8_527_933, 10_126_421, 19_327_654, 38_373_640, 6_537_298, 43_123_160, 29_965_846,
    38_673_335, 509_328,
];
/// R² modulo q.
const R2: [i32; LIMBS] = [
    23_522_052, 36_308_806, 93_062, 25_580_550, 10_020_373, 47_440_483, 22_222_336, 40_216_319,
    27_462_970, 172_314,
];

/// A number modulo q.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Number(pub [i32; LIMBS]);

#[cfg(target_arch = "riscv32")]
mod machine {
    //! The two products with every register placed by hand.

    use super::{Number, LIMBS};
    use core::mem::MaybeUninit;

    core::arch::global_asm!(include_str!("arithmetic.s"));

    type Limbs = [i32; LIMBS];

    extern "C" {
        fn bedroll_product(result: *mut Number, a: *const Limbs, b: *const Limbs);
        fn bedroll_cross(
            result: *mut Number,
            a: *const Limbs,
            b: *const Limbs,
            c: *const Limbs,
            d: *const Limbs,
        );
    }

    #[inline(always)]
    pub fn product(a: &Limbs, b: &Limbs) -> Number {
        let mut result = MaybeUninit::uninit();
        // SAFETY: reads ten words at each factor, writes ten at the result, and gives all saved registers back.
        unsafe {
            bedroll_product(result.as_mut_ptr(), a, b);
            result.assume_init()
        }
    }

    #[inline(always)]
    pub fn cross(a: &Limbs, b: &Limbs, c: &Limbs, d: &Limbs) -> Number {
        let mut result = MaybeUninit::uninit();
        // SAFETY: as for `product`.
        unsafe {
            bedroll_cross(result.as_mut_ptr(), a, b, c, d);
            result.assume_init()
        }
    }
}

#[cfg(not(target_arch = "riscv32"))]
use crate::portable::{cross, product};
#[cfg(target_arch = "riscv32")]
use machine::{cross, product};

/// The number less than q, or q, that this Montgomery form stands for.
#[inline(never)]
fn plain(a: &[i32; LIMBS]) -> Number {
    product(a, black_box(&[1, 0, 0, 0, 0, 0, 0, 0, 0, 0]))
}

/// The sign of a − b, both with small limbs.
#[inline(always)]
fn is_less(a: &[i32; LIMBS], b: &[i32; LIMBS]) -> Flag {
    let mut borrow = 0;
    for i in 0..LIMBS {
        borrow = (a[i] - b[i] + borrow) >> BITS;
    }
    Flag::of(borrow as u32 >> 31)
}

impl Field for Number {
    const ZERO: Self = Self([0; LIMBS]);
    const ONE: Self = Self(ONE);

    fn constant(limbs: [i32; LIMBS]) -> Self {
        Self(limbs)
    }

    fn from_words(words: &[u32; 8]) -> (Self, Flag) {
        let mut limbs = [0; LIMBS];
        for (i, limb) in limbs.iter_mut().enumerate() {
            let (word, offset) = (i * BITS as usize / 32, (i * BITS as usize % 32) as u32);
            let two = u64::from(words[word])
                | u64::from(if word < 7 { words[word + 1] } else { 0 }) << 32;
            *limb = (two >> offset) as i32 & MASK;
        }
        (product(&limbs, black_box(&R2)), is_less(&limbs, &Q))
    }

    #[inline(always)]
    fn add(&self, other: &Self) -> Self {
        Self(core::array::from_fn(|i| self.0[i].wrapping_add(other.0[i])))
    }

    #[inline(always)]
    fn sub(&self, other: &Self) -> Self {
        Self(core::array::from_fn(|i| self.0[i].wrapping_sub(other.0[i])))
    }

    #[inline(always)]
    fn carried(&self) -> Self {
        let mut limbs = self.0;
        for i in 0..LIMBS - 1 {
            limbs[i + 1] = limbs[i + 1].wrapping_add(limbs[i] >> BITS);
            limbs[i] &= MASK;
        }
        Self(limbs)
    }

    #[inline(always)]
    fn reduced(&self) -> Self {
        let top = self.0[9].wrapping_add(self.0[8] >> BITS);
        let quotient = ((i64::from(top) * i64::from(TOP_INVERSE)) >> 32) as i32;
        let q = black_box(&Q);
        Self(core::array::from_fn(|i| {
            self.0[i].wrapping_sub(quotient.wrapping_mul(q[i]))
        }))
        .carried()
    }

    #[inline(always)]
    fn mul(&self, other: &Self) -> Self {
        product(&self.0, &other.0)
    }

    #[inline(always)]
    fn square(&self) -> Self {
        product(&self.0, &self.0)
    }

    #[inline(always)]
    fn cross(a: &Self, b: &Self, c: &Self, d: &Self) -> Self {
        cross(&a.0, &b.0, &c.0, &d.0)
    }

    #[inline(always)]
    fn nine(&self) -> Self {
        Self(core::array::from_fn(|i| self.0[i].wrapping_mul(9)))
    }

    #[inline(never)]
    fn is_zero(&self) -> Flag {
        let found = plain(&self.0).0;
        let (mut zero, mut q) = (0, 0);
        for i in 0..LIMBS {
            zero |= found[i];
            q |= found[i] ^ Q[i];
        }
        Flag::zero(zero as u32).or(Flag::zero(q as u32))
    }

    #[inline(never)]
    fn is_high(&self) -> Flag {
        is_less(&HALF, &plain(&self.0).0)
    }

    #[inline(always)]
    fn select(flag: Flag, a: &Self, b: &Self) -> Self {
        let mask = flag.mask() as i32;
        Self(core::array::from_fn(|i| {
            b.0[i] ^ (mask & (a.0[i] ^ b.0[i]))
        }))
    }
}
