//! In the helper's process: runs a script over a transaction whose state the node tells on request.
use std::cell::RefCell;
use std::io::{self, Read, Write};

use alloy_primitives::{Address, Bytes, B256, U256};
use bedroll_core::state::{Account, Lookup, State, StateSource};
use bedroll_core::trie::{Path, SourceError, EMPTY_ROOT};
use revm::context_interface::cfg::gas::calculate_initial_tx_gas_for_tx;
use revm_inspectors::tracing::js::{JsInspector, JsInspectorError, RuntimeLimits};
use revm_inspectors::tracing::TransactionContext;

use super::super::style::Before;
use super::wire::{self, Task};

/// Rounds of one loop. It is there so that most endless loops end early; time and memory of the process are the bounds.
const LOOP_ROUNDS: u64 = 5_000_000;
/// Nested calls of functions; accessors that call themselves take the machine's stack too.
const NESTED_CALLS: usize = 128;
/// Of a frame from the node.
const FRAME_BYTES: usize = 256 << 20;
/// Of what a script says when it fails.
const ERROR_CHARACTERS: usize = 1_000;

/// The node at the other end.
struct Line<R, W>(RefCell<(R, W)>);

/// Runs tasks until the node hangs up.
///
/// # Errors
/// The node cannot be read or written.
pub fn serve(input: impl Read, output: impl Write) -> io::Result<()> {
    let line = Line(RefCell::new((input, output)));
    loop {
        let taken = wire::take(&mut line.0.borrow_mut().0, FRAME_BYTES);
        let (mark, body) = match taken {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
            other => other?,
        };
        if mark != wire::TASK {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let told = match serde_json::from_slice::<Task>(&body) {
            Ok(task) => run(&task, &line),
            Err(error) => Err(format!("task: {error}")),
        };
        let output = &mut line.0.borrow_mut().1;
        match told {
            Ok(json) => wire::put(output, wire::TOLD, &[&json])?,
            Err(text) => {
                let text: String = text.chars().take(ERROR_CHARACTERS).collect();
                wire::put(output, wire::FAILED, &[text.as_bytes()])?;
            }
        }
    }
}

fn run<R: Read, W: Write>(task: &Task, line: &Line<R, W>) -> Result<Vec<u8>, String> {
    let subject = task.subject();
    let intrinsic = calculate_initial_tx_gas_for_tx(&subject.env, subject.config.spec, None);
    let config = serde_json::Value::from(task.config.as_str());
    let code = format!(
        "{}({}\n, {config}, {})",
        include_str!("guard.js").trim_end(),
        task.code,
        intrinsic.initial_total_gas()
    );
    let mut inspector = JsInspector::new(code, serde_json::Value::Null).map_err(plain)?;
    let mut limits = RuntimeLimits::default();
    limits.set_loop_iteration_limit(LOOP_ROUNDS);
    limits.set_recursion_limit(NESTED_CALLS);
    inspector.set_runtime_limits(limits);
    inspector.set_transaction_context(TransactionContext {
        block_hash: task.block_hash,
        tx_index: task.index,
        tx_hash: task.hash,
    });
    let mut state = State::new(EMPTY_ROOT, Asked(line));
    let ran = subject.inspect(&mut state, &mut inspector);
    let ran = ran.map_err(|error| error.to_string())?;
    let before = Before::of(&mut state);
    let told = inspector.json_result(ran, &subject.env, &subject.block, &before);
    serde_json::to_vec(&told.map_err(plain)?).map_err(|error| error.to_string())
}

/// What went wrong in one line, without the engine's own places in it.
fn plain(error: JsInspectorError) -> String {
    let text = error.to_string();
    let line = text.lines().next().unwrap_or_default();
    let line = line.split(" (unknown at").next().unwrap_or_default();
    let line = line.trim_end_matches(" (native)");
    // The guard's own error is around what the script threw.
    let thrown = line.strip_prefix("Error: ");
    let thrown = thrown.filter(|_| line.contains("server-side tracer function"));
    let setup = line.strip_prefix("failed to call setup(): Error: ");
    thrown.or(setup).unwrap_or(line).into()
}

/// The state, as the node tells it.
struct Asked<'a, R, W>(&'a Line<R, W>);

impl<R: Read, W: Write> Asked<'_, R, W> {
    fn ask(&self, mark: u8, parts: &[&[u8]]) -> Result<Vec<u8>, SourceError> {
        let (input, output) = &mut *self.0 .0.borrow_mut();
        let asked = wire::put(output, mark, parts).and_then(|()| wire::take(input, FRAME_BYTES));
        match asked {
            Ok((wire::ANSWER, body)) => Ok(body),
            Ok((mark, _)) => Err(SourceError(format!("the node answered {mark}"))),
            Err(error) => Err(SourceError(error.to_string())),
        }
    }
}

impl<R: Read, W: Write> StateSource for Asked<'_, R, W> {
    fn account(&self, address: &Address) -> Result<Lookup<Option<Account>>, SourceError> {
        let flat = self.ask(wire::ACCOUNT, &[address.as_slice()])?;
        if flat.is_empty() {
            return Ok(Lookup::Known(None));
        }
        let account = Account::from_flat(&flat);
        let account = account.ok_or_else(|| SourceError("no account".into()))?;
        Ok(Lookup::Known(Some(account)))
    }

    fn slot(&self, address: &Address, slot: &U256) -> Result<Lookup<U256>, SourceError> {
        let slot = slot.to_be_bytes::<32>();
        let value = self.ask(wire::SLOT, &[address.as_slice(), &slot])?;
        let value = U256::try_from_be_slice(&value);
        Ok(Lookup::Known(
            value.ok_or_else(|| SourceError("no value".into()))?,
        ))
    }

    fn code(&self, hash: &B256) -> Result<Option<Bytes>, SourceError> {
        Ok(Some(self.ask(wire::CODE, &[hash.as_slice()])?.into()))
    }

    fn block_hash(&self, height: u64) -> Result<Option<B256>, SourceError> {
        let hash = self.ask(wire::BLOCK_HASH, &[&height.to_be_bytes()])?;
        Ok(B256::try_from(hash.as_slice()).ok())
    }

    fn node(
        &self,
        _owner: Option<&B256>,
        _path: &Path,
        _hash: &B256,
    ) -> Result<Option<Vec<u8>>, SourceError> {
        Ok(None)
    }
}
