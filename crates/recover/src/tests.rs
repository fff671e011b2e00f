//! The arithmetic beneath recovery is that of big integers, at the ends of every range and in between.
mod field;
mod fused;
mod scalar;

use num_bigint::BigUint;

use crate::number::Number;

/// Numbers that follow from a seed (SplitMix64).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let once = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let twice = (once ^ once >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        twice ^ twice >> 31
    }

    /// Words of all zeros or ones are as likely as others, so that carries run far.
    fn number(&mut self) -> Number {
        core::array::from_fn(|_| match self.word() % 4 {
            0 => 0,
            1 => u64::MAX,
            2 => u64::MAX << (self.word() % 64),
            _ => self.word(),
        })
    }
}

fn big(number: &Number) -> BigUint {
    BigUint::from_bytes_be(&crate::number::to_bytes(number))
}

fn small(big: &BigUint) -> Number {
    let mut words = big.to_u64_digits();
    words.resize(4, 0);
    words.try_into().expect("below 2^256")
}

/// Numbers at and around `edge`, 0 and 2^256 − 1, and between.
fn numbers(edge: &Number) -> Vec<Number> {
    let mut random = Random(7);
    let mut numbers = vec![[0; 4], [1, 0, 0, 0], [2, 0, 0, 0], [u64::MAX; 4]];
    for delta in 0..3 {
        numbers.push(small(&(big(edge) - 2u32 + BigUint::from(delta as u32))));
        numbers.push(small(&(big(edge) + BigUint::from(delta as u32))));
    }
    for bit in [51, 52, 63, 64, 103, 104, 127, 128, 207, 208, 255] {
        numbers.push(small(&(BigUint::from(1u32) << bit)));
        numbers.push(small(&((BigUint::from(1u32) << bit) - 1u32)));
    }
    numbers.extend((0..150).map(|_| random.number()));
    numbers
}
