//! Where a run spends its steps.
//!
//! Reads: a run. Gives: steps of each instruction, words touched, depth of the stack. Never: changes the run.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

use super::decode::{Instruction, Op, SINK};
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
    /// Functions by who called them, callers first.
    pub calls: Vec<Node>,
    /// Deepest stack: from the end of the stack section down to the lowest word stored.
    pub stack_bytes: u32,
}

/// Nodes of a tree of calls at most; calls beyond count for their caller.
const NODES_MAX: usize = 1 << 12;
/// Calls inside calls that the tree shows.
const DEPTH_MAX: u32 = 64;
/// The register that holds where to return to.
const LINK: u8 = 1;

/// A function as one caller calls it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Node {
    /// Its caller's place in the tree; its own for the first.
    pub caller: u32,
    /// Its first instruction, by index in the code.
    pub index: u32,
    /// How often it was called.
    pub calls: u64,
    /// Steps in itself, its calls not counted.
    pub steps: u64,
}

/// Follows calls (`jal` and `jalr` that link in ra) and returns (`jalr` by ra that links nowhere).
struct Calls {
    code: Arc<[Instruction]>,
    nodes: Vec<Node>,
    places: BTreeMap<(u32, u32), u32>,
    current: u32,
    depth: u32,
    is_call: bool,
    /// Calls that the tree had no room for and that have not returned.
    beyond: u64,
}

impl Calls {
    fn new(code: Arc<[Instruction]>, entry: u32) -> Self {
        let first = Node {
            caller: 0,
            index: entry,
            calls: 1,
            steps: 0,
        };
        Self {
            code,
            nodes: vec![first],
            places: BTreeMap::new(),
            current: 0,
            depth: 0,
            is_call: false,
            beyond: 0,
        }
    }

    fn enter(&mut self, index: u32) {
        let key = (self.current, index);
        let known = self.places.get(&key).copied();
        let is_full = self.nodes.len() == NODES_MAX || self.depth == DEPTH_MAX;
        let place = match known {
            Some(place) if self.beyond == 0 => place,
            None if self.beyond == 0 && !is_full => {
                let place = self.nodes.len() as u32;
                self.nodes.push(Node {
                    caller: self.current,
                    index,
                    calls: 0,
                    steps: 0,
                });
                self.places.insert(key, place);
                place
            }
            _ => {
                self.beyond += 1;
                return;
            }
        };
        self.nodes[place as usize].calls += 1;
        self.current = place;
        self.depth += 1;
    }

    #[inline(always)]
    fn made(&mut self, index: usize) {
        if self.is_call {
            self.is_call = false;
            self.enter(index as u32);
        }
        self.nodes[self.current as usize].steps += 1;
        let i = self.code[index];
        if !matches!(i.op, Op::Jal | Op::Jalr) {
            return;
        }
        if i.rd == LINK {
            self.is_call = true;
        } else if i.op == Op::Jalr && i.rd == SINK && i.rs1 == LINK {
            if self.beyond > 0 {
                self.beyond -= 1;
            } else {
                self.current = self.nodes[self.current as usize].caller;
                self.depth = self.depth.saturating_sub(1);
            }
        }
    }
}

struct Counter {
    calls: Calls,
    steps: Vec<u64>,
    touched: Vec<bool>,
    stack: (u32, u32),
    lowest: u32,
}

impl Listener for Counter {
    #[inline(always)]
    fn made(&mut self, index: usize) {
        self.steps[index] += 1;
        self.calls.made(index);
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
    let entry = machine.fetch(machine.pc).map_or(0, |(index, _)| index);
    let mut counter = Counter {
        calls: Calls::new(machine.code.clone(), entry as u32),
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
        calls: counter.calls.nodes,
    })
}
