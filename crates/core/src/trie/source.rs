//! Where nodes come from, and what can go wrong with them.
use super::Path;
use alloc::{string::String, vec::Vec};
use alloy_primitives::{keccak256, B256};
use core::fmt;

/// A source (a store, a witness) could not answer; what it says is for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceError(pub String);

impl fmt::Display for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl core::error::Error for SourceError {}

/// Gives the nodes that are not in memory.
pub trait NodeSource {
    /// RLP of the node at `path`, whose keccak is `hash`; None if it is not there.
    ///
    /// # Errors
    /// The source could not be read.
    fn node(&self, path: &Path, hash: &B256) -> Result<Option<Vec<u8>>, SourceError>;

    /// Whether nodes are found by their keccak, so that hashing them once more would say nothing.
    fn is_keyed_by_hash(&self) -> bool {
        false
    }
}

/// A source without nodes, for tries that are wholly in memory.
#[derive(Clone, Copy, Debug)]
pub struct NoSource;

impl NodeSource for NoSource {
    fn node(&self, _: &Path, _: &B256) -> Result<Option<Vec<u8>>, SourceError> {
        Ok(None)
    }
}

/// A trie could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TrieError {
    /// The source has no node of this hash at this path.
    Missing {
        /// Where it should stand.
        path: Path,
        /// What its parent says of it.
        hash: B256,
    },
    /// The bytes that the source gave do not hash to what the parent says.
    Mismatch {
        /// Where it stands.
        path: Path,
        /// What its parent says of it.
        hash: B256,
    },
    /// Not a node that a trie over 32-byte keys can have here.
    Malformed {
        /// Where it stands.
        path: Path,
    },
    /// The source could not be read.
    Source(SourceError),
}

impl TrieError {
    pub(super) fn malformed(key: &B256, depth: usize) -> Self {
        TrieError::Malformed {
            path: Path::new(key, depth),
        }
    }
}

impl From<SourceError> for TrieError {
    fn from(error: SourceError) -> Self {
        TrieError::Source(error)
    }
}

impl fmt::Display for TrieError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TrieError::Missing { path, hash } => write!(f, "no trie node {hash} at {path}"),
            TrieError::Mismatch { path, hash } => {
                write!(f, "the trie node at {path} does not hash to {hash}")
            }
            TrieError::Malformed { path } => write!(f, "malformed trie node at {path}"),
            TrieError::Source(error) => write!(f, "trie nodes cannot be read: {error}"),
        }
    }
}

impl core::error::Error for TrieError {}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("/")?;
        for at in 0..self.len() {
            write!(f, "{:x}", self.nibble(at))?;
        }
        Ok(())
    }
}

/// Fetches a node and checks it against its hash.
pub(super) fn fetch(
    source: &dyn NodeSource,
    key: &B256,
    depth: usize,
    hash: &B256,
) -> Result<Vec<u8>, TrieError> {
    let path = Path::new(key, depth);
    let rlp = source
        .node(&path, hash)?
        .ok_or(TrieError::Missing { path, hash: *hash })?;
    if !source.is_keyed_by_hash() && keccak256(&rlp) != *hash {
        return Err(TrieError::Mismatch { path, hash: *hash });
    }
    Ok(rlp)
}
