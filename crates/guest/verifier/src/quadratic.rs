//! F_q² = F_q[u] / (u² + 1).
//!
//! Sums, differences and multiples are limb by limb; `carried` or `reduced` comes before the next product.

use crate::field::{Field, Flag, LIMBS};

/// a + b u.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Quadratic<F> {
    /// Coefficient of 1.
    pub a: F,
    /// Coefficient of u.
    pub b: F,
}

impl<F: Field> Quadratic<F> {
    /// 0.
    pub const ZERO: Self = Self {
        a: F::ZERO,
        b: F::ZERO,
    };
    /// 1.
    pub const ONE: Self = Self {
        a: F::ONE,
        b: F::ZERO,
    };

    /// A constant.
    #[inline(always)]
    pub fn constant(limbs: [[i32; LIMBS]; 2]) -> Self {
        Self {
            a: F::constant(limbs[0]),
            b: F::constant(limbs[1]),
        }
    }

    /// x + y.
    #[inline(never)]
    #[must_use]
    pub fn add(&self, other: &Self) -> Self {
        Self {
            a: self.a.add(&other.a),
            b: self.b.add(&other.b),
        }
    }

    /// x − y.
    #[inline(never)]
    #[must_use]
    pub fn sub(&self, other: &Self) -> Self {
        Self {
            a: self.a.sub(&other.a),
            b: self.b.sub(&other.b),
        }
    }

    /// 2 x.
    #[inline(always)]
    #[must_use]
    pub fn double(&self) -> Self {
        self.add(self)
    }

    /// −x.
    #[inline(always)]
    #[must_use]
    pub fn neg(&self) -> Self {
        Self::ZERO.sub(self)
    }

    /// The conjugate: x^q.
    #[inline(always)]
    #[must_use]
    pub fn conjugate(&self) -> Self {
        Self {
            a: self.a,
            b: F::ZERO.sub(&self.b),
        }
    }

    /// (9 + u) x.
    #[inline(never)]
    #[must_use]
    pub fn twisted(&self) -> Self {
        Self {
            a: self.a.nine().sub(&self.b),
            b: self.b.nine().add(&self.a),
        }
    }

    /// The same number with small limbs.
    #[inline(never)]
    #[must_use]
    pub fn carried(&self) -> Self {
        Self {
            a: self.a.carried(),
            b: self.b.carried(),
        }
    }

    /// The same number modulo q, near 0 … q.
    #[inline(never)]
    #[must_use]
    pub fn reduced(&self) -> Self {
        Self {
            a: self.a.reduced(),
            b: self.b.reduced(),
        }
    }

    /// x y.
    #[inline(never)]
    #[must_use]
    pub fn mul(&self, other: &Self) -> Self {
        let minus = F::ZERO.sub(&other.b);
        Self {
            a: F::cross(&self.a, &other.a, &self.b, &minus),
            b: F::cross(&self.a, &other.b, &self.b, &other.a),
        }
    }

    /// x².
    #[inline(never)]
    #[must_use]
    pub fn square(&self) -> Self {
        Self {
            a: self.a.sub(&self.b).mul(&self.a.add(&self.b)),
            b: self.a.mul(&self.b.add(&self.b)),
        }
    }

    /// k x.
    #[inline(never)]
    #[must_use]
    pub fn scale(&self, factor: &F) -> Self {
        Self {
            a: self.a.mul(factor),
            b: self.b.mul(factor),
        }
    }

    /// 1 / x, or 0.
    #[inline(never)]
    #[must_use]
    pub fn inverse(&self) -> Self {
        let norm = F::cross(&self.a, &self.a, &self.b, &self.b);
        let inverse = crate::root::inverse(&norm);
        Self {
            a: self.a.mul(&inverse),
            b: F::ZERO.sub(&self.b.mul(&inverse)),
        }
    }

    /// Whether it is 0.
    #[inline(never)]
    #[must_use]
    pub fn is_zero(&self) -> Flag {
        self.a.is_zero().and(self.b.is_zero())
    }

    /// Whether the two are equal.
    #[inline(never)]
    #[must_use]
    pub fn is_equal(&self, other: &Self) -> Flag {
        self.sub(other).carried().is_zero()
    }

    /// `a` where the flag is set, else `b`.
    #[inline(never)]
    #[must_use]
    pub fn select(flag: Flag, a: &Self, b: &Self) -> Self {
        Self {
            a: F::select(flag, &a.a, &b.a),
            b: F::select(flag, &a.b, &b.b),
        }
    }
}
