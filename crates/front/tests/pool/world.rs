//! Accounts that are given, and transactions of theirs that nobody signed.
use std::convert::Infallible;
use std::sync::Arc;

use alloy_primitives::map::HashMap;
use alloy_primitives::{Address, Bytes, B256, U256};
use bedroll_core::transaction::{Transaction, Unsigned, UnsignedFee};
use bedroll_front::{AccountState, FeeRule, Pool, PoolLimit, Refusal, Waiting};

pub const CHAIN_ID: u64 = 7;
pub const GWEI: u128 = 1_000_000_000;
pub const BASE_FEE: u64 = 10;
/// Of the open block; data costs nothing.
pub const FEE: FeeRule = FeeRule {
    base_fee: BASE_FEE,
    l1_rate: 0,
    transfer_bytes: 110,
};

/// Nonces and balances; who is not named has nothing.
#[derive(Debug, Clone, Default)]
pub struct Accounts(pub HashMap<Address, (u64, U256)>);

impl AccountState for Accounts {
    type Error = Infallible;

    fn nonce(&self, address: &Address) -> Result<u64, Infallible> {
        Ok(self.0.get(address).map_or(0, |found| found.0))
    }

    fn balance(&self, address: &Address) -> Result<U256, Infallible> {
        Ok(self.0.get(address).map_or(U256::ZERO, |found| found.1))
    }
}

impl Accounts {
    /// So many rich ones.
    pub fn rich(count: u8) -> Self {
        let each = |number| (who(number), (0, U256::from(10u128.pow(24))));
        Self((0..count).map(each).collect())
    }
}

pub fn who(number: u8) -> Address {
    Address::repeat_byte(number + 1)
}

/// A transfer's fields, to be changed.
pub fn fields(sender: u8, nonce: u64, tip: u128) -> Unsigned {
    Unsigned {
        chain_id: CHAIN_ID,
        sender: who(sender),
        nonce,
        gas_limit: 21_000,
        to: Some(Address::repeat_byte(0xee)),
        // The hash of what nobody signed does not know the sender.
        value: U256::from(1 + u64::from(sender)),
        input: Bytes::new(),
        access_list: Default::default(),
        authorizations: vec![],
        fee: UnsignedFee::Cap {
            most: 100 * GWEI + tip,
            tip,
        },
    }
}

pub fn made(fields: Unsigned) -> Waiting {
    Arc::new(Transaction::unsigned(fields))
}

pub fn transfer(sender: u8, nonce: u64, tip: u128) -> Waiting {
    made(fields(sender, nonce, tip))
}

pub fn limit() -> PoolLimit {
    PoolLimit {
        size_bytes: 1 << 20,
        count: 1_000,
        account_count: 64,
        nonce_gap: 16,
        transaction_bytes: 4_096,
        tip_min: 0,
    }
}

pub fn pool() -> Pool {
    Pool::new(CHAIN_ID, limit())
}

/// What it replaced or evicted.
pub fn add(pool: &mut Pool, tx: &Waiting, state: &Accounts) -> Result<Vec<B256>, Refusal> {
    let Ok(answer) = pool.add(tx.clone(), state, &FEE);
    answer.map(|gone| hashes(&gone))
}

pub fn hashes<'a>(row: impl IntoIterator<Item = &'a Waiting>) -> Vec<B256> {
    row.into_iter().map(|tx| tx.hash).collect()
}

/// All that waits, in the order of arrival.
pub fn waiting(pool: &Pool) -> Vec<B256> {
    hashes(&pool.transactions())
}

/// Adds what must be taken, and displace nothing.
pub fn fill(pool: &mut Pool, all: &[Waiting], state: &Accounts) {
    for tx in all {
        assert_eq!(add(pool, tx, state).map(|gone| gone.len()), Ok(0));
    }
}

pub fn reset(pool: &mut Pool, state: &Accounts, senders: Option<Vec<Address>>) -> Vec<Waiting> {
    let Ok(dropped) = pool.reset(state, senders);
    dropped
}

/// The words of a refusal.
pub fn refusal(pool: &mut Pool, tx: &Waiting, state: &Accounts) -> String {
    let before = waiting(pool);
    let told = add(pool, tx, state).expect_err("it is refused").to_string();
    assert_eq!(waiting(pool), before, "a refusal changes nothing");
    told
}

pub fn nonce(tx: &Transaction) -> u64 {
    use alloy_consensus::Transaction as _;
    tx.envelope().map_or(0, |fields| fields.nonce())
}

pub fn nonces(row: &[Waiting]) -> Vec<u64> {
    row.iter().map(|tx| nonce(tx)).collect()
}

/// A transfer with these fees.
pub fn fields_with(sender: u8, nonce: u64, fee: UnsignedFee) -> Unsigned {
    Unsigned {
        fee,
        ..fields(sender, nonce, 0)
    }
}
