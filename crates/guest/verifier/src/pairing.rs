//! The optimal ate pairing: one Miller loop over three pairs, one final exponentiation.

use crate::constant::{ATE, FROBENIUS_1, HALF, LINES, SEED, TWIST};
use crate::field::{Field, Flag};
use crate::quadratic::Quadratic;
use crate::twelfth::Twelfth;

/// The lines through multiples of a fixed point, each divided by its first coefficient: 1 + (c3 x/y + c4 1/y v) w.
pub type Lines<F> = [[Quadratic<F>; 2]; LINES];

/// A point of G1 as its lines need it; x/y may be negated to turn the pairing.
pub struct Side<F> {
    /// x / y.
    pub ratio: F,
    /// 1 / y.
    pub inverse: F,
}

/// A multiple of a point of the twist in homogeneous coordinates: x = X/Z, y = Y/Z.
///
/// Once Z is 0 it stays 0. It becomes so where a formula does not hold: at the doubling of a point of order two, and
/// at the sum of a point with itself or its opposite, which no point of order r comes to.
struct Multiple<F> {
    x: Quadratic<F>,
    y: Quadratic<F>,
    z: Quadratic<F>,
}

/// A line's coefficients: of y, of x, of 1.
type Line<F> = [Quadratic<F>; 3];

impl<F: Field> Multiple<F> {
    /// Doubles it; the tangent.
    #[inline(never)]
    fn double(&mut self) -> Line<F> {
        let half = F::constant(HALF);
        let a = self.x.mul(&self.y).scale(&half);
        let b = self.y.square();
        let c = self.z.square();
        let e = Quadratic::constant(TWIST).mul(&c.double().add(&c).carried());
        let f = e.double().add(&e).carried();
        let g = b.add(&f).carried().scale(&half);
        let h = self.y.add(&self.z).carried().square();
        let h = h.sub(&b).sub(&c).carried();
        let line_1 = e.sub(&b).carried();
        let square = self.x.square();
        let rest = e.square();
        self.x = a.mul(&b.sub(&f).carried());
        let rest = rest.double().add(&rest);
        self.y = g.square().sub(&rest).reduced();
        self.z = b.mul(&h);
        let line_x = square.double().add(&square).carried();
        [h.neg().carried(), line_x, line_1]
    }

    /// Adds a point; the line through both.
    #[inline(never)]
    fn add(&mut self, x: &Quadratic<F>, y: &Quadratic<F>) -> Line<F> {
        let theta = self.y.sub(&y.mul(&self.z)).carried();
        let lambda = self.x.sub(&x.mul(&self.z)).carried();
        let c = theta.square();
        let d = lambda.square();
        let e = lambda.mul(&d);
        let f = self.z.mul(&c);
        let g = self.x.mul(&d);
        let h = e.add(&f).sub(&g.double()).reduced();
        self.x = lambda.mul(&h);
        let sum = theta.mul(&g.sub(&h).carried());
        self.y = sum.sub(&e.mul(&self.y)).reduced();
        self.z = self.z.mul(&e);
        let line_1 = theta.mul(x).sub(&lambda.mul(y)).carried();
        [lambda, theta.neg().carried(), line_1]
    }
}

/// The twisted Frobenius of the twist.
fn turned<F: Field>(x: &Quadratic<F>, y: &Quadratic<F>) -> (Quadratic<F>, Quadratic<F>) {
    (
        x.conjugate().mul(&Quadratic::constant(FROBENIUS_1[1])),
        y.conjugate().mul(&Quadratic::constant(FROBENIUS_1[2])),
    )
}

/// [6x + 2]B + ψB − ψ²B, with all lines on the way and whether each is the first of a digit.
///
/// B has order r exactly if this is −ψ³B: the greatest common divisor of the norm of 6x + 2 + ψ − ψ² + ψ³ and the number
/// of points of the twist is r.
#[inline(always)]
fn walk<F: Field>(
    x: &Quadratic<F>,
    y: &Quadratic<F>,
    mut met: impl FnMut(Line<F>, bool),
) -> Multiple<F> {
    let minus = y.neg().carried();
    let mut multiple = Multiple {
        x: *x,
        y: *y,
        z: Quadratic::ONE,
    };
    for digit in ATE.iter().rev().skip(1) {
        met(multiple.double(), true);
        if *digit != 0 {
            met(multiple.add(x, if *digit > 0 { y } else { &minus }), false);
        }
    }
    let (x1, y1) = turned(x, y);
    let (x2, y2) = turned(&x1, &y1);
    met(multiple.add(&x1, &y1), false);
    met(multiple.add(&x2, &y2.neg().carried()), false);
    multiple
}

/// The lines that a loop over the opposite of this point of the twist meets, divided by their first coefficients.
#[must_use]
pub fn lines<F: Field>(x: &Quadratic<F>, y: &Quadratic<F>) -> Lines<F> {
    let y = y.neg().carried();
    let mut found = [[Quadratic::ZERO; 2]; LINES];
    let mut index = 0;
    walk(x, &y, |line, _| {
        let inverse = line[0].inverse().carried();
        found[index] = [line[1].mul(&inverse), line[2].mul(&inverse)];
        index += 1;
    });
    found
}

/// One point of each group, and what the fixed lines meet.
pub struct Pairs<'a, F> {
    /// Point of G1.
    pub left: (&'a F, &'a F),
    /// Point of the twist.
    pub right: (&'a Quadratic<F>, &'a Quadratic<F>),
    /// Fixed lines and where they are taken.
    pub fixed: [(&'a Lines<F>, Side<F>); 2],
}

impl<F: Field> Pairs<'_, F> {
    /// The next line of each pair.
    #[inline(never)]
    fn step(&self, f: &mut Twelfth<F>, line: &Line<F>, index: usize) {
        let (x, y) = self.left;
        *f = f.mul_line(&line[0].scale(y), &line[1].scale(x), &line[2]);
        for (lines, side) in &self.fixed {
            let [c3, c4] = &lines[index];
            *f = f.mul_unit_line(&c3.scale(&side.ratio), &c4.scale(&side.inverse));
        }
    }

    /// The product of the three Miller functions, and whether the point of the twist has order r.
    #[inline(never)]
    pub fn miller(&self) -> (Twelfth<F>, Flag) {
        let (x, y) = self.right;
        let mut f = Twelfth::ONE;
        let mut index = 0;
        let multiple = walk(x, y, |line, is_new| {
            // Nothing is to be squared before the first line.
            if is_new && index > 0 {
                f = f.square();
            }
            self.step(&mut f, &line, index);
            index += 1;
        });
        let (x1, y1) = turned(x, y);
        let (x2, y2) = turned(&x1, &y1);
        let (x3, y3) = turned(&x2, &y2);
        let z = &multiple.z;
        let ends = z
            .is_zero()
            .inverted()
            .and(multiple.x.is_equal(&x3.mul(z)))
            .and(multiple.y.is_equal(&y3.mul(z).neg()));
        (f, ends)
    }
}

/// f^−x where f^(q⁴ − q² + 1) = 1.
#[inline(never)]
fn power<F: Field>(f: &Twelfth<F>) -> Twelfth<F> {
    let square = f.cyclotomic_square();
    let mut table = [*f; 4];
    for i in 1..4 {
        table[i] = table[i - 1].mul(&square);
    }
    let top = SEED.len() - 1;
    let mut result = table[(SEED[top] >> 1) as usize];
    for digit in SEED[..top].iter().rev() {
        result = result.cyclotomic_square();
        if *digit > 0 {
            result = result.mul(&table[(digit >> 1) as usize]);
        } else if *digit < 0 {
            result = result.mul(&table[(-digit >> 1) as usize].conjugate());
        }
    }
    result.conjugate()
}

/// f to the power (q¹² − 1) / r · 2x (6x² + 3x + 1): Fuentes-Castañeda, Knapp and Rodríguez-Henríquez,
/// <https://doi.org/10.1007/978-3-642-28496-0_25>. 0 if f is 0.
#[inline(never)]
#[must_use]
pub fn final_power<F: Field>(f: &Twelfth<F>) -> Twelfth<F> {
    let easy = f.conjugate().mul(&f.inverse());
    let r = easy.frobenius(2).mul(&easy);
    let y0 = power(&r);
    let y1 = y0.cyclotomic_square();
    let y3 = y1.cyclotomic_square().mul(&y1);
    let y4 = power(&y3);
    let y6 = power(&y4.cyclotomic_square()).conjugate();
    let y8 = y6.mul(&y4).mul(&y3.conjugate());
    let y9 = y8.mul(&y1);
    let y11 = y8.mul(&y4).mul(&r);
    let y14 = y8.frobenius(2).mul(&y9.frobenius(1).mul(&y11));
    r.conjugate().mul(&y9).frobenius(3).mul(&y14)
}
