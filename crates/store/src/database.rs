//! A view as revm and the core read it.
use crate::view::View;
use crate::StoreError;
use alloy_primitives::{Address, Bytes, B256, U256};
use bedroll_core::state::{Account, Lookup, StateError, StateSource};
use bedroll_core::trie::{Path, SourceError};
use revm::database_interface::{Database, DatabaseRef};
use revm::state::{AccountInfo, Bytecode};

impl From<StoreError> for StateError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::State(error) => error,
            other => StateError::Source(other.into()),
        }
    }
}

impl DatabaseRef for View {
    type Error = StateError;

    fn basic_ref(&self, address: Address) -> Result<Option<AccountInfo>, StateError> {
        Ok(self.account(&address)?.map(|account| account.to_info()))
    }

    fn code_by_hash_ref(&self, code_hash: B256) -> Result<Bytecode, StateError> {
        Ok(self.code(&code_hash)?)
    }

    fn storage_ref(&self, address: Address, index: U256) -> Result<U256, StateError> {
        Ok(self.slot(&address, &index)?)
    }

    fn block_hash_ref(&self, number: u64) -> Result<B256, StateError> {
        self.block_hash_at(number)?
            .ok_or(StateError::NoHeader { height: number })
    }
}

impl Database for View {
    type Error = StateError;

    fn basic(&mut self, address: Address) -> Result<Option<AccountInfo>, StateError> {
        self.basic_ref(address)
    }

    fn code_by_hash(&mut self, code_hash: B256) -> Result<Bytecode, StateError> {
        self.code_by_hash_ref(code_hash)
    }

    fn storage(&mut self, address: Address, index: U256) -> Result<U256, StateError> {
        self.storage_ref(address, index)
    }

    fn block_hash(&mut self, number: u64) -> Result<B256, StateError> {
        self.block_hash_ref(number)
    }
}

/// Nodes are there for the newest state only.
impl StateSource for View {
    fn account(&self, address: &Address) -> Result<Lookup<Option<Account>>, SourceError> {
        Ok(Lookup::Known(View::account(self, address)?))
    }

    fn slot(&self, address: &Address, slot: &U256) -> Result<Lookup<U256>, SourceError> {
        Ok(Lookup::Known(View::slot(self, address, slot)?))
    }

    fn slots(&self, address: &Address) -> Result<Vec<U256>, SourceError> {
        Ok(View::slots(self, address)?)
    }

    fn code(&self, hash: &B256) -> Result<Option<Bytes>, SourceError> {
        Ok(self.code_bytes(hash)?)
    }

    fn block_hash(&self, height: u64) -> Result<Option<B256>, SourceError> {
        Ok(self.block_hash_at(height)?)
    }

    fn node(
        &self,
        owner: Option<&B256>,
        path: &Path,
        _hash: &B256,
    ) -> Result<Option<Vec<u8>>, SourceError> {
        Ok(self.node_rlp(owner, path)?)
    }
}
