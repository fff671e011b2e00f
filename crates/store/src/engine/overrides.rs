//! Overrides of a call: `{"state": {address: {…}}, "block": {…}}`, fields as geth names them.
use std::collections::BTreeMap;

use alloy_primitives::{Address, Bytes, U256};
use bedroll_core::state::{Account, State, StateSource};
use bedroll_core::stf::BlockSetting;
use serde::Deserialize;

use super::EngineError;

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    state: BTreeMap<Address, AccountOverride>,
    #[serde(default)]
    block: BlockOverride,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct AccountOverride {
    balance: Option<U256>,
    nonce: Option<U256>,
    code: Option<Bytes>,
    state: Option<BTreeMap<U256, U256>>,
    state_diff: Option<BTreeMap<U256, U256>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct BlockOverride {
    number: Option<U256>,
    time: Option<U256>,
    gas_limit: Option<U256>,
    fee_recipient: Option<Address>,
    prev_randao: Option<alloy_primitives::B256>,
    base_fee_per_gas: Option<U256>,
}

/// Most bytes of overrides.
const SIZE_MAX: usize = 4 << 20;

/// Puts overrides into a state that nobody else uses, and into the setting.
///
/// # Errors
/// They cannot be read, are too large, or the state cannot be.
pub(super) fn apply<S: StateSource>(
    json: &str,
    state: &mut State<S>,
    setting: &mut BlockSetting,
) -> Result<(), EngineError> {
    if json.is_empty() {
        return Ok(());
    }
    if json.len() > SIZE_MAX {
        let text = format!("overrides of {} bytes, limit {SIZE_MAX}", json.len());
        return Err(EngineError::invalid("overrides", text));
    }
    let file: File = serde_json::from_str(json)
        .map_err(|error| EngineError::invalid("overrides", error.to_string()))?;
    apply_block(&file.block, setting)?;
    for (address, change) in file.state {
        apply_account(&address, change, state)?;
    }
    Ok(())
}

fn apply_block(change: &BlockOverride, setting: &mut BlockSetting) -> Result<(), EngineError> {
    set(&mut setting.number, change.number)?;
    set(&mut setting.timestamp, change.time)?;
    set(&mut setting.gas_limit, change.gas_limit)?;
    set(&mut setting.base_fee, change.base_fee_per_gas)?;
    if let Some(coinbase) = change.fee_recipient {
        setting.coinbase = coinbase;
    }
    if let Some(randao) = change.prev_randao {
        setting.prev_randao = randao;
    }
    Ok(())
}

fn set(field: &mut u64, value: Option<U256>) -> Result<(), EngineError> {
    if let Some(value) = value {
        *field = u64::try_from(value)
            .map_err(|_| EngineError::invalid("overrides", format!("{value} is above 64 bits")))?;
    }
    Ok(())
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
    state.set_account(address, Some(account))?;
    let slots = change.state.or(change.state_diff).unwrap_or_default();
    for (slot, value) in slots {
        state.set_slot(address, &slot, value)?;
    }
    Ok(())
}
