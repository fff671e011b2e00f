//! F_q⁶ = F_q²[v] / (v³ − 9 − u).

use crate::field::Field;
use crate::quadratic::Quadratic;

/// a + b v + c v².
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Sextic<F> {
    /// Coefficient of 1.
    pub a: Quadratic<F>,
    /// Coefficient of v.
    pub b: Quadratic<F>,
    /// Coefficient of v².
    pub c: Quadratic<F>,
}

impl<F: Field> Sextic<F> {
    /// 0.
    pub const ZERO: Self = Self {
        a: Quadratic::ZERO,
        b: Quadratic::ZERO,
        c: Quadratic::ZERO,
    };

    /// x + y.
    #[inline(never)]
    #[must_use]
    pub fn add(&self, other: &Self) -> Self {
        Self {
            a: self.a.add(&other.a),
            b: self.b.add(&other.b),
            c: self.c.add(&other.c),
        }
    }

    /// x − y.
    #[inline(never)]
    #[must_use]
    pub fn sub(&self, other: &Self) -> Self {
        Self {
            a: self.a.sub(&other.a),
            b: self.b.sub(&other.b),
            c: self.c.sub(&other.c),
        }
    }

    /// −x.
    #[inline(never)]
    #[must_use]
    pub fn neg(&self) -> Self {
        Self::ZERO.sub(self)
    }

    /// v x.
    #[inline(never)]
    #[must_use]
    pub fn shifted(&self) -> Self {
        Self {
            a: self.c.twisted(),
            b: self.a,
            c: self.b,
        }
    }

    /// The same number with small limbs.
    #[inline(never)]
    #[must_use]
    pub fn carried(&self) -> Self {
        Self {
            a: self.a.carried(),
            b: self.b.carried(),
            c: self.c.carried(),
        }
    }

    /// The same number with coefficients near 0 … q.
    #[inline(never)]
    #[must_use]
    pub fn reduced(&self) -> Self {
        Self {
            a: self.a.reduced(),
            b: self.b.reduced(),
            c: self.c.reduced(),
        }
    }

    /// x y, by Karatsuba: six products.
    #[inline(never)]
    #[must_use]
    pub fn mul(&self, other: &Self) -> Self {
        let (a, b, c) = (
            self.a.mul(&other.a),
            self.b.mul(&other.b),
            self.c.mul(&other.c),
        );
        let both = |x: &Quadratic<F>, y: &Quadratic<F>, z: &Quadratic<F>, w: &Quadratic<F>| {
            x.add(y).carried().mul(&z.add(w).carried())
        };
        let bc = both(&self.b, &self.c, &other.b, &other.c);
        let ab = both(&self.a, &self.b, &other.a, &other.b);
        let ac = both(&self.a, &self.c, &other.a, &other.c);
        Self {
            a: bc.sub(&b).sub(&c).carried().twisted().add(&a).reduced(),
            b: ab.sub(&a).sub(&b).add(&c.twisted()).reduced(),
            c: ac.sub(&a).sub(&c).add(&b).carried(),
        }
    }

    /// x (y + z v): five products.
    #[inline(never)]
    #[must_use]
    pub fn mul_line(&self, y: &Quadratic<F>, z: &Quadratic<F>) -> Self {
        let (a, b) = (self.a.mul(y), self.b.mul(z));
        let ab = self.a.add(&self.b).carried().mul(&y.add(z).carried());
        Self {
            a: self.c.mul(z).twisted().add(&a).reduced(),
            b: ab.sub(&a).sub(&b).carried(),
            c: self.c.mul(y).add(&b).carried(),
        }
    }

    /// k x.
    #[inline(always)]
    #[must_use]
    pub fn scale(&self, factor: &Quadratic<F>) -> Self {
        Self {
            a: self.a.mul(factor),
            b: self.b.mul(factor),
            c: self.c.mul(factor),
        }
    }

    /// 1 / x, or 0.
    #[inline(never)]
    #[must_use]
    pub fn inverse(&self) -> Self {
        let a = self.b.mul(&self.c).twisted().neg();
        let a = a.add(&self.a.square()).reduced();
        let b = self
            .c
            .square()
            .twisted()
            .sub(&self.a.mul(&self.b))
            .reduced();
        let c = self.b.square().sub(&self.a.mul(&self.c)).carried();
        let rest = self.c.mul(&b).add(&self.b.mul(&c)).carried();
        let norm = rest.twisted().add(&self.a.mul(&a)).reduced();
        Self { a, b, c }.scale(&norm.inverse().carried())
    }
}
