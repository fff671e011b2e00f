//! A full pool: who goes, who is not let in.
use bedroll_front::{Pool, PoolLimit};

use crate::world::{add, fill, nonces, refusal, transfer, who, Accounts, CHAIN_ID};

/// Room for ten; a hundredth of that is nothing more.
fn small() -> Pool {
    let limit = PoolLimit {
        count: 10,
        ..crate::world::limit()
    };
    Pool::new(CHAIN_ID, limit)
}

#[test]
fn the_lowest_tip_makes_room_and_no_gap_is_opened() {
    let (mut pool, state) = (small(), Accounts::rich(12));
    let mut all: Vec<_> = (0..8).map(|sender| transfer(sender, 0, 50)).collect();
    all.extend([transfer(8, 0, 1), transfer(8, 1, 2)]);
    fill(&mut pool, &all, &state);
    // The lowest tip is nonce 0's, but behind it is another: the highest nonce goes.
    let gone = add(&mut pool, &transfer(9, 0, 60), &state).expect("it pays more");
    assert_eq!(gone, [transfer(8, 1, 2).hash]);
    assert_eq!(nonces(&pool.account(&who(8)).0), [0]);
    assert_eq!(pool.len(), 10);
}

#[test]
fn who_pays_no_more_than_the_lowest_is_not_let_in() {
    let (mut pool, state) = (small(), Accounts::rich(12));
    let all: Vec<_> = (0..10).map(|sender| transfer(sender, 0, 5)).collect();
    fill(&mut pool, &all, &state);
    for tip in [5, 4, 5] {
        let told = refusal(&mut pool, &transfer(10, 0, tip), &state);
        assert!(told.starts_with("transaction underpriced"), "{told}");
    }
    assert_eq!(
        add(&mut pool, &transfer(10, 0, 6), &state).map(|gone| gone.len()),
        Ok(1)
    );
}

#[test]
fn nobody_makes_room_for_himself() {
    let (mut pool, state) = (small(), Accounts::rich(1));
    let all: Vec<_> = (0..10).map(|nonce| transfer(0, nonce, 1)).collect();
    fill(&mut pool, &all, &state);
    let told = refusal(&mut pool, &transfer(0, 10, 99), &state);
    assert!(told.starts_with("transaction underpriced"), "{told}");
}

#[test]
fn the_last_to_arrive_of_equal_ones_goes() {
    let (mut pool, state) = (small(), Accounts::rich(12));
    let all: Vec<_> = (0..10).map(|sender| transfer(sender, 0, 5)).collect();
    fill(&mut pool, &all, &state);
    assert_eq!(
        add(&mut pool, &transfer(10, 0, 9), &state),
        Ok(vec![transfer(9, 0, 5).hash])
    );
}

#[test]
fn once_something_has_left_a_low_tip_may_come_in() {
    let (mut pool, state) = (small(), Accounts::rich(12));
    let all: Vec<_> = (0..10).map(|sender| transfer(sender, 0, 5)).collect();
    fill(&mut pool, &all, &state);
    refusal(&mut pool, &transfer(10, 0, 1), &state);
    pool.refused(&all[0]);
    fill(&mut pool, &[transfer(10, 0, 1)], &state);
}

#[test]
fn bytes_count_as_numbers_do() {
    let state = Accounts::rich(12);
    let size = transfer(0, 0, 5).raw.len();
    let limit = PoolLimit {
        size_bytes: 3 * size,
        ..crate::world::limit()
    };
    let mut pool = Pool::new(CHAIN_ID, limit);
    let all: Vec<_> = (0..3).map(|sender| transfer(sender, 0, 5)).collect();
    fill(&mut pool, &all, &state);
    let gone = add(&mut pool, &transfer(3, 0, 6), &state).expect("it pays more");
    // A hundredth of three small transactions is a few bytes more than one.
    assert!((1..=2).contains(&gone.len()), "{}", gone.len());
    assert!(pool.size_bytes() <= 3 * size);
}
