//! Postings: where what a reader looks for stands in the chain.
//!
//! Reads: the terms of blocks (an address that wrote a log, a topic, an address that appears). Gives: places in
//! order of the chain. Never: gives a place twice, misses one; a stranger's place is possible once in 2⁶⁴ and who
//! asks compares with what stands there.
//!
//! A *segment* holds all postings of a range of blocks, sorted by term; segments do not overlap. A block makes one,
//! and as they gather they are merged, so that a write is one run of pages and a query meets few of them.
mod merging;
mod query;
mod segment;

pub(crate) use merging::Tail;
pub use query::Appearance;
pub(crate) use segment::{Builder, Segment};

use alloy_primitives::{Address, B256};
use siphasher::sip::SipHasher13;
use std::hash::Hasher;

/// What postings are looked for by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Term {
    /// Who wrote a log; places are indexes of logs.
    LogAddress(Address),
    /// A topic at a position, 0 to 3; places are indexes of logs.
    LogTopic(u8, B256),
    /// An address that a transaction names or touches; places are indexes of transactions, with roles.
    Appearance(Address),
    /// An address at which a transaction made a contract; places are indexes of transactions.
    Creation(Address),
}

/// What an address did in a transaction, as bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Roles(pub u8);

impl Roles {
    /// It signed.
    pub const SENDER: Roles = Roles(1);
    /// The transaction is addressed to it.
    pub const RECIPIENT: Roles = Roles(2);
    /// The transaction made a contract there.
    pub const CREATED: Roles = Roles(4);
    /// Only what ran inside touched it.
    pub const INSIDE: Roles = Roles(8);

    const BITS: u32 = 4;

    /// Whether one of `wanted` is among them.
    pub fn has(self, wanted: Roles) -> bool {
        self.0 & wanted.0 != 0
    }

    /// Place of a transaction, with roles in it.
    pub(crate) fn place(self, transaction: u32) -> u64 {
        u64::from(transaction) << Self::BITS | u64::from(self.0)
    }

    /// Transaction and roles of a place.
    pub(crate) fn split(place: u64) -> (u32, Roles) {
        let roles = place & ((1 << Self::BITS) - 1);
        ((place >> Self::BITS) as u32, Roles(roles as u8))
    }
}

/// Where a posting points: a block, and a place in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Posting {
    pub(crate) height: u64,
    pub(crate) place: u64,
}

/// The secret of a store by which terms become fingerprints: without it nobody makes two of them meet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Secret(pub(crate) u64, pub(crate) u64);

impl Secret {
    /// A new one, from the randomness that hash maps get from the system.
    pub(crate) fn new() -> Self {
        use std::hash::{BuildHasher, RandomState};
        let draw = || RandomState::new().build_hasher().finish();
        Secret(draw(), draw())
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (one, other) = bytes.split_at_checked(8)?;
        Some(Secret(
            u64::from_be_bytes(one.try_into().ok()?),
            u64::from_be_bytes(other.try_into().ok()?),
        ))
    }

    pub(crate) fn to_bytes(self) -> [u8; 16] {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&self.0.to_be_bytes());
        bytes[8..].copy_from_slice(&self.1.to_be_bytes());
        bytes
    }

    /// Fingerprint of a term under this secret.
    pub(crate) fn fingerprint(self, term: &Term) -> u64 {
        let mut hasher = SipHasher13::new_with_keys(self.0, self.1);
        match term {
            Term::LogAddress(address) => {
                hasher.write_u8(0);
                hasher.write(address.as_slice());
            }
            Term::LogTopic(position, topic) => {
                hasher.write_u8(1 + (position & 3));
                hasher.write(topic.as_slice());
            }
            Term::Appearance(address) => {
                hasher.write_u8(5);
                hasher.write(address.as_slice());
            }
            Term::Creation(address) => {
                hasher.write_u8(6);
                hasher.write(address.as_slice());
            }
        }
        hasher.finish()
    }
}

/// The segment of one block; None where nothing of it is to be found.
pub(crate) fn segment_of(
    secret: Secret,
    height: u64,
    terms: impl Iterator<Item = (Term, u64)>,
) -> Option<Vec<u8>> {
    let mut found: Vec<(u64, u64)> = terms
        .map(|(term, place)| (secret.fingerprint(&term), place))
        .collect();
    if found.is_empty() {
        return None;
    }
    found.sort_unstable();
    found.dedup();
    let mut builder = Builder::new(height);
    for (fingerprint, place) in found {
        builder.push(fingerprint, Posting { height, place });
    }
    Some(builder.finish())
}
