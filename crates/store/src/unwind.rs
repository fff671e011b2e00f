//! Going back to an earlier block.
use crate::commit::diff_keys;
use crate::journal::Fresh;
use crate::key::{history, Key};
use crate::near::{is_near, Listed};
use crate::pending::Pending;
use crate::record::node_rows;
use crate::row::Row;
use crate::shared::{lock, Shared};
use crate::snapshot::Snapshot;
use crate::table::{Table, Undo};
use crate::view::View;
use crate::{Store, StoreError};
use alloy_primitives::{Address, B256, U256};
use bedroll_core::state::{Account, State};
use std::collections::BTreeMap;

/// What taking back some blocks changes.
#[derive(Default)]
struct Undone {
    /// Values to put back.
    restored: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
    /// Keys to delete, with their table's number.
    deleted: Vec<Vec<u8>>,
    /// Keys in the history to delete.
    past: Vec<Vec<u8>>,
}

impl Store {
    /// Makes the block at `height` the tip again: what came after is gone, at once and durably.
    ///
    /// Flat values from before are put back through the tries, and the root must come out as that block's header
    /// says. The cost is that of the distinct values that changed, not of the count of blocks.
    ///
    /// # Errors
    /// The height is above the tip or below the oldest kept state, or the store is damaged or cannot be written;
    /// nothing was unwound then.
    pub fn unwind_to(&self, height: u64) -> Result<(), StoreError> {
        let mut writer = lock(&self.shared.writer);
        let target = Snapshot::open(&self.shared, Some(height))?;
        if target.is_tip() {
            return Ok(());
        }
        let target = (target.height, target.hash);
        // Pending blocks hold no trie nodes of the states between them: they become durable, then go.
        self.shared.commit_pending(&mut writer)?;
        let view = self.view(None)?;
        let undone = Undone::collect(&view.snapshot, height)?;
        let (root, nodes) = self.rebuild(&view, &undone, height)?;
        drop(view);
        let restored = (undone.restored.iter()).map(|(key, value)| (&key[..], value.as_deref()));
        let rebuilt = nodes.iter().map(|row| (&row.key[..], row.value.as_deref()));
        let rows = restored.chain(rebuilt);
        let newest = self.shared.near.newest();
        // What sealing prepared lacks accounts that are again what they were: they, too, may have come into the AddressBook since.
        self.shared.near.forget_prepared();
        let accounts = self.shared.near.next(&newest, &root, || {
            let own = (rows.clone()).filter(|(key, _)| key[0] == Table::Account as u8);
            newest.with_flat(own.map(|(key, value)| (&key[1..], value, Listed::Unknown)))
        })?;
        self.shared.near.stage(accounts)?;
        // Readers see the old blocks up to here, and then none of them.
        let mut chain = lock(&self.shared.chain);
        writer.tail.forget();
        let tables = self.shared.tables;
        self.shared.write_with(&mut chain, |txn| {
            self.shared.cut_postings(txn, height)?;
            self.shared.near.write(&tables, txn)?;
            for (key, value) in rows.clone() {
                if !is_near(key) {
                    tables.put(txn, key, value)?;
                }
            }
            for key in &undone.deleted {
                tables.put(txn, key, None)?;
            }
            let past = self.shared.tables.of(Table::History);
            for key in &undone.past {
                past.delete(txn, key)?;
            }
            self.shared.write_tip(txn, target.0, target.1)
        })?;
        self.shared.near.committed();
        *chain = Pending::at(Some(target));
        *lock(&self.shared.fresh) = Fresh::at(Some(target));
        self.shared.changed();
        Ok(())
    }

    /// Root of the state at `height`, and nodes of its storage tries, as changes of those of the tip that `view` shows.
    fn rebuild(
        &self,
        view: &View,
        undone: &Undone,
        height: u64,
    ) -> Result<(B256, Vec<Row>), StoreError> {
        let from = view.sealed_header(view.height())?;
        let to = view.sealed_header(height)?;
        let (Some(from), Some(to)) = (from, to) else {
            return Err(StoreError::Corrupt(format!("no header at height {height}")));
        };
        let mut state = State::new(from.state_root, self.tip_source());
        let (mut gone, mut slots) = (Vec::new(), Vec::new());
        for (key, value) in &undone.restored {
            let value = value.as_deref();
            if key[0] == Table::Account as u8 {
                let address = Address::from_slice(&key[1..]);
                match value {
                    Some(flat) => {
                        let account = Account::from_flat(flat).ok_or_else(|| {
                            StoreError::Corrupt(format!("account {address} in the history"))
                        })?;
                        state.set_account(&address, Some(account))?;
                    }
                    None => gone.push(address),
                }
            } else if key[0] == Table::Slot as u8 {
                let (address, slot) = key[1..].split_at(20);
                slots.push((
                    Address::from_slice(address),
                    U256::from_be_slice(slot),
                    U256::from_be_slice(value.unwrap_or_default()),
                ));
            }
        }
        for (address, slot, value) in slots {
            state.set_slot(&address, &slot, value)?;
        }
        for address in gone {
            state.set_account(&address, None)?;
        }
        let (root, write_set) = state.seal()?;
        if root != to.state_root {
            return Err(StoreError::Corrupt(format!(
                "reverse diffs to height {height} give the state root {root}, its header says {}",
                to.state_root
            )));
        }
        Ok((root, node_rows(height, write_set)))
    }
}

impl Undone {
    fn collect(snapshot: &Snapshot, height: u64) -> Result<Self, StoreError> {
        let shared = snapshot.shared().ok_or(StoreError::Closed)?;
        let mut undone = Undone::default();
        for above in (height + 1..=snapshot.height).rev() {
            undone.collect_block(&shared, snapshot, above)?;
        }
        Ok(undone)
    }

    /// Adds a block; blocks come newest first, so that what stood before the oldest counts.
    fn collect_block(
        &mut self,
        shared: &Shared,
        snapshot: &Snapshot,
        height: u64,
    ) -> Result<(), StoreError> {
        snapshot.with_txn(|txn, _| {
            let diff = shared.tables.of(Table::Diff);
            let past = shared.tables.of(Table::History);
            let missing = || StoreError::Corrupt(format!("no reverse diff of height {height}"));
            let row = diff.get(txn, &height.to_be_bytes())?.ok_or_else(missing)?;
            for key in diff_keys(row, height)? {
                if Table::undo(key[0]) == Undo::Restore {
                    let past_key = history(key, height);
                    let before = past.get(txn, &past_key)?.ok_or_else(missing)?;
                    let before = (!before.is_empty()).then(|| before.to_vec());
                    self.restored.insert(key.to_vec(), before);
                    self.past.push(past_key);
                } else {
                    self.deleted.push(key.to_vec());
                }
            }
            self.deleted
                .push(Key::at_height(Table::Diff, height).row().to_vec());
            Ok(())
        })
    }
}
