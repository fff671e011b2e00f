//! Data on Bitcoin: blocks, objects, chunks.

use bedroll_core::chunk;
use bedroll_core::compact::Invalid as Rule;
use bedroll_core::envelope;
use bedroll_core::object::{self, BatchHeader, Form, Object};
use bedroll_core::scan;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

pyo3::import_exception!(bedroll.primitives, Invalid);

type Bytes32 = [u8; 32];
type Signature = [u8; 64];
type Path = Vec<Py<PyBytes>>;

/// A broken rule as `bedroll.primitives.Invalid`.
pub fn rule(broken: Rule) -> PyErr {
    Invalid::new_err(broken.0)
}

/// A byte string.
pub fn bytes(py: Python<'_>, value: &[u8]) -> Py<PyBytes> {
    PyBytes::new(py, value).unbind()
}

/// A transaction whose wtxid begins with the tag.
#[pyclass(frozen, get_all, module = "bedroll._core._native")]
struct RelevantTransaction {
    index: u32,
    txid: Py<PyBytes>,
    wtxid: Py<PyBytes>,
    fee_paid: u64,
    objects: Vec<(u32, Option<Py<PyBytes>>, &'static str)>,
}

/// What derivation needs of one L1 block.
#[pyclass(frozen, get_all, module = "bedroll._core._native")]
struct BlockScan {
    hash: Py<PyBytes>,
    header: Py<PyBytes>,
    previous: Py<PyBytes>,
    time: u32,
    witness_root: Py<PyBytes>,
    coinbase_value: u64,
    transaction_count: u32,
    ambiguous: Vec<u32>,
    relevant: Vec<Py<RelevantTransaction>>,
}

#[pyfunction]
fn scan_block(py: Python<'_>, raw: &[u8], tag: &[u8]) -> PyResult<BlockScan> {
    let scanned = py.detach(|| scan::scan_block(raw, tag)).map_err(rule)?;
    let relevant = scanned
        .relevant
        .into_iter()
        .map(|found| {
            let objects = found
                .objects
                .into_iter()
                .map(|carried| match carried.object {
                    Ok(object) => (carried.input, Some(bytes(py, &object)), ""),
                    Err(broken) => (carried.input, None, broken.0),
                })
                .collect();
            Py::new(
                py,
                RelevantTransaction {
                    index: found.index,
                    txid: bytes(py, &found.txid),
                    wtxid: bytes(py, &found.wtxid),
                    fee_paid: found.fee_paid_sat,
                    objects,
                },
            )
        })
        .collect::<PyResult<_>>()?;
    Ok(BlockScan {
        hash: bytes(py, &scanned.hash),
        header: bytes(py, &scanned.header),
        previous: bytes(py, &scanned.previous),
        time: scanned.time,
        witness_root: bytes(py, &scanned.witness_root),
        coinbase_value: scanned.coinbase_value_sat,
        transaction_count: scanned.transaction_count,
        ambiguous: scanned.ambiguous,
        relevant,
    })
}

/// Body of the envelope that a leaf script is.
#[pyfunction]
fn parse_envelope(py: Python<'_>, script: &[u8]) -> PyResult<Py<PyBytes>> {
    let body = py.detach(|| envelope::parse(script)).map_err(rule)?;
    Ok(bytes(py, &body))
}

/// An object as a tuple: the number of its kind, then its fields in wire order.
#[pyfunction]
fn parse_object(py: Python<'_>, raw: &[u8]) -> PyResult<Py<PyAny>> {
    let parsed = py.detach(|| object::parse(raw)).map_err(rule)?;
    let kind = parsed.kind();
    let tuple = match &parsed {
        Object::Batch {
            header,
            leader_key,
            signature,
            body,
        } => {
            let header = (
                header.network,
                header.parent_l2_hash,
                header.first_height,
                header.block_count,
                header.first_origin,
                header.last_origin,
                header.tip_l2_hash,
                header.body_hash,
                header.form as u8,
            );
            let signature = PyBytes::new(py, signature);
            (kind, header, leader_key, signature, PyBytes::new(py, body)).into_pyobject(py)?
        }
        Object::Commitment {
            parent_tip,
            new_tip,
            block_count,
            last_origin,
            anchor_hash,
            signature,
        } => (
            kind,
            parent_tip,
            new_tip,
            block_count,
            last_origin,
            anchor_hash,
            PyBytes::new(py, signature),
        )
            .into_pyobject(py)?,
        Object::Forced { network, payload } => {
            (kind, network, PyBytes::new(py, payload)).into_pyobject(py)?
        }
        Object::Chunk {
            root,
            index,
            count,
            path,
            bytes,
        } => {
            let path: Vec<_> = path.iter().map(|hash| PyBytes::new(py, hash)).collect();
            (kind, root, index, count, path, PyBytes::new(py, bytes)).into_pyobject(py)?
        }
        Object::Proof {
            statement,
            system,
            public_values,
            proof,
        } => {
            let public_values = PyBytes::new(py, public_values);
            let proof = PyBytes::new(py, proof);
            (kind, statement, system, public_values, proof).into_pyobject(py)?
        }
        Object::Rotate {
            network,
            n,
            key,
            signature,
        } => (kind, network, n, key, PyBytes::new(py, signature)).into_pyobject(py)?,
        Object::Upgrade {
            network,
            n,
            rules,
            activation_height,
            rotation_signature,
            upgrade_signature,
        } => (
            kind,
            network,
            n,
            rules,
            activation_height,
            PyBytes::new(py, rotation_signature),
            PyBytes::new(py, upgrade_signature),
        )
            .into_pyobject(py)?,
    };
    Ok(tuple.into_any().unbind())
}

/// Bytes and signing hash of an object.
fn written(py: Python<'_>, object: &Object) -> PyResult<(Py<PyBytes>, Py<PyBytes>)> {
    let encoded = py.detach(|| object.encode()).map_err(rule)?;
    let signing_hash = object.signing_hash().unwrap_or_default();
    Ok((bytes(py, &encoded), bytes(py, &signing_hash)))
}

/// A batch's header and what the leader signs.
#[pyfunction]
#[allow(clippy::too_many_arguments)]
fn encode_batch_header(
    py: Python<'_>,
    network: u8,
    parent_l2_hash: Bytes32,
    first_height: u64,
    block_count: u32,
    first_origin: u32,
    last_origin: u32,
    tip_l2_hash: Bytes32,
    body_hash: Bytes32,
    form: u8,
) -> PyResult<(Py<PyBytes>, Py<PyBytes>)> {
    let header = BatchHeader {
        network,
        parent_l2_hash,
        first_height,
        block_count,
        first_origin,
        last_origin,
        tip_l2_hash,
        body_hash,
        form: Form::of(form).map_err(rule)?,
    };
    header.check().map_err(rule)?;
    Ok((
        bytes(py, &header.encode()),
        bytes(py, &header.signing_hash()),
    ))
}

#[pyfunction]
fn encode_batch_object(
    py: Python<'_>,
    header: &[u8],
    leader_key: Bytes32,
    signature: Signature,
    body: &[u8],
) -> PyResult<Py<PyBytes>> {
    let encoded = py.detach(|| {
        let object = Object::Batch {
            header: BatchHeader::decode(header)?,
            leader_key,
            signature,
            body: body.to_vec(),
        };
        object.encode()
    });
    Ok(bytes(py, &encoded.map_err(rule)?))
}

#[pyfunction]
fn encode_commitment_object(
    py: Python<'_>,
    parent_tip: Bytes32,
    new_tip: Bytes32,
    block_count: u32,
    last_origin: u32,
    anchor_hash: Bytes32,
    signature: Signature,
) -> PyResult<(Py<PyBytes>, Py<PyBytes>)> {
    written(
        py,
        &Object::Commitment {
            parent_tip,
            new_tip,
            block_count,
            last_origin,
            anchor_hash,
            signature,
        },
    )
}

#[pyfunction]
fn encode_forced_object(py: Python<'_>, network: u8, payload: &[u8]) -> PyResult<Py<PyBytes>> {
    let payload = payload.to_vec();
    Ok(written(py, &Object::Forced { network, payload })?.0)
}

#[pyfunction]
fn encode_proof_object(
    py: Python<'_>,
    statement: u8,
    system: u8,
    public_values: &[u8],
    proof: &[u8],
) -> PyResult<Py<PyBytes>> {
    let object = Object::Proof {
        statement,
        system,
        public_values: public_values.to_vec(),
        proof: proof.to_vec(),
    };
    Ok(written(py, &object)?.0)
}

#[pyfunction]
fn encode_rotate_object(
    py: Python<'_>,
    network: u8,
    n: u32,
    key: Bytes32,
    signature: Signature,
) -> PyResult<(Py<PyBytes>, Py<PyBytes>)> {
    written(
        py,
        &Object::Rotate {
            network,
            n,
            key,
            signature,
        },
    )
}

#[pyfunction]
fn encode_upgrade_object(
    py: Python<'_>,
    network: u8,
    n: u32,
    rules: Bytes32,
    activation_height: u32,
    rotation_signature: Signature,
    upgrade_signature: Signature,
) -> PyResult<(Py<PyBytes>, Py<PyBytes>)> {
    written(
        py,
        &Object::Upgrade {
            network,
            n,
            rules,
            activation_height,
            rotation_signature,
            upgrade_signature,
        },
    )
}

#[pyfunction]
fn encode_chunk_object(
    py: Python<'_>,
    root: Bytes32,
    index: u8,
    count: u8,
    path: Vec<Bytes32>,
    content: &[u8],
) -> PyResult<Py<PyBytes>> {
    let object = Object::Chunk {
        root,
        index,
        count,
        path,
        bytes: content.to_vec(),
    };
    Ok(written(py, &object)?.0)
}

/// Root and paths of a series.
#[pyfunction]
#[allow(clippy::needless_pass_by_value)]
fn chunk_paths(py: Python<'_>, chunks: Vec<Vec<u8>>) -> PyResult<(Py<PyBytes>, Vec<Path>)> {
    let (root, paths) = py
        .detach(|| {
            let slices: Vec<&[u8]> = chunks.iter().map(Vec::as_slice).collect();
            chunk::build(&slices)
        })
        .map_err(rule)?;
    let paths = paths
        .into_iter()
        .map(|path| path.iter().map(|hash| bytes(py, hash)).collect())
        .collect();
    Ok((bytes(py, &root), paths))
}

/// Add everything here to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<BlockScan>()?;
    module.add_class::<RelevantTransaction>()?;
    module.add_function(wrap_pyfunction!(scan_block, module)?)?;
    module.add_function(wrap_pyfunction!(parse_object, module)?)?;
    module.add_function(wrap_pyfunction!(parse_envelope, module)?)?;
    module.add_function(wrap_pyfunction!(encode_batch_header, module)?)?;
    module.add_function(wrap_pyfunction!(encode_batch_object, module)?)?;
    module.add_function(wrap_pyfunction!(encode_commitment_object, module)?)?;
    module.add_function(wrap_pyfunction!(encode_forced_object, module)?)?;
    module.add_function(wrap_pyfunction!(encode_proof_object, module)?)?;
    module.add_function(wrap_pyfunction!(encode_rotate_object, module)?)?;
    module.add_function(wrap_pyfunction!(encode_upgrade_object, module)?)?;
    module.add_function(wrap_pyfunction!(encode_chunk_object, module)?)?;
    module.add_function(wrap_pyfunction!(chunk_paths, module)?)
}
