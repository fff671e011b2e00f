//! What goes next.
use bedroll_core::transaction::UnsignedFee;
use bedroll_front::FeeRule;

use crate::world::{
    fields_with, fill, hashes, made, nonces, pool, transfer, who, Accounts, BASE_FEE, FEE,
};

#[test]
fn the_best_tip_goes_first_and_of_equal_ones_the_first_to_arrive() {
    let (mut pool, state) = (pool(), Accounts::rich(4));
    let all = [
        transfer(0, 0, 5),
        transfer(1, 0, 9),
        transfer(2, 0, 5),
        transfer(3, 0, 7),
    ];
    fill(&mut pool, &all, &state);
    let ready = pool.take_ready(&FEE, u64::MAX, 9);
    let senders: Vec<_> = ready.iter().map(|tx| tx.sender).collect();
    assert_eq!(senders, [who(1), who(3), who(0), who(2)]);
}

#[test]
fn a_sender_s_nonces_go_in_order_whatever_they_tip() {
    let (mut pool, state) = (pool(), Accounts::rich(1));
    fill(
        &mut pool,
        &[transfer(0, 1, 99), transfer(0, 0, 1), transfer(0, 3, 9)],
        &state,
    );
    assert_eq!(nonces(&pool.take_ready(&FEE, u64::MAX, 9)), [0, 1]);
}

#[test]
fn what_counts_is_the_tip_that_the_base_fee_leaves() {
    let (mut pool, state) = (pool(), Accounts::rich(2));
    let capped = |sender, most, tip| made(fields_with(sender, 0, UnsignedFee::Cap { most, tip }));
    // Of 50 above a base fee of 10, at most 3 are left.
    fill(&mut pool, &[capped(0, 13, 13), capped(1, 50, 4)], &state);
    let ready = pool.take_ready(&FEE, u64::MAX, 9);
    assert_eq!(
        ready.iter().map(|tx| tx.sender).collect::<Vec<_>>(),
        [who(1), who(0)]
    );
}

#[test]
fn what_does_not_cover_the_base_fee_waits_until_fees_are_looked_at_anew() {
    let (mut pool, state) = (pool(), Accounts::rich(1));
    let poor = made(fields_with(
        0,
        0,
        UnsignedFee::Price(u128::from(BASE_FEE) - 1),
    ));
    fill(&mut pool, &[poor], &state);
    assert!(pool.take_ready(&FEE, u64::MAX, 9).is_empty());
    let cheaper = FeeRule {
        base_fee: BASE_FEE - 1,
        ..FEE
    };
    assert!(
        pool.take_ready(&cheaper, u64::MAX, 9).is_empty(),
        "nobody has said that fees fell"
    );
    pool.refresh();
    assert_eq!(pool.take_ready(&cheaper, u64::MAX, 9).len(), 1);
}

#[test]
fn gas_and_number_bound_what_is_given() {
    let (mut pool, state) = (pool(), Accounts::rich(3));
    let all: Vec<_> = (0..3).map(|sender| transfer(sender, 0, 1)).collect();
    fill(&mut pool, &all, &state);
    assert_eq!(pool.take_ready(&FEE, 62_999, 9).len(), 2);
    assert_eq!(pool.take_ready(&FEE, 63_000, 9).len(), 3);
    assert_eq!(pool.take_ready(&FEE, u64::MAX, 1).len(), 1);
    assert!(pool.take_ready(&FEE, 20_999, 9).is_empty());
    assert_eq!(pool.len(), 3, "giving takes nothing away");
}

#[test]
fn what_was_executed_is_kept_until_its_block_is_durable() {
    let (mut pool, state) = (pool(), Accounts::rich(1));
    let (first, second) = (transfer(0, 0, 1), transfer(0, 1, 1));
    fill(&mut pool, &[first.clone(), second.clone()], &state);
    pool.executed(&first);
    assert!(pool.get(&first.hash).is_none());
    assert!(pool.kept(&first.hash).is_some());
    assert_eq!(
        (pool.kept_bytes(), pool.size_bytes()),
        (first.raw.len(), second.raw.len())
    );
    assert_eq!(hashes(&pool.take_ready(&FEE, u64::MAX, 9)), [second.hash]);
    pool.settle(&first.hash);
    assert!(pool.kept(&first.hash).is_none());
    assert_eq!(pool.kept_bytes(), 0);
}

#[test]
fn behind_what_was_refused_is_a_gap() {
    let (mut pool, state) = (pool(), Accounts::rich(1));
    let first = transfer(0, 0, 1);
    fill(&mut pool, &[first.clone(), transfer(0, 1, 1)], &state);
    pool.refused(&first);
    assert_eq!(pool.count(), (0, 1));
    assert!(pool.take_ready(&FEE, u64::MAX, 9).is_empty());
}

#[test]
fn who_was_told_to_wait_is_not_asked_again_before_things_change() {
    let (mut pool, state) = (pool(), Accounts::rich(2));
    let (first, second) = (transfer(0, 0, 1), transfer(1, 0, 1));
    fill(&mut pool, &[first.clone(), second.clone()], &state);
    pool.wait(&first);
    assert_eq!(hashes(&pool.take_ready(&FEE, u64::MAX, 9)), [second.hash]);
    pool.refresh();
    assert_eq!(pool.take_ready(&FEE, u64::MAX, 9).len(), 2);
}

#[test]
fn senders_are_listed_in_order_from_anywhere() {
    let (mut pool, state) = (pool(), Accounts::rich(5));
    let all: Vec<_> = [3, 0, 4, 1].map(|sender| transfer(sender, 0, 1)).into();
    fill(&mut pool, &all, &state);
    assert_eq!(
        pool.senders_from(&who(0), 9),
        [who(0), who(1), who(3), who(4)]
    );
    assert_eq!(pool.senders_from(&who(1), 2), [who(1), who(3)]);
    assert_eq!(pool.senders_from(&who(2), 1), [who(3)]);
}
