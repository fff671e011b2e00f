//! Products of 52 bits out of floating-point multiplications, for processors that have no others.
//!
//! A double has 53 bits. Rounded towards zero, a·b + 2^104 is 2^104 + h·2^52 where h is the upper half of a·b, as what is
//! below 2^52 does not fit; what was lost, a·b − h·2^52, fits again, and upon 2^52 it stands in the lowest bits (N. Emmart, F. Zheng, C.
//! Weems: Faster Modular Exponentiation Using Double Precision Floating Point Arithmetic on the GPU, ARITH 2018).
use core::arch::x86_64::{
    __m512d, __m512i, _mm512_add_epi64, _mm512_and_si512, _mm512_castpd_si512, _mm512_castsi512_pd,
    _mm512_fmadd_round_pd, _mm512_or_si512, _mm512_set1_epi64, _mm512_sub_epi64, _mm512_sub_pd,
    _MM_FROUND_NO_EXC, _MM_FROUND_TO_ZERO,
};

const TOWARDS_ZERO: i32 = _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC;
const LIMB: i64 = (1 << 52) - 1;
/// 2^52, as a double is stored: its lowest bits count ones.
const ONES: i64 = (1023 + 52) << 52;
/// 2^104: its lowest bits count 2^52.
const FAR: i64 = (1023 + 104) << 52;

#[target_feature(enable = "avx512f")]
#[inline]
fn stored(bits: i64) -> __m512d {
    _mm512_castsi512_pd(_mm512_set1_epi64(bits))
}

/// The lower 52 bits as a number.
#[target_feature(enable = "avx512f")]
#[inline]
fn double(limb: __m512i) -> __m512d {
    let low = _mm512_and_si512(limb, _mm512_set1_epi64(LIMB));
    let upon = _mm512_or_si512(low, _mm512_set1_epi64(ONES));
    _mm512_sub_pd(_mm512_castsi512_pd(upon), stored(ONES))
}

/// 2^104 and a·b without its lower half.
#[target_feature(enable = "avx512f")]
#[inline]
fn upper(a: __m512d, b: __m512d) -> __m512d {
    _mm512_fmadd_round_pd::<TOWARDS_ZERO>(a, b, stored(FAR))
}

/// sum + what is counted upon `from`.
#[target_feature(enable = "avx512f")]
#[inline]
fn add(sum: __m512i, counted: __m512d, from: i64) -> __m512i {
    let count = _mm512_sub_epi64(_mm512_castpd_si512(counted), _mm512_set1_epi64(from));
    _mm512_add_epi64(sum, count)
}

/// sum + ⌊a·b / 2^52⌋ of the lower 52 bits of a and b.
#[target_feature(enable = "avx512f")]
#[inline]
pub(crate) fn add_high(sum: __m512i, a: __m512i, b: __m512i) -> __m512i {
    add(sum, upper(double(a), double(b)), FAR)
}

/// sum + a·b mod 2^52 of the lower 52 bits of a and b.
#[target_feature(enable = "avx512f")]
#[inline]
pub(crate) fn add_low(sum: __m512i, a: __m512i, b: __m512i) -> __m512i {
    let (a, b) = (double(a), double(b));
    // 2^104 + 2^52, less the upper half: the ones begin at 2^52.
    let less = _mm512_sub_pd(stored(FAR + 1), upper(a, b));
    add(sum, _mm512_fmadd_round_pd::<TOWARDS_ZERO>(a, b, less), ONES)
}
