//! The engine.
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

use bedroll_core::ethereum::{Activation, Schedule};
use bedroll_core::fee;
use bedroll_store::engine::{Engine as CoreEngine, FoundLog, Given, LogFilter, Style, TraceWanted};
use bedroll_store::{Appearance, StoreOptions};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList, PyString};

use crate::block::{Block, Header, Origin};
use crate::convert::{address, bytes, hash};
use crate::error::{closed, invalid, of_engine};
use crate::trace;
use crate::transaction::{Log, Receipt, Transaction};
use crate::view::View;

/// The L2 chain of one node.
#[pyclass(frozen, module = "bedroll._core._native")]
pub struct Engine(RwLock<Option<Arc<CoreEngine>>>);

impl Engine {
    /// The engine, if it is not closed.
    pub fn get(&self) -> PyResult<Arc<CoreEngine>> {
        let inner = self.0.read().unwrap_or_else(PoisonError::into_inner);
        inner.clone().ok_or_else(closed)
    }
}

type LogRow<'py> = (
    u64,
    u32,
    u32,
    Log,
    Bound<'py, PyBytes>,
    Bound<'py, PyBytes>,
    u64,
);
/// Forks (name, height, time), blobs (time, target, most, update fraction), the deposit contract.
type ScheduleRow<'py> = (
    Vec<(&'static str, Option<u64>, Option<u64>)>,
    Vec<(u64, u64, u64, u64)>,
    Option<Bound<'py, PyBytes>>,
);
type AppearanceRow = (u64, u32, u8);
type CreationRow<'py> = (u64, u32, Option<Bound<'py, PyBytes>>);

fn log_filter(
    (first, last): (u64, u64),
    addresses: &[Vec<u8>],
    topics: &[Vec<Vec<u8>>],
    limit: usize,
) -> PyResult<LogFilter> {
    let hashes = |of: &Vec<Vec<u8>>| of.iter().map(|topic| hash(topic)).collect();
    Ok(LogFilter {
        first,
        last,
        addresses: addresses
            .iter()
            .map(|who| address(who))
            .collect::<PyResult<_>>()?,
        topics: topics.iter().map(hashes).collect::<PyResult<_>>()?,
        limit,
    })
}
type MessageRow<'py> = (u64, Bound<'py, PyBytes>, Bound<'py, PyBytes>);

#[pymethods]
impl Engine {
    #[staticmethod]
    #[pyo3(signature = (path, genesis, *, map_size_bytes = 64 << 30, sync = true))]
    fn open(
        py: Python<'_>,
        path: PathBuf,
        genesis: &str,
        map_size_bytes: usize,
        sync: bool,
    ) -> PyResult<Self> {
        let options = StoreOptions {
            map_size_bytes,
            sync,
        };
        let engine = py.detach(|| CoreEngine::open(&path, genesis, options));
        let engine = engine.map_err(of_engine)?;
        Ok(Self(RwLock::new(Some(Arc::new(engine)))))
    }

    fn close(&self, py: Python<'_>) {
        let inner = self
            .0
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        py.detach(|| drop(inner));
    }

    fn tip(&self) -> PyResult<Header> {
        Ok(Header::new(self.get()?.tip()))
    }

    fn header(&self, py: Python<'_>, height: u64) -> PyResult<Option<Header>> {
        let engine = self.get()?;
        let header = py.detach(|| engine.header(height)).map_err(of_engine)?;
        Ok(header.map(Header::new))
    }

    fn block(&self, py: Python<'_>, height: u64) -> PyResult<Option<Block>> {
        let engine = self.get()?;
        let block = py.detach(|| engine.block(height)).map_err(of_engine)?;
        Ok(block.map(Block))
    }

    fn height_of(&self, py: Python<'_>, block_hash: &[u8]) -> PyResult<Option<u64>> {
        let (engine, wanted) = (self.get()?, hash(block_hash)?);
        py.detach(|| engine.height_of(&wanted)).map_err(of_engine)
    }

    fn find_transaction(&self, py: Python<'_>, hash: &[u8]) -> PyResult<Option<(u64, u32)>> {
        let (engine, wanted) = (self.get()?, self::hash(hash)?);
        py.detach(|| engine.find_transaction(&wanted))
            .map_err(of_engine)
    }

    #[allow(clippy::needless_pass_by_value)]
    fn logs<'py>(
        &self,
        py: Python<'py>,
        first: u64,
        last: u64,
        addresses: Vec<Vec<u8>>,
        topics: Vec<Vec<Vec<u8>>>,
        limit: usize,
    ) -> PyResult<Vec<LogRow<'py>>> {
        let engine = self.get()?;
        let filter = log_filter((first, last), &addresses, &topics, limit)?;
        let found = py.detach(|| engine.logs(&filter)).map_err(of_engine)?;
        let row = |found: FoundLog| {
            (
                found.height,
                found.transaction,
                found.index,
                Log(found.log),
                bytes(py, found.transaction_hash),
                bytes(py, found.block_hash),
                found.timestamp,
            )
        };
        Ok(found.into_iter().map(row).collect())
    }

    #[pyo3(signature = (first, last, addresses, topics, limit, *, result_bytes))]
    #[allow(clippy::needless_pass_by_value, clippy::too_many_arguments)]
    fn logs_json<'py>(
        &self,
        py: Python<'py>,
        first: u64,
        last: u64,
        addresses: Vec<Vec<u8>>,
        topics: Vec<Vec<Vec<u8>>>,
        limit: usize,
        result_bytes: usize,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let engine = self.get()?;
        let filter = log_filter((first, last), &addresses, &topics, limit)?;
        let json = py.detach(|| engine.logs_json(&filter, result_bytes));
        json.map(|json| bytes(py, json)).map_err(of_engine)
    }

    #[pyo3(signature = (address, *, before = None, after = None, limit))]
    fn appearances(
        &self,
        py: Python<'_>,
        address: &[u8],
        before: Option<u64>,
        after: Option<u64>,
        limit: usize,
    ) -> PyResult<(Vec<AppearanceRow>, bool)> {
        let (engine, who) = (self.get()?, self::address(address)?);
        let (found, more) = py
            .detach(|| match before {
                Some(before) => engine.appearances_before(&who, before, limit),
                None => engine.appearances_after(&who, after, limit),
            })
            .map_err(of_engine)?;
        let row = |one: Appearance| (one.height, one.transaction, one.roles.0);
        Ok((found.into_iter().map(row).collect(), more))
    }

    fn transaction_by_nonce(
        &self,
        py: Python<'_>,
        sender: &[u8],
        nonce: u64,
    ) -> PyResult<Option<(u64, u32)>> {
        let (engine, who) = (self.get()?, address(sender)?);
        py.detach(|| engine.transaction_by_nonce(&who, nonce))
            .map_err(of_engine)
    }

    fn creation_of<'py>(
        &self,
        py: Python<'py>,
        address: &[u8],
    ) -> PyResult<Option<CreationRow<'py>>> {
        let (engine, who) = (self.get()?, self::address(address)?);
        let found = py.detach(|| engine.creation_of(&who)).map_err(of_engine)?;
        Ok(found.map(|made| {
            let creator = made.creator.map(|creator| bytes(py, creator));
            (made.height, made.transaction, creator)
        }))
    }

    fn transaction(
        &self,
        py: Python<'_>,
        height: u64,
        index: u32,
    ) -> PyResult<Option<(Transaction, Receipt)>> {
        let engine = self.get()?;
        let found = py
            .detach(|| engine.transaction(height, index))
            .map_err(of_engine)?;
        Ok(found
            .map(|(transaction, receipt)| (Transaction::own(transaction), Receipt::own(receipt))))
    }

    #[pyo3(signature = (height = None))]
    fn view(&self, py: Python<'_>, height: Option<u64>) -> PyResult<View> {
        let engine = self.get()?;
        py.detach(|| engine.view(height))
            .map(View)
            .map_err(of_engine)
    }

    fn pending(&self, py: Python<'_>) -> PyResult<View> {
        let engine = self.get()?;
        py.detach(|| engine.pending()).map(View).map_err(of_engine)
    }

    #[pyo3(signature = (l1_rate = None))]
    fn next_base_fee(&self, l1_rate: Option<u128>) -> PyResult<u64> {
        Ok(self.get()?.next_base_fee(l1_rate))
    }

    fn blob_fees(&self, py: Python<'_>, height: u64) -> PyResult<Option<(u128, u128, f64)>> {
        let engine = self.get()?;
        let fees = py.detach(|| engine.blob_fees(height)).map_err(of_engine)?;
        Ok(fees.map(|fees| (fees.price, fees.next_price, fees.used_ratio)))
    }

    fn schedule<'py>(&self, py: Python<'py>) -> PyResult<Option<ScheduleRow<'py>>> {
        let engine = self.get()?;
        let row = |schedule: &Schedule| {
            let forks = schedule.forks.iter().map(|(when, spec)| {
                let (height, time) = match when {
                    Activation::Height(height) => (Some(*height), None),
                    Activation::Time(time) => (None, Some(*time)),
                };
                (<&'static str>::from(*spec), height, time)
            });
            let blobs = schedule
                .blobs
                .iter()
                .map(|(time, limits)| (*time, limits.target, limits.max, limits.update_fraction));
            let contract = schedule
                .deposit_contract
                .map(|contract| bytes(py, contract));
            (forks.collect(), blobs.collect(), contract)
        };
        Ok(engine.schedule().map(row))
    }

    #[pyo3(signature = (timestamp, origin = None, *, automatic = false))]
    fn begin(
        &self,
        py: Python<'_>,
        timestamp: u64,
        origin: Option<&Bound<'_, Origin>>,
        automatic: bool,
    ) -> PyResult<()> {
        let engine = self.get()?;
        let origin = origin.map(|origin| &origin.get().0);
        py.detach(|| engine.begin(timestamp, origin, automatic))
            .map_err(of_engine)
    }

    fn add(&self, py: Python<'_>, raw: &[u8]) -> PyResult<Receipt> {
        let engine = self.get()?;
        let raw = [alloy_primitives::Bytes::copy_from_slice(raw)];
        let mut outcomes = py.detach(|| engine.add_many(&raw)).map_err(of_engine)?;
        match outcomes.pop() {
            Some(Ok(receipt)) => Ok(Receipt::own(receipt)),
            Some(Err(refused)) => Err(invalid(refused.reason, refused.message)),
            None => Err(invalid("empty", "nothing was executed")),
        }
    }

    #[allow(clippy::needless_pass_by_value)]
    fn add_many<'py>(
        &self,
        py: Python<'py>,
        raws: Vec<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyList>> {
        let engine = self.get()?;
        let given = |one: Bound<'py, PyAny>| match one.cast::<Transaction>() {
            Ok(decoded) => Ok(Given::Decoded(Box::new(decoded.get().inner().clone()))),
            Err(_) => Ok(Given::Raw(alloy_primitives::Bytes::copy_from_slice(
                one.extract::<&[u8]>()?,
            ))),
        };
        let all = raws.into_iter().map(given).collect::<PyResult<Vec<_>>>()?;
        let outcomes = py.detach(|| engine.add_given(all)).map_err(of_engine)?;
        let found = PyList::empty(py);
        for outcome in outcomes {
            match outcome {
                Ok(receipt) => found.append(Py::new(py, Receipt::own(receipt))?)?,
                Err(refused) => found.append(PyString::new(py, &refused.message))?,
            }
        }
        Ok(found)
    }

    fn gas_left(&self) -> PyResult<u64> {
        self.get()?.gas_left().map_err(of_engine)
    }

    fn abandon(&self, py: Python<'_>) -> PyResult<()> {
        let engine = self.get()?;
        py.detach(|| engine.abandon());
        Ok(())
    }

    fn seal(&self, py: Python<'_>) -> PyResult<Block> {
        let engine = self.get()?;
        py.detach(|| engine.seal()).map(Block).map_err(of_engine)
    }

    fn import_block(&self, py: Python<'_>, raw: &[u8]) -> PyResult<Block> {
        let engine = self.get()?;
        py.detach(|| engine.import(raw))
            .map(Block)
            .map_err(of_engine)
    }

    fn commit(&self, py: Python<'_>) -> PyResult<()> {
        let engine = self.get()?;
        py.detach(|| engine.commit()).map_err(of_engine)
    }

    fn rules_digest<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        Ok(bytes(py, self.get()?.rules_digest()))
    }

    fn facts_digest<'py>(&self, py: Python<'py>, height: u64) -> PyResult<Bound<'py, PyBytes>> {
        let engine = self.get()?;
        let digest = py.detach(|| engine.facts_digest(height));
        digest.map(|digest| bytes(py, digest)).map_err(of_engine)
    }

    #[allow(clippy::needless_pass_by_value)]
    fn sign_block(
        &self,
        py: Python<'_>,
        height: u64,
        signatures: Vec<Option<Vec<u8>>>,
    ) -> PyResult<usize> {
        let engine = self.get()?;
        let signatures: Vec<_> = signatures
            .into_iter()
            .map(|one| one.map(alloy_primitives::Bytes::from))
            .collect();
        py.detach(|| engine.sign_block(height, &signatures))
            .map_err(of_engine)
    }

    fn durable_height(&self) -> PyResult<u64> {
        Ok(self.get()?.durable_height())
    }

    fn unwind_to(&self, py: Python<'_>, height: u64) -> PyResult<()> {
        let engine = self.get()?;
        py.detach(|| engine.unwind_to(height)).map_err(of_engine)
    }

    fn oldest_state(&self) -> PyResult<u64> {
        self.get()?.oldest_state().map_err(of_engine)
    }

    fn prune(&self, py: Python<'_>, keep_from: u64) -> PyResult<()> {
        let engine = self.get()?;
        py.detach(|| engine.prune(keep_from)).map_err(of_engine)
    }

    #[pyo3(signature = (height, index, options, *, result_bytes, seconds, script_command = vec![]))]
    #[allow(clippy::too_many_arguments)]
    fn trace<'py>(
        &self,
        py: Python<'py>,
        height: u64,
        index: Option<usize>,
        options: &str,
        result_bytes: usize,
        seconds: f64,
        script_command: Vec<String>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let engine = self.get()?;
        let bounds = trace::bounds(result_bytes, seconds)?;
        let traced = py.detach(|| {
            let style = Style::geth(options, &script_command)?;
            engine.trace(height, index, &style, &bounds)
        });
        traced.map(|json| bytes(py, json)).map_err(of_engine)
    }

    #[pyo3(signature = (height, index, parts, *, result_bytes, seconds))]
    #[allow(clippy::needless_pass_by_value)]
    fn replay<'py>(
        &self,
        py: Python<'py>,
        height: u64,
        index: Option<usize>,
        parts: Vec<String>,
        result_bytes: usize,
        seconds: f64,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let engine = self.get()?;
        let bounds = trace::bounds(result_bytes, seconds)?;
        let traced = py.detach(|| engine.trace(height, index, &Style::replay(&parts)?, &bounds));
        traced.map(|json| bytes(py, json)).map_err(of_engine)
    }

    #[pyo3(signature = (height, index, *, result_bytes, seconds))]
    fn flat_traces<'py>(
        &self,
        py: Python<'py>,
        height: u64,
        index: Option<usize>,
        result_bytes: usize,
        seconds: f64,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let engine = self.get()?;
        let bounds = trace::bounds(result_bytes, seconds)?;
        let traced = py.detach(|| engine.trace(height, index, &Style::Flat, &bounds));
        traced.map(|json| bytes(py, json)).map_err(of_engine)
    }

    #[pyo3(signature = (first, last, *, senders, recipients, both, after, count, result_bytes, seconds))]
    #[allow(clippy::too_many_arguments, clippy::needless_pass_by_value)]
    fn filter_traces<'py>(
        &self,
        py: Python<'py>,
        first: u64,
        last: u64,
        senders: Vec<Vec<u8>>,
        recipients: Vec<Vec<u8>>,
        both: bool,
        after: u64,
        count: Option<u64>,
        result_bytes: usize,
        seconds: f64,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let engine = self.get()?;
        let bounds = trace::bounds(result_bytes, seconds)?;
        let all = |of: &[Vec<u8>]| of.iter().map(|who| address(who)).collect::<PyResult<_>>();
        let wanted = TraceWanted {
            blocks: (first, last),
            senders: all(&senders)?,
            recipients: all(&recipients)?,
            both,
            after,
            count,
        };
        let traced = py.detach(|| engine.filter_traces(&wanted, &bounds));
        traced.map(|json| bytes(py, json)).map_err(of_engine)
    }

    #[pyo3(signature = (height, *, changes_max, result_bytes, seconds))]
    fn execution_witness<'py>(
        &self,
        py: Python<'py>,
        height: u64,
        changes_max: usize,
        result_bytes: usize,
        seconds: f64,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let engine = self.get()?;
        let bounds = trace::bounds(result_bytes, seconds)?;
        let told = py.detach(|| engine.execution_witness(height, changes_max, &bounds));
        told.map(|json| bytes(py, json)).map_err(of_engine)
    }

    fn forced_pending<'py>(&self, py: Python<'py>) -> PyResult<Vec<MessageRow<'py>>> {
        let engine = self.get()?;
        let waiting = py.detach(|| engine.forced_pending()).map_err(of_engine)?;
        let row = |(index, message): (u64, bedroll_core::forced::Message)| {
            (index, bytes(py, message.id), bytes(py, &message.payload))
        };
        Ok(waiting.into_iter().map(row).collect())
    }
}

#[pyfunction]
#[pyo3(signature = (fees, previous))]
#[allow(clippy::needless_pass_by_value)]
fn l1_rate(fees: Vec<u64>, previous: Option<u128>) -> u128 {
    fee::l1_rate(&fees, previous)
}

#[pyfunction]
fn keccak256<'py>(py: Python<'py>, data: &[u8]) -> Bound<'py, PyBytes> {
    bytes(py, alloy_primitives::keccak256(data))
}

/// Adds everything here to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Engine>()?;
    module.add_function(wrap_pyfunction!(l1_rate, module)?)?;
    module.add_function(wrap_pyfunction!(keccak256, module)?)
}
