//! The same for Python, the interpreter lock released around work.
use pyo3::prelude::*;

use crate::{is_compressed_valid, is_groth16_valid, program_name, published_circuit};

#[pyfunction]
fn verify_compressed(py: Python<'_>, program: &[u8], public_values: &[u8], proof: &[u8]) -> bool {
    py.detach(|| is_compressed_valid(program, public_values, proof))
}

#[pyfunction]
fn verify_groth16(
    py: Python<'_>,
    program: &[u8],
    circuit: &[u8],
    public_values: &[u8],
    proof: &[u8],
) -> bool {
    py.detach(|| is_groth16_valid(program, circuit, public_values, proof))
}

#[pyfunction]
#[pyo3(name = "program_name")]
fn name_of_program(program: &[u8]) -> Option<String> {
    program_name(program)
}

#[pyfunction]
#[pyo3(name = "published_circuit")]
fn circuit() -> &'static [u8] {
    published_circuit()
}

#[pymodule]
fn _proof(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(verify_compressed, module)?)?;
    module.add_function(wrap_pyfunction!(verify_groth16, module)?)?;
    module.add_function(wrap_pyfunction!(name_of_program, module)?)?;
    module.add_function(wrap_pyfunction!(circuit, module)?)
}
