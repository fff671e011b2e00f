//! Multiples of points, to be looked up by windows of a factor.
//!
//! Those of the generator are made once, at first use (131 kB for each half of a factor); those of a signature's own
//! point for each signature.
#![allow(clippy::needless_range_loop)]

use core::arch::x86_64::{
    __m512i, __mmask8, _mm512_add_epi64, _mm512_and_si512, _mm512_cmpeq_epi64_mask,
    _mm512_cmplt_epi64_mask, _mm512_i64gather_epi64, _mm512_mask_sub_epi64, _mm512_max_epi64,
    _mm512_min_epi64, _mm512_or_si512, _mm512_set1_epi64, _mm512_setzero_si512, _mm512_sll_epi64,
    _mm512_slli_epi64, _mm512_srl_epi64, _mm512_sub_epi64, _mm_cvtsi64_si128,
};

use super::field::{Fe, Wide};
use super::point::{Affine, Jacobian};
use super::root::{invert_all, invert_lanes};
use super::{gather, LANES};
use crate::number::Number;

/// Bits of a window over the generator's multiples.
pub(crate) const FIXED_BITS: usize = 12;
/// Bits of a window over the multiples of a signature's point.
pub(crate) const OWN_BITS: usize = 5;
/// Multiples of the generator: 1 to this.
const FIXED: usize = 1 << (FIXED_BITS - 1);
/// Multiples of a signature's point: 1 to this.
const OWN: usize = 1 << (OWN_BITS - 1);

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
/// A cube root of 1 modulo p: (β·x, y) is a multiple of (x, y).
const BETA: Number = [
    0xc139_6c28_7195_01ee,
    0x9cf0_4975_12f5_8995,
    0x6e64_479e_ac34_34e9,
    0x7ae9_6a2b_657c_0710,
];

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

/// Multiples of one point, the same for all lanes: x and y in words of 64 bits.
struct Multiples(Box<[[u64; 8]]>);

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
    fn at(&self, size: __m512i) -> Affine {
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
    low: Multiples,
    /// Of 2^128 times the generator.
    high: Multiples,
    /// Where sums begin.
    start: [Number; 2],
    /// −2^TOP_POSITION times that.
    end: [Number; 2],
}

/// Where the highest window of a signature's own point begins: so often is a sum doubled.
pub(crate) const TOP_POSITION: usize = 128 / OWN_BITS * OWN_BITS;

#[target_feature(enable = "avx512f")]
fn same(point: &[Number; 2]) -> Affine {
    Affine {
        x: Fe::same(&point[0]),
        y: Fe::same(&point[1]),
    }
}

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

/// Multiples of each lane's own point, all with the same z.
struct Own {
    x: [Fe; OWN],
    /// β·x.
    turned: [Fe; OWN],
    y: [Fe; OWN],
    z: Fe,
}

impl Own {
    /// 1 to [`OWN`] times `point`, each made from the one before by adding two points of the same z (Meloni 2007).
    #[target_feature(enable = "avx512f,avx512ifma")]
    fn new(point: &Affine) -> Self {
        let slope = Wide::square(point.x).fold().tripled().tight();
        let square = point.y.squared();
        // The point itself, with the z of its double, which is 2y.
        let mut one = Affine {
            x: Wide::product(point.x, square).fold().shifted::<2>().tight(),
            y: Wide::square(square).fold().shifted::<3>().tight(),
        };
        let x = Wide::square(slope).fold().minus_twice(one.x).tight();
        let fall = one.x.loose().minus(x).tight();
        let y = Wide::product(slope, fall).fold().minus(one.y).tight();
        let (mut xs, mut ys) = ([x; OWN], [y; OWN]);
        // How much larger each z is than the one before.
        let mut ratios = [x; OWN];
        for at in 2..OWN {
            let run = one.x.loose().minus(xs[at - 1]).tight();
            let square = run.squared();
            let (near, far) = (one.x.times(square), xs[at - 1].times(square));
            let rise = one.y.loose().minus(ys[at - 1]).tight();
            let y = one.y.times(near.loose().minus(far).tight());
            xs[at] = Wide::square(rise).fold().minus(near).minus(far).tight();
            let fall = near.loose().minus(xs[at]).tight();
            ys[at] = Wide::product(rise, fall).fold().minus(y).tight();
            ratios[at] = run;
            one = Affine { x: near, y };
        }
        let mut ratio = ratios[OWN - 1];
        for at in (1..OWN - 1).rev() {
            let square = ratio.squared();
            xs[at] = xs[at].times(square);
            ys[at] = ys[at].times(square.times(ratio));
            if at > 1 {
                ratio = ratio.times(ratios[at]);
            }
        }
        (xs[0], ys[0]) = (one.x, one.y);
        let beta = Fe::same(&BETA);
        let mut turned = xs;
        for x in &mut turned {
            *x = x.times(beta);
        }
        let twice = point.y.loose().shifted::<1>().tight();
        Self {
            x: xs,
            turned,
            y: ys,
            z: ratio.times(twice),
        }
    }

    /// Each lane's own multiple; the point itself where the digit is 0.
    #[target_feature(enable = "avx512f")]
    #[inline]
    fn at(&self, xs: &[Fe; OWN], size: __m512i) -> Affine {
        let mut found = Affine {
            x: xs[0],
            y: self.y[0],
        };
        for at in 1..OWN {
            let here = _mm512_cmpeq_epi64_mask(size, _mm512_set1_epi64(at as i64 + 1));
            found.x = found.x.or(xs[at], here);
            found.y = found.y.or(self.y[at], here);
        }
        found
    }
}

/// The factors of a sum a·G + b·R, in halves: a = a₁ + a₂·2^128, b = b₁ + b₂·λ.
pub(crate) struct Factors {
    pub(crate) fixed: [Windows; 2],
    pub(crate) own: [Windows; 2],
}

/// a·G + b·R; z is 0 where that is not known.
#[target_feature(enable = "avx512f,avx512ifma")]
pub(crate) fn sum(fixed: &Fixed, point: &Affine, factors: &Factors) -> Jacobian {
    let own = Own::new(point);
    // Divided by the table's z, its points are of another curve y² = x³ + k, whose formulas are the same.
    let start = same(&fixed.start);
    let square = own.z.squared();
    let mut sum = Jacobian {
        x: start.x.times(square),
        y: start.y.times(square.times(own.z)),
        z: Fe::small(1),
    };
    for position in (0..=TOP_POSITION).rev() {
        if position < TOP_POSITION {
            sum = sum.doubled();
        }
        if position % OWN_BITS == 0 {
            for (windows, xs) in factors.own.iter().zip([&own.x, &own.turned]) {
                let digit = windows.digit(position);
                let next = sum.plus(&own.at(xs, digit.size), digit.is_negative);
                sum = next.or(&sum, digit.is_zero);
            }
        }
        if position % FIXED_BITS == 0 {
            for (windows, multiples) in factors.fixed.iter().zip([&fixed.low, &fixed.high]) {
                let digit = windows.digit(position);
                let z = sum.z.times(own.z);
                let next = sum.plus_scaled(&multiples.at(digit.size), digit.is_negative, z);
                sum = next.or(&sum, digit.is_zero);
            }
        }
    }
    let z = sum.z.times(own.z);
    let sum = sum.plus_scaled(&same(&fixed.end), 0, z);
    Jacobian {
        z: sum.z.times(own.z),
        ..sum
    }
}
