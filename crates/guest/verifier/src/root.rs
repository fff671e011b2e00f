//! Powers, inverses and square roots in F_q, and compressed points.

use crate::constant::{CURVE, HALF, INVERSE_EXPONENT, ROOT_EXPONENT, TWIST};
use crate::field::{Field, Flag};
use crate::quadratic::Quadratic;

/// a to a constant power, four bits at a time.
#[inline(never)]
fn power<F: Field>(a: &F, exponent: &[u32; 8]) -> F {
    let mut table = [F::ONE; 16];
    for i in 1..16 {
        table[i] = table[i - 1].mul(a);
    }
    let digit = |i: usize| (exponent[i / 8] >> (4 * (i % 8)) & 15) as usize;
    let mut result = table[digit(63)];
    for i in (0..63).rev() {
        for _ in 0..4 {
            result = result.square();
        }
        result = result.mul(&table[digit(i)]);
    }
    result
}

/// 1 / a, or 0.
#[inline(never)]
pub fn inverse<F: Field>(a: &F) -> F {
    power(a, &INVERSE_EXPONENT)
}

/// a^((q − 3) / 4): 1 / √a where a is a square, and 1 / √−a up to sign where it is none. Times a it is the root.
fn inverse_root<F: Field>(a: &F) -> F {
    power(a, &ROOT_EXPONENT)
}

/// A point of the curve by x and the choice of y.
pub struct Point<F> {
    /// x.
    pub x: F,
    /// y.
    pub y: F,
    /// 1 / y.
    pub inverse: F,
}

/// The point of y² = x³ + 3 that eight words stand for, and whether they do: 255 bits of x, one for the higher y.
#[inline(never)]
pub fn point<F: Field>(words: &[u32; 8]) -> (Point<F>, Flag) {
    let (x, is_high, is_canonical) = coordinate::<F>(words);
    let square = x.square().mul(&x).add(&F::constant(CURVE)).carried();
    let root = inverse_root(&square);
    let y = square.mul(&root);
    let is_root = y.square().sub(&square).carried().is_zero();
    let wrong = y.is_high().differs(is_high);
    let turned = |number: &F| F::select(wrong, &F::ZERO.sub(number).carried(), number);
    let found = Point {
        x,
        y: turned(&y),
        inverse: turned(&root),
    };
    (found, is_canonical.and(is_root))
}

/// The point of the twist y² = x³ + 3 / (9 + u) that sixteen words stand for, and whether they do.
#[inline(never)]
pub fn twist_point<F: Field>(words: &[[u32; 8]; 2]) -> (Quadratic<F>, Quadratic<F>, Flag) {
    let (a, is_low) = F::from_words(&words[0]);
    let (b, is_high, is_canonical) = coordinate::<F>(&words[1]);
    let x = Quadratic { a, b };
    let square = x
        .square()
        .mul(&x)
        .add(&Quadratic::constant(TWIST))
        .carried();
    let y = quadratic_root(&square);
    let is_root = y.square().is_equal(&square);
    let above = F::select(y.b.is_zero(), &y.a, &y.b).is_high();
    let wrong = above.differs(is_high);
    let y = Quadratic::select(wrong, &y.neg().carried(), &y);
    (x, y, is_low.and(is_canonical).and(is_root))
}

/// A root of a square; anything for other numbers.
///
/// With n the root of the norm, (a ± n) / 2 are the squares of the root's first part; one of them is a square.
fn quadratic_root<F: Field>(square: &Quadratic<F>) -> Quadratic<F> {
    let half = F::constant(HALF);
    let norm = F::cross(&square.a, &square.a, &square.b, &square.b);
    let root = norm.mul(&inverse_root(&norm));
    let first = square.a.add(&root).carried().mul(&half);
    // 0 only where b is 0 and the root found is −a: then a itself.
    let first = F::select(first.is_zero(), &square.a, &first);
    let inverse = inverse_root(&first);
    let one = first.mul(&inverse);
    let two = square.b.mul(&half).mul(&inverse);
    let is_square = one.square().sub(&first).carried().is_zero();
    Quadratic {
        a: F::select(is_square, &one, &F::ZERO.sub(&two).carried()),
        b: F::select(is_square, &two, &one),
    }
}

/// x, its top bit, and whether the rest is less than q.
fn coordinate<F: Field>(words: &[u32; 8]) -> (F, Flag, Flag) {
    let mut rest = *words;
    rest[7] &= u32::MAX >> 1;
    let (x, is_canonical) = F::from_words(&rest);
    (x, Flag::of(words[7] >> 31), is_canonical)
}
