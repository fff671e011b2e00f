//! F_q¹² = F_q⁶[w] / (w² − v). Results have coefficients near 0 … q.

use crate::constant::{FROBENIUS_1, FROBENIUS_2, FROBENIUS_3};
use crate::field::{Field, Flag};
use crate::quadratic::Quadratic;
use crate::sextic::Sextic;

/// x + y w.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Twelfth<F> {
    /// Coefficient of 1.
    pub x: Sextic<F>,
    /// Coefficient of w.
    pub y: Sextic<F>,
}

impl<F: Field> Twelfth<F> {
    /// 1.
    pub const ONE: Self = Self {
        x: Sextic {
            a: Quadratic::ONE,
            b: Quadratic::ZERO,
            c: Quadratic::ZERO,
        },
        y: Sextic::ZERO,
    };

    /// f g.
    #[inline(never)]
    #[must_use]
    pub fn mul(&self, other: &Self) -> Self {
        let (x, y) = (self.x.mul(&other.x), self.y.mul(&other.y));
        let sum = self.x.add(&self.y).carried();
        let both = sum.mul(&other.x.add(&other.y).carried());
        Self {
            x: x.add(&y.shifted()).reduced(),
            y: both.sub(&x).sub(&y).reduced(),
        }
    }

    /// f².
    #[inline(never)]
    #[must_use]
    pub fn square(&self) -> Self {
        let product = self.x.mul(&self.y);
        let sum = self.x.add(&self.y).carried();
        let twisted = self.x.add(&self.y.shifted()).reduced();
        let both = sum.mul(&twisted);
        Self {
            x: both.sub(&product).sub(&product.shifted()).reduced(),
            y: product.add(&product).reduced(),
        }
    }

    /// f (c0 + (c3 + c4 v) w).
    #[inline(never)]
    #[must_use]
    pub fn mul_line(&self, c0: &Quadratic<F>, c3: &Quadratic<F>, c4: &Quadratic<F>) -> Self {
        let (x, y) = (self.x.scale(c0), self.y.mul_line(c3, c4));
        let sum = self.x.add(&self.y).carried();
        let both = sum.mul_line(&c0.add(c3).carried(), c4);
        Self {
            x: x.add(&y.shifted()).reduced(),
            y: both.sub(&x).sub(&y).reduced(),
        }
    }

    /// f (1 + (c3 + c4 v) w).
    #[inline(never)]
    #[must_use]
    pub fn mul_unit_line(&self, c3: &Quadratic<F>, c4: &Quadratic<F>) -> Self {
        let (x, y) = (self.x.mul_line(c3, c4), self.y.mul_line(c3, c4));
        Self {
            x: self.x.add(&y.shifted()).reduced(),
            y: self.y.add(&x).reduced(),
        }
    }

    /// f^(q⁶): 1 / f where f has norm 1.
    #[inline(never)]
    #[must_use]
    pub fn conjugate(&self) -> Self {
        Self {
            x: self.x,
            y: self.y.neg().carried(),
        }
    }

    /// 1 / f, or 0.
    #[inline(never)]
    #[must_use]
    pub fn inverse(&self) -> Self {
        let square = self.y.mul(&self.y).shifted();
        let norm = self.x.mul(&self.x).sub(&square).reduced().inverse();
        Self {
            x: self.x.mul(&norm),
            y: self.y.mul(&norm).neg().carried(),
        }
    }

    /// f^(q^order), for 1 to 3.
    #[inline(never)]
    #[must_use]
    pub fn frobenius(&self, order: usize) -> Self {
        let table = [&FROBENIUS_1, &FROBENIUS_2, &FROBENIUS_3][order - 1];
        let turned = |number: &Quadratic<F>, index: usize| {
            let number = if order & 1 == 1 {
                number.conjugate()
            } else {
                *number
            };
            if index == 0 {
                number.carried()
            } else {
                number.mul(&Quadratic::constant(table[index - 1]))
            }
        };
        Self {
            x: Sextic {
                a: turned(&self.x.a, 0),
                b: turned(&self.x.b, 2),
                c: turned(&self.x.c, 4),
            },
            y: Sextic {
                a: turned(&self.y.a, 1),
                b: turned(&self.y.b, 3),
                c: turned(&self.y.c, 5),
            },
        }
    }

    /// f² where f^(q⁴ − q² + 1) = 1: Granger and Scott, <https://eprint.iacr.org/2009/565>.
    #[inline(never)]
    #[must_use]
    pub fn cyclotomic_square(&self) -> Self {
        let (x, y) = (&self.x, &self.y);
        let (t0, t1) = quartic_square(&x.a, &y.b);
        let (t2, t3) = quartic_square(&y.a, &x.c);
        let (t4, t5) = quartic_square(&x.b, &y.c);
        let low = |t: &Quadratic<F>, z: &Quadratic<F>| t.sub(z).double().add(t).reduced();
        let high = |t: &Quadratic<F>, z: &Quadratic<F>| t.add(z).double().add(t).reduced();
        Self {
            x: Sextic {
                a: low(&t0, &x.a),
                b: low(&t2, &x.b),
                c: low(&t4, &x.c),
            },
            y: Sextic {
                a: high(&t5.twisted().reduced(), &y.a),
                b: high(&t1, &y.b),
                c: high(&t3, &y.c),
            },
        }
    }

    /// Whether the two are equal.
    #[inline(never)]
    #[must_use]
    pub fn is_equal(&self, other: &Self) -> Flag {
        let sextic = |one: &Sextic<F>, two: &Sextic<F>| {
            let first = one.a.is_equal(&two.a).and(one.b.is_equal(&two.b));
            first.and(one.c.is_equal(&two.c))
        };
        sextic(&self.x, &other.x).and(sextic(&self.y, &other.y))
    }
}

/// (a + b s)² where s² = 9 + u.
#[inline(never)]
fn quartic_square<F: Field>(a: &Quadratic<F>, b: &Quadratic<F>) -> (Quadratic<F>, Quadratic<F>) {
    let (one, two) = (a.square(), b.square());
    let both = a.add(b).carried().square();
    (
        two.twisted().add(&one).reduced(),
        both.sub(&one).sub(&two).carried(),
    )
}
