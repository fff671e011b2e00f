//! Transactions, receipts and logs.
use std::sync::Arc;

use alloy_consensus::Transaction as _;
use alloy_primitives::{Bytes, Log as CoreLog};
use bedroll_core::block::Block as CoreBlock;
use bedroll_core::fee::TRANSFER_BYTES;
use bedroll_core::receipt::Receipt as CoreReceipt;
use bedroll_core::transaction::{decode_all, Body, Transaction as CoreTransaction};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList, PyString};

use crate::convert::{bytes, int, raws};
use crate::error::invalid;

/// A value of its own, or one that stands in a block.
enum Held<T> {
    Own(Arc<T>),
    Block(Arc<CoreBlock>, usize),
}

/// A decoded transaction.
#[pyclass(frozen, module = "bedroll._core._native")]
pub struct Transaction(Arc<CoreTransaction>);

impl Transaction {
    /// One of its own.
    pub fn own(transaction: CoreTransaction) -> Self {
        Self(Arc::new(transaction))
    }

    /// The core's own.
    pub fn inner(&self) -> &CoreTransaction {
        self.get()
    }

    /// One that others hold too.
    pub fn shared(transaction: Arc<CoreTransaction>) -> Self {
        Self(transaction)
    }

    /// Itself, as the mempool holds it.
    pub fn waiting(&self) -> Arc<CoreTransaction> {
        self.0.clone()
    }

    fn get(&self) -> &CoreTransaction {
        &self.0
    }

    /// Fields of a signed one; 0 for the L1-info call.
    fn fee(&self, of: impl Fn(&bedroll_core::transaction::Envelope) -> u128) -> u128 {
        self.get().envelope().map_or(0, of)
    }
}

type AccessRow<'py> = (Bound<'py, PyBytes>, Vec<Bound<'py, PyBytes>>);
type Grant<'py> = (
    Bound<'py, PyAny>,
    Bound<'py, PyBytes>,
    u64,
    Option<Bound<'py, PyBytes>>,
);

#[pymethods]
impl Transaction {
    #[getter]
    fn raw<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        bytes(py, &self.get().raw)
    }
    #[getter]
    fn hash<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        bytes(py, self.get().hash)
    }
    #[getter]
    fn sender<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        bytes(py, self.get().sender)
    }
    #[getter]
    fn kind(&self) -> u8 {
        self.get().kind()
    }
    #[getter]
    fn chain_id(&self) -> Option<u64> {
        match &self.get().body {
            Body::Signed(tx) => tx.chain_id(),
            Body::Origin(call) => Some(call.chain_id),
        }
    }
    #[getter]
    fn nonce(&self) -> u64 {
        match &self.get().body {
            Body::Signed(tx) => tx.nonce(),
            Body::Origin(call) => call.height,
        }
    }
    #[getter]
    fn gas_limit(&self) -> u64 {
        match &self.get().body {
            Body::Signed(tx) => tx.gas_limit(),
            Body::Origin(call) => call.gas_limit,
        }
    }
    #[getter]
    fn max_fee_per_gas(&self) -> u128 {
        self.fee(|tx| tx.max_fee_per_gas())
    }
    #[getter]
    fn max_priority_fee_per_gas(&self) -> u128 {
        self.fee(|tx| {
            tx.max_priority_fee_per_gas()
                .unwrap_or_else(|| tx.max_fee_per_gas())
        })
    }
    #[getter]
    fn value<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let value = self.get().envelope().map(|tx| tx.value());
        int(py, &value.unwrap_or_default())
    }
    #[getter]
    fn to<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyBytes>> {
        self.get().to().map(|to| bytes(py, to))
    }
    #[getter]
    fn input<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        match &self.get().body {
            Body::Signed(tx) => bytes(py, tx.input()),
            Body::Origin(call) => bytes(py, &call.input),
        }
    }
    #[getter]
    fn access_list<'py>(&self, py: Python<'py>) -> Vec<AccessRow<'py>> {
        let list = self.get().envelope().and_then(|tx| tx.access_list());
        let Some(list) = list else { return vec![] };
        list.iter()
            .map(|row| {
                let keys = row.storage_keys.iter().map(|key| bytes(py, key)).collect();
                (bytes(py, row.address), keys)
            })
            .collect()
    }
    #[getter]
    fn authorizations<'py>(&self, py: Python<'py>) -> PyResult<Vec<Grant<'py>>> {
        let tx = self.get();
        let grants = tx.envelope().and_then(|tx| tx.authorization_list());
        let grants = grants.unwrap_or_default().iter().zip(&tx.authorities);
        grants
            .map(|(grant, authority)| {
                Ok((
                    int(py, &grant.inner().chain_id)?,
                    bytes(py, grant.inner().address),
                    grant.inner().nonce,
                    authority.map(|found| bytes(py, found)),
                ))
            })
            .collect()
    }
    #[getter]
    fn v(&self) -> u64 {
        let Some(tx) = self.get().envelope() else {
            return 0;
        };
        let parity = u64::from(tx.signature().v());
        match (tx.is_legacy(), tx.chain_id()) {
            (true, Some(chain_id)) => chain_id.saturating_mul(2).saturating_add(35 + parity),
            (true, None) => 27 + parity,
            (false, _) => parity,
        }
    }
    #[getter]
    fn r<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let r = self.get().envelope().map(|tx| tx.signature().r());
        int(py, &r.unwrap_or_default())
    }
    #[getter]
    fn s<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let s = self.get().envelope().map(|tx| tx.signature().s());
        int(py, &s.unwrap_or_default())
    }
    #[getter]
    fn is_attested(&self) -> bool {
        self.get().is_attested()
    }
    #[getter]
    fn signatures<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyBytes>> {
        Some(bytes(py, self.get().signatures()?))
    }
    fn with_signatures(&self, py: Python<'_>, signatures: &[u8]) -> PyResult<Self> {
        let signed = py.detach(|| self.get().with_signatures(signatures));
        signed
            .map(Self::own)
            .map_err(|error| invalid("signature", error.to_string()))
    }
    #[getter]
    fn payload<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        bytes(py, &self.get().payload)
    }
    #[getter]
    fn size(&self) -> u64 {
        self.get().size(TRANSFER_BYTES)
    }
    #[getter]
    fn intrinsic_gas(&self) -> u64 {
        self.get().intrinsic_gas
    }
    fn __eq__(&self, other: &Self) -> bool {
        self.get().hash == other.get().hash
    }
    fn __hash__(&self) -> u64 {
        let mut head = [0; 8];
        head.copy_from_slice(&self.get().hash[..8]);
        u64::from_be_bytes(head)
    }
    fn __repr__(&self) -> String {
        format!("<Transaction {}>", self.get().hash)
    }
}

/// A log.
#[pyclass(frozen, module = "bedroll._core._native")]
pub struct Log(pub CoreLog);

#[pymethods]
impl Log {
    #[getter]
    fn address<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        bytes(py, self.0.address)
    }
    #[getter]
    fn topics<'py>(&self, py: Python<'py>) -> Vec<Bound<'py, PyBytes>> {
        self.0
            .topics()
            .iter()
            .map(|topic| bytes(py, topic))
            .collect()
    }
    #[getter]
    fn data<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        bytes(py, &self.0.data.data)
    }
}

/// What an included transaction did.
#[pyclass(frozen, module = "bedroll._core._native")]
pub struct Receipt(Held<CoreReceipt>);

impl Receipt {
    /// One of its own.
    pub fn own(receipt: CoreReceipt) -> Self {
        Self(Held::Own(Arc::new(receipt)))
    }

    /// One that stands in a block.
    pub fn of_block(block: &Arc<CoreBlock>, index: usize) -> Self {
        Self(Held::Block(block.clone(), index))
    }

    fn get(&self) -> &CoreReceipt {
        match &self.0 {
            Held::Own(own) => own,
            Held::Block(block, index) => &block.receipts[*index],
        }
    }
}

#[pymethods]
impl Receipt {
    #[getter]
    fn transaction_hash<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        bytes(py, self.get().transaction_hash)
    }
    #[getter]
    fn status(&self) -> u8 {
        u8::from(self.get().success)
    }
    #[getter]
    fn post_state<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyBytes>> {
        self.get().post_state.map(|root| bytes(py, root))
    }
    #[getter]
    fn gas_used(&self) -> u64 {
        self.get().gas_used
    }
    #[getter]
    fn data_gas(&self) -> u64 {
        self.get().data_gas
    }
    #[getter]
    fn cumulative_gas_used(&self) -> u64 {
        self.get().cumulative_gas_used
    }
    #[getter]
    fn effective_gas_price(&self) -> u128 {
        self.get().effective_gas_price
    }
    #[getter]
    fn contract<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyBytes>> {
        self.get().contract.map(|contract| bytes(py, contract))
    }
    #[getter]
    fn logs(&self) -> Vec<Log> {
        self.get().logs.iter().cloned().map(Log).collect()
    }
    #[getter]
    fn logs_bloom<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        bytes(py, self.get().bloom())
    }
    #[getter]
    fn output<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        bytes(py, &self.get().output)
    }
}

#[pyfunction]
fn decode_transaction(py: Python<'_>, raw: &[u8]) -> PyResult<Transaction> {
    let decoded = py.detach(|| CoreTransaction::decode(raw));
    decoded
        .map(Transaction::own)
        .map_err(|error| invalid("transaction", error.to_string()))
}

#[pyfunction]
#[pyo3(name = "decode_transactions")]
#[allow(clippy::needless_pass_by_value)]
fn decode_transactions<'py>(
    py: Python<'py>,
    values: Vec<Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyList>> {
    let all: Vec<Bytes> = raws(values)?;
    let decoded = py.detach(|| decode_all(&all));
    let found = PyList::empty(py);
    for item in decoded {
        match item {
            Ok(tx) => found.append(Py::new(py, Transaction::own(tx))?)?,
            Err(error) => found.append(PyString::new(py, &error.to_string()))?,
        }
    }
    Ok(found)
}

/// Adds everything here to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Transaction>()?;
    module.add_class::<Receipt>()?;
    module.add_class::<Log>()?;
    module.add_function(wrap_pyfunction!(decode_transaction, module)?)?;
    module.add_function(wrap_pyfunction!(decode_transactions, module)?)
}
