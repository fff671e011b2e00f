//! One step as the game commits to it.
//!
//! Reads: the machine before the step, the steps that last wrote each word. Gives: the row. Never: guesses an operand:
//! addresses of reads and writes follow from the opcode alone.

use super::decode::{Instruction, Op, SINK};
use super::machine::{
    quotient_and_remainder, register_address, Listener, Machine, Stop, CALL_REGISTER,
    RESULT_REGISTER,
};

/// A value read; all zero where the instruction reads nothing or x0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Read {
    /// Address of the word, or of a register.
    pub addr: u32,
    /// Its value.
    pub value: u32,
    /// The step that wrote it; 0: the value before step 1.
    pub last_step: u32,
}

/// A value written; all zero where the instruction writes nothing or x0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Write {
    /// Address of the word, or of a register.
    pub addr: u32,
    /// Its value.
    pub value: u32,
}

/// The instruction of a step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReadPc {
    /// Where it stands.
    pub addr: u32,
    /// Its word.
    pub opcode: u32,
}

/// A row of the trace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// From 1.
    pub step: u32,
    /// First register, or a7 for a call.
    pub read_1: Read,
    /// Second register, the loaded word, or a0 for a call.
    pub read_2: Read,
    /// The word as it was before sb or sh.
    pub read_3: Read,
    /// The instruction.
    pub read_pc: ReadPc,
    /// What the step writes.
    pub write: Write,
    /// Address of the next instruction.
    pub write_pc: u32,
    /// For a division: the remainder where the quotient is written, the quotient where the remainder is.
    pub witness: u32,
}

/// The step that last wrote each register and each writable word.
#[derive(Clone, Debug)]
pub struct LastStep {
    /// By register.
    pub registers: [u32; 32],
    /// By index in memory.
    pub words: alloc::vec::Vec<u32>,
}

impl LastStep {
    /// Before step 1.
    #[must_use]
    pub fn new(writable: usize) -> Self {
        Self {
            registers: [0; 32],
            words: alloc::vec![0; writable],
        }
    }
}

impl Listener for LastStep {
    #[inline(always)]
    fn register(&mut self, step: u32, register: u8, _value: u32, _next_pc: u32) {
        self.registers[(register & 31) as usize] = step;
    }

    #[inline(always)]
    fn store(&mut self, step: u32, index: usize, _address: u32, _value: u32, _next_pc: u32) {
        self.words[index] = step;
    }
}

/// Notes what one step writes.
#[derive(Default)]
struct Writes {
    write: Write,
    next_pc: u32,
}

impl Listener for Writes {
    fn register(&mut self, _step: u32, register: u8, value: u32, next_pc: u32) {
        let addr = register_address(register);
        (self.write, self.next_pc) = (Write { addr, value }, next_pc);
    }

    fn store(&mut self, _step: u32, _index: usize, addr: u32, value: u32, next_pc: u32) {
        (self.write, self.next_pc) = (Write { addr, value }, next_pc);
    }

    fn nothing(&mut self, _step: u32, next_pc: u32) {
        self.next_pc = next_pc;
    }
}

fn register(machine: &Machine, last: &LastStep, number: u8) -> Read {
    if number == 0 {
        return Read::default();
    }
    Read {
        addr: register_address(number),
        value: machine.registers[number as usize],
        last_step: last.registers[number as usize],
    }
}

fn word(machine: &Machine, last: &LastStep, address: u32) -> Read {
    let Some(index) = machine.memory.index(address) else {
        return Read::default();
    };
    Read {
        addr: address & !3,
        value: machine.memory.words[index],
        last_step: last.words.get(index).copied().unwrap_or(0),
    }
}

fn reads(machine: &Machine, last: &LastStep, i: Instruction) -> [Read; 3] {
    let none = Read::default();
    let address = machine.registers[i.rs1 as usize].wrapping_add(i.immediate);
    let of = |number| register(machine, last, number);
    match i.op {
        Op::Lui | Op::Auipc | Op::Jal | Op::Fence | Op::Illegal => [none; 3],
        Op::Jalr
        | Op::Addi
        | Op::Slti
        | Op::Sltiu
        | Op::Xori
        | Op::Ori
        | Op::Andi
        | Op::Slli
        | Op::Srli
        | Op::Srai => [of(i.rs1), none, none],
        Op::Lb | Op::Lh | Op::Lw | Op::Lbu | Op::Lhu => {
            [of(i.rs1), word(machine, last, address), none]
        }
        Op::Sb | Op::Sh => [of(i.rs1), of(i.rs2), word(machine, last, address)],
        Op::Ecall => [of(CALL_REGISTER), of(RESULT_REGISTER), none],
        _ => [of(i.rs1), of(i.rs2), none],
    }
}

/// The row of the machine's next step, which it makes; `None`: the step traps. The halting call makes no step here
/// and so has the number `step`, because it repeats for ever.
#[must_use]
pub fn make(
    machine: &mut Machine,
    last: &LastStep,
    opcode: impl Fn(usize) -> u32,
    step: u32,
) -> Option<Row> {
    let pc = machine.pc;
    let (index, instruction) = machine.fetch(pc)?;
    let [read_1, read_2, read_3] = reads(machine, last, instruction);
    let (quotient, remainder) = quotient_and_remainder(instruction.op, read_1.value, read_2.value);
    let mut writes = Writes::default();
    let limit = machine.step + 1;
    match machine.run(&mut writes, limit) {
        None => {}
        Some(Stop::Halt) => writes.next_pc = pc,
        Some(Stop::Trap(_)) => return None,
    }
    debug_assert!(writes.write.addr != register_address(SINK));
    Some(Row {
        step,
        read_1,
        read_2,
        read_3,
        read_pc: ReadPc {
            addr: pc,
            opcode: opcode(index),
        },
        write: writes.write,
        write_pc: writes.next_pc,
        witness: match instruction.op {
            Op::Div | Op::Divu => remainder,
            Op::Rem | Op::Remu => quotient,
            _ => 0,
        },
    })
}
