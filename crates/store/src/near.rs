//! Accounts, and with them the nodes of their trie, in a log of records.
//!
//! Where the state is larger than memory, what a block costs is the pages that it touches. Accounts whose hashes begin alike
//! lie in one record here, a *unit*, with the node above them: one page is fetched for an account and all nodes below that
//! one, which follow from the accounts. Above the units are *branches*, records of sixteen places, which are in memory as
//! well. What a commit changes is written at the end of the log, units and all branches above them, in one run; the row
//! `near` of LMDB's table `meta` says where the root's record lies and where the log ends, so that the transaction that
//! writes it makes all of it count at once. Segments of the log that are mostly used no more are emptied by the way.
//!
//! ```text
//! near   generation u64 ‖ place of the root u64 ‖ last segment u32 ‖ end in it u32
//! ```
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
use bedroll_core::trie::hash_all;
use heed::{RoTxn, RwTxn};
pub(crate) use segment::PAGE_BYTES;
use segment::{Appender, Log, Place, Segments};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
pub(crate) use tree::Tree;
use write::{Change, Nodes, Writing};

/// Name of the folder of segments.
const FOLDER: &str = "accounts";
/// Bytes of records that a commit copies out of segments for each account that it changes, and beside.
const COPIED_BYTES: (u64, u64) = (512, 256 << 10);

/// A key of a table and its value; None: nothing any more.
type Pair<'a> = (&'a [u8], Option<&'a [u8]>);

/// What blocks change of accounts and nodes of their trie: the last value of each.
#[derive(Debug, Default)]
pub(crate) struct Changes<'a> {
    /// In the order of hashes.
    accounts: Vec<Change<'a>>,
    nodes: Vec<Pair<'a>>,
}

impl<'a> Changes<'a> {
    /// Whether a key is one of these.
    pub(crate) fn has(row_key: &[u8]) -> bool {
        let table = row_key.first().copied();
        table == Some(Table::Account as u8) || table == Some(Table::AccountNode as u8)
    }

    /// Of all rows, sorted by key and height.
    pub(crate) fn of(rows: &[&'a Row]) -> Self {
        Self::new(rows.iter().map(|row| (&row.key[..], row.value.as_deref())))
    }

    /// Of keys with their values, as rows have them; of several of one key the last counts.
    pub(crate) fn new(rows: impl Iterator<Item = Pair<'a>>) -> Self {
        let mut changes = Changes::default();
        let mut accounts: Vec<Pair<'_>> = Vec::new();
        for (key, value) in rows.filter(|(key, _)| Self::has(key)) {
            let own = &key[1..];
            if key[0] == Table::AccountNode as u8 {
                changes.nodes.push((own, value));
                continue;
            }
            match accounts.last_mut() {
                Some(last) if last.0 == own => last.1 = value,
                _ => accounts.push((own, value)),
            }
        }
        changes.accounts = sorted(&accounts);
        changes
    }
}

/// Accounts, each named once, in the order of the trie.
fn sorted<'a>(accounts: &[Pair<'a>]) -> Vec<Change<'a>> {
    let addresses: Vec<&[u8]> = accounts.iter().map(|(address, _)| *address).collect();
    let hashes = hash_all(&addresses).into_iter();
    let mut changes: Vec<Change<'a>> = (hashes.zip(accounts))
        .map(|(hash, &(address, flat))| Change {
            hash,
            address,
            flat,
        })
        .collect();
    changes.sort_unstable_by_key(|change| change.hash);
    changes
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
    tree: Arc<Tree>,
    log: Log,
    /// Segments that it does not need any more.
    unused: Vec<u32>,
    /// Accounts that came, less those that went.
    grown: i64,
}

/// The accounts of a store. The one writer stages a version, writes its row in a transaction, and says when that is
/// committed.
#[derive(Debug)]
pub(crate) struct Near {
    folder: PathBuf,
    sync: bool,
    versions: Mutex<Versions>,
}

/// The row of `meta`.
#[derive(Default)]
struct Head {
    generation: u64,
    root: Place,
    segment: u32,
    offset: u32,
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
            Some(Head {
                generation: u64::from_be_bytes(*generation),
                root: Place::from_bytes(*root),
                segment: u32::from_be_bytes(*segment),
                offset: u32::from_be_bytes(rest.try_into().ok()?),
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
        let tree = Tree::load(head.generation, head.root, segments)?;
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
        })
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

    /// Writes changes behind the end of the log.
    pub(crate) fn stage(&self, changes: Changes<'_>) -> Result<(), StoreError> {
        self.append(&changes.accounts, Some(&changes.nodes))
    }

    /// The same with accounts that nobody gives nodes for: addresses and flat forms.
    pub(crate) fn stage_accounts<'a>(
        &self,
        accounts: impl Iterator<Item = (&'a [u8], &'a [u8])>,
    ) -> Result<(), StoreError> {
        let rows: Vec<_> = accounts
            .map(|(address, flat)| (address, Some(flat)))
            .collect();
        let mut changes = sorted(&rows);
        changes.dedup_by_key(|change| change.hash);
        self.append(&changes, None)
    }

    fn append(&self, changes: &[Change<'_>], nodes: Option<&[Pair<'_>]>) -> Result<(), StoreError> {
        let (tree, log) = {
            let mut versions = lock(&self.versions);
            versions.staged = None;
            (versions.committed.clone(), versions.log.clone())
        };
        if changes.is_empty() {
            return Ok(());
        }
        let budget = COPIED_BYTES.0 * changes.len() as u64 + COPIED_BYTES.1;
        let victims = match nodes {
            Some(_) => log.victims(budget),
            None => Vec::new(),
        };
        tree.segments.expect(&victims);
        // Those further down than any record follow from accounts.
        let nodes = nodes.map(|nodes| {
            let mut own = Nodes::default();
            own.reserve(nodes.len());
            let high = nodes
                .iter()
                .filter(|(path, _)| path.last() <= Some(&tree.depth));
            own.extend(high.copied());
            own
        });
        let mut writing = Writing {
            tree: &tree,
            appender: Appender::new(&self.folder, self.sync, log, tree.segments.clone()),
            nodes,
            victims,
            grown: 0,
            depth: tree.depth,
            room: Vec::new(),
        };
        let (root, _) = writing.child(&tree.root, 0, changes)?;
        let (grown, depth) = (writing.grown, writing.depth);
        let (log, segments, unused) = writing.appender.finish()?;
        let tree = Arc::new(Tree {
            generation: tree.generation + 1,
            root,
            depth,
            segments,
        });
        lock(&self.versions).staged = Some(Staged {
            tree,
            log,
            unused,
            grown,
        });
        Ok(())
    }

    /// Writes the row of what is staged, and the count of accounts.
    pub(crate) fn write(&self, tables: &Tables, txn: &mut RwTxn<'_>) -> Result<(), StoreError> {
        let versions = lock(&self.versions);
        let Some(Staged {
            tree, log, grown, ..
        }) = &versions.staged
        else {
            return Ok(());
        };
        let row = [
            &tree.generation.to_be_bytes()[..],
            &tree.root.place().to_bytes(),
            &log.segment.to_be_bytes(),
            &(log.offset as u32).to_be_bytes(),
        ];
        let meta = tables.of(Table::Meta);
        meta.put(txn, Meta::NEAR, &row.concat())?;
        if *grown != 0 {
            let count = tables.accounts(txn)?.saturating_add_signed(*grown);
            tables.set_accounts(txn, count)?;
        }
        Ok(())
    }

    /// What was staged is committed.
    pub(crate) fn committed(&self) {
        let mut versions = lock(&self.versions);
        let Some(staged) = versions.staged.take() else {
            return;
        };
        versions.committed = staged.tree;
        versions.log = staged.log;
        drop(versions);
        for number in staged.unused {
            // One that stays is removed when the store is opened the next time.
            let _ = std::fs::remove_file(self.folder.join(format!("{number:08x}")));
        }
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
