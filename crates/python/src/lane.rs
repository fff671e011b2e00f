//! The lane: a thread that answers plain requests without the interpreter, and the log it writes to.
use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::net::TcpStream;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bedroll_front::{Heads, Journal, Lane as CoreLane};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyBytes;

use crate::convert::bytes;
use crate::desk::{Desk, TransactionList};

/// A descriptor of our own for what one of the interpreter's stands for.
fn own(descriptor: i32) -> io::Result<OwnedFd> {
    if descriptor < 0 {
        return Err(io::Error::from(io::ErrorKind::InvalidInput));
    }
    // SAFETY: whoever calls holds it open meanwhile, and it is not -1.
    unsafe { BorrowedFd::borrow_raw(descriptor) }.try_clone_to_owned()
}

/// The end of a log to which the interpreter and a lane append.
#[pyclass(frozen, module = "bedroll._core._native")]
pub struct LogEnd(Arc<Journal>);

#[pymethods]
impl LogEnd {
    #[new]
    fn new(descriptor: i32, size_bytes: u64) -> PyResult<Self> {
        let file = File::from(own(descriptor)?);
        Ok(Self(Arc::new(Journal::new(file, size_bytes))))
    }

    #[getter]
    fn size_bytes(&self) -> u64 {
        self.0.size()
    }

    #[pyo3(signature = (records, *, sync))]
    #[allow(clippy::needless_pass_by_value)]
    fn append(&self, py: Python<'_>, records: Vec<PyBackedBytes>, sync: bool) -> PyResult<()> {
        let all = || records.iter().map(AsRef::as_ref);
        Ok(py.detach(|| self.0.append(all(), sync))?)
    }

    fn replace(
        &self,
        py: Python<'_>,
        descriptor: i32,
        size_bytes: u64,
        aside: PathBuf,
        path: PathBuf,
        start: u64,
    ) -> PyResult<()> {
        let file = File::from(own(descriptor)?);
        let replaced = py.detach(|| self.0.replace(file, size_bytes, &aside, &path, start));
        Ok(replaced?)
    }
}

/// A thread that answers plain requests of connections that are lent to it.
#[pyclass(frozen, module = "bedroll._core._native")]
pub struct Lane(CoreLane);

type Returned<'py> = (u64, Bound<'py, PyBytes>, Bound<'py, PyBytes>, bool, bool);
type Counted = (
    String,
    HashMap<&'static str, u32>,
    HashMap<&'static str, u32>,
);

#[pymethods]
impl Lane {
    #[new]
    fn new(desk: &Desk, log: Option<&LogEnd>, bell: i32, idle_seconds: f64) -> PyResult<Self> {
        let journal = log.map(|log| log.0.clone());
        let idle = Duration::try_from_secs_f64(idle_seconds).unwrap_or(Duration::MAX);
        let bell = File::from(own(bell)?);
        let lane = CoreLane::start(desk.0.clone(), journal, bell, idle)?;
        Ok(Self(lane))
    }

    fn announce(&self, latest: u64, safe: u64, finalized: u64, sends: bool) {
        let heads = Heads {
            latest,
            safe,
            finalized,
        };
        self.0.announce(heads, sends);
    }

    fn take(&self, token: u64, descriptor: i32, client: &str) -> PyResult<()> {
        self.0
            .take(token, TcpStream::from(own(descriptor)?), client);
        Ok(())
    }

    fn drop(&self, token: u64) {
        self.0.drop_line(token);
    }

    fn shut(&self, client: &str) {
        self.0.shut(client);
    }

    fn collect<'py>(
        &self,
        py: Python<'py>,
        gathers: bool,
    ) -> (Vec<Returned<'py>>, TransactionList) {
        let (returned, taken) = self.0.collect(gathers);
        let returned = returned.into_iter().map(|one| {
            let (unread, unsent) = (bytes(py, one.unread), bytes(py, one.unsent));
            (one.token, unread, unsent, one.is_declined, one.is_idle)
        });
        (returned.collect(), TransactionList(taken))
    }

    fn count(&self) -> (Vec<Counted>, f64) {
        let (counts, spent) = self.0.count();
        let counted = counts.into_iter().map(|(client, methods)| {
            let (mut good, mut bad) = (HashMap::new(), HashMap::new());
            for (name, (answered, refused)) in methods {
                if answered > 0 {
                    good.insert(name, answered);
                }
                if refused > 0 {
                    bad.insert(name, refused);
                }
            }
            (client.to_string(), good, bad)
        });
        (counted.collect(), spent.as_secs_f64())
    }

    fn stop(&self, py: Python<'_>) {
        py.detach(|| self.0.stop());
    }
}

/// Adds everything here to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<LogEnd>()?;
    module.add_class::<Lane>()
}
