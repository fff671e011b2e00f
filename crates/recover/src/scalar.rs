//! Numbers modulo the order n of the curve: what a signature's factors are, and their halves.
use crate::inverse::Modulus;
use crate::number::{add_product, is_below, subtract, Number};

/// n: how many points there are.
pub(crate) const ORDER: Number = [
    0xbfd2_5e8c_d036_4141,
    0xbaae_dce6_af48_a03b,
    0xffff_ffff_ffff_fffe,
    0xffff_ffff_ffff_ffff,
];
/// 2^256 − n.
const REST: [u64; 3] = [0x402d_a173_2fc9_bebf, 0x4551_2319_50b7_5fc4, 1];
const MODULUS: Modulus = Modulus::new(&ORDER);

/// Short vectors (a₁, b₁), (a₂, b₂) of the lattice of all (a, b) with a + b·λ = 0; a₁ = b₂.
const A1: [u64; 2] = [0xe86c_90e4_9284_eb15, 0x3086_d221_a7d4_6bcd];
const MINUS_B1: [u64; 2] = [0x6f54_7fa9_0abf_e4c3, 0xe443_7ed6_010e_8828];
const A2: [u64; 3] = [0x57c1_108d_9d44_cfd8, 0x14ca_50f7_a8e2_f3f6, 1];
/// Round(2^384·b₂ / n) and Round(2^384·−b₁ / n).
const G1: Number = [
    0xe893_209a_45db_b031,
    0x3daa_8a14_71e8_ca7f,
    0xe86c_90e4_9284_eb15,
    0x3086_d221_a7d4_6bcd,
];
const G2: Number = [
    0x1571_b4ae_8ac4_7f71,
    0x2212_08ac_9df5_06c6,
    0x6f54_7fa9_0abf_e4c4,
    0xe443_7ed6_010e_8828,
];

/// A factor's half: |half| < 2^128.
#[derive(Clone, Copy, Default)]
pub(crate) struct Half {
    pub(crate) magnitude: u128,
    pub(crate) is_negative: bool,
}

/// A number below 2^256 made one below n.
pub(crate) fn reduce(number: &Number) -> Number {
    if is_below(number, &ORDER) {
        *number
    } else {
        subtract(number, &ORDER)
    }
}

/// a·b of two below n.
pub(crate) fn multiply(a: &Number, b: &Number) -> Number {
    let mut wide = [0; 8];
    add_product(&mut wide, a, b);
    // high·2^256 is high·(2^256 − n): at 512 bits the rest is below 2^386 first, then below 2^260, then 2^256 + 2^133.
    let mut shorter = [0; 7];
    shorter[..4].copy_from_slice(&wide[..4]);
    add_product(&mut shorter, &wide[4..], &REST);
    let mut short = [0; 6];
    short[..4].copy_from_slice(&shorter[..4]);
    add_product(&mut short, &shorter[4..], &REST);
    let mut sum = [0; 5];
    sum[..4].copy_from_slice(&short[..4]);
    add_product(&mut sum, &short[4..5], &REST);
    let [low @ .., top] = sum;
    if top == 0 {
        reduce(&low)
    } else {
        subtract(&low, &ORDER)
    }
}

/// −a of one below n.
pub(crate) fn negate(a: &Number) -> Number {
    if *a == [0; 4] {
        *a
    } else {
        subtract(&ORDER, a)
    }
}

/// Inverses of numbers of which none is 0, for the price of one and three multiplications each (Montgomery's trick).
pub(crate) fn invert_all(numbers: &mut [Number]) {
    let mut product = [1, 0, 0, 0];
    let mut before = Vec::with_capacity(numbers.len());
    for number in numbers.iter() {
        before.push(product);
        product = multiply(&product, number);
    }
    let mut inverse = MODULUS.invert(&product);
    for (number, before) in numbers.iter_mut().zip(before).rev() {
        let own = multiply(&inverse, &before);
        inverse = multiply(&inverse, number);
        *number = own;
    }
}

/// Halves (k₁, k₂) with k₁ + k₂·λ = k, λ the cube root of 1 whose multiple of (x, y) is (β·x, y): k less the nearest
/// point of the lattice (Gallant, Lambert, Vanstone 2001). |k₁| ≤ (a₁ + a₂ + 1) / 2 and |k₂| ≤ (b₂ − b₁) / 2 + 1.
pub(crate) fn halves(factor: &Number) -> [Half; 2] {
    let (c1, c2) = (nearest(factor, &G1), nearest(factor, &G2));
    // Modulo 2^192: both halves fit.
    let mut taken = low_product(&c1, &A1);
    add_low(&mut taken, &low_product(&A2, &c2));
    let first = subtract_low(&[factor[0], factor[1], factor[2]], &taken);
    let second = subtract_low(&low_product(&c1, &MINUS_B1), &low_product(&c2, &A1));
    [signed(&first), signed(&second)]
}

/// Round(a·g / 2^384).
fn nearest(a: &Number, g: &Number) -> [u64; 2] {
    let mut wide = [0; 8];
    add_product(&mut wide, a, g);
    let half = u128::from(wide[5] >> 63);
    let rounded = (u128::from(wide[6]) | u128::from(wide[7]) << 64) + half;
    [rounded as u64, (rounded >> 64) as u64]
}

type Low = [u64; 3];

fn low_product(a: &[u64], b: &[u64; 2]) -> Low {
    let mut wide = [0; 5];
    add_product(&mut wide, a, b);
    [wide[0], wide[1], wide[2]]
}

fn add_low(a: &mut Low, b: &Low) {
    *a = subtract_low(a, &subtract_low(&[0; 3], b));
}

fn subtract_low(a: &Low, b: &Low) -> Low {
    let [x, y, z, _] = subtract(&[a[0], a[1], a[2], 0], &[b[0], b[1], b[2], 0]);
    [x, y, z]
}

/// A number of 192 bits in two's complement.
fn signed(number: &Low) -> Half {
    let is_negative = number[2] >> 63 == 1;
    let size = if is_negative {
        subtract_low(&[0; 3], number)
    } else {
        *number
    };
    Half {
        magnitude: u128::from(size[0]) | u128::from(size[1]) << 64,
        is_negative,
    }
}
