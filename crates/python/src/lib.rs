//! Python face of the core: conversion, errors, the interpreter lock released around work.

use pyo3::prelude::*;

mod batch;
mod block;
mod convert;
mod da;
mod desk;
mod engine;
mod error;
mod lane;
mod pool;
mod program;
mod riscv;
mod settlement;
mod store;
mod trace;
mod transaction;
mod view;

/// A full block allocates some hundred thousand rows, nodes and records, and gives them back on another thread.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    transaction::register(module)?;
    block::register(module)?;
    view::register(module)?;
    engine::register(module)?;
    pool::register(module)?;
    desk::register(module)?;
    lane::register(module)?;
    da::register(module)?;
    batch::register(module)?;
    program::register(module)?;
    riscv::register(module)?;
    module.add_function(wrap_pyfunction!(trace::serve_scripts, module)?)?;
    settlement::register(module)?;
    store::register(module)
}
