//! Advice to the system: which pages of its files a block is about to read, so that it fetches them together.
//!
//! Where the state is larger than memory, most of what a block touches is on the disk. A page that is met while the block
//! runs costs a fault, a request of its own and two switches of context; a page that was named before costs the request.
//! LMDB has no such call, so its branch pages, which stay in memory, are read here: a leaf's number stands in the branch
//! above it (`mdb.c`: `MDB_page`, `MDB_node`, `MDB_db`, data version 1). It is advice only: whatever is read wrongly here
//! fetches a page in vain.
use crate::key::{history, Key};
use crate::near::PAGE_BYTES;
use crate::row::Row;
use crate::shared::Shared;
use crate::table::{Table, Undo};
use crate::{Store, StoreError};
use alloy_primitives::{Address, B256};
use bedroll_core::hook::book_slots;
use bedroll_core::trie::hash_all;
use heed::types::Bytes;
use heed::{Database, RoTxn};
use rustix::fs::{fadvise, Advice};
use rustix::io::{preadv2, Errno, ReadWriteFlags};
use std::fs::File;
use std::io::IoSliceMut;
use std::num::NonZeroU64;
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Keys of which it is tried whether their pages are in memory; fewer are not worth an advice.
const SAMPLES: usize = 64;
/// Samples that are not in memory from which on the others are looked at.
const MISSING: usize = SAMPLES / 8;
/// Keys of a table that are taken to be in memory, too, when samples were.
const CALM_KEYS: usize = 100_000;
/// Levels that a table can have (`CURSOR_STACK`).
const LEVELS_MAX: u16 = 32;
/// Bytes of `MDB_page` before its list of nodes.
const PAGE_HEAD: usize = 16;

/// From one sample to the next. Odd, as senders and recipients alternate, and senders are often the same.
const fn sample_step(count: usize) -> usize {
    (count / SAMPLES) | 1
}

/// Keys of a table, made when they are needed: in a state that is in memory only samples are.
struct Asked<'a> {
    table: Table,
    count: usize,
    key: Box<dyn Fn(usize) -> Vec<u8> + 'a>,
}

impl Store {
    /// Fetches accounts, which have the nodes above them, and has the system fetch their slots in the AddressBook at `book`, where
    /// these will be looked at.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn expect(&self, accounts: &[Address], book: &Address) -> Result<(), StoreError> {
        self.shared.advise_accounts(accounts)?;
        self.shared.advise_book(accounts, book)
    }
}

impl Shared {
    /// The same of tables that blocks write and do not read.
    pub(crate) fn expect_rows(&self, rows: &[&Row]) -> Result<(), StoreError> {
        let of = |wanted: &dyn Fn(&Row) -> bool| -> Vec<&Row> {
            rows.iter().copied().filter(|row| wanted(row)).collect()
        };
        let written = |table: Table| {
            let own = of(&|row| row.key[0] == table as u8);
            Asked {
                table,
                count: own.len(),
                key: Box::new(move |at| own[at].key[1..].to_vec()),
            }
        };
        let past = of(&|row| Table::undo(row.key[0]) == Undo::Restore);
        self.advise([
            written(Table::Transaction),
            written(Table::BookIndex),
            Asked {
                table: Table::History,
                count: past.len(),
                key: Box::new(move |at| history(&past[at].key, past[at].height)),
            },
        ])
    }

    fn advise_accounts(&self, addresses: &[Address]) -> Result<(), StoreError> {
        if !self.calm.is_over(Table::Near, addresses.len()) {
            return Ok(());
        }
        let accounts = self.near.newest();
        let samples = addresses.iter().step_by(sample_step(addresses.len()));
        let samples: Vec<&[u8]> = samples.map(|address| address.as_slice()).collect();
        let mut missing = 0;
        for hash in hash_all(&samples) {
            missing += usize::from(accounts.is_far(&hash)?);
        }
        if missing < MISSING {
            self.calm.begin(Table::Near);
            return Ok(());
        }
        let all: Vec<&[u8]> = addresses.iter().map(|address| address.as_slice()).collect();
        let hashes = hash_all(&all);
        let mut places: Vec<_> = (hashes.iter())
            .filter_map(|hash| accounts.place(hash))
            .collect();
        places.sort_unstable();
        places.dedup();
        if self.near.fetch(&accounts, &places) {
            return Ok(());
        }
        for place in places {
            let page = (place.offset() / PAGE_BYTES * PAGE_BYTES) as u64;
            let length = NonZeroU64::new(PAGE_BYTES as u64);
            // A system that takes no advice reads the page when it is met.
            let _ = fadvise(
                &accounts.segments.of(place)?.file,
                page,
                length,
                Advice::WillNeed,
            );
        }
        Ok(())
    }

    /// Nothing waits for these pages.
    fn advise_book(&self, accounts: &[Address], book: &Address) -> Result<(), StoreError> {
        if !self.calm.is_over(Table::Slot, accounts.len()) {
            return Ok(());
        }
        let messages: Vec<&[u8]> = accounts.iter().map(|address| address.as_slice()).collect();
        let hashed = accounts.iter().copied().zip(hash_all(&messages));
        let hashed: Vec<(Address, B256)> = hashed.collect();
        let listed = self.near.newest().listed(book, &hashed)?;
        let unlisted = accounts.iter().zip(listed).filter(|(_, listed)| !listed);
        let unlisted: Vec<Address> = unlisted.map(|(address, _)| *address).collect();
        if unlisted.len() < SAMPLES {
            self.calm.begin(Table::Slot);
            return Ok(());
        }
        let slots = book_slots(&unlisted);
        self.advise_due(vec![Asked {
            table: Table::Slot,
            count: slots.len(),
            key: Box::new(|at| Key::slot(book, &slots[at]).row()[1..].to_vec()),
        }])
    }

    fn advise<const N: usize>(&self, asked: [Asked<'_>; N]) -> Result<(), StoreError> {
        let due = |asked: &Asked<'_>| self.calm.is_over(asked.table, asked.count);
        self.advise_due(asked.into_iter().filter(due).collect())
    }

    fn advise_due(&self, asked: Vec<Asked<'_>>) -> Result<(), StoreError> {
        if asked.is_empty() {
            return Ok(());
        }
        // Only for a moment: a page that changes its place meanwhile is advised in vain.
        let trees = self.read(|txn| {
            let trees = asked.iter().map(|asked| Tree::of(self, txn, asked.table));
            trees.collect::<Result<Vec<_>, _>>()
        })?;
        let file = self.env.try_clone_inner_file()?;
        let page_bytes = u64::from(self.env.stat().page_size);
        for (asked, tree) in asked.iter().zip(trees) {
            let Some(tree) = tree else {
                continue;
            };
            if !Walk::new(&file, page_bytes, &tree).advise(asked) {
                self.calm.begin(asked.table);
            }
        }
        Ok(())
    }
}

/// Of each table, how many keys are still taken to be in memory.
#[derive(Debug, Default)]
pub(crate) struct Calm([AtomicUsize; Table::ALL.len()]);

impl Calm {
    /// Whether it is to be looked where these keys are.
    fn is_over(&self, table: Table, count: usize) -> bool {
        let left = &self.0[table as usize];
        let before = left.load(Ordering::Relaxed);
        left.store(before.saturating_sub(count), Ordering::Relaxed);
        count >= SAMPLES && before <= count
    }

    fn begin(&self, table: Table) {
        self.0[table as usize].store(CALM_KEYS, Ordering::Relaxed);
    }
}

/// A table as LMDB has it.
struct Tree {
    root: u64,
    depth: u16,
}

impl Tree {
    /// Reads `MDB_db`, which is the table's row in the unnamed database.
    fn of(shared: &Shared, txn: &RoTxn<'_>, table: Table) -> Result<Option<Self>, StoreError> {
        let names: Option<Database<Bytes, Bytes>> = shared.env.open_database(txn, None)?;
        let row = match names {
            Some(names) => names.get(txn, table.name().as_bytes())?,
            None => None,
        };
        Ok(row.and_then(|row| {
            let tree = Tree {
                root: u64::from_ne_bytes(row.get(40..48)?.try_into().ok()?),
                depth: u16::from_ne_bytes(row.get(6..8)?.try_into().ok()?),
            };
            (tree.depth <= LEVELS_MAX).then_some(tree)
        }))
    }
}

/// A branch page that was read last at its level.
#[derive(Clone, Debug, Default)]
struct Level {
    number: u64,
    page: Vec<u8>,
}

/// Goes down from the root to the place of a leaf, again and again; keys that come in order share their branches.
struct Walk<'a> {
    file: &'a File,
    page_bytes: u64,
    root: u64,
    levels: Vec<Level>,
}

impl<'a> Walk<'a> {
    fn new(file: &'a File, page_bytes: u64, tree: &Tree) -> Self {
        Walk {
            file,
            page_bytes,
            root: tree.root,
            levels: vec![Level::default(); usize::from(tree.depth.saturating_sub(1))],
        }
    }

    /// Where in the file the leaf begins that has a key, or would have it.
    fn leaf(&mut self, key: &[u8]) -> Option<u64> {
        let mut number = self.root;
        for level in &mut self.levels {
            if level.page.is_empty() || level.number != number {
                level.number = number;
                level.page.resize(self.page_bytes as usize, 0);
                let place = number.checked_mul(self.page_bytes)?;
                if self.file.read_exact_at(&mut level.page, place).is_err() {
                    level.page.clear();
                    return None;
                }
            }
            number = child(&level.page, key)?;
        }
        number.checked_mul(self.page_bytes)
    }

    /// Whether the leaf is not in memory. A file system that cannot tell counts as one that has it there.
    fn is_missing(&mut self, key: &[u8]) -> bool {
        let Some(place) = self.leaf(key) else {
            return false;
        };
        is_missing(self.file, place)
    }

    /// Names the leaves of keys if many are not in memory, and tells whether that is so.
    fn advise(&mut self, asked: &Asked<'_>) -> bool {
        let sorted = |step: usize| {
            let places = (0..asked.count).step_by(step);
            let mut keys: Vec<Vec<u8>> = places.map(|at| (asked.key)(at)).collect();
            keys.sort_unstable();
            keys
        };
        let samples = sorted(sample_step(asked.count));
        if samples.iter().filter(|key| self.is_missing(key)).count() < MISSING {
            return false;
        }
        let (length, mut last) = (NonZeroU64::new(self.page_bytes), None);
        for key in sorted(1) {
            let leaf = self.leaf(&key);
            if leaf == last {
                continue;
            }
            last = leaf;
            if let Some(place) = leaf {
                // A system that takes no advice reads the page when it is met.
                let _ = fadvise(self.file, place, length, Advice::WillNeed);
            }
        }
        true
    }
}

/// Whether a page of a file is not in memory.
pub(crate) fn is_missing(file: &File, place: u64) -> bool {
    let mut byte = [0];
    let into = &mut [IoSliceMut::new(&mut byte)];
    preadv2(file, into, place, ReadWriteFlags::NOWAIT) == Err(Errno::AGAIN)
}

fn u16_at(page: &[u8], at: usize) -> Option<usize> {
    let bytes = page.get(at..at + 2)?;
    Some(usize::from(u16::from_ne_bytes(bytes.try_into().ok()?)))
}

/// The page under a branch page that has a key, or would have it.
fn child(page: &[u8], key: &[u8]) -> Option<u64> {
    let nodes = u16_at(page, 12)?.checked_sub(PAGE_HEAD)? / 2;
    let node = |at: usize| u16_at(page, PAGE_HEAD + 2 * at);
    // The first node's key is left out: it stands for all below the second's.
    let (mut low, mut high) = (1, nodes);
    while low < high {
        let middle = low + (high - low) / 2;
        let start = node(middle)?;
        let length = u16_at(page, start + 6)?;
        if page.get(start + 8..start + 8 + length)? <= key {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    let start = node(low - 1)?;
    let words = [
        u16_at(page, start)?,
        u16_at(page, start + 2)?,
        u16_at(page, start + 4)?,
    ];
    Some(words[0] as u64 | (words[1] as u64) << 16 | (words[2] as u64) << 32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::StoreOptions;
    use alloy_primitives::keccak256;

    #[test]
    fn the_page_that_is_named_is_the_one_that_has_the_key() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), B256::ZERO, StoreOptions::default()).unwrap();
        let shared = &store.shared;
        let bucket = shared.tables.of(Table::Transaction);
        let keys: Vec<B256> = (0..60_000u64)
            .map(|at| keccak256(at.to_be_bytes()))
            .collect();
        shared
            .write(|txn| {
                let mut rows = keys.iter();
                Ok(rows.try_for_each(|key| bucket.put(txn, key.as_slice(), &[7; 12]))?)
            })
            .unwrap();
        let txn = shared.env.read_txn().unwrap();
        let tree = Tree::of(shared, &txn, Table::Transaction).unwrap().unwrap();
        assert!(tree.depth > 2, "{}", tree.depth);
        let file = shared.env.try_clone_inner_file().unwrap();
        let page_bytes = shared.env.stat().page_size;
        let mut walk = Walk::new(&file, u64::from(page_bytes), &tree);
        let mut page = vec![0; page_bytes as usize];
        for key in &keys {
            let place = walk.leaf(key.as_slice()).unwrap();
            file.read_exact_at(&mut page, place).unwrap();
            assert!(page.windows(32).any(|bytes| bytes == key.as_slice()));
        }
    }

    #[test]
    fn keys_that_were_in_memory_are_looked_for_again_later_and_few_never() {
        let calm = Calm::default();
        assert!(calm.is_over(Table::Slot, SAMPLES));
        assert!(!calm.is_over(Table::Slot, SAMPLES - 1));
        calm.begin(Table::Slot);
        let looked: Vec<bool> = (0..11)
            .map(|_| calm.is_over(Table::Slot, CALM_KEYS / 10))
            .collect();
        assert_eq!(looked.iter().position(|due| *due), Some(9));
    }

    #[test]
    fn samples_of_a_block_are_of_senders_and_of_recipients() {
        for count in [SAMPLES, 1_000, 20_000] {
            let samples: Vec<usize> = (0..count).step_by(sample_step(count)).collect();
            let recipients = samples.iter().filter(|at| *at % 2 == 1).count();
            assert!(
                samples.len().abs_diff(2 * recipients) <= 1 && recipients > MISSING,
                "{count}"
            );
        }
    }

    #[test]
    fn a_damaged_branch_names_some_page_or_none_and_never_panics() {
        let mut page = vec![0; 64];
        for seed in 0..20_000u64 {
            let bytes = keccak256(seed.to_be_bytes());
            page[..32].copy_from_slice(bytes.as_slice());
            page[13] &= seed as u8;
            let _ = child(&page, bytes.as_slice());
        }
        assert_eq!(child(&[], &[1]), None);
    }
}
