//! Multiples of each signature's own point.
// As in `field`: plain indices stay in registers.
#![allow(clippy::needless_range_loop)]

use core::arch::x86_64::{__m512i, _mm512_cmpeq_epi64_mask, _mm512_set1_epi64};

use super::field::{Fe, Wide};
use super::point::Affine;
use crate::number::Number;

/// Bits of a window over the multiples.
pub(crate) const OWN_BITS: usize = 5;
/// Multiples of a signature's point: 1 to this.
const OWN: usize = 1 << (OWN_BITS - 1);

/// A cube root of 1 modulo p: (β·x, y) is a multiple of (x, y).
const BETA: Number = [
    0xc139_6c28_7195_01ee,
    0x9cf0_4975_12f5_8995,
    0x6e64_479e_ac34_34e9,
    0x7ae9_6a2b_657c_0710,
];

/// Multiples of each lane's own point, all with the same z.
pub(crate) struct Own {
    pub(crate) x: [Fe; OWN],
    /// β·x.
    pub(crate) turned: [Fe; OWN],
    y: [Fe; OWN],
    pub(crate) z: Fe,
}

impl Own {
    /// 1 to [`OWN`] times `point`, each made from the one before by adding two points of the same z (Meloni 2007).
    #[target_feature(enable = "avx512f,avx512ifma")]
    pub(crate) fn new(point: &Affine) -> Self {
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
    pub(crate) fn at(&self, xs: &[Fe; OWN], size: __m512i) -> Affine {
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
