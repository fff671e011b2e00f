//! Genesis as JSON, hex strings like geth's.
use std::str::FromStr;

use alloy_consensus::Header;
use alloy_primitives::{keccak256, Address, Bytes, B256, U256};
use alloy_rlp::Decodable;
use bedroll_core::ethereum::{Activation, BlobLimits, Schedule};
use bedroll_core::genesis::{Allocation, Genesis};
use bedroll_core::profile::{Profile, Rules};
use bedroll_core::program::{facts_digest, rules_digest};
use bedroll_core::state::{MemorySource, State};
use bedroll_core::trie::EMPTY_ROOT;
use revm::primitives::hardfork::SpecId;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

use super::EngineError;

#[derive(Deserialize)]
struct File {
    config: Config,
    timestamp: u64,
    base_fee: u64,
    alloc: BTreeMap<String, Entry>,
    #[serde(default)]
    ethereum: Option<Ethereum>,
}

/// A chain of Ethereum's own.
#[derive(Deserialize)]
struct Ethereum {
    header: Bytes,
    forks: Vec<ForkEntry>,
    blobs: Vec<BlobEntry>,
    deposit_contract: Option<Address>,
}

#[derive(Deserialize)]
struct ForkEntry {
    name: String,
    height: Option<u64>,
    time: Option<u64>,
}

#[derive(Deserialize)]
struct BlobEntry {
    time: u64,
    target: u64,
    max: u64,
    update_fraction: u64,
}

#[derive(Deserialize)]
struct Anchor {
    height: u64,
    hash: String,
}

#[derive(Deserialize)]
struct Config {
    chain_id: u64,
    network: u8,
    profile: String,
    block_gas_limit: u64,
    forced_gas_limit: u64,
    forced_message_gas_limit: u64,
    forced_gas_min: u64,
    forced_size_max: usize,
    max_origin_lag: u64,
    second_blocks_max: u64,
    timestamp_lead_max: Option<u64>,
    origin_blocks_max: u64,
    #[serde(default = "automatic_blocks_first")]
    automatic_blocks_max: u64,
    transfer_bytes: u64,
    base_fee_vault: String,
    tip_vault: String,
    light_client: String,
    address_book: String,
    anchor: Anchor,
    l1_rate: u64,
}

/// What a genesis means that was written before it named the number.
const fn automatic_blocks_first() -> u64 {
    4
}

#[derive(Deserialize)]
struct Entry {
    #[serde(default)]
    balance: Number,
    #[serde(default)]
    nonce: Number,
    #[serde(default)]
    code: String,
    #[serde(default)]
    storage: BTreeMap<String, String>,
}

/// A JSON number, or a hex string.
#[derive(Deserialize)]
#[serde(untagged)]
enum Number {
    Plain(u64),
    Hex(String),
}

impl Default for Number {
    fn default() -> Self {
        Self::Plain(0)
    }
}

fn bad(what: &str, value: &str) -> EngineError {
    EngineError::Misconfigured {
        option: what.into(),
        value: value.into(),
        allowed: "what execution.genesis writes".into(),
    }
}

/// A word in hex, with 0x.
pub(super) fn word(text: &str) -> Result<U256, EngineError> {
    let digits = text.strip_prefix("0x").ok_or_else(|| bad("number", text))?;
    if digits.is_empty() {
        return Ok(U256::ZERO);
    }
    U256::from_str_radix(digits, 16).map_err(|_| bad("number", text))
}

fn address(text: &str) -> Result<Address, EngineError> {
    text.parse().map_err(|_| bad("address", text))
}

impl Number {
    fn value(&self) -> Result<U256, EngineError> {
        match self {
            Self::Plain(value) => Ok(U256::from(*value)),
            Self::Hex(text) => word(text),
        }
    }
}

/// Genesis, the hash that names the store, and the forks of a chain of Ethereum's own.
pub(super) type Parsed = (Genesis, B256, Option<Schedule>);

/// Reads genesis.
pub(super) fn parse(json: &str) -> Result<Parsed, EngineError> {
    let canonical: Value =
        serde_json::from_str(json).map_err(|error| bad("genesis", &error.to_string()))?;
    let name = keccak256(canonical.to_string());
    let file: File =
        serde_json::from_value(canonical).map_err(|error| bad("genesis", &error.to_string()))?;
    let config = file.config;
    let mut alloc = Vec::with_capacity(file.alloc.len());
    for (who, entry) in &file.alloc {
        alloc.push((address(who)?, allocation(entry)?));
    }
    let genesis = Genesis {
        anchor_height: config.anchor.height,
        anchor_hash: config
            .anchor
            .hash
            .parse()
            .map_err(|_| bad("anchor.hash", &config.anchor.hash))?,
        l1_rate: u128::from(config.l1_rate),
        timestamp: file.timestamp,
        base_fee: file.base_fee,
        alloc,
        rules: rules(&config)?,
        header: (file.ethereum.as_ref())
            .map(|own| header(&own.header))
            .transpose()?,
    };
    let schedule = match &file.ethereum {
        Some(own) => Some(schedule(own, config.chain_id)?),
        None => None,
    };
    genesis.check().map_err(|reason| bad("genesis", &reason))?;
    Ok((genesis, name, schedule))
}

/// What a genesis says without a store: block 0, the digest of its facts, the digest of the rules.
///
/// # Errors
/// The genesis is not one.
pub fn block_zero(json: &str) -> Result<(Header, B256, B256), EngineError> {
    let (genesis, _, _) = parse(json)?;
    let mut state = State::new(EMPTY_ROOT, MemorySource::default());
    let built = genesis.build(&mut state);
    let (block, _) = built.map_err(|error| EngineError::bad_genesis(&error))?;
    Ok((
        block.header,
        facts_digest(&block.tail),
        rules_digest(&genesis.rules),
    ))
}

fn header(raw: &[u8]) -> Result<Header, EngineError> {
    Header::decode(&mut &*raw).map_err(|error| bad("ethereum.header", &error.to_string()))
}

fn schedule(own: &Ethereum, chain_id: u64) -> Result<Schedule, EngineError> {
    let forks = own.forks.iter().map(|fork| {
        let spec = SpecId::from_str(&fork.name).map_err(|_| bad("ethereum.forks", &fork.name))?;
        let when = match (fork.height, fork.time) {
            (Some(height), None) => Activation::Height(height),
            (None, Some(time)) => Activation::Time(time),
            _ => return Err(bad("ethereum.forks", &fork.name)),
        };
        Ok((when, spec))
    });
    let limits = |blob: &BlobEntry| BlobLimits {
        target: blob.target,
        max: blob.max,
        update_fraction: blob.update_fraction,
    };
    Ok(Schedule {
        chain_id,
        forks: forks.collect::<Result<_, _>>()?,
        blobs: own
            .blobs
            .iter()
            .map(|blob| (blob.time, limits(blob)))
            .collect(),
        deposit_contract: own.deposit_contract,
    })
}

fn allocation(entry: &Entry) -> Result<Allocation, EngineError> {
    let nonce = entry.nonce.value()?;
    let code: Bytes = match entry.code.as_str() {
        "" => Bytes::new(),
        text => text.parse().map_err(|_| bad("code", text))?,
    };
    let mut storage = Vec::with_capacity(entry.storage.len());
    for (slot, value) in &entry.storage {
        storage.push((word(slot)?, word(value)?));
    }
    Ok(Allocation {
        balance: entry.balance.value()?,
        nonce: u64::try_from(nonce).map_err(|_| bad("nonce", &nonce.to_string()))?,
        code,
        storage,
    })
}

fn rules(config: &Config) -> Result<Rules, EngineError> {
    Ok(Rules {
        chain_id: config.chain_id,
        network: config.network,
        profile: match config.profile.as_str() {
            "bedroll" => Profile::Bedroll,
            "ethereum" => Profile::Ethereum(SpecId::OSAKA),
            other => return Err(bad("profile", other)),
        },
        block_gas_limit: config.block_gas_limit,
        forced_gas_limit: config.forced_gas_limit,
        forced_message_gas_limit: config.forced_message_gas_limit,
        forced_gas_min: config.forced_gas_min,
        forced_size_max: config.forced_size_max,
        max_origin_lag: config.max_origin_lag,
        second_blocks_max: config.second_blocks_max,
        timestamp_lead_max: config.timestamp_lead_max,
        origin_blocks_max: config.origin_blocks_max,
        automatic_blocks_max: config.automatic_blocks_max,
        transfer_bytes: config.transfer_bytes,
        base_fee_vault: address(&config.base_fee_vault)?,
        tip_vault: address(&config.tip_vault)?,
        light_client: address(&config.light_client)?,
        address_book: address(&config.address_book)?,
    })
}
