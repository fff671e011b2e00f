//! Slots of an account on their way into its trie, some at a time.
use super::bad;
use crate::key::Key;
use crate::shared::Shared;
use crate::table::Table;
use crate::StoreError;
use alloy_primitives::{keccak256, Address, B256, U256};
use bedroll_core::state::Account;
use bedroll_core::trie::{NodeSource, Path as TriePath, SourceError, Trie};
use heed::RoTxn;
use std::ops::Bound;

/// Nodes of a storage trie that a transaction sees.
struct TxnNodes<'a> {
    shared: &'a Shared,
    txn: &'a RoTxn<'a>,
    owner: B256,
}

impl NodeSource for TxnNodes<'_> {
    fn node(&self, path: &TriePath, _hash: &B256) -> Result<Option<Vec<u8>>, SourceError> {
        let key = Key::node(Some(&self.owner), path);
        let found = self.shared.tables.get(self.txn, key.row())?;
        Ok(found.map(<[u8]>::to_vec))
    }
}

/// An account whose slots are being put into its trie.
#[derive(Debug)]
pub(super) struct Filling {
    pub(super) address: Address,
    pub(super) account: Account,
    pub(super) trie: Trie,
    pub(super) after: Option<[u8; 52]>,
}

/// Puts slots of an account into its trie, at most `budget`; how many, and whether those were all.
pub(super) fn fill(
    shared: &Shared,
    txn: &RoTxn<'_>,
    filling: &mut Filling,
    budget: usize,
) -> Result<(u64, bool), StoreError> {
    let first = Key::slot(&filling.address, &U256::ZERO);
    let last = Key::slot(&filling.address, &U256::MAX);
    let from = match &filling.after {
        Some(key) => Bound::Excluded(&key[..]),
        None => Bound::Included(&first.row()[1..]),
    };
    let range = (from, Bound::Included(&last.row()[1..]));
    let nodes = TxnNodes {
        shared,
        txn,
        owner: keccak256(filling.address),
    };
    let mut count = 0u64;
    let mut newest = None;
    for row in shared.tables.of(Table::Slot).range(txn, &range)? {
        if count as usize == budget {
            filling.after = newest.or(filling.after);
            return Ok((count, false));
        }
        let (key, value) = row?;
        let value = U256::try_from_be_slice(value).filter(|value| !value.is_zero());
        let value = value.ok_or_else(|| bad(format!("a slot of {}", filling.address)))?;
        let slot = keccak256(&key[20..]);
        filling
            .trie
            .insert(&slot, &alloy_rlp::encode(value), &nodes)?;
        newest = <[u8; 52]>::try_from(key).ok();
        count += 1;
    }
    Ok((count, true))
}
