//! Square roots and inverses of eight elements at once.
use core::arch::x86_64::_mm512_set_epi64;

use super::field::{Fe, PRIME};
use crate::inverse::Modulus;

const MODULUS: Modulus = Modulus::new(&PRIME);

/// a^(2^times) of each. A squaring waits for the one before it; several side by side keep the processor busy.
#[target_feature(enable = "avx512f,avx512ifma")]
#[inline]
fn squared<const N: usize>(mut a: [Fe; N], times: u32) -> [Fe; N] {
    for _ in 0..times {
        for one in &mut a {
            *one = one.squared();
        }
    }
    a
}

#[target_feature(enable = "avx512f,avx512ifma")]
#[inline]
fn multiplied<const N: usize>(mut a: [Fe; N], b: &[Fe; N]) -> [Fe; N] {
    for (one, other) in a.iter_mut().zip(b) {
        *one = one.times(*other);
    }
    a
}

/// a^((p + 1) / 4): the square roots of those that have one.
#[target_feature(enable = "avx512f,avx512ifma")]
pub(crate) fn roots<const N: usize>(a: [Fe; N]) -> [Fe; N] {
    // `ones_k` is a^(2^k − 1). The exponent's bits: 223 ones, a zero, 22 ones, 4 zeros, two ones, two zeros.
    let ones_2 = multiplied(squared(a, 1), &a);
    let ones_3 = multiplied(squared(ones_2, 1), &a);
    let ones_6 = multiplied(squared(ones_3, 3), &ones_3);
    let ones_9 = multiplied(squared(ones_6, 3), &ones_3);
    let ones_11 = multiplied(squared(ones_9, 2), &ones_2);
    let ones_22 = multiplied(squared(ones_11, 11), &ones_11);
    let ones_44 = multiplied(squared(ones_22, 22), &ones_22);
    let ones_88 = multiplied(squared(ones_44, 44), &ones_44);
    let ones_176 = multiplied(squared(ones_88, 88), &ones_88);
    let ones_220 = multiplied(squared(ones_176, 44), &ones_44);
    let ones_223 = multiplied(squared(ones_220, 3), &ones_3);
    let part = multiplied(squared(ones_223, 23), &ones_22);
    squared(multiplied(squared(part, 6), &ones_2), 2)
}

/// The same of any number of elements.
#[target_feature(enable = "avx512f,avx512ifma")]
pub(crate) fn all_roots(elements: &[Fe]) -> Vec<Fe> {
    let mut found = Vec::with_capacity(elements.len());
    let mut pairs = elements.chunks_exact(2);
    for pair in &mut pairs {
        found.extend(roots([pair[0], pair[1]]));
    }
    for one in pairs.remainder() {
        found.extend(roots([*one]));
    }
    found
}

/// 1/a of each lane, none of which is 0, for the price of one inverse and five multiplications.
#[target_feature(enable = "avx512f,avx512ifma")]
pub(crate) fn invert_lanes(a: Fe) -> Fe {
    let next = _mm512_set_epi64(0, 7, 6, 5, 4, 3, 2, 1);
    let second = _mm512_set_epi64(1, 0, 7, 6, 5, 4, 3, 2);
    let fourth = _mm512_set_epi64(3, 2, 1, 0, 7, 6, 5, 4);
    // Of each lane and those after it, round the register.
    let of_two = a.times(a.moved(next));
    let of_four = of_two.times(of_two.moved(second));
    let of_all = of_four.times(of_four.moved(fourth));
    // Of all but the lane.
    let others = a
        .moved(next)
        .times(of_two.moved(second))
        .times(of_four.moved(fourth));
    others.times(Fe::same(&MODULUS.invert(&of_all.numbers()[0])))
}

/// 1/a of all elements, those of lanes that hold 0 being anything.
#[target_feature(enable = "avx512f,avx512ifma")]
pub(crate) fn invert_all(elements: impl Iterator<Item = Fe>) -> Vec<Fe> {
    let one = Fe::small(1);
    let mut product = one;
    let mut found = Vec::new();
    let mut given = Vec::new();
    for element in elements {
        let element = element.or(one, element.zeros());
        found.push(product);
        given.push(element);
        product = product.times(element);
    }
    let mut inverse = invert_lanes(product);
    for (place, element) in found.iter_mut().zip(given).rev() {
        *place = place.times(inverse);
        inverse = inverse.times(element);
    }
    found
}
