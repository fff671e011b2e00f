//! Overrides of a call's state and block, as geth has them.
//!
//! State: `{address: {balance, nonce, code, state, stateDiff, movePrecompileToAddress}}`. Block: `{number, time, gasLimit,
//! feeRecipient, prevRandao, baseFeePerGas, blobBaseFee, beaconRoot}`; the last is for simulated blocks alone.
use std::collections::BTreeMap;

use alloy_primitives::{Address, Bytes, B256, U256};
use bedroll_core::profile::Rules;
use bedroll_core::state::{Account, State, StateSource};
use bedroll_core::stf::{BlockSetting, PrecompileMoves};
use serde::Deserialize;

use super::EngineError;

/// What a client wants to be otherwise, both as JSON; "" for nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Overrides<'a> {
    /// Of accounts.
    pub state: &'a str,
    /// Of the block.
    pub block: &'a str,
}

/// Overrides of accounts.
pub(super) type StateOverrides = BTreeMap<Address, AccountOverride>;

/// Overrides of a block's fields.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct BlockOverrides {
    pub number: Option<U256>,
    pub time: Option<U256>,
    pub gas_limit: Option<U256>,
    pub fee_recipient: Option<Address>,
    pub prev_randao: Option<B256>,
    pub base_fee_per_gas: Option<U256>,
    pub blob_base_fee: Option<U256>,
    pub beacon_root: Option<B256>,
}

impl BlockOverrides {
    /// Takes the place of a block's fields.
    pub fn apply(&self, setting: &mut BlockSetting) -> Result<(), EngineError> {
        set(&mut setting.number, self.number)?;
        set(&mut setting.timestamp, self.time)?;
        set(&mut setting.gas_limit, self.gas_limit)?;
        set(&mut setting.base_fee, self.base_fee_per_gas)?;
        if let Some(coinbase) = self.fee_recipient {
            setting.coinbase = coinbase;
        }
        if let Some(randao) = self.prev_randao {
            setting.prev_randao = randao;
        }
        if let Some(fee) = self.blob_base_fee {
            setting.blob_base_fee = u128::try_from(fee).map_err(|_| above(fee, 128))?;
        }
        Ok(())
    }
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct AccountOverride {
    balance: Option<U256>,
    nonce: Option<U256>,
    code: Option<Bytes>,
    state: Option<BTreeMap<U256, U256>>,
    state_diff: Option<BTreeMap<U256, U256>>,
    move_precompile_to_address: Option<Address>,
}

/// Most bytes of overrides.
const SIZE_MAX: usize = 4 << 20;

/// Puts overrides into a state that nobody else uses, and into the block that a call is to run in.
///
/// # Errors
/// They cannot be read, are too large, or the state cannot be.
pub(super) fn apply<S: StateSource>(
    overrides: Overrides<'_>,
    rules: &Rules,
    state: &mut State<S>,
    setting: &mut BlockSetting,
) -> Result<(), EngineError> {
    read::<BlockOverrides>(overrides.block)?.apply(setting)?;
    let changes = read::<StateOverrides>(overrides.state)?;
    apply_state(changes, rules, state, &mut setting.precompiles)
}

fn read<T: Default + for<'a> Deserialize<'a>>(json: &str) -> Result<T, EngineError> {
    if json.is_empty() {
        return Ok(T::default());
    }
    if json.len() > SIZE_MAX {
        let text = format!("overrides of {} bytes, limit {SIZE_MAX}", json.len());
        return Err(EngineError::invalid("overrides", text));
    }
    serde_json::from_str(json).map_err(|error| EngineError::invalid("overrides", error.to_string()))
}

/// Puts overrides of accounts into a state; a precompile that is overridden gives way to ordinary code.
pub(super) fn apply_state<S: StateSource>(
    changes: StateOverrides,
    rules: &Rules,
    state: &mut State<S>,
    moves: &mut PrecompileMoves,
) -> Result<(), EngineError> {
    let mut taken = BTreeMap::new();
    let listed: Vec<Address> = changes.keys().copied().collect();
    for (address, change) in changes {
        if let Some(of) = taken.get(&address) {
            let text = format!("account {address} is overridden by precompile {of} already");
            return Err(EngineError::invalid("overrides", text));
        }
        let stands = moves.at(rules.spec(), &address);
        if let Some(to) = change.move_precompile_to_address {
            let Some(of) = stands else {
                let text = format!("account {address} is not a precompile");
                return Err(EngineError::invalid("overrides", text));
            };
            if to == address {
                let text = format!("precompile {address} cannot be moved to itself");
                return Err(EngineError::invalid("move_self", text));
            }
            if listed.binary_search(&to).is_ok() {
                let text = format!("account {to} is overridden already");
                return Err(EngineError::invalid("overrides", text));
            }
            moves.put(to, of);
            taken.insert(to, of);
        }
        if stands.is_some() {
            moves.take_away(address);
        }
        apply_account(&address, change, state)?;
    }
    Ok(())
}

pub(super) fn set(field: &mut u64, value: Option<U256>) -> Result<(), EngineError> {
    if let Some(value) = value {
        *field = u64::try_from(value).map_err(|_| above(value, 64))?;
    }
    Ok(())
}

fn above(value: U256, bits: usize) -> EngineError {
    EngineError::invalid("overrides", format!("{value} is above {bits} bits"))
}

fn apply_account<S: StateSource>(
    address: &Address,
    change: AccountOverride,
    state: &mut State<S>,
) -> Result<(), EngineError> {
    if change.state.is_some() && change.state_diff.is_some() {
        let text = format!("account {address} has both state and stateDiff");
        return Err(EngineError::invalid("overrides", text));
    }
    let mut account = state.account(address)?.unwrap_or_default();
    if let Some(balance) = change.balance {
        account.balance = balance;
    }
    set(&mut account.nonce, change.nonce)?;
    if let Some(code) = change.code {
        account.code_hash = state
            .set_code(code)
            .map_err(|error| EngineError::invalid("overrides", error.to_string()))?;
    }
    if change.state.is_some() {
        state.set_account(address, None)?;
        account = Account {
            storage_root: bedroll_core::trie::EMPTY_ROOT,
            ..account
        };
    }
    let slots = change.state.or(change.state_diff).unwrap_or_default();
    let known = state.account(address)?.is_some();
    if known || !slots.is_empty() || !account.to_info().is_empty() {
        state.set_account(address, Some(account))?;
    }
    for (slot, value) in slots {
        state.set_slot(address, &slot, value)?;
    }
    Ok(())
}
