//! One consistent look at the chain: a read transaction and the blocks that were pending when it began.
use crate::key::{history, Key};
use crate::near::{is_near, Tree};
use crate::pending::Pending;
use crate::shared::{lock, Meta, Shared};
use crate::table::{Table, Tables, Undo};
use crate::StoreError;
use alloy_primitives::{keccak256, B256};
use heed::{RoTxn, WithoutTls};
use std::fmt;
use std::ops::Bound;
use std::sync::{Arc, Mutex, Weak};

/// A snapshot's transaction, and what it sees.
pub(crate) struct Look {
    txn: RoTxn<'static, WithoutTls>,
    near: Arc<Tree>,
    /// The newest durable height.
    durable: Option<u64>,
}

impl Look {
    /// Takes a new look. A version of the accounts may go between the two steps, so it is tried again.
    fn take(shared: &Shared) -> Result<Self, StoreError> {
        loop {
            let txn = shared.env.clone().static_read_txn()?;
            let durable = Meta::tip(&shared.tables, &txn)?.map(|(height, _)| height);
            if let Some(near) = shared.near.seen_by(&shared.tables, &txn)? {
                return Ok(Look { txn, near, durable });
            }
        }
    }
}

/// What a snapshot looks through.
pub(crate) enum TxnSlot {
    Open(Look),
    /// Ended so that the map could grow.
    Parked,
    Closed,
}

impl TxnSlot {
    pub(crate) fn park(&mut self) {
        if matches!(self, TxnSlot::Open(_)) {
            *self = TxnSlot::Parked;
        }
    }

    pub(crate) fn close(&mut self) {
        *self = TxnSlot::Closed;
    }
}

impl fmt::Debug for TxnSlot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TxnSlot::Open(_) => "Open",
            TxnSlot::Parked => "Parked",
            TxnSlot::Closed => "Closed",
        })
    }
}

/// The chain up to one block.
#[derive(Debug)]
pub(crate) struct Snapshot {
    shared: Weak<Shared>,
    pub(crate) tables: Tables,
    pub(crate) pending: Pending,
    slot: Arc<Mutex<TxnSlot>>,
    /// Newest block that was durable at the start.
    anchor: Option<(u64, B256)>,
    pub(crate) height: u64,
    pub(crate) hash: B256,
}

impl Snapshot {
    /// The chain as it is now, up to `height` (None: the tip).
    pub(crate) fn open(shared: &Arc<Shared>, height: Option<u64>) -> Result<Self, StoreError> {
        // The map may grow once the chain is let go: the transaction and its block must be known by then.
        let chain = lock(&shared.chain);
        let pending = chain.clone();
        let seen = Look::take(shared)?;
        let anchor = Meta::tip(&shared.tables, &seen.txn)?;
        let oldest = Meta::oldest(&shared.tables, &seen.txn)?;
        let slot = Arc::new(Mutex::new(TxnSlot::Open(seen)));
        shared.register(&slot);
        let (tip, tip_hash) = pending.tip.ok_or(StoreError::Empty)?;
        let height = height.unwrap_or(tip);
        if height > tip {
            return Err(StoreError::AboveTip { height, tip });
        }
        if height < oldest {
            return Err(StoreError::BelowOldest { height, oldest });
        }
        let mut snapshot = Snapshot {
            shared: Arc::downgrade(shared),
            tables: shared.tables,
            pending,
            slot,
            anchor,
            height,
            hash: tip_hash,
        };
        if height != tip {
            snapshot.hash = snapshot.hash_at(height)?;
        }
        drop(chain);
        Ok(snapshot)
    }

    pub(crate) fn shared(&self) -> Option<Arc<Shared>> {
        self.shared.upgrade()
    }

    fn hash_at(&self, height: u64) -> Result<B256, StoreError> {
        let header = self.get(&Key::at_height(Table::Header, height))?;
        let hash = header.as_deref().and_then(|header| header.get(..32));
        hash.map(B256::from_slice)
            .ok_or_else(|| StoreError::Corrupt(format!("no header at height {height}")))
    }

    /// The same look at the newest block.
    pub(crate) fn at_tip(&self) -> Self {
        let (height, hash) = self.pending.tip.unwrap_or((self.height, self.hash));
        Snapshot {
            shared: self.shared.clone(),
            tables: self.tables,
            pending: self.pending.clone(),
            slot: self.slot.clone(),
            anchor: self.anchor,
            height,
            hash,
        }
    }

    /// Whether this is the newest state that the store has nodes of.
    pub(crate) fn is_tip(&self) -> bool {
        self.pending.tip.map(|(height, _)| height) == Some(self.height)
    }

    /// Value of a key as of this snapshot's block. Keys of tables without history are found whatever their height.
    pub(crate) fn get(&self, key: &Key) -> Result<Option<Vec<u8>>, StoreError> {
        self.look(key, |value| value.map(<[u8]>::to_vec))
    }

    /// The same where it lies. `look` must not ask this snapshot for more.
    pub(crate) fn look<R>(
        &self,
        key: &Key,
        look: impl FnOnce(Option<&[u8]>) -> R,
    ) -> Result<R, StoreError> {
        if let Some(value) = self.pending.get(key.row(), self.height) {
            return Ok(look(value));
        }
        self.with_look(|Look { txn, near, durable }| {
            let row_key = key.row();
            let past = durable.is_some_and(|durable| durable > self.height);
            if past && Table::undo(row_key[0]) == Undo::Restore {
                let first = history(row_key, self.height + 1);
                let bucket = self.tables.of(Table::History);
                if let Some((found, before)) = bucket.get_greater_than_or_equal_to(txn, &first)? {
                    if found.len() == first.len() && found.starts_with(row_key) {
                        return Ok(look((!before.is_empty()).then_some(before)));
                    }
                }
            }
            if !is_near(row_key) {
                return Ok(look(self.tables.get(txn, row_key)?));
            }
            let own = &row_key[1..];
            if row_key[0] == Table::AccountNode as u8 {
                let newest = self.pending.accounts.as_ref().unwrap_or(near);
                return Ok(look(newest.node(own)?.as_deref()));
            }
            near.account(own, &keccak256(own), look)
        })
    }

    /// The accounts that are durable.
    pub(crate) fn near(&self) -> Result<Arc<Tree>, StoreError> {
        self.with_look(|look| Ok(look.near.clone()))
    }

    /// Two values that blocks write once, where they lie. `look` must not ask this snapshot for more.
    pub(crate) fn look_at_two<R>(
        &self,
        one: &Key,
        other: &Key,
        look: impl FnOnce(Option<&[u8]>, Option<&[u8]>) -> R,
    ) -> Result<R, StoreError> {
        if let Some(value) = self.pending.get(one.row(), self.height) {
            return Ok(look(
                value,
                self.pending.get(other.row(), self.height).flatten(),
            ));
        }
        self.with_txn(|txn, _| {
            let read = |key: &Key| {
                let table = self.tables.split(key.row());
                let table = table.ok_or_else(|| StoreError::Corrupt("table number".into()));
                table.map(|(bucket, _)| bucket)
            };
            let first = read(one)?.get(txn, &one.row()[1..])?;
            let second = read(other)?.get(txn, &other.row()[1..])?;
            Ok(look(first, second))
        })
    }

    /// Durable rows of one table with keys in `first..=last`, both with the table's number, until `each` is false.
    pub(crate) fn scan(
        &self,
        first: &Key,
        last: &Key,
        mut each: impl FnMut(&[u8], &[u8]) -> bool,
    ) -> Result<(), StoreError> {
        self.with_txn(|txn, _| {
            let (bucket, start) = self
                .tables
                .split(first.row())
                .ok_or_else(|| StoreError::Corrupt("table number".into()))?;
            let range = (Bound::Included(start), Bound::Included(&last.row()[1..]));
            for row in bucket.range(txn, &range)? {
                let (key, value) = row?;
                if !each(key, value) {
                    break;
                }
            }
            Ok(())
        })
    }

    /// Newest durable height that this snapshot sees.
    pub(crate) fn durable(&self) -> Result<Option<u64>, StoreError> {
        self.with_txn(|_, durable| Ok(durable))
    }

    pub(crate) fn with_txn<R>(
        &self,
        read: impl FnOnce(&RoTxn<'_>, Option<u64>) -> Result<R, StoreError>,
    ) -> Result<R, StoreError> {
        self.with_look(|look| read(&look.txn, look.durable))
    }

    fn with_look<R>(
        &self,
        read: impl FnOnce(&Look) -> Result<R, StoreError>,
    ) -> Result<R, StoreError> {
        let mut slot = lock(&self.slot);
        if matches!(*slot, TxnSlot::Parked) {
            let shared = self.shared().ok_or(StoreError::Closed)?;
            let seen = Look::take(&shared)?;
            self.check_reopened(&seen)?;
            *slot = TxnSlot::Open(seen);
        }
        match &*slot {
            TxnSlot::Open(seen) => read(seen),
            TxnSlot::Parked | TxnSlot::Closed => Err(StoreError::Closed),
        }
    }

    /// A new transaction may see another chain than the first one: this block must still be in it.
    fn check_reopened(&self, Look { txn, durable, .. }: &Look) -> Result<(), StoreError> {
        let stale = StoreError::Stale {
            height: self.height,
        };
        let (height, hash) = match (*durable, self.anchor) {
            (Some(durable), _) if durable >= self.height => (self.height, self.hash),
            (_, Some(anchor)) => anchor,
            (None, None) => return Ok(()),
            (Some(_), None) => return Err(stale),
        };
        let key = Key::at_height(Table::Header, height);
        let header = self.tables.of(Table::Header).get(txn, &key.row()[1..])?;
        let same = header.and_then(|header| header.get(..32)) == Some(hash.as_slice());
        if !same || self.height < Meta::oldest(&self.tables, txn)? {
            return Err(stale);
        }
        Ok(())
    }
}
