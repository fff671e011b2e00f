//! Public keys behind many secp256k1 signatures, eight at a time where the processor has AVX-512: at best with 52-bit
//! multiplications (IFMA), else out of those of floating-point numbers.
//!
//! Reads: signatures of strangers. Gives: of each its key, or nothing. Never: gives a key that libsecp256k1 would not;
//! where it gives none, that library has to say whether there is one. Signatures and keys are public, so the time it
//! takes may tell them.
#![warn(missing_docs)]

#[cfg(target_arch = "x86_64")]
mod fused;
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

#[cfg(target_arch = "x86_64")]
include!(concat!(env!("OUT_DIR"), "/fused_lanes.rs"));

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

/// What products are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Means {
    /// Multiplications of 52 bits (AVX-512 IFMA).
    Whole,
    /// Multiplications of floating-point numbers (AVX-512).
    Fused,
}

impl Means {
    /// All, the fastest first.
    pub const ALL: [Means; 2] = [Means::Whole, Means::Fused];

    /// Whether this processor has them.
    pub fn is_there(self) -> bool {
        #[cfg(target_arch = "x86_64")]
        {
            std::arch::is_x86_feature_detected!("avx512f")
                && (self == Means::Fused || std::arch::is_x86_feature_detected!("avx512ifma"))
        }
        #[cfg(not(target_arch = "x86_64"))]
        false
    }

    fn best() -> Option<Self> {
        Self::ALL.into_iter().find(|means| means.is_there())
    }
}

/// Whether this processor recovers signatures together.
pub fn is_available() -> bool {
    Means::best().is_some()
}

/// The keys of all signatures, in order. None: too few came together, or the processor cannot, or there may be no key.
pub fn recover(signatures: &[Signature]) -> Vec<Option<Key>> {
    match Means::best() {
        Some(means) => recover_by(means, signatures),
        None => vec![None; signatures.len()],
    }
}

/// The same by certain means, if the processor has them.
pub fn recover_by(means: Means, signatures: &[Signature]) -> Vec<Option<Key>> {
    let mut keys = vec![None; signatures.len()];
    if means.is_there() {
        fill(means, signatures, &mut keys);
    }
    keys
}

#[cfg(target_arch = "x86_64")]
fn fill(means: Means, signatures: &[Signature], keys: &mut [Option<Key>]) {
    /// Signatures from which on a register of them is faster than one after the other, or nearly so.
    const LANES_FROM: usize = 2;
    /// Signatures that share what one inverse costs.
    const SHARED: usize = 8 * LANES;

    let rest = signatures.len() % LANES;
    let left_out = if rest < LANES_FROM { rest } else { 0 };
    let parts = signatures[..signatures.len() - left_out].chunks(SHARED);
    for (part, keys) in parts.zip(keys.chunks_mut(SHARED)) {
        // SAFETY: whoever calls this has seen that the processor has what the means need.
        unsafe {
            match means {
                Means::Whole => lanes::recover::recover(part, keys),
                Means::Fused => fused_lanes::recover::recover(part, keys),
            }
        }
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn fill(_: Means, _: &[Signature], _: &mut [Option<Key>]) {}
