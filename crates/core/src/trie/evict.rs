//! Forgetting nodes, so that a state larger than memory can be worked on.
use super::{Id, Node, Trie, NIL};
use alloc::{collections::VecDeque, vec::Vec};

impl Trie {
    /// Turns nodes unused for longest back into blind ones until at most `limit` are left.
    ///
    /// Only what a source can give again may go: call it between a commit whose writes the source has, and the next
    /// change. Changed nodes that were not committed stay.
    pub fn evict(&mut self, limit: usize) {
        if self.len() <= limit {
            return;
        }
        self.encoded = Vec::new();
        let mut generations: Vec<u32> = self
            .arena
            .iter()
            .filter(|slot| !matches!(slot.node, Node::Free))
            .map(|slot| slot.generation)
            .collect();
        let first_kept = (generations.len() - limit).min(generations.len() - 1);
        let oldest = *generations.select_nth_unstable(first_kept).1;
        self.drop_before(oldest);
        if self.len() > limit {
            // Too many were used in one generation: those near the root serve most walks.
            self.drop_below(limit);
        }
        self.compact();
    }

    /// Makes every clean node older than `generation` blind. A node is never newer than the one above it.
    fn drop_before(&mut self, generation: u32) {
        let mut open: Vec<Id> = Vec::from([self.root]);
        while let Some(id) = open.pop() {
            if id == NIL {
                continue;
            }
            let slot = self.slot(id);
            if slot.generation < generation && !slot.reference.is_dirty() {
                let node = core::mem::replace(&mut self.slot_mut(id).node, Node::Blind);
                self.release_under(&node);
                continue;
            }
            match &slot.node {
                Node::Extension { child, .. } => open.push(*child),
                Node::Branch(children) => open.extend(children),
                _ => {}
            }
        }
    }

    /// Makes clean nodes blind, those farthest from the root first, until `limit` are left.
    fn drop_below(&mut self, limit: usize) {
        let mut open = VecDeque::from([self.root]);
        let mut kept = 0;
        while let Some(id) = open.pop_front() {
            kept += 1;
            let slot = self.slot(id);
            let before = open.len();
            match &slot.node {
                Node::Extension { child, .. } => open.push_back(*child),
                Node::Branch(children) => open.extend(children.iter().filter(|id| **id != NIL)),
                _ => {}
            }
            if kept + open.len() > limit && !slot.reference.is_dirty() {
                open.truncate(before);
                let node = core::mem::replace(&mut self.slot_mut(id).node, Node::Blind);
                self.release_under(&node);
            }
        }
    }

    fn release_under(&mut self, node: &Node) {
        let mut open = Vec::new();
        let push = |node: &Node, open: &mut Vec<Id>| match node {
            Node::Extension { child, .. } => open.push(*child),
            Node::Branch(children) => open.extend(children.iter().filter(|id| **id != NIL)),
            _ => {}
        };
        push(node, &mut open);
        while let Some(id) = open.pop() {
            let node = core::mem::replace(&mut self.slot_mut(id).node, Node::Free);
            push(&node, &mut open);
            self.release(id);
        }
    }

    /// Gives the memory back that an emptied arena holds.
    fn compact(&mut self) {
        if self.root == NIL || self.len() > 1 {
            return;
        }
        let root = core::mem::replace(self.slot_mut(self.root), super::node::Slot::free());
        self.arena = Vec::from([super::node::Slot::free(), root]);
        self.free = Vec::new();
        self.root = 1;
    }
}
