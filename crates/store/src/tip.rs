//! The newest state as the core's `State` reads it.
use crate::near::Listing;
use crate::shared::lock;
use crate::view::View;
use crate::{Store, StoreError};
use alloy_primitives::{keccak256, Address, Bytes, B256, U256};
use bedroll_core::state::{Account, AccountChange, Lookup, StateSource};
use bedroll_core::trie::{Path, SourceError};
use std::sync::Mutex;

/// Answers as of the newest sealed block; follows the store by itself. An empty store is an empty state.
#[derive(Debug)]
pub struct TipSource {
    store: Store,
    /// With the version of the chain that it shows.
    view: Mutex<Option<(u64, View)>>,
    /// Of the block that is sealed next.
    listing: Mutex<Option<Listing>>,
}

impl Store {
    /// The newest state, to build the next block on. A [`State`](bedroll_core::state::State) upon it is sealed once for each
    /// block that [`Store::seal`] takes in, as the account trie is the store's; trials are for a [`View`].
    pub fn tip_source(&self) -> TipSource {
        TipSource {
            store: self.clone(),
            view: Mutex::new(None),
            listing: Mutex::new(None),
        }
    }
}

impl TipSource {
    /// The store that this reads.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Asks the view of the tip; None while there is no block.
    fn ask<R>(
        &self,
        read: impl FnOnce(&View) -> Result<R, StoreError>,
    ) -> Result<Option<R>, SourceError> {
        let mut cached = lock(&self.view);
        let version = self.store.version();
        if let Some((seen, view)) = &*cached {
            if *seen == version {
                return Ok(Some(read(view)?));
            }
        }
        // The old one goes first: its transaction would keep pages from being used again.
        *cached = None;
        match self.store.view(None) {
            Ok(view) => {
                let answer = read(&view)?;
                *cached = Some((version, view));
                Ok(Some(answer))
            }
            Err(StoreError::Empty) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

impl StateSource for TipSource {
    fn account(&self, address: &Address) -> Result<Lookup<Option<Account>>, SourceError> {
        let account = self.ask(|view| view.account(address))?;
        Ok(Lookup::Known(account.flatten()))
    }

    fn slot(&self, address: &Address, slot: &U256) -> Result<Lookup<U256>, SourceError> {
        let value = self.ask(|view| view.slot(address, slot))?;
        Ok(Lookup::Known(value.unwrap_or_default()))
    }

    fn slots(&self, address: &Address) -> Result<Vec<U256>, SourceError> {
        Ok(self.ask(|view| view.slots(address))?.unwrap_or_default())
    }

    fn code(&self, hash: &B256) -> Result<Option<Bytes>, SourceError> {
        Ok(self.ask(|view| view.code_bytes(hash))?.flatten())
    }

    fn block_hash(&self, height: u64) -> Result<Option<B256>, SourceError> {
        Ok(self.ask(|view| view.block_hash_at(height))?.flatten())
    }

    fn node(
        &self,
        owner: Option<&B256>,
        path: &Path,
        hash: &B256,
    ) -> Result<Option<Vec<u8>>, SourceError> {
        let node = self.ask(|view| view.node_rlp(owner, path))?.flatten();
        // Those of accounts have the sum of their record.
        if owner.is_some() && node.as_ref().is_some_and(|rlp| keccak256(rlp) != *hash) {
            let text = format!("the trie node at {path} does not hash to {hash}");
            return Err(SourceError(text));
        }
        Ok(node)
    }

    fn root_with(
        &self,
        before: &B256,
        accounts: &[AccountChange],
    ) -> Result<Option<B256>, SourceError> {
        let shared = &self.store.shared;
        let newest = shared.accounts(&lock(&shared.chain));
        if newest.hash != *before {
            let text = format!(
                "the newest state has the root {}, not {before}",
                newest.hash
            );
            return Err(SourceError(text));
        }
        let listing = lock(&self.listing).take();
        let root = (shared.near).prepare(newest, accounts, listing.as_ref())?;
        Ok(Some(root))
    }

    fn is_keyed_by_hash(&self) -> bool {
        true
    }

    fn listed(
        &self,
        book: &Address,
        accounts: &[(Address, B256)],
    ) -> Result<Vec<bool>, SourceError> {
        let shared = &self.store.shared;
        let newest = shared.accounts(&lock(&shared.chain));
        Ok(newest.listed(book, accounts)?)
    }

    fn list(&self, book: &Address, addresses: Vec<Address>) {
        *lock(&self.listing) = Some(Listing::new(*book, addresses));
    }
}
