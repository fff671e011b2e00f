//! Headers, blocks, origins.
use std::sync::Arc;

use alloy_consensus::Transaction as _;
use alloy_primitives::{Bytes, B256};
use bedroll_core::block::{Block as CoreBlock, Origin as CoreOrigin};
use bedroll_core::fee::EVM_GAS_MAX;
use bedroll_core::forced::Message;
use bedroll_core::transaction::Transaction as CoreTransaction;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::convert::bytes;
use crate::error::invalid;
use crate::transaction::{Receipt, Transaction};

/// An L2 block header.
#[pyclass(frozen, module = "bedroll._core._native")]
pub struct Header {
    inner: alloy_consensus::Header,
    hash: B256,
}

impl Header {
    /// Wraps a header.
    pub fn new(inner: alloy_consensus::Header) -> Self {
        let hash = inner.hash_slow();
        Self { inner, hash }
    }
}

#[pymethods]
impl Header {
    #[getter]
    fn rlp<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        bytes(py, alloy_rlp::encode(&self.inner))
    }
    #[getter]
    fn hash<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        bytes(py, self.hash)
    }
    #[getter]
    fn parent_hash<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        bytes(py, self.inner.parent_hash)
    }
    #[getter]
    fn state_root<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        bytes(py, self.inner.state_root)
    }
    #[getter]
    fn transactions_root<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        bytes(py, self.inner.transactions_root)
    }
    #[getter]
    fn receipts_root<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        bytes(py, self.inner.receipts_root)
    }
    #[getter]
    fn logs_bloom<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        bytes(py, self.inner.logs_bloom)
    }
    #[getter]
    fn number(&self) -> u64 {
        self.inner.number
    }
    #[getter]
    fn gas_limit(&self) -> u64 {
        self.inner.gas_limit
    }
    #[getter]
    fn gas_used(&self) -> u64 {
        self.inner.gas_used
    }
    #[getter]
    fn timestamp(&self) -> u64 {
        self.inner.timestamp
    }
    #[getter]
    fn base_fee_per_gas(&self) -> u64 {
        self.inner.base_fee_per_gas.unwrap_or_default()
    }
    #[getter]
    fn prev_randao<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        bytes(py, self.inner.mix_hash)
    }
    #[getter]
    fn origin_hash<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        bytes(py, self.inner.parent_beacon_block_root.unwrap_or_default())
    }
    /// What a header of Ethereum's own has and one of this chain has not, or always alike: as JSON shows it.
    #[getter]
    fn ethereum(&self) -> Vec<(&'static str, String)> {
        let header = &self.inner;
        let number = |value: u64| format!("{value:#x}");
        let mut shown = vec![
            ("nonce", header.nonce.to_string()),
            ("sha3Uncles", header.ommers_hash.to_string()),
            ("miner", format!("{:#x}", header.beneficiary)),
            ("difficulty", format!("{:#x}", header.difficulty)),
            ("extraData", header.extra_data.to_string()),
        ];
        shown.extend((header.base_fee_per_gas).map(|fee| ("baseFeePerGas", number(fee))));
        shown.extend((header.withdrawals_root).map(|root| ("withdrawalsRoot", root.to_string())));
        shown.extend((header.blob_gas_used).map(|gas| ("blobGasUsed", number(gas))));
        shown.extend((header.excess_blob_gas).map(|gas| ("excessBlobGas", number(gas))));
        let root = header.parent_beacon_block_root;
        shown.extend(root.map(|root| ("parentBeaconBlockRoot", root.to_string())));
        shown.extend((header.requests_hash).map(|hash| ("requestsHash", hash.to_string())));
        shown
    }
    fn __repr__(&self) -> String {
        format!("<Header {} {}>", self.inner.number, self.hash)
    }
}

/// A sealed block.
#[pyclass(frozen, module = "bedroll._core._native")]
pub struct Block(pub Arc<CoreBlock>);

impl Block {
    /// The leader's transactions.
    fn own(&self) -> &[Arc<CoreTransaction>] {
        &self.0.transactions[self.0.forced_count..]
    }
}

type EndRow<'py> = (
    u64,
    Bound<'py, PyBytes>,
    &'static str,
    Option<Bound<'py, PyBytes>>,
);

/// Index, validator, address, gwei.
type WithdrawalRow<'py> = (u64, u64, Bound<'py, PyBytes>, u64);

#[pymethods]
impl Block {
    #[getter]
    fn header(&self) -> Header {
        Header {
            inner: self.0.header.clone(),
            hash: self.0.hash,
        }
    }
    #[getter]
    fn origin_height(&self) -> u64 {
        self.0.tail.origin_height
    }
    #[getter]
    fn origin_step(&self) -> bool {
        self.0.origin_step
    }
    #[getter]
    fn automatic(&self) -> bool {
        self.0.automatic
    }
    #[getter]
    fn size(&self) -> usize {
        self.0.size()
    }
    #[getter]
    fn is_ethereum(&self) -> bool {
        self.0.ethereum.is_some()
    }
    #[getter]
    fn ommers<'py>(&self, py: Python<'py>) -> Vec<Bound<'py, PyBytes>> {
        let ommers = self.0.ethereum.iter().flat_map(|own| &own.ommers);
        ommers
            .map(|header| bytes(py, alloy_rlp::encode(header)))
            .collect()
    }
    #[getter]
    fn withdrawals<'py>(&self, py: Python<'py>) -> Option<Vec<WithdrawalRow<'py>>> {
        let Some(own) = &self.0.ethereum else {
            return Some(vec![]);
        };
        let row = |one: &alloy_eips::eip4895::Withdrawal| {
            (
                one.index,
                one.validator_index,
                bytes(py, one.address),
                one.amount,
            )
        };
        Some(own.withdrawals.as_ref()?.iter().map(row).collect())
    }
    #[getter]
    fn transactions(&self) -> Vec<Transaction> {
        let all = self.0.transactions.iter();
        all.cloned().map(Transaction::shared).collect()
    }
    #[getter]
    fn transaction_count(&self) -> usize {
        self.0.transactions.len()
    }
    fn own_raws<'py>(&self, py: Python<'py>) -> Vec<Bound<'py, PyBytes>> {
        self.own().iter().map(|tx| bytes(py, &tx.raw)).collect()
    }
    fn own_transactions(&self) -> Vec<Transaction> {
        let own = self.own().iter();
        own.cloned().map(Transaction::shared).collect()
    }
    fn own_attested<'py>(&self, py: Python<'py>) -> Vec<Bound<'py, PyBytes>> {
        let own = self.own().iter();
        own.map(|tx| bytes(py, tx.attested_raw())).collect()
    }
    fn own_signatures<'py>(&self, py: Python<'py>) -> Vec<Option<Bound<'py, PyBytes>>> {
        let own = self.own().iter();
        own.map(|tx| Some(bytes(py, tx.signatures()?))).collect()
    }
    fn own_weight(&self) -> (usize, usize, u64) {
        let own = self.own();
        let size = own.iter().map(|tx| tx.raw.len()).sum();
        let gas = |tx: &CoreTransaction| tx.envelope().map_or(0, |tx| tx.gas_limit());
        let gas = own.iter().map(|tx| gas(tx).min(EVM_GAS_MAX)).sum();
        (own.len(), size, gas)
    }
    fn forced_senders<'py>(&self, py: Python<'py>) -> Vec<Bound<'py, PyBytes>> {
        let forced = &self.0.transactions[..self.0.forced_count];
        forced.iter().map(|tx| bytes(py, tx.sender)).collect()
    }
    #[getter]
    fn receipts(&self) -> Vec<Receipt> {
        let places = 0..self.0.receipts.len();
        places.map(|at| Receipt::of_block(&self.0, at)).collect()
    }
    #[getter]
    fn forced<'py>(&self, py: Python<'py>) -> Vec<EndRow<'py>> {
        self.0
            .forced
            .iter()
            .map(|ended| {
                let hash = ended.transaction_hash.map(|hash| bytes(py, hash));
                (ended.index, bytes(py, ended.id), ended.status.word(), hash)
            })
            .collect()
    }
    #[getter]
    fn forced_reasons(&self) -> Vec<&str> {
        let ends = self.0.forced.iter();
        ends.map(|ended| ended.reason.as_str()).collect()
    }
    #[getter]
    fn forced_count(&self) -> usize {
        self.0.forced_count
    }
    #[getter]
    fn book_length(&self) -> u64 {
        self.0.tail.book_length
    }
    #[getter]
    fn queue_done(&self) -> u64 {
        self.0.tail.queue_done
    }
    #[getter]
    fn queue_enqueued(&self) -> u64 {
        self.0.tail.queue_enqueued
    }
    fn __repr__(&self) -> String {
        format!("<Block {} {}>", self.0.header.number, self.0.hash)
    }
}

/// An L1 block as the first L2 block that refers to it takes it in.
#[pyclass(frozen, module = "bedroll._core._native")]
pub struct Origin(pub CoreOrigin);

type MessageRow<'py> = (Bound<'py, PyBytes>, Bound<'py, PyBytes>, bool);

#[pymethods]
impl Origin {
    #[new]
    #[pyo3(signature = (*, height, hash, header, witness_root, median_time, l1_rate, forced))]
    #[allow(clippy::too_many_arguments, clippy::needless_pass_by_value)]
    fn new(
        height: u64,
        hash: &[u8],
        header: &[u8],
        witness_root: &[u8],
        median_time: u64,
        l1_rate: u128,
        forced: Vec<(Vec<u8>, Vec<u8>, bool)>,
    ) -> PyResult<Self> {
        let header: [u8; 80] = header.try_into().map_err(|_| {
            invalid(
                "header",
                format!("an L1 header has 80 bytes, not {}", header.len()),
            )
        })?;
        let message = |(id, payload, paid): (Vec<u8>, Vec<u8>, bool)| {
            Ok(Message {
                id: crate::convert::hash(&id)?,
                payload: Bytes::from(payload),
                paid,
                origin_height: height,
            })
        };
        Ok(Self(CoreOrigin {
            height,
            hash: crate::convert::hash(hash)?,
            header,
            witness_root: crate::convert::hash(witness_root)?,
            median_time,
            l1_rate,
            forced: forced.into_iter().map(message).collect::<PyResult<_>>()?,
        }))
    }
    #[getter]
    fn height(&self) -> u64 {
        self.0.height
    }
    #[getter]
    fn hash<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        bytes(py, self.0.hash)
    }
    #[getter]
    fn header<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        bytes(py, self.0.header)
    }
    #[getter]
    fn witness_root<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        bytes(py, self.0.witness_root)
    }
    #[getter]
    fn median_time(&self) -> u64 {
        self.0.median_time
    }
    #[getter]
    fn l1_rate(&self) -> u128 {
        self.0.l1_rate
    }
    #[getter]
    fn forced<'py>(&self, py: Python<'py>) -> Vec<MessageRow<'py>> {
        let row = |message: &Message| {
            (
                bytes(py, message.id),
                bytes(py, &message.payload),
                message.paid,
            )
        };
        self.0.forced.iter().map(row).collect()
    }
}

/// Adds everything here to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Header>()?;
    module.add_class::<Block>()?;
    module.add_class::<Origin>()
}
