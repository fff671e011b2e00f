//! What can go wrong with a store.
use alloy_primitives::B256;
use bedroll_core::{state::StateError, trie::SourceError};
use std::{fmt, path::PathBuf};

/// The store cannot do what it was asked.
#[derive(Debug)]
pub enum StoreError {
    /// Another process, or another store in this one, has the folder.
    Held {
        /// The folder.
        path: PathBuf,
    },
    /// The store was made with another genesis.
    ForeignGenesis {
        /// The folder.
        path: PathBuf,
        /// What the store was made with.
        stored: B256,
        /// What was asked for.
        wanted: B256,
    },
    /// The store was written by a newer version of this program.
    NewerSchema {
        /// The folder.
        path: PathBuf,
        /// Version of the store.
        stored: u32,
        /// Newest version that this program reads.
        known: u32,
    },
    /// A file of the store cannot be opened or written.
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// The disk refused: it is full, or broken.
    Disk(std::io::Error),
    /// The address space for the map cannot be had.
    MapTooLarge {
        /// Asked for.
        bytes: usize,
    },
    /// LMDB refused.
    Lmdb(heed::Error),
    /// What is stored cannot be true.
    Corrupt(String),
    /// A block was sealed that does not follow the tip.
    Gap {
        /// Height of the block.
        height: u64,
        /// The height that can be sealed.
        next: u64,
    },
    /// This height is above the tip.
    AboveTip {
        /// Asked for.
        height: u64,
        /// The tip.
        tip: u64,
    },
    /// The state at this height is not kept any more.
    BelowOldest {
        /// Asked for.
        height: u64,
        /// The oldest kept one.
        oldest: u64,
    },
    /// The view's block is no longer part of the chain, or its state is not kept any more.
    Stale {
        /// Of the view.
        height: u64,
    },
    /// Trie nodes are kept of the newest state only.
    NodesOfTipOnly {
        /// Of the view.
        height: u64,
    },
    /// Too much changed since this height to put it back for one answer.
    TooFarBack {
        /// Of the view.
        height: u64,
        /// Values that may be put back.
        limit: usize,
    },
    /// The store was closed.
    Closed,
    /// The store has no block yet.
    Empty,
    /// The state could not be read or changed.
    State(StateError),
}

impl From<heed::Error> for StoreError {
    fn from(error: heed::Error) -> Self {
        match error {
            heed::Error::Io(error) => StoreError::Disk(error),
            error => StoreError::Lmdb(error),
        }
    }
}

impl From<StateError> for StoreError {
    fn from(error: StateError) -> Self {
        StoreError::State(error)
    }
}

impl From<StoreError> for SourceError {
    fn from(error: StoreError) -> Self {
        SourceError(error.to_string())
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StoreError::Held { path } => {
                write!(f, "{} is in use by another process", path.display())
            }
            StoreError::ForeignGenesis {
                path,
                stored,
                wanted,
            } => write!(
                f,
                "{} was made with genesis {stored}, not {wanted}",
                path.display()
            ),
            StoreError::NewerSchema {
                path,
                stored,
                known,
            } => write!(
                f,
                "{} has schema version {stored}; this program reads up to {known}",
                path.display()
            ),
            StoreError::Io { path, error } => write!(f, "{}: {error}", path.display()),
            StoreError::Disk(error) => write!(f, "the disk of the store: {error}"),
            StoreError::MapTooLarge { bytes } => write!(
                f,
                "a map of {bytes} bytes does not fit into the address space (see ulimit -v)"
            ),
            StoreError::Lmdb(error) => write!(f, "LMDB: {error}"),
            StoreError::Corrupt(what) => write!(f, "the store is damaged: {what}"),
            StoreError::Gap { height, next } => {
                write!(f, "block {height} cannot be sealed: {next} is next")
            }
            StoreError::AboveTip { height, tip } => {
                write!(f, "height {height} is above the tip {tip}")
            }
            StoreError::BelowOldest { height, oldest } => {
                write!(f, "height {height} is below the oldest kept state {oldest}")
            }
            StoreError::Stale { height } => {
                write!(f, "the block of the view at height {height} is gone")
            }
            StoreError::NodesOfTipOnly { height } => {
                write!(f, "no proof at height {height}: it is not the newest")
            }
            StoreError::TooFarBack { height, limit } => write!(
                f,
                "a proof at height {height} would put back more than {limit} values"
            ),
            StoreError::Closed => f.write_str("the store is closed"),
            StoreError::Empty => f.write_str("the store has no block yet"),
            StoreError::State(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for StoreError {}
