//! The open layer: changes of the block that is being made.
use super::{Account, Before, State, StateError, StateSource};
use crate::trie::EMPTY_ROOT;
use alloc::vec::Vec;
use alloy_primitives::{keccak256, map::U256Map, Address, Bytes, B256, U256};
use revm::{primitives::KECCAK_EMPTY, state::Bytecode};

impl<S: StateSource> State<S> {
    /// Sets an account natively; its storage root is kept, and None takes its storage away too.
    ///
    /// # Errors
    /// The source cannot tell what was there.
    pub fn set_account(
        &mut self,
        address: &Address,
        account: Option<Account>,
    ) -> Result<(), StateError> {
        if account.is_none() {
            self.wipe(address)?;
        }
        let old = self.load(address)?.account;
        // The root is the sealed one until the next seal, even if the account went and came again in between.
        let sealed = self.open.get(address).map_or(old, |before| before.account);
        let root = sealed.map_or(EMPTY_ROOT, |sealed| sealed.storage_root);
        let new = account.map(|account| Account {
            storage_root: root,
            ..account
        });
        if new != old {
            self.remember(address);
            self.load(address)?.account = new;
        }
        Ok(())
    }

    /// Makes a code known, so that an account may refer to it; gives its hash.
    ///
    /// # Errors
    /// It is not code (a malformed EIP-7702 designation), or the source cannot tell if it has it.
    pub fn set_code(&mut self, code: Bytes) -> Result<B256, StateError> {
        let hash = keccak256(&code);
        let parsed = Bytecode::new_raw_checked(code).map_err(|_| StateError::BadCode { hash })?;
        self.keep_code(hash, parsed)?;
        Ok(hash)
    }

    /// Sets a slot natively, as a hook does for a predeploy.
    ///
    /// # Errors
    /// There is no such account, or the source cannot tell what was there.
    pub fn set_slot(
        &mut self,
        address: &Address,
        slot: &U256,
        value: U256,
    ) -> Result<(), StateError> {
        if self.slot(address, slot)? == value {
            return Ok(());
        }
        if self.load(address)?.account.is_none() {
            return Err(StateError::NoAccount { address: *address });
        }
        self.write_slot(address, *slot, value)
    }

    /// Forgets the open block.
    pub fn abandon(&mut self) {
        for (address, before) in core::mem::take(&mut self.open) {
            if let Some(cached) = self.accounts.get_mut(&address) {
                cached.account = before.account;
                cached.slots.extend(before.slots);
            }
        }
        for hash in core::mem::take(&mut self.open_codes).into_keys() {
            self.codes.remove(&hash);
        }
    }

    /// Notes what the account was before the open block, once.
    fn remember(&mut self, address: &Address) -> &mut Before {
        let account = self.accounts.get(address).and_then(|cached| cached.account);
        self.open.entry(*address).or_insert_with(|| Before {
            account,
            slots: U256Map::default(),
            wiped: false,
        })
    }

    /// Sets a slot that is in memory.
    pub(super) fn write_slot(
        &mut self,
        address: &Address,
        slot: U256,
        value: U256,
    ) -> Result<(), StateError> {
        let old = self.slot(address, &slot)?;
        if old != value {
            self.remember(address).slots.entry(slot).or_insert(old);
            let added = self.load(address)?.slots.insert(slot, value).is_none();
            self.held += usize::from(added);
        }
        Ok(())
    }

    /// Sets every slot of the account to 0.
    pub(super) fn wipe(&mut self, address: &Address) -> Result<(), StateError> {
        let cached = self.load(address)?;
        let mut slots: Vec<U256> = Vec::new();
        slots.extend(
            cached
                .slots
                .iter()
                .filter(|(_, v)| !v.is_zero())
                .map(|(slot, _)| *slot),
        );
        let stored = cached
            .account
            .is_some_and(|account| account.storage_root != EMPTY_ROOT);
        let wiped = self.open.get(address).is_some_and(|before| before.wiped);
        if stored && !wiped {
            slots.extend(self.source.slots(address)?);
        }
        for slot in slots {
            self.write_slot(address, slot, U256::ZERO)?;
        }
        if stored {
            self.remember(address).wiped = true;
        }
        Ok(())
    }

    pub(super) fn keep_code(&mut self, hash: B256, code: Bytecode) -> Result<(), StateError> {
        if hash == KECCAK_EMPTY || self.open_codes.contains_key(&hash) {
            return Ok(());
        }
        if self.source.code(&hash)?.is_none() {
            self.open_codes.insert(hash, code.original_bytes());
        }
        self.codes.insert(hash, code);
        Ok(())
    }
}
