//! Public keys behind many secp256k1 signatures, eight at a time where the processor has 52-bit multiplications
//! (AVX-512 IFMA).
//!
//! Reads: signatures of strangers. Gives: of each its key, or nothing. Never: gives a key that libsecp256k1 would not;
//! where it gives none, that library has to say whether there is one. Signatures and keys are public, so the time it
//! takes may tell them.
#![warn(missing_docs)]

#[cfg(target_arch = "x86_64")]
mod inverse;
#[cfg(target_arch = "x86_64")]
mod lanes;
#[cfg(target_arch = "x86_64")]
mod number;
#[cfg(target_arch = "x86_64")]
mod scalar;
#[cfg(all(test, target_arch = "x86_64"))]
mod tests;

/// x ‖ y, the highest bytes first.
pub type Key = [u8; 64];

/// Signatures that are recovered together, if there are so many.
pub const LANES: usize = 8;

/// A signature over 32 bytes, numbers with the highest byte first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signature {
    /// What was signed.
    pub hash: [u8; 32],
    /// x of the point R modulo the curve's order.
    pub r: [u8; 32],
    /// The other number.
    pub s: [u8; 32],
    /// 1: R's y is odd; 2: R's x is not below the order. 0 to 3.
    pub recovery: u8,
}

/// Whether this processor recovers signatures together.
pub fn is_available() -> bool {
    #[cfg(target_arch = "x86_64")]
    {
        std::arch::is_x86_feature_detected!("avx512f")
            && std::arch::is_x86_feature_detected!("avx512ifma")
    }
    #[cfg(not(target_arch = "x86_64"))]
    false
}

/// The keys of all signatures, in order. None: too few came together, or the processor cannot, or there may be no key.
pub fn recover(signatures: &[Signature]) -> Vec<Option<Key>> {
    let mut keys = vec![None; signatures.len()];
    if is_available() {
        fill(signatures, &mut keys);
    }
    keys
}

#[cfg(target_arch = "x86_64")]
fn fill(signatures: &[Signature], keys: &mut [Option<Key>]) {
    /// Signatures from which on a register of them is faster than one after the other.
    const LANES_FROM: usize = 2;
    /// Signatures that share what one inverse costs.
    const SHARED: usize = 8 * LANES;

    let rest = signatures.len() % LANES;
    let left_out = if rest < LANES_FROM { rest } else { 0 };
    let parts = signatures[..signatures.len() - left_out].chunks(SHARED);
    for (part, keys) in parts.zip(keys.chunks_mut(SHARED)) {
        // SAFETY: whoever calls this has seen that the processor has both extensions.
        unsafe { lanes::recover::recover(part, keys) };
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn fill(_: &[Signature], _: &mut [Option<Key>]) {}
