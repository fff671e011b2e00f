//! Carrying a store's newest state and its blocks to another folder: rows out in chunks, rows in ([`import`]), and from them all
//! that follows: places, indexes by hash, tries.
//!
//! ```text
//! chunk   (table u8 ‖ key length u16 ‖ value length u32 ‖ key ‖ value)*
//! ```
mod fill;
mod import;
mod index;

use crate::near::AccountRow;
use crate::table::Table;
use crate::view::View;
use crate::StoreError;
use alloy_primitives::{keccak256, B256};
pub use import::Import;
use std::ops::Bound;

/// Bytes of rows in a chunk, but for a last row that may go beyond.
pub const CHUNK_BYTES: usize = 4 << 20;

/// What is carried, in this order; all else follows from it.
const CARRIED: [Table; 8] = [
    Table::Header,
    Table::Body,
    Table::Forced,
    Table::Book,
    Table::Posting,
    Table::Code,
    // Before accounts, as an import holds these against the AddressBook.
    Table::Slot,
    Table::Account,
];

/// Accounts that are read at a time for a chunk.
const CHUNK_ACCOUNTS: usize = 1_000;
impl View {
    /// Rows to carry that come after a key, in a chunk, and the last key; None: that was all.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn chunk(&self, after: Option<&[u8]>) -> Result<(Vec<u8>, Option<Vec<u8>>), StoreError> {
        let start = after.and_then(|key| key.first().copied());
        let at = CARRIED
            .iter()
            .position(|table| Some(*table as u8) == start)
            .unwrap_or(0);
        let near = self.snapshot.near()?;
        self.snapshot.with_txn(|txn, _| {
            let mut chunk = Vec::new();
            let mut last = None;
            for table in &CARRIED[at..] {
                let own_after = after.filter(|key| key.first() == Some(&(*table as u8)));
                if *table == Table::Account {
                    let mut after = own_after.and_then(|key| B256::try_from(&key[1..]).ok());
                    loop {
                        if chunk.len() >= CHUNK_BYTES {
                            return Ok((chunk, last));
                        }
                        let rows = near.accounts_after(after.as_ref(), CHUNK_ACCOUNTS)?;
                        let Some(AccountRow { hash, .. }) = rows.last() else {
                            break;
                        };
                        last = Some([&[*table as u8], hash.as_slice()].concat());
                        after = Some(*hash);
                        for row in &rows {
                            put_carried(&mut chunk, *table, row.address.as_slice(), &row.flat);
                        }
                    }
                    continue;
                }
                let from = own_after.map_or(Bound::Unbounded, |key| Bound::Excluded(&key[1..]));
                for row in self
                    .snapshot
                    .tables
                    .of(*table)
                    .range(txn, &(from, Bound::Unbounded))?
                {
                    if chunk.len() >= CHUNK_BYTES {
                        return Ok((chunk, last));
                    }
                    let (key, value) = row?;
                    put_carried(&mut chunk, *table, key, value);
                    last = Some([&[*table as u8], key].concat());
                }
            }
            Ok((chunk, None))
        })
    }

    /// The store's secret: postings mean nothing without it.
    ///
    /// # Errors
    /// The store was closed.
    pub fn secret(&self) -> Result<[u8; 16], StoreError> {
        let shared = self.snapshot.shared().ok_or(StoreError::Closed)?;
        Ok(shared.secret.to_bytes())
    }
}

fn put_carried(chunk: &mut Vec<u8>, table: Table, key: &[u8], value: &[u8]) {
    chunk.push(table as u8);
    chunk.extend_from_slice(&(key.len() as u16).to_be_bytes());
    chunk.extend_from_slice(&(value.len() as u32).to_be_bytes());
    chunk.extend_from_slice(key);
    chunk.extend_from_slice(value);
}

/// A row of a chunk: table, key, value.
type Carried<'a> = (Table, &'a [u8], &'a [u8]);

/// Splits a chunk; None where it is none.
fn split_chunk(mut chunk: &[u8]) -> Option<Vec<Carried<'_>>> {
    let mut rows = Vec::new();
    while let Some((&number, rest)) = chunk.split_first() {
        let table = CARRIED.into_iter().find(|table| *table as u8 == number)?;
        let (lengths, rest) = rest.split_at_checked(6)?;
        let key_length = u16::from_be_bytes(lengths[..2].try_into().ok()?);
        let value_length = u32::from_be_bytes(lengths[2..].try_into().ok()?);
        let (key, rest) = rest.split_at_checked(usize::from(key_length))?;
        let (value, rest) = rest.split_at_checked(value_length as usize)?;
        let wanted = match table {
            Table::Header | Table::Body | Table::Forced | Table::Book | Table::Posting => 8,
            Table::Account => 20,
            Table::Code => 32,
            _ => 52,
        };
        if key.len() != wanted || value.is_empty() && table != Table::Code {
            return None;
        }
        if table == Table::Code && keccak256(value) != *key {
            return None;
        }
        rows.push((table, key, value));
        chunk = rest;
    }
    Some(rows)
}

fn bad(what: impl Into<String>) -> StoreError {
    StoreError::Corrupt(what.into())
}
