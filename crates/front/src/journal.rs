//! The end of the mempool's log, where several threads append.
//!
//! Records are those of docs/spec/storage-services.md#record-log; opening and reading them is Python's.
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::{Mutex, MutexGuard};

use crate::desk::lock;

/// A file that only grows, and how long it is.
#[derive(Debug)]
struct End {
    file: File,
    size: u64,
}

/// Appends whole groups of records, one after another.
#[derive(Debug)]
pub struct Journal(Mutex<End>);

impl Journal {
    /// Goes on behind the `size` bytes of `file`, which was opened to append.
    pub fn new(file: File, size: u64) -> Self {
        Self(Mutex::new(End { file, size }))
    }

    fn end(&self) -> MutexGuard<'_, End> {
        lock(&self.0)
    }

    /// Length of the file.
    pub fn size(&self) -> u64 {
        self.end().size
    }

    /// Writes records with one call: the kernel has them then, and with `sync` the disk.
    ///
    /// # Errors
    /// The disk is full or broken; the log is as before.
    pub fn append<'a>(
        &self,
        records: impl Iterator<Item = &'a [u8]>,
        sync: bool,
    ) -> io::Result<()> {
        let content = encode(records)?;
        let mut end = self.end();
        if let Err(error) = end.file.write_all(&content) {
            end.file.set_len(end.size)?;
            return Err(error);
        }
        end.size += content.len() as u64;
        if sync {
            end.file.sync_data()?;
        }
        Ok(())
    }

    /// Puts the file `aside`, open as `new` with `size` bytes, in the place of the log: with what was appended to the
    /// log behind `start` meanwhile, and durably.
    ///
    /// # Errors
    /// The disk is full or broken; the log is as before.
    pub fn replace(
        &self,
        mut new: File,
        size: u64,
        aside: &Path,
        path: &Path,
        start: u64,
    ) -> io::Result<()> {
        let mut end = self.end();
        let mut late =
            vec![0; usize::try_from(end.size.saturating_sub(start)).map_err(io::Error::other)?];
        if !late.is_empty() {
            end.file.read_exact_at(&mut late, start)?;
            new.write_all(&late)?;
            new.sync_all()?;
        }
        fs::rename(aside, path)?;
        if let Some(folder) = path.parent() {
            File::open(folder)?.sync_all()?;
        }
        *end = End {
            file: new,
            size: size + late.len() as u64,
        };
        Ok(())
    }
}

fn encode<'a>(records: impl Iterator<Item = &'a [u8]>) -> io::Result<Vec<u8>> {
    let mut content = vec![];
    for record in records {
        let length = u32::try_from(record.len()).map_err(io::Error::other)?;
        content.extend_from_slice(&length.to_be_bytes());
        content.extend_from_slice(&crc32fast::hash(record).to_be_bytes());
        content.extend_from_slice(record);
    }
    Ok(content)
}
