//! Sealing, committing, pruning.
use crate::journal::{Due, Entry};
use crate::key::{history, Key};
use crate::near::{is_near, Tree};
use crate::posting::Tail;
use crate::record::{rows_of, BlockRecord};
use crate::row::Row;
use crate::shared::{lock, Meta, Shared, Writer};
use crate::snapshot::Snapshot;
use crate::table::{Table, Undo};
use crate::{Store, StoreError};
use alloy_primitives::B256;
use heed::RwTxn;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::Arc;

/// Heights pruned in one transaction.
const PRUNE_HEIGHTS: u64 = 256;

/// Keys that each height changed, as the table `diff` holds them.
type Diffs = BTreeMap<u64, Vec<u8>>;

impl Store {
    /// Takes a sealed block in as the new tip: readable at once, durable after [`Store::commit`].
    ///
    /// # Errors
    /// It does not follow the tip, its accounts come to another state root, or the store cannot be read.
    pub fn seal(&self, record: BlockRecord) -> Result<(), StoreError> {
        let tip = self.tip();
        let next = tip.map_or(0, |(height, _)| height + 1);
        if record.height != next {
            return Err(StoreError::Gap {
                height: record.height,
                next,
            });
        }
        let new_tip = (record.height, record.hash);
        let before = match tip {
            Some(_) => Some(Snapshot::open(&self.shared, None)?),
            None => None,
        };
        let root = record.state_root;
        let rows = rows_of(record, self.shared.secret, |index| match &before {
            Some(before) => before.get(&Key::forced(index)),
            None => Ok(None),
        })?;
        let parent = self.shared.accounts(&lock(&self.shared.chain));
        let follow = |parent: &Arc<Tree>| {
            let near = &self.shared.near;
            near.next(parent, &root, || parent.with_rows(rows.iter()))
        };
        let mut accounts = follow(&parent)?;
        let entry = Entry::of(&rows, new_tip);
        let mut chain = lock(&self.shared.chain);
        if chain.tip != tip {
            let next = chain.tip.map_or(0, |(height, _)| height + 1);
            return Err(StoreError::Gap {
                height: new_tip.0,
                next,
            });
        }
        let newest = self.shared.accounts(&chain);
        if !Arc::ptr_eq(&newest, &parent) {
            // A commit came in between: the parent's records have places now.
            accounts = follow(&newest)?;
        }
        chain.push(rows, new_tip, Some(accounts));
        lock(&self.shared.fresh).push(new_tip.0, entry);
        self.shared.changed();
        Ok(())
    }

    /// Makes every sealed block durable, at once: few rows by the journal, many by LMDB.
    ///
    /// # Errors
    /// The disk is full or broken; nothing was written then.
    pub fn commit(&self) -> Result<(), StoreError> {
        let mut writer = lock(&self.shared.writer);
        let due = {
            let _chain = lock(&self.shared.chain);
            lock(&self.shared.fresh).take()
        };
        let Due::Small(entries) = due else {
            return self.shared.commit_pending(&mut writer);
        };
        let Some(last) = entries.last().map(|entry| entry.tip) else {
            return Ok(());
        };
        let appended = writer.journal.append(&entries);
        {
            let _chain = lock(&self.shared.chain);
            let mut fresh = lock(&self.shared.fresh);
            match appended {
                Ok(true) => fresh.durable = Some(last),
                _ => fresh.leave(last.0),
            }
        }
        if appended? {
            return Ok(());
        }
        self.shared.commit_pending(&mut writer)
    }

    /// Makes every sealed block durable in LMDB, where a [`Check`](crate::Check) and [`View::chunk`](crate::View::chunk)
    /// look.
    ///
    /// # Errors
    /// The disk is full or broken; nothing was written then.
    pub fn settle(&self) -> Result<(), StoreError> {
        self.shared.commit_pending(&mut lock(&self.shared.writer))
    }

    /// Height and hash of the newest sealed block.
    pub fn tip(&self) -> Option<(u64, B256)> {
        lock(&self.shared.chain).tip
    }

    /// Counts changes of what views show.
    pub(crate) fn version(&self) -> u64 {
        self.shared.version.load(Ordering::Acquire)
    }

    /// Height and hash of the newest durable block.
    pub fn durable_tip(&self) -> Option<(u64, B256)> {
        lock(&self.shared.fresh).durable
    }

    /// Lowest height whose state can be viewed or unwound to.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn oldest_state(&self) -> Result<u64, StoreError> {
        let shared = &self.shared;
        shared.read(|txn| Meta::oldest(&shared.tables, txn))
    }

    /// Drops what is needed to view or unwind to heights below `keep_from`. Blocks stay.
    ///
    /// # Errors
    /// `keep_from` is above the newest durable block, or the store cannot be written.
    pub fn prune(&self, keep_from: u64) -> Result<(), StoreError> {
        let mut writer = lock(&self.shared.writer);
        let tip = self.durable_tip().map_or(0, |(height, _)| height);
        if keep_from > tip {
            return Err(StoreError::AboveTip {
                height: keep_from,
                tip,
            });
        }
        let shared = &self.shared;
        let written = shared.read(|txn| Meta::tip(&shared.tables, txn))?;
        if written.is_some_and(|(height, _)| height < keep_from) {
            shared.commit_pending(&mut writer)?;
        }
        let mut oldest = self.oldest_state()?;
        while oldest < keep_from {
            let until = keep_from.min(oldest + PRUNE_HEIGHTS);
            self.shared
                .write(|txn| self.shared.prune_heights(txn, oldest + 1, until))?;
            oldest = until;
        }
        Ok(())
    }
}

impl Shared {
    /// Has LMDB take all that is pending; the journal begins anew. The caller is the writer.
    pub(crate) fn commit_pending(&self, writer: &mut Writer) -> Result<(), StoreError> {
        let pending = lock(&self.chain).clone();
        let Some((height, hash)) = pending.tip else {
            return Ok(());
        };
        let rows = pending.all_rows();
        if rows.is_empty() {
            return Ok(());
        }
        let postings: Vec<(u64, &[u8])> = rows
            .iter()
            .filter(|row| Table::undo(row.key[0]) == Undo::Cut)
            .filter_map(|row| Some((row.height, row.value.as_deref()?)))
            .collect();
        self.expect_rows(&rows)?;
        let accounts = match pending.accounts.clone() {
            Some(accounts) => accounts,
            None => Arc::new(self.near.newest().with_rows(rows.iter().copied())?),
        };
        self.near.stage(accounts)?;
        let new_tail = Cell::new(Tail::default());
        self.write(|txn| {
            let first = Meta::tip(&self.tables, txn)?.is_none();
            let mut diffs = Diffs::new();
            new_tail.set(self.write_postings(txn, &writer.tail, &postings)?);
            self.near.write(&self.tables, txn)?;
            for of_key in rows.chunk_by(|one, next| one.key == next.key) {
                self.write_key(txn, of_key, first, &mut diffs)?;
            }
            let bucket = self.tables.of(Table::Diff);
            for (height, keys) in &diffs {
                bucket.put(txn, &height.to_be_bytes(), keys)?;
            }
            let generation = writer.journal.next_generation();
            let meta = self.tables.of(Table::Meta);
            meta.put(txn, Meta::JOURNAL, &generation.to_be_bytes())?;
            self.write_tip(txn, height, hash)
        })?;
        writer.tail = new_tail.into_inner();
        writer.journal.written();
        drop(rows);
        drop(pending);
        let mut chain = lock(&self.chain);
        chain.drop_to(height, self.near.committed());
        lock(&self.fresh).written((height, hash));
        drop(chain);
        self.changed();
        Ok(())
    }

    pub(crate) fn write_tip(
        &self,
        txn: &mut RwTxn<'_>,
        height: u64,
        hash: B256,
    ) -> Result<(), StoreError> {
        let tip = [&height.to_be_bytes()[..], hash.as_slice()].concat();
        self.tables.of(Table::Meta).put(txn, Meta::TIP, &tip)?;
        Ok(())
    }

    /// Writes the last value of a key, and what it was before each of the blocks that changed it.
    fn write_key(
        &self,
        txn: &mut RwTxn<'_>,
        rows: &[&Row],
        first: bool,
        diffs: &mut Diffs,
    ) -> Result<(), StoreError> {
        let Some(last) = rows.last() else {
            return Ok(());
        };
        let undo = Table::undo(last.key[0]);
        if undo == Undo::Cut {
            return Ok(());
        }
        if !is_near(&last.key) {
            self.tables.put(txn, &last.key, last.value.as_deref())?;
        }
        // Nothing goes below the first block, so its changes are never taken back.
        let undone = rows.iter().filter(|row| !(first && row.height == 0));
        if matches!(undo, Undo::Rebuild | Undo::Never) {
            return Ok(());
        }
        for row in undone {
            if undo == Undo::Restore {
                let key = history(&row.key, row.height);
                let before = row.before.as_deref().unwrap_or_default();
                self.tables.of(Table::History).put(txn, &key, before)?;
            }
            let keys = diffs.entry(row.height).or_default();
            keys.push(row.key.len() as u8);
            keys.extend_from_slice(&row.key);
        }
        Ok(())
    }

    /// Forgets how the blocks of `first..=last` are taken back.
    fn prune_heights(&self, txn: &mut RwTxn<'_>, first: u64, last: u64) -> Result<(), StoreError> {
        let (diff, past) = (self.tables.of(Table::Diff), self.tables.of(Table::History));
        for height in first..=last {
            let row = diff.get(txn, &height.to_be_bytes())?.map(<[u8]>::to_vec);
            for key in diff_keys(row.as_deref().unwrap_or_default(), height)? {
                if Table::undo(key[0]) == Undo::Restore {
                    past.delete(txn, &history(key, height))?;
                }
            }
            diff.delete(txn, &height.to_be_bytes())?;
        }
        let meta = self.tables.of(Table::Meta);
        meta.put(txn, Meta::OLDEST, &last.to_be_bytes())?;
        Ok(())
    }
}

/// The keys in a row of the table `diff`; none is empty.
pub(crate) fn diff_keys(mut row: &[u8], height: u64) -> Result<Vec<&[u8]>, StoreError> {
    let mut keys = Vec::new();
    while let Some((&len, rest)) = row.split_first() {
        let (key, after) = rest
            .split_at_checked(usize::from(len))
            .filter(|(key, _)| !key.is_empty())
            .ok_or_else(|| StoreError::Corrupt(format!("reverse diff of height {height}")))?;
        keys.push(key);
        row = after;
    }
    Ok(keys)
}
