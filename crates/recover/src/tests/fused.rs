//! Products out of floating-point numbers are those of integers, in all that they take over from the processor's own.
use super::Random;
use crate::fused::{add_high, add_low};
use crate::lanes::{gather, scatter};
use crate::{Means, LANES};

/// Sums, and factors of which only 52 bits count.
type Eight = [u64; LANES];

#[target_feature(enable = "avx512f")]
fn check(sum: &Eight, a: &Eight, b: &Eight) {
    let [first, x, y] = [sum, a, b].map(|of| gather(|lane| of[lane]));
    let found = [add_low(first, x, y), add_high(first, x, y)].map(scatter);
    for lane in 0..LANES {
        let limb = |word: u64| u128::from(word & ((1 << 52) - 1));
        let product = limb(a[lane]) * limb(b[lane]);
        let halves = [limb(product as u64) as u64, (product >> 52) as u64];
        let wanted = halves.map(|half| sum[lane].wrapping_add(half));
        let told = format!("{:x} · {:x}", a[lane], b[lane]);
        assert_eq!(found.map(|of| of[lane]), wanted, "{told}");
    }
}

#[test]
fn products_out_of_doubles_are_those_of_integers() {
    if !Means::Fused.is_there() {
        return;
    }
    let mut random = Random(11);
    let mut eight = || -> Eight {
        let words = (0..2).flat_map(|_| random.number());
        let words: Vec<u64> = words.collect();
        std::array::from_fn(|lane| words[lane])
    };
    for _ in 0..200_000 {
        let (sum, a, b) = (eight(), eight(), eight());
        // SAFETY: the processor has AVX-512.
        unsafe { check(&sum, &a, &b) };
    }
    let ends = (0..=52).flat_map(|bit| [(1u64 << bit) - 1, 1 << bit, (1 << bit) + 1]);
    let ends: Vec<u64> = ends.collect();
    for a in &ends {
        for b in &ends {
            // SAFETY: as above.
            unsafe { check(&[u64::MAX; LANES], &[*a; LANES], &[*b; LANES]) };
        }
    }
}
