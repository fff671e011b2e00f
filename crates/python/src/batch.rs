//! Batch bodies: the codec over an engine's chain, or over a table.

use std::cell::RefCell;

use alloy_primitives::map::AddressMap;
use alloy_primitives::Address;
use bedroll_core::codec::{self, ChainView, BASE_FEES_MAX};
use bedroll_core::compact::Invalid as Broken;
use bedroll_core::object::Form;
use bedroll_store::engine::{Engine as CoreEngine, EngineError, Look};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::da::{bytes, rule, Invalid};
use crate::engine::Engine;
use crate::error::of_engine;
use crate::transaction::Transaction;

/// The chain as of a batch's parent. What the store refuses is kept until the codec is done.
struct Parent {
    look: Look,
    chain_id: u64,
    timestamp: u64,
    failed: RefCell<Option<EngineError>>,
}

impl Parent {
    fn open(engine: &CoreEngine, height: u64) -> Result<Self, EngineError> {
        Ok(Self {
            look: engine.view(Some(height))?,
            chain_id: engine.rules().chain_id,
            timestamp: header(engine, height)?.timestamp,
            failed: RefCell::new(None),
        })
    }

    fn kept<T: Default, E: Into<EngineError>>(&self, answer: Result<T, E>) -> T {
        answer.unwrap_or_else(|error| {
            self.failed.borrow_mut().get_or_insert(error.into());
            T::default()
        })
    }

    /// A verdict that rests on no failed look-up.
    fn sure<T>(&self, verdict: Result<T, Broken>) -> Result<Result<T, Broken>, EngineError> {
        match self.failed.take() {
            Some(error) => Err(error),
            None => Ok(verdict),
        }
    }
}

impl ChainView for Parent {
    fn chain_id(&self) -> u64 {
        self.chain_id
    }

    fn parent_timestamp(&self) -> u64 {
        self.timestamp
    }

    fn book_address(&self, index: u32) -> Option<Address> {
        self.kept(self.look.view().book_address(u64::from(index)))
    }

    fn book_index(&self, address: &Address) -> Option<u32> {
        let index = self.kept(self.look.view().book_index(address));
        index.and_then(|index| u32::try_from(index).ok())
    }

    fn nonce(&self, address: &Address) -> u64 {
        self.kept(self.look.account(address)).nonce
    }
}

fn no_block(height: u64) -> EngineError {
    EngineError::Invalid {
        reason: "height",
        message: format!("there is no block {height}"),
    }
}

fn header(engine: &CoreEngine, height: u64) -> Result<alloy_consensus::Header, EngineError> {
    engine.header(height)?.ok_or_else(|| no_block(height))
}

/// Blocks `first..=last` as the codec takes them.
fn chosen(engine: &CoreEngine, first: u64, last: u64) -> Result<Vec<codec::Block>, EngineError> {
    let mut fees = Vec::new();
    for height in first.saturating_sub(BASE_FEES_MAX as u64 - 1)..first {
        fees.insert(
            0,
            header(engine, height)?.base_fee_per_gas.unwrap_or_default(),
        );
    }
    let mut blocks = Vec::new();
    for height in first..=last {
        let block = engine.block(height)?.ok_or_else(|| no_block(height))?;
        fees.insert(0, block.header.base_fee_per_gas.unwrap_or_default());
        fees.truncate(BASE_FEES_MAX);
        blocks.push(codec::Block {
            timestamp: block.header.timestamp,
            origin_step: block.origin_step,
            base_fees: fees.clone(),
            transactions: block.transactions[block.forced_count..]
                .iter()
                .map(|transaction| (transaction.sender, transaction.raw.to_vec()))
                .collect(),
        });
    }
    Ok(blocks)
}

#[pyfunction]
#[pyo3(signature = (engine, first, last, *, form = 0))]
fn encode_batch(
    py: Python<'_>,
    engine: &Engine,
    first: u64,
    last: u64,
    form: u8,
) -> PyResult<Py<PyBytes>> {
    let (engine, form) = (engine.get()?, Form::of(form).map_err(rule)?);
    if first == 0 || last < first {
        return Err(Invalid::new_err(
            "a batch begins above genesis and has a block",
        ));
    }
    let encoded = py.detach(|| {
        let parent = Parent::open(&engine, first - 1)?;
        let encoded = codec::encode(&parent, &chosen(&engine, first, last)?, form);
        parent.sure(encoded)
    });
    let body = encoded.map_err(of_engine)?.map_err(rule)?;
    Ok(bytes(py, &body))
}

#[pyfunction]
#[pyo3(signature = (engine, parent, block_count, body, *, form = 0))]
fn decode_batch(
    py: Python<'_>,
    engine: &Engine,
    parent: u64,
    block_count: u32,
    body: &[u8],
    form: u8,
) -> PyResult<DecodedBatch> {
    let (engine, form) = (engine.get()?, Form::of(form).map_err(rule)?);
    let decoded = py.detach(|| {
        let parent = Parent::open(&engine, parent)?;
        let decoded = codec::decode(&parent, block_count, form, body);
        parent.sure(decoded)
    });
    Ok(DecodedBatch(decoded.map_err(of_engine)?.map_err(rule)?))
}

/// What the codec asks of the chain, as a table: for tests and for reading batches beside the chain.
#[pyclass(frozen, module = "bedroll._core._native")]
struct ChainTable {
    chain_id: u64,
    parent_timestamp: u64,
    book: Vec<Address>,
    indices: AddressMap<u32>,
    nonces: AddressMap<u64>,
}

#[pymethods]
impl ChainTable {
    #[new]
    #[pyo3(signature = (*, chain_id, parent_timestamp, book, nonces))]
    #[allow(clippy::needless_pass_by_value)]
    fn new(
        chain_id: u64,
        parent_timestamp: u64,
        book: &[u8],
        nonces: Vec<([u8; 20], u64)>,
    ) -> PyResult<Self> {
        if !book.len().is_multiple_of(20) {
            return Err(Invalid::new_err("a book is a row of addresses of 20 bytes"));
        }
        let book: Vec<Address> = book.chunks_exact(20).map(Address::from_slice).collect();
        Ok(Self {
            chain_id,
            parent_timestamp,
            indices: book.iter().copied().zip(0..).collect(),
            nonces: nonces
                .into_iter()
                .map(|(address, nonce)| (Address::from(address), nonce))
                .collect(),
            book,
        })
    }
}

impl ChainView for ChainTable {
    fn chain_id(&self) -> u64 {
        self.chain_id
    }

    fn parent_timestamp(&self) -> u64 {
        self.parent_timestamp
    }

    fn book_address(&self, index: u32) -> Option<Address> {
        self.book.get(index as usize).copied()
    }

    fn book_index(&self, address: &Address) -> Option<u32> {
        self.indices.get(address).copied()
    }

    fn nonce(&self, address: &Address) -> u64 {
        self.nonces.get(address).copied().unwrap_or_default()
    }
}

/// A batch body, decoded and inside its limits, before execution.
#[pyclass(frozen, module = "bedroll._core._native")]
pub struct DecodedBatch(codec::Decoded);

#[pymethods]
impl DecodedBatch {
    #[getter]
    fn blocks(&self) -> Vec<(u64, bool, u32)> {
        let frames = self.0.frames.iter();
        frames
            .map(|frame| (frame.timestamp, frame.origin_step, frame.transactions))
            .collect()
    }

    #[getter]
    fn form(&self) -> u8 {
        self.0.form as u8
    }

    #[getter]
    fn gas_limit(&self) -> u64 {
        self.0.totals.gas_limit
    }

    #[getter]
    fn expanded_size(&self) -> u64 {
        self.0.totals.expanded_size
    }

    #[allow(clippy::needless_pass_by_value)]
    fn transactions(
        &self,
        py: Python<'_>,
        index: usize,
        base_fees: Vec<u64>,
    ) -> PyResult<Vec<Py<PyBytes>>> {
        let raws = py.detach(|| self.0.transactions(index, &base_fees));
        Ok(raws
            .map_err(rule)?
            .iter()
            .map(|raw| bytes(py, raw))
            .collect())
    }

    #[allow(clippy::needless_pass_by_value)]
    fn attested(
        &self,
        py: Python<'_>,
        index: usize,
        base_fees: Vec<u64>,
    ) -> PyResult<Vec<Transaction>> {
        if self.0.form == Form::Signed {
            return Err(Invalid::new_err("a signed body names nobody's word"));
        }
        let made = py.detach(|| self.0.attested(index, &base_fees));
        Ok(made
            .map_err(rule)?
            .into_iter()
            .map(Transaction::own)
            .collect())
    }
}

type BlockTuple = (u64, bool, Vec<u64>, Vec<([u8; 20], Vec<u8>)>);

/// Body for blocks beside the chain.
#[pyfunction]
#[pyo3(signature = (chain, blocks, *, form = 0))]
fn encode_body(
    py: Python<'_>,
    chain: &ChainTable,
    blocks: Vec<BlockTuple>,
    form: u8,
) -> PyResult<Py<PyBytes>> {
    let form = Form::of(form).map_err(rule)?;
    let encoded = py.detach(|| {
        let blocks: Vec<codec::Block> = blocks
            .into_iter()
            .map(
                |(timestamp, origin_step, base_fees, transactions)| codec::Block {
                    timestamp,
                    origin_step,
                    base_fees,
                    transactions: transactions
                        .into_iter()
                        .map(|(sender, raw)| (Address::from(sender), raw))
                        .collect(),
                },
            )
            .collect();
        codec::encode(chain, &blocks, form)
    });
    Ok(bytes(py, &encoded.map_err(rule)?))
}

/// Decode a body beside the chain.
#[pyfunction]
#[pyo3(signature = (chain, block_count, body, *, form = 0))]
fn decode_body(
    py: Python<'_>,
    chain: &ChainTable,
    block_count: u32,
    body: &[u8],
    form: u8,
) -> PyResult<DecodedBatch> {
    let form = Form::of(form).map_err(rule)?;
    let decoded = py.detach(|| codec::decode(chain, block_count, form, body));
    Ok(DecodedBatch(decoded.map_err(rule)?))
}

/// Add everything here to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<ChainTable>()?;
    module.add_class::<DecodedBatch>()?;
    module.add_function(wrap_pyfunction!(encode_batch, module)?)?;
    module.add_function(wrap_pyfunction!(decode_batch, module)?)?;
    module.add_function(wrap_pyfunction!(encode_body, module)?)?;
    module.add_function(wrap_pyfunction!(decode_body, module)?)
}
