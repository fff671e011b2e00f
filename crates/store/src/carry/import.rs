//! Filling a store with the rows of another. The root must be the newest header's before anybody can open the result.
use super::fill::{fill, Filling};
use super::index::index_block;
use super::{bad, split_chunk};
use crate::key::Key;
use crate::near::{AccountRow, Listed};
use crate::posting::Secret;
use crate::record::node_rows_of;
use crate::row::Row;
use crate::shared::{Meta, Shared};
use crate::table::Table;
use crate::{Store, StoreError, StoreOptions};
use alloy_primitives::{keccak256, Address, B256};
use bedroll_core::hook::book_slots;
use bedroll_core::state::Account;
use bedroll_core::trie::{Trie, EMPTY_ROOT};
use heed::{CompactionOption, RoTxn};
use revm::primitives::KECCAK_EMPTY;
use std::fs::File;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

/// Rows looked at in one step.
const STEP_ROWS: usize = 50_000;
/// Trie nodes that stay in memory between steps.
const KEPT_NODES: usize = 500_000;

/// A store that is being filled; nobody can open it as a chain before [`Import::finish`].
#[derive(Debug)]
pub struct Import {
    store: Store,
    book: Address,
    height: u64,
    hash: B256,
    parent: Option<B256>,
    indexed: u64,
    /// The last account that was looked at.
    after: Option<B256>,
    filling: Option<Filling>,
    slots: u64,
    root: Option<B256>,
    /// Rows looked at in one step.
    step_rows: usize,
    /// Trie nodes that stay in memory between steps.
    kept_nodes: usize,
}

impl Import {
    /// Begins in an empty folder. `height` and `hash` are of the newest block, `book` is where chains have their AddressBook.
    ///
    /// # Errors
    /// The folder is in use or not empty, or cannot be written.
    pub fn begin(
        folder: &Path,
        genesis: B256,
        secret: [u8; 16],
        (height, hash): (u64, B256),
        book: Address,
    ) -> Result<Self, StoreError> {
        let options = StoreOptions {
            sync: false,
            ..StoreOptions::default()
        };
        let mut store = Store::open(folder, genesis, options)?;
        if store.tip().is_some() {
            return Err(bad(format!("{} holds a chain already", folder.display())));
        }
        store.shared.write(|txn| {
            let meta = store.shared.tables.of(Table::Meta);
            Ok(meta.put(txn, Meta::SECRET, &secret)?)
        })?;
        let secret = Secret::from_bytes(&secret).ok_or_else(|| bad("secret"))?;
        if let Some(shared) = std::sync::Arc::get_mut(&mut store.shared) {
            shared.secret = secret;
        }
        Ok(Import {
            store,
            book,
            height,
            hash,
            parent: None,
            indexed: 0,
            after: None,
            filling: None,
            slots: 0,
            root: None,
            step_rows: STEP_ROWS,
            kept_nodes: KEPT_NODES,
        })
    }

    /// Takes a chunk's rows in.
    ///
    /// # Errors
    /// It is no chunk, or the store cannot be written.
    pub fn put_chunk(&mut self, chunk: &[u8]) -> Result<usize, StoreError> {
        let rows = split_chunk(chunk).ok_or_else(|| bad("a chunk of the snapshot is malformed"))?;
        let shared = &self.store.shared;
        let accounts = rows.iter().filter(|row| row.0 == Table::Account);
        let accounts: Vec<(&[u8], &[u8])> = accounts.map(|row| (row.1, row.2)).collect();
        shared.write(|txn| {
            for (table, key, value) in rows.iter().filter(|row| row.0 != Table::Account) {
                shared.tables.of(*table).put(txn, key, value)?;
            }
            let listed = self.listed(shared, txn, &accounts)?;
            let given = accounts.iter().zip(listed);
            let given = given.map(|((address, flat), listed)| (*address, Some(*flat), listed));
            let mut accounts = shared.near.newest().with_flat(given)?;
            accounts.book = Some(self.book);
            shared.near.stage(Arc::new(accounts))?;
            shared.near.write(&shared.tables, txn)
        })?;
        shared.near.committed();
        Ok(rows.len())
    }

    /// Who of accounts has a slot in the AddressBook, as far as slots have come.
    fn listed(
        &self,
        shared: &Shared,
        txn: &RoTxn<'_>,
        accounts: &[(&[u8], &[u8])],
    ) -> Result<Vec<Listed>, StoreError> {
        let addresses = accounts.iter().map(|row| Address::from_slice(row.0));
        let addresses: Vec<Address> = addresses.collect();
        let slots = book_slots(&addresses).into_iter().map(|slot| {
            let key = Key::slot(&self.book, &slot);
            let value = shared.tables.of(Table::Slot).get(txn, &key.row()[1..])?;
            Ok(value.map_or(Listed::Unknown, |_| Listed::Now))
        });
        slots.collect()
    }

    /// Makes the indexes of the next blocks; the next height, None where all are done.
    ///
    /// # Errors
    /// A block is missing, cannot be read, or does not follow the one before.
    pub fn index_blocks(&mut self, count: u64) -> Result<Option<u64>, StoreError> {
        let shared = &self.store.shared;
        let last = self.height.min(self.indexed + count - 1);
        let (first, before) = (self.indexed, self.parent);
        let parent = std::cell::Cell::new(before);
        shared.write(|txn| {
            parent.set(before);
            for height in first..=last {
                let hash = index_block(shared, txn, height, parent.get())?;
                parent.set(Some(hash));
            }
            Ok(())
        })?;
        self.parent = parent.get();
        self.indexed = last + 1;
        if last < self.height {
            return Ok(Some(last + 1));
        }
        if self.parent != Some(self.hash) {
            return Err(bad(
                "the newest block has another hash than the snapshot says",
            ));
        }
        Ok(None)
    }

    /// Puts the next accounts and slots into the tries; how many slots so far, None where all are done.
    ///
    /// # Errors
    /// A value cannot be read, or the root of an account's storage comes out differently.
    pub fn build_tries(&mut self) -> Result<Option<u64>, StoreError> {
        let store = self.store.clone();
        let shared = &store.shared;
        let mut rows: Vec<Row> = Vec::new();
        let done = {
            let txn = shared.env.read_txn()?;
            self.step(shared, &txn, &mut rows)?
        };
        if let Some(filling) = &mut self.filling {
            let (_, writes) = filling.trie.commit();
            let owner = keccak256(filling.address);
            rows.extend(node_rows_of(self.height, &owner, writes));
        }
        shared.write(|txn| {
            rows.iter()
                .try_for_each(|row| shared.tables.put(txn, &row.key, row.value.as_deref()))
        })?;
        if let Some(filling) = &mut self.filling {
            filling.trie.evict(self.kept_nodes);
        }
        if !done {
            return Ok(Some(self.slots));
        }
        self.root = Some(shared.near.newest().hash);
        Ok(None)
    }

    /// Names the newest block, where it was not known at the beginning.
    pub fn expect(&mut self, hash: B256) {
        self.hash = hash;
    }

    /// Root of the state, once all of it is in the tries.
    pub fn root(&self) -> Option<B256> {
        self.root
    }

    /// Compares the root of what is in the tries with the newest header's.
    fn check_root(&self, root: B256) -> Result<(), StoreError> {
        let shared = &self.store.shared;
        let stored = shared.read(|txn| {
            let slots = shared.tables.of(Table::Slot).len(txn)?;
            let header = shared.tables.of(Table::Header);
            let head = header
                .get(txn, &self.height.to_be_bytes())?
                .map(<[u8]>::to_vec);
            Ok((slots, head))
        })?;
        let root_wanted = stored.1.as_deref().and_then(|head| head.get(32..64));
        if root_wanted != Some(root.as_slice()) {
            return Err(bad(format!(
                "the state of the snapshot has the root {root}, its newest header says {}",
                B256::right_padding_from(root_wanted.unwrap_or_default())
            )));
        }
        if stored.0 != self.slots {
            return Err(bad("the snapshot has slots of accounts that there are not"));
        }
        Ok(())
    }

    /// Looks at the next rows; true at the end of the accounts.
    fn step(
        &mut self,
        shared: &Shared,
        txn: &RoTxn<'_>,
        rows: &mut Vec<Row>,
    ) -> Result<bool, StoreError> {
        let mut budget = self.step_rows;
        if !self.go_on_filling(shared, txn, rows, &mut budget)? {
            return Ok(false);
        }
        let near = shared.near.newest();
        let accounts = near.accounts_after(self.after.as_ref(), budget)?;
        let all = accounts.len() < budget;
        for row in accounts {
            let AccountRow {
                hash,
                address,
                flat,
                ..
            } = row;
            if budget == 0 {
                return Ok(false);
            }
            let account = Account::from_flat(&flat);
            let account = account.ok_or_else(|| bad(format!("account {address}")))?;
            let code = account.code_hash;
            if code != KECCAK_EMPTY {
                let stored = shared.tables.of(Table::Code).get(txn, code.as_slice())?;
                stored.ok_or_else(|| bad(format!("the code of {address} is missing")))?;
            }
            budget -= 1;
            self.after = Some(hash);
            if account.storage_root != EMPTY_ROOT {
                self.filling = Some(Filling {
                    address,
                    account,
                    trie: Trie::new(),
                    after: None,
                });
                if !self.go_on_filling(shared, txn, rows, &mut budget)? {
                    return Ok(false);
                }
            }
        }
        Ok(all)
    }

    /// Puts more slots of the account that is being filled into its trie; whether there is none to be filled any more.
    fn go_on_filling(
        &mut self,
        shared: &Shared,
        txn: &RoTxn<'_>,
        rows: &mut Vec<Row>,
        budget: &mut usize,
    ) -> Result<bool, StoreError> {
        let Some(filling) = &mut self.filling else {
            return Ok(true);
        };
        let (count, whole) = fill(shared, txn, filling, *budget)?;
        self.slots += count;
        *budget = budget.saturating_sub(count as usize);
        if !whole {
            return Ok(false);
        }
        if let Some(filled) = self.filling.take() {
            self.take(filled, rows)?;
        }
        Ok(true)
    }

    /// Ends an account whose slots are all in its trie.
    fn take(&self, mut filled: Filling, rows: &mut Vec<Row>) -> Result<(), StoreError> {
        let owner = keccak256(filled.address);
        let (root, writes) = filled.trie.commit();
        if root != filled.account.storage_root {
            return Err(bad(format!(
                "the slots of {} have another root than the account says",
                filled.address
            )));
        }
        rows.extend(node_rows_of(self.height, &owner, writes));
        Ok(())
    }

    /// Compares the state's root with the newest header's and makes this a store that can be opened, on the disk.
    ///
    /// # Errors
    /// Indexing or building is not done, the root is another, or the disk refused.
    pub fn finish(self) -> Result<(), StoreError> {
        let shared = &self.store.shared;
        let Some(root) = self.root.filter(|_| self.indexed > self.height) else {
            return Err(bad("the import is not done"));
        };
        self.check_root(root)?;
        shared.write(|txn| {
            shared.write_tip(txn, self.height, self.hash)?;
            let meta = shared.tables.of(Table::Meta);
            Ok(meta.put(txn, Meta::OLDEST, &self.height.to_be_bytes())?)
        })?;
        shared.env.force_sync()?;
        self.compact()
    }

    /// Rewrites LMDB's file without the pages that filling it left unused all over it: each later commit would have to
    /// choose among them, and would write them one by one.
    fn compact(&self) -> Result<(), StoreError> {
        let folder = self.store.shared.env.path();
        let (old, new) = (folder.join("data.mdb"), folder.join("data.mdb.new"));
        let copied = (self.store.shared.env).copy_to_path(&new, CompactionOption::Enabled);
        let file = match copied {
            Ok(file) => file,
            // It is a whole store without that, too.
            Err(heed::Error::Io(error)) if is_full(&error) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        let replaced = file
            .sync_all()
            .and_then(|()| std::fs::rename(&new, &old))
            .and_then(|()| File::open(folder)?.sync_all());
        replaced.map_err(|error| StoreError::Io { path: old, error })
    }
}

/// Whether the disk has no room for more.
fn is_full(error: &std::io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded
    )
}

#[cfg(test)]
mod tests;
