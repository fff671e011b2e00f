//! What a block is found by, made from the block.
use super::bad;
use crate::shared::Shared;
use crate::table::Table;
use crate::StoreError;
use alloy_primitives::B256;
use bedroll_core::block::{decode_body, decode_head, places};
use heed::RwTxn;

/// Writes what a block is found by; gives its hash.
pub(super) fn index_block(
    shared: &Shared,
    txn: &mut RwTxn<'_>,
    height: u64,
    parent: Option<B256>,
) -> Result<B256, StoreError> {
    let number = height.to_be_bytes();
    let wrong = |what: &str| bad(format!("block {height} of the snapshot: {what}"));
    let stored = shared.tables.of(Table::Header).get(txn, &number)?;
    let stored = stored.ok_or_else(|| wrong("missing"))?;
    let (hashes, head) = stored
        .split_at_checked(64)
        .ok_or_else(|| wrong("its head"))?;
    let (header, tail) = decode_head(head).map_err(|_| wrong("its header"))?;
    let (hash, root) = (header.hash_slow(), header.state_root);
    let fits = hashes == [hash.as_slice(), root.as_slice()].concat() && header.number == height;
    if !fits || parent.is_some_and(|parent| parent != header.parent_hash) {
        return Err(wrong("it does not follow the one before"));
    }
    let body = shared.tables.of(Table::Body).get(txn, &number)?;
    let body = body.ok_or_else(|| wrong("no body"))?;
    let block = decode_body(header, tail, body).map_err(|_| wrong("its body"))?;
    let index = places(body).map_err(|_| wrong("its body"))?;
    if !crate::check::roots_match(&block)
        || bedroll_core::header::receipts_root(&block.receipts) != block.header.receipts_root
    {
        return Err(wrong(
            "its transactions or receipts are not those of its header",
        ));
    }
    shared
        .tables
        .of(Table::Height)
        .put(txn, hash.as_slice(), &number)?;
    if !index.is_empty() {
        shared.tables.of(Table::Place).put(txn, &number, &index)?;
    }
    for (at, transaction) in (0u32..).zip(&block.transactions) {
        let place = [&number[..], &at.to_be_bytes()].concat();
        let table = shared.tables.of(Table::Transaction);
        table.put(txn, transaction.hash.as_slice(), &place)?;
    }
    let book = shared.tables.of(Table::Book);
    let first = block.tail.book_length - block.new_addresses.len() as u64;
    for (index, address) in (first..).zip(&block.new_addresses) {
        let row = book.get(txn, &index.to_be_bytes())?;
        if row.and_then(|row| row.get(..20)) != Some(address.as_slice()) {
            return Err(wrong("its addresses are not in the book"));
        }
        let entry = [&index.to_be_bytes()[..], &number].concat();
        let table = shared.tables.of(Table::BookIndex);
        table.put(txn, address.as_slice(), &entry)?;
    }
    Ok(hash)
}
