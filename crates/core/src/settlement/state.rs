//! All that derivation remembers from one L1 block to the next. A statement names its digest; the next run is given it.
use alloc::vec::Vec;

use alloy_consensus::Header;
use alloy_primitives::{keccak256, Bytes, B256, U256};
use alloy_rlp::{RlpDecodable, RlpEncodable};

use super::parameter::Parameters;
use crate::program::{OriginPart, QueueDigest};

/// An L1 block above the anchor.
#[derive(Debug, Clone, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub struct Record {
    /// As L2 takes it in; its messages are kept until then.
    pub origin: OriginPart,
    /// What its coinbase took beyond the subsidy.
    pub fees_sat: u64,
}

/// The followed L1 chain.
#[derive(Debug, Clone, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub struct L1State {
    /// Of the newest block.
    pub height: u64,
    /// Of the newest block, internal order.
    pub hash: B256,
    /// Of the newest block, compact.
    pub bits: u32,
    /// Work from the anchor's child on.
    pub work: U256,
    /// Time of the first block of its period.
    pub period_time: u64,
    /// Target of that block.
    pub period_bits: u32,
    /// Target of the newest block that is not an easy one, or begins the period.
    pub regular_bits: u32,
    /// Times of up to 11 blocks that end with it, oldest first.
    pub times: Vec<u64>,
    /// The newest blocks in order: those of the rate's window, and those that are no origin yet.
    pub records: Vec<Record>,
}

/// A key that leads from an L1 height on.
#[derive(Debug, Clone, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub struct Rotation {
    /// L1 height.
    pub active_from: u64,
    /// x-only.
    pub key: B256,
}

/// Who may speak.
#[derive(Debug, Clone, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub struct KeyState {
    /// Key that leads.
    pub leader: B256,
    /// Not yet active ones, in order.
    pub rotations: Vec<Rotation>,
    /// Highest number of one.
    pub rotation_number: u32,
    /// Least L1 height from which an announced upgrade is active; 2^64 − 1 where there is none.
    pub upgrade_height: u64,
    /// Highest number of one.
    pub upgrade_number: u32,
}

/// A chunk that came.
#[derive(Debug, Clone, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub struct ChunkPart {
    /// From 0.
    pub index: u8,
    /// At least one.
    pub bytes: Bytes,
}

/// A series of chunks that waits for its rest.
#[derive(Debug, Clone, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub struct Series {
    /// Names it.
    pub root: B256,
    /// Chunks in all.
    pub count: u8,
    /// L1 height of its first chunk.
    pub first_height: u64,
    /// What it counts against the limit.
    pub charge: u64,
    /// In the order in which they came.
    pub chunks: Vec<ChunkPart>,
}

/// Where an object stands on L1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub struct Place {
    /// L1 height.
    pub height: u64,
    /// Index in the block.
    pub transaction: u32,
    /// Index in the transaction.
    pub input: u32,
}

/// A batch that waits: ahead of the tip, or for its proof.
#[derive(Debug, Clone, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub struct Waiting {
    /// Of its body.
    pub place: Place,
    /// Who signed it.
    pub leader: B256,
    /// The 118 bytes.
    pub header: Bytes,
}

/// A proof that was verified.
#[derive(Debug, Clone, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub struct Shown {
    /// L1 height of the proof.
    pub height: u64,
    /// What it says.
    pub statement: Bytes,
}

/// A leader's batch ahead of the tip.
#[derive(Debug, Clone, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub struct Held {
    /// The batch.
    pub batch: Waiting,
    /// Its proof, for the proven form; else nothing.
    pub proof: Vec<Shown>,
}

/// A key that is not heard.
#[derive(Debug, Clone, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub struct Muted {
    /// Which.
    pub key: B256,
    /// Up to and including this L1 height.
    pub until: u64,
}

/// Which batch is judged, and who is silent.
#[derive(Debug, Clone, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub struct SelectorState {
    /// s: L1 height at which the last current batch was accepted.
    pub silent_since: u64,
    /// In L1 order.
    pub held: Vec<Held>,
    /// In the order in which it happened.
    pub muted: Vec<Muted>,
    /// Signing hashes of headers that proved invalid on this tip.
    pub refused: Vec<B256>,
}

/// Blocks that one proof covers, beyond a gap.
#[derive(Debug, Clone, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub struct ProvenRange {
    /// L2 height of the first.
    pub first: u64,
    /// L2 height of the last.
    pub last: u64,
    /// Hash of the last.
    pub hash: B256,
}

/// Up to where proofs cover the derived chain, and whether it ended.
#[derive(Debug, Clone, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub struct ProvenState {
    /// L2 height up to which everything is covered.
    pub height: u64,
    /// Hash of that block.
    pub hash: B256,
    /// By height.
    pub ahead: Vec<ProvenRange>,
    /// L1 blocks in which it did not advance.
    pub idle: u64,
    /// L1 height at which the chain ended; 0 while it lives.
    pub ended: u64,
}

/// Where the derived chain ends.
#[derive(Debug, Clone, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub struct Head {
    /// L2 height.
    pub height: u64,
    /// Of its header.
    pub hash: B256,
    /// L1 height of its origin.
    pub origin_height: u64,
    /// [`crate::program::facts_digest`] of it.
    pub facts: B256,
    /// The queue after it.
    pub queue: QueueDigest,
}

/// All of it.
#[derive(Debug, Clone, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub struct State {
    /// The followed L1 chain.
    pub l1: L1State,
    /// Who may speak.
    pub keys: KeyState,
    /// Waiting series, the one whose first chunk came first in front.
    pub series: Vec<Series>,
    /// Batches.
    pub selector: SelectorState,
    /// The derived tip.
    pub head: Head,
    /// Bodies that wait for their proof, in L1 order.
    pub desk: Vec<Waiting>,
    /// The proven head.
    pub proven: ProvenState,
}

impl State {
    /// At the anchor.
    pub fn genesis(parameters: &Parameters) -> Self {
        let anchor = &parameters.anchor;
        Self {
            l1: L1State {
                height: anchor.height,
                hash: anchor.hash,
                bits: anchor.bits,
                work: U256::ZERO,
                period_time: anchor.period_time,
                period_bits: anchor.period_bits,
                regular_bits: anchor.regular_bits,
                times: anchor.times.clone(),
                records: Vec::new(),
            },
            keys: KeyState {
                leader: parameters.leader_key,
                rotations: Vec::new(),
                rotation_number: 0,
                upgrade_height: u64::MAX,
                upgrade_number: 0,
            },
            series: Vec::new(),
            selector: SelectorState {
                silent_since: anchor.height,
                held: Vec::new(),
                muted: Vec::new(),
                refused: Vec::new(),
            },
            head: Head {
                height: 0,
                hash: keccak256(&parameters.genesis_header),
                origin_height: anchor.height,
                facts: parameters.genesis_facts,
                queue: QueueDigest::default(),
            },
            desk: Vec::new(),
            proven: ProvenState {
                height: 0,
                hash: keccak256(&parameters.genesis_header),
                ahead: Vec::new(),
                idle: 0,
                ended: 0,
            },
        }
    }

    /// Keccak of its RLP.
    pub fn digest(&self) -> B256 {
        keccak256(alloy_rlp::encode(self))
    }

    /// Record of a kept height.
    pub fn record(&self, height: u64) -> Option<&Record> {
        let back = self.l1.height.checked_sub(height)? as usize;
        self.l1.records.iter().rev().nth(back)
    }
}

/// Number and state root of a block, from its header.
pub fn header_of(bytes: &[u8], hash: B256) -> Option<(u64, B256)> {
    if keccak256(bytes) != hash {
        return None;
    }
    let header = <Header as alloy_rlp::Decodable>::decode(&mut &*bytes).ok()?;
    Some((header.number, header.state_root))
}
