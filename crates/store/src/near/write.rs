//! The next version of the accounts: what a commit changes is written anew, with all that leads to it.
use super::node;
use super::record::{self, Entry};
use super::segment::Appender;
use super::tree::{Branch, Child, Tree};
use crate::StoreError;
use alloy_primitives::map::HashMap;
use alloy_primitives::B256;
use bedroll_core::trie::Path;
use std::borrow::Cow;
use std::sync::Arc;

/// Accounts of a unit, at most: one and a half kilobytes where there are half as many.
const UNIT_ACCOUNTS: usize = 48;

/// A change of an account.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Change<'a> {
    pub(crate) hash: B256,
    pub(crate) address: &'a [u8],
    /// None: it is gone.
    pub(crate) flat: Option<&'a [u8]>,
}

/// Nodes that changed, by the stored form of their paths; None: gone.
pub(crate) type Nodes<'a> = HashMap<&'a [u8], Option<&'a [u8]>>;

/// What now is under a path, and its node where nodes are derived.
type Written = (Child, Option<Vec<u8>>);

pub(super) struct Writing<'a> {
    pub(super) tree: &'a Tree,
    pub(super) appender: Appender<'a>,
    /// None: all nodes are derived from the accounts.
    pub(super) nodes: Option<Nodes<'a>>,
    /// Segments that everything is moved out of.
    pub(super) victims: Vec<u32>,
    /// Accounts that came, less those that went.
    pub(super) grown: i64,
    /// Nibbles that lead to the records furthest down.
    pub(super) depth: u8,
    /// Room for a record.
    pub(super) room: Vec<u8>,
}

impl Writing<'_> {
    /// Writes what is under a path with changes, sorted by hash.
    pub(super) fn child(
        &mut self,
        child: &Child,
        depth: usize,
        changes: &[Change<'_>],
    ) -> Result<Written, StoreError> {
        match child {
            Child::Branch(branch) => self.branch(branch, depth, changes),
            _ if changes.is_empty() => self.keep(child),
            Child::Unit(place) => {
                let tree = self.tree;
                let before = tree.entries(*place)?;
                self.appender.log.free(*place);
                self.unit(&before, depth, changes)
            }
            Child::Empty => self.unit(&[], depth, changes),
        }
    }

    /// Copies a unit that did not change, if its segment is to be freed.
    fn keep(&mut self, child: &Child) -> Result<Written, StoreError> {
        let place = child.place();
        if !self.victims.contains(&place.segment()) {
            return Ok((child.clone(), None));
        }
        let tree = self.tree;
        self.appender.log.free(place);
        let place = self.appender.append(false, tree.segments.read(place)?)?;
        Ok((Child::Unit(place), None))
    }

    fn unit(
        &mut self,
        before: &[Entry<'_>],
        depth: usize,
        changes: &[Change<'_>],
    ) -> Result<Written, StoreError> {
        let mut after: Vec<Entry<'_>> = Vec::with_capacity(before.len() + changes.len());
        let mut rest = before;
        for change in changes {
            let smaller = rest.partition_point(|entry| *entry.hash < change.hash);
            after.extend_from_slice(&rest[..smaller]);
            rest = &rest[smaller..];
            if rest.first().is_some_and(|entry| *entry.hash == change.hash) {
                rest = &rest[1..];
            }
            after.extend(change.flat.map(|flat| Entry {
                hash: &change.hash,
                address: change.address,
                flat,
            }));
        }
        after.extend_from_slice(rest);
        self.grown += after.len() as i64 - before.len() as i64;
        if after.len() > UNIT_ACCOUNTS {
            return self.split(&after, depth);
        }
        match (&self.nodes, changes.first()) {
            (Some(nodes), Some(first)) => {
                let node = own_node(nodes, &first.hash, depth).flatten();
                let node = node.filter(|rlp| !node::is_leaf(rlp));
                Ok((self.append_unit(&after, node)?, None))
            }
            _ => self.derived_unit(&after, depth),
        }
    }

    fn append_unit(
        &mut self,
        entries: &[Entry<'_>],
        node: Option<&[u8]>,
    ) -> Result<Child, StoreError> {
        if entries.is_empty() {
            return Ok(Child::Empty);
        }
        record::unit(&mut self.room, node, entries);
        Ok(Child::Unit(self.appender.append(false, &self.room)?))
    }

    fn derived_unit(&mut self, entries: &[Entry<'_>], depth: usize) -> Result<Written, StoreError> {
        if entries.is_empty() {
            return Ok((Child::Empty, None));
        }
        let unreadable = || StoreError::Corrupt("an account cannot be read".into());
        let node = node::of_entries(entries, depth).ok_or_else(unreadable)?;
        let stored = (entries.len() > 1).then_some(&node[..]);
        Ok((self.append_unit(entries, stored)?, Some(node)))
    }

    /// Makes a branch of accounts that are too many for one unit.
    fn split(&mut self, entries: &[Entry<'_>], depth: usize) -> Result<Written, StoreError> {
        self.depth = self.depth.max(depth as u8 + 1);
        let mut children: [Child; 16] = Default::default();
        let mut nodes: [Option<Vec<u8>>; 16] = Default::default();
        for (at, own) in node::by_nibble(entries, depth, |one| one.hash)
            .into_iter()
            .enumerate()
        {
            (children[at], nodes[at]) = if own.len() > UNIT_ACCOUNTS {
                self.split(own, depth + 1)?
            } else {
                self.derived_unit(own, depth + 1)?
            };
        }
        let node = node::above(&nodes);
        Ok((self.append_branch(children, node.as_deref())?, node))
    }

    fn append_branch(
        &mut self,
        children: [Child; 16],
        node: Option<&[u8]>,
    ) -> Result<Child, StoreError> {
        let places = children.each_ref().map(Child::place);
        record::branch(&mut self.room, node, &places);
        let place = self.appender.append(true, &self.room)?;
        Ok(Child::Branch(Arc::new(Branch {
            place,
            node: node.map(Box::from),
            children,
        })))
    }

    fn branch(
        &mut self,
        branch: &Arc<Branch>,
        depth: usize,
        changes: &[Change<'_>],
    ) -> Result<Written, StoreError> {
        let unchanged = || Ok((Child::Branch(branch.clone()), None));
        if changes.is_empty() && self.victims.is_empty() {
            return unchanged();
        }
        let tree = self.tree;
        let mut children: [Child; 16] = Default::default();
        let mut derived: [Option<Vec<u8>>; 16] = Default::default();
        let parts = node::by_nibble(changes, depth, |one| &one.hash);
        for (at, own) in parts.into_iter().enumerate() {
            let before = &branch.children[at];
            (children[at], derived[at]) = self.child(before, depth + 1, own)?;
        }
        let same = |(one, other): (&Child, &Child)| one.place() == other.place();
        let moved = self.victims.contains(&branch.place.segment());
        if !moved && changes.is_empty() && children.iter().zip(&branch.children).all(same) {
            return unchanged();
        }
        self.appender.log.free(branch.place);
        if children.iter().all(Child::is_empty) {
            return Ok((Child::Empty, None));
        }
        let stored = branch.node.as_deref().map(Cow::Borrowed);
        let node = match (&self.nodes, changes.first()) {
            (_, None) => stored,
            (Some(nodes), Some(first)) => match own_node(nodes, &first.hash, depth) {
                Some(node) => node.map(Cow::Borrowed),
                None => stored,
            },
            (None, Some(_)) => {
                for (child, node) in children.iter().zip(&mut derived) {
                    if node.is_none() {
                        *node = tree.node_under(child, depth + 1)?;
                    }
                }
                node::above(&derived).map(Cow::Owned)
            }
        };
        let written = self.append_branch(children, node.as_deref())?;
        let node = self.nodes.is_none().then(|| node.map(Cow::into_owned));
        Ok((written, node.flatten()))
    }
}

/// What the changed nodes say of the first `depth` nibbles of a hash; None: nothing.
fn own_node<'a>(nodes: &Nodes<'a>, hash: &B256, depth: usize) -> Option<Option<&'a [u8]>> {
    let (path, length) = Path::new(hash, depth).encode();
    nodes.get(&path[..length]).copied()
}
