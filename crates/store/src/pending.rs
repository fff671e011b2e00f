//! Blocks that are sealed and not yet durable.
use crate::near::Tree;
use crate::row::{self, Row};
use alloy_primitives::B256;
use std::sync::Arc;

/// Rows of sealed blocks that are not durable, in sorted runs; readers share it, and it never changes.
///
/// A new block's run merges with its neighbour while that is not much longer, so that there are few runs however
/// many blocks wait, and a row is merged a few times only.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pending {
    /// Oldest blocks first.
    runs: Vec<Arc<Vec<Arc<Row>>>>,
    /// Height and hash of the newest block, pending or not.
    pub(crate) tip: Option<(u64, B256)>,
    /// Accounts as of the newest block, if it is pending.
    pub(crate) accounts: Option<Arc<Tree>>,
}

impl Pending {
    pub(crate) fn at(tip: Option<(u64, B256)>) -> Self {
        Pending {
            runs: Vec::new(),
            tip,
            accounts: None,
        }
    }

    /// With one more block. Without accounts they follow from the rows when they are committed.
    pub(crate) fn push(&mut self, rows: Vec<Row>, tip: (u64, B256), accounts: Option<Arc<Tree>>) {
        let mut rows: Vec<Arc<Row>> = rows.into_iter().map(Arc::new).collect();
        while let Some(last) = self.runs.pop_if(|last| last.len() <= 2 * rows.len()) {
            rows = row::merge(&last, &rows);
        }
        self.runs.push(Arc::new(rows));
        self.tip = Some(tip);
        self.accounts = accounts;
    }

    /// Without the blocks up to `height`, which are durable now; `moved`: their accounts before, and in the log.
    pub(crate) fn drop_to(&mut self, height: u64, moved: Option<(Arc<Tree>, Arc<Tree>)>) {
        let newer = self.tip.is_some_and(|(tip, _)| tip > height);
        let accounts = self.accounts.take().filter(|_| newer);
        self.accounts = match (accounts, moved) {
            (Some(own), Some((from, to))) => Some(Arc::new(own.on(&from, &to))),
            (own, _) => own,
        };
        self.runs
            .retain(|run| run.iter().any(|row| row.height > height));
        for run in &mut self.runs {
            if run.iter().any(|row| row.height <= height) {
                Arc::make_mut(run).retain(|row| row.height > height);
            }
        }
    }

    /// All rows, by key and height.
    pub(crate) fn all_rows(&self) -> Vec<&Row> {
        let mut rows: Vec<&Row> = self
            .runs
            .iter()
            .flat_map(|run| run.iter())
            .map(|row| &**row)
            .collect();
        // The runs are sorted: this merges them.
        rows.sort_by(|one, other| one.order().cmp(&other.order()));
        rows
    }

    /// What the newest block up to `height` that wrote `key` left there; None if no pending one did.
    pub(crate) fn get(&self, key: &[u8], height: u64) -> Option<Option<&[u8]>> {
        let mut newest_first = self.runs.iter().rev();
        let row = newest_first.find_map(|run| row::find(run, key, height))?;
        Some(row.value.as_deref())
    }

    /// The row with the least key in `first..=last`, of keys that are written once.
    pub(crate) fn next(&self, first: &[u8], last: &[u8]) -> Option<&Row> {
        let least = self.runs.iter().filter_map(|run| {
            let at = run.partition_point(|row| *row.key < *first);
            run.get(at).filter(|row| *row.key <= *last)
        });
        least.map(|row| &**row).min_by_key(|row| row.height)
    }

    /// The row with the greatest key in `first..=last`, of keys that are written once.
    pub(crate) fn previous(&self, first: &[u8], last: &[u8]) -> Option<&Row> {
        let greatest = self.runs.iter().filter_map(|run| {
            let after = run.partition_point(|row| *row.key <= *last);
            run[..after].last().filter(|row| *row.key >= *first)
        });
        greatest.map(|row| &**row).max_by_key(|row| row.height)
    }

    /// Rows whose key is in `first..=last`, oldest run first.
    pub(crate) fn range<'a>(
        &'a self,
        first: &'a [u8],
        last: &'a [u8],
    ) -> impl Iterator<Item = &'a Row> {
        self.runs.iter().flat_map(move |run| {
            let start = run.partition_point(|row| *row.key < *first);
            let rows = run[start..].iter().map(|row| &**row);
            rows.take_while(move |row| *row.key <= *last)
        })
    }
}
