//! A run of 2^T steps that can be asked for any hash and any row.
//!
//! Reads: a program, its input, an instance. Gives: H_i and row i for every step, how the run ended.
//! Never: keeps every step: states are kept far apart, hashes nearer, and the rest is made again.

use alloc::vec::Vec;

use super::chain::Hash;
use super::elf::{refused, Program, Refused};
use super::machine::{register_address, Listener, Machine, Silent, Stop, Trap, RESULT_REGISTER};
use super::row::{self, LastStep, Row};

/// Largest T.
pub const EXPONENT_MAX: u32 = 30;
/// Steps between two hashes that are kept.
const HASH_STEPS: u32 = 1 << 12;
/// Steps between two states that are kept, at least.
const STATE_STEPS_MIN: u32 = 1 << 20;
/// What the kept states may take together.
const STATES_BYTES_MAX: u64 = 1 << 27;

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// From `step` on, every step is the halting call with `result` in a0.
    Halted {
        /// First such step.
        step: u32,
        /// a0.
        result: u32,
    },
    /// There is no step `step`.
    Trapped {
        /// The step that cannot be made.
        step: u32,
        /// Program counter there.
        pc: u32,
        /// Why.
        trap: Trap,
    },
    /// The program had not halted after `step` steps.
    Running {
        /// The limit.
        step: u32,
    },
}

impl Outcome {
    /// Whether the claim holds: the last step is the halting call with 1 in a0.
    #[must_use]
    pub const fn is_accepted(self) -> bool {
        matches!(self, Self::Halted { result: 1, .. })
    }
}

/// Runs a program to its halt, a trap, or the limit.
///
/// # Errors
/// The input has another length than the program takes.
pub fn run(program: &Program, input: &[u8], limit: u32) -> Result<Outcome, Refused> {
    let mut machine = Machine::new(program, input)?;
    let stop = machine.run(&mut Silent, limit);
    Ok(outcome(&machine, stop))
}

pub(super) fn outcome(machine: &Machine, stop: Option<Stop>) -> Outcome {
    match stop {
        None => Outcome::Running { step: machine.step },
        Some(Stop::Halt) => Outcome::Halted {
            step: machine.step + 1,
            result: machine.registers[RESULT_REGISTER as usize],
        },
        Some(Stop::Trap(trap)) => Outcome::Trapped {
            step: machine.step + 1,
            pc: machine.pc,
            trap,
        },
    }
}

/// Notes what each step writes, for the chain to follow: at most [`HASH_STEPS`] at once.
#[derive(Default)]
struct Writes(Vec<[u32; 3]>);

impl Writes {
    /// H after the steps noted, which it forgets.
    fn extend(&mut self, hash: Hash) -> Hash {
        let after = hash.after(&self.0);
        self.0.clear();
        after
    }
}

impl Listener for Writes {
    #[inline(always)]
    fn register(&mut self, _step: u32, register: u8, value: u32, next_pc: u32) {
        self.0.push([register_address(register), value, next_pc]);
    }

    #[inline(always)]
    fn store(&mut self, _step: u32, _index: usize, address: u32, value: u32, next_pc: u32) {
        self.0.push([address, value, next_pc]);
    }

    #[inline(always)]
    fn nothing(&mut self, _step: u32, next_pc: u32) {
        self.0.push([0, 0, next_pc]);
    }
}

/// Notes what each step writes, and who wrote what last.
struct Recorder {
    writes: Writes,
    last: LastStep,
}

impl Listener for Recorder {
    #[inline(always)]
    fn register(&mut self, step: u32, register: u8, value: u32, next_pc: u32) {
        self.writes.register(step, register, value, next_pc);
        self.last.register(step, register, value, next_pc);
    }

    #[inline(always)]
    fn store(&mut self, step: u32, index: usize, address: u32, value: u32, next_pc: u32) {
        self.writes.store(step, index, address, value, next_pc);
        self.last.store(step, index, address, value, next_pc);
    }

    #[inline(always)]
    fn nothing(&mut self, step: u32, next_pc: u32) {
        self.writes.nothing(step, next_pc);
    }
}

/// The state after some step: what of a machine changes.
struct Checkpoint {
    step: u32,
    pc: u32,
    registers: [u32; 64],
    words: Vec<u32>,
    last: LastStep,
}

/// A run of 2^T steps, recorded.
pub struct Trace {
    machine: Machine,
    opcodes: Vec<u32>,
    /// H_0 and then every [`HASH_STEPS`]-th; the halted part has its own rule.
    hashes: Vec<Hash>,
    checkpoints: Vec<Checkpoint>,
    outcome: Outcome,
    last_hash: Hash,
    exponent: u32,
}

fn checkpoint(machine: &Machine, last: &LastStep) -> Checkpoint {
    Checkpoint {
        step: machine.step,
        pc: machine.pc,
        registers: machine.registers,
        words: machine.memory.words[..machine.memory.writable()].to_vec(),
        last: last.clone(),
    }
}

/// Steps between two kept states: so many that all of them fit.
fn state_steps(writable: usize, exponent: u32) -> u32 {
    let one = 8 * writable as u64 + 512;
    let count = (STATES_BYTES_MAX / one).max(1).ilog2();
    STATE_STEPS_MIN.max(1 << exponent.saturating_sub(count))
}

impl Trace {
    /// Runs 2^exponent steps and keeps what it takes to find any of them again. Time: one hash a step.
    ///
    /// # Errors
    /// The input has another length than the program takes, or the exponent is out of range.
    pub fn record(
        program: &Program,
        input: &[u8],
        instance_id: &[u8; 32],
        exponent: u32,
    ) -> Result<Self, Refused> {
        if exponent > EXPONENT_MAX {
            return Err(refused(
                "a trace has at most 2^30 steps",
                exponent.into(),
                EXPONENT_MAX.into(),
            ));
        }
        let limit = 1_u32 << exponent;
        let mut machine = Machine::new(program, input)?;
        let initial = Hash::initial(instance_id);
        let mut recorder = Recorder {
            writes: Writes::default(),
            last: LastStep::new(machine.memory.writable()),
        };
        let mut hash = initial;
        let mut hashes = alloc::vec![initial];
        let mut checkpoints = alloc::vec![checkpoint(&machine, &recorder.last)];
        let apart = state_steps(machine.memory.writable(), exponent);
        let stop = loop {
            let next = (machine.step + HASH_STEPS).min(limit);
            let stop = machine.run(&mut recorder, next);
            hash = recorder.writes.extend(hash);
            if stop.is_some() || machine.step == limit {
                break stop;
            }
            hashes.push(hash);
            if machine.step % apart == 0 {
                checkpoints.push(checkpoint(&machine, &recorder.last));
            }
        };
        let outcome = outcome(&machine, stop);
        if stop == Some(Stop::Halt) {
            let stutter = [[0, 0, machine.pc]; HASH_STEPS as usize];
            let mut step = machine.step;
            while step < limit {
                let next = (step / HASH_STEPS + 1)
                    .saturating_mul(HASH_STEPS)
                    .min(limit);
                hash = hash.after(&stutter[..(next - step) as usize]);
                step = next;
                if step % HASH_STEPS == 0 {
                    hashes.push(hash);
                }
            }
        }
        let code = program.code().content.clone().unwrap_or_default();
        Ok(Self {
            machine,
            opcodes: code,
            hashes,
            checkpoints,
            outcome,
            last_hash: hash,
            exponent,
        })
    }

    /// How the run ended.
    #[must_use]
    pub const fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// T.
    #[must_use]
    pub const fn exponent(&self) -> u32 {
        self.exponent
    }

    /// The last step there is: 2^T unless the run trapped.
    #[must_use]
    pub const fn last_step(&self) -> u32 {
        match self.outcome {
            Outcome::Trapped { step, .. } => step - 1,
            _ => 1 << self.exponent,
        }
    }

    /// The hash after the last step.
    #[must_use]
    pub const fn last_hash(&self) -> Hash {
        self.last_hash
    }

    /// Steps that change the machine.
    const fn live_steps(&self) -> u32 {
        match self.outcome {
            Outcome::Halted { step, .. } => step - 1,
            _ => self.last_step(),
        }
    }

    /// The machine at the last kept state that is not after `step`.
    fn state_before(&self, step: u32) -> (Machine, LastStep) {
        let found = self.checkpoints.partition_point(|kept| kept.step <= step);
        let kept = &self.checkpoints[found.max(1) - 1];
        let mut machine = self.machine.clone();
        machine.step = kept.step;
        machine.pc = kept.pc;
        machine.registers = kept.registers;
        machine.memory.words[..kept.words.len()].copy_from_slice(&kept.words);
        (machine, kept.last.clone())
    }

    /// H after `step` steps, 0 … 2^T; `None` where the run has no such step.
    #[must_use]
    pub fn hash_at(&self, step: u32) -> Option<Hash> {
        if step > self.last_step() {
            return None;
        }
        let kept = (step / HASH_STEPS).min(self.hashes.len() as u32 - 1);
        let from = kept * HASH_STEPS;
        let mut hash = self.hashes[kept as usize];
        let live = self.live_steps();
        if from < live {
            let (mut machine, _) = self.state_before(from);
            let _ = machine.run(&mut Silent, from);
            let mut writes = Writes::default();
            let _ = machine.run(&mut writes, step.min(live));
            hash = writes.extend(hash);
        }
        for _ in from.max(live)..step {
            hash = hash.next(0, 0, self.machine.pc);
        }
        Some(hash)
    }

    /// Row of a step, 1 … 2^T; `None` where the run has no such step.
    #[must_use]
    pub fn row_at(&self, step: u32) -> Option<Row> {
        if step == 0 || step > self.last_step() {
            return None;
        }
        let before = (step - 1).min(self.live_steps());
        let (mut machine, mut last) = self.state_before(before);
        let _ = machine.run(&mut last, before);
        row::make(&mut machine, &last, |index| self.opcodes[index], step)
    }
}
