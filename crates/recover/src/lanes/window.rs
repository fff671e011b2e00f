//! Factors cut into windows, whose digits say which multiple of a point is added.
use core::arch::x86_64::{
    __m512i, __mmask8, _mm512_and_si512, _mm512_cmpeq_epi64_mask, _mm512_cmplt_epi64_mask,
    _mm512_mask_sub_epi64, _mm512_or_si512, _mm512_set1_epi64, _mm512_setzero_si512,
    _mm512_sll_epi64, _mm512_srl_epi64, _mm512_sub_epi64, _mm_cvtsi64_si128,
};

use super::{gather, LANES};

/// A factor below 2^128 of each lane, cut into windows of `bits` whose digits are −2^(bits − 1) to 2^(bits − 1) − 1.
pub(crate) struct Windows {
    words: [__m512i; 3],
    bits: usize,
    /// Lanes whose factor is to be taken negatively.
    is_negative: __mmask8,
}

/// A window's digit of each lane.
#[derive(Clone, Copy)]
pub(crate) struct Digit {
    pub(crate) size: __m512i,
    pub(crate) is_negative: __mmask8,
    pub(crate) is_zero: __mmask8,
}

impl Windows {
    #[target_feature(enable = "avx512f")]
    pub(crate) fn new(
        bits: usize,
        magnitude: impl Fn(usize) -> u128,
        is_negative: __mmask8,
    ) -> Self {
        // With half a window added to each, digits are the windows less a half, and nothing carries.
        let mut halves = [0u64; 3];
        for position in (0..=128).step_by(bits) {
            let bit = position + bits - 1;
            halves[bit / 64] |= 1 << (bit % 64);
        }
        let low = u128::from(halves[0]) | u128::from(halves[1]) << 64;
        let words: [[u64; 3]; LANES] = core::array::from_fn(|lane| {
            let (sum, carry) = magnitude(lane).overflowing_add(low);
            [sum as u64, (sum >> 64) as u64, halves[2] + u64::from(carry)]
        });
        Self {
            words: [
                gather(|lane| words[lane][0]),
                gather(|lane| words[lane][1]),
                gather(|lane| words[lane][2]),
            ],
            bits,
            is_negative,
        }
    }

    /// The digit whose lowest bit is `position`, which is below 129.
    #[target_feature(enable = "avx512f")]
    pub(crate) fn digit(&self, position: usize) -> Digit {
        let (word, shift) = (position / 64, (position % 64) as i64);
        // A shift by 64 bits gives 0.
        let mut window = _mm512_srl_epi64(self.words[word], _mm_cvtsi64_si128(shift));
        if let Some(next) = self.words.get(word + 1) {
            let above = _mm512_sll_epi64(*next, _mm_cvtsi64_si128(64 - shift));
            window = _mm512_or_si512(window, above);
        }
        let mask = _mm512_set1_epi64((1 << self.bits) - 1);
        let half = _mm512_set1_epi64(1 << (self.bits - 1));
        let digit = _mm512_sub_epi64(_mm512_and_si512(window, mask), half);
        let zero = _mm512_setzero_si512();
        let is_below = _mm512_cmplt_epi64_mask(digit, zero);
        Digit {
            size: _mm512_mask_sub_epi64(digit, is_below, zero, digit),
            is_negative: is_below ^ self.is_negative,
            is_zero: _mm512_cmpeq_epi64_mask(digit, zero),
        }
    }
}
