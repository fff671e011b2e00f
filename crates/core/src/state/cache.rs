//! What of the state is in memory, and letting go of it.
use super::source::{open_trie, StorageNodesOf};
use super::{account, Account, Lookup, State, StateError, StateSource};
use crate::trie::{Trie, EMPTY_ROOT};
use alloc::{boxed::Box, vec::Vec};
use alloy_primitives::{
    keccak256,
    map::{AddressMap, B256Map, U256Map},
    Address, B256, U256,
};

/// An account as far as it was read.
#[derive(Debug)]
pub(super) struct Cached {
    /// Key in the account trie.
    pub(super) key: B256,
    /// Now, in the open block; its storage root is that of the last sealed one.
    pub(super) account: Option<Account>,
    pub(super) slots: U256Map<U256>,
    /// Storage trie as of the last sealed block.
    pub(super) trie: Option<Box<Trie>>,
    pub(super) generation: u32,
    /// The source said that it is in this AddressBook.
    #[cfg(feature = "std")]
    pub(super) listed: Option<Address>,
}

impl Cached {
    pub(super) fn new(key: B256, account: Option<Account>) -> Self {
        Cached {
            key,
            account,
            slots: U256Map::default(),
            trie: None,
            generation: 0,
            #[cfg(feature = "std")]
            listed: None,
        }
    }

    pub(super) fn weight(&self) -> usize {
        1 + self.slots.len() + self.trie.as_ref().map_or(0, |trie| trie.len())
    }

    pub(super) fn slot(
        &mut self,
        address: &Address,
        slot: &U256,
        source: &dyn StateSource,
    ) -> Result<U256, StateError> {
        if let Some(value) = self.slots.get(slot) {
            return Ok(*value);
        }
        let root = self
            .account
            .map_or(EMPTY_ROOT, |account| account.storage_root);
        let value = if root == EMPTY_ROOT {
            U256::ZERO
        } else {
            match source.slot(address, slot)? {
                Lookup::Known(value) => value,
                Lookup::AskTrie => {
                    let nodes = StorageNodesOf(source, self.key);
                    let trie = self
                        .trie
                        .get_or_insert_with(|| Box::new(open_trie(source, Some(&self.key), root)));
                    let key = keccak256(slot.to_be_bytes::<32>());
                    match trie.get(&key, &nodes)? {
                        None => U256::ZERO,
                        Some(rlp) => account::slot_from_rlp(rlp).ok_or(StateError::BadSlot {
                            address: *address,
                            slot: *slot,
                        })?,
                    }
                }
            }
        };
        self.slots.insert(*slot, value);
        Ok(value)
    }
}

impl<S: StateSource> State<S> {
    /// Lets go of what was unused for longest until about `limit` trie nodes and flat values are left in memory.
    ///
    /// The source must have everything that was sealed, and no block may be open.
    pub fn trim(&mut self, limit: usize) {
        if !self.open.is_empty() || self.weight() <= limit {
            return;
        }
        let mut generations: Vec<u32> = self
            .accounts
            .values()
            .map(|cached| cached.generation)
            .collect();
        if !generations.is_empty() {
            let middle = generations.len() / 2;
            let median = *generations.select_nth_unstable(middle).1;
            self.accounts
                .retain(|_, cached| cached.generation >= median);
        }
        self.trie.evict(limit / 2);
        for cached in self.accounts.values_mut() {
            if cached.weight() > limit / 8 {
                cached.slots = U256Map::default();
                if let Some(trie) = &mut cached.trie {
                    trie.evict(limit / 16);
                }
            }
        }
        self.held = self.accounts.values().map(Cached::weight).sum();
        if self.weight() > limit {
            self.accounts = AddressMap::default();
            self.held = 0;
        }
        if self.codes.len() > limit / 64 {
            self.codes = B256Map::default();
        }
    }

    /// Trie nodes and flat values in memory.
    pub fn weight(&self) -> usize {
        self.trie.len() + self.held
    }
}
