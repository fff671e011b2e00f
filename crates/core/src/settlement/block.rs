//! An L1 block as far as it matters: enough to know that no relevant transaction was left out.
use alloc::vec::Vec;

use alloy_primitives::{Bytes, B256};
use alloy_rlp::{RlpDecodable, RlpEncodable};

use crate::compact::{Invalid, Reader};
use crate::scan::{self, RelevantTransaction};

/// A transaction that is given whole.
#[derive(Debug, Clone, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub struct RelevantPart {
    /// Position in the block.
    pub index: u32,
    /// As serialised, with witness.
    pub raw: Bytes,
}

/// An L1 block without what derivation does not read.
#[derive(Debug, Clone, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub struct L1Part {
    /// The 80 bytes.
    pub header: Bytes,
    /// The first transaction, whole.
    pub coinbase: Bytes,
    /// Its neighbours in the tree of txids, from below.
    pub branch: Vec<B256>,
    /// Of every other transaction in order; empty where the block has no witness commitment.
    pub wtxids: Vec<B256>,
    /// All whose wtxid begins with the tag.
    pub relevant: Vec<RelevantPart>,
}

/// What follows from one.
#[derive(Debug, Clone)]
pub struct L1Facts {
    /// The 80 bytes.
    pub header: [u8; 80],
    /// Internal order.
    pub hash: B256,
    /// Of the block before.
    pub previous: B256,
    /// Seconds.
    pub time: u64,
    /// Its target, compact.
    pub bits: u32,
    /// Zero where there is none.
    pub witness_root: B256,
    /// Sum of the coinbase's outputs.
    pub coinbase_value_sat: u64,
    /// In block order.
    pub relevant: Vec<RelevantTransaction>,
}

impl L1Part {
    /// Takes from a serialised block what matters.
    ///
    /// # Errors
    /// As [`scan::scan_block`].
    pub fn of(raw: &[u8], tag: &[u8]) -> Result<Self, Invalid> {
        let scanned = scan::scan_block(raw, tag)?;
        let listed = scan::list_block(raw)?;
        let committed = scanned.witness_root != [0; 32];
        let wanted = scanned.relevant.iter();
        Ok(Self {
            header: Bytes::copy_from_slice(&scanned.header),
            coinbase: Bytes::copy_from_slice(listed[0].raw),
            branch: branch(listed.iter().map(|entry| entry.txid).collect()),
            wtxids: if committed {
                listed[1..]
                    .iter()
                    .map(|entry| B256::new(entry.wtxid))
                    .collect()
            } else {
                Vec::new()
            },
            relevant: wanted
                .map(|found| RelevantPart {
                    index: found.index,
                    raw: Bytes::copy_from_slice(listed[found.index as usize].raw),
                })
                .collect(),
        })
    }

    /// Checks it against its header's hash and gives what follows.
    ///
    /// The list of wtxids cannot be one level of inner nodes instead of the leaves: the first leaf is zero, and no inner
    /// node is. A list with a pair of equal neighbours is refused (CVE-2012-2459), so that one root has one list.
    ///
    /// # Errors
    /// It is not what its header commits to, or something is missing.
    pub fn facts(&self, tag: &[u8]) -> Result<L1Facts, Invalid> {
        let header: [u8; 80] = self
            .header
            .as_ref()
            .try_into()
            .map_err(|_| Invalid("a header has 80 bytes"))?;
        let coinbase = scan::parse_coinbase(&self.coinbase)?;
        let mut node = coinbase.txid;
        for neighbour in &self.branch {
            node = scan::hash(&[&node, neighbour.as_slice()]);
        }
        if node != header[36..68] {
            return Err(Invalid(
                "the coinbase is not the first transaction of its block",
            ));
        }
        let mut relevant = Vec::new();
        let witness_root = if coinbase.commitment.is_some() {
            let leaves = core::iter::once([0; 32])
                .chain(self.wtxids.iter().map(|wtxid| wtxid.0))
                .collect();
            let root = scan::merkle_root(leaves)?;
            if !coinbase.commits_to(&root) {
                return Err(Invalid("other transactions than the coinbase commits to"));
            }
            self.examine(tag, &mut relevant)?;
            root
        } else if self.wtxids.is_empty() && self.relevant.is_empty() {
            [0; 32]
        } else {
            return Err(Invalid("transactions without a witness commitment"));
        };
        let mut parts = Reader::new(&header[4..]);
        let previous = B256::new(parts.array()?);
        parts.take(32)?;
        Ok(L1Facts {
            header,
            hash: B256::new(scan::hash(&[&header])),
            previous,
            time: u64::from(parts.u32()?),
            bits: parts.u32()?,
            witness_root: B256::new(witness_root),
            coinbase_value_sat: coinbase.value_sat,
            relevant,
        })
    }

    fn examine(&self, tag: &[u8], relevant: &mut Vec<RelevantTransaction>) -> Result<(), Invalid> {
        let mut given = self.relevant.iter();
        for (wtxid, index) in self.wtxids.iter().zip(1_u32..) {
            if !wtxid.starts_with(tag) {
                continue;
            }
            let part = given
                .next()
                .ok_or(Invalid("a relevant transaction was left out"))?;
            let found = scan::examine_alone(index, &part.raw)?;
            if part.index != index || found.wtxid != wtxid.0 {
                return Err(Invalid("another transaction than the one that is relevant"));
            }
            relevant.push(found);
        }
        if given.next().is_some() {
            return Err(Invalid("more transactions than are relevant"));
        }
        Ok(())
    }
}

/// Neighbours of the first leaf.
fn branch(mut level: Vec<scan::Hash>) -> Vec<B256> {
    let mut path = Vec::new();
    while level.len() > 1 {
        path.push(B256::new(level[1]));
        level = level
            .chunks(2)
            .map(|pair| scan::hash(&[&pair[0], pair.last().unwrap_or(&pair[0])]))
            .collect();
    }
    path
}
