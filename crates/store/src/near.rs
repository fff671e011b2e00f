//! Accounts, and with them the nodes of their trie, in a log of records.
//!
//! Where the state is larger than memory, what a block costs is the pages that it touches. Accounts whose hashes begin alike
//! lie in one record here, a *unit*, with the node above them: one page is fetched for an account and all nodes below that
//! one, which follow from the accounts. Above the units are *branches*, records of sixteen places, which are in memory as
//! well. A block makes a new version of them, which shares what did not change, and with it the root of the trie: no other
//! part of the store knows nodes of accounts. What a commit changes is written at the end of the log, units and all
//! branches above them, in one run; the row `near` of LMDB's table `meta` says where the root's record lies and where the
//! log ends, so that the transaction that writes it makes all of it count at once. Segments of the log that are mostly used
//! no more are emptied by the way.
//!
//! ```text
//! near   generation u64 ‖ place of the root u64 ‖ last segment u32 ‖ end in it u32 ‖ address of the AddressBook, or nothing
//! ```
mod fetch;
mod kept;
mod listed;
mod next;
mod node;
mod record;
mod segment;
mod tree;
mod write;

use crate::key::read_u64;
use crate::row::Row;
use crate::shared::{lock, Meta};
use crate::table::{Table, Tables};
use crate::StoreError;
use alloy_primitives::{Address, B256};
use bedroll_core::state::AccountChange;
use bedroll_core::trie::hash_all;
use fetch::{Fetcher, Page};
use heed::{RoTxn, RwTxn};
use kept::Unit;
pub(crate) use listed::{Listed, Listing};
use next::Change;
pub(crate) use segment::PAGE_BYTES;
use segment::{Appender, Log, Place, Segment, Segments};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
pub(crate) use tree::{AccountRow, Tree};
use write::Writing;

/// Name of the folder of segments.
const FOLDER: &str = "accounts";
/// Bytes of records that a commit copies out of segments for each account that it changes, and beside.
const COPIED_BYTES: (u64, u64) = (512, 256 << 10);

/// Whether a row is of an account or of a node above one.
pub(crate) fn is_near(row_key: &[u8]) -> bool {
    let table = row_key.first().copied();
    table == Some(Table::Account as u8) || table == Some(Table::AccountNode as u8)
}

/// An account's address, its flat form (None: nothing any more), and what is known of it and the AddressBook.
type Given<'a> = (&'a [u8], Option<&'a [u8]>, Listed);

/// Accounts in the order of the trie; of several changes of one the last counts.
fn sorted<'a>(accounts: impl Iterator<Item = Given<'a>>) -> Vec<Change<'a>> {
    let accounts: Vec<Given<'_>> = accounts.collect();
    let addresses: Vec<&[u8]> = accounts.iter().map(|(address, ..)| *address).collect();
    let hashes = hash_all(&addresses).into_iter();
    let mut changes: Vec<Change<'a>> = (hashes.zip(&accounts))
        .map(|(hash, &(address, flat, listed))| Change {
            hash,
            address,
            flat,
            listed,
        })
        .collect();
    // Stable: those of one account stay in their order.
    changes.sort_by_key(|change| change.hash);
    changes.dedup_by(|later, kept| {
        let same = later.hash == kept.hash;
        if same {
            std::mem::swap(later, kept);
        }
        same
    });
    changes
}

impl Tree {
    /// The version after changes of accounts in any order.
    pub(crate) fn with_flat<'a>(
        &self,
        accounts: impl Iterator<Item = Given<'a>>,
    ) -> Result<Tree, StoreError> {
        self.with(&sorted(accounts))
    }

    /// The version after what rows of new blocks change, sorted by key and height.
    pub(crate) fn with_rows<'a>(
        &self,
        rows: impl Iterator<Item = &'a Row>,
    ) -> Result<Tree, StoreError> {
        let of_accounts = rows.filter(|row| row.key[0] == Table::Account as u8);
        let given = of_accounts.map(|row| (&row.key[1..], row.value.as_deref(), Listed::Kept));
        self.with_flat(given)
    }
}

/// The versions that somebody may still begin to read.
#[derive(Debug)]
struct Versions {
    committed: Arc<Tree>,
    log: Log,
    /// Its transaction is on the way, or failed.
    staged: Option<Staged>,
}

/// A version that is written, and counts when the transaction with its row is committed.
#[derive(Debug)]
struct Staged {
    /// Before it was written.
    from: Arc<Tree>,
    tree: Arc<Tree>,
    log: Log,
    /// Units that came into the log, and those that it does not need any more.
    fresh: Vec<(Place, Unit)>,
    freed: Vec<Place>,
    /// Segments that it does not need any more.
    unused: Vec<u32>,
}

/// What the next block will make of a version, if it becomes one.
#[derive(Debug)]
struct Prepared {
    before: Arc<Tree>,
    tree: Arc<Tree>,
}

/// The accounts of a store. The one writer stages a version, writes its row in a transaction, and says when that is
/// committed.
#[derive(Debug)]
pub(crate) struct Near {
    folder: PathBuf,
    sync: bool,
    versions: Mutex<Versions>,
    prepared: Mutex<Option<Prepared>>,
    fetching: Mutex<Fetching>,
}

/// What fetches units past the system's page cache.
#[derive(Debug, Default)]
enum Fetching {
    #[default]
    Untried,
    By(Box<Fetcher>),
    /// The system has no means.
    Never,
}

/// The row of `meta`.
#[derive(Default)]
struct Head {
    generation: u64,
    root: Place,
    segment: u32,
    offset: u32,
    book: Option<Address>,
}

impl Head {
    fn read(tables: &Tables, txn: &RoTxn<'_>) -> Result<Self, StoreError> {
        let Some(row) = tables.of(Table::Meta).get(txn, Meta::NEAR)? else {
            return Ok(Head::default());
        };
        let parse = || {
            let (generation, rest) = row.split_first_chunk::<8>()?;
            let (root, rest) = rest.split_first_chunk::<8>()?;
            let (segment, rest) = rest.split_first_chunk::<4>()?;
            let (offset, book) = rest.split_first_chunk::<4>()?;
            Some(Head {
                generation: u64::from_be_bytes(*generation),
                root: Place::from_bytes(*root),
                segment: u32::from_be_bytes(*segment),
                offset: u32::from_be_bytes(*offset),
                book: match book {
                    [] => None,
                    book => Some(Address::try_from(book).ok()?),
                },
            })
        };
        parse().ok_or_else(|| StoreError::Corrupt("meta row of the accounts".into()))
    }
}

impl Near {
    /// Opens the accounts of the store in `folder`, as of what is committed.
    pub(crate) fn open(
        folder: &Path,
        sync: bool,
        tables: &Tables,
        txn: &RoTxn<'_>,
    ) -> Result<Self, StoreError> {
        let folder = folder.join(FOLDER);
        let head = Head::read(tables, txn)?;
        let segments = Segments::open(&folder, head.segment)?;
        let mut log = Log {
            segment: head.segment,
            offset: head.offset as usize,
            live: segments.numbers().map(|number| (number, 0)).collect(),
        };
        let tree = Tree::load(&head, segments)?;
        let mut missing = None;
        tree.visit(&mut |place| {
            missing = missing.take().or(tree.segments.of(place).err());
            log.count(place);
        });
        if let Some(error) = missing {
            return Err(error);
        }
        Ok(Near {
            folder,
            sync,
            versions: Mutex::new(Versions {
                committed: Arc::new(tree),
                log,
                staged: None,
            }),
            prepared: Mutex::default(),
            fetching: Mutex::default(),
        })
    }

    /// Reads those units of a version that are not kept, together; false: the system has no means. What cannot be read, or is
    /// damaged, is left to whoever needs it.
    pub(crate) fn fetch(&self, accounts: &Tree, places: &[Place]) -> bool {
        let mut fetching = lock(&self.fetching);
        if matches!(*fetching, Fetching::Untried) {
            *fetching = Fetcher::new().map_or(Fetching::Never, |by| Fetching::By(Box::new(by)));
        }
        let Fetching::By(fetcher) = &mut *fetching else {
            return false;
        };
        let segments = &accounts.segments;
        let (mut pages, mut of_pages) = (Vec::new(), Vec::new());
        for place in segments.kept.missing(places) {
            let Some(file) = segments.of(place).ok().and_then(Segment::direct) else {
                return false;
            };
            if let Some(offset) = place.page() {
                pages.push(Page { file, offset });
                of_pages.push(place);
            }
        }
        let mut units = Vec::with_capacity(pages.len());
        let whole = fetcher.fetch(&pages, |number, page| {
            let place = of_pages[number];
            let record = place.within(page).filter(|record| record::is_whole(record));
            units.extend(record.map(|record| (place, Arc::new(record.to_vec()))));
        });
        segments.kept.put(units);
        if !whole {
            if let Fetching::By(broken) = std::mem::replace(&mut *fetching, Fetching::Never) {
                Box::leak(broken);
            }
        }
        whole
    }

    /// What is committed.
    pub(crate) fn newest(&self) -> Arc<Tree> {
        lock(&self.versions).committed.clone()
    }

    /// The version that a transaction sees; None: a newer one is committed, and the transaction too old.
    pub(crate) fn seen_by(
        &self,
        tables: &Tables,
        txn: &RoTxn<'_>,
    ) -> Result<Option<Arc<Tree>>, StoreError> {
        let generation = Head::read(tables, txn)?.generation;
        let versions = lock(&self.versions);
        let staged = versions.staged.as_ref().map(|staged| &staged.tree);
        let mut known = [Some(&versions.committed), staged].into_iter().flatten();
        Ok(known.find(|tree| tree.generation == generation).cloned())
    }

    /// Root of the account trie after changes of a version; the version with them is kept for [`Self::next`]. `listing`: what the
    /// block that changes them says of the AddressBook; None: they are no block's.
    pub(crate) fn prepare(
        &self,
        before: Arc<Tree>,
        accounts: &[AccountChange],
        listing: Option<&Listing>,
    ) -> Result<B256, StoreError> {
        let flats: Vec<Option<Vec<u8>>> = (accounts.iter())
            .map(|change| change.after.map(|account| account.to_flat()))
            .collect();
        let listing = listing.filter(|listing| before.book.is_none_or(|book| book == listing.book));
        let changes = accounts.iter().zip(&flats).map(|(change, flat)| {
            let listed = listing.map_or(Listed::Unknown, |listing| listing.of(&change.address));
            (change.address.as_slice(), flat.as_deref(), listed)
        });
        let mut tree = before.with_flat(changes)?;
        tree.book = before.book.or(listing.map(|listing| listing.book));
        let (root, tree) = (tree.hash, Arc::new(tree));
        *lock(&self.prepared) = Some(Prepared { before, tree });
        Ok(root)
    }

    /// The next version is not what was prepared.
    pub(crate) fn forget_prepared(&self) {
        *lock(&self.prepared) = None;
    }

    /// The version with this root that follows `before`: what was prepared, or what `make` gives.
    pub(crate) fn next(
        &self,
        before: &Arc<Tree>,
        root: &B256,
        make: impl FnOnce() -> Result<Tree, StoreError>,
    ) -> Result<Arc<Tree>, StoreError> {
        let prepared = lock(&self.prepared).take();
        let fits =
            |known: &Prepared| Arc::ptr_eq(&known.before, before) && known.tree.hash == *root;
        let tree = match prepared.filter(fits) {
            Some(known) => known.tree,
            None => Arc::new(make()?),
        };
        if tree.hash != *root {
            let text = format!(
                "accounts come to the root {}, the block says {root}",
                tree.hash
            );
            return Err(StoreError::Corrupt(text));
        }
        Ok(tree)
    }

    /// Writes a version behind the end of the log.
    pub(crate) fn stage(&self, from: Arc<Tree>) -> Result<(), StoreError> {
        let (committed, log) = {
            let mut versions = lock(&self.versions);
            versions.staged = None;
            (versions.committed.clone(), versions.log.clone())
        };
        if Arc::ptr_eq(&from, &committed) || from.changed == 0 {
            return Ok(());
        }
        let victims = log.victims(COPIED_BYTES.0 * from.changed + COPIED_BYTES.1);
        committed.segments.expect(&victims);
        let mut writing = Writing {
            tree: &committed,
            appender: Appender::new(&self.folder, self.sync, log, committed.segments.clone()),
            victims,
            fresh: Vec::new(),
            freed: Vec::new(),
        };
        let root = writing.child(&committed.root, &from.root)?;
        let (fresh, freed) = (writing.fresh, writing.freed);
        let (log, segments, unused) = writing.appender.finish()?;
        let tree = Arc::new(Tree {
            generation: committed.generation + 1,
            root,
            hash: from.hash,
            grown: 0,
            changed: 0,
            book: from.book,
            segments,
        });
        lock(&self.versions).staged = Some(Staged {
            from,
            tree,
            log,
            fresh,
            freed,
            unused,
        });
        Ok(())
    }

    /// Writes the row of what is staged, and the count of accounts.
    pub(crate) fn write(&self, tables: &Tables, txn: &mut RwTxn<'_>) -> Result<(), StoreError> {
        let versions = lock(&self.versions);
        let Some(Staged {
            from, tree, log, ..
        }) = &versions.staged
        else {
            return Ok(());
        };
        let row = [
            &tree.generation.to_be_bytes()[..],
            &tree.root.place().to_bytes(),
            &log.segment.to_be_bytes(),
            &(log.offset as u32).to_be_bytes(),
            tree.book.as_ref().map_or(&[], |book| book.as_slice()),
        ];
        let meta = tables.of(Table::Meta);
        meta.put(txn, Meta::NEAR, &row.concat())?;
        if from.grown != 0 {
            let count = tables.accounts(txn)?.saturating_add_signed(from.grown);
            tables.set_accounts(txn, count)?;
        }
        Ok(())
    }

    /// What was staged is committed. Gives it as it was staged and as it is in the log.
    pub(crate) fn committed(&self) -> Option<(Arc<Tree>, Arc<Tree>)> {
        let mut versions = lock(&self.versions);
        let staged = versions.staged.take()?;
        versions.committed = staged.tree.clone();
        versions.log = staged.log;
        drop(versions);
        // Not before: what is staged and not committed leaves its places to others.
        let kept = &staged.tree.segments.kept;
        kept.forget(staged.freed);
        kept.put(staged.fresh);
        for number in staged.unused {
            // One that stays is removed when the store is opened the next time.
            let _ = std::fs::remove_file(self.folder.join(format!("{number:08x}")));
        }
        Some((staged.from, staged.tree))
    }
}

impl Tables {
    /// How many accounts there are.
    pub(crate) fn accounts(&self, txn: &RoTxn<'_>) -> Result<u64, StoreError> {
        let stored = self.of(Table::Meta).get(txn, Meta::ACCOUNTS)?;
        stored.map_or(Ok(0), |bytes| {
            read_u64(bytes)
                .ok_or_else(|| StoreError::Corrupt("meta row of the count of accounts".into()))
        })
    }

    pub(crate) fn set_accounts(&self, txn: &mut RwTxn<'_>, count: u64) -> Result<(), StoreError> {
        let meta = self.of(Table::Meta);
        Ok(meta.put(txn, Meta::ACCOUNTS, &count.to_be_bytes())?)
    }
}

#[cfg(test)]
mod tests;
