//! The root: only what changed is hashed again, on several cores where that pays.
use super::nibble::set_nibble;
use super::node::{branch_rlp, extension_rlp, leaf_rlp, Ref};
use super::{Id, Node, Path, Trie, EMPTY_ROOT, NIL};
use alloc::vec::Vec;
use alloy_primitives::{keccak256, B256};

/// What the stored nodes need so that they are this trie again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeWrite {
    /// Where the node stands.
    pub path: Path,
    /// Its RLP; None: nothing is stored there any more.
    pub rlp: Option<Vec<u8>>,
}

/// Changes from which on hashing by levels pays, on several cores and several nodes at a time.
#[cfg(feature = "std")]
const LEVEL_CHANGES: usize = 64;

/// What hashing a part of the trie found out.
#[derive(Default)]
struct Hashed {
    references: Vec<(Id, Ref)>,
    writes: Vec<NodeWrite>,
}

impl Trie {
    /// Root of the trie, and what to write so that the stored nodes agree with it: in order, a later write of a
    /// path counts.
    pub fn commit(&mut self) -> (B256, Vec<NodeWrite>) {
        self.encoded = Vec::new();
        let mut writes: Vec<NodeWrite> = core::mem::take(&mut self.removed)
            .into_iter()
            .map(|path| NodeWrite { path, rlp: None })
            .collect();
        let mut hashed = Hashed::default();
        #[cfg(feature = "std")]
        if self.changes >= LEVEL_CHANGES {
            self.hash_levels(&mut writes);
        }
        self.changes = 0;
        if self.root == NIL {
            return (EMPTY_ROOT, writes);
        }
        let root = self.hash_from(self.root, 0, &B256::ZERO, &mut hashed);
        self.keep(hashed, &mut writes);
        match root.as_hash() {
            Some(hash) => (hash, writes),
            None => {
                // A root is always stored by its hash, however short it is.
                let rlp = root.bytes().to_vec();
                let hash = keccak256(&rlp);
                writes.push(NodeWrite {
                    path: Path::new(&B256::ZERO, 0),
                    rlp: Some(rlp),
                });
                (hash, writes)
            }
        }
    }

    /// Root of the trie; what to write is forgotten, for tries that are not stored.
    pub fn root(&mut self) -> B256 {
        self.removed.clear();
        self.changes = 0;
        if self.root == NIL {
            return EMPTY_ROOT;
        }
        let root = self.refer(self.root, 0);
        root.as_hash().unwrap_or_else(|| keccak256(root.bytes()))
    }

    /// Gives the node at `id`, which stands at nibble `depth`, and those under it their references.
    fn refer(&mut self, id: Id, depth: usize) -> Ref {
        let slot = self.slot(id);
        if !slot.reference.is_dirty() {
            return slot.reference;
        }
        let reference = match &slot.node {
            Node::Leaf { key, value } => Ref::to(&leaf_rlp(key, depth, value)),
            Node::Extension { key, end, child } => {
                let (key, end, child) = (*key, usize::from(*end), *child);
                let child = self.refer(child, end);
                Ref::to(&extension_rlp(&key, depth, end, &child))
            }
            Node::Branch(children) => {
                let children = *children;
                let mut changed = 0u16;
                for (at, child) in children.into_iter().enumerate() {
                    if child != NIL && self.slot(child).reference.is_dirty() {
                        self.refer(child, depth + 1);
                        changed |= 1 << at;
                    }
                }
                let encoded = self.encode_branch(id, &children, changed);
                let reference = Ref::to(encoded.rlp());
                self.keep_encoded(id, encoded);
                reference
            }
            Node::Free | Node::Blind => unreachable!("free and blind nodes are never dirty"),
        };
        self.slot_mut(id).reference = reference;
        reference
    }

    fn keep(&mut self, hashed: Hashed, writes: &mut Vec<NodeWrite>) {
        for (id, reference) in hashed.references {
            self.slot_mut(id).reference = reference;
        }
        writes.extend(hashed.writes);
    }

    /// Reference to the node at `id`, which stands at the first `depth` nibbles of `key`.
    fn hash_from(&self, id: Id, depth: usize, key: &B256, hashed: &mut Hashed) -> Ref {
        let slot = self.slot(id);
        if !slot.reference.is_dirty() {
            return slot.reference;
        }
        let (rlp, path) = match &slot.node {
            Node::Leaf { key, value } => (leaf_rlp(key, depth, value), Path::new(key, depth)),
            Node::Extension { key, end, child } => {
                let end = usize::from(*end);
                let child = self.hash_from(*child, end, key, hashed);
                (
                    extension_rlp(key, depth, end, &child),
                    Path::new(key, depth),
                )
            }
            Node::Branch(children) => {
                let mut key = *key;
                // Siblings that did not change are written from where they stand: a proved program pays for copies.
                let mut changed = Vec::new();
                for (at, child) in children.iter().enumerate() {
                    if *child != NIL && self.slot(*child).reference.is_dirty() {
                        set_nibble(&mut key, depth, at as u8);
                        changed.push(self.hash_from(*child, depth + 1, &key, hashed));
                    }
                }
                let mut changed = changed.iter();
                let references = children.map(|child| match &self.slot(child).reference {
                    known if child == NIL || !known.is_dirty() => known,
                    dirty => changed.next().unwrap_or(dirty),
                });
                (branch_rlp(&references), Path::new(&key, depth))
            }
            Node::Free | Node::Blind => unreachable!("free and blind nodes are never dirty"),
        };
        let reference = Ref::to(&rlp);
        hashed.references.push((id, reference));
        // A node that its parent holds inline is stored with the parent only; an older one may be stored here.
        let rlp = reference.as_hash().is_some().then_some(rlp);
        hashed.writes.push(NodeWrite { path, rlp });
        reference
    }
}
