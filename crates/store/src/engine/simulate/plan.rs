//! What a simulation is asked for: blocks in order, gaps filled, each with its height and time.
use alloy_consensus::Header;
use alloy_eips::eip2930::AccessList;
use alloy_eips::eip7702::SignedAuthorization;
use alloy_primitives::{Address, Bytes, B256, U128, U256, U64};
use bedroll_core::profile::Rules;
use bedroll_core::transaction::UnsignedFee;
use revm::primitives::hardfork::SpecId;
use serde::Deserialize;

use super::super::overrides::{set, BlockOverrides, StateOverrides};
use super::EngineError;

/// Heights that a simulation may reach above its base, as in geth.
const BLOCKS_MAX: u64 = 256;
/// Calls of one block, as in geth.
const BLOCK_CALLS_MAX: usize = 5_000;
/// Calls of all blocks, as in geth.
const CALLS_MAX: usize = 10_000;
/// Most bytes of a request.
const SIZE_MAX: usize = 8 << 20;

/// Seconds between blocks whose time the request leaves open: a slot of Ethereum's, or a block of this chain's.
pub fn timestamp_step(rules: &Rules) -> u64 {
    if rules.is_bedroll() {
        2
    } else {
        12
    }
}

/// A request as the API writes it down.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Request {
    pub block_state_calls: Vec<BlockCalls>,
    #[serde(default)]
    pub trace_transfers: bool,
    #[serde(default)]
    pub validation: bool,
    #[serde(default)]
    pub return_full_transactions: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct BlockCalls {
    block_overrides: BlockOverrides,
    state_overrides: StateOverrides,
    calls: Vec<CallFields>,
}

/// A call with what the request says of it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct CallFields {
    pub from: Address,
    pub to: Option<Address>,
    pub gas: Option<U64>,
    pub nonce: Option<U64>,
    pub chain_id: Option<U256>,
    pub value: Option<U256>,
    #[serde(default)]
    pub input: Bytes,
    gas_price: Option<U128>,
    max_fee_per_gas: Option<U128>,
    max_priority_fee_per_gas: Option<U128>,
    max_fee_per_blob_gas: Option<U128>,
    #[serde(default)]
    pub blob_versioned_hashes: Vec<B256>,
    #[serde(default)]
    pub access_list: AccessList,
    #[serde(default)]
    pub authorization_list: Vec<SignedAuthorization>,
}

impl CallFields {
    /// What it offers a gas; nothing where it does not say, in the form of its fork.
    pub fn fee(&self, spec: SpecId) -> UnsignedFee {
        let capped = self.max_fee_per_gas.or(self.max_priority_fee_per_gas);
        let (price, since_london) = (self.gas_price, spec.is_enabled_in(SpecId::LONDON));
        match price.or_else(|| (capped.is_none() && !since_london).then_some(U128::ZERO)) {
            Some(price) => UnsignedFee::Price(price.to()),
            None => UnsignedFee::Cap {
                most: self.max_fee_per_gas.unwrap_or_default().to(),
                tip: self.max_priority_fee_per_gas.unwrap_or_default().to(),
            },
        }
    }

    /// Wei a blob gas, at most.
    pub fn blob_fee(&self) -> u128 {
        self.max_fee_per_blob_gas.unwrap_or_default().to()
    }
}

/// A block that is to be made.
#[derive(Debug, Default)]
pub struct Planned {
    pub number: u64,
    pub timestamp: u64,
    pub block: BlockOverrides,
    pub state: StateOverrides,
    pub calls: Vec<CallFields>,
}

impl Request {
    /// Reads a request.
    ///
    /// # Errors
    /// It cannot be read, or asks for more than a simulation may.
    pub fn read(json: &str) -> Result<Self, EngineError> {
        if json.len() > SIZE_MAX {
            let text = format!("a request of {} bytes, limit {SIZE_MAX}", json.len());
            return Err(EngineError::invalid("client_limit", text));
        }
        let request: Self = serde_json::from_str(json)
            .map_err(|error| EngineError::invalid("request", error.to_string()))?;
        let blocks = &request.block_state_calls;
        if blocks.is_empty() {
            return Err(EngineError::invalid("request", "empty input"));
        }
        if blocks.len() as u64 > BLOCKS_MAX {
            return Err(too_many_blocks());
        }
        if let Some(block) = blocks.iter().find(|one| one.calls.len() > BLOCK_CALLS_MAX) {
            let count = block.calls.len();
            let text = format!("too many calls in block: {count} > {BLOCK_CALLS_MAX}");
            return Err(EngineError::invalid("client_limit", text));
        }
        let count: usize = blocks.iter().map(|block| block.calls.len()).sum();
        if count > CALLS_MAX {
            let text = format!("too many calls: {count} > {CALLS_MAX}");
            return Err(EngineError::invalid("client_limit", text));
        }
        Ok(request)
    }
}

fn too_many_blocks() -> EngineError {
    let text = format!("too many blocks: a simulation may reach {BLOCKS_MAX} above its base");
    EngineError::invalid("client_limit", text)
}

/// Gives every block its height and time, and fills gaps with empty ones.
///
/// # Errors
/// Heights or times do not rise, or reach too far.
pub fn arrange(
    blocks: Vec<BlockCalls>,
    base: &Header,
    step: u64,
) -> Result<Vec<Planned>, EngineError> {
    let (mut number, mut timestamp) = (base.number, base.timestamp);
    let mut planned = Vec::with_capacity(blocks.len());
    for block in blocks {
        let mut wanted = number.saturating_add(1);
        set(&mut wanted, block.block_overrides.number)?;
        if wanted <= number {
            let text = format!("block numbers must be in order: {wanted} <= {number}");
            return Err(EngineError::invalid("order_number", text));
        }
        if wanted - base.number > BLOCKS_MAX {
            return Err(too_many_blocks());
        }
        for missing in number + 1..wanted {
            timestamp = timestamp.saturating_add(step);
            planned.push(Planned {
                number: missing,
                timestamp,
                ..Planned::default()
            });
        }
        let mut time = timestamp.saturating_add(step);
        set(&mut time, block.block_overrides.time)?;
        if time <= timestamp {
            let text = format!("block timestamps must be in order: {time} <= {timestamp}");
            return Err(EngineError::invalid("order_time", text));
        }
        (number, timestamp) = (wanted, time);
        planned.push(Planned {
            number,
            timestamp,
            block: block.block_overrides,
            state: block.state_overrides,
            calls: block.calls,
        });
    }
    Ok(planned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base() -> Header {
        Header {
            number: 10,
            timestamp: 100,
            ..Header::default()
        }
    }

    fn arranged(json: &str) -> Result<Vec<(u64, u64)>, String> {
        let request = Request::read(json).map_err(|error| error.to_string())?;
        let planned = arrange(request.block_state_calls, &base(), 12);
        let planned = planned.map_err(|error| error.to_string())?;
        Ok(planned
            .iter()
            .map(|block| (block.number, block.timestamp))
            .collect())
    }

    #[test]
    fn gaps_are_filled_and_times_rise_by_a_step() {
        let json = r#"{"blockStateCalls":[{},{"blockOverrides":{"number":"0xe"}},{"blockOverrides":{"time":"0xff"}}]}"#;
        let wanted = vec![(11, 112), (12, 124), (13, 136), (14, 148), (15, 255)];
        assert_eq!(arranged(json), Ok(wanted));
    }

    #[test]
    fn order_and_reach_are_kept() {
        for (json, text) in [
            (r#"{"blockStateCalls":[]}"#, "empty"),
            (
                r#"{"blockStateCalls":[{"blockOverrides":{"number":"0xa"}}]}"#,
                "10 <= 10",
            ),
            (
                r#"{"blockStateCalls":[{"blockOverrides":{"time":"0x64"}}]}"#,
                "100 <= 100",
            ),
            (
                r#"{"blockStateCalls":[{"blockOverrides":{"number":"0x10b"}}]}"#,
                "too many blocks",
            ),
            (
                r#"{"blockStateCalls":[{"blockOverrides":{"number":"0x10000000000000000"}}]}"#,
                "above 64 bits",
            ),
            (
                r#"{"blockStateCalls":[{"blockOverrides":{"time":"0xffffffffffffffff"}},{}]}"#,
                "in order",
            ),
            (r#"{"blockStateCalls":[{"call":[]}]}"#, "unknown field"),
        ] {
            let error = arranged(json).expect_err(json);
            assert!(error.contains(text), "{json}: {error}");
        }
        let far = r#"{"blockStateCalls":[{"blockOverrides":{"number":"0x10a"}}]}"#;
        assert_eq!(arranged(far).map(|blocks| blocks.len()), Ok(256));
    }
}
