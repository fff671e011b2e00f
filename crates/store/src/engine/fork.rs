//! What follows from a block's fork: rules, members of the header, the price of blobs.
//!
//! A chain of Ethereum's own has a schedule; this chain's rules are Osaka's from block 0 on, without blobs.
use std::sync::Arc;

use alloy_consensus::constants::EMPTY_WITHDRAWALS;
use alloy_consensus::Header;
use alloy_eips::eip1559::INITIAL_BASE_FEE;
use alloy_eips::eip7685::EMPTY_REQUESTS_HASH;
use alloy_eips::eip7840::{BlobParams, BLOB_BASE_COST};
use alloy_primitives::{B256, U256};
use bedroll_core::ethereum::{BlobLimits, Fork, Schedule};
use bedroll_core::profile::{Profile, Rules};
use bedroll_core::stf;
use revm::primitives::hardfork::SpecId;

/// The rules of the block at this height and time.
pub(super) fn rules_at(
    rules: &Arc<Rules>,
    schedule: Option<&Schedule>,
    number: u64,
    timestamp: u64,
) -> Arc<Rules> {
    let Some(schedule) = schedule else {
        return rules.clone();
    };
    Arc::new(Rules {
        profile: Profile::Ethereum(schedule.at(number, timestamp).spec),
        ..(**rules).clone()
    })
}

/// The fork of the block at this height and time.
pub(super) fn fork_at(
    rules: &Rules,
    schedule: Option<&Schedule>,
    number: u64,
    timestamp: u64,
) -> Fork {
    match schedule {
        Some(schedule) => schedule.at(number, timestamp),
        None => Fork {
            spec: rules.spec(),
            blobs: None,
        },
    }
}

/// A header upon `parent` with the members that its fork gives it, as they are of a block without transactions; the base
/// fee is left open.
pub(super) fn begin_header(fork: &Fork, parent: &Header, number: u64, timestamp: u64) -> Header {
    let since = |spec| fork.spec.is_enabled_in(spec);
    Header {
        number,
        timestamp,
        gas_limit: parent.gas_limit,
        difficulty: match since(SpecId::MERGE) {
            true => U256::ZERO,
            false => parent.difficulty,
        },
        withdrawals_root: since(SpecId::SHANGHAI).then_some(EMPTY_WITHDRAWALS),
        blob_gas_used: since(SpecId::CANCUN).then_some(0),
        excess_blob_gas: since(SpecId::CANCUN).then(|| next_excess(fork, parent)),
        parent_beacon_block_root: since(SpecId::CANCUN).then_some(B256::ZERO),
        requests_hash: since(SpecId::PRAGUE).then_some(EMPTY_REQUESTS_HASH),
        ..Header::default()
    }
}

/// Base fee of the block upon `parent`, if its origin has this rate; 0 before London.
pub(super) fn next_base_fee(fork: &Fork, rules: &Rules, parent: &Header, l1_rate: u128) -> u64 {
    match (
        fork.spec.is_enabled_in(SpecId::LONDON),
        parent.base_fee_per_gas,
    ) {
        (false, _) => 0,
        (true, None) => INITIAL_BASE_FEE,
        (true, Some(_)) => stf::next_base_fee(rules, parent, l1_rate),
    }
}

/// Blob gas beyond the target that weighs on the price of a block's blobs (EIP-4844, EIP-7918).
fn next_excess(fork: &Fork, parent: &Header) -> u64 {
    let (Some(limits), Some(excess)) = (fork.blobs, parent.excess_blob_gas) else {
        return 0;
    };
    let cost = match fork.spec.is_enabled_in(SpecId::OSAKA) {
        true => BLOB_BASE_COST,
        false => 0,
    };
    params(&limits)
        .with_blob_base_cost(cost)
        .next_block_excess_blob_gas_osaka(
            excess,
            parent.blob_gas_used.unwrap_or_default(),
            parent.base_fee_per_gas.unwrap_or_default(),
        )
}

/// Wei a blob gas in the block with this header; None where there are no blobs.
pub(super) fn blob_base_fee(fork: &Fork, header: &Header) -> Option<u128> {
    let limits = fork.blobs?;
    Some(params(&limits).calc_blob_fee(header.excess_blob_gas?))
}

fn params(limits: &BlobLimits) -> BlobParams {
    BlobParams {
        target_blob_count: limits.target,
        max_blob_count: limits.max,
        update_fraction: u128::from(limits.update_fraction),
        max_blobs_per_tx: limits.max,
        ..BlobParams::cancun()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLOB_GAS: u64 = 1 << 17;

    fn fork(spec: SpecId) -> Fork {
        Fork {
            spec,
            blobs: Some(BlobLimits {
                target: 6,
                max: 9,
                update_fraction: 5_007_716,
            }),
        }
    }

    fn parent(excess: u64, used: u64, base_fee: u64) -> Header {
        Header {
            difficulty: U256::from(7),
            base_fee_per_gas: Some(base_fee),
            excess_blob_gas: Some(excess),
            blob_gas_used: Some(used),
            ..Header::default()
        }
    }

    #[test]
    fn a_header_has_what_its_fork_knows() {
        let upon = Header {
            difficulty: U256::from(7),
            ..Header::default()
        };
        let begun = |spec| {
            let bare = Fork { spec, blobs: None };
            begin_header(&bare, &upon, 1, 2)
        };
        let old = begun(SpecId::LONDON);
        assert_eq!(old.difficulty, U256::from(7));
        assert_eq!((old.withdrawals_root, old.blob_gas_used), (None, None));
        let merged = begun(SpecId::SHANGHAI);
        assert_eq!(merged.difficulty, U256::ZERO);
        assert_eq!(merged.withdrawals_root, Some(EMPTY_WITHDRAWALS));
        assert_eq!(merged.parent_beacon_block_root, None);
        let cancun = begun(SpecId::CANCUN);
        assert_eq!(
            (cancun.excess_blob_gas, cancun.requests_hash),
            (Some(0), None)
        );
        assert_eq!(
            begun(SpecId::PRAGUE).requests_hash,
            Some(EMPTY_REQUESTS_HASH)
        );
    }

    #[test]
    fn excess_grows_by_what_is_above_the_target() {
        let of = |spec, upon: &Header| begin_header(&fork(spec), upon, 1, 2).excess_blob_gas;
        let full = parent(BLOB_GAS, 9 * BLOB_GAS, 1);
        assert_eq!(of(SpecId::PRAGUE, &full), Some(4 * BLOB_GAS));
        assert_eq!(of(SpecId::PRAGUE, &parent(0, 6 * BLOB_GAS, 1)), Some(0));
        // EIP-7918: where execution is dear, excess does not fall below what its third adds.
        let dear = parent(BLOB_GAS, 9 * BLOB_GAS, 1_000_000_000);
        assert_eq!(of(SpecId::PRAGUE, &dear), Some(4 * BLOB_GAS));
        assert_eq!(of(SpecId::OSAKA, &dear), Some(4 * BLOB_GAS));
        let idle = parent(20 * BLOB_GAS, 0, 1_000_000_000);
        assert_eq!(of(SpecId::PRAGUE, &idle), Some(14 * BLOB_GAS));
        assert_eq!(of(SpecId::OSAKA, &idle), Some(20 * BLOB_GAS));
    }

    #[test]
    fn blobs_cost_by_their_excess_where_there_are_any() {
        let price = |excess| blob_base_fee(&fork(SpecId::PRAGUE), &parent(excess, 0, 1));
        assert_eq!(price(0), Some(1));
        assert_eq!(price(5_007_716), Some(2));
        let none = Fork {
            spec: SpecId::OSAKA,
            blobs: None,
        };
        assert_eq!(blob_base_fee(&none, &parent(0, 0, 1)), None);
    }
}
