//! The proved program: its input from an engine, and the program itself as Python runs it.
use alloy_primitives::Bytes;
use bedroll_core::program::{self, BatchPart, Input, Job, Statement, Verdict};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::block::Origin;
use crate::convert::bytes;
use crate::engine::Engine;
use crate::error::{invalid, of_engine};

/// Accounts that may lie between an earlier parent and the tip.
const CHANGES_MAX: usize = 100_000;

/// Input of the program for a batch (`header`, `body`), or for automatic blocks of all `origins`, upon the block at
/// `parent` or the tip; and its statement.
#[pyfunction]
#[pyo3(signature = (engine, origins, *, header = None, body = None, signatures = None, parent = None, changes_max = CHANGES_MAX))]
#[allow(clippy::too_many_arguments)]
#[allow(clippy::needless_pass_by_value)]
fn program_input<'py>(
    py: Python<'py>,
    engine: &Engine,
    origins: Vec<PyRef<'_, Origin>>,
    header: Option<Vec<u8>>,
    body: Option<Vec<u8>>,
    signatures: Option<Vec<u8>>,
    parent: Option<u64>,
    changes_max: usize,
) -> PyResult<(Bound<'py, PyBytes>, Bound<'py, PyBytes>)> {
    let engine = engine.get()?;
    let origins: Vec<_> = origins.iter().map(|origin| origin.0.clone()).collect();
    let job = match header {
        None => Job::Automatic,
        Some(header) => Job::Batch(BatchPart {
            header: Bytes::from(header),
            body: Bytes::from(body.unwrap_or_default()),
            signatures: Bytes::from(signatures.unwrap_or_default()),
        }),
    };
    let ran = py.detach(|| engine.program_input(job, &origins, parent, changes_max));
    let (input, statement) = ran.map_err(of_engine)?;
    Ok((bytes(py, input.encode()), bytes(py, statement.encode())))
}

/// Run the program over the bytes of its input: the bytes of its statement.
#[pyfunction]
fn run_program<'py>(py: Python<'py>, input: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
    let ran = py.detach(|| {
        let input = Input::decode(input).map_err(|error| error.to_string())?;
        program::run(input).map_err(|error| error.to_string())
    });
    let statement = ran.map_err(|error| invalid("proof", error))?;
    Ok(bytes(py, statement.encode()))
}

/// What a statement says, by name.
#[pyclass(frozen, name = "Statement", module = "bedroll._core._native")]
struct PyStatement(Statement);

#[pymethods]
impl PyStatement {
    #[staticmethod]
    fn decode(encoded: &[u8]) -> PyResult<Self> {
        let decoded = Statement::decode(encoded);
        Ok(Self(
            decoded.map_err(|error| invalid("statement", error.0))?,
        ))
    }

    #[getter]
    fn network(&self) -> u8 {
        self.0.network
    }

    #[getter]
    fn rules<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        bytes(py, self.0.rules.as_slice())
    }

    #[getter]
    fn header_id<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        bytes(py, self.0.header_id.as_slice())
    }

    #[getter]
    fn parent<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        bytes(py, self.0.parent.as_slice())
    }

    #[getter]
    fn parent_facts<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        bytes(py, self.0.parent_facts.as_slice())
    }

    #[getter]
    fn l1<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        bytes(py, self.0.l1.as_slice())
    }

    #[getter]
    fn queue_before(&self) -> (u64, u64) {
        (self.0.queue_before.enqueued, self.0.queue_before.done)
    }

    #[getter]
    fn queue_after(&self) -> (u64, u64) {
        (self.0.queue_after.enqueued, self.0.queue_after.done)
    }

    #[getter]
    fn tip<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyBytes>> {
        match self.0.verdict {
            Verdict::Accepted { tip, .. } => Some(bytes(py, tip.as_slice())),
            Verdict::Rejected(_) => None,
        }
    }

    #[getter]
    fn rejection(&self) -> Option<u8> {
        match self.0.verdict {
            Verdict::Accepted { .. } => None,
            Verdict::Rejected(rejection) => Some(rejection as u8),
        }
    }
}

/// Add everything here to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyStatement>()?;
    module.add_function(wrap_pyfunction!(program_input, module)?)?;
    module.add_function(wrap_pyfunction!(run_program, module)?)
}
