//! Putting an entry into the trie.
use super::nibble::{common, nibble};
use super::{Id, Node, NodeSource, Trie, TrieError, NIL};
use alloc::vec::Vec;
use alloy_primitives::B256;

/// Nodes from the root down to where a change happens, with the depth each stands at.
pub(super) type Walk = Vec<(Id, usize)>;

impl Trie {
    /// Sets `key` to `value`, which is not empty.
    ///
    /// # Errors
    /// A node on the way is missing, malformed or not what its hash says; nothing changed then.
    pub fn insert(
        &mut self,
        key: &B256,
        value: &[u8],
        source: &dyn NodeSource,
    ) -> Result<(), TrieError> {
        let (walk, end) = self.descend(key, source)?;
        let (id, depth) = end;
        let replacement = match &mut self.slot_mut(id).node {
            Node::Leaf {
                key: own,
                value: old,
            } if own == key => {
                if **old == *value {
                    return Ok(());
                }
                *old = value.into();
                self.mark_dirty(id);
                id
            }
            Node::Leaf { key: own, .. } => {
                let (own, old) = (*own, id);
                self.mark_dirty(old);
                self.fork(&own, old, key, value, depth)
            }
            Node::Extension {
                key: own,
                end,
                child,
            } => {
                let (own, end, child) = (*own, usize::from(*end), *child);
                let rest = if common(&own, key, depth) + 1 == end {
                    self.release(id);
                    child
                } else {
                    self.mark_dirty(id);
                    id
                };
                self.fork(&own, rest, key, value, depth)
            }
            // Only an empty place is left: of the root or of a branch's child.
            _ => self.alloc(Node::Leaf {
                key: *key,
                value: value.into(),
            }),
        };
        self.hang(&walk, id, replacement, key);
        self.changes += 1;
        Ok(())
    }

    /// Walks towards `key` as far as its nodes agree with it.
    ///
    /// Returns the nodes passed and the node, or empty place, where the walk ended.
    pub(super) fn descend(
        &mut self,
        key: &B256,
        source: &dyn NodeSource,
    ) -> Result<(Walk, (Id, usize)), TrieError> {
        let mut walk = Walk::with_capacity(12);
        let (mut id, mut depth) = (self.root, 0);
        while id != NIL {
            self.reveal(id, key, depth, source)?;
            let (next, next_depth) = match &self.slot(id).node {
                Node::Leaf { .. } => break,
                Node::Extension {
                    key: own,
                    end,
                    child,
                } => {
                    let end = usize::from(*end);
                    if common(own, key, depth) < end {
                        break;
                    }
                    (*child, end)
                }
                Node::Branch(children) => (children[nibble(key, depth)], depth + 1),
                Node::Free | Node::Blind => return Err(TrieError::malformed(key, depth)),
            };
            if matches!(self.slot(id).node, Node::Extension { .. }) {
                self.reveal(next, key, next_depth, source)?;
                if !matches!(self.slot(next).node, Node::Branch(_)) {
                    return Err(TrieError::malformed(key, next_depth));
                }
            }
            walk.push((id, depth));
            (id, depth) = (next, next_depth);
        }
        Ok((walk, (id, depth)))
    }

    /// A branch, under an extension if need be, over what is at `rest` and a new leaf.
    fn fork(&mut self, own: &B256, rest: Id, key: &B256, value: &[u8], depth: usize) -> Id {
        let fork = common(own, key, depth);
        let leaf = self.alloc(Node::Leaf {
            key: *key,
            value: value.into(),
        });
        let mut children = [NIL; 16];
        children[nibble(own, fork)] = rest;
        children[nibble(key, fork)] = leaf;
        let branch = self.alloc(Node::Branch(children));
        if fork == depth {
            return branch;
        }
        self.alloc(Node::Extension {
            key: *key,
            end: fork as u8,
            child: branch,
        })
    }

    /// Puts `new` where `old` hung under the last node of `walk`, and marks the walk as changed.
    pub(super) fn hang(&mut self, walk: &[(Id, usize)], old: Id, new: Id, key: &B256) {
        match walk.last() {
            None => self.root = new,
            Some(&(parent, depth)) if old != new => match &mut self.slot_mut(parent).node {
                Node::Branch(children) => children[nibble(key, depth)] = new,
                Node::Extension { child, .. } => *child = new,
                _ => unreachable!("only branches and extensions are walked through"),
            },
            Some(_) => {}
        }
        for &(id, _) in walk {
            self.mark_dirty(id);
        }
    }
}
