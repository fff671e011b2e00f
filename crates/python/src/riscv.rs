//! The RISC-V machine and its traces.

use std::sync::Arc;

use bedroll_core::riscv::dependence;
use bedroll_core::riscv::elf::{self, Program, Refused};
use bedroll_core::riscv::profile;
use bedroll_core::riscv::row::{Read, Row};
use bedroll_core::riscv::trace::{self, Outcome, Trace, EXPONENT_MAX};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use crate::da::bytes;

pyo3::import_exception!(bedroll.primitives, Invalid);

type OutcomeTuple = (&'static str, u32, u32, &'static str, u32);
type SectionTuple = (String, &'static str, u32, u32, Option<Vec<u32>>);
type HotspotTuple = (u32, &'static str, u64);
type ReadTuple = (u32, u32, u32);
/// (caller, address, calls, steps).
type NodeTuple = (u32, u32, u64, u64);
type ProfileTuple = (OutcomeTuple, Vec<HotspotTuple>, u64, u32, Vec<NodeTuple>);
type RowTuple = (u32, [ReadTuple; 3], (u32, u32), (u32, u32), u32, u32);

fn refuse(why: Refused) -> PyErr {
    Python::attach(|py| {
        let build = || -> PyResult<PyErr> {
            let fields = PyDict::new(py);
            fields.set_item("value", why.value)?;
            fields.set_item("limit", why.limit)?;
            let class = py.import("bedroll.primitives")?.getattr("Invalid")?;
            Ok(PyErr::from_value(class.call((why.reason,), Some(&fields))?))
        };
        build().unwrap_or_else(|error| error)
    })
}

/// (kind, step, result or program counter, trap, what it asked for).
fn outcome(found: Outcome) -> OutcomeTuple {
    match found {
        Outcome::Halted { step, result } => ("halted", step, result, "", 0),
        Outcome::Running { step } => ("running", step, 0, "", 0),
        Outcome::Trapped { step, pc, trap } => {
            let (name, value) = trap.parts();
            ("trapped", step, pc, name, value)
        }
    }
}

const fn read(found: Read) -> ReadTuple {
    (found.addr, found.value, found.last_step)
}

const fn row(found: Row) -> RowTuple {
    (
        found.step,
        [read(found.read_1), read(found.read_2), read(found.read_3)],
        (found.read_pc.addr, found.read_pc.opcode),
        (found.write.addr, found.write.value),
        found.write_pc,
        found.witness,
    )
}

/// A program of an ELF file.
#[pyclass(frozen, module = "bedroll._core._native")]
struct RiscvProgram {
    program: Arc<Program>,
    #[pyo3(get)]
    entry: u32,
    #[pyo3(get)]
    input_size: u32,
}

impl RiscvProgram {
    /// Address, mnemonic and count of the instructions whose count is not 0.
    fn spots(&self, counts: &[u64]) -> Vec<HotspotTuple> {
        let code = self.program.code();
        let words = code.content.as_deref().unwrap_or_default();
        let rows = (code.start..).step_by(4).zip(words).zip(counts);
        rows.filter(|(_, count)| **count > 0)
            .map(|((pc, word), count)| (pc, riscv_mnemonic(*word), *count))
            .collect()
    }
}

#[pymethods]
impl RiscvProgram {
    #[new]
    fn new(py: Python<'_>, raw: &[u8]) -> PyResult<Self> {
        let program = py.detach(|| Program::parse(raw)).map_err(refuse)?;
        Ok(Self {
            entry: program.entry,
            input_size: program.input_size(),
            program: Arc::new(program),
        })
    }

    fn sections(&self) -> Vec<SectionTuple> {
        let sections = self.program.sections.iter();
        sections
            .map(|section| {
                let content = section.content.clone();
                (
                    section.name.clone(),
                    section.kind.name(),
                    section.start,
                    section.size,
                    content,
                )
            })
            .collect()
    }

    fn run(&self, py: Python<'_>, input: &[u8], limit: u32) -> PyResult<OutcomeTuple> {
        let found = py.detach(|| trace::run(&self.program, input, limit));
        Ok(outcome(found.map_err(refuse)?))
    }

    fn dependence(
        &self,
        py: Python<'_>,
        input: &[u8],
        limit: u32,
    ) -> PyResult<(OutcomeTuple, Vec<HotspotTuple>)> {
        let found = py
            .detach(|| dependence::dependence(&self.program, input, limit))
            .map_err(refuse)?;
        Ok((outcome(found.outcome), self.spots(&found.steps)))
    }

    fn profile(&self, py: Python<'_>, input: &[u8], limit: u32) -> PyResult<ProfileTuple> {
        let found = py
            .detach(|| profile::profile(&self.program, input, limit))
            .map_err(refuse)?;
        let start = self.program.code().start;
        let calls = found
            .calls
            .iter()
            .map(|node| (node.caller, start + 4 * node.index, node.calls, node.steps))
            .collect();
        Ok((
            outcome(found.outcome),
            self.spots(&found.steps),
            found.words_touched,
            found.stack_bytes,
            calls,
        ))
    }
}

/// A recorded run.
#[pyclass(frozen, module = "bedroll._core._native")]
struct RiscvTrace {
    trace: Trace,
}

#[pymethods]
impl RiscvTrace {
    #[new]
    #[pyo3(signature = (program, input, *, instance_id, exponent))]
    fn new(
        py: Python<'_>,
        program: &RiscvProgram,
        input: &[u8],
        instance_id: &[u8],
        exponent: u32,
    ) -> PyResult<Self> {
        let id = <[u8; 32]>::try_from(instance_id).map_err(|_| {
            Invalid::new_err(format!(
                "an instance id has 32 bytes, not {}",
                instance_id.len()
            ))
        })?;
        if exponent > EXPONENT_MAX {
            return Err(Invalid::new_err(format!(
                "T is at most {EXPONENT_MAX}, not {exponent}"
            )));
        }
        let program = Arc::clone(&program.program);
        let trace = py
            .detach(|| Trace::record(&program, input, &id, exponent))
            .map_err(refuse)?;
        Ok(Self { trace })
    }

    #[getter]
    fn exponent(&self) -> u32 {
        self.trace.exponent()
    }

    #[getter]
    fn last_step(&self) -> u32 {
        self.trace.last_step()
    }

    fn outcome(&self) -> OutcomeTuple {
        outcome(self.trace.outcome())
    }

    fn hash_at(&self, py: Python<'_>, step: u32) -> PyResult<Py<PyBytes>> {
        let found = py.detach(|| self.trace.hash_at(step));
        let hash = found.ok_or_else(|| self.absent(step))?;
        Ok(bytes(py, &hash.to_bytes()))
    }

    fn row_at(&self, py: Python<'_>, step: u32) -> PyResult<RowTuple> {
        let found = py.detach(|| self.trace.row_at(step));
        Ok(row(found.ok_or_else(|| self.absent(step))?))
    }
}

impl RiscvTrace {
    fn absent(&self, step: u32) -> PyErr {
        refuse(Refused {
            reason: "the run has no such step",
            value: step.into(),
            limit: self.trace.last_step().into(),
        })
    }
}

/// Mnemonic of an instruction word; "illegal" where it is none.
#[pyfunction]
fn riscv_mnemonic(word: u32) -> &'static str {
    bedroll_core::riscv::decode::decode(word, 0).op.name()
}

/// Functions that an ELF file names: (name, start, size).
#[pyfunction]
fn riscv_symbols(raw: &[u8]) -> PyResult<Vec<(String, u32, u32)>> {
    let found = elf::symbols(raw).map_err(refuse)?;
    Ok(found
        .into_iter()
        .map(|symbol| (symbol.name, symbol.start, symbol.size))
        .collect())
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<RiscvProgram>()?;
    module.add_class::<RiscvTrace>()?;
    module.add_function(wrap_pyfunction!(riscv_mnemonic, module)?)?;
    module.add_function(wrap_pyfunction!(riscv_symbols, module)?)
}
