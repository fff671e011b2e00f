//! What follows from a block's fork: rules, members of the header, the price of blobs.
//!
//! A chain of Ethereum's own has a schedule; this chain's rules are Osaka's from block 0 on, without blobs.
use std::sync::Arc;

use alloy_consensus::constants::EMPTY_WITHDRAWALS;
use alloy_consensus::Header;
use alloy_eips::eip1559::INITIAL_BASE_FEE;
use alloy_eips::eip4844::DATA_GAS_PER_BLOB;
use alloy_eips::eip7594::MAX_BLOBS_PER_TX_FUSAKA;
use alloy_eips::eip7685::EMPTY_REQUESTS_HASH;
use alloy_eips::eip7840::{BlobParams, BLOB_BASE_COST};
use alloy_primitives::{B256, U256};
use bedroll_core::ethereum::{BlobLimits, Fault, Fork, Schedule};
use bedroll_core::profile::{Profile, Rules};
use bedroll_core::stf;
use revm::primitives::eip7825::TX_GAS_LIMIT_CAP;
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

/// What a transaction with blobs must be to stand in a block of a fork.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlobRule {
    /// Blobs of one transaction.
    pub blobs_max: u64,
    /// Whether a proof is needed of every cell of a blob (EIP-7594) in place of one of the blob.
    pub has_cell_proofs: bool,
    /// Gas that it may ask for.
    pub gas_max: u64,
}

impl BlobRule {
    /// Of a fork, in blocks with this gas limit; None where it knows no blobs.
    pub(super) fn of(fork: &Fork, gas_limit: u64) -> Option<Self> {
        let limits = fork.blobs?;
        let osaka = fork.spec.is_enabled_in(SpecId::OSAKA);
        Some(Self {
            blobs_max: match osaka {
                true => limits.max.min(MAX_BLOBS_PER_TX_FUSAKA),
                false => limits.max,
            },
            has_cell_proofs: osaka,
            gas_max: match osaka {
                true => gas_limit.min(TX_GAS_LIMIT_CAP),
                false => gas_limit,
            },
        })
    }
}

/// What blobs cost in a block.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BlobFees {
    /// Wei a blob gas.
    pub price: u128,
    /// The same in the block after it, unless another fork begins there.
    pub next_price: u128,
    /// How much of the room for blobs is used, from 0 to 1.
    pub used_ratio: f64,
}

impl BlobFees {
    /// Of the block with this header; None where there are no blobs.
    pub(super) fn of(fork: &Fork, header: &Header) -> Option<Self> {
        let limits = params(&fork.blobs?);
        let used = header.blob_gas_used.unwrap_or_default();
        let room = limits.max_blob_gas_per_block();
        Some(Self {
            price: blob_base_fee(fork, header)?,
            next_price: limits.calc_blob_fee(next_excess(fork, header)),
            used_ratio: match room {
                0 => 0.0,
                room => used as f64 / room as f64,
            },
        })
    }
}

/// Wei a blob gas in the block with this header; None where there are no blobs.
pub(super) fn blob_base_fee(fork: &Fork, header: &Header) -> Option<u128> {
    let limits = fork.blobs?;
    Some(params(&limits).calc_blob_fee(header.excess_blob_gas?))
}

/// Blob gas of one block.
pub(super) fn blob_room(fork: &Fork) -> u64 {
    fork.blobs
        .map_or(0, |limits| params(&limits).max_blob_gas_per_block())
}

/// Holds what a header says of blobs against its parent's and its fork.
///
/// # Errors
/// What differs.
pub(super) fn check_blobs(fork: &Fork, parent: &Header, header: &Header) -> Result<(), Fault> {
    let rule = |text: String| Err(Fault::Rule(text));
    let since = fork.spec.is_enabled_in(SpecId::CANCUN);
    let (Some(used), Some(excess)) = (header.blob_gas_used, header.excess_blob_gas) else {
        return match since {
            true => rule("a header from Cancun on says what its blobs use".into()),
            false => Ok(()),
        };
    };
    if !since {
        return rule("blobs in a block before Cancun".into());
    }
    let (room, wanted) = (blob_room(fork), next_excess(fork, parent));
    if used > room || used % DATA_GAS_PER_BLOB != 0 {
        return rule(format!(
            "blob gas {used} is no count of blobs, or above {room}"
        ));
    }
    if excess != wanted {
        return rule(format!("excess blob gas {excess} is not {wanted}"));
    }
    Ok(())
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
    fn the_price_after_a_block_follows_from_its_excess_and_its_blobs() {
        let of = |excess, used| BlobFees::of(&fork(SpecId::PRAGUE), &parent(excess, used, 1));
        let full = of(5_007_716 - 3 * BLOB_GAS, 9 * BLOB_GAS).unwrap();
        assert_eq!((full.price, full.next_price, full.used_ratio), (2, 2, 1.0));
        let dear = of(20 * 5_007_716, 3 * BLOB_GAS).unwrap();
        assert_eq!(dear.price, 485_165_195);
        assert!(dear.next_price < dear.price && dear.used_ratio == 1.0 / 3.0);
        let bare = Fork {
            spec: SpecId::SHANGHAI,
            blobs: None,
        };
        assert_eq!(BlobFees::of(&bare, &parent(0, 0, 1)), None);
    }

    #[test]
    fn a_transaction_has_as_many_blobs_as_its_fork_lets_it() {
        let of = |spec| BlobRule::of(&fork(spec), 36_000_000);
        let prague = BlobRule {
            blobs_max: 9,
            has_cell_proofs: false,
            gas_max: 36_000_000,
        };
        assert_eq!(of(SpecId::PRAGUE), Some(prague));
        let osaka = BlobRule {
            blobs_max: 6,
            has_cell_proofs: true,
            gas_max: 1 << 24,
        };
        assert_eq!(of(SpecId::OSAKA), Some(osaka));
    }

    #[test]
    fn a_header_says_of_blobs_what_follows_from_its_parent() {
        let osaka = fork(SpecId::OSAKA);
        let upon = parent(20 * BLOB_GAS, 9 * BLOB_GAS, 1);
        let good = Header {
            excess_blob_gas: Some(23 * BLOB_GAS),
            blob_gas_used: Some(2 * BLOB_GAS),
            ..Header::default()
        };
        assert!(check_blobs(&osaka, &upon, &good).is_ok());
        let without = Header::default();
        for bad in [
            Header {
                excess_blob_gas: Some(23 * BLOB_GAS + 1),
                ..good.clone()
            },
            Header {
                blob_gas_used: Some(10 * BLOB_GAS),
                ..good.clone()
            },
            Header {
                blob_gas_used: Some(BLOB_GAS - 1),
                ..good.clone()
            },
            without.clone(),
        ] {
            assert!(check_blobs(&osaka, &upon, &bad).is_err(), "{bad:?}");
        }
        let shanghai = Fork {
            spec: SpecId::SHANGHAI,
            blobs: None,
        };
        assert!(check_blobs(&shanghai, &upon, &without).is_ok());
        assert!(check_blobs(&shanghai, &upon, &good).is_err());
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
