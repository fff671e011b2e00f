//! A view with hashes of blocks on top that are only simulated.
use alloy_primitives::{Address, Bytes, B256, U256};
use bedroll_core::state::{Account, Lookup, StateSource};
use bedroll_core::trie::{Path, SourceError};

use crate::{PastNodes, View};

/// Answers as the view does, and for the heights above it as the simulation does.
pub struct SimulatedSource {
    view: View,
    /// Of the view's tries; None: they lie too far back.
    nodes: Option<PastNodes>,
    base: u64,
    hashes: Vec<B256>,
}

impl SimulatedSource {
    /// On top of the block at this height.
    pub fn new(view: View, nodes: Option<PastNodes>, base: u64) -> Self {
        Self {
            view,
            nodes,
            base,
            hashes: vec![],
        }
    }

    /// The next block has this hash.
    pub fn push(&mut self, hash: B256) {
        self.hashes.push(hash);
    }
}

impl StateSource for SimulatedSource {
    fn account(&self, address: &Address) -> Result<Lookup<Option<Account>>, SourceError> {
        StateSource::account(&self.view, address)
    }

    fn slot(&self, address: &Address, slot: &U256) -> Result<Lookup<U256>, SourceError> {
        StateSource::slot(&self.view, address, slot)
    }

    fn slots(&self, address: &Address) -> Result<Vec<U256>, SourceError> {
        StateSource::slots(&self.view, address)
    }

    fn code(&self, hash: &B256) -> Result<Option<Bytes>, SourceError> {
        StateSource::code(&self.view, hash)
    }

    fn block_hash(&self, height: u64) -> Result<Option<B256>, SourceError> {
        let found = match height.checked_sub(self.base + 1) {
            None => StateSource::block_hash(&self.view, height)?,
            Some(place) => usize::try_from(place)
                .ok()
                .and_then(|place| self.hashes.get(place).copied()),
        };
        Ok(Some(found.unwrap_or_default()))
    }

    fn node(
        &self,
        owner: Option<&B256>,
        path: &Path,
        hash: &B256,
    ) -> Result<Option<Vec<u8>>, SourceError> {
        match &self.nodes {
            Some(nodes) => nodes.node(owner, path, hash),
            None => StateSource::node(&self.view, owner, path, hash),
        }
    }
}
