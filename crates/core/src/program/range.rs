//! The L1 data of a range of origins as one digest, which node and settlement compute themselves.
use alloy_primitives::B256;
use sha2::{Digest, Sha256};

use crate::block::Origin;

/// A chain over origins in order; zeros before the first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct L1Digest(pub B256);

impl L1Digest {
    /// Takes in the next origin: SHA-256 over the digest before, height, header hash, witness root, median time,
    /// L1 rate, count of forced messages and of each its id, SHA-256 of its payload and whether it paid.
    ///
    /// Numbers are big-endian: heights, times and counts 8 bytes, the rate 16.
    pub fn take(&mut self, origin: &Origin) {
        let mut hash = Sha256::new();
        hash.update(self.0);
        hash.update(origin.height.to_be_bytes());
        hash.update(origin.hash);
        hash.update(origin.witness_root);
        hash.update(origin.median_time.to_be_bytes());
        hash.update(origin.l1_rate.to_be_bytes());
        hash.update((origin.forced.len() as u64).to_be_bytes());
        for message in &origin.forced {
            hash.update(message.id);
            hash.update(Sha256::digest(&message.payload));
            hash.update([u8::from(message.paid)]);
        }
        self.0 = B256::new(hash.finalize().into());
    }
}
