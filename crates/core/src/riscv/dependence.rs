//! Which instructions let the input decide what comes next.
//!
//! Reads: a run. Gives: the instructions at which a branch, an indirect jump, an address or a call's number depended
//! on the input. Never: tells one bit of a word from another.
//!
//! If there is none, every input of this length takes the same path: as long as two runs went the same way, whatever
//! does not depend on the input has the same value in both, and only such values choose the next step. So steps, traps
//! and all addresses are those of this one run, and its length is a bound for all.

use alloc::vec;
use alloc::vec::Vec;

use super::decode::{Instruction, Op};
use super::elf::{Kind, Program, Refused};
use super::machine::{Listener, Machine, Stop, CALL_REGISTER};
use super::trace::{outcome, Outcome};

/// What a run showed.
pub struct Dependence {
    /// How it ended.
    pub outcome: Outcome,
    /// Steps at each instruction of the code in which the input decided.
    pub steps: Vec<u64>,
}

struct Marks {
    code: alloc::sync::Arc<[Instruction]>,
    registers: [bool; 64],
    words: Vec<bool>,
    /// Whether the word loaded in this step is marked; whether the value stored is.
    loaded: bool,
    stored: bool,
    is_whole: bool,
    steps: Vec<u64>,
}

impl Marks {
    fn decided(&mut self, index: usize, by_input: bool) {
        self.steps[index] += u64::from(by_input);
    }
}

impl Listener for Marks {
    #[inline(always)]
    fn made(&mut self, index: usize) {
        let i = self.code[index];
        let of = |number: u8| self.registers[(number & 63) as usize];
        let (one, two) = (of(i.rs1), of(i.rs2));
        let mark = match i.op {
            Op::Lui | Op::Auipc | Op::Jal | Op::Ecall | Op::Illegal => false,
            Op::Fence => return,
            Op::Jalr => {
                self.decided(index, one);
                false
            }
            Op::Beq | Op::Bne | Op::Blt | Op::Bge | Op::Bltu | Op::Bgeu => {
                self.decided(index, one | two);
                return;
            }
            Op::Lb | Op::Lh | Op::Lw | Op::Lbu | Op::Lhu => {
                self.decided(index, one);
                self.loaded
            }
            Op::Sb | Op::Sh | Op::Sw => {
                self.decided(index, one);
                (self.stored, self.is_whole) = (two, i.op == Op::Sw);
                return;
            }
            Op::Addi
            | Op::Slti
            | Op::Sltiu
            | Op::Xori
            | Op::Ori
            | Op::Andi
            | Op::Slli
            | Op::Srli
            | Op::Srai => one,
            _ => one | two,
        };
        // A write to x0 goes to a register that nothing reads.
        self.registers[(i.rd & 63) as usize] = mark;
    }

    #[inline(always)]
    fn load(&mut self, index: usize) {
        self.loaded = self.words[index];
    }

    #[inline(always)]
    fn store(&mut self, _step: u32, index: usize, _address: u32, _value: u32, _next_pc: u32) {
        self.words[index] = self.stored | (!self.is_whole & self.words[index]);
    }
}

/// Runs a program and follows its input.
///
/// # Errors
/// The input has another length than the program takes.
pub fn dependence(program: &Program, input: &[u8], limit: u32) -> Result<Dependence, Refused> {
    let mut machine = Machine::new(program, input)?;
    let mut words = vec![false; machine.memory.words.len()];
    for section in &program.sections {
        if section.kind == Kind::Input {
            for address in (section.start..section.end()).step_by(4) {
                words[machine.memory.index(address).expect("a section's words")] = true;
            }
        }
    }
    let mut marks = Marks {
        code: machine.code.clone(),
        registers: [false; 64],
        words,
        loaded: false,
        stored: false,
        is_whole: true,
        steps: vec![0; machine.code.len()],
    };
    let stop = machine.run(&mut marks, limit);
    // The last instruction makes no step when it halts or traps: what chose between the two is looked at here.
    if let (Some(stop), Some((index, i))) = (stop, machine.fetch(machine.pc)) {
        let by_input = match (stop, i.op) {
            (_, Op::Ecall) => marks.registers[CALL_REGISTER as usize],
            (Stop::Halt, _) | (_, Op::Illegal) => false,
            (Stop::Trap(_), _) => marks.registers[(i.rs1 & 63) as usize],
        };
        marks.decided(index, by_input);
    }
    Ok(Dependence {
        outcome: outcome(&machine, stop),
        steps: marks.steps,
    })
}
