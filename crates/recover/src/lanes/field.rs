//! Numbers modulo p = 2^256 − C of eight lanes, in five limbs of 52 bits, which is what the processor multiplies.
//!
//! Three shapes, so that carries run only where they must:
//! * [`Wide`], a sum of products in ten columns: each below 2^59, the whole below 2^519.
//! * [`Loose`], five limbs below 2^63 (those of a folded `Wide` below 2^59).
//! * [`Fe`], the only one that can be multiplied: four limbs below 2^52 and a last one below 2^48 + 2^15. It is below
//!   2p, so that it is zero as 0 or as p.
// Iterators' functions are compiled without these registers, and through memory it takes twice as long.
#![allow(clippy::needless_range_loop)]

use core::arch::x86_64::{
    __m512i, __mmask8, _mm512_add_epi64, _mm512_and_si512, _mm512_cmpeq_epi64_mask,
    _mm512_mask_blend_epi64, _mm512_mask_sub_epi64, _mm512_or_si512, _mm512_permutexvar_epi64,
    _mm512_set1_epi64, _mm512_setzero_si512, _mm512_slli_epi64, _mm512_srli_epi64,
    _mm512_sub_epi64, _mm512_test_epi64_mask,
};
use core::arch::x86_64::{_mm512_madd52hi_epu64, _mm512_madd52lo_epu64};

use super::{gather, scatter, LANES};
use crate::number::Number;

/// p, where coordinates live.
pub(crate) const PRIME: Number = [0xffff_fffe_ffff_fc2f, u64::MAX, u64::MAX, u64::MAX];
/// C = 2^256 mod p.
const C: i64 = 0x1_0000_03d1;
/// 2^260 mod p, by which a limb from the fifth on comes back.
const C_FAR: i64 = C << 4;
const LIMB: i64 = (1 << 52) - 1;
/// Of the last limb, what is below 2^256.
const TOP: i64 = (1 << 48) - 1;
/// p, limb by limb. `k` times it has no limb smaller than that of `k − 1` elements.
const P: [i64; 5] = [LIMB + 1 - C, LIMB, LIMB, LIMB, TOP];
/// Multiples of p that no limb of a folded `Wide` exceeds.
const MANY: i64 = 1 << 11;

/// An element.
#[derive(Clone, Copy)]
pub(crate) struct Fe([__m512i; 5]);

/// An element whose carries have not run.
#[derive(Clone, Copy)]
pub(crate) struct Loose([__m512i; 5]);

/// A sum of products.
#[derive(Clone, Copy)]
pub(crate) struct Wide([__m512i; 10]);

impl Fe {
    #[target_feature(enable = "avx512f")]
    #[inline]
    fn constant(limbs: [i64; 5]) -> Self {
        let mut out = [_mm512_setzero_si512(); 5];
        for i in 0..5 {
            out[i] = _mm512_set1_epi64(limbs[i]);
        }
        Self(out)
    }

    /// A small number in all lanes.
    #[target_feature(enable = "avx512f")]
    #[inline]
    pub(crate) fn small(number: u32) -> Self {
        Self::constant([i64::from(number), 0, 0, 0, 0])
    }

    /// One number in all lanes.
    #[target_feature(enable = "avx512f")]
    #[inline]
    pub(crate) fn same(number: &Number) -> Self {
        Self::of_numbers(|_| *number)
    }

    /// A number of each lane.
    #[target_feature(enable = "avx512f")]
    #[inline]
    pub(crate) fn of_numbers(number: impl Fn(usize) -> Number) -> Self {
        let numbers: [Number; LANES] = core::array::from_fn(number);
        let mut words = [_mm512_setzero_si512(); 4];
        for i in 0..4 {
            words[i] = gather(|lane| numbers[lane][i]);
        }
        Self::of_words(words)
    }

    /// A number of each lane, as four words of 64 bits.
    #[target_feature(enable = "avx512f")]
    #[inline]
    pub(crate) fn of_words(words: [__m512i; 4]) -> Self {
        let [a, b, c, d] = words;
        let mask = _mm512_set1_epi64(LIMB);
        let second = _mm512_or_si512(_mm512_srli_epi64::<52>(a), _mm512_slli_epi64::<12>(b));
        let third = _mm512_or_si512(_mm512_srli_epi64::<40>(b), _mm512_slli_epi64::<24>(c));
        let fourth = _mm512_or_si512(_mm512_srli_epi64::<28>(c), _mm512_slli_epi64::<36>(d));
        Self([
            _mm512_and_si512(a, mask),
            _mm512_and_si512(second, mask),
            _mm512_and_si512(third, mask),
            _mm512_and_si512(fourth, mask),
            _mm512_srli_epi64::<16>(d),
        ])
    }

    /// The number of each lane, below p.
    #[target_feature(enable = "avx512f")]
    #[inline]
    pub(crate) fn numbers(self) -> [Number; LANES] {
        let [a, b, c, d, e] = self.canonical().0;
        let words = [
            _mm512_or_si512(a, _mm512_slli_epi64::<52>(b)),
            _mm512_or_si512(_mm512_srli_epi64::<12>(b), _mm512_slli_epi64::<40>(c)),
            _mm512_or_si512(_mm512_srli_epi64::<24>(c), _mm512_slli_epi64::<28>(d)),
            _mm512_or_si512(_mm512_srli_epi64::<36>(d), _mm512_slli_epi64::<16>(e)),
        ];
        let mut numbers = [[0; 4]; LANES];
        for (at, word) in words.into_iter().enumerate() {
            for (number, word) in numbers.iter_mut().zip(scatter(word)) {
                number[at] = word;
            }
        }
        numbers
    }

    /// The same below p.
    #[target_feature(enable = "avx512f")]
    #[inline]
    fn canonical(self) -> Self {
        // From p on, adding C goes beyond 2^256, and what is left below it is the number less p.
        let mut sum = self.loose();
        sum.0[0] = _mm512_add_epi64(sum.0[0], _mm512_set1_epi64(C));
        let mut sum = sum.carried();
        let beyond = _mm512_srli_epi64::<48>(sum.0[4]);
        let is_beyond = _mm512_test_epi64_mask(beyond, beyond);
        sum.0[4] = _mm512_and_si512(sum.0[4], _mm512_set1_epi64(TOP));
        sum.or(self, !is_beyond)
    }

    /// Lanes that hold 0.
    #[target_feature(enable = "avx512f")]
    #[inline]
    pub(crate) fn zeros(self) -> __mmask8 {
        let zero = _mm512_setzero_si512();
        let (mut is_zero, mut is_p) = (u8::MAX, u8::MAX);
        for i in 0..5 {
            is_zero &= _mm512_cmpeq_epi64_mask(self.0[i], zero);
            is_p &= _mm512_cmpeq_epi64_mask(self.0[i], _mm512_set1_epi64(P[i]));
        }
        is_zero | is_p
    }

    /// Lanes whose number is odd.
    #[target_feature(enable = "avx512f")]
    #[inline]
    pub(crate) fn odds(self) -> __mmask8 {
        _mm512_test_epi64_mask(self.canonical().0[0], _mm512_set1_epi64(1))
    }

    /// `other` in the lanes of `which`, this one elsewhere.
    #[target_feature(enable = "avx512f")]
    #[inline]
    pub(crate) fn or(self, other: Self, which: __mmask8) -> Self {
        let mut out = self.0;
        for i in 0..5 {
            out[i] = _mm512_mask_blend_epi64(which, out[i], other.0[i]);
        }
        Self(out)
    }

    /// Each lane's number changed to that of the lane `index` names.
    #[target_feature(enable = "avx512f")]
    #[inline]
    pub(crate) fn moved(self, index: __m512i) -> Self {
        let mut out = self.0;
        for limb in &mut out {
            *limb = _mm512_permutexvar_epi64(index, *limb);
        }
        Self(out)
    }

    #[target_feature(enable = "avx512f")]
    #[inline]
    pub(crate) fn loose(self) -> Loose {
        Loose(self.0)
    }

    /// −self in the lanes of `which`.
    #[target_feature(enable = "avx512f,avx512ifma")]
    #[inline]
    pub(crate) fn negated_in(self, which: __mmask8) -> Self {
        self.loose().negated_in(which).tight()
    }

    #[target_feature(enable = "avx512f,avx512ifma")]
    #[inline]
    pub(crate) fn times(self, other: Self) -> Self {
        Wide::product(self, other).fold().tight()
    }

    #[target_feature(enable = "avx512f,avx512ifma")]
    #[inline]
    pub(crate) fn squared(self) -> Self {
        Wide::square(self).fold().tight()
    }
}

impl Wide {
    #[target_feature(enable = "avx512f,avx512ifma")]
    #[inline]
    pub(crate) fn product(a: Fe, b: Fe) -> Self {
        Self([_mm512_setzero_si512(); 10]).plus_product(a, b)
    }

    #[target_feature(enable = "avx512f,avx512ifma")]
    #[inline]
    pub(crate) fn plus_product(self, a: Fe, b: Fe) -> Self {
        let mut sum = self.0;
        for i in 0..5 {
            for j in 0..5 {
                sum[i + j] = _mm512_madd52lo_epu64(sum[i + j], a.0[i], b.0[j]);
                sum[i + j + 1] = _mm512_madd52hi_epu64(sum[i + j + 1], a.0[i], b.0[j]);
            }
        }
        Self(sum)
    }

    #[target_feature(enable = "avx512f,avx512ifma")]
    #[inline]
    pub(crate) fn square(a: Fe) -> Self {
        let mut sum = [_mm512_setzero_si512(); 10];
        for i in 0..5 {
            for j in i + 1..5 {
                sum[i + j] = _mm512_madd52lo_epu64(sum[i + j], a.0[i], a.0[j]);
                sum[i + j + 1] = _mm512_madd52hi_epu64(sum[i + j + 1], a.0[i], a.0[j]);
            }
        }
        for column in &mut sum[1..9] {
            *column = _mm512_add_epi64(*column, *column);
        }
        for i in 0..5 {
            sum[2 * i] = _mm512_madd52lo_epu64(sum[2 * i], a.0[i], a.0[i]);
            sum[2 * i + 1] = _mm512_madd52hi_epu64(sum[2 * i + 1], a.0[i], a.0[i]);
        }
        Self(sum)
    }

    #[target_feature(enable = "avx512f")]
    #[inline]
    pub(crate) fn times_eight(self) -> Self {
        let mut out = self.0;
        for column in &mut out {
            *column = _mm512_slli_epi64::<3>(*column);
        }
        Self(out)
    }

    /// The same modulo p: what is beyond 2^260 comes back.
    #[target_feature(enable = "avx512f,avx512ifma")]
    #[inline]
    pub(crate) fn fold(self) -> Loose {
        let [mut a, mut b, mut c, mut d, mut e, f, g, h, i, j] = self.0;
        let mask = _mm512_set1_epi64(LIMB);
        let g = _mm512_add_epi64(g, _mm512_srli_epi64::<52>(f));
        let h = _mm512_add_epi64(h, _mm512_srli_epi64::<52>(g));
        let i = _mm512_add_epi64(i, _mm512_srli_epi64::<52>(h));
        // Below 2^51, as the whole is below 2^519.
        let j = _mm512_add_epi64(j, _mm512_srli_epi64::<52>(i));
        let f = _mm512_and_si512(f, mask);
        let g = _mm512_and_si512(g, mask);
        let h = _mm512_and_si512(h, mask);
        let i = _mm512_and_si512(i, mask);
        let far = _mm512_set1_epi64(C_FAR);
        // Below 2^36: what the last of them leaves beyond 2^260 again.
        let rest = _mm512_madd52hi_epu64(_mm512_setzero_si512(), j, far);
        a = _mm512_madd52lo_epu64(a, f, far);
        b = _mm512_madd52lo_epu64(b, g, far);
        c = _mm512_madd52lo_epu64(c, h, far);
        d = _mm512_madd52lo_epu64(d, i, far);
        e = _mm512_madd52lo_epu64(e, j, far);
        b = _mm512_madd52hi_epu64(b, f, far);
        c = _mm512_madd52hi_epu64(c, g, far);
        d = _mm512_madd52hi_epu64(d, h, far);
        e = _mm512_madd52hi_epu64(e, i, far);
        a = _mm512_madd52lo_epu64(a, rest, far);
        b = _mm512_madd52hi_epu64(b, rest, far);
        Loose([a, b, c, d, e])
    }
}

impl Loose {
    #[target_feature(enable = "avx512f")]
    #[inline]
    pub(crate) fn plus(self, other: Fe) -> Self {
        let mut out = self.0;
        for i in 0..5 {
            out[i] = _mm512_add_epi64(out[i], other.0[i]);
        }
        Self(out)
    }

    /// self − other.
    #[target_feature(enable = "avx512f")]
    #[inline]
    pub(crate) fn minus(self, other: Fe) -> Self {
        self.minus_sum(other, 2)
    }

    /// self − 2·other.
    #[target_feature(enable = "avx512f")]
    #[inline]
    pub(crate) fn minus_twice(self, other: Fe) -> Self {
        let twice = other.loose().plus(other);
        self.minus_sum(Fe(twice.0), 3)
    }

    /// self − other, whose limbs `multiple`·p has.
    #[target_feature(enable = "avx512f")]
    #[inline]
    fn minus_sum(self, other: Fe, multiple: i64) -> Self {
        let mut out = self.0;
        for i in 0..5 {
            let lent = _mm512_add_epi64(out[i], _mm512_set1_epi64(multiple * P[i]));
            out[i] = _mm512_sub_epi64(lent, other.0[i]);
        }
        Self(out)
    }

    /// −self of a folded `Wide`, in the lanes of `which`.
    #[target_feature(enable = "avx512f")]
    #[inline]
    pub(crate) fn negated_in(self, which: __mmask8) -> Self {
        let mut out = self.0;
        for i in 0..5 {
            let many = _mm512_set1_epi64(MANY * P[i]);
            out[i] = _mm512_mask_sub_epi64(out[i], which, many, out[i]);
        }
        Self(out)
    }

    /// self·2^BITS.
    #[target_feature(enable = "avx512f")]
    #[inline]
    pub(crate) fn shifted<const BITS: u32>(self) -> Self {
        let mut out = self.0;
        for limb in &mut out {
            *limb = _mm512_slli_epi64::<BITS>(*limb);
        }
        Self(out)
    }

    /// self·3.
    #[target_feature(enable = "avx512f")]
    #[inline]
    pub(crate) fn tripled(self) -> Self {
        let mut out = self.shifted::<1>().0;
        for i in 0..5 {
            out[i] = _mm512_add_epi64(out[i], self.0[i]);
        }
        Self(out)
    }

    /// The same as an element: what is beyond 2^256 comes back, then carries run.
    #[target_feature(enable = "avx512f,avx512ifma")]
    #[inline]
    pub(crate) fn tight(self) -> Fe {
        let mut limbs = self.0;
        let beyond = _mm512_srli_epi64::<48>(limbs[4]);
        limbs[4] = _mm512_and_si512(limbs[4], _mm512_set1_epi64(TOP));
        limbs[0] = _mm512_madd52lo_epu64(limbs[0], beyond, _mm512_set1_epi64(C));
        Self(limbs).carried()
    }

    #[target_feature(enable = "avx512f")]
    #[inline]
    fn carried(self) -> Fe {
        let mut limbs = self.0;
        let mask = _mm512_set1_epi64(LIMB);
        for i in 0..4 {
            limbs[i + 1] = _mm512_add_epi64(limbs[i + 1], _mm512_srli_epi64::<52>(limbs[i]));
            limbs[i] = _mm512_and_si512(limbs[i], mask);
        }
        Fe(limbs)
    }
}
