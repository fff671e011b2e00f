//! Errors of the core as those of `bedroll.primitives`.
use bedroll_store::engine::EngineError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyType};

fn raise(name: &str, message: String, fields: &[(&str, String)]) -> PyErr {
    Python::attach(|py| {
        let build = || -> PyResult<PyErr> {
            let class = py.import("bedroll.primitives")?.getattr(name)?;
            let class = class.cast_into::<PyType>()?;
            let named = PyDict::new(py);
            for (field, value) in fields {
                named.set_item(field, value)?;
            }
            Ok(PyErr::from_value(class.call((message,), Some(&named))?))
        };
        build().unwrap_or_else(|error| error)
    })
}

/// `Invalid` with one word for the rule.
pub fn invalid(reason: &str, message: impl Into<String>) -> PyErr {
    raise("Invalid", message.into(), &[("reason", reason.into())])
}

/// `Unavailable`: the engine was closed.
pub fn closed() -> PyErr {
    raise("Unavailable", "the engine is closed".into(), &[])
}

/// What the engine answered.
pub fn of_engine(error: EngineError) -> PyErr {
    match error {
        EngineError::Invalid { reason, message } => invalid(reason, message),
        EngineError::Unavailable(message) => raise("Unavailable", message, &[]),
        EngineError::Corrupt(message) => raise("Corrupt", message, &[]),
        EngineError::Misconfigured {
            option,
            value,
            allowed,
        } => raise(
            "Misconfigured",
            format!("{option} {value} does not fit: {allowed}"),
            &[("option", option), ("value", value), ("allowed", allowed)],
        ),
    }
}
