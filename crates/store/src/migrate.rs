//! Bringing a store of an earlier schema to this one.
//!
//! Migrations run in order, each in steps of one transaction. The version is the new one from the first step on, so
//! that older programs keep away, and a row beside it says how far the migration has come: a process that dies goes
//! on there.
use crate::engine::index_of_stored;
use crate::key::{read_u64, Key};
use crate::posting::{segment_of, Tail};
use crate::record::terms_of;
use crate::shared::{Meta, Shared};
use crate::table::Table;
use crate::StoreError;
use heed::RwTxn;
use std::cell::Cell;

/// How much of a migration one transaction does.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    pub(crate) blocks: u64,
    pub(crate) body_bytes: usize,
}

impl Default for Pace {
    fn default() -> Self {
        Pace {
            blocks: 1_000,
            body_bytes: 32 << 20,
        }
    }
}

/// One step from a cursor (0 at first); the next one, or None where the migration is done.
type Step = fn(&Shared, &mut RwTxn<'_>, Pace, u64) -> Result<Option<u64>, StoreError>;

/// By the version that each leads to. A published one never changes.
const MIGRATIONS: [(u32, Step); 1] = [(2, index_blocks)];

impl Meta {
    /// Version of the stored schema, and how far the migration to it has come if it is not done.
    pub(crate) fn schema(bytes: &[u8]) -> u32 {
        bytes.try_into().map_or(0, u32::from_be_bytes)
    }
}

impl Shared {
    /// Runs what the stored version lacks, until `go_on` is false; whether all is done.
    pub(crate) fn migrate(
        &self,
        pace: Pace,
        mut go_on: impl FnMut() -> bool,
    ) -> Result<bool, StoreError> {
        let meta = self.tables.of(Table::Meta);
        for (to, step) in MIGRATIONS {
            loop {
                let done = Cell::new(false);
                let state = self.read(|txn| {
                    let version = meta.get(txn, Meta::SCHEMA)?.map_or(0, Meta::schema);
                    let cursor = meta.get(txn, Meta::MIGRATION)?.and_then(read_u64);
                    Ok((version, cursor))
                })?;
                let cursor = match state {
                    (version, Some(cursor)) if version == to => cursor,
                    (version, _) if version >= to => break,
                    _ => 0,
                };
                if !go_on() {
                    return Ok(false);
                }
                self.write(|txn| {
                    let next = step(self, txn, pace, cursor)?;
                    meta.put(txn, Meta::SCHEMA, &to.to_be_bytes())?;
                    match next {
                        Some(next) => meta.put(txn, Meta::MIGRATION, &next.to_be_bytes())?,
                        None => {
                            meta.delete(txn, Meta::MIGRATION)?;
                        }
                    }
                    done.set(next.is_none());
                    Ok(())
                })?;
                if done.get() {
                    break;
                }
            }
        }
        Ok(true)
    }
}

/// To 2: places and postings from the bodies, then the tables go that they replace. The cursor is the next height.
fn index_blocks(
    shared: &Shared,
    txn: &mut RwTxn<'_>,
    pace: Pace,
    from: u64,
) -> Result<Option<u64>, StoreError> {
    let tip = Meta::tip(&shared.tables, txn)?.map(|(height, _)| height);
    let Some(tip) = tip.filter(|tip| from <= *tip) else {
        shared.tables.of(Table::LogAddress).clear(txn)?;
        shared.tables.of(Table::LogTopic).clear(txn)?;
        return Ok(None);
    };
    let (mut segments, mut read_bytes, mut height) = (Vec::new(), 0, from);
    while height <= tip && height - from < pace.blocks && read_bytes < pace.body_bytes {
        let number = height.to_be_bytes();
        let missing = || StoreError::Corrupt(format!("block {height} is not stored"));
        let head = shared.tables.of(Table::Header).get(txn, &number)?;
        let body = shared.tables.of(Table::Body).get(txn, &number)?;
        let (head, body) = (head.ok_or_else(missing)?, body.ok_or_else(missing)?);
        read_bytes += body.len();
        let head = head.get(64..).ok_or_else(missing)?;
        let (places, logs, named) = index_of_stored(height, head, body)?;
        if let Some(bytes) = segment_of(shared.secret, height, terms_of(&logs, &named)) {
            segments.push((height, bytes));
        }
        if !places.is_empty() {
            shared.tables.of(Table::Place).put(txn, &number, &places)?;
            let diff = shared.tables.of(Table::Diff);
            if let Some(mut keys) = diff.get(txn, &number)?.map(<[u8]>::to_vec) {
                let key = Key::at_height(Table::Place, height);
                keys.push(key.row().len() as u8);
                keys.extend_from_slice(key.row());
                diff.put(txn, &number, &keys)?;
            }
        }
        height += 1;
    }
    let segments: Vec<(u64, &[u8])> = segments
        .iter()
        .map(|(height, bytes)| (*height, &bytes[..]))
        .collect();
    shared.write_postings(txn, &Tail::default(), &segments)?;
    Ok(Some(height))
}
