//! What a transaction did, taken into the open block.
use super::{Account, State, StateError, StateSource};
use crate::trie::EMPTY_ROOT;
use alloy_primitives::Address;
use revm::state::{Account as Touched, EvmState};

impl<S: StateSource> State<S> {
    /// Takes the result of a journal (one transaction or more) into the open block.
    ///
    /// Destroyed accounts go with all their slots, created ones begin without any, touched empty ones go (EIP-161).
    ///
    /// # Errors
    /// The source cannot tell what was there. The open block is of no use then: [`State::abandon`] it.
    pub fn apply(&mut self, changes: EvmState) -> Result<(), StateError> {
        self.apply_all(changes, true)
    }

    /// The same as it was before EIP-161: touched empty accounts stay, or come to be.
    ///
    /// # Errors
    /// As [`State::apply`].
    pub fn apply_with_empty(&mut self, changes: EvmState) -> Result<(), StateError> {
        self.apply_all(changes, false)
    }

    fn apply_all(&mut self, changes: EvmState, clearing: bool) -> Result<(), StateError> {
        for (address, touched) in changes {
            if touched.is_touched() {
                self.apply_account(&address, touched, clearing)?;
            }
        }
        Ok(())
    }

    fn apply_account(
        &mut self,
        address: &Address,
        touched: Touched,
        clearing: bool,
    ) -> Result<(), StateError> {
        if touched.is_selfdestructed() || clearing && touched.info.is_empty() {
            return self.set_account(address, None);
        }
        if touched.is_created() {
            self.wipe(address)?;
        }
        if let Some(code) = &touched.info.code {
            let old = self.load(address)?.account;
            if old.is_none_or(|old| old.code_hash != touched.info.code_hash) {
                self.keep_code(touched.info.code_hash, code.clone())?;
            }
        }
        self.set_account(
            address,
            Some(Account {
                nonce: touched.info.nonce,
                balance: touched.info.balance,
                code_hash: touched.info.code_hash,
                storage_root: EMPTY_ROOT,
            }),
        )?;
        for (slot, value) in &touched.storage {
            self.write_slot(address, *slot, value.present_value)?;
        }
        Ok(())
    }
}
