//! Records of the log.
//!
//! ```text
//! record   sum u32 ‖ kind u8 ‖ length u16 ‖ node ‖ rest      the sum (CRC-32) is of all after it; node: RLP, or nothing
//! branch   place u64 × 16                                    kind 1; 0: nothing there
//! unit     (length of the flat form u8 ‖ hash ‖ address ‖ flat form)*      kind 2, in the order of hashes
//! ```
use super::segment::Place;
use alloy_primitives::B256;

const BRANCH: u8 = 1;
const UNIT: u8 = 2;
/// Bytes before the node.
const HEAD_BYTES: usize = 7;
const HASH_BYTES: usize = 32;
const ADDRESS_BYTES: usize = 20;

/// An account.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry<'a> {
    /// Keccak of the address.
    pub(crate) hash: &'a B256,
    pub(crate) address: &'a [u8],
    pub(crate) flat: &'a [u8],
}

/// What a record holds.
#[derive(Debug)]
pub(super) enum Rest<'a> {
    Branch([Place; 16]),
    Unit(Entries<'a>),
}

/// Accounts of a unit; a damaged one ends in None.
#[derive(Clone, Debug, Default)]
pub(super) struct Entries<'a>(&'a [u8]);

impl<'a> Iterator for Entries<'a> {
    type Item = Option<Entry<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        let (&length, rest) = self.0.split_first()?;
        let all = HASH_BYTES + ADDRESS_BYTES + usize::from(length);
        let Some((entry, after)) = rest.split_at_checked(all) else {
            self.0 = &[];
            return Some(None);
        };
        self.0 = after;
        let (hash, rest) = entry.split_at(HASH_BYTES);
        let (address, flat) = rest.split_at(ADDRESS_BYTES);
        let hash = <&B256>::try_from(hash).ok();
        Some(hash.map(|hash| Entry {
            hash,
            address,
            flat,
        }))
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
        UNIT => Rest::Unit(Entries(rest)),
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
    let each = |entry: &Entry<'_>| 1 + HASH_BYTES + ADDRESS_BYTES + entry.flat.len();
    let bytes = entries.iter().map(each).sum();
    build(UNIT, node, bytes, |out| {
        for entry in entries {
            out.push(entry.flat.len() as u8);
            out.extend_from_slice(entry.hash.as_slice());
            out.extend_from_slice(entry.address);
            out.extend_from_slice(entry.flat);
        }
    })
}
