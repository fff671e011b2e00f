//! Bringing a store of an earlier schema to this one.
//!
//! Migrations run in order, each in steps of one transaction. The version is the new one from the first step on, so
//! that older programs keep away, and a row beside it says how far the migration has come: a process that dies goes
//! on there.
use crate::engine::{index_of_stored, Index};
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
        let Index {
            places,
            logs,
            named,
        } = index_of_stored(height, head, body)?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Engine, LogFilter};
    use crate::{Store, StoreOptions};
    use std::io::Read;
    use std::path::Path;

    const VECTORS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/vectors/store");
    const UNSYNCED: StoreOptions = StoreOptions {
        map_size_bytes: 1 << 24,
        sync: false,
    };

    fn unpacked(name: &str) -> Vec<u8> {
        let file = std::fs::File::open(Path::new(VECTORS).join(name)).unwrap();
        let mut bytes = Vec::new();
        flate2::read::GzDecoder::new(file)
            .read_to_end(&mut bytes)
            .unwrap();
        bytes
    }

    /// Brings the store as far as `steps` go, and lets go of it there as a death of the process would.
    fn interrupted(folder: &Path, steps: usize) -> bool {
        let genesis = Store::stored_genesis(folder).unwrap();
        let store = Store::open_as_it_is(folder, genesis, UNSYNCED).unwrap();
        let pace = Pace {
            blocks: 4,
            ..Pace::default()
        };
        let mut left = steps;
        store
            .shared
            .migrate(pace, || {
                let go = left > 0;
                left = left.saturating_sub(1);
                go
            })
            .unwrap()
    }

    #[test]
    fn a_migration_goes_on_where_it_was_interrupted() {
        let genesis = String::from_utf8(unpacked("schema_1.genesis.json.gz")).unwrap();
        let old = unpacked("schema_1.mdb.gz");
        let filter = LogFilter {
            last: 99,
            limit: 99,
            ..LogFilter::default()
        };
        let mut answers = Vec::new();
        for steps in [99, 0, 1, 2, 5, 8, 9, 10] {
            let folder = tempfile::tempdir().unwrap();
            std::fs::write(folder.path().join("data.mdb"), &old).unwrap();
            assert_eq!(interrupted(folder.path(), steps), steps >= 10, "{steps}");
            if steps == 5 {
                assert!(!interrupted(folder.path(), 1));
            }
            let engine = Engine::open(folder.path(), &genesis, UNSYNCED).unwrap();
            let found = engine.logs_json(&filter, 1 << 20).unwrap();
            let by_address = LogFilter {
                addresses: engine
                    .logs(&filter)
                    .unwrap()
                    .iter()
                    .map(|found| found.log.address)
                    .collect(),
                ..filter.clone()
            };
            assert_eq!(engine.logs_json(&by_address, 1 << 20).unwrap(), found);
            answers.push(found);
        }
        assert!(answers[0].len() > 10_000);
        assert!(answers.iter().all(|answer| *answer == answers[0]));
    }
}
