//! What a transaction pays for its data, and what it pays the leader (docs/spec/execution.md, "Fee").
use alloy_consensus::Transaction as _;
use alloy_primitives::U512;
use bedroll_core::fee::{self, EVM_GAS_MAX};
use bedroll_core::transaction::Transaction;

/// What the next transaction in the open block meets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeeRule {
    /// Of the open block, wei a gas.
    pub base_fee: u64,
    /// Wei a witness byte.
    pub l1_rate: u128,
    /// Bytes that 21,000 gas pay for.
    pub transfer_bytes: u64,
}

/// The fields that fees follow from; 0 for what is no signed transaction.
fn fields(tx: &Transaction) -> (u64, u128, u128) {
    tx.envelope().map_or((0, 0, 0), |tx| {
        let tip = tx
            .max_priority_fee_per_gas()
            .unwrap_or(tx.max_fee_per_gas());
        (tx.gas_limit(), tx.max_fee_per_gas(), tip)
    })
}

/// Highest price a gas.
pub(crate) fn max_fee(tx: &Transaction) -> u128 {
    fields(tx).1
}

/// Highest tip a gas; of a legacy transaction its price.
pub(crate) fn priority_fee(tx: &Transaction) -> u128 {
    fields(tx).2
}

/// Highest price a blob gas; 0 where there are no blobs.
pub(crate) fn max_blob_fee(tx: &Transaction) -> u128 {
    let fields = tx.envelope();
    fields
        .and_then(|tx| tx.max_fee_per_blob_gas())
        .unwrap_or_default()
}

pub(crate) fn gas_limit(tx: &Transaction) -> u64 {
    fields(tx).0
}

pub(crate) fn nonce(tx: &Transaction) -> u64 {
    tx.envelope().map_or(0, |tx| tx.nonce())
}

/// Most that it can take from its sender.
pub(crate) fn cost(tx: &Transaction) -> U512 {
    let (gas_limit, max_fee, _) = fields(tx);
    let (value, blob_gas) = tx.envelope().map_or((U512::ZERO, 0), |tx| {
        let blob_gas = tx.blob_gas_used().unwrap_or_default();
        (U512::from(tx.value()), blob_gas)
    });
    value
        + U512::from(gas_limit) * U512::from(max_fee)
        + U512::from(blob_gas) * U512::from(max_blob_fee(tx))
}

/// What its gas limit counts against a batch's.
pub(crate) fn batch_gas(tx: &Transaction) -> u64 {
    gas_limit(tx).min(EVM_GAS_MAX)
}

impl FeeRule {
    fn data_gas(&self, tx: &Transaction) -> u64 {
        let size = tx.size(self.transfer_bytes);
        fee::data_gas(self.l1_rate, size, self.transfer_bytes, self.base_fee)
    }

    /// Whether its fee cap covers the base fee and its gas limit covers data and intrinsic gas.
    pub fn is_executable(&self, tx: &Transaction) -> bool {
        let (gas_limit, max_fee, _) = fields(tx);
        max_fee >= u128::from(self.base_fee)
            && gas_limit
                .checked_sub(self.data_gas(tx))
                .is_some_and(|left| left >= tx.intrinsic_gas)
    }

    /// EVM gas that it may use: what it needs to be left in the block.
    pub fn evm_gas(&self, tx: &Transaction) -> u64 {
        gas_limit(tx)
            .saturating_sub(self.data_gas(tx))
            .min(EVM_GAS_MAX)
    }

    /// Tip a gas; negative where the cap is below the base fee.
    pub fn tip(&self, tx: &Transaction) -> i128 {
        let (_, max_fee, tip) = fields(tx);
        let most = |value: u128| i128::try_from(value).unwrap_or(i128::MAX);
        most(tip).min(most(max_fee) - i128::from(self.base_fee))
    }
}
