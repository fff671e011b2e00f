//! The chain and its state as of one block.
use crate::key::Key;
use crate::snapshot::Snapshot;
use crate::table::Table;
use crate::{Store, StoreError};
use alloy_primitives::{
    keccak256,
    map::{AddressMap, B256Map, U256Map},
    Address, Bytes, B256, U256,
};
use bedroll_core::state::{prove_account, Account, AccountProof, FlatChanges, StateError};
use bedroll_core::trie::Path;
use revm::primitives::KECCAK_EMPTY;
use revm::state::Bytecode;
use std::collections::BTreeSet;
use std::sync::Arc;

/// The chain and its state as of one block; never changes, and does not wait for the writer.
///
/// A view keeps the pages that it reads from being used again: hold it no longer than a request.
#[derive(Clone, Debug)]
pub struct View {
    pub(crate) snapshot: Arc<Snapshot>,
    /// Of a block that is not sealed.
    open: Option<Arc<Open>>,
}

/// Changes of an open block, on top of the sealed ones.
#[derive(Debug)]
struct Open {
    accounts: AddressMap<Option<Account>>,
    slots: AddressMap<U256Map<U256>>,
    codes: B256Map<Bytes>,
}

impl Store {
    /// The chain and its state as of a sealed block; None: the newest.
    ///
    /// # Errors
    /// There is no such block, or its state is not kept any more.
    pub fn view(&self, height: Option<u64>) -> Result<View, StoreError> {
        Ok(View {
            snapshot: Arc::new(Snapshot::open(&self.shared, height)?),
            open: None,
        })
    }
}

impl View {
    pub(crate) fn of(snapshot: Arc<Snapshot>) -> Self {
        View {
            snapshot,
            open: None,
        }
    }

    /// Of the block.
    pub fn height(&self) -> u64 {
        self.snapshot.height
    }

    /// Of the block.
    pub fn hash(&self) -> B256 {
        self.snapshot.hash
    }

    /// Whether the store has the nodes of this state's tries.
    pub fn has_nodes(&self) -> bool {
        self.open.is_none() && self.snapshot.is_tip()
    }

    /// This view with the changes of a block on top that is still open.
    pub fn with_open(&self, changes: FlatChanges) -> View {
        let open = Open {
            accounts: changes
                .accounts
                .iter()
                .map(|change| (change.address, change.after))
                .collect(),
            slots: (changes.slots)
                .chunk_by(|one, next| one.address == next.address)
                .filter_map(|of_account| {
                    let values = of_account.iter().map(|change| (change.slot, change.after));
                    Some((of_account.first()?.address, values.collect()))
                })
                .collect(),
            codes: changes.codes.into_iter().collect(),
        };
        View {
            snapshot: self.snapshot.clone(),
            open: Some(Arc::new(open)),
        }
    }

    /// The account with this address.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn account(&self, address: &Address) -> Result<Option<Account>, StoreError> {
        if let Some(account) = self
            .open
            .as_ref()
            .and_then(|open| open.accounts.get(address))
        {
            return Ok(*account);
        }
        let Some(flat) = self.snapshot.get(&Key::account(address))? else {
            return Ok(None);
        };
        let account = Account::from_flat(&flat);
        account
            .map(Some)
            .ok_or_else(|| StoreError::Corrupt(format!("account {address}")))
    }

    /// Value of a slot; 0 where nothing is stored.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn slot(&self, address: &Address, slot: &U256) -> Result<U256, StoreError> {
        let open = self.open.as_ref();
        let of_account = open.and_then(|open| open.slots.get(address));
        if let Some(value) = of_account.and_then(|slots| slots.get(slot)) {
            return Ok(*value);
        }
        let flat = self.snapshot.get(&Key::slot(address, slot))?;
        U256::try_from_be_slice(&flat.unwrap_or_default())
            .ok_or_else(|| StoreError::Corrupt(format!("slot {slot:#x} of {address}")))
    }

    /// Code with this hash; None if it is not stored.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn code_bytes(&self, hash: &B256) -> Result<Option<Bytes>, StoreError> {
        if let Some(code) = self.open.as_ref().and_then(|open| open.codes.get(hash)) {
            return Ok(Some(code.clone()));
        }
        Ok(self.snapshot.get(&Key::code(hash))?.map(Bytes::from))
    }

    /// Code with this hash, ready to run.
    ///
    /// # Errors
    /// It is not stored, or the store is damaged or cannot be read.
    pub fn code(&self, hash: &B256) -> Result<Bytecode, StoreError> {
        if *hash == KECCAK_EMPTY {
            return Ok(Bytecode::default());
        }
        let shared = self.snapshot.shared().ok_or(StoreError::Closed)?;
        if let Some(code) = shared.cached_code(hash) {
            return Ok(code);
        }
        let bytes = self
            .code_bytes(hash)?
            .ok_or(StateError::NoCode { hash: *hash })?;
        if keccak256(&bytes) != *hash {
            return Err(StateError::BadCode { hash: *hash }.into());
        }
        let code =
            Bytecode::new_raw_checked(bytes).map_err(|_| StateError::BadCode { hash: *hash })?;
        shared.cache_code(*hash, &code);
        Ok(code)
    }

    /// Slots of an account that are not 0.
    ///
    /// # Errors
    /// The store is damaged or cannot be read.
    pub fn slots(&self, address: &Address) -> Result<Vec<U256>, StoreError> {
        let (first, last) = (
            Key::slot(address, &U256::ZERO),
            Key::slot(address, &U256::MAX),
        );
        // All that it ever had and the store still knows of, then those that it has here.
        let mut slots = BTreeSet::new();
        let mut add = |key: &[u8]| slots.insert(U256::from_be_slice(&key[key.len() - 32..]));
        self.snapshot.scan(&first, &last, |key, _| {
            add(key);
            true
        })?;
        let (past, past_last) = (first.in_history(0), last.in_history(u64::MAX));
        self.snapshot.scan(&past, &past_last, |key, _| {
            add(&key[..key.len() - 8]);
            true
        })?;
        for row in self.snapshot.pending.range(first.row(), last.row()) {
            add(&row.key);
        }
        let open = self.open.iter().filter_map(|open| open.slots.get(address));
        slots.extend(open.flat_map(U256Map::keys));
        let mut held = Vec::new();
        for slot in slots {
            if !self.slot(address, &slot)?.is_zero() {
                held.push(slot);
            }
        }
        Ok(held)
    }

    /// Durable rows of each table, by its name; for nodes of the account trie, records that accounts and nodes share.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn row_counts(&self) -> Result<Vec<(&'static str, u64)>, StoreError> {
        let count = |(table, name): (Table, &'static str)| {
            let count = match table {
                Table::Account => self.count_accounts()?,
                Table::AccountNode => self.snapshot.near()?.records(),
                _ => self.count_rows(table)?,
            };
            Ok((name, count))
        };
        Table::ALL.into_iter().map(count).collect()
    }

    /// Proves an account and slots of it (EIP-1186).
    ///
    /// # Errors
    /// This is not the newest state, of which alone the store has nodes, or the store cannot be read.
    pub fn proof(&self, address: &Address, slots: &[U256]) -> Result<AccountProof, StoreError> {
        let header = self.sealed_header(self.height())?;
        let header = header.ok_or_else(|| StoreError::Corrupt("no header of a view".into()))?;
        Ok(prove_account(&header.state_root, self, address, slots)?)
    }

    pub(crate) fn node_rlp(
        &self,
        owner: Option<&B256>,
        path: &Path,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        if !self.snapshot.is_tip() {
            return Err(StoreError::NodesOfTipOnly {
                height: self.height(),
            });
        }
        self.snapshot.get(&Key::node(owner, path))
    }
}
