//! The tables: LMDB databases, and the first byte of keys inside rows.
use crate::StoreError;
use heed::types::Bytes;
use heed::{Database, Env, RoTxn, RwTxn, WithoutTls};

/// A table. Its number leads its keys in rows, reverse diffs and history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Table {
    Meta,
    /// In keys only, as are nodes of the account trie: their rows are in the log of accounts since schema 5.
    Account,
    Slot,
    Code,
    AccountNode,
    StorageNode,
    Header,
    Body,
    Height,
    Transaction,
    /// Empty since schema 2, as is the next one.
    LogAddress,
    LogTopic,
    Forced,
    Book,
    BookIndex,
    Diff,
    History,
    Posting,
    Place,
    /// Empty since schema 5.
    Near,
}

impl Table {
    pub(crate) const ALL: [(Table, &'static str); 20] = [
        (Table::Meta, "meta"),
        (Table::Account, "account"),
        (Table::Slot, "slot"),
        (Table::Code, "code"),
        (Table::AccountNode, "account_node"),
        (Table::StorageNode, "storage_node"),
        (Table::Header, "header"),
        (Table::Body, "body"),
        (Table::Height, "height"),
        (Table::Transaction, "transaction"),
        (Table::LogAddress, "log_address"),
        (Table::LogTopic, "log_topic"),
        (Table::Forced, "forced"),
        (Table::Book, "book"),
        (Table::BookIndex, "book_index"),
        (Table::Diff, "diff"),
        (Table::History, "history"),
        (Table::Posting, "posting"),
        (Table::Place, "place"),
        (Table::Near, "near"),
    ];

    /// What LMDB calls it.
    pub(crate) fn name(self) -> &'static str {
        Table::ALL[self as usize].1
    }

    /// How a change of this table's keys is taken back.
    pub(crate) fn undo(number: u8) -> Undo {
        match Table::ALL.get(usize::from(number)).map(|(table, _)| table) {
            Some(Table::Account | Table::Slot | Table::Forced) => Undo::Restore,
            Some(Table::AccountNode | Table::StorageNode) => Undo::Rebuild,
            Some(Table::Posting) => Undo::Cut,
            Some(Table::Meta | Table::Diff | Table::History | Table::Near) | None => Undo::Never,
            Some(_) => Undo::Delete,
        }
    }
}

/// How the change of a key is taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Undo {
    /// The value before is in the history.
    Restore,
    /// A block adds the key and nothing else writes it.
    Delete,
    /// It follows from flat values, through the trie.
    Rebuild,
    /// A segment of postings: what it holds of the block is cut out.
    Cut,
    /// Not part of a block.
    Never,
}

pub(crate) type Bucket = Database<Bytes, Bytes>;

/// Handles of the LMDB databases.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tables([Bucket; Table::ALL.len()]);

impl Tables {
    pub(crate) fn create(env: &Env<WithoutTls>, txn: &mut RwTxn<'_>) -> heed::Result<Self> {
        let first = env.create_database(txn, Some(Table::ALL[0].1))?;
        let mut all = [first; Table::ALL.len()];
        for (at, (_, name)) in Table::ALL.iter().enumerate().skip(1) {
            all[at] = env.create_database(txn, Some(name))?;
        }
        Ok(Tables(all))
    }

    pub(crate) fn of(&self, table: Table) -> Bucket {
        self.0[table as usize]
    }

    /// The database and the key in it of a row's key.
    pub(crate) fn split<'a>(&self, key: &'a [u8]) -> Option<(Bucket, &'a [u8])> {
        let (&table, rest) = key.split_first()?;
        Some((*self.0.get(usize::from(table))?, rest))
    }

    /// What is durable under a row's key that is no account's and none of the nodes above accounts.
    pub(crate) fn get<'t>(
        &self,
        txn: &'t RoTxn<'_>,
        row_key: &[u8],
    ) -> Result<Option<&'t [u8]>, StoreError> {
        let (bucket, own) = self.bucket(row_key)?;
        Ok(bucket.get(txn, own)?)
    }

    /// Writes or deletes what stands under such a key.
    pub(crate) fn put(
        &self,
        txn: &mut RwTxn<'_>,
        row_key: &[u8],
        value: Option<&[u8]>,
    ) -> Result<(), StoreError> {
        let (bucket, own) = self.bucket(row_key)?;
        match value {
            Some(value) => bucket.put(txn, own, value)?,
            None => {
                bucket.delete(txn, own)?;
            }
        }
        Ok(())
    }

    fn bucket<'k>(&self, row_key: &'k [u8]) -> Result<(Bucket, &'k [u8]), StoreError> {
        self.split(row_key)
            .ok_or_else(|| StoreError::Corrupt("table number".into()))
    }
}
