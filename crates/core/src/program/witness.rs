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
use alloy_rlp::{Decodable, RlpDecodable, RlpEncodable};

use crate::state::{read_slot, Account, StateSource};
use crate::trie::{write_part, Path, SourceError, Trie, TrieError};

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

/// What was opened of an account's storage trie.
#[derive(Clone, Debug, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub struct StoragePart {
    /// Keccak of its address.
    pub owner: B256,
    /// As [`write_part`] writes it, a value as its bytes without leading zeros.
    pub part: Bytes,
}

/// Parts of tries, of which every hash is computed again; nodes and codes, each known by its keccak; addresses of the
/// book.
#[derive(Clone, Debug, Default, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub struct Witness {
    /// What was opened of the account trie, an account in its flat form; empty: nothing.
    pub accounts: Bytes,
    /// By owner.
    pub storages: Vec<StoragePart>,
    /// RLP of the nodes that lead to hashes of blocks before the parent, in the order of first use.
    pub nodes: Vec<Bytes>,
    /// Codes, in the order of first use.
    pub codes: Vec<Bytes>,
    /// What the body names by index.
    pub book: Vec<BookEntry>,
}

fn shorten_account(rlp: &[u8]) -> Option<Vec<u8>> {
    Account::from_rlp(rlp).map(|account| account.to_flat())
}

fn expand_account(flat: &[u8]) -> Option<Vec<u8>> {
    Account::from_flat(flat).map(|account| account.to_rlp())
}

fn shorten_slot(mut rlp: &[u8]) -> Option<Vec<u8>> {
    let value = U256::decode(&mut rlp).ok()?;
    Some(value.to_be_bytes_trimmed_vec())
}

fn expand_slot(short: &[u8]) -> Option<Vec<u8>> {
    U256::try_from_be_slice(short).map(alloy_rlp::encode)
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

/// What was read of one trie.
#[derive(Debug, Default)]
struct Opened {
    root: B256,
    nodes: B256Map<Bytes>,
}

#[derive(Debug, Default)]
struct Noted {
    accounts: Opened,
    storages: BTreeMap<B256, Opened>,
    nodes: Vec<Bytes>,
    codes: Vec<Bytes>,
    seen: B256Set,
    book: BTreeMap<u64, Address>,
}

impl Noted {
    fn opened(&mut self, owner: Option<&B256>, path: &Path, hash: &B256, rlp: &[u8]) {
        let opened = match owner {
            None => &mut self.accounts,
            Some(owner) => self.storages.entry(*owner).or_default(),
        };
        if path.is_empty() {
            opened.root = *hash;
        }
        opened.nodes.insert(*hash, Bytes::copy_from_slice(rlp));
    }

    fn node(&mut self, hash: &B256, rlp: &[u8]) {
        if self.seen.insert(*hash) {
            self.nodes.push(Bytes::copy_from_slice(rlp));
        }
    }

    fn code(&mut self, hash: &B256, code: &Bytes) {
        if self.seen.insert(*hash) {
            self.codes.push(code.clone());
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
    ///
    /// # Errors
    /// The source gave a node that is none.
    pub fn into_witness(self) -> Result<Witness, TrieError> {
        let noted = self.noted.into_inner();
        let accounts = match noted.accounts.nodes.is_empty() {
            true => Vec::new(),
            false => write_part(
                &noted.accounts.root,
                &noted.accounts.nodes,
                &shorten_account,
            )?,
        };
        let storages = noted.storages.into_iter().map(|(owner, opened)| {
            let part = write_part(&opened.root, &opened.nodes, &shorten_slot)?.into();
            Ok(StoragePart { owner, part })
        });
        let entries = noted.book.into_iter();
        Ok(Witness {
            accounts: accounts.into(),
            storages: storages.collect::<Result<_, TrieError>>()?,
            nodes: noted.nodes,
            codes: noted.codes,
            book: entries
                .map(|(index, address)| BookEntry { index, address })
                .collect(),
        })
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
            None => ancestor(&PastNodes(self), &self.root, height),
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
            self.noted.borrow_mut().opened(owner, path, hash, rlp);
        }
        Ok(node)
    }
}

/// What is read on the way to the hash of a block before the parent: of the parent's state, when the tries may have
/// gone on from there.
struct PastNodes<'a, S, B>(&'a Recorder<S, B>);

impl<S: StateSource, B> StateSource for PastNodes<'_, S, B> {
    fn code(&self, hash: &B256) -> Result<Option<Bytes>, SourceError> {
        self.0.code(hash)
    }

    fn block_hash(&self, height: u64) -> Result<Option<B256>, SourceError> {
        self.0.block_hash(height)
    }

    fn node(
        &self,
        owner: Option<&B256>,
        path: &Path,
        hash: &B256,
    ) -> Result<Option<Vec<u8>>, SourceError> {
        let node = self.0.source.node(owner, path, hash)?;
        if let Some(rlp) = &node {
            self.0.noted.borrow_mut().node(hash, rlp);
        }
        Ok(node)
    }
}

/// A witness as a source. What it lacks is an error of whoever reads, never a value.
#[derive(Debug)]
pub struct WitnessSource {
    root: B256,
    /// Opened tries by owner, the account trie's none, with their roots.
    tries: RefCell<BTreeMap<Option<B256>, (B256, Trie)>>,
    parts: B256Map<Bytes>,
    book: BTreeMap<u64, Address>,
    hashes: BTreeMap<u64, B256>,
}

impl WitnessSource {
    /// Plays back upon the state with this root after block `parent` (height and hash); None where a part of a trie is
    /// malformed.
    pub fn new(witness: Witness, root: B256, parent: (u64, B256)) -> Option<Self> {
        let mut tries = BTreeMap::new();
        if !witness.accounts.is_empty() {
            tries.insert(None, Trie::from_part(&witness.accounts, &expand_account)?);
        }
        for StoragePart { owner, part } in &witness.storages {
            tries.insert(Some(*owner), Trie::from_part(part, &expand_slot)?);
        }
        let book = witness.book.iter();
        Some(Self {
            tries: RefCell::new(tries),
            book: book.map(|entry| (entry.index, entry.address)).collect(),
            ..Self::of_nodes(witness.nodes, witness.codes, root, parent)
        })
    }

    /// The same where all of the state is given as nodes.
    pub fn of_nodes(nodes: Vec<Bytes>, codes: Vec<Bytes>, root: B256, parent: (u64, B256)) -> Self {
        let parts = nodes.into_iter().chain(codes);
        Self {
            root,
            tries: RefCell::default(),
            parts: parts.map(|part| (keccak256(&part), part)).collect(),
            book: BTreeMap::new(),
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

    fn opened(&self, owner: Option<&B256>, root: &B256) -> Option<Trie> {
        let mut tries = self.tries.borrow_mut();
        let owner = owner.copied();
        let fits = tries.get(&owner).is_some_and(|(own, _)| own == root);
        if !fits {
            return None;
        }
        tries.remove(&owner).map(|(_, trie)| trie)
    }

    fn is_keyed_by_hash(&self) -> bool {
        true
    }
}
