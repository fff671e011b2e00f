//! Carrying a store's newest state and its blocks to another folder: rows out in chunks, rows in, and from them all that
//! follows: places, indexes by hash, tries. The root must be the newest header's before anybody can open the result.
//!
//! ```text
//! chunk   (table u8 ‖ key length u16 ‖ value length u32 ‖ key ‖ value)*
//! ```
use crate::key::Key;
use crate::near::{AccountRow, Listed};
use crate::posting::Secret;
use crate::record::node_rows_of;
use crate::row::Row;
use crate::shared::{Meta, Shared};
use crate::table::Table;
use crate::view::View;
use crate::{Store, StoreError, StoreOptions};
use alloy_primitives::{keccak256, Address, B256, U256};
use bedroll_core::block::{decode_body, decode_head, places};
use bedroll_core::hook::book_slots;
use bedroll_core::state::Account;
use bedroll_core::trie::{NodeSource, Path as TriePath, SourceError, Trie, EMPTY_ROOT};
use heed::{CompactionOption, RoTxn, RwTxn};
use revm::primitives::KECCAK_EMPTY;
use std::fs::File;
use std::io::ErrorKind;
use std::ops::Bound;
use std::path::Path;
use std::sync::Arc;

/// Bytes of rows in a chunk, but for a last row that may go beyond.
pub const CHUNK_BYTES: usize = 4 << 20;

/// What is carried, in this order; all else follows from it.
const CARRIED: [Table; 8] = [
    Table::Header,
    Table::Body,
    Table::Forced,
    Table::Book,
    Table::Posting,
    Table::Code,
    // Before accounts, as an import holds these against the AddressBook.
    Table::Slot,
    Table::Account,
];

/// Accounts that are read at a time for a chunk.
const CHUNK_ACCOUNTS: usize = 1_000;

/// Rows looked at in one step.
const STEP_ROWS: usize = 50_000;
/// Trie nodes that stay in memory between steps.
const KEPT_NODES: usize = 500_000;

impl View {
    /// Rows to carry that come after a key, in a chunk, and the last key; None: that was all.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn chunk(&self, after: Option<&[u8]>) -> Result<(Vec<u8>, Option<Vec<u8>>), StoreError> {
        let start = after.and_then(|key| key.first().copied());
        let at = CARRIED
            .iter()
            .position(|table| Some(*table as u8) == start)
            .unwrap_or(0);
        let near = self.snapshot.near()?;
        self.snapshot.with_txn(|txn, _| {
            let mut chunk = Vec::new();
            let mut last = None;
            for table in &CARRIED[at..] {
                let own_after = after.filter(|key| key.first() == Some(&(*table as u8)));
                if *table == Table::Account {
                    let mut after = own_after.and_then(|key| B256::try_from(&key[1..]).ok());
                    loop {
                        if chunk.len() >= CHUNK_BYTES {
                            return Ok((chunk, last));
                        }
                        let rows = near.accounts_after(after.as_ref(), CHUNK_ACCOUNTS)?;
                        let Some(AccountRow { hash, .. }) = rows.last() else {
                            break;
                        };
                        last = Some([&[*table as u8], hash.as_slice()].concat());
                        after = Some(*hash);
                        for row in &rows {
                            put_carried(&mut chunk, *table, row.address.as_slice(), &row.flat);
                        }
                    }
                    continue;
                }
                let from = own_after.map_or(Bound::Unbounded, |key| Bound::Excluded(&key[1..]));
                for row in self
                    .snapshot
                    .tables
                    .of(*table)
                    .range(txn, &(from, Bound::Unbounded))?
                {
                    if chunk.len() >= CHUNK_BYTES {
                        return Ok((chunk, last));
                    }
                    let (key, value) = row?;
                    put_carried(&mut chunk, *table, key, value);
                    last = Some([&[*table as u8], key].concat());
                }
            }
            Ok((chunk, None))
        })
    }

    /// The store's secret: postings mean nothing without it.
    ///
    /// # Errors
    /// The store was closed.
    pub fn secret(&self) -> Result<[u8; 16], StoreError> {
        let shared = self.snapshot.shared().ok_or(StoreError::Closed)?;
        Ok(shared.secret.to_bytes())
    }
}

fn put_carried(chunk: &mut Vec<u8>, table: Table, key: &[u8], value: &[u8]) {
    chunk.push(table as u8);
    chunk.extend_from_slice(&(key.len() as u16).to_be_bytes());
    chunk.extend_from_slice(&(value.len() as u32).to_be_bytes());
    chunk.extend_from_slice(key);
    chunk.extend_from_slice(value);
}

/// A row of a chunk: table, key, value.
type Carried<'a> = (Table, &'a [u8], &'a [u8]);

/// Splits a chunk; None where it is none.
fn split_chunk(mut chunk: &[u8]) -> Option<Vec<Carried<'_>>> {
    let mut rows = Vec::new();
    while let Some((&number, rest)) = chunk.split_first() {
        let table = CARRIED.into_iter().find(|table| *table as u8 == number)?;
        let (lengths, rest) = rest.split_at_checked(6)?;
        let key_length = u16::from_be_bytes(lengths[..2].try_into().ok()?);
        let value_length = u32::from_be_bytes(lengths[2..].try_into().ok()?);
        let (key, rest) = rest.split_at_checked(usize::from(key_length))?;
        let (value, rest) = rest.split_at_checked(value_length as usize)?;
        let wanted = match table {
            Table::Header | Table::Body | Table::Forced | Table::Book | Table::Posting => 8,
            Table::Account => 20,
            Table::Code => 32,
            _ => 52,
        };
        if key.len() != wanted || value.is_empty() && table != Table::Code {
            return None;
        }
        if table == Table::Code && keccak256(value) != *key {
            return None;
        }
        rows.push((table, key, value));
        chunk = rest;
    }
    Some(rows)
}

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
struct Filling {
    address: Address,
    account: Account,
    trie: Trie,
    after: Option<[u8; 52]>,
}

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

fn bad(what: impl Into<String>) -> StoreError {
    StoreError::Corrupt(what.into())
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

/// Puts slots of an account into its trie, at most `budget`; how many, and whether those were all.
fn fill(
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

/// Writes what a block is found by; gives its hash.
fn index_block(
    shared: &Shared,
    txn: &mut RwTxn<'_>,
    height: u64,
    parent: Option<B256>,
) -> Result<B256, StoreError> {
    let number = height.to_be_bytes();
    let wrong = |what: &str| bad(format!("block {height} of the snapshot: {what}"));
    let stored = shared.tables.of(Table::Header).get(txn, &number)?;
    let stored = stored.ok_or_else(|| wrong("missing"))?;
    let (hashes, head) = stored
        .split_at_checked(64)
        .ok_or_else(|| wrong("its head"))?;
    let (header, tail) = decode_head(head).map_err(|_| wrong("its header"))?;
    let (hash, root) = (header.hash_slow(), header.state_root);
    let fits = hashes == [hash.as_slice(), root.as_slice()].concat() && header.number == height;
    if !fits || parent.is_some_and(|parent| parent != header.parent_hash) {
        return Err(wrong("it does not follow the one before"));
    }
    let body = shared.tables.of(Table::Body).get(txn, &number)?;
    let body = body.ok_or_else(|| wrong("no body"))?;
    let block = decode_body(header, tail, body).map_err(|_| wrong("its body"))?;
    let index = places(body).map_err(|_| wrong("its body"))?;
    if !crate::check::roots_match(&block)
        || bedroll_core::header::receipts_root(&block.receipts) != block.header.receipts_root
    {
        return Err(wrong(
            "its transactions or receipts are not those of its header",
        ));
    }
    shared
        .tables
        .of(Table::Height)
        .put(txn, hash.as_slice(), &number)?;
    if !index.is_empty() {
        shared.tables.of(Table::Place).put(txn, &number, &index)?;
    }
    for (at, transaction) in (0u32..).zip(&block.transactions) {
        let place = [&number[..], &at.to_be_bytes()].concat();
        let table = shared.tables.of(Table::Transaction);
        table.put(txn, transaction.hash.as_slice(), &place)?;
    }
    let book = shared.tables.of(Table::Book);
    let first = block.tail.book_length - block.new_addresses.len() as u64;
    for (index, address) in (first..).zip(&block.new_addresses) {
        let row = book.get(txn, &index.to_be_bytes())?;
        if row.and_then(|row| row.get(..20)) != Some(address.as_slice()) {
            return Err(wrong("its addresses are not in the book"));
        }
        let entry = [&index.to_be_bytes()[..], &number].concat();
        let table = shared.tables.of(Table::BookIndex);
        table.put(txn, address.as_slice(), &entry)?;
    }
    Ok(hash)
}

#[cfg(test)]
mod tests;
