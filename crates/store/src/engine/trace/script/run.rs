//! In the node: starts the helper, answers it, ends it.
use std::fmt;
use std::io;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{self, Sender};
use std::sync::{Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use alloy_primitives::{Address, B256, U256};
use bedroll_core::state::{State, StateError, StateSource};
use bedroll_core::stf::Subject;
use bedroll_core::trie::EMPTY_ROOT;
use revm::Database;
use serde_json::value::RawValue;

use super::super::output::too_large;
use super::super::style::Place;
use super::wire::{self, Task};
use crate::engine::EngineError;

/// Of a script's text.
const CODE_BYTES: usize = 64 << 10;
/// Of its configuration, as JSON.
const CONFIG_BYTES: usize = 64 << 10;

/// Of what the helper asks, or says why it failed.
const QUESTION_BYTES: usize = 16 << 10;

/// When a trace has to have ended, and how large it may be.
#[derive(Debug, Clone, Copy)]
pub struct Room {
    pub end: Instant,
    pub seconds: f64,
    pub result_bytes: usize,
}

/// A client's tracer, for one request.
pub struct Script {
    code: String,
    config: String,
    command: Vec<String>,
    helper: Mutex<Option<Helper>>,
}

impl Script {
    /// `command` starts a process that calls [`super::serve`] on its standard input and output.
    ///
    /// # Errors
    /// There is no command, or the script is too long.
    pub fn new(code: &str, config: &str, command: &[String]) -> Result<Self, EngineError> {
        let refused = |text: String| Err(EngineError::invalid("tracer", text));
        if cfg!(not(feature = "scripts")) {
            return refused(
                "this build has no JavaScript tracers (cargo feature `scripts`)".into(),
            );
        }
        if command.is_empty() {
            return refused("JavaScript tracers are not enabled".into());
        }
        if code.len() > CODE_BYTES || config.len() > CONFIG_BYTES {
            let (code, config) = (code.len(), config.len());
            return refused(format!(
                "a tracer of {code} bytes with a configuration of {config}, at most {CODE_BYTES} and {CONFIG_BYTES}"
            ));
        }
        Ok(Self {
            code: code.into(),
            config: config.into(),
            command: command.into(),
            helper: Mutex::default(),
        })
    }

    /// What the script tells of a transaction; the state is the one before.
    ///
    /// # Errors
    /// The script fails (`tracer`) or reaches a bound (`limit`), or the store cannot be read.
    pub fn tell<S: StateSource>(
        &self,
        subject: &Subject,
        place: &Place,
        state: &mut State<S>,
        room: Room,
    ) -> Result<Box<RawValue>, EngineError> {
        let mut task = Task::of(&self.code, &self.config, room.result_bytes, subject);
        (task.block_hash, task.index, task.hash) = place.names();
        let task = serde_json::to_vec(&task)
            .map_err(|error| EngineError::Corrupt(format!("a task cannot be written: {error}")))?;
        let mut held = self.helper.lock().unwrap_or_else(PoisonError::into_inner);
        let mut helper = match held.take() {
            Some(helper) => helper,
            None => Helper::start(&self.command, room)?,
        };
        match helper.serve(&task, state, room.result_bytes) {
            Ok(Told::Json(json)) => {
                *held = Some(helper);
                serde_json::from_slice(&json).map_err(|_| helper_gone())
            }
            Ok(Told::Failed(text)) => Err(EngineError::invalid("tracer", text)),
            Ok(Told::TooLarge) => Err(too_large("a trace", room.result_bytes)),
            Err(Broken::State(error)) => Err(error.into()),
            Err(Broken::Pipe) => Err(helper.why_gone(room)),
        }
    }
}

impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Script({} bytes)", self.code.len())
    }
}

enum Told {
    Json(Vec<u8>),
    Failed(String),
    TooLarge,
}

enum Broken {
    State(StateError),
    /// The helper is gone, or speaks another language.
    Pipe,
}

impl From<io::Error> for Broken {
    fn from(_: io::Error) -> Self {
        Self::Pipe
    }
}

impl From<StateError> for Broken {
    fn from(error: StateError) -> Self {
        Self::State(error)
    }
}

/// A process that runs scripts, and the thread that ends it.
struct Helper {
    input: ChildStdin,
    output: ChildStdout,
    /// Dropped, it ends the process.
    leash: Option<Sender<()>>,
    /// Says whether the time was over.
    watch: Option<JoinHandle<bool>>,
}

impl Helper {
    fn start(command: &[String], room: Room) -> Result<Self, EngineError> {
        let unavailable =
            |error: io::Error| EngineError::Unavailable(format!("no helper for scripts: {error}"));
        let (program, arguments) = command
            .split_first()
            .ok_or_else(|| EngineError::Unavailable("no helper for scripts".into()))?;
        let mut child = Command::new(program)
            .args(arguments)
            .arg((room.seconds.ceil() as u64 + 1).to_string())
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(unavailable)?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(EngineError::Unavailable(
                "a helper without its pipes".into(),
            ));
        };
        let (leash, told) = mpsc::channel::<()>();
        let watch = thread::Builder::new()
            .name("script-watch".into())
            .spawn(move || {
                let left = room.end.saturating_duration_since(Instant::now());
                let late = told.recv_timeout(left) == Err(mpsc::RecvTimeoutError::Timeout);
                end(&mut child);
                late
            })
            .map_err(unavailable)?;
        Ok(Self {
            input,
            output,
            leash: Some(leash),
            watch: Some(watch),
        })
    }

    /// Hands a task in and answers what is asked until it is done.
    fn serve<S: StateSource>(
        &mut self,
        task: &[u8],
        state: &mut State<S>,
        result_bytes: usize,
    ) -> Result<Told, Broken> {
        wire::put(&mut self.input, wire::TASK, &[task])?;
        loop {
            let taken = wire::take(&mut self.output, result_bytes.max(QUESTION_BYTES));
            let (mark, body) = match taken {
                Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                    return Ok(Told::TooLarge)
                }
                other => other?,
            };
            let answer = match mark {
                wire::TOLD if body.len() > result_bytes => return Ok(Told::TooLarge),
                wire::TOLD => return Ok(Told::Json(body)),
                wire::FAILED => {
                    return Ok(Told::Failed(String::from_utf8_lossy(&body).into_owned()))
                }
                _ => answer(mark, &body, state)?,
            };
            wire::put(&mut self.input, wire::ANSWER, &[&answer])?;
        }
    }

    fn why_gone(mut self, room: Room) -> EngineError {
        // It may have closed its pipe because it was ended: then the clock says so.
        if self.stop() || Instant::now() >= room.end {
            let text = format!("execution timeout: a trace may take {} s", room.seconds);
            return EngineError::invalid("limit", text);
        }
        helper_gone()
    }

    /// Ends the process; whether its time was over before.
    fn stop(&mut self) -> bool {
        self.leash = None;
        self.watch
            .take()
            .is_some_and(|watch| watch.join().unwrap_or(false))
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        self.stop();
    }
}

fn helper_gone() -> EngineError {
    let text = "the tracer's script took more memory, stack or time than it may have";
    EngineError::invalid("limit", text)
}

/// Starts a helper and hands in nothing that it could do.
#[cfg(test)]
pub fn try_out(command: &[String], room: Room) -> Result<(), EngineError> {
    let mut state = State::new(EMPTY_ROOT, bedroll_core::state::MemorySource::default());
    let mut helper = Helper::start(command, room)?;
    match helper.serve(b"{}", &mut state, room.result_bytes) {
        Ok(_) => Ok(()),
        Err(_) => Err(helper.why_gone(room)),
    }
}

fn end(child: &mut Child) {
    // It may have ended by itself; either way it is waited for.
    let _ = child.kill();
    let _ = child.wait();
}

/// What the state says.
fn answer<S: StateSource>(mark: u8, body: &[u8], state: &mut State<S>) -> Result<Vec<u8>, Broken> {
    Ok(match (mark, body.len()) {
        (wire::ACCOUNT, 20) => {
            let address = Address::from_slice(body);
            let has_storage = state.has_storage(&address)?;
            state
                .account(&address)?
                .map_or_else(Vec::new, |mut account| {
                    // A root says nothing but whether there are slots: flat values answer for them.
                    account.storage_root = if has_storage {
                        B256::repeat_byte(0xff)
                    } else {
                        EMPTY_ROOT
                    };
                    account.to_flat()
                })
        }
        (wire::SLOT, 52) => {
            let (address, slot) = body.split_at(20);
            let slot = U256::try_from_be_slice(slot).unwrap_or_default();
            let value = state.slot(&Address::from_slice(address), &slot)?;
            value.to_be_bytes_vec()
        }
        (wire::CODE, 32) => state
            .code(&B256::from_slice(body))?
            .original_bytes()
            .to_vec(),
        (wire::BLOCK_HASH, 8) => {
            let height = body
                .iter()
                .fold(0, |height, byte| height << 8 | u64::from(*byte));
            state.block_hash(height)?.to_vec()
        }
        _ => return Err(Broken::Pipe),
    })
}
