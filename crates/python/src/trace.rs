//! Bounds of traces, and the helper's process for those that clients wrote.
use std::fs::File;
use std::io::{self, BufReader};
use std::os::fd::AsFd;
use std::time::Duration;

use bedroll_store::engine::{serve_scripts as serve, TraceBounds};
use pyo3::prelude::*;

use crate::error::invalid;

/// Bounds from plain values.
pub fn bounds(result_bytes: usize, seconds: f64) -> PyResult<TraceBounds> {
    let time = Duration::try_from_secs_f64(seconds)
        .map_err(|error| invalid("seconds", format!("seconds {seconds}: {error}")))?;
    Ok(TraceBounds { result_bytes, time })
}

/// Runs tracers in JavaScript for the node at standard input and output, until it hangs up.
#[pyfunction]
pub fn serve_scripts(py: Python<'_>) -> PyResult<()> {
    py.detach(|| {
        let input = File::from(io::stdin().as_fd().try_clone_to_owned()?);
        let output = File::from(io::stdout().as_fd().try_clone_to_owned()?);
        Ok(serve(BufReader::new(input), output)?)
    })
}
