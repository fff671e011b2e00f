//! Bringing a store of an earlier schema to this one.
//!
//! Migrations run in order, each in steps of one transaction. The version is the new one from the first step on, so
//! that older programs keep away, and a row beside it says how far the migration has come: a process that dies goes
//! on there.
use crate::engine::{index_of_stored, Index};
use crate::key::{read_u64, Key};
use crate::near::Listed;
use crate::posting::{segment_of, Tail};
use crate::record::terms_of;
use crate::shared::{Meta, Shared};
use crate::table::Table;
use crate::StoreError;
use alloy_primitives::{keccak256, B256};
use heed::RwTxn;
use std::cell::Cell;
use std::ops::Bound;
use std::sync::Arc;

/// How much of a migration one transaction does.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    pub(crate) blocks: u64,
    pub(crate) body_bytes: usize,
    pub(crate) accounts: u64,
}

impl Default for Pace {
    fn default() -> Self {
        Pace {
            blocks: 1_000,
            body_bytes: 32 << 20,
            accounts: 4_000_000,
        }
    }
}

/// One step from a cursor (0 at first); the next one, or None where the migration is done.
type Step = fn(&Shared, &mut RwTxn<'_>, Pace, u64) -> Result<Option<u64>, StoreError>;

/// By the version that each leads to. A published one never changes.
const MIGRATIONS: [(u32, Step); 6] = [
    (2, index_blocks),
    (3, gather_accounts),
    (4, refuse_older),
    (5, log_accounts),
    (6, refuse_older),
    (7, refuse_older),
];

/// Last byte of an account's key in the table `near` of schemas 3 and 4.
const ACCOUNT: u8 = 0xff;

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
                self.near.committed();
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

/// To 3: accounts come into the order of the trie, a part of it at a time, so that each page of the new table is written
/// about once. Nodes stay behind, as 5 makes them anew. The cursor is the count of parts and the next part, four bytes each.
fn gather_accounts(
    shared: &Shared,
    txn: &mut RwTxn<'_>,
    pace: Pace,
    cursor: u64,
) -> Result<Option<u64>, StoreError> {
    let tables = shared.tables;
    let old = tables.of(Table::Account);
    let count = old.len(txn)?;
    let (parts, part) = match cursor {
        0 => (count / pace.accounts.max(1) + 1, 0),
        _ => (cursor >> 32, cursor & u64::from(u32::MAX)),
    };
    // The leading bits of a key, as a fraction of all, name the part.
    let (mut order, mut bytes): (Vec<(B256, usize, usize)>, Vec<u8>) = Default::default();
    for row in old.iter(txn)? {
        let (address, flat) = row?;
        let hash = keccak256(address);
        let lead = hash
            .iter()
            .take(8)
            .fold(0, |lead, byte| lead << 8 | u128::from(*byte));
        if ((lead * u128::from(parts)) >> 64) as u64 == part {
            order.push((hash, bytes.len(), address.len() + flat.len()));
            bytes.extend_from_slice(address);
            bytes.extend_from_slice(flat);
        }
    }
    order.sort_unstable();
    let near = tables.of(Table::Near);
    for (hash, start, length) in &order {
        let key = [hash.as_slice(), &[ACCOUNT]].concat();
        near.put(txn, &key, &bytes[*start..start + length])?;
    }
    if part + 1 < parts {
        return Ok(Some(parts << 32 | (part + 1)));
    }
    tables.set_accounts(txn, count)?;
    old.clear(txn)?;
    Ok(None)
}

/// Nothing changes but the number, so that older programs refuse the store: to 4, as they do not read the journal, to 6, as they
/// do not know units with the first bytes of hashes only, and to 7, as they do not know the bit of accounts in the AddressBook.
fn refuse_older(_: &Shared, _: &mut RwTxn<'_>, _: Pace, _: u64) -> Result<Option<u64>, StoreError> {
    Ok(None)
}

/// To 5: accounts come into the log, a part of the trie at a time, and nodes are made from them. The cursor is as in 3.
fn log_accounts(
    shared: &Shared,
    txn: &mut RwTxn<'_>,
    pace: Pace,
    cursor: u64,
) -> Result<Option<u64>, StoreError> {
    let tables = shared.tables;
    let (parts, part) = match cursor {
        0 => {
            let count = tables.accounts(txn)?;
            // Whatever comes into the log is counted there.
            tables.set_accounts(txn, 0)?;
            (count / pace.accounts.div_ceil(8).max(1) + 1, 0)
        }
        _ => (cursor >> 32, cursor & u64::from(u32::MAX)),
    };
    let edge =
        |part: u64| ((u128::from(part) << 64).div_ceil(u128::from(parts)) as u64).to_be_bytes();
    let (first, next) = (edge(part), edge(part + 1));
    let end = if part + 1 == parts {
        Bound::Unbounded
    } else {
        Bound::Excluded(&next[..])
    };
    let old = tables.of(Table::Near);
    let mut rows = Vec::new();
    for row in old.range(txn, &(Bound::Included(&first[..]), end))? {
        let (key, value) = row?;
        if key.len() == 33 && key[32] == ACCOUNT {
            let short = || StoreError::Corrupt("table `near`: an account is too short".into());
            let (address, flat) = value.split_at_checked(20).ok_or_else(short)?;
            rows.push((address, Some(flat), Listed::Unknown));
        }
    }
    let accounts = shared.near.newest().with_flat(rows.into_iter())?;
    shared.near.stage(Arc::new(accounts))?;
    shared.near.write(&tables, txn)?;
    if part + 1 < parts {
        return Ok(Some(parts << 32 | (part + 1)));
    }
    old.clear(txn)?;
    tables.of(Table::AccountNode).clear(txn)?;
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Engine, LogFilter};
    use crate::{Check, Store, StoreOptions};
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

    /// More steps than any of these takes.
    const ALL: usize = 999;

    /// Brings the store as far as `steps` go, and lets go of it there as a death of the process would.
    fn interrupted(folder: &Path, steps: usize) -> bool {
        let genesis = Store::stored_genesis(folder).unwrap();
        let store = Store::open_as_it_is(folder, genesis, UNSYNCED).unwrap();
        let pace = Pace {
            blocks: 4,
            accounts: 3,
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

    /// All that a check finds wrong.
    fn problems(folder: &Path) -> Vec<String> {
        let genesis = Store::stored_genesis(folder).unwrap();
        let store = Store::open(folder, genesis, UNSYNCED).unwrap();
        let view = store.view(None).unwrap();
        let tip = view.height();
        let mut check = Check::new(view);
        check.blocks(0, tip).unwrap();
        for part in 0..=255 {
            check.tries(part).unwrap();
        }
        let mut after = None;
        loop {
            after = check.flat(after.as_deref(), 7).unwrap();
            if after.is_none() {
                break;
            }
        }
        let oldest = store.oldest_state().unwrap();
        check.past(&store.view(Some(oldest)).unwrap()).unwrap();
        check.finish().unwrap();
        check.problems
    }

    fn answers(file: &str, steps: usize) -> (bool, Vec<u8>) {
        let genesis = String::from_utf8(unpacked("schema_1.genesis.json.gz")).unwrap();
        let filter = LogFilter {
            last: 99,
            limit: 99,
            ..LogFilter::default()
        };
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("data.mdb"), unpacked(file)).unwrap();
        let log = file.replace(".mdb.", ".accounts.");
        if Path::new(VECTORS).join(&log).exists() {
            let accounts = folder.path().join("accounts");
            std::fs::create_dir(&accounts).unwrap();
            std::fs::write(accounts.join("00000001"), unpacked(&log)).unwrap();
        }
        let done = interrupted(folder.path(), steps);
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
        drop(engine);
        assert_eq!(problems(folder.path()), Vec::<String>::new());
        (done, found)
    }

    #[test]
    fn a_migration_goes_on_where_it_was_interrupted() {
        let first = answers("schema_1.mdb.gz", ALL);
        assert!(first.0 && first.1.len() > 10_000);
        for steps in [0, 1, 2, 5, 8, 9, 10, 11, 12, 15] {
            let (done, answer) = answers("schema_1.mdb.gz", steps);
            assert!(!done, "{steps}");
            assert_eq!(answer, first.1);
        }
        for schema in 2..=6 {
            let file = format!("schema_{schema}.mdb.gz");
            for steps in [0, 1, 2, 4, 7, ALL] {
                let (done, answer) = answers(&file, steps);
                // Each of the last two is one step.
                let done_at = [(5, 2), (6, 1)].into_iter().find(|(of, _)| *of == schema);
                let done_at = done_at.map_or(ALL, |(_, steps)| steps);
                assert_eq!(done, steps >= done_at, "{schema} {steps}");
                assert_eq!(answer, first.1);
            }
        }
    }
}
