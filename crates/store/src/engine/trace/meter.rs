//! Bounds on what a trace may hold in memory and how long it may take: a bomb ends in an error.
use std::time::{Duration, Instant};

use alloy_primitives::{map::HashMap, map::HashSet, Address, Log, U256};
use revm::bytecode::opcode;
use revm::context_interface::{ContextError, ContextTr, JournalTr};
use revm::interpreter::interpreter_types::{InputsTr, Jumps, LoopControl, MemoryTr};
use revm::interpreter::{CallInputs, CallOutcome, CreateInputs, CreateOutcome, Interpreter};
use revm::Inspector;

use super::output::too_large;
use super::script::Room;
use super::style::Style;
use super::{end_of, EngineError, TraceBounds};

/// Memory that may be held for every byte of an answer: records are wider than what is written of them.
const RECORDED_PER_BYTE: usize = 4;
/// Of a frame's record, about.
const FRAME_BYTES: usize = 1_536;
/// Of a slot in a step's copy of the storage, about.
const SLOT_BYTES: usize = 96;
/// Steps between two looks at the clock.
const STEPS_A_LOOK: u64 = 4_096;

/// What a step's record holds.
#[derive(Debug, Clone, Copy, Default)]
pub struct StepCost {
    /// In any case; 0: steps are not recorded.
    pub fixed_bytes: usize,
    pub stack: bool,
    pub memory: bool,
    pub storage: bool,
}

/// Counts while one request runs.
#[derive(Debug)]
pub struct Meter {
    cost: StepCost,
    recorded: usize,
    limit: usize,
    result_bytes: usize,
    end: Instant,
    seconds: f64,
    steps: u64,
    slots: HashMap<Address, HashSet<U256>>,
    over: Option<Over>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Over {
    Size,
    Time,
}

impl Meter {
    pub fn new(bounds: &TraceBounds, style: &Style) -> Result<Self, EngineError> {
        Ok(Self {
            cost: style.step_cost()?,
            recorded: 0,
            limit: bounds.result_bytes.saturating_mul(RECORDED_PER_BYTE),
            result_bytes: bounds.result_bytes,
            end: end_of(bounds),
            seconds: bounds.time.as_secs_f64(),
            steps: 0,
            slots: HashMap::default(),
            over: None,
        })
    }

    /// For what is not recorded: time alone is bounded.
    pub fn of_time(time: Duration) -> Self {
        Self {
            cost: StepCost::default(),
            recorded: 0,
            limit: usize::MAX,
            result_bytes: usize::MAX,
            end: Instant::now() + time,
            seconds: time.as_secs_f64(),
            steps: 0,
            slots: HashMap::default(),
            over: None,
        }
    }

    /// What is left for what runs elsewhere.
    pub fn room(&self) -> Room {
        Room {
            end: self.end,
            seconds: self.seconds,
            result_bytes: self.result_bytes,
        }
    }

    /// Sees whether the time is over, between two runs.
    pub fn look_at_clock(&mut self) {
        if Instant::now() > self.end {
            self.over = Some(Over::Time);
        }
    }

    /// The bound that was reached, if one was.
    pub fn check(&self) -> Result<(), EngineError> {
        match self.over {
            None => Ok(()),
            Some(Over::Size) => Err(too_large("a trace", self.result_bytes)),
            Some(Over::Time) => Err(EngineError::invalid(
                "limit",
                format!("execution timeout: a trace may take {} s", self.seconds),
            )),
        }
    }

    /// The next trace is told otherwise; the records of the last one are gone.
    pub fn turn_to(&mut self, style: &Style) -> Result<(), EngineError> {
        self.cost = style.step_cost()?;
        self.forget_recorded();
        Ok(())
    }

    /// A trace is written out: its records are gone.
    pub fn forget_recorded(&mut self) {
        self.recorded = 0;
        self.slots.clear();
    }

    fn count(&mut self, bytes: usize) {
        self.recorded = self.recorded.saturating_add(bytes);
        if self.recorded > self.limit {
            self.over = Some(Over::Size);
        }
    }

    fn count_step(&mut self, interp: &Interpreter) {
        self.steps += 1;
        if self.steps.is_multiple_of(STEPS_A_LOOK) && Instant::now() > self.end {
            self.over = Some(Over::Time);
        }
        let cost = self.cost;
        if cost.fixed_bytes == 0 {
            return;
        }
        let mut bytes = cost.fixed_bytes;
        if cost.stack {
            bytes += 64 * interp.stack.len();
        }
        if cost.memory {
            bytes += 4 * interp.memory.size();
        }
        if cost.storage && matches!(interp.bytecode.opcode(), opcode::SLOAD | opcode::SSTORE) {
            if let Some(slot) = interp.stack.data().last() {
                let held = self.slots.entry(interp.input.target_address()).or_default();
                held.insert(*slot);
                bytes += SLOT_BYTES * held.len();
            }
        }
        self.count(bytes);
    }
}

/// An inspector that a [`Meter`] watches over.
pub struct Metered<'a, I> {
    pub inner: &'a mut I,
    pub meter: &'a mut Meter,
}

impl<CTX: ContextTr, I: Inspector<CTX>> Inspector<CTX> for Metered<'_, I> {
    fn initialize_interp(&mut self, interp: &mut Interpreter, context: &mut CTX) {
        self.inner.initialize_interp(interp, context);
    }

    fn step(&mut self, interp: &mut Interpreter, context: &mut CTX) {
        if self.meter.over.is_none() {
            self.meter.count_step(interp);
        }
        if self.meter.over.is_some() {
            // An error of the context ends the transaction whatever the contract would do.
            if context.error().is_ok() {
                *context.error() = Err(ContextError::Custom("a trace reached its bounds".into()));
            }
            interp.bytecode.action().take();
            interp.bytecode.reset_action();
            interp.halt_fatal();
            return;
        }
        self.inner.step(interp, context);
    }

    fn step_end(&mut self, interp: &mut Interpreter, context: &mut CTX) {
        if self.meter.over.is_none() {
            self.inner.step_end(interp, context);
        }
    }

    fn log(&mut self, context: &mut CTX, log: Log) {
        self.meter.count(log.data.data.len() + FRAME_BYTES / 4);
        if self.meter.over.is_none() {
            self.inner.log(context, log);
        }
    }

    fn log_full(&mut self, interp: &mut Interpreter, context: &mut CTX, log: Log) {
        self.meter.count(log.data.data.len() + FRAME_BYTES / 4);
        if self.meter.over.is_none() {
            self.inner.log_full(interp, context, log);
        }
    }

    fn call(&mut self, context: &mut CTX, inputs: &mut CallInputs) -> Option<CallOutcome> {
        let depth = context.journal().depth();
        self.meter
            .count(FRAME_BYTES + 16 * depth + inputs.input.len());
        if self.meter.over.is_some() {
            return None;
        }
        self.inner.call(context, inputs)
    }

    fn call_end(&mut self, context: &mut CTX, inputs: &CallInputs, outcome: &mut CallOutcome) {
        self.meter.count(outcome.result.output.len());
        if self.meter.over.is_none() {
            self.inner.call_end(context, inputs, outcome);
        }
    }

    fn create(&mut self, context: &mut CTX, inputs: &mut CreateInputs) -> Option<CreateOutcome> {
        let depth = context.journal().depth();
        self.meter
            .count(FRAME_BYTES + 16 * depth + inputs.init_code().len());
        if self.meter.over.is_some() {
            return None;
        }
        self.inner.create(context, inputs)
    }

    fn create_end(
        &mut self,
        context: &mut CTX,
        inputs: &CreateInputs,
        outcome: &mut CreateOutcome,
    ) {
        self.meter.count(outcome.result.output.len());
        if self.meter.over.is_none() {
            self.inner.create_end(context, inputs, outcome);
        }
    }

    fn selfdestruct(&mut self, contract: Address, target: Address, value: U256) {
        Inspector::<CTX>::selfdestruct(self.inner, contract, target, value);
    }
}
