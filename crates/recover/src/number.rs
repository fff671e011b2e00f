//! Numbers of 256 bits as the processor holds them: four words, the lowest first.

/// Σ wordᵢ·2^(64·i).
pub(crate) type Number = [u64; 4];

/// From 32 bytes, the highest first.
pub(crate) fn from_bytes(bytes: &[u8; 32]) -> Number {
    let mut words = [0; 4];
    for (word, part) in words.iter_mut().rev().zip(bytes.chunks_exact(8)) {
        *word = part.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte));
    }
    words
}

/// 32 bytes, the highest first.
pub(crate) fn to_bytes(number: &Number) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (part, word) in bytes.chunks_exact_mut(8).zip(number.iter().rev()) {
        part.copy_from_slice(&word.to_be_bytes());
    }
    bytes
}

/// Whether `a < b`.
pub(crate) fn is_below(a: &Number, b: &Number) -> bool {
    a.iter().rev().lt(b.iter().rev())
}

/// a + b, and whether that is beyond 256 bits.
pub(crate) fn add(a: &Number, b: &Number) -> (Number, bool) {
    let (mut sum, mut carry) = ([0; 4], false);
    for ((place, one), other) in sum.iter_mut().zip(a).zip(b) {
        let (half, over) = one.overflowing_add(*other);
        let (whole, again) = half.overflowing_add(u64::from(carry));
        (*place, carry) = (whole, over | again);
    }
    (sum, carry)
}

/// a − b modulo 2^256.
pub(crate) fn subtract(a: &Number, b: &Number) -> Number {
    let (mut left, mut borrow) = ([0; 4], false);
    for ((place, one), other) in left.iter_mut().zip(a).zip(b) {
        let (half, under) = one.overflowing_sub(*other);
        let (whole, again) = half.overflowing_sub(u64::from(borrow));
        (*place, borrow) = (whole, under | again);
    }
    left
}

/// Adds `a·b` to a sum that has room for it; its words lie from `sum[0]` on.
// Inlined, its loops have lengths that are known, and unroll.
#[inline(always)]
pub(crate) fn add_product(sum: &mut [u64], a: &[u64], b: &[u64]) {
    for (at, one) in a.iter().enumerate() {
        let mut carry = 0;
        for (place, other) in sum[at..].iter_mut().zip(b) {
            let wide = u128::from(*one) * u128::from(*other) + u128::from(*place) + carry;
            (*place, carry) = (wide as u64, wide >> 64);
        }
        for place in &mut sum[at + b.len()..] {
            let wide = u128::from(*place) + carry;
            (*place, carry) = (wide as u64, wide >> 64);
        }
    }
}
