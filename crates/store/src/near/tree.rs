//! Where accounts and nodes lie: the upper part of the account trie, in memory, as of one block.
use super::kept::Unit;
use super::node;
use super::record::{self, Entries, Entry, Keyed, Rest};
use super::segment::{Place, Record, Segments};
use super::Head;
use crate::advice::is_missing;
use crate::StoreError;
use alloy_primitives::{keccak256, Address, B256};
use bedroll_core::trie::EMPTY_ROOT;
use std::borrow::Cow;
use std::sync::Arc;

/// An account.
#[derive(Clone, Debug)]
pub(crate) struct AccountRow {
    /// Keccak of the address.
    pub(crate) hash: B256,
    pub(crate) address: Address,
    pub(crate) flat: Vec<u8>,
    /// It is known to be in the AddressBook.
    pub(crate) listed: bool,
}

/// What is under a path.
#[derive(Clone, Debug, Default)]
pub(super) enum Child {
    #[default]
    Empty,
    /// A record with all accounts.
    Unit(Place),
    /// The same that is not in the log yet.
    Fresh(Unit),
    Branch(Arc<Branch>),
}

/// A record of places, with what they point to.
#[derive(Debug)]
pub(super) struct Branch {
    /// Nowhere: it is not in the log yet.
    pub(super) place: Place,
    /// RLP of the node at its path.
    pub(super) node: Option<Arc<[u8]>>,
    pub(super) children: [Child; 16],
}

impl Child {
    pub(super) fn place(&self) -> Place {
        match self {
            Child::Empty | Child::Fresh(_) => Place::NOWHERE,
            Child::Unit(place) => *place,
            Child::Branch(branch) => branch.place,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        matches!(self, Child::Empty)
    }

    /// A branch that is not in the log yet.
    pub(super) fn unwritten_branch(children: [Child; 16], node: &[u8]) -> Self {
        Child::Branch(Arc::new(Branch {
            place: Place::NOWHERE,
            node: Some(node.into()),
            children,
        }))
    }

    /// Whether both are one.
    fn is(&self, other: &Child) -> bool {
        match (self, other) {
            (Child::Fresh(one), Child::Fresh(other)) => Arc::ptr_eq(one, other),
            (Child::Branch(one), Child::Branch(other)) => Arc::ptr_eq(one, other),
            (Child::Empty, Child::Empty) => true,
            (Child::Unit(one), Child::Unit(other)) => one == other,
            _ => false,
        }
    }

    /// The same upon `written`, which is `before` in the log: what this shares with the one is taken from the other.
    fn on(&self, before: &Child, written: &Child) -> Child {
        if self.is(before) {
            return written.clone();
        }
        let (Child::Branch(own), Child::Branch(before), Child::Branch(written)) =
            (self, before, written)
        else {
            return self.clone();
        };
        Child::Branch(Arc::new(Branch {
            place: own.place,
            node: own.node.clone(),
            children: std::array::from_fn(|at| {
                own.children[at].on(&before.children[at], &written.children[at])
            }),
        }))
    }

    /// Calls `each` with the places of all records in the log.
    pub(super) fn visit(&self, each: &mut impl FnMut(Place)) {
        if self.place() != Place::NOWHERE {
            each(self.place());
        }
        if let Child::Branch(branch) = self {
            branch.children.iter().for_each(|child| child.visit(each));
        }
    }
}

/// A unit's record; of an empty place no byte.
#[derive(Debug)]
pub(super) struct Held<'a> {
    place: Place,
    record: Record<'a>,
}

impl Held<'_> {
    /// Node and accounts.
    pub(super) fn parts(&self) -> Result<(Option<&[u8]>, Entries<'_>), StoreError> {
        if self.record.is_empty() {
            return Ok((None, Entries::default()));
        }
        match record::parse(&self.record) {
            Some((node, Rest::Unit(entries))) => Ok((node, entries)),
            _ => Err(damaged(self.place)),
        }
    }

    /// Accounts with their hashes.
    fn keyed(&self) -> Result<Vec<Keyed<'_>>, StoreError> {
        let entries = self.parts()?.1.collect::<Option<Vec<Entry<'_>>>>();
        let entries = entries.ok_or_else(|| damaged(self.place))?;
        Ok(record::keyed(&entries))
    }
}

/// All accounts as of one block; never changes.
#[derive(Clone, Debug)]
pub(crate) struct Tree {
    /// Of the newest commit up to it.
    pub(super) generation: u64,
    pub(super) root: Child,
    /// Root of the account trie.
    pub(crate) hash: B256,
    /// Accounts that came since that commit, less those that went.
    pub(super) grown: i64,
    /// Changes since.
    pub(super) changed: u64,
    /// The AddressBook of which its accounts say that they are in it.
    pub(crate) book: Option<Address>,
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
    pub(super) fn load(head: &Head, segments: Segments) -> Result<Self, StoreError> {
        let mut tree = Tree {
            generation: head.generation,
            segments,
            root: Child::Empty,
            hash: EMPTY_ROOT,
            grown: 0,
            changed: 0,
            book: head.book,
        };
        tree.root = tree.load_child(head.root, 0)?;
        // A unit that is damaged is said when it is read: a check has to be able to open the store.
        tree.hash = match tree.node(&[0]) {
            Ok(node) => node.map_or(EMPTY_ROOT, keccak256),
            Err(_) => B256::ZERO,
        };
        Ok(tree)
    }

    fn load_child(&self, place: Place, depth: usize) -> Result<Child, StoreError> {
        if place == Place::NOWHERE {
            return Ok(Child::Empty);
        }
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
            *child = self.load_child(place, depth + 1)?;
        }
        Ok(Child::Branch(Arc::new(Branch {
            place,
            node: node.map(Arc::from),
            children,
        })))
    }

    /// What a record has, after its sum was checked.
    fn record(&self, place: Place) -> Result<(Option<&[u8]>, Rest<'_>), StoreError> {
        record::parse(self.whole(place)?).ok_or_else(|| damaged(place))
    }

    /// A record as it was written.
    fn whole(&self, place: Place) -> Result<&[u8], StoreError> {
        let record = Some(self.segments.read(place)?);
        let whole = record.filter(|record| record::is_whole(record));
        whole.ok_or_else(|| damaged(place))
    }

    /// The unit at a place, or under a path where there is no branch.
    pub(super) fn unit<'a>(&'a self, child: &'a Child) -> Result<Held<'a>, StoreError> {
        let record = match child {
            Child::Empty => Record::Lying(&[]),
            Child::Fresh(unit) => Record::Lying(unit),
            Child::Unit(place) => match self.segments.kept.get(*place) {
                Some(unit) => Record::Kept(unit),
                None => Record::Lying(self.whole(*place)?),
            },
            Child::Branch(branch) => return Err(damaged(branch.place)),
        };
        Ok(Held {
            place: child.place(),
            record,
        })
    }

    /// The same version upon `written`, which is `before`, that this one came from, in the log.
    pub(crate) fn on(&self, before: &Tree, written: &Tree) -> Tree {
        Tree {
            generation: written.generation,
            root: self.root.on(&before.root, &written.root),
            hash: self.hash,
            grown: self.grown - before.grown,
            changed: self.changed - before.changed,
            book: self.book,
            segments: written.segments.clone(),
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

    /// Whether the unit of an account is not in memory.
    pub(crate) fn is_far(&self, hash: &B256) -> Result<bool, StoreError> {
        let Some(place) = self.place(hash) else {
            return Ok(false);
        };
        let file = &self.segments.of(place)?.file;
        Ok(self.segments.kept.get(place).is_none() && is_missing(file, place.offset() as u64))
    }

    /// Looks at the flat form of an account where it lies; `hash`: keccak of the address.
    pub(crate) fn account<R>(
        &self,
        address: &[u8],
        hash: &B256,
        look: impl FnOnce(Option<&[u8]>) -> R,
    ) -> Result<R, StoreError> {
        self.entry(address, hash, |entry| look(entry.map(|entry| entry.flat)))
    }

    /// Looks at an account where it lies.
    pub(super) fn entry<R>(
        &self,
        address: &[u8],
        hash: &B256,
        look: impl FnOnce(Option<&Entry<'_>>) -> R,
    ) -> Result<R, StoreError> {
        let unit = self.unit(self.down(hash.as_slice(), 64).0)?;
        for entry in unit.parts()?.1 {
            let entry = entry.ok_or_else(|| damaged(unit.place))?;
            if entry.address == address {
                return Ok(look(Some(&entry)));
            }
        }
        Ok(look(None))
    }

    /// RLP of a node of the account trie; `path` is its stored form. What it gives for a path at which the trie has no node
    /// means nothing.
    pub(crate) fn node(&self, path: &[u8]) -> Result<Option<Cow<'_, [u8]>>, StoreError> {
        let (&nibbles, key) = path
            .split_last()
            .ok_or_else(|| StoreError::Corrupt("an empty path".into()))?;
        let nibbles = usize::from(nibbles);
        let (child, depth) = self.down(key, nibbles);
        if let Child::Branch(branch) = child {
            return Ok(branch.node.as_deref().map(Cow::Borrowed));
        }
        let unit = self.unit(child)?;
        if let Some(stored) = unit.parts()?.0.filter(|_| depth == nibbles) {
            return Ok(Some(Cow::Owned(stored.to_vec())));
        }
        let mut under = unit.keyed()?;
        under.retain(|entry| {
            let same = |at| node::nibble(entry.hash.as_slice(), at) == node::nibble(key, at);
            (depth..nibbles).all(same)
        });
        if under.is_empty() {
            return Ok(None);
        }
        let rlp = node::of_entries(&under, nibbles).ok_or_else(|| damaged(child.place()))?;
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
            Child::Empty | Child::Unit(_) | Child::Fresh(_) => {
                for entry in self.unit(child)?.keyed()? {
                    if rows.len() < count && after.is_none_or(|after| entry.hash > *after) {
                        rows.push(AccountRow {
                            hash: entry.hash,
                            address: Address::from_slice(entry.address),
                            flat: entry.flat.to_vec(),
                            listed: entry.listed,
                        });
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
        if let Child::Branch(branch) = child {
            return Ok(branch.node.as_deref().map(<[u8]>::to_vec));
        }
        let unit = self.unit(child)?;
        if let Some(stored) = unit.parts()?.0 {
            return Ok(Some(stored.to_vec()));
        }
        let entries = unit.keyed()?;
        if entries.is_empty() {
            return Ok(None);
        }
        node::of_entries(&entries, depth)
            .map(Some)
            .ok_or_else(|| damaged(child.place()))
    }
}
