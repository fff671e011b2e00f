//! What a leader's transaction needs before it runs, and how its gas is split.
use alloy_consensus::Transaction as _;

use super::refused::Refused;
use super::setting::BlockSetting;
use crate::block::Tail;
use crate::fee;
use crate::profile::Rules;
use crate::transaction::Transaction;

/// Checks what a leader's transaction needs before it runs; gives its data gas and EVM gas.
pub(super) fn admit(
    rules: &Rules,
    transaction: &Transaction,
    tail: &Tail,
    setting: &BlockSetting,
    left: u64,
) -> Result<(u64, u64), Refused> {
    let fields = transaction
        .envelope()
        .ok_or_else(|| Refused::new("type", "the chain alone makes L1-info calls"))?;
    match fields.chain_id() {
        Some(chain_id) if chain_id == rules.chain_id => {}
        None if fields.kind().is_create() || !rules.is_bedroll() => {}
        None => {
            return Err(Refused::new(
                "chain",
                "a legacy transaction without chain id must create a contract",
            ))
        }
        Some(chain_id) => {
            return Err(Refused::new(
                "chain",
                alloc::format!("chain id {chain_id} is not {}", rules.chain_id),
            ))
        }
    }
    let (data_gas, evm_gas) = split_gas(rules, transaction, tail.l1_rate, setting.base_fee)?;
    if evm_gas > left {
        return Err(Refused::new(
            "block_full",
            alloc::format!("block gas limit reached: needs {evm_gas}, left {left}"),
        ));
    }
    Ok((data_gas, evm_gas))
}

/// Price a leader's transaction pays.
pub(super) fn effective_price(transaction: &Transaction, base_fee: u64) -> u128 {
    transaction
        .envelope()
        .map_or(0, |tx| tx.effective_gas_price(Some(base_fee)))
}

/// Data gas and EVM gas of a leader's transaction.
///
/// # Errors
/// Its limit does not cover its data gas.
pub fn split_gas(
    rules: &Rules,
    transaction: &Transaction,
    l1_rate: u128,
    base_fee: u64,
) -> Result<(u64, u64), Refused> {
    let limit = transaction.envelope().map_or(0, |tx| tx.gas_limit());
    if !rules.is_bedroll() {
        return Ok((0, limit));
    }
    let size = transaction.size(rules.transfer_bytes);
    let data = fee::data_gas(l1_rate, size, rules.transfer_bytes, base_fee);
    match fee::evm_gas(limit, data) {
        Some(evm) => Ok((data, evm)),
        None => Err(Refused::new(
            "data_gas",
            alloc::format!("gas limit {limit} does not cover data gas {data}"),
        )),
    }
}
