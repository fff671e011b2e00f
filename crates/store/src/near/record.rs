//! Records of the log.
//!
//! ```text
//! record   sum u32 ‖ kind u8 ‖ length u16 ‖ node ‖ rest      the sum (CRC-32) is of all after it; node: RLP, or nothing
//! branch   place u64 × 16                                    kind 1; 0: nothing there
//! unit     (listed u1 ‖ length of the flat form u7 ‖ hash ‖ address ‖ flat form)*      in the order of the keccaks of the
//!                                             addresses, of which hash is the first 4 bytes in kind 3, all in kind 2
//! ```
//! Listed: the address is in the AddressBook (`near/listed.rs`). Kind 2 is schema 5's: it is read, and not written any more.
use super::node::nibble;
use super::segment::Place;
use alloy_primitives::{keccak256, B256};
use bedroll_core::trie::hash_all;
use std::cmp::Ordering;

const BRANCH: u8 = 1;
const WHOLE_HASHES: u8 = 2;
const UNIT: u8 = 3;
/// Bytes before the node.
const HEAD_BYTES: usize = 7;
const ADDRESS_BYTES: usize = 20;
/// Bytes of a hash that a unit has: more nibbles than lead to a unit, unless somebody looked for such addresses.
const START_BYTES: usize = 4;
/// Bit of an account that is in the AddressBook, beside the length of its flat form, which is 105 at most.
const LISTED: u8 = 0x80;

/// An account.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry<'a> {
    /// First bytes of the keccak of its address.
    start: [u8; START_BYTES],
    pub(crate) address: &'a [u8],
    pub(crate) flat: &'a [u8],
    /// The address is known to be in the AddressBook.
    pub(crate) listed: bool,
}

impl<'a> Entry<'a> {
    /// `hash`: keccak of the address.
    pub(crate) fn new(hash: &B256, address: &'a [u8], flat: &'a [u8], listed: bool) -> Self {
        Entry {
            start: start(hash),
            address,
            flat,
            listed,
        }
    }

    /// Where it stands beside an address with this hash, in the order of hashes.
    pub(super) fn order(&self, address: &[u8], hash: &B256) -> Ordering {
        match self.start.cmp(&start(hash)) {
            Ordering::Equal if self.address == address => Ordering::Equal,
            Ordering::Equal => keccak256(self.address).cmp(hash),
            order => order,
        }
    }

    /// Nibble `at` of the hash.
    pub(super) fn nibble(&self, at: usize) -> usize {
        if at < 2 * START_BYTES {
            return nibble(&self.start, at);
        }
        nibble(keccak256(self.address).as_slice(), at)
    }
}

fn start(hash: &B256) -> [u8; START_BYTES] {
    std::array::from_fn(|at| hash[at])
}

/// An account with the whole hash.
#[derive(Clone, Copy, Debug)]
pub(super) struct Keyed<'a> {
    pub(super) hash: B256,
    pub(super) address: &'a [u8],
    pub(super) flat: &'a [u8],
    pub(super) listed: bool,
}

/// Accounts with their hashes.
pub(super) fn keyed<'a>(entries: &[Entry<'a>]) -> Vec<Keyed<'a>> {
    let addresses: Vec<&[u8]> = entries.iter().map(|entry| entry.address).collect();
    let hashes = hash_all(&addresses).into_iter();
    (hashes.zip(entries))
        .map(|(hash, entry)| Keyed {
            hash,
            address: entry.address,
            flat: entry.flat,
            listed: entry.listed,
        })
        .collect()
}

/// What a record holds.
#[derive(Debug)]
pub(super) enum Rest<'a> {
    Branch([Place; 16]),
    Unit(Entries<'a>),
}

/// Accounts of a unit; a damaged one ends in None.
#[derive(Clone, Debug, Default)]
pub(super) struct Entries<'a> {
    rest: &'a [u8],
    hash_bytes: usize,
}

impl<'a> Entries<'a> {
    fn take(&mut self) -> Option<Entry<'a>> {
        let (&head, rest) = self.rest.split_first()?;
        let (start, _) = rest.split_first_chunk()?;
        let (address, rest) = rest
            .get(self.hash_bytes..)?
            .split_at_checked(ADDRESS_BYTES)?;
        let (flat, rest) = rest.split_at_checked(usize::from(head & !LISTED))?;
        self.rest = rest;
        Some(Entry {
            start: *start,
            address,
            flat,
            listed: head & LISTED != 0,
        })
    }
}

impl<'a> Iterator for Entries<'a> {
    type Item = Option<Entry<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let entry = self.take();
        if entry.is_none() {
            self.rest = &[];
        }
        Some(entry)
    }
}

/// Whether a record is what was written.
pub(super) fn is_whole(record: &[u8]) -> bool {
    let sum = record.split_first_chunk::<4>();
    sum.is_some_and(|(sum, summed)| crc32fast::hash(summed) == u32::from_be_bytes(*sum))
}

/// A record's node and the rest, by its form alone; None if it has none.
pub(super) fn parse(record: &[u8]) -> Option<(Option<&[u8]>, Rest<'_>)> {
    let (head, rest) = record.split_first_chunk::<HEAD_BYTES>()?;
    let length = usize::from(u16::from_be_bytes([head[5], head[6]]));
    let (node, rest) = rest.split_at_checked(length)?;
    let rest = match head[4] {
        BRANCH => {
            let (places, after) = rest.as_chunks::<8>();
            let places: [[u8; 8]; 16] = places.try_into().ok()?;
            if !after.is_empty() {
                return None;
            }
            Rest::Branch(places.map(Place::from_bytes))
        }
        UNIT | WHOLE_HASHES => Rest::Unit(Entries {
            rest,
            hash_bytes: if head[4] == UNIT { START_BYTES } else { 32 },
        }),
        _ => return None,
    };
    Some(((!node.is_empty()).then_some(node), rest))
}

/// Puts a record together, of which the rest has so many bytes.
fn build(kind: u8, node: Option<&[u8]>, bytes: usize, rest: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let node = node.unwrap_or_default();
    let mut out = Vec::with_capacity(HEAD_BYTES + node.len() + bytes);
    out.extend_from_slice(&[0; HEAD_BYTES]);
    out[4] = kind;
    out[5..].copy_from_slice(&(node.len() as u16).to_be_bytes());
    out.extend_from_slice(node);
    rest(&mut out);
    let sum = crc32fast::hash(&out[4..]);
    out[..4].copy_from_slice(&sum.to_be_bytes());
    out
}

pub(super) fn branch(node: Option<&[u8]>, places: &[Place; 16]) -> Vec<u8> {
    build(BRANCH, node, 16 * 8, |out| {
        for place in places {
            out.extend_from_slice(&place.to_bytes());
        }
    })
}

pub(super) fn unit(node: Option<&[u8]>, entries: &[Entry<'_>]) -> Vec<u8> {
    let each = |entry: &Entry<'_>| 1 + START_BYTES + ADDRESS_BYTES + entry.flat.len();
    let bytes = entries.iter().map(each).sum();
    build(UNIT, node, bytes, |out| {
        for entry in entries {
            let listed = if entry.listed { LISTED } else { 0 };
            out.push(entry.flat.len() as u8 | listed);
            out.extend_from_slice(&entry.start);
            out.extend_from_slice(entry.address);
            out.extend_from_slice(entry.flat);
        }
    })
}
