//! What a block can be found by: its logs, and the addresses of its transactions.
use std::collections::BTreeMap;

use alloy_primitives::Address;
use bedroll_core::block::{decode_body, decode_head, places, Block};

use crate::{LogPosting, Named, Roles, StoreError};

/// Every log with its place.
pub(crate) fn logs_of(block: &Block) -> Vec<LogPosting> {
    let mut found = Vec::new();
    for (transaction, receipt) in (0u32..).zip(&block.receipts) {
        for log in &receipt.logs {
            found.push(LogPosting {
                address: log.address,
                topics: log.topics().to_vec(),
                transaction,
                log: found.len() as u32,
            });
        }
    }
    found
}

/// Every address of each transaction, with all that it did there.
pub(crate) fn named_of(block: &Block) -> Vec<Named> {
    let mut found = Vec::with_capacity(2 * block.transactions.len());
    let mut touched = block.touched.iter().peekable();
    for (index, transaction) in (0u32..).zip(&block.transactions) {
        let start = found.len();
        let mut add = |address: Address, roles: Roles| {
            let known = found[start..]
                .iter_mut()
                .find(|known: &&mut Named| known.address == address);
            match known {
                Some(known) => known.roles = Roles(known.roles.0 | roles.0),
                None => found.push(Named {
                    address,
                    transaction: index,
                    roles,
                }),
            }
        };
        add(transaction.sender, Roles::SENDER);
        if let Some(to) = transaction.to() {
            add(to, Roles::RECIPIENT);
        }
        let made = block.receipts.get(index as usize);
        let made = made.filter(|receipt| receipt.success);
        if let Some(contract) = made.and_then(|receipt| receipt.contract) {
            add(contract, Roles::CREATED);
        }
        // Of one transaction there may be very many: they are distinct, so a map need not find them again.
        let mut inside = BTreeMap::new();
        while let Some(one) = touched.next_if(|one| one.transaction == index) {
            let roles = if one.created {
                Roles::CREATED
            } else {
                Roles::INSIDE
            };
            inside.insert(one.address, roles);
        }
        for known in &mut found[start..] {
            if let Some(roles) = inside.remove(&known.address) {
                known.roles = Roles(known.roles.0 | roles.0);
            }
        }
        found.extend(inside.into_iter().map(|(address, roles)| Named {
            address,
            transaction: index,
            roles,
        }));
    }
    found
}

/// All that a block can be found by.
pub(crate) struct Index {
    pub(crate) places: Vec<u8>,
    pub(crate) logs: Vec<LogPosting>,
    pub(crate) named: Vec<Named>,
}

/// What a stored block can be found by, as far as its body tells.
pub(crate) fn index_of_stored(height: u64, head: &[u8], body: &[u8]) -> Result<Index, StoreError> {
    let damaged = |error| StoreError::Corrupt(format!("block {height} cannot be read: {error}"));
    let (header, tail) = decode_head(head).map_err(damaged)?;
    let block = decode_body(header, tail, body).map_err(damaged)?;
    let places = places(body).map_err(damaged)?;
    Ok(Index {
        places,
        logs: logs_of(&block),
        named: named_of(&block),
    })
}
