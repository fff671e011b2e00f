//! The next version of the accounts: units with what a block changes, and all nodes above.
//!
//! Nodes of one depth are made together, from the deepest up: they are hashed eight at a time where the processor can,
//! and on all cores where that pays. Nothing is written here.
use super::listed::Listed;
use super::node::{self, Fan};
use super::record::{self, Entries, Entry};
use super::tree::{Child, Tree};
use crate::StoreError;
use alloy_primitives::B256;
use bedroll_core::trie::{hash_all, EMPTY_ROOT};
use rayon::prelude::*;
use std::cmp::Ordering;
use std::sync::Arc;

/// Accounts of a unit, at most: one kilobyte where there are half as many.
const UNIT_ACCOUNTS: usize = 48;
/// Units or branches that one core makes at a time.
const TOGETHER: usize = 256;
/// So many and more are made on several cores.
const SHARED: usize = 2 * TOGETHER;

/// A change of an account.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Change<'a> {
    pub(crate) hash: B256,
    pub(crate) address: &'a [u8],
    /// None: it is gone.
    pub(crate) flat: Option<&'a [u8]>,
    pub(crate) listed: Listed,
}

impl Change<'_> {
    /// The account after it, where it stands for one or comes new.
    fn entry(&self, before: Option<&Entry<'_>>) -> Option<Entry<'_>> {
        let listed = match self.listed {
            Listed::Kept => before.is_some_and(|before| before.listed),
            Listed::Now => true,
            Listed::Unknown => false,
        };
        let entry = |flat| Entry::new(&self.hash, self.address, flat, listed);
        self.flat.map(entry)
    }
}

/// A unit that changes, or an empty place for one.
struct Touched<'a> {
    child: &'a Child,
    depth: usize,
    changes: &'a [Change<'a>],
    above: Option<usize>,
}

/// A branch above what changes.
struct Opened<'a> {
    depth: usize,
    /// A key under it.
    key: &'a B256,
    /// Its number among those one nibble higher.
    above: Option<usize>,
    /// Hashes of the children's nodes; None where its own node is no branch of the trie.
    fan: Option<Fan>,
    children: [Child; 16],
}

/// What is now under a path, and its node's hash; None: nothing.
struct Made {
    child: Child,
    hash: Option<B256>,
    /// Accounts that came, less those that went.
    grown: i64,
}

/// A unit on the way to its next version.
struct Work<'a> {
    after: Vec<Entry<'a>>,
    grown: i64,
    depth: usize,
    /// Its branch of the trie before, and a mask of the nibbles at which accounts changed. None: its node is made anew.
    known: Option<(Fan, u16)>,
}

/// Accounts of a unit that agree in one nibble more, some of which changed.
struct Group<'a> {
    entries: &'a [Entry<'a>],
    /// Nibbles that lead to their node.
    depth: usize,
}

impl<'a> Work<'a> {
    fn of(
        touched: &Touched<'a>,
        stored: Option<&[u8]>,
        entries: Entries<'a>,
    ) -> Result<Self, StoreError> {
        let depth = touched.depth;
        let (after, before) = merged(entries, touched.changes).ok_or_else(unreadable)?;
        let grown = after.len() as i64 - before as i64;
        let few = after.len() <= UNIT_ACCOUNTS;
        let known = stored.filter(|_| few).and_then(Fan::read).map(|fan| {
            let nibbles = (touched.changes.iter()).map(|change| nibble(&change.hash, depth));
            (fan, nibbles.fold(0, |mask, nibble| mask | 1 << nibble))
        });
        Ok(Work {
            after,
            grown,
            depth,
            known,
        })
    }

    /// Those whose nodes are made anew, in order; none where the unit's is.
    fn groups(&self) -> impl Iterator<Item = Group<'_>> {
        let (after, depth) = (&self.after, self.depth);
        let changed = self.known.as_ref().map_or(0, |(_, changed)| *changed);
        let groups = after.chunk_by(move |one, next| one.nibble(depth) == next.nibble(depth));
        groups
            .filter(move |entries| changed >> entries[0].nibble(depth) & 1 == 1)
            .map(move |entries| Group {
                entries,
                depth: depth + 1,
            })
    }

    /// Its branch of the trie with new hashes: those of leaves that stand alone, and of nodes above several.
    fn fan(
        &self,
        leaves: &mut impl Iterator<Item = B256>,
        tops: &mut impl Iterator<Item = B256>,
    ) -> Option<Fan> {
        let (mut fan, changed) = self.known.clone()?;
        for (at, hash) in fan.0.iter_mut().enumerate() {
            if changed >> at & 1 == 1 {
                *hash = None;
            }
        }
        for group in self.groups() {
            let own = leaves.by_ref().take(group.entries.len()).last();
            let hash = if group.entries.len() > 1 {
                tops.next()
            } else {
                own
            };
            fan.0[group.entries[0].nibble(self.depth)] = hash;
        }
        Some(fan)
    }
}

fn nibble(hash: &B256, at: usize) -> usize {
    node::nibble(hash.as_slice(), at)
}

fn hashes_of(messages: &[Vec<u8>]) -> Vec<B256> {
    let messages: Vec<&[u8]> = messages.iter().map(Vec::as_slice).collect();
    hash_all(&messages)
}

/// All that a set of changes touches.
#[derive(Default)]
struct Plan<'a> {
    units: Vec<Touched<'a>>,
    /// By how many nibbles lead to them.
    branches: Vec<Vec<Opened<'a>>>,
}

impl<'a> Plan<'a> {
    fn add(
        &mut self,
        child: &'a Child,
        depth: usize,
        above: Option<usize>,
        changes: &'a [Change<'a>],
    ) {
        let (Child::Branch(branch), Some(first)) = (child, changes.first()) else {
            self.units.push(Touched {
                child,
                depth,
                changes,
                above,
            });
            return;
        };
        if self.branches.len() == depth {
            self.branches.push(Vec::new());
        }
        let number = self.branches[depth].len();
        self.branches[depth].push(Opened {
            depth,
            key: &first.hash,
            above,
            fan: branch.node.as_deref().and_then(Fan::read),
            children: branch.children.clone(),
        });
        let at = |change: &Change<'_>| nibble(&change.hash, depth);
        for own in changes.chunk_by(|one, next| at(one) == at(next)) {
            let child = &branch.children[at(&own[0])];
            self.add(child, depth + 1, Some(number), own);
        }
    }

    /// Puts what was made under the branch above it. The root, above which there is none, is given back.
    fn place(
        &mut self,
        (above, key, depth): (Option<usize>, &B256, usize),
        made: Made,
    ) -> Option<Made> {
        let Some(number) = above else {
            return Some(made);
        };
        let opened = &mut self.branches[depth - 1][number];
        let at = nibble(key, depth - 1);
        opened.children[at] = made.child;
        if let Some(fan) = &mut opened.fan {
            fan.0[at] = made.hash;
        }
        None
    }
}

/// Makes all, in order.
fn each<T: Send, R: Send>(
    all: &mut [T],
    make: impl Fn(&mut [T]) -> Result<Vec<R>, StoreError> + Sync + Send,
) -> Result<Vec<R>, StoreError> {
    let made: Result<Vec<Vec<R>>, StoreError> = if all.len() < SHARED {
        all.chunks_mut(TOGETHER).map(make).collect()
    } else {
        all.par_chunks_mut(TOGETHER).map(&make).collect()
    };
    Ok(made?.into_iter().flatten().collect())
}

fn unreadable() -> StoreError {
    StoreError::Corrupt("an account cannot be read".into())
}

impl Tree {
    /// The version after some changes, each account named once, in the order of hashes.
    pub(crate) fn with(&self, changes: &[Change<'_>]) -> Result<Tree, StoreError> {
        let mut next = self.clone();
        if changes.is_empty() {
            return Ok(next);
        }
        let mut plan = Plan::default();
        plan.add(&self.root, 0, None, changes);
        let mut units = std::mem::take(&mut plan.units);
        let made = each(&mut units, |part| self.units(part))?;
        let mut root = None;
        for (touched, made) in units.iter().zip(made) {
            next.grown += made.grown;
            let key = &touched.changes[0].hash;
            root = plan.place((touched.above, key, touched.depth), made);
        }
        while let Some(mut level) = plan.branches.pop() {
            let made = each(&mut level, |part| self.branches(part))?;
            for (opened, made) in level.iter().zip(made) {
                root = plan.place((opened.above, opened.key, opened.depth), made);
            }
        }
        // The last that was made is the root.
        let Some(Made { child, hash, .. }) = root else {
            return Err(unreadable());
        };
        (next.root, next.hash) = (child, hash.unwrap_or(EMPTY_ROOT));
        next.changed += changes.len() as u64;
        Ok(next)
    }

    fn units(&self, part: &mut [Touched<'_>]) -> Result<Vec<Made>, StoreError> {
        let records = part.iter().map(|touched| self.unit(touched.child));
        let records = records.collect::<Result<Vec<_>, _>>()?;
        let mut works = Vec::with_capacity(part.len());
        for (touched, record) in part.iter().zip(&records) {
            let (stored, entries) = record.parts()?;
            works.push(Work::of(touched, stored, entries)?);
        }
        // Keys of all, then their leaves, the nodes above them, and those above these.
        let (mut entries, mut parts) = (Vec::new(), Vec::new());
        for group in works.iter().flat_map(Work::groups) {
            let from = entries.len();
            entries.extend_from_slice(group.entries);
            parts.push((from..entries.len(), group.depth));
        }
        let (keyed, mut leaves) = (record::keyed(&entries), Vec::new());
        for (part, depth) in &parts {
            let own = node::leaves(&keyed[part.clone()], *depth);
            leaves.extend(own.ok_or_else(unreadable)?);
        }
        let (hashes, mut tops) = (hashes_of(&leaves), Vec::new());
        for (part, depth) in parts.into_iter().filter(|(part, _)| part.len() > 1) {
            let top = node::over(&keyed[part.clone()], &hashes[part], depth);
            tops.push(top.ok_or_else(unreadable)?);
        }
        let (mut leaves, mut tops) = (hashes.into_iter(), hashes_of(&tops).into_iter());
        let mut made = Vec::with_capacity(part.len());
        for (touched, work) in part.iter().zip(works) {
            let fan = work.fan(&mut leaves, &mut tops);
            let node = fan.and_then(|fan| fan.write());
            let (child, node) = under(&work.after, touched.depth, node).ok_or_else(unreadable)?;
            made.push((child, node, work.grown));
        }
        Ok(hashed(made))
    }

    fn branches(&self, part: &mut [Opened<'_>]) -> Result<Vec<Made>, StoreError> {
        let mut made = Vec::with_capacity(part.len());
        for opened in part {
            let children = std::mem::take(&mut opened.children);
            if children.iter().all(Child::is_empty) {
                made.push((Child::Empty, None, 0));
                continue;
            }
            let node = match opened.fan.take().and_then(|fan| fan.write()) {
                Some(node) => node,
                None => self.node_above(&children, opened.depth)?,
            };
            let branch = Child::unwritten_branch(children, &node);
            made.push((branch, Some(node), 0));
        }
        Ok(hashed(made))
    }

    /// The node above children of which one came or the last but one went.
    fn node_above(&self, children: &[Child; 16], depth: usize) -> Result<Vec<u8>, StoreError> {
        let mut nodes: [Option<Vec<u8>>; 16] = Default::default();
        for (node, child) in nodes.iter_mut().zip(children) {
            *node = self.node_under(child, depth + 1)?;
        }
        node::above(&nodes).ok_or_else(unreadable)
    }
}

/// With the hashes of nodes.
fn hashed(made: Vec<(Child, Option<Vec<u8>>, i64)>) -> Vec<Made> {
    let nodes: Vec<&[u8]> = made
        .iter()
        .filter_map(|(_, node, _)| node.as_deref())
        .collect();
    let mut hashes = hash_all(&nodes).into_iter();
    (made.into_iter())
        .map(|(child, node, grown)| Made {
            child,
            hash: node.and_then(|_| hashes.next()),
            grown,
        })
        .collect()
}

/// Accounts after changes, both in the order of hashes, and how many there were; None: the record is damaged.
fn merged<'a>(before: Entries<'a>, changes: &'a [Change<'a>]) -> Option<(Vec<Entry<'a>>, usize)> {
    let mut after = Vec::with_capacity(UNIT_ACCOUNTS + changes.len());
    let mut count = 0;
    let mut rest = changes.iter().peekable();
    for entry in before {
        let entry = entry?;
        count += 1;
        let order = |change: &Change<'_>| entry.order(change.address, &change.hash);
        while let Some(change) = rest.next_if(|change| order(change) == Ordering::Greater) {
            after.extend(change.entry(None));
        }
        match rest.next_if(|change| order(change) == Ordering::Equal) {
            Some(change) => after.extend(change.entry(Some(&entry))),
            None => after.push(entry),
        }
    }
    after.extend(rest.filter_map(|change| change.entry(None)));
    Some((after, count))
}

/// The record of accounts, or a branch with several, and the node, which may be known; None: an account cannot be read.
fn under(
    entries: &[Entry<'_>],
    depth: usize,
    known: Option<Vec<u8>>,
) -> Option<(Child, Option<Vec<u8>>)> {
    if entries.is_empty() {
        return Some((Child::Empty, None));
    }
    if entries.len() <= UNIT_ACCOUNTS {
        let node = known.or_else(|| node::of_entries(&record::keyed(entries), depth))?;
        let stored = (entries.len() > 1).then_some(&node[..]);
        let record = record::unit(stored, entries);
        return Some((Child::Fresh(Arc::new(record)), Some(node)));
    }
    let mut children: [Child; 16] = Default::default();
    let mut nodes: [Option<Vec<u8>>; 16] = Default::default();
    for own in entries.chunk_by(|one, next| one.nibble(depth) == next.nibble(depth)) {
        let at = own[0].nibble(depth);
        (children[at], nodes[at]) = under(own, depth + 1, None)?;
    }
    let node = node::above(&nodes)?;
    Some((Child::unwritten_branch(children, &node), Some(node)))
}
