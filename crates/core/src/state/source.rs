//! Where the state comes from, and what can go wrong with it.
use crate::trie::{NodeSource, Path, SourceError, Trie, TrieError};
use alloc::{format, vec::Vec};
use alloy_primitives::{Address, Bytes, B256, U256};
use core::fmt;
use revm::database_interface::DBErrorMarker;

/// Answer of a source to a question for a flat value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lookup<T> {
    /// This is the value.
    Known(T),
    /// The source has no flat values: the trie knows.
    AskTrie,
}

/// Gives what is not in memory, as of the last sealed block.
///
/// A store answers with flat values; a witness, which has nodes and codes only, leaves `account` and `slot` as they
/// are here.
pub trait StateSource {
    /// The account with this address.
    ///
    /// # Errors
    /// The source could not be read.
    fn account(&self, _address: &Address) -> Result<Lookup<Option<super::Account>>, SourceError> {
        Ok(Lookup::AskTrie)
    }

    /// Value of a slot; 0 where nothing is stored.
    ///
    /// # Errors
    /// The source could not be read.
    fn slot(&self, _address: &Address, _slot: &U256) -> Result<Lookup<U256>, SourceError> {
        Ok(Lookup::AskTrie)
    }

    /// Slots of an account that are not 0. Needed only where an account with stored slots is wiped, which cannot
    /// happen since EIP-6780 and EIP-7610.
    ///
    /// # Errors
    /// The source could not be read, or cannot list slots.
    fn slots(&self, address: &Address) -> Result<Vec<U256>, SourceError> {
        Err(SourceError(format!("slots of {address} cannot be listed")))
    }

    /// Code with this hash.
    ///
    /// # Errors
    /// The source could not be read.
    fn code(&self, hash: &B256) -> Result<Option<Bytes>, SourceError>;

    /// Hash of the block at this height, of the newest 256.
    ///
    /// # Errors
    /// The source could not be read.
    fn block_hash(&self, height: u64) -> Result<Option<B256>, SourceError>;

    /// RLP of a trie node whose keccak is `hash`. `owner`: keccak of the address whose storage trie it is in; None
    /// for the account trie.
    ///
    /// # Errors
    /// The source could not be read.
    fn node(
        &self,
        owner: Option<&B256>,
        path: &Path,
        hash: &B256,
    ) -> Result<Option<Vec<u8>>, SourceError>;

    /// The trie with this root as far as the source has it opened already; asked for once. `owner` as in
    /// [`Self::node`].
    fn opened(&self, _owner: Option<&B256>, _root: &B256) -> Option<Trie> {
        None
    }

    /// Root of the account trie with these changes, each account once, from a source that keeps that trie itself; `before`:
    /// the root now. None: nodes are asked for and written.
    ///
    /// # Errors
    /// The source could not be read, or is at another root.
    fn root_with(
        &self,
        _before: &B256,
        _accounts: &[super::AccountChange],
    ) -> Result<Option<B256>, SourceError> {
        Ok(None)
    }

    /// Whether nodes and codes are found by their keccak, so that hashing them once more would say nothing.
    fn is_keyed_by_hash(&self) -> bool {
        false
    }

    /// Of accounts, each with the keccak of its address, which are known to be in the AddressBook at `book`. Of the others its
    /// slots tell.
    ///
    /// # Errors
    /// The source could not be read.
    #[cfg(feature = "std")]
    fn listed(
        &self,
        _book: &Address,
        accounts: &[(Address, B256)],
    ) -> Result<Vec<bool>, SourceError> {
        Ok(alloc::vec![false; accounts.len()])
    }

    /// Says that these are in the AddressBook at `book` from the block on that is sealed next.
    #[cfg(feature = "std")]
    fn list(&self, _book: &Address, _addresses: Vec<Address>) {}
}

/// The trie with this root, opened as far as the source has it so.
pub(super) fn open_trie(source: &dyn StateSource, owner: Option<&B256>, root: B256) -> Trie {
    let opened = source.opened(owner, &root);
    opened.unwrap_or_else(|| Trie::from_root(root))
}

/// Nodes of the account trie.
pub(super) struct AccountNodes<'a>(pub(super) &'a dyn StateSource);

impl NodeSource for AccountNodes<'_> {
    fn node(&self, path: &Path, hash: &B256) -> Result<Option<Vec<u8>>, SourceError> {
        self.0.node(None, path, hash)
    }

    fn is_keyed_by_hash(&self) -> bool {
        self.0.is_keyed_by_hash()
    }
}

/// Nodes of one account's storage trie.
pub(super) struct StorageNodesOf<'a>(pub(super) &'a dyn StateSource, pub(super) B256);

impl NodeSource for StorageNodesOf<'_> {
    fn node(&self, path: &Path, hash: &B256) -> Result<Option<Vec<u8>>, SourceError> {
        self.0.node(Some(&self.1), path, hash)
    }

    fn is_keyed_by_hash(&self) -> bool {
        self.0.is_keyed_by_hash()
    }
}

/// The state could not be read or changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StateError {
    /// A trie could not be read.
    Trie(TrieError),
    /// The source could not be read.
    Source(SourceError),
    /// The source has no code with this hash.
    NoCode {
        /// Keccak of the code.
        hash: B256,
    },
    /// What the source gave is not the code with this hash, or not code at all.
    BadCode {
        /// Keccak of the code.
        hash: B256,
    },
    /// What the trie holds for this address is not an account.
    BadAccount {
        /// Whose.
        address: Address,
    },
    /// What the trie holds for this slot is not a value.
    BadSlot {
        /// Whose.
        address: Address,
        /// Which.
        slot: U256,
    },
    /// A slot of an account that does not exist cannot be set.
    NoAccount {
        /// Which.
        address: Address,
    },
    /// The source does not know the hash of this block.
    NoHeader {
        /// Of the block.
        height: u64,
    },
}

impl From<TrieError> for StateError {
    fn from(error: TrieError) -> Self {
        StateError::Trie(error)
    }
}

impl From<SourceError> for StateError {
    fn from(error: SourceError) -> Self {
        StateError::Source(error)
    }
}

impl fmt::Display for StateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StateError::Trie(error) => error.fmt(f),
            StateError::Source(error) => error.fmt(f),
            StateError::NoCode { hash } => write!(f, "no code with hash {hash}"),
            StateError::BadCode { hash } => write!(f, "not the code with hash {hash}"),
            StateError::BadAccount { address } => write!(f, "no account stands at {address}"),
            StateError::BadSlot { address, slot } => {
                write!(f, "no value stands at slot {slot:#x} of {address}")
            }
            StateError::NoAccount { address } => write!(f, "there is no account {address}"),
            StateError::NoHeader { height } => write!(f, "no block at height {height} is known"),
        }
    }
}

impl core::error::Error for StateError {}
impl DBErrorMarker for StateError {}
