//! The end of a block: its changes go into the tries.
use super::source::{open_trie, AccountNodes, StorageNodesOf};
use super::{
    account, Account, AccountChange, FlatChanges, SlotChange, State, StateError, StateSource,
    StorageNodes, WriteSet,
};
use crate::trie::{NodeWrite, Trie, EMPTY_ROOT};
use alloc::{boxed::Box, vec::Vec};
use alloy_primitives::{keccak256, Address, Bytes, B256, U256};
use revm::state::EvmState;

impl<S: StateSource> State<S> {
    /// Applies one journal and seals: for blocks whose transactions share a journal.
    ///
    /// # Errors
    /// As [`State::apply`] and [`State::seal`].
    pub fn commit(&mut self, changes: EvmState) -> Result<(B256, WriteSet), StateError> {
        self.apply(changes)?;
        self.seal()
    }

    /// Flat values that the open block changed so far. Storage roots in them are those of the last sealed block.
    pub fn open_changes(&self) -> FlatChanges {
        let changed = self.changed();
        FlatChanges {
            accounts: self.changed_accounts(&changed),
            slots: self.changed_slots(&changed),
            codes: self.new_codes(),
        }
    }

    /// Accounts that the open block may have changed, in order.
    fn changed(&self) -> Vec<Address> {
        let mut addresses: Vec<&Address> = self.open.keys().collect();
        addresses.sort_unstable();
        addresses.into_iter().copied().collect()
    }

    fn changed_accounts(&self, changed: &[Address]) -> Vec<AccountChange> {
        let changes = changed.iter().filter_map(|address| {
            let before = self.open.get(address)?.account;
            let after = self.accounts.get(address)?.account;
            (before != after).then_some(AccountChange {
                address: *address,
                before,
                after,
            })
        });
        changes.collect()
    }

    fn changed_slots(&self, changed: &[Address]) -> Vec<SlotChange> {
        let mut changes = Vec::new();
        for address in changed {
            let both = self.open.get(address).zip(self.accounts.get(address));
            let Some((old, cached)) = both else {
                continue;
            };
            let mut slots: Vec<(&U256, &U256)> = old.slots.iter().collect();
            slots.sort_unstable();
            for (slot, before) in slots {
                let after = cached.slots.get(slot).copied().unwrap_or(*before);
                if after != *before {
                    changes.push(SlotChange {
                        address: *address,
                        slot: *slot,
                        before: *before,
                        after,
                    });
                }
            }
        }
        changes
    }

    fn new_codes(&self) -> Vec<(B256, Bytes)> {
        let codes = self.open_codes.iter();
        let mut codes: Vec<_> = codes.map(|(hash, code)| (*hash, code.clone())).collect();
        codes.sort_unstable_by_key(|(hash, _)| *hash);
        codes
    }

    /// Ends the open block: gives the root of the state after it and all that it changed.
    ///
    /// # Errors
    /// A trie could not be read. The state is of no use then, until [`State::reset`].
    pub fn seal(&mut self) -> Result<(B256, WriteSet), StateError> {
        let changed = self.changed();
        let slots = self.changed_slots(&changed);
        let mut storage_nodes = Vec::new();
        for of_account in slots.chunk_by(|one, next| one.address == next.address) {
            storage_nodes.push(self.seal_storage(of_account)?);
        }
        // With the new storage roots.
        let accounts = self.changed_accounts(&changed);
        let (root, nodes) = self.seal_accounts(&accounts)?;
        let codes = self.new_codes();
        self.open.clear();
        self.open_codes.clear();
        self.generation += 1;
        self.trie.next_generation();
        let flat = FlatChanges {
            accounts,
            slots,
            codes,
        };
        Ok((
            root,
            WriteSet {
                flat,
                nodes,
                storage_nodes,
            },
        ))
    }

    /// Puts an account's changed slots into its storage trie and the new root into the account.
    fn seal_storage(&mut self, changes: &[SlotChange]) -> Result<StorageNodes, StateError> {
        let address = changes.first().map_or(Address::ZERO, |one| one.address);
        let sealed = self.open.get(&address).and_then(|before| before.account);
        self.load(&address)?;
        let State {
            accounts,
            source,
            held,
            stored,
            ..
        } = self;
        let cached = accounts
            .get_mut(&address)
            .ok_or(StateError::NoAccount { address })?;
        let owner = cached.key;
        let before = cached.weight();
        let nodes = StorageNodesOf(source, owner);
        let root = sealed.map_or(EMPTY_ROOT, |account| account.storage_root);
        let trie = cached
            .trie
            .get_or_insert_with(|| Box::new(open_trie(source, Some(&owner), root)));
        trie.next_generation();
        for wanted in [false, true] {
            let changes = changes.iter();
            for change in changes.filter(|change| change.after.is_zero() == wanted) {
                let key = keccak256(change.slot.to_be_bytes::<32>());
                if wanted {
                    trie.remove(&key, &nodes)?;
                } else {
                    trie.insert(&key, &account::slot_to_rlp(&change.after), &nodes)?;
                }
            }
        }
        let (root, writes) = if *stored {
            trie.commit()
        } else {
            (trie.root(), Vec::new())
        };
        match &mut cached.account {
            Some(account) => account.storage_root = root,
            // Gone with all its slots.
            None if root == EMPTY_ROOT => {}
            None => return Err(StateError::NoAccount { address }),
        }
        *held = (*held + cached.weight()).saturating_sub(before);
        Ok(StorageNodes { owner, writes })
    }

    /// Puts the changed accounts into their trie, here or where the source keeps it.
    // As a function of its own it costs a proved token transfer 1.5 % more cycles.
    #[inline(always)]
    fn seal_accounts(
        &mut self,
        changes: &[AccountChange],
    ) -> Result<(B256, Vec<NodeWrite>), StateError> {
        if let Some(root) = self.source.root_with(&self.root, changes)? {
            self.root = root;
            self.trie = Trie::from_root(root);
            return Ok((root, Vec::new()));
        }
        // Insertions first: a removal then meets fewer siblings that it has to fetch.
        for wanted in [true, false] {
            let changes = changes.iter();
            for change in changes.filter(|change| change.after.is_some() == wanted) {
                self.seal_account(change)?;
            }
        }
        let (root, nodes) = if self.stored {
            self.trie.commit()
        } else {
            (self.trie.root(), Vec::new())
        };
        self.root = root;
        Ok((root, nodes))
    }

    fn seal_account(&mut self, change: &AccountChange) -> Result<(), StateError> {
        let key = self.load(&change.address)?.key;
        let nodes = AccountNodes(&self.source);
        match &change.after {
            Some(account) => self.trie.insert(&key, &Account::to_rlp(account), &nodes)?,
            None => {
                self.trie.remove(&key, &nodes)?;
            }
        }
        Ok(())
    }
}
