//! Multiples of the generator, made once, at first use: 131 kB for each half of a factor.
use core::arch::x86_64::{
    __m512i, _mm512_add_epi64, _mm512_i64gather_epi64, _mm512_max_epi64, _mm512_min_epi64,
    _mm512_set1_epi64, _mm512_setzero_si512, _mm512_slli_epi64, _mm512_sub_epi64,
};

use super::field::Fe;
use super::point::{Affine, Jacobian};
use super::root::{invert_all, invert_lanes};
use super::sum::TOP_POSITION;
use super::LANES;
use crate::number::Number;

/// Bits of a window over the multiples.
pub(crate) const FIXED_BITS: usize = 12;
/// Multiples of the generator: 1 to this.
const FIXED: usize = 1 << (FIXED_BITS - 1);
const GENERATOR: [Number; 2] = [
    [
        0x59f2_815b_16f8_1798,
        0x029b_fcdb_2dce_28d9,
        0x55a0_6295_ce87_0b07,
        0x79be_667e_f9dc_bbac,
    ],
    [
        0x9c47_d08f_fb10_d4b8,
        0xfd17_b448_a685_5419,
        0x5da4_fbfc_0e11_08a8,
        0x483a_da77_26a3_c465,
    ],
];
/// A point of which nobody knows what multiple of the generator it is: BIP-341's.
const UNKNOWN: [Number; 2] = [
    [
        0x47bf_ee9a_ce80_3ac0,
        0x078a_5a0f_28ec_96d5,
        0xb78b_4b60_35e9_7a5e,
        0x5092_9b74_c1a0_4954,
    ],
    [
        0x3cf3_dceb_0c5c_732b,
        0xc925_3d75_0e89_9697,
        0xfb61_9c83_4e4a_0bf5,
        0xce2c_3979_c68c_6d91,
    ],
];
/// Multiples of one point, the same for all lanes: x and y in words of 64 bits.
pub(crate) struct Multiples(Box<[[u64; 8]]>);

impl Multiples {
    /// 1 to [`FIXED`] times `base`.
    #[target_feature(enable = "avx512f,avx512ifma")]
    fn new(base: Affine) -> Self {
        // Lane i holds the multiples from i·stride + 1 on.
        let stride = FIXED / LANES;
        let one = Fe::small(1);
        let lone = |point: Affine| Jacobian {
            x: point.x,
            y: point.y,
            z: one,
        };
        let mut far = lone(base);
        for _ in 0..stride.ilog2() {
            far = far.doubled();
        }
        let far = far.divided(invert_lanes(far.z));
        let mut sum = far;
        let mut first = base;
        for lane in 1..LANES {
            let here = lone(sum).plus(&base, 0);
            first = first.or(here.divided(invert_lanes(here.z)), 1 << lane);
            let next = if lane == 1 {
                lone(sum).doubled()
            } else {
                lone(sum).plus(&far, 0)
            };
            sum = next.divided(invert_lanes(next.z));
        }
        let mut points = vec![lone(first)];
        // The first lane would add the base to itself.
        let mut last = lone(first).doubled().or(&lone(first).plus(&base, 0), !1);
        while points.len() < stride {
            points.push(last);
            last = last.plus(&base, 0);
        }
        let inverses: Vec<Fe> = invert_all(points.iter().map(|point| point.z));
        let mut multiples = vec![[0; 8]; FIXED].into_boxed_slice();
        for (at, (point, inverse)) in points.iter().zip(inverses).enumerate() {
            let point = point.divided(inverse);
            let (x, y) = (point.x.numbers(), point.y.numbers());
            for lane in 0..LANES {
                let place = &mut multiples[lane * stride + at];
                place[..4].copy_from_slice(&x[lane]);
                place[4..].copy_from_slice(&y[lane]);
            }
        }
        Self(multiples)
    }

    /// Each lane's own multiple; any where the digit is 0.
    #[target_feature(enable = "avx512f")]
    #[inline]
    pub(crate) fn at(&self, size: __m512i) -> Affine {
        let one = _mm512_set1_epi64(1);
        let within = _mm512_min_epi64(size, _mm512_set1_epi64(FIXED as i64));
        let place = _mm512_sub_epi64(_mm512_max_epi64(within, one), one);
        let first = _mm512_slli_epi64::<3>(place);
        let mut words = [_mm512_setzero_si512(); 8];
        for at in 0..8 {
            let offset = _mm512_add_epi64(first, _mm512_set1_epi64(at));
            // SAFETY: `place` is at least 0 and below FIXED, as many places as there are, of 8 words each.
            words[at as usize] =
                unsafe { _mm512_i64gather_epi64::<8>(offset, self.0.as_ptr().cast::<i64>()) };
        }
        let [a, b, c, d, e, f, g, h] = words;
        Affine {
            x: Fe::of_words([a, b, c, d]),
            y: Fe::of_words([e, f, g, h]),
        }
    }
}

/// What is the same for all signatures.
pub(crate) struct Fixed {
    /// Of the generator.
    pub(crate) low: Multiples,
    /// Of 2^128 times the generator.
    pub(crate) high: Multiples,
    /// Where sums begin.
    pub(crate) start: [Number; 2],
    /// −2^TOP_POSITION times that.
    pub(crate) end: [Number; 2],
}

/// A point in all lanes.
#[target_feature(enable = "avx512f")]
pub(crate) fn same(point: &[Number; 2]) -> Affine {
    Affine {
        x: Fe::same(&point[0]),
        y: Fe::same(&point[1]),
    }
}

/// 2^times·point.
#[target_feature(enable = "avx512f,avx512ifma")]
fn doubled(point: &[Number; 2], times: usize) -> Affine {
    let Affine { x, y } = same(point);
    let mut sum = Jacobian {
        x,
        y,
        z: Fe::small(1),
    };
    for _ in 0..times {
        sum = sum.doubled();
    }
    sum.divided(invert_lanes(sum.z))
}

impl Fixed {
    #[target_feature(enable = "avx512f,avx512ifma")]
    pub(crate) fn new() -> Self {
        let end = doubled(&UNKNOWN, TOP_POSITION);
        Self {
            low: Multiples::new(same(&GENERATOR)),
            high: Multiples::new(doubled(&GENERATOR, 128)),
            start: UNKNOWN,
            end: [end.x.numbers()[0], end.y.negated_in(u8::MAX).numbers()[0]],
        }
    }
}
