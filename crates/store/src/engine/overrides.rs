//! Overrides of a call's state: `{address: {balance, nonce, code, state, stateDiff}}`, as geth has them.
use std::collections::BTreeMap;

use alloy_primitives::{Address, Bytes, U256};
use bedroll_core::state::{Account, State, StateSource};
use serde::Deserialize;

use super::EngineError;

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct AccountOverride {
    balance: Option<U256>,
    nonce: Option<U256>,
    code: Option<Bytes>,
    state: Option<BTreeMap<U256, U256>>,
    state_diff: Option<BTreeMap<U256, U256>>,
}

/// Most bytes of overrides.
const SIZE_MAX: usize = 4 << 20;

/// Puts overrides into a state that nobody else uses.
///
/// # Errors
/// They cannot be read, are too large, or the state cannot be.
pub(super) fn apply<S: StateSource>(json: &str, state: &mut State<S>) -> Result<(), EngineError> {
    if json.is_empty() {
        return Ok(());
    }
    if json.len() > SIZE_MAX {
        let text = format!("overrides of {} bytes, limit {SIZE_MAX}", json.len());
        return Err(EngineError::invalid("overrides", text));
    }
    let changes: BTreeMap<Address, AccountOverride> = serde_json::from_str(json)
        .map_err(|error| EngineError::invalid("overrides", error.to_string()))?;
    for (address, change) in changes {
        apply_account(&address, change, state)?;
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
