//! Transactions as the EVM takes them, by who put them into the block.
use alloy_primitives::{Address, Bytes, TxKind, U256};
use revm::context::TxEnv;

use super::charge::Charge;
use super::run::SYSTEM_CALLER;
use crate::transaction::Transaction;

/// A system call as the EVM takes it.
pub(super) fn system_env(to: Address, data: Bytes, gas_limit: u64) -> TxEnv {
    TxEnv {
        caller: SYSTEM_CALLER,
        kind: TxKind::Call(to),
        data,
        gas_limit,
        gas_price: 0,
        ..TxEnv::default()
    }
}

/// A leader's transaction as the EVM takes it.
pub(super) fn leaders_env(
    transaction: &Transaction,
    evm_gas: u64,
    data_gas: u64,
    base_fee_vault: Option<Address>,
) -> (TxEnv, Charge) {
    let mut env = transaction.env();
    env.gas_limit = evm_gas;
    let charge = Charge {
        data_gas,
        max_cost: Some(transaction.max_cost().unwrap_or(U256::MAX)),
        base_fee_vault,
    };
    (env, charge)
}

/// A forced transaction as the EVM takes it; the check of its price against the base fee is to be off.
pub(super) fn forced_env(
    transaction: &Transaction,
    base_fee: u64,
    base_fee_vault: Option<Address>,
) -> (TxEnv, Charge) {
    let mut env = transaction.env();
    env.gas_price = env.gas_price.min(u128::from(base_fee));
    env.gas_priority_fee = env.gas_priority_fee.map(|_| 0);
    let charge = Charge {
        data_gas: 0,
        max_cost: Some(transaction.max_cost().unwrap_or(U256::MAX)),
        base_fee_vault,
    };
    (env, charge)
}
