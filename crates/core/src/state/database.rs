//! revm reads the state through this.
use super::{State, StateError, StateSource};
use alloy_primitives::{Address, B256, U256};
use revm::{
    database_interface::Database,
    state::{AccountInfo, Bytecode},
};

impl<S: StateSource> Database for State<S> {
    type Error = StateError;

    fn basic(&mut self, address: Address) -> Result<Option<AccountInfo>, StateError> {
        Ok(self.account(&address)?.map(|account| account.to_info()))
    }

    fn code_by_hash(&mut self, code_hash: B256) -> Result<Bytecode, StateError> {
        self.code(&code_hash)
    }

    fn storage(&mut self, address: Address, index: U256) -> Result<U256, StateError> {
        self.slot(&address, &index)
    }

    fn block_hash(&mut self, number: u64) -> Result<B256, StateError> {
        self.source
            .block_hash(number)?
            .ok_or(StateError::NoHeader { height: number })
    }
}
