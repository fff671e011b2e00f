//! One sender's transactions: nonces, gaps, replacement, funds.
use alloy_primitives::{Bytes, U256};
use bedroll_core::transaction::UnsignedFee;

use crate::world::{
    add, fields, fill, made, nonces, pool, refusal, reset, transfer, waiting, who, Accounts, FEE,
    GWEI,
};

#[test]
fn a_gap_is_queued_and_pending_once_it_is_filled() {
    let (mut pool, state) = (pool(), Accounts::rich(1));
    fill(&mut pool, &[transfer(0, 2, 1), transfer(0, 1, 1)], &state);
    assert_eq!(pool.count(), (0, 2));
    assert_eq!(pool.next_nonce(&who(0), 0), 0);
    fill(&mut pool, &[transfer(0, 0, 1)], &state);
    assert_eq!(pool.count(), (3, 0));
    assert_eq!(pool.next_nonce(&who(0), 0), 3);
    assert_eq!(nonces(&pool.account(&who(0)).0), [0, 1, 2]);
}

#[test]
fn a_nonce_that_is_used_or_too_far_ahead_is_refused() {
    let (mut pool, mut state) = (pool(), Accounts::rich(1));
    state.0.insert(who(0), (5, U256::from(10u128.pow(24))));
    assert_eq!(
        refusal(&mut pool, &transfer(0, 4, 1), &state),
        "nonce too low: next nonce 5, tx nonce 4"
    );
    fill(&mut pool, &[transfer(0, 21, 1)], &state);
    assert_eq!(
        refusal(&mut pool, &transfer(0, 22, 1), &state),
        "nonce too high: next nonce 5, tx nonce 22, limit 21"
    );
}

#[test]
fn what_waits_already_is_known() {
    let (mut pool, state) = (pool(), Accounts::rich(1));
    fill(&mut pool, &[transfer(0, 0, 1)], &state);
    assert!(refusal(&mut pool, &transfer(0, 0, 1), &state).starts_with("already known"));
}

#[test]
fn a_replacement_pays_a_tenth_more_in_both_fields() {
    let (mut pool, state) = (pool(), Accounts::rich(1));
    let offer = |most: u128, tip: u128| {
        let fee = UnsignedFee::Cap { most, tip };
        made(crate::world::fields_with(0, 0, fee))
    };
    fill(&mut pool, &[offer(100, 55)], &state);
    for (most, tip) in [(109, 61), (110, 60), (1_000, 55), (100, 56)] {
        let told = refusal(&mut pool, &offer(most, tip), &state);
        assert!(
            told.starts_with("replacement transaction underpriced"),
            "{told}"
        );
    }
    // A tenth of 55 is rounded up.
    let gone = add(&mut pool, &offer(110, 61), &state).expect("it is enough");
    assert_eq!(gone, [offer(100, 55).hash]);
    assert_eq!(waiting(&pool), [offer(110, 61).hash]);
}

#[test]
fn a_replacement_is_judged_without_what_it_replaces() {
    let (mut pool, mut state) = (pool(), Accounts::default());
    let cost = |tx: &bedroll_front::Waiting| {
        use alloy_consensus::Transaction as _;
        let fields = tx.envelope().expect("a transaction");
        U256::from(fields.gas_limit()) * U256::from(fields.max_fee_per_gas()) + fields.value()
    };
    let (old, new) = (transfer(0, 0, 10 * GWEI), transfer(0, 0, 50 * GWEI));
    state.0.insert(who(0), (0, cost(&new)));
    fill(&mut pool, std::slice::from_ref(&old), &state);
    assert_eq!(add(&mut pool, &new, &state), Ok(vec![old.hash]));
    // Two at a time would cost more than there is.
    let told = refusal(&mut pool, &transfer(0, 1, 1), &state);
    assert!(
        told.starts_with("insufficient funds for gas * price + value"),
        "{told}"
    );
    assert!(told.contains("queued cost"), "{told}");
}

#[test]
fn who_cannot_pay_is_refused() {
    let (mut pool, mut state) = (pool(), Accounts::default());
    let tx = transfer(0, 0, 0);
    state
        .0
        .insert(who(0), (0, U256::from(21_000u64) * U256::from(100 * GWEI)));
    let told = refusal(&mut pool, &tx, &state);
    assert!(told.contains("overshot 1"), "{told}");
}

#[test]
fn a_sender_has_so_many_and_may_replace_them_still() {
    let (mut pool, state) = (pool(), Accounts::rich(2));
    let all: Vec<_> = (0..16).map(|nonce| transfer(0, nonce, 1)).collect();
    fill(&mut pool, &all, &state);
    let mut small = bedroll_front::Pool::new(
        crate::world::CHAIN_ID,
        bedroll_front::PoolLimit {
            account_count: 16,
            ..crate::world::limit()
        },
    );
    fill(&mut small, &all, &state);
    let told = refusal(&mut small, &transfer(0, 16, 1), &state);
    assert!(told.starts_with("account limit exceeded"), "{told}");
    assert_eq!(
        add(&mut small, &transfer(0, 3, 20 * GWEI), &state).map(|gone| gone.len()),
        Ok(1)
    );
    fill(&mut small, &[transfer(1, 0, 1)], &state);
}

#[test]
fn what_a_transaction_is_alone_is_checked_first() {
    let (mut pool, state) = (pool(), Accounts::rich(1));
    let mut tried = |change: &dyn Fn(&mut bedroll_core::transaction::Unsigned)| {
        let mut given = fields(0, 0, 1);
        change(&mut given);
        refusal(&mut pool, &made(given), &state)
    };
    let told = [
        tried(&|tx| tx.chain_id = 8),
        tried(&|tx| tx.nonce = u64::MAX),
        tried(&|tx| tx.gas_limit = 20_999),
        tried(&|tx| tx.gas_limit = u64::MAX),
        tried(&|tx| tx.fee = UnsignedFee::Cap { most: 10, tip: 11 }),
        tried(&|tx| tx.input = Bytes::from(vec![0; 4_096])),
        tried(&|tx| tx.value = U256::MAX),
    ];
    let wanted = [
        "invalid chain id for signer: have 8 want 7",
        "nonce has max value",
        "intrinsic gas too low: gas 20999, minimum needed 21000",
        "exceeds block gas limit",
        "max priority fee per gas higher than max fee per gas",
        "oversized data: transaction size",
        "insufficient funds",
    ];
    for (told, wanted) in told.iter().zip(wanted) {
        assert!(told.starts_with(wanted), "{told}");
    }
}

#[test]
fn a_reset_drops_what_is_used_and_wakes_what_follows() {
    let (mut pool, mut state) = (pool(), Accounts::rich(2));
    let all = [
        transfer(0, 0, 1),
        transfer(0, 1, 1),
        transfer(0, 3, 1),
        transfer(1, 0, 1),
    ];
    fill(&mut pool, &all, &state);
    state.0.insert(who(0), (3, U256::MAX));
    state.0.insert(who(1), (1, U256::MAX));
    assert_eq!(
        nonces(&reset(&mut pool, &state, Some(vec![who(0)]))),
        [0, 1]
    );
    assert_eq!(pool.count(), (2, 0));
    assert_eq!(nonces(&pool.take_ready(&FEE, u64::MAX, 9)), [3, 0]);
    assert_eq!(nonces(&reset(&mut pool, &state, None)), [0]);
    assert_eq!(waiting(&pool), [transfer(0, 3, 1).hash]);
}

#[test]
fn a_chain_that_went_back_makes_a_gap_again() {
    let (mut pool, mut state) = (pool(), Accounts::rich(1));
    let first = transfer(0, 0, 1);
    fill(&mut pool, &[first.clone(), transfer(0, 1, 1)], &state);
    pool.executed(&first);
    assert_eq!(pool.count(), (1, 0));
    state.0.insert(who(0), (0, U256::from(10u128.pow(24))));
    assert!(reset(&mut pool, &state, None).is_empty());
    assert_eq!(pool.count(), (0, 1));
    pool.settle(&first.hash);
    fill(&mut pool, &[first], &state);
    assert_eq!(pool.count(), (2, 0));
}
