//! Points of y² = x³ + 7 in eight lanes.
//!
//! The formulas are incomplete: they add a point neither to itself nor to its opposite, and know no infinity. Wherever
//! that is asked of them, the sum's z is 0, and every point made from that one has z = 0 too, so that one look at the
//! end tells whether a lane may be believed.
use core::arch::x86_64::__mmask8;

use super::field::{Fe, Wide};

/// (x, y).
#[derive(Clone, Copy)]
pub(crate) struct Affine {
    pub(crate) x: Fe,
    pub(crate) y: Fe,
}

/// (x/z², y/z³).
#[derive(Clone, Copy)]
pub(crate) struct Jacobian {
    pub(crate) x: Fe,
    pub(crate) y: Fe,
    pub(crate) z: Fe,
}

impl Affine {
    #[target_feature(enable = "avx512f")]
    #[inline]
    pub(crate) fn or(self, other: Self, which: __mmask8) -> Self {
        Self {
            x: self.x.or(other.x, which),
            y: self.y.or(other.y, which),
        }
    }
}

impl Jacobian {
    /// 2·self.
    #[target_feature(enable = "avx512f,avx512ifma")]
    pub(crate) fn doubled(&self) -> Self {
        let slope = Wide::square(self.x).fold().tripled().tight();
        let square = self.y.squared();
        let chord = Wide::product(self.x, square).fold().shifted::<2>().tight();
        let x = Wide::square(slope).fold().minus_twice(chord).tight();
        // −y is a sum of products, so that they fold together.
        let fall = x.loose().minus(chord).tight();
        let y = Wide::square(square).times_eight().plus_product(slope, fall);
        Self {
            x,
            y: y.fold().negated_in(u8::MAX).tight(),
            z: Wide::product(self.y, self.z).fold().shifted::<1>().tight(),
        }
    }

    /// self + other, or self − other in the lanes of `is_negative`.
    #[target_feature(enable = "avx512f,avx512ifma")]
    #[inline]
    pub(crate) fn plus(&self, other: &Affine, is_negative: __mmask8) -> Self {
        self.plus_scaled(other, is_negative, self.z)
    }

    /// The same, where `z` and not `self.z` makes the two points ones of the same curve.
    #[target_feature(enable = "avx512f,avx512ifma")]
    pub(crate) fn plus_scaled(&self, other: &Affine, is_negative: __mmask8, z: Fe) -> Self {
        let square = z.squared();
        let cube = Wide::product(square, z)
            .fold()
            .negated_in(is_negative)
            .tight();
        let run = Wide::product(other.x, square).fold().minus(self.x).tight();
        let rise = Wide::product(other.y, cube).fold().minus(self.y).tight();
        let run2 = run.squared();
        let run3 = run2.times(run);
        let chord = self.x.times(run2);
        let x = Wide::square(rise)
            .fold()
            .minus(run3)
            .minus_twice(chord)
            .tight();
        let fall = x.loose().minus(chord).tight();
        let y = Wide::product(rise, fall).plus_product(self.y, run3);
        Self {
            x,
            y: y.fold().negated_in(u8::MAX).tight(),
            z: self.z.times(run),
        }
    }

    /// `other` in the lanes of `which`.
    #[target_feature(enable = "avx512f")]
    #[inline]
    pub(crate) fn or(self, other: &Self, which: __mmask8) -> Self {
        Self {
            x: self.x.or(other.x, which),
            y: self.y.or(other.y, which),
            z: self.z.or(other.z, which),
        }
    }

    /// The point by `inverse`, which is 1/z.
    #[target_feature(enable = "avx512f,avx512ifma")]
    #[inline]
    pub(crate) fn divided(&self, inverse: Fe) -> Affine {
        let square = inverse.squared();
        Affine {
            x: self.x.times(square),
            y: self.y.times(square.times(inverse)),
        }
    }
}
