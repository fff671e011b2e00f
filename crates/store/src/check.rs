//! Full verification of a store, a part at a time: blocks against their hashes, the tries against the state root, flat
//! values against the tries, postings against the blocks.
//!
//! Flat values and tries are compared as sums of keyed hashes over all of their entries, so that neither has to be
//! sorted or looked up by the other: equal sums are equal sets, but for one chance in 2¹²⁸.
use crate::engine::index_of_stored;
use crate::key::{read_u64, Key};
use crate::near::{AccountRow, Tree};
use crate::posting::{Roles, Segment, Term};
use crate::record::terms_of;
use crate::table::Table;
use crate::view::View;
use crate::StoreError;
use alloy_primitives::{keccak256, Address, B256, U256};
use bedroll_core::block::{decode_body, decode_head, Block};
use bedroll_core::header;
use bedroll_core::hook::book_slots;
use bedroll_core::state::{Account, StateError};
use bedroll_core::trie::{walk, NodeSource, Path, SourceError, TrieError, EMPTY_ROOT};
use revm::primitives::KECCAK_EMPTY;
use siphasher::sip128::{Hasher128, SipHasher13};
use std::collections::BTreeSet;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::ops::Bound;

/// A set of entries: how many, and the sum of their hashes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    /// Entries.
    pub count: u64,
    hash: u128,
}

impl Sum {
    fn add(&mut self, secret: (u64, u64), key: &[&[u8]], value: &[u8]) {
        let mut hasher = SipHasher13::new_with_keys(secret.0, secret.1);
        key.iter().for_each(|part| hasher.write(part));
        hasher.write(value);
        self.count += 1;
        self.hash = self.hash.wrapping_add(hasher.finish128().as_u128());
    }

    fn join(&mut self, other: Sum) {
        self.count += other.count;
        self.hash = self.hash.wrapping_add(other.hash);
    }
}

/// What a check has seen so far; its end is the verdict.
#[derive(Debug)]
pub struct Check {
    view: View,
    secret: (u64, u64),
    trie: (Sum, Sum),
    flat: (Sum, Sum),
    nodes: u64,
    codes: BTreeSet<B256>,
    /// What is wrong, in words.
    pub problems: Vec<String>,
}

/// Problems that are kept; more of them say nothing new.
const PROBLEMS_MAX: usize = 100;

struct Nodes<'a>(&'a View, Option<B256>);

impl NodeSource for Nodes<'_> {
    fn node(&self, path: &Path, _hash: &B256) -> Result<Option<Vec<u8>>, SourceError> {
        Ok(self.0.node_rlp(self.1.as_ref(), path)?)
    }
}

impl From<TrieError> for StoreError {
    fn from(error: TrieError) -> Self {
        StoreError::State(StateError::Trie(error))
    }
}

impl Check {
    /// Of the newest state and all blocks of a view of the tip.
    pub fn new(view: View) -> Self {
        let draw = || RandomState::new().build_hasher().finish();
        Check {
            view,
            secret: (draw(), draw()),
            trie: Default::default(),
            flat: Default::default(),
            nodes: 0,
            codes: BTreeSet::new(),
            problems: Vec::new(),
        }
    }

    fn wrong(&mut self, what: String) {
        if self.problems.len() < PROBLEMS_MAX {
            self.problems.push(what);
        }
    }

    /// Blocks `first..=last`: hashes, links, roots over transactions and receipts, places, finding by hash.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn blocks(&mut self, first: u64, last: u64) -> Result<(), StoreError> {
        for height in first..=last.min(self.view.height()) {
            if let Err(what) = self.block(height)? {
                self.wrong(format!("block {height}: {what}"));
            }
        }
        Ok(())
    }

    fn block(&self, height: u64) -> Result<Result<(), String>, StoreError> {
        let view = &self.view;
        let (Some(sealed), Some(body)) = (view.sealed_header(height)?, view.body(height)?) else {
            return Ok(Err("it is not stored".into()));
        };
        let read =
            decode_head(&sealed.header).and_then(|(header, tail)| decode_body(header, tail, &body));
        let block = match read {
            Ok(block) => block,
            Err(error) => return Ok(Err(format!("it cannot be read: {error}"))),
        };
        let header = &block.header;
        let parent = match height.checked_sub(1) {
            Some(below) => view.block_hash_at(below)?,
            None => Some(header.parent_hash),
        };
        let checks = [
            (
                block.hash == sealed.hash,
                "its hash is not that of its header",
            ),
            (header.number == height, "its header has another height"),
            (
                Some(header.parent_hash) == parent,
                "its parent is another block",
            ),
            (header.state_root == sealed.state_root, "two state roots"),
            (roots_match(&block), "transactions and their root differ"),
            (
                header::receipts_root(&block.receipts) == header.receipts_root,
                "receipts and their root differ",
            ),
            (
                header::logs_bloom(&block.receipts) == header.logs_bloom,
                "logs and their bloom differ",
            ),
            (
                view.height_of(&sealed.hash)? == Some(height),
                "it is not found by its hash",
            ),
            (self.places_match(height, &body)?, "the index of its places"),
        ];
        if let Some((_, what)) = checks.iter().find(|(right, _)| !right) {
            return Ok(Err((*what).into()));
        }
        for (index, transaction) in (0u32..).zip(&block.transactions) {
            if view.find_transaction(&transaction.hash)? != Some((height, index)) {
                return Ok(Err(format!("transaction {index} is not found by its hash")));
            }
        }
        Ok(Ok(()))
    }

    fn places_match(&self, height: u64, body: &[u8]) -> Result<bool, StoreError> {
        let wanted = bedroll_core::block::places(body);
        let stored = self.view.with_body(height, |_, places| places.to_vec())?;
        Ok(wanted.is_ok_and(|wanted| Some(wanted) == stored))
    }

    /// One of 256 parts of the account trie, with the storage tries of its accounts: every node by its hash.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn tries(&mut self, part: u8) -> Result<(), StoreError> {
        let Some(sealed) = self.view.sealed_header(self.view.height())? else {
            return Err(StoreError::Empty);
        };
        let view = self.view.clone();
        let (mut accounts, mut slots, mut nodes) = (Sum::default(), Sum::default(), 0);
        let secret = self.secret;
        let walked = walk::<StoreError>(
            &sealed.state_root,
            Some(part),
            &Nodes(&view, None),
            &mut |key, value| {
                accounts.add(secret, &[key.as_slice()], value);
                let account = Account::from_rlp(value).ok_or_else(|| {
                    StoreError::Corrupt(format!("no account stands at leaf {key}"))
                })?;
                if account.storage_root != EMPTY_ROOT {
                    let source = Nodes(&view, Some(*key));
                    nodes += walk::<StoreError>(
                        &account.storage_root,
                        None,
                        &source,
                        &mut |slot, value| {
                            slots.add(secret, &[key.as_slice(), slot.as_slice()], value);
                            Ok(())
                        },
                    )?;
                }
                Ok(())
            },
        );
        match walked {
            Ok(_) => self.nodes += nodes,
            Err(error) => self.wrong(format!("tries: {error}")),
        }
        self.trie.0.join(accounts);
        self.trie.1.join(slots);
        Ok(())
    }

    /// About `count` flat accounts or slots after a key, both kinds in a row; the last key, None at the end.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn flat(
        &mut self,
        after: Option<&[u8]>,
        count: usize,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        if after.is_none_or(|key| key.first() == Some(&(Table::Account as u8))) {
            let last = self.flat_accounts(after.map(|key| &key[1..]), count)?;
            // The slots begin after the number of their table.
            return Ok(last.or_else(|| Some(vec![Table::Slot as u8])));
        }
        let after = after.filter(|key| key.len() > 1);
        let rows = self.view.table_rows(&[Table::Slot], after, count)?;
        let mut last_owner: Option<(Address, B256)> = None;
        for (row, value) in &rows {
            let key = &row[1..];
            let address = Address::from_slice(&key[..20]);
            let owner = match last_owner {
                Some((known, owner)) if known == address => owner,
                _ => keccak256(address),
            };
            last_owner = Some((address, owner));
            let slot = keccak256(&key[20..]);
            let value = alloy_rlp::encode(U256::from_be_slice(value));
            let key = [owner.as_slice(), slot.as_slice()];
            self.flat.1.add(self.secret, &key, &value);
        }
        Ok((rows.len() >= count)
            .then(|| rows.last().map(|(row, _)| row.clone()))
            .flatten())
    }

    /// About `count` accounts after a key; the key of the last one, None at the end.
    fn flat_accounts(
        &mut self,
        after: Option<&[u8]>,
        count: usize,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let after = after.map(B256::try_from).transpose();
        let after = after.map_err(|_| StoreError::Corrupt("key of an account".into()))?;
        let near = self.view.snapshot.near()?;
        let rows = match near.accounts_after(after.as_ref(), count) {
            Ok(rows) => rows,
            Err(StoreError::Corrupt(what)) => {
                self.wrong(what);
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        self.listed(&near, &rows)?;
        for AccountRow {
            hash,
            address,
            flat,
            ..
        } in &rows
        {
            let Some(account) = Account::from_flat(flat).filter(|_| keccak256(address) == *hash)
            else {
                self.wrong(format!("account {address} cannot be read"));
                continue;
            };
            self.flat
                .0
                .add(self.secret, &[hash.as_slice()], &account.to_rlp());
            if account.code_hash != KECCAK_EMPTY && self.codes.insert(account.code_hash) {
                let code = self.view.code_bytes(&account.code_hash)?;
                if code.is_none_or(|code| keccak256(code) != account.code_hash) {
                    self.wrong(format!("the code of account {address}"));
                }
            }
        }
        let last = rows.last().filter(|_| rows.len() >= count);
        Ok(last.map(|row| [&[Table::Account as u8], row.hash.as_slice()].concat()))
    }

    /// Holds accounts that are said to be in the AddressBook against its slots.
    fn listed(&mut self, near: &Tree, rows: &[AccountRow]) -> Result<(), StoreError> {
        let listed = rows.iter().filter(|row| row.listed);
        let addresses: Vec<Address> = listed.map(|row| row.address).collect();
        for (address, slot) in addresses.iter().zip(book_slots(&addresses)) {
            let there = match &near.book {
                Some(book) => !self.view.slot(book, &slot)?.is_zero(),
                None => false,
            };
            if !there {
                self.wrong(format!("account {address} is not in the AddressBook"));
            }
        }
        Ok(())
    }

    /// Postings of the segment at a height, or the next; the height after it, None at the end.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn postings(&mut self, from: u64) -> Result<Option<u64>, StoreError> {
        let tip = self.view.height();
        let part = self.view.segment_postings(from)?;
        let (last, found) = part.map_or((tip, Vec::new()), |(last, found)| (last.min(tip), found));
        let secret = self.view.store_secret()?;
        let mut wanted = Vec::new();
        for height in from..=last {
            let (Some(sealed), Some(body)) =
                (self.view.sealed_header(height)?, self.view.body(height)?)
            else {
                continue;
            };
            let Ok(index) = index_of_stored(height, &sealed.header, &body) else {
                continue;
            };
            let terms = terms_of(&index.logs, &index.named);
            wanted.extend(terms.map(|(term, place)| {
                let named = matches!(term, Term::Appearance(_) | Term::Creation(_));
                (secret.fingerprint(&term), height, place, named)
            }));
        }
        wanted.sort_unstable();
        let mut stored = found.iter().peekable();
        let mut missing = 0u64;
        let mut surplus = 0u64;
        for (fingerprint, height, place, named) in wanted {
            // What ran inside is known to the store alone: it adds roles, and addresses with such roles only.
            let reached = |one: &&(u64, u64, u64)| {
                let least = if named { place & !0xf } else { place };
                (one.0, one.1, one.2) >= (fingerprint, height, least)
            };
            while let Some(one) = stored.next_if(|one| !reached(one)) {
                surplus += u64::from(!inside_only(one.2));
            }
            let matches = stored.next_if(|one| {
                let same = (one.0, one.1) == (fingerprint, height);
                let ((number, has), (wanted, roles)) = (Roles::split(one.2), Roles::split(place));
                let named = named && number == wanted && has.0 & roles.0 == roles.0;
                same && (one.2 == place || named)
            });
            missing += u64::from(matches.is_none());
        }
        surplus += stored.filter(|one| !inside_only(one.2)).count() as u64;
        if missing + surplus > 0 {
            self.wrong(format!(
                "postings of blocks {from} to {last}: {missing} are missing, {surplus} point nowhere"
            ));
        }
        Ok((last < tip).then_some(last + 1))
    }

    /// The oldest kept state, put back through the account trie: its root says whether the reverse diffs are right.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn past(&mut self, view: &View) -> Result<(), StoreError> {
        match view.past_proof(&Address::ZERO, &[], usize::MAX, None) {
            Ok(_) => Ok(()),
            Err(StoreError::Corrupt(what)) => {
                self.wrong(what);
                Ok(())
            }
            Err(StoreError::State(error)) => {
                self.wrong(format!("state at height {}: {error}", view.height()));
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// Compares what was summed up. After this `problems` is whole.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn finish(&mut self) -> Result<(), StoreError> {
        for (name, trie, flat) in [
            ("accounts", self.trie.0, self.flat.0),
            ("slots", self.trie.1, self.flat.1),
        ] {
            if trie != flat {
                self.wrong(format!(
                    "flat {name} ({}) are not those of the tries ({})",
                    flat.count, trie.count
                ));
            }
        }
        let view = &self.view;
        let stored = view.count_rows(Table::StorageNode)?;
        if stored != self.nodes {
            let wanted = self.nodes;
            self.wrong(format!(
                "{stored} nodes of storage tries are stored, {wanted} belong to the state"
            ));
        }
        let (counted, accounts) = (self.view.count_accounts()?, self.flat.0.count);
        if counted != accounts {
            self.wrong(format!(
                "{accounts} accounts are stored, {counted} were counted"
            ));
        }
        Ok(())
    }

    /// Accounts and slots seen in the tries.
    pub fn seen(&self) -> (u64, u64) {
        (self.trie.0.count, self.trie.1.count)
    }
}

/// A place that what ran inside a transaction may have made, of which its block's body does not tell.
fn inside_only(place: u64) -> bool {
    let (_, roles) = Roles::split(place);
    roles.has(Roles(Roles::INSIDE.0 | Roles::CREATED.0))
}

pub(crate) fn roots_match(block: &Block) -> bool {
    let root = block.header.transactions_root;
    header::transactions_root(&block.transactions) == root
        || header::ethereum_transactions_root(&block.transactions) == root
}

/// Rows of some tables, whole: key with the table's number, and value.
pub(crate) type TableRows = Vec<(Vec<u8>, Vec<u8>)>;

impl View {
    /// Durable rows of `tables` after a key, at most `count`.
    pub(crate) fn table_rows(
        &self,
        tables: &[Table],
        after: Option<&[u8]>,
        count: usize,
    ) -> Result<TableRows, StoreError> {
        let start = after.and_then(|key| key.first().copied());
        let at = tables
            .iter()
            .position(|table| Some(*table as u8) == start)
            .unwrap_or(0);
        self.snapshot.with_txn(|txn, _| {
            let mut rows = Vec::new();
            for table in &tables[at..] {
                let from = match after {
                    Some(key) if key[0] == *table as u8 => Bound::Excluded(&key[1..]),
                    _ => Bound::Unbounded,
                };
                for row in self
                    .snapshot
                    .tables
                    .of(*table)
                    .range(txn, &(from, Bound::Unbounded))?
                {
                    if rows.len() == count {
                        return Ok(rows);
                    }
                    let (key, value) = row?;
                    rows.push(([&[*table as u8], key].concat(), value.to_vec()));
                }
            }
            Ok(rows)
        })
    }

    /// Up to `count` durable accounts after an address, in the order of the keccaks of addresses.
    ///
    /// # Errors
    /// The store is damaged or cannot be read.
    pub fn accounts_after(
        &self,
        after: Option<&Address>,
        count: usize,
    ) -> Result<Vec<(Address, Account)>, StoreError> {
        let after = after.map(keccak256);
        let rows = self
            .snapshot
            .near()?
            .accounts_after(after.as_ref(), count)?;
        rows.into_iter()
            .map(|AccountRow { address, flat, .. }| {
                let account = Account::from_flat(&flat);
                let account =
                    account.ok_or_else(|| StoreError::Corrupt(format!("account {address}")))?;
                Ok((address, account))
            })
            .collect()
    }

    /// How many durable accounts there are.
    pub(crate) fn count_accounts(&self) -> Result<u64, StoreError> {
        let tables = &self.snapshot.tables;
        self.snapshot.with_txn(|txn, _| tables.accounts(txn))
    }

    pub(crate) fn count_rows(&self, table: Table) -> Result<u64, StoreError> {
        self.snapshot
            .with_txn(|txn, _| Ok(self.snapshot.tables.of(table).len(txn)?))
    }

    /// All postings of the durable segment at a height, or the next one, sorted, with its last height.
    #[allow(clippy::type_complexity)]
    fn segment_postings(
        &self,
        from: u64,
    ) -> Result<Option<(u64, Vec<(u64, u64, u64)>)>, StoreError> {
        self.snapshot.with_txn(|txn, _| {
            let key = Key::at_height(Table::Posting, from);
            let bucket = self.snapshot.tables.of(Table::Posting);
            let Some((key, bytes)) = bucket.get_greater_than_or_equal_to(txn, &key.row()[1..])?
            else {
                return Ok(None);
            };
            let damaged = || StoreError::Corrupt(format!("postings at height {from}"));
            let last = read_u64(key).ok_or_else(damaged)?;
            let segment = Segment::parse(last, bytes).ok_or_else(damaged)?;
            let mut all = Vec::new();
            segment
                .read_all(|fingerprint, posting| {
                    all.push((fingerprint, posting.height, posting.place));
                })
                .ok_or_else(damaged)?;
            all.sort_unstable();
            Ok(Some((last, all)))
        })
    }

    fn store_secret(&self) -> Result<crate::posting::Secret, StoreError> {
        Ok(self.snapshot.shared().ok_or(StoreError::Closed)?.secret)
    }
}
