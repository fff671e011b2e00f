//! The settlement program: what it is given, and the program itself as Python runs it.
use alloy_primitives::{Bytes, B256};
use alloy_rlp::Decodable;
use bedroll_core::settlement::{
    run, Anchor, L1Part, Parameters, ProofOfWork, Proved, Settled, SettlementInput, State,
};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::convert::{bytes, hash};
use crate::error::{invalid, of_engine};

/// RLP of the parameters of a chain.
#[pyfunction]
#[pyo3(signature = (*, network, rules, tag, numbers, proof_systems, circuit, keys, work, anchor, genesis_header, genesis_facts))]
#[allow(clippy::too_many_arguments)]
fn settlement_parameters<'py>(
    py: Python<'py>,
    network: u8,
    rules: &[u8],
    tag: &[u8],
    numbers: [u64; 17],
    proof_systems: Vec<u8>,
    circuit: &[u8],
    keys: (Vec<u8>, Vec<u8>, Vec<u8>),
    work: (u32, bool, bool, bool),
    anchor: (u64, Vec<u8>, Vec<u64>, u32, u64, u32, u32),
    genesis_header: &[u8],
    genesis_facts: &[u8],
) -> PyResult<Bound<'py, PyBytes>> {
    let [halving_blocks, finality_depth, max_origin_lag, proof_ttl, auto_block_window, auto_block_step, upgrade_delay, object_size_max, pending_size_max, chunk_charge_min, held_batches_max, forced_fee, proof_fee, proofs_max, exodus_window, l1_rate_window, l1_rate_first] =
        numbers;
    let (limit, easy_after_pause, constant, bip94) = work;
    let (height, anchor_hash, times, bits, period_time, period_bits, regular_bits) = anchor;
    let parameters = Parameters {
        network,
        rules: hash(rules)?,
        tag: Bytes::copy_from_slice(tag),
        halving_blocks,
        work: ProofOfWork {
            limit,
            easy_after_pause,
            constant,
            bip94,
        },
        finality_depth,
        max_origin_lag,
        proof_ttl,
        auto_block_window,
        auto_block_step,
        upgrade_delay,
        object_size_max,
        pending_size_max,
        chunk_charge_min,
        held_batches_max,
        forced_fee,
        proof_fee,
        proofs_max,
        proof_systems,
        circuit: Bytes::copy_from_slice(circuit),
        exodus_window,
        l1_rate_window,
        l1_rate_first: u128::from(l1_rate_first),
        leader_key: hash(&keys.0)?,
        rotation_key: hash(&keys.1)?,
        upgrade_key: hash(&keys.2)?,
        anchor: Anchor {
            height,
            hash: hash(&anchor_hash)?,
            times,
            bits,
            period_time,
            period_bits,
            regular_bits,
        },
        genesis_header: Bytes::copy_from_slice(genesis_header),
        genesis_facts: hash(genesis_facts)?,
    };
    Ok(bytes(py, alloy_rlp::encode(&parameters)))
}

fn decoded<T: Decodable>(what: &'static str, mut raw: &[u8]) -> PyResult<T> {
    let value = T::decode(&mut raw).map_err(|error| invalid(what, error.to_string()))?;
    if raw.is_empty() {
        Ok(value)
    } else {
        Err(invalid(what, "bytes follow"))
    }
}

/// RLP of block 0's header, digest of its facts, digest of the rules.
#[pyfunction]
fn block_zero<'py>(py: Python<'py>, genesis: &str) -> PyResult<[Bound<'py, PyBytes>; 3]> {
    let (header, facts, rules) = bedroll_store::engine::block_zero(genesis).map_err(of_engine)?;
    Ok([
        bytes(py, alloy_rlp::encode(header)),
        bytes(py, facts),
        bytes(py, rules),
    ])
}

/// RLP of the state at the anchor.
#[pyfunction]
fn settlement_genesis<'py>(py: Python<'py>, parameters: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
    let parameters: Parameters = decoded("parameters", parameters)?;
    Ok(bytes(py, alloy_rlp::encode(State::genesis(&parameters))))
}

/// RLP of what matters of a serialised L1 block.
#[pyfunction]
fn settlement_block<'py>(py: Python<'py>, raw: &[u8], tag: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
    let part = py.detach(|| L1Part::of(raw, tag));
    let part = part.map_err(|error| invalid("block", error.0))?;
    Ok(bytes(py, alloy_rlp::encode(part)))
}

/// RLP of all that the program reads.
#[pyfunction]
#[pyo3(signature = (*, parameters, batch_key, settlement_key, previous, state, blocks, verdicts, headers))]
#[allow(clippy::too_many_arguments, clippy::needless_pass_by_value)]
fn settlement_input<'py>(
    py: Python<'py>,
    parameters: &[u8],
    batch_key: &[u8],
    settlement_key: &[u8],
    previous: &[u8],
    state: &[u8],
    blocks: Vec<Vec<u8>>,
    verdicts: Vec<Vec<u8>>,
    headers: Vec<Vec<u8>>,
) -> PyResult<Bound<'py, PyBytes>> {
    let blocks: PyResult<Vec<L1Part>> = blocks.iter().map(|raw| decoded("block", raw)).collect();
    let input = SettlementInput {
        parameters: decoded("parameters", parameters)?,
        batch_key: hash(batch_key)?,
        settlement_key: hash(settlement_key)?,
        previous: Bytes::copy_from_slice(previous),
        state: decoded("state", state)?,
        blocks: blocks?,
        verdicts: verdicts.into_iter().map(Bytes::from).collect(),
        headers: headers.into_iter().map(Bytes::from).collect(),
    };
    Ok(bytes(py, input.encode()))
}

/// Verification key, statement, posted proof.
type Shown = (Vec<u8>, Vec<u8>, Vec<u8>);

/// Run the program; `proved` has (verification key, statement) of what may be taken for proved, `shown` (verification key,
/// statement, proof) of posted proofs that are valid.
#[pyfunction]
fn run_settlement<'py>(
    py: Python<'py>,
    input: &[u8],
    proved: Vec<(Vec<u8>, Vec<u8>)>,
    shown: Vec<Shown>,
) -> PyResult<(Bound<'py, PyBytes>, Bound<'py, PyBytes>)> {
    let known: PyResult<Vec<(B256, Vec<u8>)>> = proved
        .into_iter()
        .map(|(key, statement)| Ok((hash(&key)?, statement)))
        .collect();
    let mut verifier = Proved {
        statements: known?,
        ..Proved::default()
    };
    for (key, statement, proof) in shown {
        verifier.shown.push((hash(&key)?, statement, proof));
    }
    let ran = py.detach(|| {
        let input = SettlementInput::decode(input).map_err(|error| error.to_string())?;
        run(input, &mut verifier).map_err(|stopped| stopped.to_string())
    });
    let (settled, state) = ran.map_err(|error| invalid("settlement", error))?;
    Ok((
        bytes(py, settled.encode()),
        bytes(py, alloy_rlp::encode(state)),
    ))
}

/// What a settlement statement says, by name.
#[pyclass(frozen, name = "Settled", module = "bedroll._core._native")]
struct PySettled(Settled);

#[pymethods]
impl PySettled {
    #[staticmethod]
    fn decode(encoded: &[u8]) -> PyResult<Self> {
        let decoded = Settled::decode(encoded);
        Ok(Self(
            decoded.map_err(|error| invalid("statement", error.0))?,
        ))
    }

    #[getter]
    fn network(&self) -> u8 {
        self.0.network
    }

    #[getter]
    fn parameters<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        bytes(py, self.0.parameters)
    }

    #[getter]
    fn batch_key<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        bytes(py, self.0.batch_key)
    }

    #[getter]
    fn settlement_key<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        bytes(py, self.0.settlement_key)
    }

    #[getter]
    fn l1_hash<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        bytes(py, self.0.l1_hash)
    }

    #[getter]
    fn l1_height(&self) -> u64 {
        self.0.l1_height
    }

    #[getter]
    fn l1_work<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        crate::convert::int(py, &self.0.l1_work)
    }

    #[getter]
    fn tip<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        bytes(py, self.0.tip)
    }

    #[getter]
    fn height(&self) -> u64 {
        self.0.height
    }

    #[getter]
    fn state_root<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        bytes(py, self.0.state_root)
    }

    #[getter]
    fn origin_height(&self) -> u64 {
        self.0.origin_height
    }

    #[getter]
    fn queue(&self) -> (u64, u64) {
        (self.0.queue.enqueued, self.0.queue.done)
    }

    #[getter]
    fn state<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        bytes(py, self.0.state)
    }
}

/// Add everything here to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PySettled>()?;
    module.add_function(wrap_pyfunction!(settlement_parameters, module)?)?;
    module.add_function(wrap_pyfunction!(block_zero, module)?)?;
    module.add_function(wrap_pyfunction!(settlement_genesis, module)?)?;
    module.add_function(wrap_pyfunction!(settlement_block, module)?)?;
    module.add_function(wrap_pyfunction!(settlement_input, module)?)?;
    module.add_function(wrap_pyfunction!(run_settlement, module)?)
}
