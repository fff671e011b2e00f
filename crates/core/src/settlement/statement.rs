//! Public values of the settlement program.
use alloc::vec::Vec;

use alloy_primitives::{B256, U256};

use crate::compact::{Invalid, Reader};
use crate::program::QueueDigest;

/// Version of the statement, its first byte; the batch program's is another.
const VERSION: u8 = 0x81;
/// Bytes of a statement.
pub const SETTLED_SIZE: usize = 2 + 3 * 32 + (32 + 8 + 32) + (32 + 8 + 32 + 8) + 80 + 32;

/// Following Bitcoin from the anchor by the rules, this is where L2 stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// Number of the network.
    pub network: u8,
    /// [`super::Parameters::digest`].
    pub parameters: B256,
    /// Verification key of the batch program that gave verdicts.
    pub batch_key: B256,
    /// Verification key under which earlier statements of this program were accepted: it must be this program's own.
    pub settlement_key: B256,
    /// Newest L1 block.
    pub l1_hash: B256,
    /// Its height.
    pub l1_height: u64,
    /// Work from the anchor's child on.
    pub l1_work: U256,
    /// L2 tip.
    pub tip: B256,
    /// Its height.
    pub height: u64,
    /// Its state root.
    pub state_root: B256,
    /// L1 height of its origin.
    pub origin_height: u64,
    /// The queue after it.
    pub queue: QueueDigest,
    /// [`super::State::digest`]: what the next run begins with.
    pub state: B256,
}

impl Settled {
    /// [`SETTLED_SIZE`] bytes: version, network, then the fields in order, numbers big-endian.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(SETTLED_SIZE);
        out.extend_from_slice(&[VERSION, self.network]);
        for hash in [
            self.parameters,
            self.batch_key,
            self.settlement_key,
            self.l1_hash,
        ] {
            out.extend_from_slice(hash.as_slice());
        }
        out.extend_from_slice(&self.l1_height.to_be_bytes());
        out.extend_from_slice(&self.l1_work.to_be_bytes::<32>());
        out.extend_from_slice(self.tip.as_slice());
        out.extend_from_slice(&self.height.to_be_bytes());
        out.extend_from_slice(self.state_root.as_slice());
        out.extend_from_slice(&self.origin_height.to_be_bytes());
        out.extend_from_slice(&self.queue.encode());
        out.extend_from_slice(self.state.as_slice());
        out
    }

    /// Reads what [`Self::encode`] wrote.
    ///
    /// # Errors
    /// It is no statement of this version.
    pub fn decode(bytes: &[u8]) -> Result<Self, Invalid> {
        let mut reader = Reader::new(bytes);
        if reader.u8()? != VERSION {
            return Err(Invalid("unknown version of settlement statement"));
        }
        let hash = |reader: &mut Reader<'_>| reader.array().map(B256::new);
        let number = |reader: &mut Reader<'_>| reader.array().map(u64::from_be_bytes);
        let settled = Self {
            network: reader.u8()?,
            parameters: hash(&mut reader)?,
            batch_key: hash(&mut reader)?,
            settlement_key: hash(&mut reader)?,
            l1_hash: hash(&mut reader)?,
            l1_height: number(&mut reader)?,
            l1_work: U256::from_be_bytes(reader.array::<32>()?),
            tip: hash(&mut reader)?,
            height: number(&mut reader)?,
            state_root: hash(&mut reader)?,
            origin_height: number(&mut reader)?,
            queue: QueueDigest::read(&mut reader)?,
            state: hash(&mut reader)?,
        };
        reader.end()?;
        Ok(settled)
    }
}
