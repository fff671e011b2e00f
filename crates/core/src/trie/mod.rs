//! A sparse Merkle-Patricia trie over 32-byte keys (Yellow Paper, appendix D).
//!
//! Reads: nodes on demand from a [`NodeSource`]. Gives: values, roots, proofs and the nodes that changed, by path.
//! Never: does I/O, holds more than was asked for, panics on a malformed node.
//!
//! Nodes live in one arena and refer to each other by index. Leaves and extensions keep their whole 32-byte key,
//! so that where a node stands follows from the walk and moving it costs nothing. A node whose parent knows only
//! its hash is *blind*: it is fetched, checked against that hash and decoded when a walk first meets it. The same
//! code serves a node (path-keyed store, kept between blocks) and a proved program (witness).
mod branch;
mod evict;
mod hash;
mod insert;
mod keccak;
#[cfg(feature = "std")]
mod level;
mod list;
mod nibble;
mod node;
#[cfg(feature = "std")]
mod ordered;
mod part;
mod proof;
mod remove;
mod source;
mod walk;

pub use hash::NodeWrite;
pub use keccak::hash_all;
pub use list::{ordered_root, ordered_root_encoded};
pub use nibble::{common, Path};
pub use node::{extension_rlp_to, leaf_rlp};
pub use part::{write_part, Expand, Shorten};
pub use proof::prove;
pub use source::{NoSource, NodeSource, SourceError, TrieError};
pub use walk::walk;

use alloc::{vec, vec::Vec};
use alloy_primitives::B256;
use branch::EncodedBranches;
use nibble::nibble;
use node::{Node, Ref, Slot};

/// Root of a trie without entries: keccak of the RLP of an empty string.
pub const EMPTY_ROOT: B256 = alloy_trie::EMPTY_ROOT_HASH;

/// Index of a node in the arena.
type Id = u32;
/// "No node here".
const NIL: Id = 0;

/// A Merkle-Patricia trie of which only what was asked for is in memory.
///
/// An operation that fails (a node is missing or malformed) leaves the trie as it was.
#[derive(Debug)]
pub struct Trie {
    arena: Vec<Slot>,
    /// Of branches that [`Trie::root`] or a part encoded.
    encoded: EncodedBranches,
    free: Vec<Id>,
    root: Id,
    /// Places where a stored node may have stood and none stands now.
    removed: Vec<Path>,
    /// Changes since the last root: decides whether hashing on several cores pays.
    changes: usize,
    /// Nodes remember when they were last used; see [`Trie::evict`].
    generation: u32,
}

impl Default for Trie {
    fn default() -> Self {
        Self::new()
    }
}

impl Trie {
    /// An empty trie.
    pub fn new() -> Self {
        Trie {
            arena: vec![Slot::free()],
            encoded: Vec::new(),
            free: Vec::new(),
            root: NIL,
            removed: Vec::new(),
            changes: 0,
            generation: 0,
        }
    }

    /// A trie of which only the root is known.
    pub fn from_root(root: B256) -> Self {
        let mut trie = Self::new();
        if root != EMPTY_ROOT {
            trie.root = trie.alloc(Node::Blind);
            trie.slot_mut(trie.root).reference = Ref::hash(&root);
        }
        trie
    }

    /// Nodes in memory, blind ones included.
    pub fn len(&self) -> usize {
        self.arena.len() - 1 - self.free.len()
    }

    /// Whether the trie holds no entry at all.
    pub fn is_empty(&self) -> bool {
        self.root == NIL
    }

    /// Starts the next generation: nodes used from now on count as newer than those before.
    pub fn next_generation(&mut self) {
        self.generation += 1;
    }

    /// Value of `key`.
    ///
    /// # Errors
    /// A node on the way is missing, malformed or not what its hash says.
    pub fn get(&mut self, key: &B256, source: &dyn NodeSource) -> Result<Option<&[u8]>, TrieError> {
        let (mut id, mut depth) = (self.root, 0);
        while id != NIL {
            self.reveal(id, key, depth, source)?;
            match &self.slot(id).node {
                Node::Leaf { key: own, .. } if own == key => break,
                Node::Leaf { .. } => return Ok(None),
                Node::Extension {
                    key: own,
                    end,
                    child,
                } => {
                    let end = usize::from(*end);
                    if common(own, key, depth) < end {
                        return Ok(None);
                    }
                    (id, depth) = (*child, end);
                }
                Node::Branch(children) => {
                    id = children[nibble(key, depth)];
                    depth += 1;
                }
                Node::Free | Node::Blind => return Err(TrieError::malformed(key, depth)),
            }
        }
        match &self.slot(id).node {
            Node::Leaf { value, .. } => Ok(Some(value)),
            _ => Ok(None),
        }
    }

    fn slot(&self, id: Id) -> &Slot {
        &self.arena[id as usize]
    }

    fn slot_mut(&mut self, id: Id) -> &mut Slot {
        &mut self.arena[id as usize]
    }

    fn alloc(&mut self, node: Node) -> Id {
        let slot = Slot {
            node,
            reference: Ref::DIRTY,
            generation: self.generation,
        };
        match self.free.pop() {
            Some(id) => {
                self.arena[id as usize] = slot;
                if let Some(stale) = self.encoded.get_mut(id as usize) {
                    *stale = None;
                }
                id
            }
            None => {
                self.arena.push(slot);
                (self.arena.len() - 1) as Id
            }
        }
    }

    fn release(&mut self, id: Id) {
        self.arena[id as usize] = Slot::free();
        self.free.push(id);
    }

    fn mark_dirty(&mut self, id: Id) {
        self.slot_mut(id).reference = Ref::DIRTY;
    }

    /// Makes sure that the node at `id`, which stands at the first `depth` nibbles of `key`, is not blind.
    fn reveal(
        &mut self,
        id: Id,
        key: &B256,
        depth: usize,
        source: &dyn NodeSource,
    ) -> Result<(), TrieError> {
        let generation = self.generation;
        let slot = self.slot_mut(id);
        slot.generation = generation;
        if !matches!(slot.node, Node::Blind) {
            return Ok(());
        }
        let reference = slot.reference;
        let fetched;
        let rlp = match reference.as_hash() {
            Some(hash) => {
                fetched = source::fetch(source, key, depth, &hash)?;
                &fetched[..]
            }
            None => reference.bytes(),
        };
        let parsed = node::parse(rlp, key, depth)?;
        self.place(id, parsed);
        Ok(())
    }

    /// Puts a decoded node at `id`, its children as blind nodes.
    fn place(&mut self, id: Id, parsed: node::Parsed) {
        let node = match parsed {
            node::Parsed::Leaf { key, value } => Node::Leaf { key, value },
            node::Parsed::Extension { key, end, child } => Node::Extension {
                key,
                end,
                child: self.blind(child),
            },
            node::Parsed::Branch(references) => {
                let mut children = [NIL; 16];
                for (child, reference) in children.iter_mut().zip(references) {
                    if !reference.is_dirty() {
                        *child = self.blind(reference);
                    }
                }
                Node::Branch(children)
            }
        };
        self.slot_mut(id).node = node;
    }

    fn blind(&mut self, reference: Ref) -> Id {
        let id = self.alloc(Node::Blind);
        self.slot_mut(id).reference = reference;
        id
    }
}

#[cfg(test)]
mod tests;
