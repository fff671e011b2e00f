//! The end of a block: its changes go into the tries.
use super::source::{AccountNodes, StorageNodesOf};
use super::{
    account, Account, AccountChange, FlatChanges, SlotChange, State, StateError, StateSource,
    StorageNodes, WriteSet,
};
use crate::trie::{Trie, EMPTY_ROOT};
use alloc::{boxed::Box, vec::Vec};
use alloy_primitives::{keccak256, Address, B256};
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
        let mut changes = FlatChanges::default();
        for (address, before) in &self.open {
            let Some(cached) = self.accounts.get(address) else {
                continue;
            };
            if before.account != cached.account {
                changes.accounts.push(AccountChange {
                    address: *address,
                    before: before.account,
                    after: cached.account,
                });
            }
            for (slot, before) in &before.slots {
                let after = cached.slots.get(slot).copied().unwrap_or(*before);
                if after != *before {
                    changes.slots.push(SlotChange {
                        address: *address,
                        slot: *slot,
                        before: *before,
                        after,
                    });
                }
            }
        }
        let codes = self.open_codes.iter();
        changes.codes = codes.map(|(hash, code)| (*hash, code.clone())).collect();
        changes
            .accounts
            .sort_unstable_by_key(|change| change.address);
        changes
            .slots
            .sort_unstable_by_key(|change| (change.address, change.slot));
        changes.codes.sort_unstable_by_key(|(hash, _)| *hash);
        changes
    }

    /// Ends the open block: gives the root of the state after it and all that it changed.
    ///
    /// # Errors
    /// A trie could not be read. The state is of no use then, until [`State::reset`].
    pub fn seal(&mut self) -> Result<(B256, WriteSet), StateError> {
        let mut flat = self.open_changes();
        let mut storage_nodes = Vec::new();
        for of_account in flat.slots.chunk_by(|one, next| one.address == next.address) {
            storage_nodes.push(self.seal_storage(of_account)?);
        }
        self.seal_roots(&mut flat);
        // Insertions first: a removal then meets fewer siblings that it has to fetch.
        for wanted in [true, false] {
            let changes = flat.accounts.iter();
            for change in changes.filter(|change| change.after.is_some() == wanted) {
                self.seal_account(change)?;
            }
        }
        let (root, nodes) = self.trie.commit();
        self.open.clear();
        self.open_codes.clear();
        self.generation += 1;
        self.trie.next_generation();
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
            .get_or_insert_with(|| Box::new(Trie::from_root(root)));
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
        let (root, writes) = trie.commit();
        match &mut cached.account {
            Some(account) => account.storage_root = root,
            // Gone with all its slots.
            None if root == EMPTY_ROOT => {}
            None => return Err(StateError::NoAccount { address }),
        }
        *held = (*held + cached.weight()).saturating_sub(before);
        Ok(StorageNodes { owner, writes })
    }

    /// Takes the new storage roots into the list of changed accounts.
    fn seal_roots(&self, flat: &mut FlatChanges) {
        let mut accounts: Vec<AccountChange> = self
            .open
            .iter()
            .filter_map(|(address, before)| {
                let after = self.accounts.get(address)?.account;
                (before.account != after).then_some(AccountChange {
                    address: *address,
                    before: before.account,
                    after,
                })
            })
            .collect();
        accounts.sort_unstable_by_key(|change| change.address);
        flat.accounts = accounts;
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
