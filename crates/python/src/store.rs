//! A chain's folder without its engine: checked, cut back, carried elsewhere.
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bedroll_core::trie::EMPTY_ROOT;
use bedroll_store::{Check, Import, Store, StoreError, StoreOptions};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::convert::{address, bytes, hash, int};
use crate::error::{closed, invalid, of_engine};

fn of_store(error: StoreError) -> PyErr {
    of_engine(error.into())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A store, and the check that runs on it.
struct Held {
    store: Store,
    genesis: [u8; 32],
    check: Option<Check>,
}

/// A chain's folder.
#[pyclass(frozen, module = "bedroll._core._native")]
pub struct ChainStore(Mutex<Option<Held>>);

impl ChainStore {
    fn with<R: Send>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&mut Held) -> Result<R, StoreError> + Send,
    ) -> PyResult<R> {
        py.detach(|| {
            let mut held = lock(&self.0);
            held.as_mut().map(work)
        })
        .ok_or_else(closed)?
        .map_err(of_store)
    }

    fn with_check<R: Send>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&mut Check, &Store) -> Result<R, StoreError> + Send,
    ) -> PyResult<R> {
        self.with(py, |held| {
            if held.check.is_none() {
                held.check = Some(Check::new(held.store.view(None)?));
            }
            match &mut held.check {
                Some(check) => work(check, &held.store),
                None => Err(StoreError::Closed),
            }
        })
    }
}

type Facts<'py> = (u64, Bound<'py, PyBytes>, u64, Vec<(&'static str, u64)>);
type AccountRow<'py> = (
    Bound<'py, PyBytes>,
    u64,
    Bound<'py, PyAny>,
    Bound<'py, PyBytes>,
    Vec<(Bound<'py, PyAny>, Bound<'py, PyAny>)>,
);
type Chunk<'py> = (Bound<'py, PyBytes>, Option<Bound<'py, PyBytes>>);

#[pymethods]
impl ChainStore {
    #[staticmethod]
    fn open(py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        let opened = py.detach(|| {
            let genesis = Store::stored_genesis(&path)?;
            let store = Store::open(&path, genesis, StoreOptions::default())?;
            // A store without a block is none.
            store.view(None)?;
            Ok(Held {
                store,
                genesis: genesis.0,
                check: None,
            })
        });
        opened
            .map(|held| Self(Mutex::new(Some(held))))
            .map_err(of_store)
    }

    fn close(&self, py: Python<'_>) {
        py.detach(|| drop(lock(&self.0).take()));
    }

    fn genesis<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let genesis = self.with(py, |held| Ok(held.genesis))?;
        Ok(bytes(py, genesis))
    }

    fn facts<'py>(&self, py: Python<'py>) -> PyResult<Facts<'py>> {
        let (height, hash, oldest, rows) = self.with(py, |held| {
            let view = held.store.view(None)?;
            let oldest = held.store.oldest_state()?;
            Ok((view.height(), view.hash(), oldest, view.row_counts()?))
        })?;
        Ok((height, bytes(py, hash), oldest, rows))
    }

    fn prune(&self, py: Python<'_>, keep_from: u64) -> PyResult<()> {
        self.with(py, |held| held.store.prune(keep_from))
    }

    fn unwind_to(&self, py: Python<'_>, height: u64) -> PyResult<()> {
        self.with(py, |held| held.store.unwind_to(height))
    }

    fn check_blocks(&self, py: Python<'_>, first: u64, last: u64) -> PyResult<()> {
        self.with_check(py, |check, _| check.blocks(first, last))
    }

    fn check_tries(&self, py: Python<'_>, part: u8) -> PyResult<()> {
        self.with_check(py, |check, _| check.tries(part))
    }

    #[allow(clippy::needless_pass_by_value)]
    fn check_flat<'py>(
        &self,
        py: Python<'py>,
        after: Option<Vec<u8>>,
        count: usize,
    ) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let next = self.with_check(py, |check, _| check.flat(after.as_deref(), count.max(1)))?;
        Ok(next.map(|next| bytes(py, next)))
    }

    fn check_postings(&self, py: Python<'_>, first: u64) -> PyResult<Option<u64>> {
        self.with_check(py, |check, _| check.postings(first))
    }

    fn check_past(&self, py: Python<'_>, height: u64) -> PyResult<()> {
        self.with_check(py, |check, store| check.past(&store.view(Some(height))?))
    }

    fn check_end(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        self.with(py, |held| {
            let Some(mut check) = held.check.take() else {
                return Ok(Vec::new());
            };
            check.finish()?;
            Ok(check.problems)
        })
    }

    fn problems(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        self.with_check(py, |check, _| Ok(check.problems.clone()))
    }

    #[pyo3(signature = (after, count))]
    fn accounts<'py>(
        &self,
        py: Python<'py>,
        after: Option<&[u8]>,
        count: usize,
    ) -> PyResult<Vec<AccountRow<'py>>> {
        let after = after.map(address).transpose()?;
        let rows = self.with(py, |held| {
            let view = held.store.view(None)?;
            let mut rows = Vec::new();
            for (address, account) in view.accounts_after(after.as_ref(), count)? {
                let code = view.code(&account.code_hash)?.original_bytes();
                let mut slots = Vec::new();
                if account.storage_root != EMPTY_ROOT {
                    for slot in view.slots(&address)? {
                        slots.push((slot, view.slot(&address, &slot)?));
                    }
                }
                rows.push((address, account, code, slots));
            }
            Ok(rows)
        })?;
        rows.into_iter()
            .map(|(address, account, code, slots)| {
                let slots = slots
                    .iter()
                    .map(|(slot, value)| Ok((int(py, slot)?, int(py, value)?)));
                Ok((
                    bytes(py, address),
                    account.nonce,
                    int(py, &account.balance)?,
                    bytes(py, code),
                    slots.collect::<PyResult<_>>()?,
                ))
            })
            .collect()
    }

    fn secret<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let secret = self.with(py, |held| held.store.view(None)?.secret())?;
        Ok(bytes(py, secret))
    }

    #[pyo3(signature = (after = None))]
    #[allow(clippy::needless_pass_by_value)]
    fn chunk<'py>(&self, py: Python<'py>, after: Option<Vec<u8>>) -> PyResult<Chunk<'py>> {
        let (chunk, next) = self.with(py, |held| held.store.view(None)?.chunk(after.as_deref()))?;
        Ok((bytes(py, chunk), next.map(|next| bytes(py, next))))
    }
}

/// A folder that is being filled from a snapshot.
#[pyclass(frozen, module = "bedroll._core._native")]
pub struct ChainImport(Mutex<Option<Import>>);

impl ChainImport {
    fn with<R: Send>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&mut Import) -> Result<R, StoreError> + Send,
    ) -> PyResult<R> {
        py.detach(|| lock(&self.0).as_mut().map(work))
            .ok_or_else(closed)?
            .map_err(of_store)
    }
}

#[pymethods]
impl ChainImport {
    #[staticmethod]
    fn begin(
        py: Python<'_>,
        path: PathBuf,
        genesis: &[u8],
        secret: &[u8],
        height: u64,
        block_hash: &[u8],
        address_book: &[u8],
    ) -> PyResult<Self> {
        let (genesis, newest) = (hash(genesis)?, (height, hash(block_hash)?));
        let book = address(address_book)?;
        let secret = secret
            .try_into()
            .map_err(|_| invalid("secret", "a secret has 16 bytes"))?;
        py.detach(|| Import::begin(&path, genesis, secret, newest, book))
            .map(|import| Self(Mutex::new(Some(import))))
            .map_err(of_store)
    }

    fn put_chunk(&self, py: Python<'_>, chunk: &[u8]) -> PyResult<usize> {
        let chunk = chunk.to_vec();
        self.with(py, |import| import.put_chunk(&chunk))
    }

    fn index_blocks(&self, py: Python<'_>, count: u64) -> PyResult<Option<u64>> {
        self.with(py, |import| import.index_blocks(count.max(1)))
    }

    fn build_tries(&self, py: Python<'_>) -> PyResult<Option<u64>> {
        self.with(py, Import::build_tries)
    }

    fn finish(&self, py: Python<'_>) -> PyResult<()> {
        py.detach(|| lock(&self.0).take().map(Import::finish))
            .ok_or_else(closed)?
            .map_err(of_store)
    }

    fn close(&self, py: Python<'_>) {
        py.detach(|| drop(lock(&self.0).take()));
    }
}

/// Adds everything here to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<ChainStore>()?;
    module.add_class::<ChainImport>()
}
