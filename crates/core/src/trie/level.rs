//! The root of a trie of which much changed: a level's nodes together, from the deepest up, eight at a time where the
//! processor can, on all cores where that pays.
use super::hash::NodeWrite;
use super::keccak::hash_all;
use super::nibble::set_nibble;
use super::node::{branch_rlp, extension_rlp, leaf_rlp, Node, Ref};
use super::{Id, Path, Trie, NIL};
use alloc::{vec, vec::Vec};
use alloy_primitives::B256;

/// Nodes that one core hashes at a time; a level with fewer stays on one.
const TOGETHER: usize = 256;

/// A node to hash, and where it stands: at the first `depth` nibbles of `key`.
struct Dirty {
    id: Id,
    key: B256,
    depth: usize,
}

/// A node that was hashed.
struct Hashed {
    id: Id,
    reference: Ref,
    write: NodeWrite,
}

impl Trie {
    /// Gives every node its reference, the root's too.
    pub(super) fn hash_levels(&mut self, writes: &mut Vec<NodeWrite>) {
        if self.root == NIL {
            return;
        }
        let levels = self.dirty_levels();
        writes.reserve(levels.iter().map(Vec::len).sum());
        for level in levels.iter().rev() {
            for hashed in self.hash_level(level) {
                self.slot_mut(hashed.id).reference = hashed.reference;
                writes.push(hashed.write);
            }
        }
    }

    /// Nodes without a reference, by how many nodes are above them.
    fn dirty_levels(&self) -> Vec<Vec<Dirty>> {
        let mut levels = Vec::new();
        let mut level = vec![Dirty {
            id: self.root,
            key: B256::ZERO,
            depth: 0,
        }];
        level.retain(|dirty| self.slot(dirty.id).reference.is_dirty());
        while !level.is_empty() {
            let mut next = Vec::new();
            let mut add = |id: Id, key: B256, depth: usize| {
                if id != NIL && self.slot(id).reference.is_dirty() {
                    next.push(Dirty { id, key, depth });
                }
            };
            for dirty in &level {
                match &self.slot(dirty.id).node {
                    Node::Extension { key, end, child } => add(*child, *key, usize::from(*end)),
                    Node::Branch(children) => {
                        let mut key = dirty.key;
                        for (digit, child) in (0u8..).zip(children) {
                            set_nibble(&mut key, dirty.depth, digit);
                            add(*child, key, dirty.depth + 1);
                        }
                    }
                    Node::Leaf { .. } | Node::Free | Node::Blind => {}
                }
            }
            levels.push(core::mem::replace(&mut level, next));
        }
        levels
    }

    /// Hashes nodes whose children all have references.
    fn hash_level(&self, level: &[Dirty]) -> Vec<Hashed> {
        if level.len() > TOGETHER {
            use rayon::prelude::*;
            let parts = level.par_chunks(TOGETHER);
            return parts.flat_map_iter(|part| self.hash_some(part)).collect();
        }
        level
            .chunks(TOGETHER)
            .flat_map(|part| self.hash_some(part))
            .collect()
    }

    fn hash_some(&self, some: &[Dirty]) -> Vec<Hashed> {
        let rlps: Vec<(Path, Vec<u8>)> = some.iter().map(|dirty| self.rlp_of(dirty)).collect();
        // A node that its parent holds inline has no hash.
        let long = |rlp: &&[u8]| rlp.len() >= 32;
        let messages: Vec<&[u8]> = rlps.iter().map(|(_, rlp)| &rlp[..]).filter(long).collect();
        let mut hashes = hash_all(&messages).into_iter();
        some.iter()
            .zip(rlps)
            .map(|(dirty, (path, rlp))| {
                let hash = if rlp.len() >= 32 { hashes.next() } else { None };
                let (reference, rlp) = match hash {
                    Some(hash) => (Ref::hash(&hash), Some(rlp)),
                    // It is stored with the parent only; an older one may be stored here.
                    None => (Ref::to(&rlp), None),
                };
                Hashed {
                    id: dirty.id,
                    reference,
                    write: NodeWrite { path, rlp },
                }
            })
            .collect()
    }

    fn rlp_of(&self, dirty: &Dirty) -> (Path, Vec<u8>) {
        let depth = dirty.depth;
        match &self.slot(dirty.id).node {
            Node::Leaf { key, value } => (Path::new(key, depth), leaf_rlp(key, depth, value)),
            Node::Extension { key, end, child } => {
                let child = &self.slot(*child).reference;
                let rlp = extension_rlp(key, depth, usize::from(*end), child);
                (Path::new(key, depth), rlp)
            }
            Node::Branch(children) => {
                let references = children.map(|child| &self.slot(child).reference);
                (Path::new(&dirty.key, depth), branch_rlp(&references))
            }
            Node::Free | Node::Blind => unreachable!("free and blind nodes are never dirty"),
        }
    }
}
