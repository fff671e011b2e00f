//! The state of the chain: flat accounts and slots, and the tries that give its root.
//!
//! Reads: flat values and trie nodes from a [`StateSource`]. Gives: revm's `Database`, and at the end of each block
//! the root and a [`WriteSet`]. Never: does I/O, touches a trie before the block ends.
//!
//! Within a block changes gather in the *open layer*: [`State::apply`] takes each transaction's result, [`State::
//! set_slot`] and [`State::set_account`] what native code writes, [`State::abandon`] forgets them all and
//! [`State::seal`] moves them into the tries. Sealed values stay in memory until [`State::trim`] lets them go.
mod account;
mod apply;
mod cache;
mod database;
mod memory;
mod prove;
mod seal;
mod source;
mod write_set;

pub use account::Account;
pub use memory::MemorySource;
pub use prove::{prove_account, AccountProof, SlotProof};
pub use source::{Lookup, StateError, StateSource};
pub use write_set::{AccountChange, FlatChanges, SlotChange, StorageNodes, WriteSet};

use crate::trie::{Trie, EMPTY_ROOT};
use alloc::vec::Vec;
use alloy_primitives::{keccak256, map::HashMap, Address, Bytes, B256, U256};
use cache::Cached;
use revm::{primitives::KECCAK_EMPTY, state::Bytecode};
use source::AccountNodes;

/// What an account was before the open block.
#[derive(Debug)]
struct Before {
    account: Option<Account>,
    slots: HashMap<U256, U256>,
    /// All slots that the account had before this block were set to 0.
    wiped: bool,
}

/// State of the chain on top of one block, with the changes of the next.
#[derive(Debug)]
pub struct State<S> {
    source: S,
    accounts: HashMap<Address, Cached>,
    codes: HashMap<B256, Bytecode>,
    trie: Trie,
    open: HashMap<Address, Before>,
    open_codes: HashMap<B256, Bytes>,
    generation: u32,
    /// Accounts, slots and nodes of storage tries in memory.
    held: usize,
}

impl<S: StateSource> State<S> {
    /// The state with this root; `source` answers for it.
    pub fn new(root: B256, source: S) -> Self {
        State {
            source,
            accounts: HashMap::default(),
            codes: HashMap::default(),
            trie: Trie::from_root(root),
            open: HashMap::default(),
            open_codes: HashMap::default(),
            generation: 0,
            held: 0,
        }
    }

    /// Goes to another state of the same source: everything in memory is forgotten.
    pub fn reset(&mut self, root: B256) {
        self.accounts.clear();
        self.codes.clear();
        self.open.clear();
        self.open_codes.clear();
        self.trie = Trie::from_root(root);
        self.held = 0;
    }

    /// What answers for values that are not in memory.
    pub fn source(&self) -> &S {
        &self.source
    }

    /// The same, to hand it what was sealed.
    pub fn source_mut(&mut self) -> &mut S {
        &mut self.source
    }

    /// The account now, in the open block. Its storage root is that of the last sealed block.
    ///
    /// # Errors
    /// The source cannot tell.
    pub fn account(&mut self, address: &Address) -> Result<Option<Account>, StateError> {
        Ok(self.load(address)?.account)
    }

    /// Value of a slot now, in the open block.
    ///
    /// # Errors
    /// The source cannot tell.
    pub fn slot(&mut self, address: &Address, slot: &U256) -> Result<U256, StateError> {
        self.load(address)?;
        let State {
            accounts,
            source,
            open,
            held,
            ..
        } = self;
        let Some(cached) = accounts.get_mut(address) else {
            return Ok(U256::ZERO);
        };
        if open.get(address).is_some_and(|before| before.wiped) {
            // What is not in memory was wiped with the rest, whatever the source has.
            return Ok(cached.slots.get(slot).copied().unwrap_or_default());
        }
        let before = cached.weight();
        let value = cached.slot(address, slot, source);
        *held += cached.weight() - before;
        value
    }

    /// Code with this hash.
    ///
    /// # Errors
    /// The source does not have it or cannot tell.
    pub fn code(&mut self, hash: &B256) -> Result<Bytecode, StateError> {
        if *hash == KECCAK_EMPTY {
            return Ok(Bytecode::default());
        }
        if let Some(code) = self.codes.get(hash) {
            return Ok(code.clone());
        }
        let bytes = self
            .source
            .code(hash)?
            .ok_or(StateError::NoCode { hash: *hash })?;
        if keccak256(&bytes) != *hash {
            return Err(StateError::BadCode { hash: *hash });
        }
        let code =
            Bytecode::new_raw_checked(bytes).map_err(|_| StateError::BadCode { hash: *hash })?;
        self.codes.insert(*hash, code.clone());
        Ok(code)
    }

    /// Whether the account has a slot that is not 0: no contract may be created there (EIP-7610).
    ///
    /// # Errors
    /// The source cannot tell.
    pub fn has_storage(&mut self, address: &Address) -> Result<bool, StateError> {
        let cached = self.load(address)?;
        let sealed = cached
            .account
            .is_some_and(|account| account.storage_root != EMPTY_ROOT);
        let written = cached.slots.values().any(|value| !value.is_zero());
        let wiped = self.open.get(address).is_some_and(|before| before.wiped);
        Ok(written || (sealed && !wiped))
    }

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

    /// The account, read if it was not yet.
    fn load(&mut self, address: &Address) -> Result<&mut Cached, StateError> {
        let generation = self.generation;
        if !self.accounts.contains_key(address) {
            let key = keccak256(address);
            let account = match self.source.account(address)? {
                Lookup::Known(account) => account,
                Lookup::AskTrie => {
                    let nodes = AccountNodes(&self.source);
                    let value = self.trie.get(&key, &nodes)?;
                    value
                        .map(|rlp| {
                            Account::from_rlp(rlp)
                                .ok_or(StateError::BadAccount { address: *address })
                        })
                        .transpose()?
                }
            };
            self.accounts.insert(*address, Cached::new(key, account));
            self.held += 1;
        }
        let cached = self
            .accounts
            .get_mut(address)
            .ok_or(StateError::NoAccount { address: *address })?;
        cached.generation = generation;
        Ok(cached)
    }

    /// Notes what the account was before the open block, once.
    fn remember(&mut self, address: &Address) -> &mut Before {
        let account = self.accounts.get(address).and_then(|cached| cached.account);
        self.open.entry(*address).or_insert_with(|| Before {
            account,
            slots: HashMap::default(),
            wiped: false,
        })
    }

    /// Sets a slot that is in memory.
    fn write_slot(&mut self, address: &Address, slot: U256, value: U256) -> Result<(), StateError> {
        let old = self.slot(address, &slot)?;
        if old != value {
            self.remember(address).slots.entry(slot).or_insert(old);
            let added = self.load(address)?.slots.insert(slot, value).is_none();
            self.held += usize::from(added);
        }
        Ok(())
    }

    /// Sets every slot of the account to 0.
    fn wipe(&mut self, address: &Address) -> Result<(), StateError> {
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

    fn keep_code(&mut self, hash: B256, code: Bytecode) -> Result<(), StateError> {
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

#[cfg(test)]
mod tests;
