//! Coins that appear at the end of a block: for work and uncles, and withdrawals of validators.
use alloy_consensus::Header;
use alloy_eips::eip4895::Withdrawal;
use alloy_primitives::{Address, U256};
use revm::primitives::hardfork::SpecId;

use crate::state::{State, StateError, StateSource};

const WEI_PER_ETHER: u128 = 1_000_000_000_000_000_000;
const WEI_PER_GWEI: u128 = 1_000_000_000;

/// Pays for work: the block's coinbase, and those of uncles by their age; from the merge on nobody.
///
/// # Errors
/// The state could not be read.
pub fn pay_work<S: StateSource>(
    spec: SpecId,
    header: &Header,
    ommers: &[Header],
    state: &mut State<S>,
) -> Result<(), StateError> {
    let reward = match spec {
        spec if spec.is_enabled_in(SpecId::MERGE) => return Ok(()),
        spec if spec.is_enabled_in(SpecId::PETERSBURG) => 2 * WEI_PER_ETHER,
        spec if spec.is_enabled_in(SpecId::BYZANTIUM) => 3 * WEI_PER_ETHER,
        _ => 5 * WEI_PER_ETHER,
    };
    for ommer in ommers {
        let age = u128::from(header.number.saturating_sub(ommer.number)).min(8);
        pay(&ommer.beneficiary, reward * (8 - age) / 8, state)?;
    }
    let nephew = reward / 32 * ommers.len() as u128;
    pay(&header.beneficiary, reward + nephew, state)
}

/// Pays withdrawals (EIP-4895).
pub(super) fn pay_withdrawals<S: StateSource>(
    withdrawals: &[Withdrawal],
    state: &mut State<S>,
) -> Result<(), StateError> {
    for withdrawal in withdrawals.iter().filter(|one| one.amount > 0) {
        let amount = u128::from(withdrawal.amount) * WEI_PER_GWEI;
        pay(&withdrawal.address, amount, state)?;
    }
    Ok(())
}

fn pay<S: StateSource>(
    to: &Address,
    amount_wei: u128,
    state: &mut State<S>,
) -> Result<(), StateError> {
    let mut account = state.account(to)?.unwrap_or_default();
    account.balance = account.balance.saturating_add(U256::from(amount_wei));
    state.set_account(to, Some(account))
}
