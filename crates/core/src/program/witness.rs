//! State without a store: what a run needs of it, recorded once and played back anywhere.
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::cell::RefCell;

use alloy_eips::eip2935::HISTORY_STORAGE_ADDRESS;
use alloy_primitives::{
    keccak256,
    map::{B256Map, B256Set},
    Address, Bytes, B256, U256,
};
use alloy_rlp::{RlpDecodable, RlpEncodable};

use crate::state::{read_slot, StateSource};
use crate::trie::{Path, SourceError};

/// Blocks that the contract of EIP-2935 remembers.
const HISTORY_WINDOW: u64 = 8_191;

/// Where the program reads the state, and what it tells of its own blocks.
pub trait ProgramSource: StateSource {
    /// The address that is said to stand at this index of the AddressBook. The program checks it in the state.
    ///
    /// # Errors
    /// The source could not be read.
    fn book_address(&self, index: u64) -> Result<Option<Address>, SourceError>;

    /// Takes note of a block that was sealed on top.
    fn sealed(&mut self, height: u64, hash: B256);
}

/// An address that a body names by its index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub struct BookEntry {
    /// In the AddressBook.
    pub index: u64,
    /// What stands there.
    pub address: Address,
}

/// Trie nodes and codes, each known by its keccak, and addresses of the book.
#[derive(Clone, Debug, Default, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub struct Witness {
    /// RLP of nodes of the account trie and of storage tries, in the order of first use.
    pub nodes: Vec<Bytes>,
    /// Codes, in the order of first use.
    pub codes: Vec<Bytes>,
    /// What the body names by index.
    pub book: Vec<BookEntry>,
}

impl Witness {
    /// Bytes of all nodes and codes.
    pub fn size(&self) -> usize {
        let sizes = self.nodes.iter().chain(&self.codes).map(|part| part.len());
        sizes.sum()
    }
}

/// Hash of a block before the parent, as the contract of EIP-2935 holds it in the parent's state.
fn ancestor(
    source: &dyn StateSource,
    root: &B256,
    height: u64,
) -> Result<Option<B256>, SourceError> {
    let slot = U256::from(height % HISTORY_WINDOW);
    let word = read_slot(root, source, &HISTORY_STORAGE_ADDRESS, &slot)
        .map_err(|error| SourceError(alloc::format!("{error}")))?;
    Ok((!word.is_zero()).then(|| B256::from(word)))
}

/// A source that answers from tries alone, and notes every node, code and address that it gave.
#[derive(Debug)]
pub struct Recorder<S, B> {
    source: S,
    book: B,
    root: B256,
    hashes: BTreeMap<u64, B256>,
    noted: RefCell<Noted>,
}

#[derive(Debug, Default)]
struct Noted {
    witness: Witness,
    seen: B256Set,
    book: BTreeMap<u64, Address>,
}

impl Noted {
    fn node(&mut self, hash: &B256, rlp: &[u8]) {
        if self.seen.insert(*hash) {
            self.witness.nodes.push(Bytes::copy_from_slice(rlp));
        }
    }

    fn code(&mut self, hash: &B256, code: &Bytes) {
        if self.seen.insert(*hash) {
            self.witness.codes.push(code.clone());
        }
    }
}

impl<S: StateSource, B> Recorder<S, B> {
    /// Records what is read of the state with this root after block `parent` (height and hash). `book` gives the
    /// address at an index of the AddressBook.
    pub fn new(source: S, book: B, root: B256, parent: (u64, B256)) -> Self {
        Self {
            source,
            book,
            root,
            hashes: BTreeMap::from([parent]),
            noted: RefCell::default(),
        }
    }

    /// All that was read.
    pub fn into_witness(self) -> Witness {
        let noted = self.noted.into_inner();
        let entries = noted.book.into_iter();
        Witness {
            book: entries
                .map(|(index, address)| BookEntry { index, address })
                .collect(),
            ..noted.witness
        }
    }
}

impl<S, B> ProgramSource for Recorder<S, B>
where
    S: StateSource,
    B: Fn(u64) -> Result<Option<Address>, SourceError>,
{
    fn book_address(&self, index: u64) -> Result<Option<Address>, SourceError> {
        let address = (self.book)(index)?;
        if let Some(address) = address {
            self.noted.borrow_mut().book.insert(index, address);
        }
        Ok(address)
    }

    fn sealed(&mut self, height: u64, hash: B256) {
        self.hashes.insert(height, hash);
    }
}

impl<S: StateSource, B> StateSource for Recorder<S, B> {
    fn code(&self, hash: &B256) -> Result<Option<Bytes>, SourceError> {
        let code = self.source.code(hash)?;
        if let Some(code) = &code {
            self.noted.borrow_mut().code(hash, code);
        }
        Ok(code)
    }

    fn block_hash(&self, height: u64) -> Result<Option<B256>, SourceError> {
        match self.hashes.get(&height) {
            Some(hash) => Ok(Some(*hash)),
            None => ancestor(self, &self.root, height),
        }
    }

    fn node(
        &self,
        owner: Option<&B256>,
        path: &Path,
        hash: &B256,
    ) -> Result<Option<Vec<u8>>, SourceError> {
        let node = self.source.node(owner, path, hash)?;
        if let Some(rlp) = &node {
            self.noted.borrow_mut().node(hash, rlp);
        }
        Ok(node)
    }
}

/// A witness as a source. What it lacks is an error of whoever reads, never a value.
#[derive(Debug)]
pub struct WitnessSource {
    root: B256,
    parts: B256Map<Bytes>,
    book: BTreeMap<u64, Address>,
    hashes: BTreeMap<u64, B256>,
}

impl WitnessSource {
    /// Plays back upon the state with this root after block `parent` (height and hash).
    pub fn new(witness: Witness, root: B256, parent: (u64, B256)) -> Self {
        let book = witness
            .book
            .iter()
            .map(|entry| (entry.index, entry.address));
        let book = book.collect();
        let parts = witness.nodes.into_iter().chain(witness.codes);
        Self {
            root,
            parts: parts.map(|part| (keccak256(&part), part)).collect(),
            book,
            hashes: BTreeMap::from([parent]),
        }
    }
}

impl ProgramSource for WitnessSource {
    fn book_address(&self, index: u64) -> Result<Option<Address>, SourceError> {
        Ok(self.book.get(&index).copied())
    }

    fn sealed(&mut self, height: u64, hash: B256) {
        self.hashes.insert(height, hash);
    }
}

impl StateSource for WitnessSource {
    fn code(&self, hash: &B256) -> Result<Option<Bytes>, SourceError> {
        Ok(self.parts.get(hash).cloned())
    }

    fn block_hash(&self, height: u64) -> Result<Option<B256>, SourceError> {
        match self.hashes.get(&height) {
            Some(hash) => Ok(Some(*hash)),
            None => ancestor(self, &self.root, height),
        }
    }

    fn node(
        &self,
        _owner: Option<&B256>,
        _path: &Path,
        hash: &B256,
    ) -> Result<Option<Vec<u8>>, SourceError> {
        Ok(self.parts.get(hash).map(|rlp| rlp.to_vec()))
    }

    fn is_keyed_by_hash(&self) -> bool {
        true
    }
}
