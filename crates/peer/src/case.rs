//! A case as it comes in, one JSON object a line, and what is answered.
use std::collections::BTreeMap;

use ethrex_common::{Address, H256, U256};
use serde::{Deserialize, Deserializer, Serialize};

/// A state and one block upon it.
#[derive(Deserialize)]
pub struct Case {
    pub fork: String,
    pub chain_id: u64,
    pub block: Setting,
    pub pre: BTreeMap<Address, Stated>,
    #[serde(deserialize_with = "every_hex")]
    pub transactions: Vec<Vec<u8>>,
}

/// The header, and what the block has beside transactions.
#[derive(Deserialize)]
pub struct Setting {
    pub number: u64,
    pub timestamp: u64,
    pub gas_limit: u64,
    pub base_fee: u64,
    pub coinbase: Address,
    pub prevrandao: H256,
    pub excess_blob_gas: u64,
    pub beacon_root: H256,
    /// Of the blocks before, the parent's last.
    pub hashes: Vec<H256>,
    pub withdrawals: Vec<Paid>,
}

/// A withdrawal.
#[derive(Deserialize)]
pub struct Paid {
    pub index: u64,
    pub validator: u64,
    pub address: Address,
    pub amount: u64,
}

/// An account.
#[derive(Deserialize)]
pub struct Stated {
    pub nonce: u64,
    pub balance: U256,
    #[serde(deserialize_with = "one_hex")]
    pub code: Vec<u8>,
    pub storage: BTreeMap<U256, U256>,
}

/// What a transaction did; one that may not be in the block has none.
#[derive(Serialize)]
pub struct Did {
    pub success: bool,
    pub gas: u64,
    /// Keccak of the RLP of its logs.
    pub logs: String,
}

/// What the block did.
#[derive(Serialize)]
pub struct Answer {
    pub transactions: Vec<Option<Did>>,
    pub gas_used: u64,
    pub state_root: String,
    pub receipts_root: String,
    pub bloom: String,
    pub requests_hash: String,
}

/// Hex with its prefix.
pub fn hex(bytes: &[u8]) -> String {
    format!("0x{}", hex::encode(bytes))
}

fn bytes<E: serde::de::Error>(text: &str) -> Result<Vec<u8>, E> {
    let digits = text
        .strip_prefix("0x")
        .ok_or_else(|| E::custom("no 0x before hex"))?;
    hex::decode(digits).map_err(E::custom)
}

fn one_hex<'a, D: Deserializer<'a>>(from: D) -> Result<Vec<u8>, D::Error> {
    bytes(&String::deserialize(from)?)
}

fn every_hex<'a, D: Deserializer<'a>>(from: D) -> Result<Vec<Vec<u8>>, D::Error> {
    let texts = Vec::<String>::deserialize(from)?;
    texts.iter().map(|text| bytes(text)).collect()
}
