//! Views and what calls on them give.
use std::sync::Arc;

use alloy_primitives::Bytes;
use bedroll_core::stf::{Call, Outcome as CoreOutcome, OutcomeStatus};
use bedroll_store::engine::{Look, Overrides, SimulationBounds, Style, TraceBounds, TracedCall};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::block::Block;
use crate::convert::{access_list, address, bytes, grants, hashes, int, word, Grant};
use crate::error::of_engine;
use crate::transaction::{Log, Transaction};

/// Result of a call or simulation.
#[pyclass(frozen, module = "bedroll._core._native")]
pub struct Outcome(CoreOutcome);

#[pymethods]
impl Outcome {
    #[getter]
    fn status(&self) -> &'static str {
        match self.0.status {
            OutcomeStatus::Success => "success",
            OutcomeStatus::Revert => "revert",
            OutcomeStatus::Halt => "halt",
        }
    }
    #[getter]
    fn output<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        bytes(py, &self.0.output)
    }
    #[getter]
    fn gas_used(&self) -> u64 {
        self.0.gas_used
    }
    #[getter]
    fn reason(&self) -> &str {
        &self.0.reason
    }
    #[getter]
    fn logs(&self) -> Vec<Log> {
        self.0.logs.iter().cloned().map(Log).collect()
    }
}

/// State as of one block.
#[pyclass(frozen, module = "bedroll._core._native")]
pub struct View(pub Look);

type AccessRows = Vec<(Vec<u8>, Vec<Vec<u8>>)>;
/// Sender, receiver, data, value, gas limit, gas price, access list; parts of the trace;
/// authorisations.
type CallRow<'py> = (
    Vec<u8>,
    Option<Vec<u8>>,
    Vec<u8>,
    Bound<'py, PyAny>,
    u64,
    u128,
    AccessRows,
    Vec<String>,
    GrantRows<'py>,
);
type GrantRows<'py> = Vec<Grant<'py>>;
type Proof<'py> = (
    Vec<Bound<'py, PyBytes>>,
    Bound<'py, PyAny>,
    u64,
    Bound<'py, PyBytes>,
    Bound<'py, PyBytes>,
    Vec<(
        Bound<'py, PyAny>,
        Bound<'py, PyAny>,
        Vec<Bound<'py, PyBytes>>,
    )>,
);

#[pymethods]
impl View {
    #[getter]
    fn height(&self) -> u64 {
        self.0.height()
    }

    fn time_and_base_fee(&self, py: Python<'_>) -> PyResult<(u64, u64)> {
        py.detach(|| self.0.time_and_base_fee()).map_err(of_engine)
    }

    fn balance<'py>(&self, py: Python<'py>, address: &[u8]) -> PyResult<Bound<'py, PyAny>> {
        let who = self::address(address)?;
        let account = py.detach(|| self.0.account(&who)).map_err(of_engine)?;
        int(py, &account.balance)
    }

    fn nonce(&self, py: Python<'_>, address: &[u8]) -> PyResult<u64> {
        let who = self::address(address)?;
        let account = py.detach(|| self.0.account(&who)).map_err(of_engine)?;
        Ok(account.nonce)
    }

    fn code<'py>(&self, py: Python<'py>, address: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
        let who = self::address(address)?;
        let code = py.detach(|| self.0.code(&who)).map_err(of_engine)?;
        Ok(bytes(py, code))
    }

    fn storage<'py>(
        &self,
        py: Python<'py>,
        address: &[u8],
        slot: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let (who, slot) = (self::address(address)?, word(slot)?);
        let value = py.detach(|| self.0.slot(&who, &slot)).map_err(of_engine)?;
        Ok(bytes(py, value.to_be_bytes::<32>()))
    }

    fn book_index(&self, py: Python<'_>, address: &[u8]) -> PyResult<Option<u64>> {
        let who = self::address(address)?;
        py.detach(|| self.0.book_index(who)).map_err(of_engine)
    }

    #[pyo3(signature = (*, sender, to, data, value, gas_limit, gas_price, access_list, overrides, block_overrides = "", authorizations = vec![], blob_hashes = vec![], max_fee_per_blob_gas = 0))]
    #[allow(clippy::too_many_arguments)]
    fn call(
        &self,
        py: Python<'_>,
        sender: &[u8],
        to: Option<&[u8]>,
        data: &[u8],
        value: &Bound<'_, PyAny>,
        gas_limit: u64,
        gas_price: u128,
        access_list: AccessRows,
        overrides: &str,
        block_overrides: &str,
        authorizations: GrantRows<'_>,
        blob_hashes: Vec<Vec<u8>>,
        max_fee_per_blob_gas: u128,
    ) -> PyResult<Outcome> {
        let call = Call {
            sender: address(sender)?,
            to: to.map(address).transpose()?,
            data: Bytes::copy_from_slice(data),
            value: word(value)?,
            gas_limit: Some(gas_limit),
            gas_price,
            access_list: self::access_list(access_list)?,
            authorizations: grants(&authorizations)?,
            blob_hashes: hashes(blob_hashes)?,
            max_fee_per_blob_gas,
        };
        let overrides = Overrides {
            state: overrides,
            block: block_overrides,
        };
        let outcome = py.detach(|| self.0.call(&call, overrides));
        outcome.map(Outcome).map_err(of_engine)
    }

    #[pyo3(signature = (*, sender, to, data, value, gas_limit, gas_price, access_list, overrides, options, result_bytes, seconds, block_overrides = "", authorizations = vec![], script_command = vec![], blob_hashes = vec![], max_fee_per_blob_gas = 0))]
    #[allow(clippy::too_many_arguments)]
    fn trace_call<'py>(
        &self,
        py: Python<'py>,
        sender: &[u8],
        to: Option<&[u8]>,
        data: &[u8],
        value: &Bound<'py, PyAny>,
        gas_limit: u64,
        gas_price: u128,
        access_list: AccessRows,
        overrides: &str,
        options: &str,
        result_bytes: usize,
        seconds: f64,
        block_overrides: &str,
        authorizations: GrantRows<'_>,
        script_command: Vec<String>,
        blob_hashes: Vec<Vec<u8>>,
        max_fee_per_blob_gas: u128,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let call = Call {
            sender: address(sender)?,
            to: to.map(address).transpose()?,
            data: Bytes::copy_from_slice(data),
            value: word(value)?,
            gas_limit: Some(gas_limit),
            gas_price,
            access_list: self::access_list(access_list)?,
            authorizations: grants(&authorizations)?,
            blob_hashes: hashes(blob_hashes)?,
            max_fee_per_blob_gas,
        };
        let overrides = Overrides {
            state: overrides,
            block: block_overrides,
        };
        let bounds = crate::trace::bounds(result_bytes, seconds)?;
        let traced = py.detach(|| {
            let style = Style::geth(options, &script_command)?;
            self.0.trace_call(&call, overrides, &style, &bounds)
        });
        traced.map(|json| bytes(py, json)).map_err(of_engine)
    }

    #[pyo3(signature = (calls, *, overrides, result_bytes, seconds))]
    fn replay_calls<'py>(
        &self,
        py: Python<'py>,
        calls: Vec<CallRow<'py>>,
        overrides: &str,
        result_bytes: usize,
        seconds: f64,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let calls: PyResult<Vec<TracedCall>> = calls.into_iter().map(traced_call).collect();
        let (calls, bounds) = (calls?, crate::trace::bounds(result_bytes, seconds)?);
        let overrides = Overrides {
            state: overrides,
            block: "",
        };
        let traced = py.detach(|| self.0.trace_calls(&calls, overrides, &bounds));
        traced.map(|json| bytes(py, json)).map_err(of_engine)
    }

    #[pyo3(signature = (*, sender, to, data, value, gas_limit, max_fee_per_gas, access_list, overrides, block_overrides = "", authorizations = vec![], blob_hashes = vec![], max_fee_per_blob_gas = 0))]
    #[allow(clippy::too_many_arguments)]
    fn estimate_gas<'py>(
        &self,
        py: Python<'py>,
        sender: &[u8],
        to: Option<&[u8]>,
        data: &[u8],
        value: &Bound<'py, PyAny>,
        gas_limit: Option<u64>,
        max_fee_per_gas: Option<u128>,
        access_list: AccessRows,
        overrides: &str,
        block_overrides: &str,
        authorizations: GrantRows<'_>,
        blob_hashes: Vec<Vec<u8>>,
        max_fee_per_blob_gas: u128,
    ) -> PyResult<Bound<'py, PyAny>> {
        let call = Call {
            sender: address(sender)?,
            to: to.map(address).transpose()?,
            data: Bytes::copy_from_slice(data),
            value: word(value)?,
            gas_limit,
            gas_price: 0,
            access_list: self::access_list(access_list)?,
            authorizations: grants(&authorizations)?,
            blob_hashes: hashes(blob_hashes)?,
            max_fee_per_blob_gas,
        };
        let overrides = Overrides {
            state: overrides,
            block: block_overrides,
        };
        let estimated = py
            .detach(|| self.0.estimate_gas(&call, max_fee_per_gas, overrides))
            .map_err(of_engine)?;
        match estimated {
            Ok(gas) => Ok(gas.into_pyobject(py)?.into_any()),
            Err(outcome) => Ok(Bound::new(py, Outcome(outcome))?.into_any()),
        }
    }

    #[pyo3(signature = (request, *, gas, result_bytes, seconds, changes_max = usize::MAX))]
    fn simulate<'py>(
        &self,
        py: Python<'py>,
        request: &str,
        gas: u64,
        result_bytes: usize,
        seconds: f64,
        changes_max: usize,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let TraceBounds { result_bytes, time } = crate::trace::bounds(result_bytes, seconds)?;
        let bounds = SimulationBounds {
            gas,
            result_bytes,
            time,
            changes: changes_max,
        };
        let simulated = py.detach(|| self.0.simulate(request, &bounds));
        simulated.map(|json| bytes(py, json)).map_err(of_engine)
    }

    #[getter]
    fn has_blobs(&self, py: Python<'_>) -> PyResult<bool> {
        py.detach(|| self.0.has_blobs()).map_err(of_engine)
    }

    #[pyo3(signature = (attributes, transactions, *, leaves_out, changes_max = usize::MAX))]
    fn build_block<'py>(
        &self,
        py: Python<'py>,
        attributes: &str,
        transactions: Vec<PyRef<'py, Transaction>>,
        leaves_out: bool,
        changes_max: usize,
    ) -> PyResult<(Block, Vec<Bound<'py, PyBytes>>)> {
        let transactions: Vec<_> = (transactions.iter())
            .map(|one| one.inner().clone())
            .collect();
        let built = py.detach(|| {
            self.0
                .build(attributes, transactions, leaves_out, changes_max)
        });
        let built = built.map_err(of_engine)?;
        let requests = built.requests.iter().map(|one| bytes(py, one)).collect();
        Ok((Block(Arc::new(built.block)), requests))
    }

    #[allow(clippy::needless_pass_by_value)]
    #[pyo3(signature = (address, slots, *, changes_max = usize::MAX))]
    fn proof<'py>(
        &self,
        py: Python<'py>,
        address: &[u8],
        slots: Vec<Bound<'py, PyAny>>,
        changes_max: usize,
    ) -> PyResult<Proof<'py>> {
        let who = self::address(address)?;
        let slots = slots.iter().map(word).collect::<PyResult<Vec<_>>>()?;
        let proof = py
            .detach(|| self.0.proof(&who, &slots, changes_max))
            .map_err(of_engine)?;
        let nodes = |nodes: &[Vec<u8>]| -> Vec<Bound<'py, PyBytes>> {
            nodes.iter().map(|node| bytes(py, node)).collect()
        };
        let account = proof.account.unwrap_or_default();
        let slots = proof.slots.iter().map(|slot| {
            Ok((
                int(py, &slot.slot)?,
                int(py, &slot.value)?,
                nodes(&slot.nodes),
            ))
        });
        Ok((
            nodes(&proof.nodes),
            int(py, &account.balance)?,
            account.nonce,
            bytes(py, account.code_hash),
            bytes(py, account.storage_root),
            slots.collect::<PyResult<_>>()?,
        ))
    }
}

fn traced_call(row: CallRow<'_>) -> PyResult<TracedCall> {
    let (sender, to, data, value, gas_limit, gas_price, access_list, parts, authorizations) = row;
    let call = Call {
        sender: address(&sender)?,
        to: to.as_deref().map(address).transpose()?,
        data: Bytes::from(data),
        value: word(&value)?,
        gas_limit: Some(gas_limit),
        gas_price,
        access_list: self::access_list(access_list)?,
        authorizations: grants(&authorizations)?,
        blob_hashes: vec![],
        max_fee_per_blob_gas: 0,
    };
    let style = Style::replay(&parts).map_err(of_engine)?;
    Ok(TracedCall { call, style })
}

/// Adds everything here to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Outcome>()?;
    module.add_class::<View>()
}
