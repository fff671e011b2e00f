//! Accounts and the trie nodes right above them, in one table in the order of the account trie.
//!
//! Where the state is larger than memory, what a block costs is the pages that it touches. An account, its leaf and the
//! nodes between it and the first levels lie in one or two pages here, and the leaf is not stored at all: it follows
//! from the account. The first levels stand by themselves in few pages, which stay in memory.
//!
//! ```text
//! keccak(address) ‖ 0xff   address ‖ flat form
//! path                     node at depth 5 or below, as in `account_node`
//! ```
use crate::key::read_u64;
use crate::row::Row;
use crate::shared::Meta;
use crate::table::{Table, Tables};
use crate::StoreError;
use alloy_primitives::{keccak256, B256};
use alloy_rlp::{Encodable, Header};
use bedroll_core::state::Account;
use bedroll_core::trie::hash_all;
use heed::{RoTxn, RwTxn};
use std::borrow::Cow;
use std::cmp::Ordering;
use std::ops::Bound;

/// Nodes from this depth on stand beside the accounts under them: the levels above are 69,905 nodes at most.
const NEAR_DEPTH: u8 = 5;

/// Last byte of an account's key; in a node's key it is the depth.
const ACCOUNT: u8 = 0xff;

/// Key of an account.
pub(crate) type AccountKey = [u8; 33];

/// An account's row: keccak of the address, address, flat form.
pub(crate) type AccountRow<'a> = (&'a [u8], &'a [u8], &'a [u8]);

pub(crate) fn account_key(hash: &B256) -> AccountKey {
    let mut key = [ACCOUNT; 33];
    key[..32].copy_from_slice(hash.as_slice());
    key
}

/// Key of the first node that stands beside an account: what a block reads of the trie begins there.
pub(crate) fn branch_key(account: &AccountKey) -> [u8; 4] {
    [account[0], account[1], account[2] & 0xf0, NEAR_DEPTH]
}

/// The account in a row of the table; None if the row is a node's.
pub(crate) fn read_account<'a>(key: &'a [u8], value: &'a [u8]) -> Option<AccountRow<'a>> {
    let hash = key.strip_suffix(&[ACCOUNT])?;
    let (address, flat) = value.split_at_checked(20)?;
    Some((hash, address, flat))
}

fn damaged(what: &str) -> StoreError {
    StoreError::Corrupt(format!("table `near`: {what}"))
}

/// RLP of an account's leaf at a depth (Yellow Paper, appendix C).
fn leaf_rlp(hash: &[u8], depth: u8, flat: &[u8]) -> Option<Vec<u8>> {
    let (half, odd) = (usize::from(depth / 2), depth % 2 == 1);
    let mut form = Vec::with_capacity(33);
    form.push(if odd {
        0x30 | hash.get(half)? & 0xf
    } else {
        0x20
    });
    form.extend_from_slice(hash.get(half + usize::from(odd)..)?);
    let value = Account::from_flat(flat)?.to_rlp();
    let parts = [&form[..], &value[..]];
    let payload_length = parts.iter().map(|part| part.length()).sum();
    let mut rlp = Vec::with_capacity(payload_length + 3);
    let list = true;
    Header {
        list,
        payload_length,
    }
    .encode(&mut rlp);
    parts.iter().for_each(|part| part.encode(&mut rlp));
    Some(rlp)
}

/// Whether a node is a leaf.
pub(crate) fn is_leaf(rlp: &[u8]) -> bool {
    fn take<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
        let header = Header::decode(rest).ok()?;
        let (payload, after) = rest.split_at_checked(header.payload_length)?;
        *rest = after;
        Some(payload)
    }
    let form_of_short = |mut rlp: &'_ [u8]| {
        let mut payload = take(&mut rlp)?;
        let form = take(&mut payload)?.first().copied();
        take(&mut payload)?;
        payload.is_empty().then_some(form?)
    };
    form_of_short(rlp).is_some_and(|flag| flag & 0x20 != 0)
}

fn under(key: &[u8], nibbles: &[u8], depth: u8) -> bool {
    let whole = usize::from(depth / 2);
    let odd = depth % 2 == 1;
    key.get(..whole) == nibbles.get(..whole)
        && (!odd || key.get(whole).map(|byte| byte & 0xf0) == nibbles.get(whole).copied())
}

impl Tables {
    /// What is durable under a row's key.
    pub(crate) fn get<'t>(
        &self,
        txn: &'t RoTxn<'_>,
        row_key: &[u8],
    ) -> Result<Option<Cow<'t, [u8]>>, StoreError> {
        let (bucket, own) = self.split(row_key).ok_or_else(|| damaged("table number"))?;
        if row_key[0] == Table::Account as u8 {
            return Ok(self.account(txn, &keccak256(own))?.map(Cow::Borrowed));
        }
        if row_key[0] == Table::AccountNode as u8 {
            return self.account_node(txn, own, Bound::Unbounded);
        }
        Ok(bucket.get(txn, own)?.map(Cow::Borrowed))
    }

    /// The same of a node of the trie that only the accounts up to `end` are in.
    pub(crate) fn get_until<'t>(
        &self,
        txn: &'t RoTxn<'_>,
        row_key: &[u8],
        end: Bound<&[u8]>,
    ) -> Result<Option<Cow<'t, [u8]>>, StoreError> {
        match row_key.split_first() {
            Some((&table, path)) if table == Table::AccountNode as u8 => {
                self.account_node(txn, path, end)
            }
            _ => self.get(txn, row_key),
        }
    }

    /// Flat form of an account, by the keccak of its address.
    pub(crate) fn account<'t>(
        &self,
        txn: &'t RoTxn<'_>,
        hash: &B256,
    ) -> Result<Option<&'t [u8]>, StoreError> {
        let key = account_key(hash);
        let Some(value) = self.of(Table::Near).get(txn, &key)? else {
            return Ok(None);
        };
        let row = read_account(&key, value).ok_or_else(|| damaged("an account is too short"))?;
        let at = value.len() - row.2.len();
        Ok(Some(&value[at..]))
    }

    /// A node of the trie of the accounts up to `end`; `path` is its stored form.
    fn account_node<'t>(
        &self,
        txn: &'t RoTxn<'_>,
        path: &[u8],
        end: Bound<&[u8]>,
    ) -> Result<Option<Cow<'t, [u8]>>, StoreError> {
        let (&depth, nibbles) = path.split_last().ok_or_else(|| damaged("an empty path"))?;
        if depth < NEAR_DEPTH {
            if let Some(rlp) = self.of(Table::AccountNode).get(txn, path)? {
                return Ok(Some(Cow::Borrowed(rlp)));
            }
        }
        let near = self.of(Table::Near);
        let start = if nibbles.is_empty() {
            Bound::Unbounded
        } else {
            Bound::Included(nibbles)
        };
        let mut only = None;
        for row in near.range(txn, &(start, end))? {
            let (key, value) = row?;
            if !under(key, nibbles, depth) {
                break;
            }
            if key == path {
                return Ok(Some(Cow::Borrowed(value)));
            }
            let Some(account) = read_account(key, value) else {
                continue;
            };
            if only.is_some() {
                // Two accounts are under it: it is no leaf.
                return Ok(near.get(txn, path)?.map(Cow::Borrowed));
            }
            only = Some(account);
        }
        let Some((hash, _, flat)) = only else {
            return Ok(None);
        };
        let rlp = leaf_rlp(hash, depth, flat).ok_or_else(|| damaged("an account"))?;
        Ok(Some(Cow::Owned(rlp)))
    }

    /// Writes or deletes what stands under a row's key.
    pub(crate) fn put(
        &self,
        txn: &mut RwTxn<'_>,
        row_key: &[u8],
        value: Option<&[u8]>,
    ) -> Result<(), StoreError> {
        let (bucket, own) = self.split(row_key).ok_or_else(|| damaged("table number"))?;
        if row_key[0] == Table::Account as u8 {
            let key = account_key(&keccak256(own));
            let before = self.of(Table::Near).get(txn, &key)?.is_some();
            self.put_account(txn, &key, own, value)?;
            let grown = i64::from(value.is_some()) - i64::from(before);
            return self.count_accounts(txn, grown);
        }
        if row_key[0] == Table::AccountNode as u8 {
            return self.put_account_node(txn, own, value, true);
        }
        match value {
            Some(value) => bucket.put(txn, own, value)?,
            None => {
                bucket.delete(txn, own)?;
            }
        }
        Ok(())
    }

    fn put_account(
        &self,
        txn: &mut RwTxn<'_>,
        key: &AccountKey,
        address: &[u8],
        flat: Option<&[u8]>,
    ) -> Result<(), StoreError> {
        let near = self.of(Table::Near);
        let Some(flat) = flat else {
            near.delete(txn, key)?;
            return Ok(());
        };
        near.put_reserved(txn, key, address.len() + flat.len(), |space| {
            use std::io::Write;
            space.write_all(address)?;
            space.write_all(flat)
        })?;
        Ok(())
    }

    /// Writes or deletes a node of the account trie. A leaf is not written; where it may have come to stand in another
    /// node's place, that one is deleted.
    fn put_account_node(
        &self,
        txn: &mut RwTxn<'_>,
        path: &[u8],
        rlp: Option<&[u8]>,
        replaces: bool,
    ) -> Result<(), StoreError> {
        let depth = path.last().copied().unwrap_or_default();
        let bucket = self.of(if depth < NEAR_DEPTH {
            Table::AccountNode
        } else {
            Table::Near
        });
        match rlp {
            Some(rlp) if !is_leaf(rlp) => bucket.put(txn, path, rlp)?,
            Some(_) if !replaces => {}
            _ => {
                bucket.delete(txn, path)?;
            }
        }
        Ok(())
    }

    /// Writes an account of a store that is being filled, and does not count it.
    pub(crate) fn fill_account(
        &self,
        txn: &mut RwTxn<'_>,
        address: &[u8],
        flat: &[u8],
    ) -> Result<(), StoreError> {
        self.put_account(txn, &account_key(&keccak256(address)), address, Some(flat))
    }

    /// Writes a node of a trie from which nothing was ever removed.
    pub(crate) fn fill_node(
        &self,
        txn: &mut RwTxn<'_>,
        row_key: &[u8],
        rlp: Option<&[u8]>,
    ) -> Result<(), StoreError> {
        match row_key.split_first() {
            Some((&table, path)) if table == Table::AccountNode as u8 => {
                self.put_account_node(txn, path, rlp, false)
            }
            _ => self.put(txn, row_key, rlp),
        }
    }

    /// How many accounts there are.
    pub(crate) fn accounts(&self, txn: &RoTxn<'_>) -> Result<u64, StoreError> {
        let stored = self.of(Table::Meta).get(txn, Meta::ACCOUNTS)?;
        stored.map_or(Ok(0), |bytes| {
            read_u64(bytes).ok_or_else(|| damaged("meta row of the count"))
        })
    }

    fn count_accounts(&self, txn: &mut RwTxn<'_>, grown: i64) -> Result<(), StoreError> {
        if grown == 0 {
            return Ok(());
        }
        let count = self.accounts(txn)?.saturating_add_signed(grown);
        self.set_accounts(txn, count)
    }

    pub(crate) fn set_accounts(&self, txn: &mut RwTxn<'_>, count: u64) -> Result<(), StoreError> {
        let meta = self.of(Table::Meta);
        Ok(meta.put(txn, Meta::ACCOUNTS, &count.to_be_bytes())?)
    }

    /// Accounts after a key of the table, in the order of the account trie.
    pub(crate) fn accounts_from<'t>(
        &self,
        txn: &'t RoTxn<'_>,
        after: Option<&[u8]>,
    ) -> Result<impl Iterator<Item = heed::Result<AccountRow<'t>>>, StoreError> {
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        let rows = self
            .of(Table::Near)
            .range(txn, &(start, Bound::Unbounded))?;
        Ok(rows.filter_map(|row| match row {
            Ok((key, value)) => read_account(key, value).map(Ok),
            Err(error) => Some(Err(error)),
        }))
    }
}

/// What blocks change of accounts and nodes of their trie: the last value of each, in the order of the table.
pub(crate) struct Changes<'a> {
    accounts: Vec<(B256, &'a Row)>,
    nodes: Vec<&'a Row>,
    grown: i64,
    /// Something was removed, so that a leaf may stand where another node stood.
    replaces: bool,
}

impl<'a> Changes<'a> {
    /// Whether a key is one of these.
    pub(crate) fn has(row_key: &[u8]) -> bool {
        let table = row_key.first().copied();
        table == Some(Table::Account as u8) || table == Some(Table::AccountNode as u8)
    }

    /// Of all rows, sorted by key and height.
    pub(crate) fn of(rows: &[&'a Row]) -> Self {
        let mut changes = Changes {
            accounts: Vec::new(),
            nodes: Vec::new(),
            grown: 0,
            replaces: false,
        };
        let own = rows.iter().filter(|row| Self::has(&row.key));
        let own: Vec<&Row> = own.copied().collect();
        let mut written: Vec<&'a Row> = Vec::new();
        for of_key in own.chunk_by(|one, next| one.key == next.key) {
            let (Some(first), Some(last)) = (of_key.first(), of_key.last()) else {
                continue;
            };
            if last.key[0] == Table::Account as u8 {
                let (before, after) = (first.before.is_some(), last.value.is_some());
                changes.grown += i64::from(after) - i64::from(before);
                written.push(*last);
            } else {
                changes.replaces |= of_key.iter().any(|row| row.value.is_none());
                changes.nodes.push(last);
            }
        }
        let addresses: Vec<&[u8]> = written.iter().map(|row| &row.key[1..]).collect();
        changes.accounts = hash_all(&addresses).into_iter().zip(written).collect();
        changes.accounts.sort_unstable_by_key(|one| one.0);
        changes
    }

    pub(crate) fn write(&self, tables: &Tables, txn: &mut RwTxn<'_>) -> Result<(), StoreError> {
        let mut nodes = self.nodes.iter().peekable();
        for (hash, row) in &self.accounts {
            let key = account_key(hash);
            while let Some(node) = nodes.next_if(|node| node.key[1..].cmp(&key) == Ordering::Less) {
                self.write_node(tables, txn, node)?;
            }
            tables.put_account(txn, &key, &row.key[1..], row.value.as_deref())?;
        }
        for node in nodes {
            self.write_node(tables, txn, node)?;
        }
        tables.count_accounts(txn, self.grown)
    }

    fn write_node(
        &self,
        tables: &Tables,
        txn: &mut RwTxn<'_>,
        row: &Row,
    ) -> Result<(), StoreError> {
        tables.put_account_node(txn, &row.key[1..], row.value.as_deref(), self.replaces)
    }
}
