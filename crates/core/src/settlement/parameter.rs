//! What names a chain: its numbers, its keys, where it begins.
use alloc::vec::Vec;

use alloy_primitives::{Bytes, B256};
use alloy_rlp::{RlpDecodable, RlpEncodable};
use sha2::{Digest, Sha256};

/// Rules for the work of L1 headers (Bitcoin Core, `pow.cpp`).
#[derive(Debug, Clone, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub struct ProofOfWork {
    /// Easiest target, compact.
    pub limit: u32,
    /// Blocks of the easiest target are allowed 20 minutes after their parent.
    pub easy_after_pause: bool,
    /// The target never changes.
    pub constant: bool,
    /// BIP-0094: retarget from the first block of a period, and no step back in time between periods.
    pub bip94: bool,
}

/// The L1 block before the first origin. All of it follows from headers that end with its hash.
#[derive(Debug, Clone, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub struct Anchor {
    /// L1 height.
    pub height: u64,
    /// Internal order.
    pub hash: B256,
    /// Times of up to 11 headers that end with it, oldest first.
    pub times: Vec<u64>,
    /// Its target, compact.
    pub bits: u32,
    /// Time of the first block of its period of 2,016.
    pub period_time: u64,
    /// Target of that block.
    pub period_bits: u32,
    /// Target of the newest block up to it that is not an easy one, or begins the period.
    pub regular_bits: u32,
}

/// Everything that two runs of the program must agree on.
#[derive(Debug, Clone, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub struct Parameters {
    /// Number of the network.
    pub network: u8,
    /// [`crate::program::rules_digest`] of its rules.
    pub rules: B256,
    /// Prefix of the wtxid of a relevant transaction.
    pub tag: Bytes,
    /// Blocks between halvings of the subsidy.
    pub halving_blocks: u64,
    /// Of L1.
    pub work: ProofOfWork,
    /// C, L1 blocks.
    pub finality_depth: u64,
    /// L, L1 blocks.
    pub max_origin_lag: u64,
    /// V, L1 blocks.
    pub proof_ttl: u64,
    /// W, L1 blocks.
    pub auto_block_window: u64,
    /// L1 blocks between further runs of automatic blocks.
    pub auto_block_step: u64,
    /// L1 blocks.
    pub upgrade_delay: u64,
    /// Bytes of one object.
    pub object_size_max: u64,
    /// Bytes of all waiting series.
    pub pending_size_max: u64,
    /// What a chunk counts at least against it.
    pub chunk_charge_min: u64,
    /// Batches that wait for their parent.
    pub held_batches_max: u64,
    /// Of a forced message, satoshi.
    pub forced_fee: u64,
    /// Of a proof, satoshi.
    pub proof_fee: u64,
    /// Proofs that are looked at in one L1 block.
    pub proofs_max: u64,
    /// Systems whose proofs count: 1 Groth16, 2 compressed.
    pub proof_systems: Vec<u8>,
    /// Verification key of the Groth16 circuit, as gnark writes it; empty where no Groth16 proof counts.
    pub circuit: Bytes,
    /// X, L1 blocks; 0 where no proofs are required.
    pub exodus_window: u64,
    /// Origins whose fees make the L1 rate.
    pub l1_rate_window: u64,
    /// Rate before the first origin, wei a witness byte.
    pub l1_rate_first: u128,
    /// Key that leads at first.
    pub leader_key: B256,
    /// Key that signs rotations.
    pub rotation_key: B256,
    /// Key that signs upgrades beside it.
    pub upgrade_key: B256,
    /// Where L1 begins.
    pub anchor: Anchor,
    /// Header of block 0 of L2, RLP.
    pub genesis_header: Bytes,
    /// [`crate::program::facts_digest`] of block 0.
    pub genesis_facts: B256,
}

impl Parameters {
    /// SHA-256 over their RLP.
    pub fn digest(&self) -> B256 {
        B256::new(Sha256::digest(alloy_rlp::encode(self)).into())
    }
}
