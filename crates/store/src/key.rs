//! Keys of rows: the table's number, then the table's own key; numbers big-endian.
use crate::table::Table;
use alloy_primitives::{Address, B256, U256};
use bedroll_core::trie::Path;

/// Longest key: a storage node's, 1 + 32 + 32 + 1 bytes; history keys end in a height instead.
const MAX: usize = 72;

/// A row's key, on the stack.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key {
    len: u8,
    bytes: [u8; MAX],
}

impl Key {
    pub(crate) fn new(table: Table) -> Self {
        let mut bytes = [0; MAX];
        bytes[0] = table as u8;
        Key { len: 1, bytes }
    }

    pub(crate) fn with(mut self, part: &[u8]) -> Self {
        let start = usize::from(self.len);
        self.bytes[start..start + part.len()].copy_from_slice(part);
        self.len += part.len() as u8;
        self
    }

    /// With its table's number.
    pub(crate) fn row(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }

    pub(crate) fn account(address: &Address) -> Self {
        Key::new(Table::Account).with(address.as_slice())
    }

    pub(crate) fn slot(address: &Address, slot: &U256) -> Self {
        Key::new(Table::Slot)
            .with(address.as_slice())
            .with(&slot.to_be_bytes::<32>())
    }

    pub(crate) fn code(hash: &B256) -> Self {
        Key::new(Table::Code).with(hash.as_slice())
    }

    pub(crate) fn node(owner: Option<&B256>, path: &Path) -> Self {
        let key = match owner {
            None => Key::new(Table::AccountNode),
            Some(owner) => Key::new(Table::StorageNode).with(owner.as_slice()),
        };
        let (bytes, len) = path.encode();
        key.with(&bytes[..len])
    }

    pub(crate) fn at_height(table: Table, height: u64) -> Self {
        Key::new(table).with(&height.to_be_bytes())
    }

    pub(crate) fn of_hash(table: Table, hash: &B256) -> Self {
        Key::new(table).with(hash.as_slice())
    }

    pub(crate) fn forced(index: u64) -> Self {
        Key::new(Table::Forced).with(&index.to_be_bytes())
    }

    pub(crate) fn book(index: u64) -> Self {
        Key::new(Table::Book).with(&index.to_be_bytes())
    }

    pub(crate) fn book_index(address: &Address) -> Self {
        Key::new(Table::BookIndex).with(address.as_slice())
    }

    /// Key in the history of what this key held before a height, with the history's number.
    pub(crate) fn in_history(&self, height: u64) -> Self {
        Key::new(Table::History)
            .with(self.row())
            .with(&height.to_be_bytes())
    }
}

/// Key in the history of what a row's key held before a height.
pub(crate) fn history(row_key: &[u8], height: u64) -> Vec<u8> {
    let mut key = Vec::with_capacity(row_key.len() + 8);
    key.extend_from_slice(row_key);
    key.extend_from_slice(&height.to_be_bytes());
    key
}

/// Eight bytes as a number; None if they are not eight.
pub(crate) fn read_u64(bytes: &[u8]) -> Option<u64> {
    Some(u64::from_be_bytes(bytes.try_into().ok()?))
}
