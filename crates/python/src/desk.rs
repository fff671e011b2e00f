//! The desk: bodies in, answers out.
use std::sync::Arc;

use bedroll_front::{Desk as CoreDesk, DeskOptions, Heads, Turn, Waiting};
use pyo3::exceptions::PyIndexError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyBytes, PyDict, PyList};

use crate::convert::bytes;
use crate::engine::Engine;
use crate::error::of_engine;
use crate::pool::{rule, Mempool};
use crate::transaction::Transaction;

/// Transactions that become Python's only where they are looked at.
#[pyclass(frozen, module = "bedroll._core._native")]
pub struct TransactionList(pub Vec<Waiting>);

#[pymethods]
impl TransactionList {
    fn __len__(&self) -> usize {
        self.0.len()
    }

    fn __getitem__(&self, index: usize) -> PyResult<Transaction> {
        let found = self.0.get(index).cloned().map(Transaction::shared);
        found.ok_or_else(|| PyIndexError::new_err("there is no such transaction"))
    }

    fn raws<'py>(&self, py: Python<'py>) -> Vec<Bound<'py, PyBytes>> {
        self.0.iter().map(|tx| bytes(py, &tx.raw)).collect()
    }
}

/// Answers to the calls that are asked most.
#[pyclass(frozen, module = "bedroll._core._native")]
pub struct Desk(pub Arc<CoreDesk>);

type Answered<'py> = (Bound<'py, PyList>, TransactionList, Vec<usize>);
type Executed<'py> = (
    TransactionList,
    u64,
    bool,
    bool,
    Vec<(Bound<'py, PyBytes>, String)>,
);

#[pymethods]
impl Desk {
    #[new]
    fn new(engine: &Engine, mempool: Option<&Bound<'_, Mempool>>) -> PyResult<Self> {
        let pool = mempool.map(|mempool| mempool.get().0.clone());
        Ok(Self(Arc::new(CoreDesk::new(&engine.get()?, pool))))
    }

    #[pyo3(signature = (*, chain_id, client_version, body_bytes, batch_calls, response_bytes, call_gas, left_out))]
    #[allow(clippy::too_many_arguments)]
    fn serve(
        &self,
        chain_id: u64,
        client_version: String,
        body_bytes: usize,
        batch_calls: usize,
        response_bytes: usize,
        call_gas: u64,
        left_out: Vec<String>,
    ) {
        self.0.serve(DeskOptions {
            chain_id,
            client_version,
            body_bytes,
            batch_calls,
            response_bytes,
            call_gas,
            left_out,
        });
    }

    fn refresh(
        &self,
        py: Python<'_>,
        base_fee: u64,
        l1_rate: u128,
        transfer_bytes: u64,
    ) -> PyResult<()> {
        let fee = rule(base_fee, l1_rate, transfer_bytes);
        py.detach(|| self.0.refresh(fee)).map_err(of_engine)
    }

    #[allow(clippy::needless_pass_by_value)]
    fn answer<'py>(
        &self,
        py: Python<'py>,
        bodies: Vec<PyBackedBytes>,
        latest: u64,
        safe: u64,
        finalized: u64,
        sends: bool,
    ) -> PyResult<Answered<'py>> {
        let heads = Heads {
            latest,
            safe,
            finalized,
        };
        let done = py.detach(|| self.0.answer(&bodies, heads, sends));
        let answers = PyList::empty(py);
        for answer in done.answers {
            let Some(answer) = answer else {
                answers.append(py.None())?;
                continue;
            };
            let (good, bad) = (PyDict::new(py), PyDict::new(py));
            for (name, answered, refused) in answer.counts {
                if answered > 0 {
                    good.set_item(name, answered)?;
                }
                if refused > 0 {
                    bad.set_item(name, refused)?;
                }
            }
            answers.append((bytes(py, answer.body), good, bad))?;
        }
        Ok((answers, TransactionList(done.taken), done.brought))
    }

    fn execute<'py>(
        &self,
        py: Python<'py>,
        base_fee: u64,
        l1_rate: u128,
        transfer_bytes: u64,
        limit: usize,
        batch_gas_left: u64,
    ) -> PyResult<Executed<'py>> {
        let turn = Turn {
            fee: rule(base_fee, l1_rate, transfer_bytes),
            limit,
            batch_gas_left,
        };
        let done = py.detach(|| self.0.execute(&turn)).map_err(of_engine)?;
        let dropped = done.dropped.into_iter();
        Ok((
            TransactionList(done.transactions),
            done.batch_gas,
            done.is_busy,
            done.is_full,
            dropped.map(|(hash, why)| (bytes(py, hash), why)).collect(),
        ))
    }
}

/// Adds everything here to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<TransactionList>()?;
    module.add_class::<Desk>()
}
