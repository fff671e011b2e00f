//! Eight of everything: lane `i` of each register belongs to signature `i`.
//!
//! Functions here are compiled for AVX-512 with its 52-bit multiplications, and once more with others in their place
//! (`build.rs`); whoever calls the first has seen that the processor has them.
pub(crate) mod field;
mod fixed;
mod own;
mod point;
pub(crate) mod recover;
pub(crate) mod root;
mod sum;
pub(crate) mod window;

use core::arch::x86_64::{__m512i, _mm512_set_epi64};

pub(crate) use crate::LANES;

/// One word of each lane.
#[target_feature(enable = "avx512f")]
#[inline]
pub(crate) fn gather(word: impl Fn(usize) -> u64) -> __m512i {
    let [a, b, c, d, e, f, g, h] = core::array::from_fn(|lane| word(lane) as i64);
    _mm512_set_epi64(h, g, f, e, d, c, b, a)
}

/// The words of all lanes.
#[inline]
pub(crate) fn scatter(lanes: __m512i) -> [u64; LANES] {
    // SAFETY: both are 64 bytes, and every pattern of bits is eight numbers.
    unsafe { core::mem::transmute(lanes) }
}
