//! A transaction as the EVM takes it.
use alloy_consensus::Transaction as _;
use alloy_eips::eip2930::AccessList;
use alloy_eips::eip7702::{RecoveredAuthority, RecoveredAuthorization, SignedAuthorization};
use alloy_primitives::Address;
use revm::context::either::Either;
use revm::context::TxEnv;
use revm::handler::validation::validate_initial_tx_gas;
use revm::primitives::hardfork::SpecId;

use super::Envelope;

/// Fills in the fields of a signed transaction but its sender.
pub(super) fn fill(env: &mut TxEnv, tx: &Envelope, authorities: &[Option<Address>]) {
    env.tx_type = tx.tx_type() as u8;
    env.gas_limit = tx.gas_limit();
    env.gas_price = tx.max_fee_per_gas();
    env.gas_priority_fee = tx.max_priority_fee_per_gas();
    env.kind = tx.kind();
    env.value = tx.value();
    env.data = tx.input().clone();
    env.nonce = tx.nonce();
    env.chain_id = tx.chain_id();
    if let Some(list) = tx.access_list() {
        env.access_list = AccessList::clone(list);
    }
    if let Some(hashes) = tx.blob_versioned_hashes() {
        env.blob_hashes = hashes.to_vec();
        env.max_fee_per_blob_gas = tx.max_fee_per_blob_gas().unwrap_or_default();
    }
    let grants = tx.authorization_list().unwrap_or_default();
    env.authorization_list = grants
        .iter()
        .zip(authorities)
        .map(|(grant, authority)| Either::Right(recovered(grant, *authority)))
        .collect();
}

/// An authorisation with who made it.
pub(crate) fn recovered(
    grant: &SignedAuthorization,
    authority: Option<Address>,
) -> RecoveredAuthorization {
    RecoveredAuthorization::new_unchecked(
        grant.inner().clone(),
        authority.map_or(RecoveredAuthority::Invalid, RecoveredAuthority::Valid),
    )
}

/// Intrinsic gas, the EIP-7623 floor included.
pub fn intrinsic_gas(mut env: TxEnv) -> u64 {
    env.gas_limit = u64::MAX;
    validate_initial_tx_gas(&env, SpecId::OSAKA, false, false, u64::MAX, None)
        .map_or(u64::MAX, |gas| gas.initial_total_gas().max(gas.floor_gas()))
}
