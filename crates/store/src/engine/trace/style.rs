//! The ways in which a trace is told: geth's tracers, and Parity's.
use std::cell::RefCell;
use std::sync::Arc;

use alloy_primitives::{map::HashSet, Address, B256, U256};
use alloy_rpc_types_eth::TransactionInfo;
use alloy_rpc_types_trace::geth::{
    GethDebugBuiltInTracerType as BuiltIn, GethDebugTracerType as TracerType,
    GethDebugTracingOptions, GethTrace,
};
use alloy_rpc_types_trace::parity::{
    LocalizedTransactionTrace, TraceResults, TraceResultsWithTransactionHash, TraceType,
};
use bedroll_core::block::Block;
use bedroll_core::state::{State, StateError, StateSource};
use bedroll_core::stf::{CallError, Subject};
use revm::context::result::{EVMError, HaltReason, ResultAndState};
use revm::inspector::NoOpInspector;
use revm::state::{AccountInfo, Bytecode};
use revm::{Database, DatabaseRef};
use revm_inspectors::tracing::{
    DebugInspector, DebugInspectorError, TracingInspector, TracingInspectorConfig,
    TransactionContext,
};
use serde::Serialize;
use serde_json::value::RawValue;

use super::meter::{Meter, Metered, StepCost};
use super::output::Output;
use super::script::{Room, Script};
use super::EngineError;

/// Of a step's record, about, without its copies.
const STEP_BYTES: usize = 512;

/// How a trace is told.
#[derive(Debug, Clone)]
pub enum Style {
    /// By a tracer of geth's.
    Geth(Box<GethDebugTracingOptions>),
    /// By a tracer that a client wrote.
    Script(Arc<Script>),
    /// As `trace_replayTransaction` does.
    Replay(HashSet<TraceType>),
    /// As `trace_transaction` does: each call with its place in the chain.
    Flat,
}

impl Style {
    /// Reads geth's options from JSON. `command` starts the helper for tracers in JavaScript; none: there are none.
    ///
    /// # Errors
    /// They cannot be read, or ask for a tracer that there is not.
    pub fn geth(json: &str, command: &[String]) -> Result<Self, EngineError> {
        let mut options: GethDebugTracingOptions = serde_json::from_str(json)
            .map_err(|error| EngineError::invalid("tracer", format!("tracer options: {error}")))?;
        if let Some(TracerType::JsTracer(code)) = &options.tracer {
            // A script is never made in this process.
            if code.is_empty() {
                options.tracer = None;
            } else {
                let config = options.tracer_config.into_json();
                let config = if config.is_null() {
                    "{}".into()
                } else {
                    config.to_string()
                };
                return Ok(Self::Script(Arc::new(Script::new(code, &config, command)?)));
            }
        }
        let style = Self::Geth(Box::new(options));
        Tracer::new(&style)?;
        Ok(style)
    }

    /// Reads the names of Parity's parts.
    ///
    /// # Errors
    /// There is no such part.
    pub fn replay(parts: &[String]) -> Result<Self, EngineError> {
        let part = |name: &String| match name.as_str() {
            "trace" => Ok(TraceType::Trace),
            "vmTrace" => Ok(TraceType::VmTrace),
            "stateDiff" => Ok(TraceType::StateDiff),
            other => Err(EngineError::invalid(
                "tracer",
                format!("trace type {other:.40} is none of trace, vmTrace, stateDiff"),
            )),
        };
        Ok(Self::Replay(
            parts.iter().map(part).collect::<Result<_, _>>()?,
        ))
    }

    /// What a step costs in memory.
    pub(super) fn step_cost(&self) -> Result<StepCost, EngineError> {
        Ok(match self {
            Self::Flat | Self::Script(_) => StepCost::default(),
            Self::Replay(parts) => StepCost {
                fixed_bytes: if parts.contains(&TraceType::VmTrace) {
                    2 * STEP_BYTES
                } else {
                    0
                },
                ..StepCost::default()
            },
            Self::Geth(options) => match &options.tracer {
                Some(TracerType::BuiltInTracer(BuiltIn::Erc7562Tracer)) => whole_step(),
                Some(TracerType::BuiltInTracer(BuiltIn::MuxTracer)) => {
                    let config = options.tracer_config.clone().into_mux_config();
                    let inner = config.map(|mux| mux.0).unwrap_or_default();
                    let erc7562 = TracerType::BuiltInTracer(BuiltIn::Erc7562Tracer);
                    if inner.contains_key(&erc7562) {
                        whole_step()
                    } else {
                        StepCost::default()
                    }
                }
                Some(TracerType::BuiltInTracer(_)) => StepCost::default(),
                Some(TracerType::JsTracer(name)) if !name.is_empty() => return Err(no_javascript()),
                _ => StepCost {
                    fixed_bytes: STEP_BYTES,
                    stack: !options.config.disable_stack.unwrap_or_default(),
                    memory: options.config.is_memory_enabled(),
                    storage: !options.config.disable_storage.unwrap_or_default(),
                },
            },
        })
    }
}

fn whole_step() -> StepCost {
    StepCost {
        fixed_bytes: STEP_BYTES,
        stack: true,
        memory: true,
        storage: true,
    }
}

fn no_javascript() -> EngineError {
    EngineError::invalid("tracer", "JavaScript tracers are not enabled")
}

/// Where a transaction stands.
#[derive(Debug, Clone, Copy, Default)]
pub struct Place {
    block_hash: Option<B256>,
    height: Option<u64>,
    index: Option<usize>,
    hash: Option<B256>,
}

impl Place {
    pub fn of(block: &Block, index: usize, hash: B256) -> Self {
        Self {
            block_hash: Some(block.hash),
            height: Some(block.header.number),
            index: Some(index),
            hash: Some(hash),
        }
    }

    /// A call stands nowhere.
    pub fn none() -> Self {
        Self::default()
    }

    /// Hash of its block, position there, its hash.
    pub fn names(&self) -> (Option<B256>, Option<usize>, Option<B256>) {
        (self.block_hash, self.index, self.hash)
    }
}

/// What a tracer tells of one transaction.
pub enum Trace {
    Geth(Box<GethTrace>),
    Script(Box<RawValue>),
    Replay(Box<TraceResults>),
    Flat(Vec<LocalizedTransactionTrace>),
}

impl Trace {
    pub fn into_rows(self) -> Vec<LocalizedTransactionTrace> {
        match self {
            Self::Flat(rows) => rows,
            _ => vec![],
        }
    }
}

enum Eye<'a> {
    Geth(DebugInspector),
    /// Looks on in another process, afterwards: `Room` is what is left for that.
    Script(&'a Script, Option<Room>),
    Parity(TracingInspector),
}

/// Looks on while one transaction runs, and tells of it.
pub struct Tracer<'a> {
    eye: Eye<'a>,
    style: &'a Style,
}

impl<'a> Tracer<'a> {
    pub fn new(style: &'a Style) -> Result<Self, EngineError> {
        let eye = match style {
            Style::Geth(options) => Eye::Geth(DebugInspector::new((**options).clone()).map_err(
                |error| match error {
                    DebugInspectorError::JsTracerNotEnabled => no_javascript(),
                    other => EngineError::invalid("tracer", other.to_string()),
                },
            )?),
            Style::Script(script) => Eye::Script(script, None),
            Style::Replay(parts) => Eye::Parity(TracingInspector::new(
                TracingInspectorConfig::from_parity_config(parts),
            )),
            Style::Flat => Eye::Parity(TracingInspector::new(
                TracingInspectorConfig::default_parity(),
            )),
        };
        Ok(Self { eye, style })
    }

    /// Runs it; the state does not change.
    pub fn run<S: StateSource>(
        &mut self,
        subject: &Subject,
        state: &mut State<S>,
        meter: &mut Meter,
    ) -> Result<ResultAndState<HaltReason>, EngineError> {
        let ran = match &mut self.eye {
            Eye::Geth(inner) => subject.inspect(
                state,
                Metered {
                    inner,
                    meter: &mut *meter,
                },
            ),
            Eye::Script(_, room) => {
                *room = Some(meter.room());
                subject.inspect(
                    state,
                    Metered {
                        inner: &mut NoOpInspector,
                        meter: &mut *meter,
                    },
                )
            }
            Eye::Parity(inner) => subject.inspect(
                state,
                Metered {
                    inner,
                    meter: &mut *meter,
                },
            ),
        };
        meter.check()?;
        ran.map_err(|error: EVMError<_, _>| CallError::from(error).into())
    }

    /// Tells of it; the state is still the one before.
    pub fn finish<S: StateSource>(
        &mut self,
        place: &Place,
        subject: &Subject,
        ran: &ResultAndState<HaltReason>,
        state: &mut State<S>,
    ) -> Result<Trace, EngineError> {
        if let Eye::Script(script, Some(room)) = &self.eye {
            return Ok(Trace::Script(script.tell(subject, place, state, *room)?));
        }
        let mut before = Before::of(state);
        Ok(match (&mut self.eye, self.style) {
            (Eye::Script(..), _) => return Err(EngineError::invalid("tracer", "nothing was run")),
            (Eye::Geth(inspector), _) => {
                let context = TransactionContext {
                    block_hash: place.block_hash,
                    tx_index: place.index,
                    tx_hash: place.hash,
                };
                let told = inspector.get_result(
                    Some(context),
                    &subject.env,
                    &subject.block,
                    ran,
                    &mut before,
                );
                Trace::Geth(Box::new(told.map_err(|error| match error {
                    DebugInspectorError::Database(error) => EngineError::from(error),
                    other => EngineError::invalid("tracer", other.to_string()),
                })?))
            }
            (Eye::Parity(inspector), style) => {
                // Parity's root call has neither the gas that a transaction needs before it begins, nor what its
                // limit sets aside for that.
                let inspector = std::mem::replace(
                    inspector,
                    TracingInspector::new(TracingInspectorConfig::none()),
                );
                let builder = inspector.into_parity_builder();
                match style {
                    Style::Replay(parts) => Trace::Replay(Box::new(
                        builder.into_trace_results_with_state(ran, parts, &before)?,
                    )),
                    _ => Trace::Flat(builder.into_localized_transaction_traces(TransactionInfo {
                        hash: place.hash,
                        index: place.index.map(|index| index as u64),
                        block_hash: place.block_hash,
                        block_number: place.height,
                        ..TransactionInfo::default()
                    })),
                }
            }
        })
    }

    /// Writes the trace of the one transaction that was asked for.
    pub fn single(&self, trace: Trace, output: &mut Output) -> Result<(), EngineError> {
        match trace {
            Trace::Geth(trace) => output.value(&trace),
            Trace::Script(json) => output.value(&json),
            Trace::Replay(trace) => output.value(&trace),
            Trace::Flat(rows) => output.value(&rows),
        }
    }

    /// Writes the trace of one of a block's transactions.
    pub fn listed(
        &self,
        place: &Place,
        trace: Trace,
        output: &mut Output,
    ) -> Result<(), EngineError> {
        let hash = place.hash.unwrap_or_default();
        match trace {
            Trace::Geth(result) => output.item(&OfBlock {
                tx_hash: hash,
                result: &result,
            }),
            Trace::Script(result) => output.item(&OfBlock {
                tx_hash: hash,
                result: &result,
            }),
            Trace::Replay(full_trace) => output.item(&TraceResultsWithTransactionHash {
                full_trace: *full_trace,
                transaction_hash: hash,
            }),
            Trace::Flat(rows) => rows.iter().try_for_each(|row| output.item(row)),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OfBlock<'a, T> {
    tx_hash: B256,
    result: &'a T,
}

/// The state before a transaction, for tracers that compare with it.
pub struct Before<'a, S>(RefCell<&'a mut State<S>>);

impl<'a, S> Before<'a, S> {
    pub fn of(state: &'a mut State<S>) -> Self {
        Self(RefCell::new(state))
    }
}

impl<S: StateSource> DatabaseRef for Before<'_, S> {
    type Error = StateError;

    fn basic_ref(&self, address: Address) -> Result<Option<AccountInfo>, StateError> {
        self.0.borrow_mut().basic(address)
    }

    fn code_by_hash_ref(&self, code_hash: B256) -> Result<Bytecode, StateError> {
        self.0.borrow_mut().code_by_hash(code_hash)
    }

    fn storage_ref(&self, address: Address, index: U256) -> Result<U256, StateError> {
        self.0.borrow_mut().storage(address, index)
    }

    fn block_hash_ref(&self, number: u64) -> Result<B256, StateError> {
        self.0.borrow_mut().block_hash(number)
    }
}
