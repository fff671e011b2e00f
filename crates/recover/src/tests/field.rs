use num_bigint::BigUint;

use super::{big, numbers, Random};

use crate::lanes::field::{Fe, Loose, Wide, PRIME};
use crate::lanes::root::{all_roots, invert_all, invert_lanes};
use crate::lanes::window::Windows;
use crate::lanes::{scatter, LANES};
use crate::number::{is_below, Number};
use crate::Means;

type Eight = [Number; LANES];

/// Numbers in eights, and each again in other lanes.
fn eights() -> Vec<Eight> {
    let numbers = numbers(&PRIME);
    let starts = 0..numbers.len();
    starts
        .map(|start| core::array::from_fn(|lane| numbers[(start + lane * 5) % numbers.len()]))
        .collect()
}

#[track_caller]
fn assert_lanes(found: [Number; LANES], wanted: impl Fn(usize) -> BigUint) {
    for (lane, number) in found.iter().enumerate() {
        assert!(is_below(number, &PRIME));
        assert_eq!(big(number), wanted(lane) % big(&PRIME), "lane {lane}");
    }
}

#[target_feature(enable = "avx512f,avx512ifma")]
fn check_products(a: &Eight, b: &Eight) {
    let (x, y) = (
        Fe::of_numbers(|lane| a[lane]),
        Fe::of_numbers(|lane| b[lane]),
    );
    let of = |lane: usize| (big(&a[lane]), big(&b[lane]));
    let p = big(&PRIME);
    assert_lanes(x.numbers(), |lane| of(lane).0);
    assert_lanes(x.times(y).numbers(), |lane| of(lane).0 * of(lane).1);
    assert_lanes(x.squared().numbers(), |lane| of(lane).0.pow(2));
    let far = Wide::square(x).times_eight().plus_product(y, y);
    let wanted = |lane: usize| of(lane).0.pow(2) * 8u32 + of(lane).1.pow(2);
    assert_lanes(far.fold().tight().numbers(), wanted);
    let negated = far.fold().negated_in(0b1010_0110).tight();
    assert_lanes(negated.numbers(), |lane| {
        if 0b1010_0110 >> lane & 1 == 1 {
            &p * (1u32 << 30) * (1u32 << 30) * &p - wanted(lane)
        } else {
            wanted(lane)
        }
    });
    let folded = |a, b| -> Loose { Wide::product(a, b).fold() };
    let tripled = folded(x, y).tripled().tight();
    assert_lanes(tripled.numbers(), |lane| of(lane).0 * of(lane).1 * 3u32);
    let shifted = folded(x, y).shifted::<2>().tight();
    assert_lanes(shifted.numbers(), |lane| of(lane).0 * of(lane).1 * 4u32);
    let less = folded(x, x).minus(y).minus_twice(x).tight();
    assert_lanes(less.numbers(), |lane| {
        of(lane).0.pow(2) + &p * 10u32 - of(lane).1 - of(lane).0 * 2u32
    });
}

#[target_feature(enable = "avx512f,avx512ifma")]
fn check_looks(a: &Eight, b: &Eight) {
    let (x, y) = (
        Fe::of_numbers(|lane| a[lane]),
        Fe::of_numbers(|lane| b[lane]),
    );
    let p = big(&PRIME);
    let (zeros, odds) = (x.zeros(), x.odds());
    let difference = x.loose().minus(y).tight().zeros();
    let mixed = x.or(y, 0b0101_1100).numbers();
    for lane in 0..LANES {
        let (own, other) = (big(&a[lane]) % &p, big(&b[lane]) % &p);
        assert_eq!(zeros >> lane & 1 == 1, own == BigUint::from(0u32));
        assert_eq!(odds >> lane & 1 == 1, own.bit(0));
        assert_eq!(difference >> lane & 1 == 1, own == other);
        let taken = if 0b0101_1100 >> lane & 1 == 1 {
            &other
        } else {
            &own
        };
        assert_eq!(big(&mixed[lane]), *taken);
    }
}

#[test]
fn lanes_compute_modulo_the_prime() {
    if !Means::Whole.is_there() {
        return;
    }
    let eights = eights();
    for (at, a) in eights.iter().enumerate() {
        for b in eights.iter().skip(at % 7).step_by(7) {
            // SAFETY: the processor has both extensions.
            unsafe {
                check_products(a, b);
                check_looks(a, b);
            }
        }
    }
}

/// Long chains of everything that a point's formulas do: no bound is overrun by what the step before leaves.
#[target_feature(enable = "avx512f,avx512ifma")]
fn check_chain(start: &Eight) {
    let p = big(&PRIME);
    let mut x = Fe::of_numbers(|lane| start[lane]);
    let mut y = Fe::of_numbers(|lane| start[LANES - 1 - lane]);
    let mut wanted: [(BigUint, BigUint); LANES] =
        core::array::from_fn(|lane| (big(&start[lane]), big(&start[LANES - 1 - lane])));
    for _ in 0..20 {
        let sum = Wide::square(x).times_eight().plus_product(x, y).fold();
        let next = sum.negated_in(u8::MAX).tight();
        y = Wide::square(y)
            .fold()
            .tripled()
            .minus(x)
            .minus_twice(y)
            .plus(x)
            .tight();
        x = next;
        for (a, b) in &mut wanted {
            let next = (&p * &p * 16u32 - (a.pow(2) * 8u32 + &*a * &*b) % &p) % &p;
            *b = (b.pow(2) * 3u32 + &p * 4u32 - &*b % &p * 2u32) % &p;
            *a = next;
        }
        assert_lanes(x.numbers(), |lane| wanted[lane].0.clone());
        assert_lanes(y.numbers(), |lane| wanted[lane].1.clone());
    }
}

#[test]
fn chains_of_steps_stay_right() {
    if Means::Whole.is_there() {
        for start in eights() {
            // SAFETY: the processor has both extensions.
            unsafe { check_chain(&start) };
        }
    }
}

#[target_feature(enable = "avx512f,avx512ifma")]
fn check_roots(eights: &[Eight]) {
    let p = big(&PRIME);
    let elements: Vec<Fe> = eights
        .iter()
        .map(|of| Fe::of_numbers(|lane| of[lane]))
        .collect();
    for (of, root) in eights.iter().zip(all_roots(&elements)) {
        let exponent = (&p + 1u32) / 4u32;
        assert_lanes(root.numbers(), |lane| big(&of[lane]).modpow(&exponent, &p));
    }
    let inverses = invert_all(elements.iter().copied());
    for (at, of) in eights.iter().enumerate() {
        let zeros = elements[at].zeros();
        let inverse = |lane: usize| big(&of[lane]).modpow(&(&p - 2u32), &p);
        let found = inverses[at].numbers();
        for lane in (0..LANES).filter(|lane| zeros >> lane & 1 == 0) {
            assert_eq!(big(&found[lane]), inverse(lane));
        }
        if zeros == 0 {
            assert_lanes(invert_lanes(elements[at]).numbers(), inverse);
        }
    }
}

#[test]
fn roots_and_inverses_are_powers() {
    if Means::Whole.is_there() {
        let eights = eights();
        for count in [1, 2, 3, eights.len()] {
            // SAFETY: the processor has both extensions.
            unsafe { check_roots(&eights[..count]) };
        }
    }
}

#[target_feature(enable = "avx512f")]
fn check_windows(bits: usize, factors: &[u128; LANES]) {
    let windows = Windows::new(bits, |lane| factors[lane], 0b0011_0101);
    let mut sums = [0i128; LANES];
    let top = 128 / bits * bits;
    for position in (0..top + 1).step_by(bits).rev() {
        let digit = windows.digit(position);
        for (lane, size) in scatter(digit.size).into_iter().enumerate() {
            assert!(size <= 1 << (bits - 1));
            assert_eq!(digit.is_zero >> lane & 1 == 1, size == 0);
            let is_negative = (digit.is_negative ^ 0b0011_0101) >> lane & 1 == 1;
            let size = if is_negative {
                -(size as i128)
            } else {
                size as i128
            };
            // Modulo 2^128, which is enough: no sum of digits reaches 2^(top + bits).
            sums[lane] = sums[lane].wrapping_shl(bits as u32).wrapping_add(size);
        }
    }
    assert_eq!(sums.map(|sum| sum as u128), *factors);
}

#[test]
fn windows_make_their_factor() {
    if !Means::Whole.is_there() {
        return;
    }
    let mut random = Random(3);
    for round in 0..500 {
        let factors: [u128; LANES] = core::array::from_fn(|lane| match (round + lane) % 9 {
            0 => 0,
            1 => u128::MAX,
            2 => 1 << (round % 128),
            3 => u128::MAX >> (round % 128),
            _ => {
                let [low, high, ..] = random.number();
                u128::from(low) | u128::from(high) << 64
            }
        });
        for bits in [4, 5, 11, 12] {
            // SAFETY: the processor has the extension.
            unsafe { check_windows(bits, &factors) };
        }
    }
}
