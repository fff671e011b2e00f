//! Opening a store.
use crate::journal::Journal;
use crate::key::Key;
use crate::migrate::Pace;
use crate::near::Near;
use crate::posting::Secret;
use crate::shared::{lock, Meta, Shared};
use crate::table::{Table, Tables};
use crate::{Store, StoreError};
use alloy_primitives::B256;
use heed::{Env, EnvFlags, EnvOpenOptions, RwTxn, WithoutTls};
use std::fs::{File, TryLockError};
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

/// Version of the layout of the tables. A store with a greater one is refused.
pub const SCHEMA_VERSION: u32 = 7;

/// Readers at one time, over all threads.
const MAX_READERS: u32 = 1024;

/// How a store is opened.
#[derive(Clone, Copy, Debug)]
pub struct StoreOptions {
    /// Address space set aside, not memory nor disk; it doubles when it is full. Rounded up to whole pages.
    pub map_size_bytes: usize,
    /// Whether a commit waits for the disk. Without it a power cut may lose newest commits or the store; the death of
    /// the process does not.
    pub sync: bool,
}

impl Default for StoreOptions {
    fn default() -> Self {
        StoreOptions {
            map_size_bytes: 64 << 30,
            sync: true,
        }
    }
}

impl Store {
    /// Opens the store in `folder`, made if it is not there. `genesis` names the chain. An earlier schema is brought to
    /// this one first, which may take minutes.
    ///
    /// # Errors
    /// Another process has it, it is of another chain or a newer version, or it cannot be read.
    pub fn open(folder: &Path, genesis: B256, options: StoreOptions) -> Result<Self, StoreError> {
        let store = Self::open_as_it_is(folder, genesis, options)?;
        store.shared.migrate(Pace::default(), || true)?;
        store.shared.take_journal()?;
        Ok(store)
    }

    /// The same without migrations, and without what only the journal has.
    pub(crate) fn open_as_it_is(
        folder: &Path,
        genesis: B256,
        options: StoreOptions,
    ) -> Result<Self, StoreError> {
        let io = |error| StoreError::Io {
            path: folder.to_owned(),
            error,
        };
        std::fs::create_dir_all(folder).map_err(io)?;
        let held = take_lock(folder)?;
        let env = open_env(folder, options)?;
        check_length(folder, &env)?;
        env.clear_stale_readers()?;
        let mut txn = env.write_txn()?;
        let tables = Tables::create(&env, &mut txn)?;
        check_schema(folder, &tables, &mut txn, genesis)?;
        let secret = match tables.of(Table::Meta).get(&txn, Meta::SECRET)? {
            Some(bytes) => Secret::from_bytes(bytes)
                .ok_or_else(|| StoreError::Corrupt("meta row of the secret".into()))?,
            None => {
                let secret = Secret::new();
                tables
                    .of(Table::Meta)
                    .put(&mut txn, Meta::SECRET, &secret.to_bytes())?;
                secret
            }
        };
        let tip = Meta::tip(&tables, &txn)?;
        if let Some((height, hash)) = tip {
            let key = Key::at_height(Table::Header, height);
            let header = tables.of(Table::Header).get(&txn, &key.row()[1..])?;
            if header.and_then(|header| header.get(..32)) != Some(hash.as_slice()) {
                return Err(StoreError::Corrupt(format!(
                    "no header of the tip {height}"
                )));
            }
        }
        let generation = Meta::generation(&tables, &txn)?;
        let near = Near::open(folder, options.sync, &tables, &txn)?;
        txn.commit()?;
        let journal = Journal::open(folder, secret, generation, options.sync)?;
        if options.sync {
            // A new file is durable when its folder's entry is.
            File::open(folder)
                .and_then(|entry| entry.sync_all())
                .map_err(io)?;
        }
        let bytes = options.map_size_bytes;
        let shared = Shared::new(env, (tables, near), bytes, held, secret, journal, tip);
        Ok(Store {
            shared: Arc::new(shared),
        })
    }
}

impl Store {
    /// The genesis that the store in `folder` was made with.
    ///
    /// # Errors
    /// There is no store, another process has it, or it cannot be read.
    pub fn stored_genesis(folder: &Path) -> Result<B256, StoreError> {
        let io = |error| StoreError::Io {
            path: folder.join("data.mdb"),
            error,
        };
        std::fs::metadata(folder.join("data.mdb")).map_err(io)?;
        let _lock = take_lock(folder)?;
        let options = StoreOptions {
            map_size_bytes: 1 << 20,
            sync: true,
        };
        let env = open_env(folder, options)?;
        check_length(folder, &env)?;
        let txn = env.read_txn()?;
        let meta: Option<heed::Database<heed::types::Bytes, heed::types::Bytes>> =
            env.open_database(&txn, Some(Table::ALL[0].1))?;
        let stored = match meta {
            Some(meta) => meta.get(&txn, Meta::GENESIS)?.map(<[u8]>::to_vec),
            None => None,
        };
        stored
            .and_then(|bytes| B256::try_from(&bytes[..]).ok())
            .ok_or_else(|| StoreError::Corrupt(format!("{} is no store", folder.display())))
    }
}

impl Shared {
    /// Has LMDB take the blocks that only the journal has.
    fn take_journal(&self) -> Result<(), StoreError> {
        let mut writer = lock(&self.writer);
        let found = writer.journal.read()?;
        if found.is_empty() {
            return Ok(());
        }
        {
            let mut chain = lock(&self.chain);
            for ((height, hash), rows) in found {
                if chain.tip.map(|(tip, _)| tip + 1) != Some(height) {
                    let text = format!("block {height} of the journal does not follow the tip");
                    return Err(StoreError::Corrupt(text));
                }
                chain.push(rows, (height, hash), None);
            }
        }
        self.commit_pending(&mut writer)
    }
}

fn take_lock(folder: &Path) -> Result<File, StoreError> {
    let io = |error| StoreError::Io {
        path: folder.to_owned(),
        error,
    };
    let lock = File::create(folder.join("lock")).map_err(io)?;
    lock.try_lock().map_err(|error| match error {
        TryLockError::WouldBlock => StoreError::Held {
            path: folder.to_owned(),
        },
        TryLockError::Error(error) => io(error),
    })?;
    Ok(lock)
}

/// Takes a new store in hand, or refuses one that this program does not know or that is another chain's.
fn check_schema(
    folder: &Path,
    tables: &Tables,
    txn: &mut RwTxn<'_>,
    genesis: B256,
) -> Result<(), StoreError> {
    let meta = tables.of(Table::Meta);
    match meta.get(txn, Meta::SCHEMA)?.map(Meta::schema) {
        None => {
            meta.put(txn, Meta::SCHEMA, &SCHEMA_VERSION.to_be_bytes())?;
            meta.put(txn, Meta::GENESIS, genesis.as_slice())?;
        }
        Some(stored) if stored > SCHEMA_VERSION => {
            return Err(StoreError::NewerSchema {
                path: folder.to_owned(),
                stored,
                known: SCHEMA_VERSION,
            });
        }
        Some(0) => return Err(StoreError::Corrupt("schema version 0".into())),
        Some(_) => {}
    }
    let stored = meta.get(txn, Meta::GENESIS)?;
    if stored != Some(genesis.as_slice()) {
        return Err(StoreError::ForeignGenesis {
            path: folder.to_owned(),
            stored: B256::right_padding_from(stored.unwrap_or_default()),
            wanted: genesis,
        });
    }
    Ok(())
}

fn open_env(folder: &Path, options: StoreOptions) -> Result<Env<WithoutTls>, StoreError> {
    let mut open = EnvOpenOptions::new().read_txn_without_tls();
    // An existing file may have grown beyond what is asked for now.
    let file_bytes = std::fs::metadata(folder.join("data.mdb")).map_or(0, |file| file.len());
    let room = file_bytes.saturating_add(1 << 20) as usize;
    let bytes = whole_pages(options.map_size_bytes.max(room));
    open.map_size(bytes)
        .max_readers(MAX_READERS)
        .max_dbs(Table::ALL.len() as u32);
    // Read-ahead costs more than it brings where keys are hashes.
    let mut flags = EnvFlags::NO_READ_AHEAD;
    if !options.sync {
        flags |= EnvFlags::NO_SYNC;
    }
    // SAFETY: neither flag lets a reader see a page that is being written. The lock file keeps other processes, and
    // other stores of this one, from the map; nobody but LMDB writes the file.
    unsafe {
        open.flags(flags);
        open.open(folder).map_err(|error| map_error(error, bytes))
    }
}

/// An error of mapping `bytes`.
pub(crate) fn map_error(error: heed::Error, bytes: usize) -> StoreError {
    match error {
        heed::Error::Io(error) if error.kind() == ErrorKind::OutOfMemory => {
            StoreError::MapTooLarge { bytes }
        }
        error => error.into(),
    }
}

/// Refuses a file that was cut off: reading what is mapped beyond its end would kill the process.
fn check_length(folder: &Path, env: &Env<WithoutTls>) -> Result<(), StoreError> {
    let page_bytes = u64::from(env.stat().page_size);
    let needed = (env.info().last_page_number as u64 + 1).saturating_mul(page_bytes);
    let found = env.real_disk_size()?;
    if found < needed {
        let text = format!("{} has {found} of {needed} bytes", folder.display());
        return Err(StoreError::Corrupt(text));
    }
    Ok(())
}

/// Next multiple of the greatest page size in use.
pub(crate) fn whole_pages(bytes: usize) -> usize {
    bytes.checked_next_multiple_of(1 << 16).unwrap_or(bytes)
}
