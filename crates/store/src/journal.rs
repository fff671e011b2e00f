//! The journal: small blocks made durable by one write at the end of a file, and one sync.
//!
//! LMDB rewrites every page on the way to each row, twenty and more for an empty block. So a commit of few rows is
//! appended here, and LMDB takes the rows of many commits at once when the journal has enough of them. Until then they
//! stay pending: readers find them in memory, and whoever opens the store after a death finds them here.
//!
//! ```text
//! file     record*                     as far as their sums hold, what follows is left from before
//! record   length u32 ‖ sum u64 ‖ generation u64 ‖ block*
//! block    height u64 ‖ hash ‖ rows u32 ‖ row*
//! row      key length u8 ‖ key ‖ value ‖ before
//! value    0, or length + 1, u32 ‖ bytes
//! ```
//! The length counts what follows the sum. Sums are SipHash-1-3 under the store's secret: what a client has in a block
//! cannot pass for a record. A generation ends when LMDB has all its blocks; the number of the one that counts is
//! written in that same transaction, so older records are void from that moment on, and the file is used from its
//! start again.
use crate::key::read_u64;
use crate::posting::Secret;
use crate::row::Row;
use crate::StoreError;
use alloy_primitives::B256;
use siphasher::sip::SipHasher13;
use std::fs::{File, OpenOptions};
use std::hash::Hasher;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// Rows of the blocks of a commit, at most; more go to LMDB at once, which is cheaper then.
pub(crate) const COMMIT_ROWS_MAX: usize = 1_024;
/// Rows in the journal, at most: so many are kept in memory, looked through by readers, and written to LMDB at once.
const ROWS_MAX: usize = 8_192;
/// Bytes in the journal, at most.
const BYTES_MAX: u64 = 4 << 20;
/// The file grows by so much: a sync is cheap where a write changes nothing of the file but bytes.
const GROWTH_BYTES: u64 = 256 << 10;
/// Length and sum.
const HEAD_BYTES: usize = 12;
const NAME: &str = "journal";

/// A block as a record has it.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) tip: (u64, B256),
    rows: usize,
    bytes: Vec<u8>,
}

impl Entry {
    /// None where a block has too many rows.
    pub(crate) fn of(rows: &[Row], tip: (u64, B256)) -> Option<Self> {
        if rows.len() > COMMIT_ROWS_MAX {
            return None;
        }
        let mut bytes = Vec::with_capacity(64 + 256 * rows.len());
        bytes.extend_from_slice(&tip.0.to_be_bytes());
        bytes.extend_from_slice(tip.1.as_slice());
        bytes.extend_from_slice(&u32::try_from(rows.len()).ok()?.to_be_bytes());
        for row in rows {
            bytes.push(u8::try_from(row.key.len()).ok()?);
            bytes.extend_from_slice(&row.key);
            for value in [&row.value, &row.before] {
                let Some(value) = value else {
                    bytes.extend_from_slice(&[0; 4]);
                    continue;
                };
                let mark = u32::try_from(value.len()).ok()?.checked_add(1)?;
                bytes.extend_from_slice(&mark.to_be_bytes());
                bytes.extend_from_slice(value);
            }
        }
        let rows = rows.len();
        (bytes.len() as u64 <= BYTES_MAX).then_some(Entry { tip, rows, bytes })
    }
}

/// Blocks that are sealed and not durable, as the journal would take them.
#[derive(Debug, Default)]
pub(crate) struct Fresh {
    /// Newest durable block.
    pub(crate) durable: Option<(u64, B256)>,
    entries: Vec<Entry>,
    rows: usize,
    /// Newest block that is not among the entries: the next commit is LMDB's.
    large: Option<u64>,
}

impl Fresh {
    pub(crate) fn at(durable: Option<(u64, B256)>) -> Self {
        Fresh {
            durable,
            ..Fresh::default()
        }
    }

    /// One more block.
    pub(crate) fn push(&mut self, height: u64, entry: Option<Entry>) {
        match entry.filter(|entry| self.rows + entry.rows <= COMMIT_ROWS_MAX) {
            Some(entry) => {
                self.rows += entry.rows;
                self.entries.push(entry);
            }
            None => self.leave(height),
        }
    }

    /// Leaves all blocks up to here to LMDB.
    pub(crate) fn leave(&mut self, height: u64) {
        self.entries.clear();
        self.rows = 0;
        self.large = Some(height);
    }

    /// What a commit has to write.
    pub(crate) fn take(&mut self) -> Due {
        if self.large.is_some() || self.durable.is_none() {
            return Due::Large;
        }
        self.rows = 0;
        Due::Small(std::mem::take(&mut self.entries))
    }

    /// LMDB has all blocks up to this one.
    pub(crate) fn written(&mut self, tip: (u64, B256)) {
        self.durable = Some(tip);
        self.entries.retain(|entry| entry.tip.0 > tip.0);
        self.rows = self.entries.iter().map(|entry| entry.rows).sum();
        self.large = self.large.filter(|large| *large > tip.0);
    }
}

/// What is to be made durable.
#[derive(Debug)]
pub(crate) enum Due {
    /// As a record; nothing if there are none.
    Small(Vec<Entry>),
    /// By LMDB.
    Large,
}

/// A block out of the journal.
pub(crate) type Found = ((u64, B256), Vec<Row>);

/// The file, and how far it is written.
#[derive(Debug)]
pub(crate) struct Journal {
    path: PathBuf,
    file: File,
    sync: bool,
    secret: Secret,
    generation: u64,
    end: u64,
    /// Bytes that the file has.
    length: u64,
    rows: usize,
}

fn sum(secret: Secret, content: &[u8]) -> u64 {
    let mut hasher = SipHasher13::new_with_keys(secret.0, secret.1);
    hasher.write(content);
    hasher.finish()
}

impl Journal {
    pub(crate) fn open(
        folder: &Path,
        secret: Secret,
        generation: u64,
        sync: bool,
    ) -> Result<Self, StoreError> {
        let path = folder.join(NAME);
        let mut options = OpenOptions::new();
        let options = options.read(true).write(true).create(true).truncate(false);
        let opened = options.open(&path).and_then(|file| {
            let length = file.metadata()?.len();
            Ok((file, length))
        });
        let (file, length) = opened.map_err(|error| failed(&path, error))?;
        Ok(Journal {
            path,
            file,
            sync,
            secret,
            generation,
            end: 0,
            length,
            rows: 0,
        })
    }

    /// Makes blocks durable; whether there was room for them.
    ///
    /// # Errors
    /// The disk is full or broken: they may or may not be found again, and belong to LMDB then.
    pub(crate) fn append(&mut self, entries: &[Entry]) -> Result<bool, StoreError> {
        let rows = self.rows + entries.iter().map(|entry| entry.rows).sum::<usize>();
        let bytes = 8 + entries.iter().map(|entry| entry.bytes.len()).sum::<usize>();
        let end = self.end + (HEAD_BYTES + bytes) as u64;
        if rows > ROWS_MAX || end > BYTES_MAX {
            return Ok(false);
        }
        let mut record = Vec::with_capacity(HEAD_BYTES + bytes);
        record.extend_from_slice(&(bytes as u32).to_be_bytes());
        record.extend_from_slice(&[0; 8]);
        record.extend_from_slice(&self.generation.to_be_bytes());
        for entry in entries {
            record.extend_from_slice(&entry.bytes);
        }
        let sum = sum(self.secret, &record[HEAD_BYTES..]);
        record[4..HEAD_BYTES].copy_from_slice(&sum.to_be_bytes());
        self.write(&record, end).map_err(StoreError::Disk)?;
        (self.end, self.rows) = (end, rows);
        Ok(true)
    }

    fn write(&mut self, record: &[u8], end: u64) -> io::Result<()> {
        if end > self.length {
            // Zeros and not a hole: otherwise every sync would have to write where the file lies, too.
            let length = end.next_multiple_of(GROWTH_BYTES);
            let zeros = vec![0; (length - self.length) as usize];
            self.file.write_all_at(&zeros, self.length)?;
            self.length = length;
        }
        self.file.write_all_at(record, self.end)?;
        if self.sync {
            self.file.sync_data()?;
        }
        Ok(())
    }

    /// Number of the generation after this one, for the transaction with which LMDB has all of it.
    pub(crate) fn next_generation(&self) -> u64 {
        self.generation + 1
    }

    /// LMDB has all of it.
    pub(crate) fn written(&mut self) {
        self.generation = self.next_generation();
        (self.end, self.rows) = (0, 0);
    }

    /// The blocks that LMDB does not have, in order.
    ///
    /// # Errors
    /// The file cannot be read, or a record that holds is none.
    pub(crate) fn read(&self) -> Result<Vec<Found>, StoreError> {
        let mut bytes = Vec::new();
        let read = (&self.file).take(BYTES_MAX).read_to_end(&mut bytes);
        read.map_err(|error| failed(&self.path, error))?;
        let (mut rest, mut found) = (&bytes[..], Vec::new());
        while let Some((content, after)) = self.record(rest) {
            let mut blocks = content;
            while !blocks.is_empty() {
                let block = read_block(&mut blocks);
                found.push(block.ok_or_else(|| StoreError::Corrupt("journal".into()))?);
            }
            rest = after;
        }
        Ok(found)
    }

    /// The blocks of the record at the start, and what follows it; None where none of this generation is.
    fn record<'a>(&self, bytes: &'a [u8]) -> Option<(&'a [u8], &'a [u8])> {
        let mut rest = bytes;
        let length = take_u32(&mut rest)? as usize;
        let stated = read_u64(take(&mut rest, 8)?)?;
        let content = take(&mut rest, length)?;
        let (generation, blocks) = content.split_at_checked(8)?;
        let counts =
            read_u64(generation) == Some(self.generation) && sum(self.secret, content) == stated;
        counts.then_some((blocks, rest))
    }
}

fn failed(path: &Path, error: io::Error) -> StoreError {
    StoreError::Io {
        path: path.to_owned(),
        error,
    }
}

fn take<'a>(rest: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    let (taken, after) = rest.split_at_checked(count)?;
    *rest = after;
    Some(taken)
}

fn take_u32(rest: &mut &[u8]) -> Option<u32> {
    Some(u32::from_be_bytes(take(rest, 4)?.try_into().ok()?))
}

fn take_value(rest: &mut &[u8]) -> Option<Option<Box<[u8]>>> {
    match take_u32(rest)? {
        0 => Some(None),
        mark => Some(Some(take(rest, mark as usize - 1)?.into())),
    }
}

fn read_block(rest: &mut &[u8]) -> Option<Found> {
    let height = read_u64(take(rest, 8)?)?;
    let hash = B256::from_slice(take(rest, 32)?);
    let count = take_u32(rest)? as usize;
    let mut rows = Vec::with_capacity(count.min(COMMIT_ROWS_MAX));
    for _ in 0..count {
        let length = usize::from(take(rest, 1)?[0]);
        let key: Box<[u8]> = take(rest, length)?.into();
        rows.push(Row {
            key,
            height,
            value: take_value(rest)?,
            before: take_value(rest)?,
        });
    }
    Some(((height, hash), rows))
}
