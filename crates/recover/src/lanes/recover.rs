//! From signatures to keys.
use std::sync::OnceLock;

use super::field::{Fe, PRIME};
use super::fixed::{Fixed, FIXED_BITS};
use super::own::OWN_BITS;
use super::point::Affine;
use super::root::{all_roots, invert_all};
use super::sum::{sum, Factors};
use super::window::Windows;
use super::LANES;
use crate::number::{add, from_bytes, is_below, to_bytes, Number};
use crate::scalar::{self, Half, ORDER};
use crate::{Key, Signature};

static FIXED: OnceLock<Fixed> = OnceLock::new();

/// What a signature says: Q = a·G + b·R of its key.
#[derive(Clone, Copy, Default)]
struct Claim {
    /// R's x.
    x: Number,
    /// Of R's y.
    is_odd: bool,
    /// a.
    fixed: Number,
    /// b.
    own: [Half; 2],
    /// Whether there is one: its numbers are in range.
    is_known: bool,
}

/// r, s and R's x; None where they are out of range.
fn read(signature: &Signature) -> Option<(Number, Number, Number)> {
    let within = |number: &Number| *number != [0; 4] && is_below(number, &ORDER);
    let (r, s) = (from_bytes(&signature.r), from_bytes(&signature.s));
    if !within(&r) || !within(&s) || signature.recovery > 3 {
        return None;
    }
    if signature.recovery & 2 == 0 {
        return Some((r, s, r));
    }
    let (x, is_over) = add(&r, &ORDER);
    (!is_over && is_below(&x, &PRIME)).then_some((r, s, x))
}

/// a = −z/r and b = s/r of all.
fn claims(signatures: &[Signature]) -> Vec<Claim> {
    let numbers: Vec<_> = signatures.iter().map(read).collect();
    let r = numbers
        .iter()
        .map(|of| of.map_or([1, 0, 0, 0], |(r, ..)| r));
    let mut inverses: Vec<Number> = r.collect();
    scalar::invert_all(&mut inverses);
    let claim = |((signature, numbers), inverse): ((&Signature, _), &Number)| {
        let Some((_, s, x)) = numbers else {
            return Claim::default();
        };
        let hash = scalar::reduce(&from_bytes(&signature.hash));
        Claim {
            x,
            is_odd: signature.recovery & 1 == 1,
            fixed: scalar::negate(&scalar::multiply(&hash, inverse)),
            own: scalar::halves(&scalar::multiply(&s, inverse)),
            is_known: true,
        }
    };
    signatures
        .iter()
        .zip(numbers)
        .zip(&inverses)
        .map(claim)
        .collect()
}

/// One bit a lane.
fn mask(is_set: impl Fn(usize) -> bool) -> u8 {
    (0..LANES).fold(0, |mask, lane| mask | u8::from(is_set(lane)) << lane)
}

/// Both halves of both factors.
#[target_feature(enable = "avx512f")]
fn factors(claims: &[Claim; LANES]) -> Factors {
    let fixed = |half: usize| {
        let part = |lane: usize| {
            let words = &claims[lane].fixed[2 * half..];
            u128::from(words[0]) | u128::from(words[1]) << 64
        };
        Windows::new(FIXED_BITS, part, 0)
    };
    let own = |half: usize| {
        let is_negative = mask(|lane| claims[lane].own[half].is_negative);
        Windows::new(
            OWN_BITS,
            |lane| claims[lane].own[half].magnitude,
            is_negative,
        )
    };
    Factors {
        fixed: [fixed(0), fixed(1)],
        own: [own(0), own(1)],
    }
}

/// The keys behind a few signatures; None where none is found, or where the sum is one of those that the formulas of
/// points leave out.
#[target_feature(enable = "avx512f,avx512ifma")]
pub(crate) fn recover(signatures: &[Signature], keys: &mut [Option<Key>]) {
    let fixed = FIXED.get_or_init(|| Fixed::new());
    let claims = claims(signatures);
    let eights: Vec<[Claim; LANES]> = claims.chunks(LANES).map(filled).collect();
    let mut xs = Vec::with_capacity(eights.len());
    let mut squares = Vec::with_capacity(eights.len());
    for eight in &eights {
        let x = Fe::of_numbers(|lane| eight[lane].x);
        xs.push(x);
        squares.push(x.squared().times(x).loose().plus(Fe::small(7)).tight());
    }
    let mut known = Vec::with_capacity(eights.len());
    let mut sums = Vec::with_capacity(eights.len());
    for (at, y) in all_roots(&squares).into_iter().enumerate() {
        let eight = &eights[at];
        let is_root = y.squared().loose().minus(squares[at]).tight().zeros();
        let is_odd = mask(|lane| eight[lane].is_odd);
        let point = Affine {
            x: xs[at],
            y: y.negated_in(y.odds() ^ is_odd),
        };
        let sum = sum(fixed, &point, &factors(eight));
        known.push(mask(|lane| eight[lane].is_known) & is_root & !sum.z.zeros());
        sums.push(sum);
    }
    let inverses = invert_all(sums.iter().map(|sum| sum.z));
    for (at, (sum, inverse)) in sums.iter().zip(inverses).enumerate() {
        let point = sum.divided(inverse);
        let numbers = point.x.numbers().into_iter().zip(point.y.numbers());
        let places = keys[at * LANES..].iter_mut().zip(numbers);
        for (lane, (place, (x, y))) in places.enumerate() {
            if known[at] >> lane & 1 == 1 {
                let mut key = [0; 64];
                key[..32].copy_from_slice(&to_bytes(&x));
                key[32..].copy_from_slice(&to_bytes(&y));
                *place = Some(key);
            }
        }
    }
}

fn filled(claims: &[Claim]) -> [Claim; LANES] {
    core::array::from_fn(|lane| claims.get(lane).copied().unwrap_or_default())
}
