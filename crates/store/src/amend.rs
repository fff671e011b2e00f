//! Parts of a durable block that are learned later: signatures, and with them hashes of its transactions.
use crate::key::Key;
use crate::shared::lock;
use crate::table::Table;
use crate::{Store, StoreError};
use alloy_primitives::B256;

impl Store {
    /// Writes body and places of a durable block anew, and other hashes under which its transactions are found.
    ///
    /// Nothing that a state or a header rests on changes. The hashes go with their block.
    ///
    /// # Errors
    /// The block is not in the chain any more, or the store cannot be written.
    pub fn amend(
        &self,
        height: u64,
        hash: &B256,
        (body, places): (&[u8], &[u8]),
        transactions: &[(u32, B256)],
    ) -> Result<(), StoreError> {
        let mut writer = lock(&self.shared.writer);
        self.shared.commit_pending(&mut writer)?;
        let gone = || StoreError::Corrupt(format!("block {height} is not {hash} any more"));
        if self.view(None)?.height_of(hash)? != Some(height) {
            return Err(gone());
        }
        let tables = &self.shared.tables;
        self.shared.write(|txn| {
            let at = height.to_be_bytes();
            tables.of(Table::Body).put(txn, &at, body)?;
            tables.of(Table::Place).put(txn, &at, places)?;
            let diff = tables.of(Table::Diff);
            // None where it can never be taken back.
            let mut keys = diff.get(txn, &at)?.map(<[u8]>::to_vec);
            for (index, hash) in transactions {
                let place = [&at[..], &index.to_be_bytes()].concat();
                tables
                    .of(Table::Transaction)
                    .put(txn, hash.as_slice(), &place)?;
                if let Some(keys) = &mut keys {
                    let key = Key::of_hash(Table::Transaction, hash);
                    keys.push(key.row().len() as u8);
                    keys.extend_from_slice(key.row());
                }
            }
            if let Some(keys) = keys {
                diff.put(txn, &at, &keys)?;
            }
            Ok(())
        })?;
        self.shared.changed();
        Ok(())
    }
}
