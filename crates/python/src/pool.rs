//! The mempool.
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use alloy_primitives::{Address, U256};
use bedroll_core::transaction::TransactionError;
use bedroll_front::{
    read_blobs, AccountState, Fact, FeeRule, Pool, PoolLimit, Refusal, Sidecar as CoreSidecar,
    Waiting,
};
use bedroll_store::engine::Look;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyTuple};

use crate::block::Block;
use crate::convert::{address, bytes, hash, int, word};
use crate::error::{invalid, of_engine};
use crate::transaction::Transaction;
use crate::view::View;

/// What stands beside a transaction with blobs until it is in a block.
#[pyclass(frozen, module = "bedroll._core._native")]
pub struct Sidecar(Arc<CoreSidecar>);

#[pymethods]
impl Sidecar {
    #[getter]
    fn size_bytes(&self) -> usize {
        self.0.size_bytes()
    }
    #[getter]
    fn blobs<'py>(&self, py: Python<'py>) -> Vec<Bound<'py, PyBytes>> {
        self.0.blobs().map(|blob| bytes(py, blob)).collect()
    }
    #[getter]
    fn commitments<'py>(&self, py: Python<'py>) -> Vec<Bound<'py, PyBytes>> {
        self.0.commitments().map(|one| bytes(py, one)).collect()
    }
    #[getter]
    fn proofs<'py>(&self, py: Python<'py>) -> Vec<Bound<'py, PyBytes>> {
        self.0.proofs().map(|one| bytes(py, one)).collect()
    }
    fn verify(&self, py: Python<'_>) -> PyResult<()> {
        py.detach(|| self.0.verify())
            .map_err(|refusal| of_blobs(&refusal))
    }
}

fn of_blobs(refusal: &Refusal) -> PyErr {
    invalid("blob", refusal.to_string())
}

#[pyfunction]
fn decode_blob_transaction(
    py: Python<'_>,
    raw: &[u8],
    view: &View,
    transaction_bytes: usize,
) -> PyResult<(Transaction, Sidecar)> {
    py.detach(|| {
        let Some(rule) = view.0.blob_rule().map_err(of_engine)? else {
            return Err(invalid("blob", TransactionError::Blob.to_string()));
        };
        let read = read_blobs(raw, &rule, transaction_bytes);
        let (transaction, sidecar) = read.map_err(|refusal| of_blobs(&refusal))?;
        Ok((Transaction::own(transaction), Sidecar(Arc::new(sidecar))))
    })
}

/// Transactions that wait for a block.
#[pyclass(frozen, module = "bedroll._core._native")]
pub struct Mempool(pub Arc<Mutex<Pool>>);

/// Nonces and balances: of a view, or of anything that has them.
enum State<'py> {
    Look(Box<Look>),
    Object(Bound<'py, PyAny>),
}

impl<'py> State<'py> {
    fn of(given: &Bound<'py, PyAny>) -> Self {
        match given.cast::<View>() {
            Ok(view) => Self::Look(Box::new(view.get().0.clone())),
            Err(_) => Self::Object(given.clone()),
        }
    }
}

impl AccountState for State<'_> {
    type Error = PyErr;

    fn nonce(&self, who: &Address) -> PyResult<u64> {
        match self {
            Self::Look(look) => Ok(look.account(who).map_err(of_engine)?.nonce),
            Self::Object(given) => given
                .call_method1("nonce", (bytes(given.py(), who),))?
                .extract(),
        }
    }

    fn balance(&self, who: &Address) -> PyResult<U256> {
        match self {
            Self::Look(look) => Ok(look.account(who).map_err(of_engine)?.balance),
            Self::Object(given) => word(&given.call_method1("balance", (bytes(given.py(), who),))?),
        }
    }
}

fn facts<'py>(py: Python<'py>, refusal: &Refusal) -> PyResult<Bound<'py, PyDict>> {
    let named = PyDict::new(py);
    for (name, fact) in &refusal.facts {
        match fact {
            Fact::Hash(hash) => named.set_item(name, bytes(py, hash))?,
            Fact::Number(number) => named.set_item(name, number)?,
            Fact::Large(number) => named.set_item(name, int(py, &number.saturating_to())?)?,
            Fact::Text(text) => named.set_item(name, text)?,
        }
    }
    Ok(named)
}

fn told<'py>(py: Python<'py>, refusal: &Refusal) -> PyResult<Bound<'py, PyTuple>> {
    (refusal.message.clone(), facts(py, refusal)?).into_pyobject(py)
}

/// Transactions as Python has them.
pub fn list(of: impl IntoIterator<Item = Waiting>) -> Vec<Transaction> {
    of.into_iter().map(Transaction::shared).collect()
}

impl Mempool {
    fn pool(&self) -> MutexGuard<'_, Pool> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[pymethods]
impl Mempool {
    #[new]
    #[pyo3(signature = (chain_id, *, size_bytes, count, account_count, nonce_gap, transaction_bytes, tip_min_wei))]
    fn new(
        chain_id: u64,
        size_bytes: usize,
        count: usize,
        account_count: usize,
        nonce_gap: u64,
        transaction_bytes: usize,
        tip_min_wei: u128,
    ) -> Self {
        let limit = PoolLimit {
            size_bytes,
            count,
            account_count,
            nonce_gap,
            transaction_bytes,
            tip_min: tip_min_wei,
        };
        Self(Arc::new(Mutex::new(Pool::new(chain_id, limit))))
    }

    fn __len__(&self) -> usize {
        self.pool().len()
    }

    #[getter]
    fn size_bytes(&self) -> usize {
        self.pool().size_bytes()
    }

    #[getter]
    fn kept_bytes(&self) -> usize {
        self.pool().kept_bytes()
    }

    fn get(&self, hash: &[u8]) -> PyResult<Option<Transaction>> {
        let hash = self::hash(hash)?;
        Ok(self.pool().get(&hash).cloned().map(Transaction::shared))
    }

    fn kept(&self, hash: &[u8]) -> PyResult<Option<Transaction>> {
        let hash = self::hash(hash)?;
        Ok(self.pool().kept(&hash).cloned().map(Transaction::shared))
    }

    fn transactions(&self) -> Vec<Transaction> {
        list(self.pool().transactions())
    }

    fn all_kept(&self) -> Vec<Transaction> {
        list(self.pool().all_kept().cloned())
    }

    fn sidecar(&self, hash: &[u8]) -> PyResult<Option<Sidecar>> {
        let hash = self::hash(hash)?;
        Ok(self.pool().sidecar(&hash).cloned().map(Sidecar))
    }

    fn check<'py>(
        &self,
        py: Python<'py>,
        transaction: &Transaction,
        state: &Bound<'py, PyAny>,
    ) -> PyResult<Option<Bound<'py, PyTuple>>> {
        let checked = self.pool().check(transaction.inner(), &State::of(state))?;
        checked.err().map(|refusal| told(py, &refusal)).transpose()
    }

    #[pyo3(signature = (transaction, state, base_fee, l1_rate, transfer_bytes, sidecar = None))]
    #[allow(clippy::too_many_arguments)]
    fn add<'py>(
        &self,
        py: Python<'py>,
        transaction: &Transaction,
        state: &Bound<'py, PyAny>,
        base_fee: u64,
        l1_rate: u128,
        transfer_bytes: u64,
        sidecar: Option<&Sidecar>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let fee = rule(base_fee, l1_rate, transfer_bytes);
        let (waiting, state) = (transaction.waiting(), State::of(state));
        let added = match sidecar {
            Some(sidecar) => self
                .pool()
                .add_blobs(waiting, sidecar.0.clone(), &state, &fee)?,
            None => self.pool().add(waiting, &state, &fee)?,
        };
        match added {
            Ok(gone) => Ok(PyList::new(py, list(gone))?.into_any()),
            Err(refusal) => Ok(told(py, &refusal)?.into_any()),
        }
    }

    fn take_ready(
        &self,
        base_fee: u64,
        l1_rate: u128,
        transfer_bytes: u64,
        gas_left: u64,
        limit: usize,
    ) -> Vec<Transaction> {
        let fee = rule(base_fee, l1_rate, transfer_bytes);
        list(self.pool().take_ready(&fee, gas_left, limit))
    }

    fn executed(&self, transaction: &Transaction) {
        self.pool().executed(&transaction.waiting());
    }

    fn refused(&self, transaction: &Transaction) {
        self.pool().refused(&transaction.waiting());
    }

    fn wait(&self, transaction: &Transaction) {
        self.pool().wait(&transaction.waiting());
    }

    fn refresh(&self) {
        self.pool().refresh();
    }

    #[pyo3(signature = (state, senders = None))]
    #[allow(clippy::needless_pass_by_value)]
    fn reset(
        &self,
        state: &Bound<'_, PyAny>,
        senders: Option<Vec<Vec<u8>>>,
    ) -> PyResult<Vec<Transaction>> {
        let all = |of: Vec<Vec<u8>>| of.iter().map(|who| address(who)).collect::<PyResult<_>>();
        let senders = senders.map(all).transpose()?;
        let dropped = self.pool().reset(&State::of(state), senders)?;
        Ok(list(dropped))
    }

    fn settle(&self, py: Python<'_>, block: &Block) {
        py.detach(|| {
            let mut pool = self.pool();
            for tx in &block.0.transactions[block.0.forced_count..] {
                pool.settle(&tx.hash);
            }
        });
    }

    fn forget_kept(&self, hash: &[u8]) -> PyResult<()> {
        let hash = self::hash(hash)?;
        self.pool().settle(&hash);
        Ok(())
    }

    fn next_nonce(&self, sender: &[u8], nonce: u64) -> PyResult<u64> {
        let sender = address(sender)?;
        Ok(self.pool().next_nonce(&sender, nonce))
    }

    fn count(&self) -> (usize, usize) {
        self.pool().count()
    }

    fn account(&self, sender: &[u8]) -> PyResult<(Vec<Transaction>, Vec<Transaction>)> {
        let sender = address(sender)?;
        let (run, rest) = self.pool().account(&sender);
        Ok((list(run), list(rest)))
    }

    fn senders<'py>(
        &self,
        py: Python<'py>,
        first: &[u8],
        count: usize,
    ) -> PyResult<Vec<Bound<'py, PyBytes>>> {
        let first = address(first)?;
        let found = self.pool().senders_from(&first, count);
        Ok(found.into_iter().map(|who| bytes(py, who)).collect())
    }
}

/// Fees from their numbers.
pub fn rule(base_fee: u64, l1_rate: u128, transfer_bytes: u64) -> FeeRule {
    FeeRule {
        base_fee,
        l1_rate,
        transfer_bytes,
    }
}

/// Adds everything here to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Sidecar>()?;
    module.add_function(wrap_pyfunction!(decode_blob_transaction, module)?)?;
    module.add_class::<Mempool>()
}
