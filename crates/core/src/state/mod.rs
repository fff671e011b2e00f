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
#[cfg(feature = "std")]
mod listed;
mod memory;
mod open;
mod prove;
mod seal;
mod source;
mod write_set;

pub use account::Account;
pub use memory::MemorySource;
pub use prove::{prove_account, prove_past_account, read_slot, AccountProof, Overlay, SlotProof};
pub use source::{Lookup, StateError, StateSource};
pub use write_set::{AccountChange, FlatChanges, SlotChange, StorageNodes, WriteSet};

use crate::trie::{Trie, EMPTY_ROOT};
use alloy_primitives::{
    keccak256,
    map::{AddressMap, B256Map, U256Map},
    Address, Bytes, B256, U256,
};
use cache::Cached;
use revm::{primitives::KECCAK_EMPTY, state::Bytecode};
use source::AccountNodes;

/// What an account was before the open block.
#[derive(Debug)]
struct Before {
    account: Option<Account>,
    slots: U256Map<U256>,
    /// All slots that the account had before this block were set to 0.
    wiped: bool,
}

/// State of the chain on top of one block, with the changes of the next.
#[derive(Debug)]
pub struct State<S> {
    source: S,
    accounts: AddressMap<Cached>,
    codes: B256Map<Bytecode>,
    /// Of the last sealed block.
    root: B256,
    /// Accounts; unopened where the source keeps it.
    trie: Trie,
    open: AddressMap<Before>,
    open_codes: B256Map<Bytes>,
    generation: u32,
    /// Accounts, slots and nodes of storage tries in memory.
    held: usize,
    /// Whether sealing says which nodes to write.
    stored: bool,
}

impl<S: StateSource> State<S> {
    /// The state with this root; `source` answers for it.
    pub fn new(root: B256, source: S) -> Self {
        let trie = source::open_trie(&source, None, root);
        State {
            source,
            accounts: AddressMap::default(),
            codes: B256Map::default(),
            root,
            trie,
            open: AddressMap::default(),
            open_codes: B256Map::default(),
            generation: 0,
            held: 0,
            stored: true,
        }
    }

    /// The same for blocks that are run and not stored: sealing gives no nodes to write.
    pub fn unstored(root: B256, source: S) -> Self {
        State {
            stored: false,
            ..Self::new(root, source)
        }
    }

    /// Goes to another state of the same source: everything in memory is forgotten.
    pub fn reset(&mut self, root: B256) {
        self.accounts.clear();
        self.codes.clear();
        self.open.clear();
        self.open_codes.clear();
        self.root = root;
        self.trie = source::open_trie(&self.source, None, root);
        self.held = 0;
    }

    /// What answers for values that are not in memory.
    pub fn source(&self) -> &S {
        &self.source
    }

    /// Gives the source back.
    pub fn into_source(self) -> S {
        self.source
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
        if !self.source.is_keyed_by_hash() && keccak256(&bytes) != *hash {
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
}

#[cfg(test)]
mod tests;
