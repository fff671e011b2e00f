//! Rows: changes of keys by blocks, sorted, and how sorted lists of them merge.
use crate::table::{Table, Undo};
use std::sync::Arc;

/// What a block writes under a key.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    /// With its table's number.
    pub(crate) key: Box<[u8]>,
    pub(crate) height: u64,
    /// None: nothing any more.
    pub(crate) value: Option<Box<[u8]>>,
    /// What was there before this block, for keys whose change is taken back by putting it back.
    pub(crate) before: Option<Box<[u8]>>,
}

impl Row {
    pub(crate) fn order(&self) -> (&[u8], u64) {
        (&self.key, self.height)
    }
}

/// Sorts a block's rows by key; of several rows of one key the last counts.
pub(crate) fn sort(rows: &mut Vec<Row>) {
    rows.sort_by(|one, other| one.key.cmp(&other.key));
    rows.dedup_by(|later, kept| {
        let same = later.key == kept.key;
        if same {
            std::mem::swap(later, kept);
        }
        same
    });
}

/// Merges two lists sorted by key and height. Of trie nodes only the newest is kept: older ones serve nobody.
pub(crate) fn merge(older: &[Arc<Row>], newer: &[Arc<Row>]) -> Vec<Arc<Row>> {
    let mut out: Vec<Arc<Row>> = Vec::with_capacity(older.len() + newer.len());
    let mut push = |row: &Arc<Row>| {
        match out.last_mut() {
            Some(last) if last.key == row.key && Table::undo(row.key[0]) == Undo::Rebuild => {
                *last = row.clone();
            }
            _ => out.push(row.clone()),
        };
    };
    let (mut older, mut newer) = (older.iter().peekable(), newer.iter().peekable());
    while let (Some(one), Some(other)) = (older.peek(), newer.peek()) {
        let next = if one.order() <= other.order() {
            older.next()
        } else {
            newer.next()
        };
        next.into_iter().for_each(&mut push);
    }
    older.chain(newer).for_each(push);
    out
}

/// The newest of the rows of `key` at or below `height`, in a list sorted by key and height.
pub(crate) fn find<'a>(rows: &'a [Arc<Row>], key: &[u8], height: u64) -> Option<&'a Row> {
    let after = rows.partition_point(|row| row.order() <= (key, height));
    let row = rows[..after].last()?;
    (*row.key == *key).then_some(row)
}
