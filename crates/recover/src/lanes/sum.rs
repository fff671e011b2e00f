//! a·G + b·R, the doublings shared by both.
use super::field::Fe;
use super::fixed::{same, Fixed, FIXED_BITS};
use super::own::{Own, OWN_BITS};
use super::point::{Affine, Jacobian};
use super::window::Windows;

/// Where the highest window of a signature's own point begins: so often is a sum doubled.
pub(crate) const TOP_POSITION: usize = 128 / OWN_BITS * OWN_BITS;

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
