//! Python face of the core: conversion, errors, the interpreter lock released around work.

use pyo3::prelude::*;

mod da;

#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    da::register(module)
}
