//! JSON that ends in an error where it would become too long.
use std::io::{self, Write};

use serde::Serialize;

use super::EngineError;

/// The answer as far as it is written.
pub struct Output {
    bytes: Vec<u8>,
    limit: usize,
    first: bool,
}

impl Output {
    pub fn new(limit: usize) -> Self {
        Self {
            bytes: Vec::new(),
            limit,
            first: true,
        }
    }

    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Writes one value.
    pub fn value(&mut self, value: &impl Serialize) -> Result<(), EngineError> {
        serde_json::to_writer(&mut *self, value).map_err(|error| {
            if error.is_io() {
                too_large("a trace", self.limit)
            } else {
                EngineError::Corrupt(format!("a trace cannot be written: {error}"))
            }
        })
    }

    /// Writes what stands in a list.
    pub fn list(
        &mut self,
        fill: impl FnOnce(&mut Self) -> Result<(), EngineError>,
    ) -> Result<(), EngineError> {
        self.bytes.push(b'[');
        self.first = true;
        fill(self)?;
        self.bytes.push(b']');
        Ok(())
    }

    /// Writes the next value of a list.
    pub fn item(&mut self, value: &impl Serialize) -> Result<(), EngineError> {
        self.separate();
        self.value(value)
    }

    /// Writes what stands between the values of a list; the next value follows.
    pub fn separate(&mut self) {
        if !self.first {
            self.bytes.push(b',');
        }
        self.first = false;
    }
}

impl Write for Output {
    fn write(&mut self, more: &[u8]) -> io::Result<usize> {
        if more.len() > self.limit.saturating_sub(self.bytes.len()) {
            return Err(io::Error::other("limit"));
        }
        self.bytes.extend_from_slice(more);
        Ok(more.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

pub(super) fn too_large(what: &str, limit: usize) -> EngineError {
    let text = format!("{what} has more than {limit} bytes: trace less, or with fewer details");
    EngineError::invalid("limit", text)
}
