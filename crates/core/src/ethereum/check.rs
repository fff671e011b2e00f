//! A header held against its parent, and against what its block did.
use alloc::string::ToString;
use alloy_consensus::proofs::{calculate_ommers_root, calculate_withdrawals_root};
use alloy_consensus::Header;
use alloy_eips::eip1559::{calc_next_block_base_fee, BaseFeeParams};
use alloy_primitives::B256;
use core::fmt::Display;
use revm::primitives::hardfork::SpecId;

use super::{EthereumBlock, Executed, Fault, Schedule};
use crate::header::{ethereum_transactions_root, logs_bloom, receipts_root};

/// Base fee of the first block that has one (EIP-1559).
const BASE_FEE_FIRST: u64 = 1_000_000_000;

fn same<T: PartialEq + Display>(what: &str, is: T, wanted: T) -> Result<(), Fault> {
    if is == wanted {
        return Ok(());
    }
    let text = alloc::format!("{what} {is} is not {wanted}");
    Err(Fault::Rule(text))
}

/// Checks what follows from the parent: hash, height, time, base fee.
///
/// # Errors
/// What differs.
pub fn check_header(
    schedule: &Schedule,
    parent: &Header,
    parent_hash: B256,
    header: &Header,
) -> Result<(), Fault> {
    same("parent", header.parent_hash, parent_hash)?;
    same("height", header.number, parent.number + 1)?;
    if header.timestamp <= parent.timestamp {
        let text = alloc::format!(
            "time {} is not above {}",
            header.timestamp,
            parent.timestamp
        );
        return Err(Fault::Rule(text));
    }
    let spec = schedule.at(header.number, header.timestamp).spec;
    if spec.is_enabled_in(SpecId::LONDON) {
        let wanted = match parent.base_fee_per_gas {
            Some(fee) => {
                let params = BaseFeeParams::ethereum();
                calc_next_block_base_fee(parent.gas_used, parent.gas_limit, fee, params)
            }
            None => BASE_FEE_FIRST,
        };
        same(
            "base fee",
            header.base_fee_per_gas.unwrap_or_default(),
            wanted,
        )?;
    }
    Ok(())
}

/// Checks what follows from the body and its execution.
///
/// # Errors
/// What differs.
pub fn check_executed(
    block: &EthereumBlock,
    done: &Executed,
    state_root: B256,
) -> Result<(), Fault> {
    let header = &block.header;
    same("gas used", done.gas_used, header.gas_used)?;
    let root = ethereum_transactions_root(&done.transactions);
    same("transactions root", root, header.transactions_root)?;
    let root = receipts_root(&done.receipts);
    same("receipts root", root, header.receipts_root)?;
    let bloom = logs_bloom(&done.receipts);
    same("bloom", bloom.to_string(), header.logs_bloom.to_string())?;
    let root = calculate_ommers_root(&block.body.ommers);
    same("uncles", root, header.ommers_hash)?;
    if let Some(wanted) = header.withdrawals_root {
        let withdrawals = block.body.withdrawals.as_deref().map_or(&[][..], |all| all);
        same(
            "withdrawals root",
            calculate_withdrawals_root(withdrawals),
            wanted,
        )?;
    }
    if let Some(wanted) = header.blob_gas_used {
        same("blob gas", done.blob_gas_used, wanted)?;
    }
    if let Some(wanted) = header.requests_hash {
        same("requests", done.requests_hash().unwrap_or_default(), wanted)?;
    }
    same("state root", state_root, header.state_root)
}
