//! Blocks and what is found by hash or index, up to a view's block.
use crate::key::{read_u64, Key};
use crate::table::Table;
use crate::view::View;
use crate::StoreError;
use alloy_primitives::{Address, B256};

/// A header and what the store needs of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedHeader {
    /// Of the header.
    pub hash: B256,
    /// Of the header.
    pub state_root: B256,
    /// As it was handed over.
    pub header: Vec<u8>,
}

impl View {
    /// The header at this height; None above the view's.
    ///
    /// # Errors
    /// The store is damaged or cannot be read.
    pub fn sealed_header(&self, height: u64) -> Result<Option<SealedHeader>, StoreError> {
        let Some(stored) = self.at_height(Table::Header, height)? else {
            return Ok(None);
        };
        let split = stored.split_at_checked(64);
        let (hashes, header) =
            split.ok_or_else(|| StoreError::Corrupt(format!("header at height {height}")))?;
        Ok(Some(SealedHeader {
            hash: B256::from_slice(&hashes[..32]),
            state_root: B256::from_slice(&hashes[32..]),
            header: header.to_vec(),
        }))
    }

    /// What was handed over as the body of the block at this height; None above the view's.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn body(&self, height: u64) -> Result<Option<Vec<u8>>, StoreError> {
        self.at_height(Table::Body, height)
    }

    /// Looks at the body of the block at this height and the index of what stands in it (empty: nothing), where they
    /// lie; None above the view's.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn with_body<R>(
        &self,
        height: u64,
        look: impl FnOnce(&[u8], &[u8]) -> R,
    ) -> Result<Option<R>, StoreError> {
        if height > self.height() {
            return Ok(None);
        }
        let keys = (
            Key::at_height(Table::Body, height),
            Key::at_height(Table::Place, height),
        );
        self.snapshot.look_at_two(&keys.0, &keys.1, |body, places| {
            body.map(|body| look(body, places.unwrap_or_default()))
        })
    }

    /// Hash of the block at this height; None above the view's.
    ///
    /// # Errors
    /// The store is damaged or cannot be read.
    pub fn block_hash_at(&self, height: u64) -> Result<Option<B256>, StoreError> {
        if height > self.height() {
            return Ok(None);
        }
        let key = Key::at_height(Table::Header, height);
        self.snapshot
            .look(&key, |stored| {
                stored.map(|stored| stored.get(..32).map(B256::from_slice))
            })?
            .map(|hash| {
                hash.ok_or_else(|| StoreError::Corrupt(format!("header at height {height}")))
            })
            .transpose()
    }

    /// Height of the block with this hash.
    ///
    /// # Errors
    /// The store is damaged or cannot be read.
    pub fn height_of(&self, hash: &B256) -> Result<Option<u64>, StoreError> {
        let Some(stored) = self.snapshot.get(&Key::of_hash(Table::Height, hash))? else {
            return Ok(None);
        };
        let height = read_u64(&stored);
        let height = height.ok_or_else(|| StoreError::Corrupt(format!("height of {hash}")))?;
        Ok((height <= self.height()).then_some(height))
    }

    /// Height and index in its block of an included transaction.
    ///
    /// # Errors
    /// The store is damaged or cannot be read.
    pub fn find_transaction(&self, hash: &B256) -> Result<Option<(u64, u32)>, StoreError> {
        let Some(stored) = self.snapshot.get(&Key::of_hash(Table::Transaction, hash))? else {
            return Ok(None);
        };
        let place = stored.split_at_checked(8).and_then(|(height, index)| {
            Some((
                read_u64(height)?,
                u32::from_be_bytes(index.try_into().ok()?),
            ))
        });
        let place =
            place.ok_or_else(|| StoreError::Corrupt(format!("place of transaction {hash}")))?;
        Ok((place.0 <= self.height()).then_some(place))
    }

    /// Row of the queue of forced messages at this index.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn forced(&self, index: u64) -> Result<Option<Vec<u8>>, StoreError> {
        self.snapshot.get(&Key::forced(index))
    }

    /// Address at this index of the address book.
    ///
    /// # Errors
    /// The store is damaged or cannot be read.
    pub fn book_address(&self, index: u64) -> Result<Option<Address>, StoreError> {
        let entry = self.book_entry(&Key::book(index))?;
        entry
            .map(|bytes| Address::try_from(&bytes[..]))
            .transpose()
            .map_err(|_| StoreError::Corrupt(format!("address {index} of the book")))
    }

    /// Index of this address in the address book.
    ///
    /// # Errors
    /// The store is damaged or cannot be read.
    pub fn book_index(&self, address: &Address) -> Result<Option<u64>, StoreError> {
        let entry = self.book_entry(&Key::book_index(address))?;
        let index = entry.map(|bytes| {
            read_u64(&bytes)
                .ok_or_else(|| StoreError::Corrupt(format!("index of {address} in the book")))
        });
        index.transpose()
    }

    /// An entry of the book without the height that it was written at, if that is not above the view's.
    fn book_entry(&self, key: &Key) -> Result<Option<Vec<u8>>, StoreError> {
        let Some(mut entry) = self.snapshot.get(key)? else {
            return Ok(None);
        };
        let at = entry.len().checked_sub(8);
        let height = at.and_then(|at| read_u64(&entry.split_off(at)));
        let height = height.ok_or_else(|| StoreError::Corrupt("address book".into()))?;
        Ok((height <= self.height()).then_some(entry))
    }

    fn at_height(&self, table: Table, height: u64) -> Result<Option<Vec<u8>>, StoreError> {
        if height > self.height() {
            return Ok(None);
        }
        self.snapshot.get(&Key::at_height(table, height))
    }
}
