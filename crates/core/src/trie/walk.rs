//! Every node of a trie, each checked against its hash.
use super::nibble::{nibble, set_nibble};
use super::node::{parse, Parsed, Ref};
use super::source::fetch;
use super::{NodeSource, TrieError, EMPTY_ROOT};
use alloy_primitives::B256;

/// Nibbles that a part of a trie is named by.
const PART_NIBBLES: usize = 2;

/// Told of each leaf: key and value.
pub type OnLeaf<'a, E> = dyn FnMut(&B256, &[u8]) -> Result<(), E> + 'a;

/// One walk: where nodes come from, which part is wanted, who hears of leaves.
struct Walk<'a, 'b, E> {
    source: &'a dyn NodeSource,
    part: Option<B256>,
    leaf: &'a mut OnLeaf<'b, E>,
    stored: u64,
}

/// Visits the leaves under `root`, in order, as (key, value); of one 256th of them if `part` is given. Gives the count
/// of nodes that are stored by themselves; nodes above the parts are counted with the first part below them.
///
/// # Errors
/// A node is missing, malformed or not what its hash says; or what `leaf` says.
pub fn walk<E: From<TrieError>>(
    root: &B256,
    part: Option<u8>,
    source: &dyn NodeSource,
    leaf: &mut OnLeaf<'_, E>,
) -> Result<u64, E> {
    if *root == EMPTY_ROOT {
        return Ok(0);
    }
    let part = part.map(|part| {
        let mut key = B256::ZERO;
        key[0] = part;
        key
    });
    let mut walk = Walk {
        source,
        part,
        leaf,
        stored: 0,
    };
    walk.node(&Ref::hash(root), &B256::ZERO, 0)?;
    Ok(walk.stored)
}

impl<E: From<TrieError>> Walk<'_, '_, E> {
    /// Whether the nibble at a depth leads into the part.
    fn wanted(&self, depth: usize, digit: u8) -> bool {
        match &self.part {
            Some(part) if depth < PART_NIBBLES => nibble(part, depth) == usize::from(digit),
            _ => true,
        }
    }

    /// Whether a node at this depth counts here: the part's other nibbles are 0.
    fn counts(&self, depth: usize) -> bool {
        match &self.part {
            Some(part) => (depth..PART_NIBBLES).all(|at| nibble(part, at) == 0),
            None => true,
        }
    }

    fn node(&mut self, reference: &Ref, key: &B256, depth: usize) -> Result<(), E> {
        let parsed = match reference.as_hash() {
            Some(hash) => {
                self.stored += u64::from(self.counts(depth));
                parse(&fetch(self.source, key, depth, &hash)?, key, depth)?
            }
            None => parse(reference.bytes(), key, depth)?,
        };
        match parsed {
            Parsed::Leaf { key, value } => {
                let inside =
                    (depth..PART_NIBBLES).all(|at| self.wanted(at, nibble(&key, at) as u8));
                if inside {
                    (self.leaf)(&key, &value)?;
                }
            }
            Parsed::Extension { key, end, child } => {
                let end = usize::from(end);
                let inside = (depth..end.min(PART_NIBBLES))
                    .all(|at| self.wanted(at, nibble(&key, at) as u8));
                if inside {
                    self.node(&child, &key, end)?;
                }
            }
            Parsed::Branch(children) => {
                let mut key = *key;
                for (digit, child) in (0u8..).zip(&children) {
                    if !child.is_dirty() && self.wanted(depth, digit) {
                        set_nibble(&mut key, depth, digit);
                        self.node(child, &key, depth + 1)?;
                    }
                }
            }
        }
        Ok(())
    }
}
