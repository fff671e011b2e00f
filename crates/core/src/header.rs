//! L2 block headers: Ethereum's, with this chain's meaning of some fields.
use alloc::vec::Vec;
use alloy_consensus::constants::{EMPTY_OMMER_ROOT_HASH, EMPTY_WITHDRAWALS};
use alloy_consensus::Header;
use alloy_eips::eip7685::EMPTY_REQUESTS_HASH;
use alloy_primitives::{keccak256, Address, Bloom, BloomInput, Bytes, B256, B64, U256};
use core::borrow::Borrow;

use crate::receipt::Receipt;
use crate::transaction::Transaction;
use crate::trie::{hash_all, ordered_root};

/// What a header says before anything has run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeaderStart {
    /// Hash of the parent.
    pub parent_hash: B256,
    /// Height.
    pub number: u64,
    /// Seconds.
    pub timestamp: u64,
    /// EVM gas limit.
    pub gas_limit: u64,
    /// Wei a gas.
    pub base_fee: u64,
    /// Coinbase.
    pub coinbase: Address,
    /// Hash of the origin.
    pub origin_hash: B256,
}

impl HeaderStart {
    /// `prevrandao`: keccak(origin hash ‖ height as 8 bytes, big endian).
    pub fn prev_randao(&self) -> B256 {
        let mut preimage = [0u8; 40];
        preimage[..32].copy_from_slice(self.origin_hash.as_slice());
        preimage[32..].copy_from_slice(&self.number.to_be_bytes());
        keccak256(preimage)
    }

    /// The header, given what execution gave.
    pub fn seal(&self, end: &HeaderEnd) -> Header {
        Header {
            parent_hash: self.parent_hash,
            ommers_hash: EMPTY_OMMER_ROOT_HASH,
            beneficiary: self.coinbase,
            state_root: end.state_root,
            transactions_root: end.transactions_root,
            receipts_root: end.receipts_root,
            logs_bloom: end.logs_bloom,
            difficulty: U256::ZERO,
            number: self.number,
            gas_limit: self.gas_limit,
            gas_used: end.gas_used,
            timestamp: self.timestamp,
            extra_data: Bytes::new(),
            mix_hash: self.prev_randao(),
            nonce: B64::ZERO,
            base_fee_per_gas: Some(self.base_fee),
            withdrawals_root: Some(EMPTY_WITHDRAWALS),
            blob_gas_used: Some(0),
            excess_blob_gas: Some(0),
            parent_beacon_block_root: Some(self.origin_hash),
            requests_hash: Some(EMPTY_REQUESTS_HASH),
            ..Header::default()
        }
    }
}

/// What a header says of the block's execution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeaderEnd {
    /// State root after the hooks.
    pub state_root: B256,
    /// Trie over `sender ‖ unsigned payload`.
    pub transactions_root: B256,
    /// Trie over consensus receipts.
    pub receipts_root: B256,
    /// Of all logs.
    pub logs_bloom: Bloom,
    /// EVM gas.
    pub gas_used: u64,
}

/// Trie over `sender ‖ unsigned payload` of each transaction: no signature is in it.
pub fn transactions_root<T: Borrow<Transaction>>(transactions: &[T]) -> B256 {
    ordered_root(transactions, |tx, out| tx.borrow().put_leaf(out))
}

/// Ethereum's own transactions root, over signed bytes.
pub fn ethereum_transactions_root<T: Borrow<Transaction>>(transactions: &[T]) -> B256 {
    ordered_root(transactions, |tx, out| {
        out.extend_from_slice(&tx.borrow().raw)
    })
}

/// Trie over consensus receipts.
pub fn receipts_root(receipts: &[Receipt]) -> B256 {
    receipts_root_and_bloom(receipts).0
}

/// Root of the receipts and bloom of all logs.
pub fn receipts_root_and_bloom(receipts: &[Receipt]) -> (B256, Bloom) {
    let inputs: Vec<&[u8]> = receipts.iter().flat_map(Receipt::bloom_inputs).collect();
    let hashes = hash_all(&inputs);
    let mut rest = &hashes[..];
    let with_hashes = receipts.iter().map(|receipt| {
        let own;
        (own, rest) = rest.split_at(receipt.bloom_inputs().count());
        (receipt, own)
    });
    let with_hashes: Vec<_> = with_hashes.collect();
    let mut all = Bloom::ZERO;
    let root = ordered_root(&with_hashes, |(receipt, hashes), out| {
        let mut bloom = Bloom::ZERO;
        for hash in *hashes {
            bloom.accrue(BloomInput::Hash(*hash));
        }
        if !hashes.is_empty() {
            all |= bloom;
        }
        receipt.put_leaf(&bloom, out);
    });
    (root, all)
}

/// Bloom of all logs.
pub fn logs_bloom(receipts: &[Receipt]) -> Bloom {
    let mut all = Bloom::ZERO;
    for receipt in receipts.iter().filter(|receipt| !receipt.logs.is_empty()) {
        all |= receipt.bloom();
    }
    all
}
