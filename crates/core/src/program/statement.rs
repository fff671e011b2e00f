//! Public values of a proof: what it says, and about what.
use alloc::vec::Vec;

use alloy_primitives::B256;
use alloy_rlp::{RlpDecodable, RlpEncodable};
use sha2::{Digest, Sha256};

use crate::block::Tail;
use crate::compact::{Invalid, Reader};
use crate::forced::Queue;
use crate::profile::{Profile, Rules};

/// Version of the statement, its first byte.
const VERSION: u8 = 1;
/// Bytes of a statement.
pub const STATEMENT_SIZE: usize = 2 + 5 * 32 + 2 * QUEUE_SIZE + 1 + 2 * 32;
const QUEUE_SIZE: usize = 2 * 40;

/// The queue's chains and counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub struct QueueDigest {
    /// Chain over what was taken in.
    pub acc: B256,
    /// How many.
    pub enqueued: u64,
    /// Chain over what ended.
    pub done_acc: B256,
    /// How many.
    pub done: u64,
}

impl QueueDigest {
    /// Its part of a statement: chain, count, chain, count; big-endian.
    pub(crate) fn encode(&self) -> [u8; QUEUE_SIZE] {
        let mut out = [0; QUEUE_SIZE];
        out[..32].copy_from_slice(self.acc.as_slice());
        out[32..40].copy_from_slice(&self.enqueued.to_be_bytes());
        out[40..72].copy_from_slice(self.done_acc.as_slice());
        out[72..].copy_from_slice(&self.done.to_be_bytes());
        out
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, Invalid> {
        Ok(Self {
            acc: B256::new(reader.array()?),
            enqueued: u64::from_be_bytes(reader.array()?),
            done_acc: B256::new(reader.array()?),
            done: u64::from_be_bytes(reader.array()?),
        })
    }
}

impl From<Queue> for QueueDigest {
    fn from(queue: Queue) -> Self {
        Self {
            acc: queue.acc,
            enqueued: queue.enqueued,
            done_acc: queue.done_acc,
            done: queue.done,
        }
    }
}

/// What became of the batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It gives this tip.
    Accepted {
        /// Hash of the last block.
        tip: B256,
        /// [`facts_digest`] of the last block.
        facts: B256,
    },
    /// It breaks a rule.
    Rejected(Rejection),
}

/// The kind of rule that a rejected batch breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Rejection {
    /// The body does not decode, or is beyond a limit.
    Body = 1,
    /// Origins are not those that the header names.
    Origins = 2,
    /// A block's timestamp or origin breaks a rule.
    Block = 3,
    /// A transaction cannot be in its block.
    Transaction = 4,
    /// The tip is another than the header names.
    Tip = 5,
}

impl Rejection {
    fn from_code(code: u8) -> Result<Self, Invalid> {
        [
            Self::Body,
            Self::Origins,
            Self::Block,
            Self::Transaction,
            Self::Tip,
        ]
        .into_iter()
        .find(|one| *one as u8 == code)
        .ok_or(Invalid("unknown verdict"))
    }
}

/// Public values of the batch program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Number of the network.
    pub network: u8,
    /// [`rules_digest`].
    pub rules: B256,
    /// Signing hash of the batch's header; zeros for an automatic range.
    pub header_id: B256,
    /// Hash of the parent block.
    pub parent: B256,
    /// [`facts_digest`] of the parent.
    pub parent_facts: B256,
    /// [`super::L1Digest`] over the origins that it takes in.
    pub l1: B256,
    /// The queue at the parent.
    pub queue_before: QueueDigest,
    /// The queue at the tip; where it was rejected, at the parent.
    pub queue_after: QueueDigest,
    /// What became of it.
    pub verdict: Verdict,
}

impl Statement {
    /// [`STATEMENT_SIZE`] bytes: version, network, hashes, both queues (chain, count; big-endian), verdict (0 and tip
    /// and facts, or the code and zeros).
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(STATEMENT_SIZE);
        out.extend_from_slice(&[VERSION, self.network]);
        for hash in [
            self.rules,
            self.header_id,
            self.parent,
            self.parent_facts,
            self.l1,
        ] {
            out.extend_from_slice(hash.as_slice());
        }
        for queue in [&self.queue_before, &self.queue_after] {
            out.extend_from_slice(&queue.encode());
        }
        let (code, tip, facts) = match self.verdict {
            Verdict::Accepted { tip, facts } => (0, tip, facts),
            Verdict::Rejected(rejection) => (rejection as u8, B256::ZERO, B256::ZERO),
        };
        out.push(code);
        out.extend_from_slice(tip.as_slice());
        out.extend_from_slice(facts.as_slice());
        out
    }

    /// Reads what [`Self::encode`] wrote.
    ///
    /// # Errors
    /// It is no statement of this version.
    pub fn decode(bytes: &[u8]) -> Result<Self, Invalid> {
        let mut reader = Reader::new(bytes);
        if reader.u8()? != VERSION {
            return Err(Invalid("unknown version of statement"));
        }
        let network = reader.u8()?;
        let hash = |reader: &mut Reader<'_>| reader.array().map(B256::new);
        let (rules, header_id) = (hash(&mut reader)?, hash(&mut reader)?);
        let (parent, parent_facts) = (hash(&mut reader)?, hash(&mut reader)?);
        let l1 = hash(&mut reader)?;
        let queue_before = QueueDigest::read(&mut reader)?;
        let queue_after = QueueDigest::read(&mut reader)?;
        let code = reader.u8()?;
        let (tip, facts) = (B256::new(reader.array()?), B256::new(reader.array()?));
        reader.end()?;
        let verdict = if code == 0 {
            Verdict::Accepted { tip, facts }
        } else if tip.is_zero() && facts.is_zero() {
            Verdict::Rejected(Rejection::from_code(code)?)
        } else {
            return Err(Invalid("a rejected batch has no tip"));
        };
        Ok(Self {
            network,
            rules,
            header_id,
            parent,
            parent_facts,
            l1,
            queue_before,
            queue_after,
            verdict,
        })
    }
}

/// Digest of what a block's header does not say and the next block needs: keccak of its [`Tail`] as RLP.
pub fn facts_digest(tail: &Tail) -> B256 {
    alloy_primitives::keccak256(alloy_rlp::encode(tail))
}

/// Digest of a network's rules: SHA-256 over 1 (0 for the profile `ethereum`, which no network has), its numbers (8
/// bytes each, big-endian) and its addresses.
pub fn rules_digest(rules: &Rules) -> B256 {
    let mut hash = Sha256::new();
    hash.update([u8::from(rules.profile == Profile::Bedroll)]);
    for number in rules.numbers() {
        hash.update(number.to_be_bytes());
    }
    for address in rules.addresses() {
        hash.update(address);
    }
    B256::new(hash.finalize().into())
}
