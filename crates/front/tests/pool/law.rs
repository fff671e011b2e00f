//! Whatever is done to a pool, these hold.
use alloy_consensus::Transaction as _;
use alloy_primitives::U256;
use bedroll_core::transaction::UnsignedFee;
use bedroll_front::{FeeRule, Pool, PoolLimit, Waiting};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed};

use crate::world::{
    add, fields_with, hashes, made, nonce, nonces, reset, waiting, who, Accounts, BASE_FEE,
    CHAIN_ID, FEE, GWEI,
};

const SENDERS: u8 = 5;
const COUNT: usize = 24;
const ACCOUNT_COUNT: usize = 8;

#[derive(Debug, Clone)]
enum Act {
    Add {
        sender: u8,
        nonce: u64,
        most: u128,
        tip: u128,
    },
    /// What is ready runs: each is executed, refused or told to wait.
    Run {
        gas: u64,
        limit: usize,
        fates: Vec<u8>,
    },
    Refresh {
        base_fee: u64,
    },
    Settle,
    /// The chain went another way: somebody has this next nonce.
    Reset {
        sender: u8,
        nonce: u64,
    },
}

fn act() -> impl Strategy<Value = Act> {
    let add = (0..SENDERS, 0..9u64, 5..40u128, 0..30u128);
    let run = (0..200_000u64, 0..6usize, prop::collection::vec(0..8u8, 6));
    prop_oneof![
        8 => add.prop_map(|(sender, nonce, most, tip)| Act::Add { sender, nonce, most, tip }),
        3 => run.prop_map(|(gas, limit, fates)| Act::Run { gas, limit, fates }),
        1 => (5..30u64).prop_map(|base_fee| Act::Refresh { base_fee }),
        1 => Just(Act::Settle),
        1 => (0..SENDERS, 0..9u64).prop_map(|(sender, nonce)| Act::Reset { sender, nonce }),
    ]
}

fn config() -> Config {
    Config {
        cases: 200,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(20_260_118),
        ..Config::default()
    }
}

/// Everything that must be true of a pool at any time.
fn check(pool: &Pool, limit: &PoolLimit) {
    let all = pool.transactions();
    assert_eq!(all.len(), pool.len());
    assert!(all.len() <= limit.count);
    let bytes: usize = all.iter().map(|tx| tx.raw.len()).sum();
    assert_eq!(bytes, pool.size_bytes());
    let (mut pending, mut queued) = (0, 0);
    for sender in pool.senders_from(&Default::default(), usize::MAX) {
        let (run, rest) = pool.account(&sender);
        assert!(run.len() + rest.len() <= limit.account_count);
        let row = nonces(&run);
        assert!(row.windows(2).all(|pair| pair[1] == pair[0] + 1), "{row:?}");
        if let (Some(last), Some(next)) = (row.last(), nonces(&rest).first()) {
            assert!(*next > last + 1, "{next} follows {last}");
        }
        for tx in run.iter().chain(&rest) {
            assert_eq!(tx.sender, sender);
            assert!(pool.get(&tx.hash).is_some());
        }
        (pending, queued) = (pending + run.len(), queued + rest.len());
    }
    assert_eq!((pending, queued), pool.count());
    assert_eq!(pending + queued, all.len());
    let kept: usize = pool.all_kept().map(|tx| tx.raw.len()).sum();
    assert_eq!(kept, pool.kept_bytes());
}

/// What must be true of what is ready.
fn check_ready(pool: &Pool, ready: &[Waiting], fee: &FeeRule, gas: u64, limit: usize) {
    assert!(ready.len() <= limit);
    let used: u64 = ready.iter().map(|tx| fee.evm_gas(tx)).sum();
    assert!(used <= gas);
    assert!(ready.iter().all(|tx| fee.is_executable(tx)));
    let mut heads: Vec<i128> = vec![];
    let mut at = 0;
    while at < ready.len() {
        let sender = ready[at].sender;
        let row: Vec<_> = ready[at..]
            .iter()
            .take_while(|tx| tx.sender == sender)
            .collect();
        let (run, _) = pool.account(&sender);
        assert!(row
            .iter()
            .zip(&run)
            .all(|(ours, wanted)| ours.hash == wanted.hash));
        assert!(!ready[at + row.len()..].iter().any(|tx| tx.sender == sender));
        heads.push(fee.tip(row[0]));
        at += row.len();
    }
    assert!(heads.windows(2).all(|pair| pair[0] >= pair[1]), "{heads:?}");
}

fn small() -> PoolLimit {
    PoolLimit {
        count: COUNT,
        account_count: ACCOUNT_COUNT,
        ..crate::world::limit()
    }
}

/// Sender and nonce, many of them.
type Places = Vec<(u8, u64)>;

/// The same places, in two orders.
fn in_two_orders() -> impl Strategy<Value = (Places, Places)> {
    prop::collection::btree_set((0..SENDERS, 0..6u64), 1..20).prop_flat_map(|rows| {
        let rows: Vec<_> = rows.into_iter().collect();
        (Just(rows.clone()), Just(rows).prop_shuffle())
    })
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_pool_keeps_its_order_and_its_bounds(acts in prop::collection::vec(act(), 1..80)) {
        let (limit, mut state) = (small(), Accounts::rich(SENDERS));
        let mut pool = Pool::new(CHAIN_ID, limit.clone());
        let mut fee = FEE;
        for act in acts {
            match act {
                Act::Add { sender, nonce, most, tip } => {
                    let fees = UnsignedFee::Cap { most: most.max(tip), tip };
                    let tx = made(fields_with(sender, nonce, fees));
                    let before = waiting(&pool);
                    match add(&mut pool, &tx, &state) {
                        Ok(gone) => {
                            prop_assert!(pool.get(&tx.hash).is_some());
                            prop_assert_eq!(pool.len() + gone.len(), before.len() + 1);
                            prop_assert!(gone.iter().all(|each| before.contains(each)));
                        }
                        Err(_) => prop_assert_eq!(waiting(&pool), before),
                    }
                }
                Act::Run { gas, limit, fates } => {
                    let ready = pool.take_ready(&fee, gas, limit);
                    check_ready(&pool, &ready, &fee, gas, limit);
                    let mut stopped = vec![];
                    for (tx, fate) in ready.iter().zip(fates) {
                        // Behind what did not run, the engine refuses its sender's others; here they just stay.
                        if stopped.contains(&tx.sender) {
                            continue;
                        }
                        match fate {
                            0 => pool.refused(tx),
                            1 => pool.wait(tx),
                            _ => {
                                pool.executed(tx);
                                state.0.insert(tx.sender, (nonce(tx) + 1, U256::from(10u128.pow(24))));
                                continue;
                            }
                        }
                        stopped.push(tx.sender);
                    }
                }
                Act::Refresh { base_fee } => {
                    fee.base_fee = base_fee;
                    pool.refresh();
                }
                Act::Settle => {
                    let kept: Vec<_> = pool.all_kept().map(|tx| tx.hash).collect();
                    kept.iter().for_each(|hash| pool.settle(hash));
                    prop_assert_eq!(pool.kept_bytes(), 0);
                }
                Act::Reset { sender, nonce: next } => {
                    state.0.insert(who(sender), (next, U256::from(10u128.pow(24))));
                    let dropped = reset(&mut pool, &state, None);
                    prop_assert!(dropped.iter().all(|tx| nonce(tx) < state.0[&tx.sender].0));
                    let left = pool.transactions();
                    prop_assert!(left.iter().all(|tx| nonce(tx) >= state.0[&tx.sender].0));
                }
            }
            check(&pool, &limit);
        }
    }

    #[test]
    fn all_that_waits_of_a_sender_can_be_paid_at_once(
        offers in prop::collection::vec((0..9u64, 1..50u128, 1..50u128), 1..40),
        balance in 0..60u128,
    ) {
        let mut state = Accounts::default();
        let balance = U256::from(balance) * U256::from(GWEI) * U256::from(21_000);
        state.0.insert(who(0), (0, balance));
        let mut pool = Pool::new(CHAIN_ID, small());
        for (nonce, most, tip) in offers {
            let fees = UnsignedFee::Cap { most: most.max(tip) * GWEI, tip: tip * GWEI };
            let _ = add(&mut pool, &made(fields_with(0, nonce, fees)), &state);
            let sum = pool.transactions().iter().filter_map(|tx| tx.envelope().cloned()).fold(
                U256::ZERO,
                |sum, tx| sum + U256::from(tx.gas_limit()) * U256::from(tx.max_fee_per_gas()) + tx.value(),
            );
            prop_assert!(sum <= balance);
        }
    }

    #[test]
    fn the_order_of_arrival_does_not_change_what_is_pending(
        rows in in_two_orders(),
    ) {
        let state = Accounts::rich(SENDERS);
        let (one, other) = rows;
        let filled = |row: &[(u8, u64)]| {
            let mut pool = Pool::new(CHAIN_ID, small());
            for (sender, nonce) in row {
                let fees = UnsignedFee::Cap { most: 100 * GWEI, tip: u128::from(BASE_FEE) };
                let _ = add(&mut pool, &made(fields_with(*sender, *nonce, fees)), &state);
            }
            (0..SENDERS).map(|sender| {
                    let (run, rest) = pool.account(&who(sender));
                    (hashes(&run), hashes(&rest))
                }).collect::<Vec<_>>()
        };
        prop_assert_eq!(filled(&one), filled(&other));
    }
}
