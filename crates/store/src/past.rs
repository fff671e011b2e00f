//! Proofs of earlier states.
//!
//! Nodes are stored of the newest state only. Those of an earlier one follow from it and from the flat values that
//! changed since: they are put back into the tries in memory, and the root must be that of the earlier header. Of
//! accounts all that changed are put back, with the storage roots that they had; of slots only those of the account
//! that is asked for.
use crate::commit::diff_keys;
use crate::shared::lock;
use crate::snapshot::Snapshot;
use crate::table::Table;
use crate::view::View;
use crate::StoreError;
use alloy_primitives::{keccak256, Address, Bytes, B256, U256};
use bedroll_core::state::{prove_past_account, AccountProof, Overlay, StateSource};
use bedroll_core::trie::{Path, SourceError, EMPTY_ROOT};
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex};

/// The account trie of an earlier state, to be used for other proofs of it while the tip is the same.
#[derive(Clone, Debug)]
pub struct PastState {
    hash: B256,
    tip_hash: B256,
    overlay: Arc<Overlay>,
}

impl PastState {
    /// Bytes that it holds.
    pub fn bytes(&self) -> usize {
        self.overlay.bytes()
    }
}

/// What blocks above a height changed.
#[derive(Default)]
struct Changed {
    accounts: BTreeSet<Address>,
    slots: BTreeSet<U256>,
}

impl Changed {
    /// Collects the accounts, or the slots of one.
    fn collect(
        snapshot: &Snapshot,
        of: Option<&Address>,
        limit: usize,
    ) -> Result<Self, StoreError> {
        let mut changed = Self::default();
        let height = snapshot.height;
        let tip = snapshot.pending.tip.map_or(height, |(tip, _)| tip);
        let durable = snapshot.durable()?.unwrap_or(height);
        for above in height + 1..=durable.min(tip) {
            snapshot.with_txn(|txn, _| {
                let row = snapshot
                    .tables
                    .of(Table::Diff)
                    .get(txn, &above.to_be_bytes())?
                    .ok_or_else(|| StoreError::Corrupt(format!("no reverse diff of {above}")))?;
                for key in diff_keys(row, above)? {
                    changed.add(key, of);
                }
                Ok(())
            })?;
            changed.check(height, limit)?;
        }
        let pending = snapshot
            .pending
            .range(&[Table::Account as u8], &[Table::Slot as u8, 0xff]);
        for row in pending.filter(|row| row.height > height) {
            changed.add(&row.key, of);
        }
        if of.is_some() {
            // Slots sort between accounts and codes.
            let slots = snapshot
                .pending
                .range(&[Table::Slot as u8], &[Table::Code as u8]);
            for row in slots.filter(|row| row.height > height) {
                changed.add(&row.key, of);
            }
        }
        changed.check(height, limit)?;
        Ok(changed)
    }

    fn add(&mut self, key: &[u8], of: Option<&Address>) {
        match (key.split_first(), of) {
            (Some((&table, address)), None) if table == Table::Account as u8 => {
                self.accounts.insert(Address::from_slice(address));
            }
            (Some((&table, rest)), Some(of)) if table == Table::Slot as u8 => {
                if let Some(slot) = rest.strip_prefix(of.as_slice()) {
                    self.slots.insert(U256::from_be_slice(slot));
                }
            }
            _ => {}
        }
    }

    fn check(&self, height: u64, limit: usize) -> Result<(), StoreError> {
        if self.accounts.len() + self.slots.len() > limit {
            return Err(StoreError::TooFarBack { height, limit });
        }
        Ok(())
    }
}

impl View {
    /// Proves an account and slots of it (EIP-1186) as of this view's block, whichever that is.
    ///
    /// `known` is what an earlier proof of this block gave; it is made anew where it does not fit, and given back.
    ///
    /// # Errors
    /// More than `changes_max` accounts, or slots of the account, changed since; the store is damaged or cannot be
    /// read.
    pub fn past_proof(
        &self,
        address: &Address,
        slots: &[U256],
        changes_max: usize,
        known: Option<PastState>,
    ) -> Result<(AccountProof, Option<PastState>), StoreError> {
        let tip = View::of(Arc::new(self.snapshot.at_tip()));
        if tip.height() == self.height() {
            return Ok((self.proof(address, slots)?, None));
        }
        let (past, root) = self.past_accounts(&tip, changes_max, known)?;
        let of_slots = self.past_slots(&tip, address, Some(slots), changes_max)?;
        let overlays = (&*past.overlay, &of_slots);
        let proof = prove_past_account(&root, &tip, overlays, address, slots)?;
        Ok((proof, Some(past)))
    }

    /// The account trie as of this view's block, with its root.
    fn past_accounts(
        &self,
        tip: &View,
        changes_max: usize,
        known: Option<PastState>,
    ) -> Result<(PastState, B256), StoreError> {
        let header = |view: &View| {
            let missing = || StoreError::Corrupt("no header of a view".into());
            view.sealed_header(view.height())?.ok_or_else(missing)
        };
        let (here, there) = (header(self)?, header(tip)?);
        let known = known.filter(|known| known.hash == here.hash && known.tip_hash == there.hash);
        if let Some(past) = known {
            return Ok((past, here.state_root));
        }
        let changed = Changed::collect(&self.snapshot, None, changes_max)?.accounts;
        let mut accounts = Vec::with_capacity(changed.len());
        for address in changed {
            accounts.push((address, self.account(&address)?));
        }
        let (root, overlay) = Overlay::of_accounts(&there.state_root, tip, &accounts)?;
        if root != here.state_root {
            return Err(StoreError::Corrupt(format!(
                "the values of block {} give the state root {root}, its header says {}",
                self.height(),
                here.state_root
            )));
        }
        let past = PastState {
            hash: here.hash,
            tip_hash: there.hash,
            overlay: Arc::new(overlay),
        };
        Ok((past, root))
    }

    /// The nodes of this view's state, whichever block it is of.
    ///
    /// # Errors
    /// More than `changes_max` accounts changed since; the store is damaged or cannot be read.
    pub fn nodes(&self, changes_max: usize) -> Result<PastNodes, StoreError> {
        let tip = View::of(Arc::new(self.snapshot.at_tip()));
        let mut changed = HashMap::new();
        let mut accounts = None;
        if tip.height() != self.height() {
            accounts = Some(self.past_accounts(&tip, changes_max, None)?.0);
            // An account whose slots changed is among these: its storage root did.
            for address in Changed::collect(&self.snapshot, None, changes_max)?.accounts {
                changed.insert(keccak256(address), address);
            }
        }
        Ok(PastNodes {
            view: self.clone(),
            tip,
            accounts,
            changed,
            slots: Mutex::default(),
            changes_max,
        })
    }

    /// Nodes of the account's storage trie as of this view's block.
    fn past_slots(
        &self,
        tip: &View,
        address: &Address,
        slots: Option<&[U256]>,
        changes_max: usize,
    ) -> Result<Overlay, StoreError> {
        let wanted = self
            .account(address)?
            .map_or(EMPTY_ROOT, |account| account.storage_root);
        let root = tip
            .account(address)?
            .map_or(EMPTY_ROOT, |account| account.storage_root);
        if slots.is_some_and(<[U256]>::is_empty) || wanted == root {
            return Ok(Overlay::default());
        }
        let changed = Changed::collect(&self.snapshot, Some(address), changes_max)?.slots;
        let mut values = Vec::with_capacity(changed.len());
        for slot in changed {
            values.push((slot, self.slot(address, &slot)?));
        }
        let (found, overlay) = Overlay::of_slots(&root, tip, address, &values)?;
        if found != wanted {
            return Err(StoreError::Corrupt(format!(
                "the slots of {address} at height {} give the storage root {found}, it has {wanted}",
                self.height()
            )));
        }
        Ok(overlay)
    }
}

/// Nodes of an earlier state, or of the newest. Values are left to who asks the tries for them.
#[derive(Debug)]
pub struct PastNodes {
    view: View,
    tip: View,
    accounts: Option<PastState>,
    /// Accounts that changed since, by the keccak of their address.
    changed: HashMap<B256, Address>,
    /// Storage tries that were asked for, by the same.
    slots: Mutex<HashMap<B256, Overlay>>,
    changes_max: usize,
}

impl PastNodes {
    fn slot_node(&self, owner: &B256, path: &Path) -> Result<Option<Vec<u8>>, StoreError> {
        let Some(address) = self.changed.get(owner) else {
            return Ok(None);
        };
        let mut known = lock(&self.slots);
        if !known.contains_key(owner) {
            let made = self
                .view
                .past_slots(&self.tip, address, None, self.changes_max)?;
            known.insert(*owner, made);
        }
        let overlay = known.get(owner);
        Ok(overlay.and_then(|overlay| overlay.node(path).map(<[u8]>::to_vec)))
    }
}

impl StateSource for PastNodes {
    fn code(&self, hash: &B256) -> Result<Option<Bytes>, SourceError> {
        Ok(self.view.code_bytes(hash)?)
    }

    fn block_hash(&self, height: u64) -> Result<Option<B256>, SourceError> {
        Ok(self.view.block_hash_at(height)?)
    }

    fn node(
        &self,
        owner: Option<&B256>,
        path: &Path,
        hash: &B256,
    ) -> Result<Option<Vec<u8>>, SourceError> {
        let past = match (owner, &self.accounts) {
            (Some(owner), _) => self.slot_node(owner, path)?,
            (None, Some(accounts)) => accounts.overlay.node(path).map(<[u8]>::to_vec),
            (None, None) => None,
        };
        match past {
            Some(rlp) => Ok(Some(rlp)),
            None => StateSource::node(&self.tip, owner, path, hash),
        }
    }
}
