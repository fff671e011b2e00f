//! Where accounts and nodes lie: the upper part of the account trie, in memory, as of one commit.
use super::node;
use super::record::{self, Entry, Rest};
use super::segment::{Place, Segments};
use crate::StoreError;
use alloy_primitives::{keccak256, Address, B256};
use bedroll_core::trie::EMPTY_ROOT;
use std::borrow::Cow;
use std::sync::Arc;

/// An account: keccak of the address, address, flat form.
pub(crate) type AccountRow = (B256, Address, Vec<u8>);

/// What is under a path.
#[derive(Clone, Debug, Default)]
pub(super) enum Child {
    #[default]
    Empty,
    /// A record with all accounts.
    Unit(Place),
    Branch(Arc<Branch>),
}

/// A record of places, with what they point to.
#[derive(Debug)]
pub(super) struct Branch {
    pub(super) place: Place,
    /// RLP of the node at its path.
    pub(super) node: Option<Box<[u8]>>,
    pub(super) children: [Child; 16],
}

impl Child {
    pub(super) fn place(&self) -> Place {
        match self {
            Child::Empty => Place::NOWHERE,
            Child::Unit(place) => *place,
            Child::Branch(branch) => branch.place,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        matches!(self, Child::Empty)
    }

    /// Calls `each` with the places of all records.
    fn visit(&self, each: &mut impl FnMut(Place)) {
        if !self.is_empty() {
            each(self.place());
        }
        if let Child::Branch(branch) = self {
            branch.children.iter().for_each(|child| child.visit(each));
        }
    }
}

/// All accounts as of one commit; never changes.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    pub(super) generation: u64,
    pub(super) root: Child,
    /// Nibbles that lead to the records furthest down, at most.
    pub(super) depth: u8,
    pub(crate) segments: Segments,
}

pub(super) fn damaged(place: Place) -> StoreError {
    StoreError::Corrupt(format!(
        "accounts: the record at {} of segment {:08x}",
        place.offset(),
        place.segment()
    ))
}

impl Tree {
    /// Reads the upper part from the record of the root on.
    pub(super) fn load(
        generation: u64,
        root: Place,
        segments: Segments,
    ) -> Result<Self, StoreError> {
        let mut tree = Tree {
            generation,
            segments,
            root: Child::Empty,
            depth: 0,
        };
        let mut deepest = 0;
        tree.root = tree.load_child(root, 0, &mut deepest)?;
        tree.depth = deepest as u8;
        Ok(tree)
    }

    fn load_child(
        &self,
        place: Place,
        depth: usize,
        deepest: &mut usize,
    ) -> Result<Child, StoreError> {
        if place == Place::NOWHERE {
            return Ok(Child::Empty);
        }
        *deepest = depth.max(*deepest);
        if !place.is_branch() {
            return Ok(Child::Unit(place));
        }
        let (node, Rest::Branch(places)) = self.record(place)? else {
            return Err(damaged(place));
        };
        if depth >= 64 {
            return Err(damaged(place));
        }
        let mut children: [Child; 16] = Default::default();
        for (child, place) in children.iter_mut().zip(places) {
            *child = self.load_child(place, depth + 1, deepest)?;
        }
        Ok(Child::Branch(Arc::new(Branch {
            place,
            node: node.map(Box::from),
            children,
        })))
    }

    /// What a record has, after its sum was checked.
    fn record(&self, place: Place) -> Result<(Option<&[u8]>, Rest<'_>), StoreError> {
        let record = self.segments.read(place)?;
        let parsed = record::is_whole(record).then(|| record::parse(record));
        parsed.flatten().ok_or_else(|| damaged(place))
    }

    /// Accounts of a unit.
    pub(super) fn entries(&self, place: Place) -> Result<Vec<Entry<'_>>, StoreError> {
        match self.record(place)?.1 {
            Rest::Unit(entries) => entries.collect::<Option<_>>().ok_or_else(|| damaged(place)),
            Rest::Branch(_) => Err(damaged(place)),
        }
    }

    /// Calls `each` with the places of all records.
    pub(super) fn visit(&self, each: &mut impl FnMut(Place)) {
        self.root.visit(each);
    }

    /// How many records there are.
    pub(crate) fn records(&self) -> u64 {
        let mut count = 0;
        self.visit(&mut |_| count += 1);
        count
    }

    /// Root of the account trie.
    pub(crate) fn root(&self) -> Result<B256, StoreError> {
        let node = self.node(&[0])?;
        Ok(node.map_or(EMPTY_ROOT, keccak256))
    }

    /// What is furthest down on the way to a key of `nibbles`, and how many of them lead there.
    fn down(&self, key: &[u8], nibbles: usize) -> (&Child, usize) {
        let (mut child, mut depth) = (&self.root, 0);
        while let Child::Branch(branch) = child {
            if depth == nibbles {
                break;
            }
            child = &branch.children[node::nibble(key, depth)];
            depth += 1;
        }
        (child, depth)
    }

    /// Where the account with this hash lies, if there is one.
    pub(crate) fn place(&self, hash: &B256) -> Option<Place> {
        match self.down(hash.as_slice(), 64).0 {
            Child::Unit(place) => Some(*place),
            _ => None,
        }
    }

    /// Flat form of an account, by the keccak of its address.
    pub(crate) fn account(&self, hash: &B256) -> Result<Option<&[u8]>, StoreError> {
        let Some(place) = self.place(hash) else {
            return Ok(None);
        };
        let Rest::Unit(entries) = self.record(place)?.1 else {
            return Err(damaged(place));
        };
        for entry in entries {
            let entry = entry.ok_or_else(|| damaged(place))?;
            if entry.hash == hash {
                return Ok(Some(entry.flat));
            }
        }
        Ok(None)
    }

    /// RLP of a node of the account trie; `path` is its stored form. What it gives for a path at which the trie has no node
    /// means nothing.
    pub(crate) fn node(&self, path: &[u8]) -> Result<Option<Cow<'_, [u8]>>, StoreError> {
        let (&nibbles, key) = path
            .split_last()
            .ok_or_else(|| StoreError::Corrupt("an empty path".into()))?;
        let nibbles = usize::from(nibbles);
        let (child, depth) = self.down(key, nibbles);
        let place = match child {
            Child::Empty => return Ok(None),
            Child::Branch(branch) => {
                return Ok(branch.node.as_deref().map(Cow::Borrowed));
            }
            Child::Unit(place) => *place,
        };
        let (stored, rest) = self.record(place)?;
        if let Some(stored) = stored.filter(|_| depth == nibbles) {
            return Ok(Some(Cow::Borrowed(stored)));
        }
        let Rest::Unit(entries) = rest else {
            return Err(damaged(place));
        };
        let mut under = Vec::new();
        for entry in entries {
            let entry = entry.ok_or_else(|| damaged(place))?;
            let same = |at| node::nibble(entry.hash.as_slice(), at) == node::nibble(key, at);
            if (depth..nibbles).all(same) {
                under.push(entry);
            }
        }
        if under.is_empty() {
            return Ok(None);
        }
        let rlp = node::of_entries(&under, nibbles).ok_or_else(|| damaged(place))?;
        Ok(Some(Cow::Owned(rlp)))
    }

    /// Accounts after a hash, in the order of the account trie, at most `count`.
    pub(crate) fn accounts_after(
        &self,
        after: Option<&B256>,
        count: usize,
    ) -> Result<Vec<AccountRow>, StoreError> {
        let mut rows = Vec::new();
        self.gather(&self.root, 0, after, count, &mut rows)?;
        Ok(rows)
    }

    /// `after`: only where the path so far is one of this hash.
    fn gather(
        &self,
        child: &Child,
        depth: usize,
        after: Option<&B256>,
        count: usize,
        rows: &mut Vec<AccountRow>,
    ) -> Result<(), StoreError> {
        match child {
            Child::Empty => {}
            Child::Unit(place) => {
                for entry in self.entries(*place)? {
                    if rows.len() < count && after.is_none_or(|after| entry.hash > after) {
                        let address = Address::from_slice(entry.address);
                        rows.push((*entry.hash, address, entry.flat.to_vec()));
                    }
                }
            }
            Child::Branch(branch) => {
                let first = after.map_or(0, |after| node::nibble(after.as_slice(), depth));
                for (at, child) in branch.children.iter().enumerate().skip(first) {
                    if rows.len() >= count {
                        break;
                    }
                    let after = after.filter(|_| at == first);
                    self.gather(child, depth + 1, after, count, rows)?;
                }
            }
        }
        Ok(())
    }

    /// The node of what is under a path, wherever it stands in the trie: as if the trie began there.
    pub(super) fn node_under(
        &self,
        child: &Child,
        depth: usize,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        if child.is_empty() {
            return Ok(None);
        }
        if let Child::Branch(branch) = child {
            return Ok(branch.node.as_deref().map(<[u8]>::to_vec));
        }
        let place = child.place();
        if let Some(stored) = self.record(place)?.0 {
            return Ok(Some(stored.to_vec()));
        }
        let entries = self.entries(place)?;
        node::of_entries(&entries, depth)
            .map(Some)
            .ok_or_else(|| damaged(place))
    }
}
