//! What a store and its views share.
use crate::advice::Calm;
use crate::journal::{Fresh, Journal};
use crate::key::read_u64;
use crate::near::{Near, Tree};
use crate::open::{map_error, whole_pages};
use crate::pending::Pending;
use crate::posting::{Secret, Tail};
use crate::snapshot::TxnSlot;
use crate::table::{Table, Tables};
use crate::StoreError;
use alloy_primitives::{map::B256Map, B256};
use heed::{Env, MdbError, RoTxn, RwTxn, WithoutTls};
use revm::state::Bytecode;
use std::fs::File;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

/// Bytes of code kept decoded for views.
const CODE_CACHE_BYTES: usize = 32 << 20;

/// Bytes that the file is longer than what is used of it when a transaction begins.
const ROOM_BYTES: u64 = 1 << 20;

/// Keys of the table `meta`.
pub(crate) struct Meta;

impl Meta {
    pub(crate) const SCHEMA: &'static [u8] = b"schema";
    pub(crate) const GENESIS: &'static [u8] = b"genesis";
    pub(crate) const TIP: &'static [u8] = b"tip";
    pub(crate) const OLDEST: &'static [u8] = b"oldest";
    pub(crate) const MIGRATION: &'static [u8] = b"migration";
    pub(crate) const SECRET: &'static [u8] = b"secret";
    pub(crate) const ACCOUNTS: &'static [u8] = b"accounts";
    pub(crate) const JOURNAL: &'static [u8] = b"journal";
    pub(crate) const NEAR: &'static [u8] = b"near";

    /// Height and hash of the newest durable block.
    pub(crate) fn tip(tables: &Tables, txn: &RoTxn<'_>) -> Result<Option<(u64, B256)>, StoreError> {
        let Some(stored) = tables.of(Table::Meta).get(txn, Meta::TIP)? else {
            return Ok(None);
        };
        let tip = stored
            .split_at_checked(8)
            .and_then(|(height, hash)| Some((read_u64(height)?, B256::try_from(hash).ok()?)));
        tip.map(Some)
            .ok_or_else(|| StoreError::Corrupt("meta row of the tip".into()))
    }

    /// Generation of the journal whose blocks LMDB does not have.
    pub(crate) fn generation(tables: &Tables, txn: &RoTxn<'_>) -> Result<u64, StoreError> {
        let stored = tables.of(Table::Meta).get(txn, Meta::JOURNAL)?;
        stored.map_or(Ok(0), |bytes| {
            read_u64(bytes).ok_or_else(|| StoreError::Corrupt("meta row of the journal".into()))
        })
    }

    /// Lowest height whose state is kept.
    pub(crate) fn oldest(tables: &Tables, txn: &RoTxn<'_>) -> Result<u64, StoreError> {
        let stored = tables.of(Table::Meta).get(txn, Meta::OLDEST)?;
        stored.map_or(Ok(0), |bytes| {
            read_u64(bytes)
                .ok_or_else(|| StoreError::Corrupt("meta row of the oldest state".into()))
        })
    }
}

/// Decoded codes, forgotten all at once when they are too many.
#[derive(Debug, Default)]
struct CodeCache {
    codes: B256Map<Bytecode>,
    bytes: usize,
}

/// What only the one writer uses.
#[derive(Debug)]
pub(crate) struct Writer {
    /// The newest segments of postings.
    pub(crate) tail: Tail,
    pub(crate) journal: Journal,
}

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) env: Env<WithoutTls>,
    pub(crate) tables: Tables,
    pub(crate) near: Near,
    map_size: AtomicUsize,
    /// Bytes that the file has at least.
    length: AtomicU64,
    /// Held while the store is open; the system lets go of it when the process dies.
    _lock: File,
    /// Of the fingerprints in postings.
    pub(crate) secret: Secret,
    /// One writer at a time.
    pub(crate) writer: Mutex<Writer>,
    /// Whoever opens a snapshot holds this, so that it sees one chain.
    pub(crate) chain: Mutex<Pending>,
    /// Of the same chain, what is not durable; changed while the chain is held.
    pub(crate) fresh: Mutex<Fresh>,
    /// Counts changes of the chain.
    pub(crate) version: AtomicU64,
    /// When it is looked next whether a block's pages are in memory.
    pub(crate) calm: Calm,
    snapshots: Mutex<Vec<Weak<Mutex<TxnSlot>>>>,
    codes: Mutex<CodeCache>,
}

/// Locks; what a panicking thread left is whole, since every change under these locks is one assignment or push.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    pub(crate) fn new(
        env: Env<WithoutTls>,
        (tables, near): (Tables, Near),
        map_size: usize,
        lock: File,
        secret: Secret,
        journal: Journal,
        tip: Option<(u64, B256)>,
    ) -> Self {
        let map_size = whole_pages(map_size).max(env.info().map_size);
        Shared {
            env,
            tables,
            near,
            map_size: AtomicUsize::new(map_size),
            length: AtomicU64::new(0),
            _lock: lock,
            secret,
            writer: Mutex::new(Writer {
                tail: Tail::default(),
                journal,
            }),
            chain: Mutex::new(Pending::at(tip)),
            fresh: Mutex::new(Fresh::at(tip)),
            version: AtomicU64::new(0),
            calm: Calm::default(),
            snapshots: Mutex::new(Vec::new()),
            codes: Mutex::new(CodeCache::default()),
        }
    }

    /// Accounts as of the newest block. The chain is held.
    pub(crate) fn accounts(&self, chain: &Pending) -> Arc<Tree> {
        let pending = chain.accounts.clone();
        pending.unwrap_or_else(|| self.near.newest())
    }

    /// Sets the chain that readers see from now on.
    pub(crate) fn changed(&self) {
        self.version.fetch_add(1, Ordering::Release);
    }

    /// Makes a snapshot's transaction known, so that the map can grow under it.
    pub(crate) fn register(&self, slot: &Arc<Mutex<TxnSlot>>) {
        let mut snapshots = lock(&self.snapshots);
        if snapshots.len() == snapshots.capacity() {
            snapshots.retain(|slot| slot.strong_count() > 0);
        }
        snapshots.push(Arc::downgrade(slot));
    }

    /// Reads what is durable, for a moment: the map does not grow meanwhile.
    pub(crate) fn read<R>(
        &self,
        look: impl FnOnce(&RoTxn<'_>) -> Result<R, StoreError>,
    ) -> Result<R, StoreError> {
        let _chain = lock(&self.chain);
        look(&*self.env.read_txn()?)
    }

    /// Runs `work` in one transaction and commits it; the map grows if it is full.
    pub(crate) fn write(
        &self,
        work: impl Fn(&mut RwTxn<'_>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.write_and_grow(work, || self.grow(&mut lock(&self.chain)))
    }

    /// The same while the caller keeps readers from taking a new look at the chain.
    pub(crate) fn write_with(
        &self,
        chain: &mut MutexGuard<'_, Pending>,
        work: impl Fn(&mut RwTxn<'_>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.write_and_grow(work, || self.grow(chain))
    }

    fn write_and_grow(
        &self,
        work: impl Fn(&mut RwTxn<'_>) -> Result<(), StoreError>,
        mut grow: impl FnMut() -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        loop {
            self.lengthen(ROOM_BYTES)?;
            let mut txn = self.env.write_txn()?;
            let result = work(&mut txn).and_then(|()| Ok(txn.commit()?));
            match result {
                Err(StoreError::Lmdb(heed::Error::Mdb(MdbError::MapFull))) => grow()?,
                Ok(()) => return self.lengthen(0),
                result => return result,
            }
        }
    }

    /// Keeps the file as long as its last page asks for, and `room` longer: LMDB does not write pages that a transaction
    /// took and gave back, and a file that ends before its last page passes for one that was cut off. What is added takes
    /// no disk.
    fn lengthen(&self, room: u64) -> Result<(), StoreError> {
        let page_bytes = u64::from(self.env.stat().page_size);
        let used = (self.env.info().last_page_number as u64 + 1).saturating_mul(page_bytes);
        let wanted = used.saturating_add(room);
        if self.length.load(Ordering::Relaxed) >= wanted {
            return Ok(());
        }
        let io = |error| StoreError::Lmdb(heed::Error::Io(error));
        let file = self.env.try_clone_inner_file()?;
        let mut length = file.metadata().map_err(io)?.len();
        if length < wanted {
            length = used.saturating_add(4 * ROOM_BYTES);
            file.set_len(length).map_err(io)?;
        }
        self.length.store(length, Ordering::Relaxed);
        Ok(())
    }

    /// Doubles the map. Snapshots lose their transactions meanwhile and take new ones when they are next read.
    /// Who calls holds the chain, so that no new ones begin.
    fn grow(&self, _chain: &mut MutexGuard<'_, Pending>) -> Result<(), StoreError> {
        let slots: Vec<Arc<Mutex<TxnSlot>>> = lock(&self.snapshots)
            .iter()
            .filter_map(Weak::upgrade)
            .collect();
        let mut held: Vec<MutexGuard<'_, TxnSlot>> = slots.iter().map(|slot| lock(slot)).collect();
        for slot in &mut held {
            slot.park();
        }
        let size = whole_pages(self.map_size.load(Ordering::Relaxed).saturating_mul(2));
        // SAFETY: every snapshot's transaction was ended above and none can begin while `held` and the chain are
        // locked; the writer's was aborted before this call, and there is one writer.
        unsafe { self.env.resize(size) }.map_err(|error| map_error(error, size))?;
        self.map_size.store(size, Ordering::Relaxed);
        Ok(())
    }

    pub(crate) fn cached_code(&self, hash: &B256) -> Option<Bytecode> {
        lock(&self.codes).codes.get(hash).cloned()
    }

    pub(crate) fn cache_code(&self, hash: B256, code: &Bytecode) {
        let mut cache = lock(&self.codes);
        if cache.bytes > CODE_CACHE_BYTES {
            *cache = CodeCache::default();
        }
        cache.bytes += code.len();
        cache.codes.insert(hash, code.clone());
    }
}

impl Drop for Shared {
    /// Ends the snapshots' transactions, so that the folder is free although views may live on.
    fn drop(&mut self) {
        for slot in lock(&self.snapshots).iter().filter_map(Weak::upgrade) {
            lock(&slot).close();
        }
    }
}
