//! Where a run spends its steps.
//!
//! Reads: a run. Gives: steps of each instruction, words touched, depth of the stack. Never: changes the run.

use alloc::vec;
use alloc::vec::Vec;

use super::elf::{Kind, Program, Refused};
use super::machine::{Listener, Machine};
use super::trace::{outcome, Outcome};

/// What a run did.
pub struct Profile {
    /// How it ended.
    pub outcome: Outcome,
    /// Steps at each instruction of the code.
    pub steps: Vec<u64>,
    /// Words of memory that were loaded or stored.
    pub words_touched: u64,
    /// Deepest stack: from the end of the stack section down to the lowest word stored.
    pub stack_bytes: u32,
}

struct Counter {
    steps: Vec<u64>,
    touched: Vec<bool>,
    stack: (u32, u32),
    lowest: u32,
}

impl Listener for Counter {
    #[inline(always)]
    fn made(&mut self, index: usize) {
        self.steps[index] += 1;
    }

    #[inline(always)]
    fn load(&mut self, index: usize) {
        self.touched[index] = true;
    }

    #[inline(always)]
    fn store(&mut self, _step: u32, index: usize, address: u32, _value: u32, _next_pc: u32) {
        self.touched[index] = true;
        if address < self.lowest && address >= self.stack.0 {
            self.lowest = address;
        }
    }
}

/// Runs a program and counts.
///
/// # Errors
/// The input has another length than the program takes.
pub fn profile(program: &Program, input: &[u8], limit: u32) -> Result<Profile, Refused> {
    let mut machine = Machine::new(program, input)?;
    let stack = program
        .sections
        .iter()
        .find(|section| section.kind == Kind::Stack);
    let stack = stack.map_or((0, 0), |section| (section.start, section.end()));
    let mut counter = Counter {
        steps: vec![0; machine.code.len()],
        touched: vec![false; machine.memory.words.len()],
        stack,
        lowest: stack.1,
    };
    let stop = machine.run(&mut counter, limit);
    Ok(Profile {
        outcome: outcome(&machine, stop),
        words_touched: counter.touched.iter().filter(|touched| **touched).count() as u64,
        stack_bytes: stack.1 - counter.lowest,
        steps: counter.steps,
    })
}
