//! Which accounts are known to be in the AddressBook, without a look at its slots.
//!
//! A block looks for each address that it names. The slots of 20 million lie in no order that a block has, so each would be a page of its
//! own; the account's unit is read anyway, and has a bit for it. The bit is a hint in one direction: where it is, the slot is not
//! 0, as of the same root; where it is not, the slot tells. It comes with a block that names the address and changes the account,
//! so the account is in that block's reverse diff, and whoever goes back over the block writes it anew, without the bit, even
//! where it is the same as then.
//! Nothing ever leaves the book otherwise.
use super::tree::Tree;
use crate::StoreError;
use alloy_primitives::map::AddressSet;
use alloy_primitives::{Address, B256};

/// What a change says of an account and the AddressBook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Listed {
    /// What was known of it before.
    Kept,
    /// It is there.
    Now,
    /// Nothing: before, it may not have been there.
    Unknown,
}

/// Addresses that a block names, all of which are in the AddressBook after it.
#[derive(Debug)]
pub(crate) struct Listing {
    pub(crate) book: Address,
    addresses: AddressSet,
}

impl Listing {
    pub(crate) fn new(book: Address, addresses: Vec<Address>) -> Self {
        Listing {
            book,
            addresses: addresses.into_iter().collect(),
        }
    }

    /// What the block says of an account that it changes.
    pub(super) fn of(&self, address: &Address) -> Listed {
        if self.addresses.contains(address) {
            return Listed::Now;
        }
        Listed::Kept
    }
}

impl Tree {
    /// Of accounts, each with the keccak of its address, which are known to be in the AddressBook at `book`.
    pub(crate) fn listed(
        &self,
        book: &Address,
        accounts: &[(Address, B256)],
    ) -> Result<Vec<bool>, StoreError> {
        if self.book != Some(*book) {
            return Ok(vec![false; accounts.len()]);
        }
        let each = accounts.iter().map(|(address, hash)| {
            self.entry(address.as_slice(), hash, |entry| {
                entry.is_some_and(|entry| entry.listed)
            })
        });
        each.collect()
    }
}
