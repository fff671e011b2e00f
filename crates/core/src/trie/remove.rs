//! Taking an entry out of the trie.
use super::nibble::set_nibble;
use super::{Id, Node, NodeSource, Path, Trie, TrieError, NIL};
use alloy_primitives::B256;

impl Trie {
    /// Removes `key`; tells whether it was there.
    ///
    /// # Errors
    /// A node on the way, or the sibling that takes a branch's place, is missing, malformed or not what its hash
    /// says; nothing changed then.
    pub fn remove(&mut self, key: &B256, source: &dyn NodeSource) -> Result<bool, TrieError> {
        let (mut walk, (leaf, leaf_depth)) = self.descend(key, source)?;
        match &self.slot(leaf).node {
            Node::Leaf { key: own, .. } if own == key => {}
            _ => return Ok(false),
        }
        // The one place where a removal needs a node that is not on the way: reveal it before anything changes.
        let sibling = self.only_sibling(walk.last(), leaf);
        if let Some((id, at)) = sibling {
            let mut path = *key;
            set_nibble(&mut path, leaf_depth - 1, at);
            self.reveal(id, &path, leaf_depth, source)?;
        }

        self.release(leaf);
        self.removed.push(Path::new(key, leaf_depth));
        match sibling {
            None => self.hang(&walk, leaf, NIL, key),
            Some((id, at)) => {
                let (branch, depth) = walk.pop().unwrap_or((NIL, 0));
                let mut path = *key;
                set_nibble(&mut path, depth, at);
                self.release(branch);
                self.collapse(&mut walk, branch, (id, path, leaf_depth), key);
            }
        }
        self.changes += 1;
        Ok(true)
    }

    /// The other child and its nibble, if `parent` is a branch with two children.
    fn only_sibling(&self, parent: Option<&(Id, usize)>, leaf: Id) -> Option<(Id, u8)> {
        let Node::Branch(children) = &self.slot(parent?.0).node else {
            return None;
        };
        let mut others = (0u8..)
            .zip(children)
            .filter(|(_, child)| **child != NIL && **child != leaf);
        let (at, id) = others.next()?;
        others.next().is_none().then_some((*id, at))
    }

    /// Lets the last child of the released `branch` take its place, merged with an extension above it.
    fn collapse(
        &mut self,
        walk: &mut super::insert::Walk,
        branch: Id,
        (child, child_key, child_depth): (Id, B256, usize),
        key: &B256,
    ) {
        let branch_depth = child_depth - 1;
        let replacement = if matches!(self.slot(child).node, Node::Branch(_)) {
            self.alloc(Node::Extension {
                key: child_key,
                end: child_depth as u8,
                child,
            })
        } else {
            // A leaf or an extension moves up: it stands nearer to the root now.
            self.mark_dirty(child);
            self.removed.push(Path::new(&child_key, child_depth));
            child
        };
        let above = walk.last().copied();
        match above {
            Some((id, _)) if matches!(self.slot(id).node, Node::Extension { .. }) => {
                walk.pop();
                self.removed.push(Path::new(key, branch_depth));
                self.release(id);
                self.hang(walk, id, replacement, key);
            }
            _ => self.hang(walk, branch, replacement, key),
        }
    }
}
