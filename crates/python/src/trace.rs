//! Bounds of traces.
use std::time::Duration;

use bedroll_store::engine::TraceBounds;
use pyo3::prelude::*;

use crate::error::invalid;

/// Bounds from plain values.
pub fn bounds(result_bytes: usize, seconds: f64) -> PyResult<TraceBounds> {
    let time = Duration::try_from_secs_f64(seconds)
        .map_err(|error| invalid("seconds", format!("seconds {seconds}: {error}")))?;
    Ok(TraceBounds { result_bytes, time })
}
