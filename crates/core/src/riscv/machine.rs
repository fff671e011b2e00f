//! The machine: RV32IM over aligned memory, one step an instruction.
//!
//! Reads: a program, its input. Gives: the state after any number of steps, what each step writes to whoever listens.
//! Never: panics on a program's fault: a trap is a value.

use alloc::sync::Arc;
use alloc::vec::Vec;

use super::decode::{decode, Instruction, Op, SINK};
use super::elf::{Program, Refused, REGISTER_START};
use super::memory::Memory;

/// Register that numbers a call (a7).
pub const CALL_REGISTER: u8 = 17;
/// Register that holds the result (a0).
pub const RESULT_REGISTER: u8 = 10;
/// The call that halts.
pub const HALT_CALL: u32 = 93;

/// Why there is no next step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trap {
    /// The program counter is outside the code or inside a word.
    Fetch,
    /// No instruction of RV32IM.
    Illegal,
    /// A load from an address that is not aligned to its size.
    LoadAlignment(u32),
    /// A load from no section that may be loaded.
    LoadAddress(u32),
    /// A store to an address that is not aligned to its size.
    StoreAlignment(u32),
    /// A store to no section that may be stored to.
    StoreAddress(u32),
    /// A call other than the one that halts.
    Call(u32),
}

impl Trap {
    /// In words, with what the instruction asked for.
    #[must_use]
    pub const fn parts(self) -> (&'static str, u32) {
        match self {
            Self::Fetch => ("fetch", 0),
            Self::Illegal => ("illegal instruction", 0),
            Self::LoadAlignment(address) => ("load alignment", address),
            Self::LoadAddress(address) => ("load address", address),
            Self::StoreAlignment(address) => ("store alignment", address),
            Self::StoreAddress(address) => ("store address", address),
            Self::Call(number) => ("call", number),
        }
    }
}

/// Why a run stopped before its limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// Every further step is the halting call.
    Halt,
    /// There is no further step.
    Trap(Trap),
}

/// Listens to a run. All methods do nothing unless a listener says otherwise, and cost nothing then.
pub trait Listener {
    /// A step was made by instruction `index` of the code.
    #[inline(always)]
    fn made(&mut self, _index: usize) {}
    /// A word of memory is loaded.
    #[inline(always)]
    fn load(&mut self, _index: usize) {}
    /// Step `step` writes a register other than x0.
    #[inline(always)]
    fn register(&mut self, _step: u32, _register: u8, _value: u32, _next_pc: u32) {}
    /// Step `step` writes a word of memory.
    #[inline(always)]
    fn store(&mut self, _step: u32, _index: usize, _address: u32, _value: u32, _next_pc: u32) {}
    /// Step `step` writes nothing.
    #[inline(always)]
    fn nothing(&mut self, _step: u32, _next_pc: u32) {}
}

/// Hears nothing.
pub struct Silent;

impl Listener for Silent {}

/// Address of a register as a trace writes it; x0 is none.
#[inline(always)]
#[must_use]
pub const fn register_address(register: u8) -> u32 {
    if register == 0 {
        return 0;
    }
    REGISTER_START + 4 * register as u32
}

/// The state of a run.
#[derive(Clone, Debug)]
pub struct Machine {
    /// Decoded code; shared by all states of a run.
    pub code: Arc<[Instruction]>,
    /// Address of the first instruction.
    pub code_start: u32,
    /// Memory.
    pub memory: Memory,
    /// Registers; those above 31 take writes to x0, and are as many as make every index valid.
    pub registers: [u32; 64],
    /// Address of the next instruction.
    pub pc: u32,
    /// Steps made.
    pub step: u32,
}

fn division(op: Op, a: u32, b: u32) -> (u32, u32) {
    let signed = matches!(op, Op::Div | Op::Rem);
    match (b, signed) {
        (0, _) => (u32::MAX, a),
        (_, true) => {
            let (a, b) = (a as i32, b as i32);
            (a.wrapping_div(b) as u32, a.wrapping_rem(b) as u32)
        }
        (_, false) => (a / b, a % b),
    }
}

/// Quotient and remainder as the four division instructions define them; zero for all other instructions.
#[must_use]
pub fn quotient_and_remainder(op: Op, a: u32, b: u32) -> (u32, u32) {
    match op {
        Op::Div | Op::Divu | Op::Rem | Op::Remu => division(op, a, b),
        _ => (0, 0),
    }
}

impl Machine {
    /// The machine before step 1.
    ///
    /// # Errors
    /// The input has another length than the program takes.
    pub fn new(program: &Program, input: &[u8]) -> Result<Self, Refused> {
        let code = program.code();
        let words = code.content.as_deref().unwrap_or_default();
        let mut pc = code.start;
        let mut decoded = Vec::with_capacity(words.len());
        for word in words {
            decoded.push(decode(*word, pc));
            pc = pc.wrapping_add(4);
        }
        Ok(Self {
            code: decoded.into(),
            code_start: code.start,
            memory: Memory::new(program, input)?,
            registers: [0; 64],
            pc: program.entry,
            step: 0,
        })
    }

    /// The instruction at the program counter.
    #[inline(always)]
    #[must_use]
    pub fn fetch(&self, pc: u32) -> Option<(usize, Instruction)> {
        // The rotation moves the two low bits to the top: an unaligned address is far outside.
        let index = pc.wrapping_sub(self.code_start).rotate_right(2) as usize;
        self.code.get(index).map(|found| (index, *found))
    }

    /// Goes on until `limit` steps are made; `None` when they are.
    #[inline(always)]
    pub fn run<L: Listener>(&mut self, listener: &mut L, limit: u32) -> Option<Stop> {
        let code = Arc::clone(&self.code);
        let code = &code[..];
        let (mut pc, mut step) = (self.pc, self.step);
        let memory = &mut self.memory;
        let x = &mut self.registers;
        let stop = loop {
            if step >= limit {
                break None;
            }
            let at = pc.wrapping_sub(self.code_start).rotate_right(2) as usize;
            let Some(&i) = code.get(at) else {
                break Some(Stop::Trap(Trap::Fetch));
            };
            let (a, b) = (x[(i.rs1 & 63) as usize], x[(i.rs2 & 63) as usize]);
            let immediate = i.immediate;
            let mut next = pc.wrapping_add(4);
            macro_rules! load {
                ($size:expr, $convert:expr) => {{
                    let address = a.wrapping_add(immediate);
                    if !address.is_multiple_of($size) {
                        break Some(Stop::Trap(Trap::LoadAlignment(address)));
                    }
                    let Some(index) = memory.index(address) else {
                        break Some(Stop::Trap(Trap::LoadAddress(address)));
                    };
                    listener.load(index);
                    $convert(memory.words[index] >> (8 * (address & 3)))
                }};
            }
            macro_rules! store {
                ($size:expr, $bits:expr) => {{
                    let address = a.wrapping_add(immediate);
                    if !address.is_multiple_of($size) {
                        break Some(Stop::Trap(Trap::StoreAlignment(address)));
                    }
                    let Some(index) = memory.writable_index(address) else {
                        break Some(Stop::Trap(Trap::StoreAddress(address)));
                    };
                    let shift = 8 * (address & 3);
                    let word = &mut memory.words[index];
                    *word = *word & !($bits << shift) | (b & $bits) << shift;
                    step += 1;
                    listener.made(at);
                    listener.store(step, index, address & !3, *word, next);
                    pc = next;
                    continue;
                }};
            }
            macro_rules! branch {
                ($taken:expr) => {{
                    if $taken {
                        next = immediate;
                    }
                    step += 1;
                    listener.made(at);
                    listener.nothing(step, next);
                    pc = next;
                    continue;
                }};
            }
            let value = match i.op {
                Op::Lui | Op::Auipc => immediate,
                Op::Jal => core::mem::replace(&mut next, immediate),
                Op::Jalr => core::mem::replace(&mut next, a.wrapping_add(immediate) & !1),
                Op::Beq => branch!(a == b),
                Op::Bne => branch!(a != b),
                Op::Blt => branch!((a as i32) < b as i32),
                Op::Bge => branch!(a as i32 >= b as i32),
                Op::Bltu => branch!(a < b),
                Op::Bgeu => branch!(a >= b),
                Op::Lb => load!(1, |word| word as i8 as u32),
                Op::Lh => load!(2, |word| word as i16 as u32),
                Op::Lw => load!(4, |word| word),
                Op::Lbu => load!(1, |word| word & 0xff),
                Op::Lhu => load!(2, |word| word & 0xffff),
                Op::Sb => store!(1, 0xff_u32),
                Op::Sh => store!(2, 0xffff_u32),
                Op::Sw => store!(4, u32::MAX),
                Op::Addi => a.wrapping_add(immediate),
                Op::Slti => u32::from((a as i32) < immediate as i32),
                Op::Sltiu => u32::from(a < immediate),
                Op::Xori => a ^ immediate,
                Op::Ori => a | immediate,
                Op::Andi => a & immediate,
                Op::Slli => a << (immediate & 31),
                Op::Srli => a >> (immediate & 31),
                Op::Srai => (a as i32 >> (immediate & 31)) as u32,
                Op::Add => a.wrapping_add(b),
                Op::Sub => a.wrapping_sub(b),
                Op::Sll => a << (b & 31),
                Op::Slt => u32::from((a as i32) < b as i32),
                Op::Sltu => u32::from(a < b),
                Op::Xor => a ^ b,
                Op::Srl => a >> (b & 31),
                Op::Sra => (a as i32 >> (b & 31)) as u32,
                Op::Or => a | b,
                Op::And => a & b,
                Op::Mul => a.wrapping_mul(b),
                Op::Mulh => ((i64::from(a as i32) * i64::from(b as i32)) >> 32) as u32,
                Op::Mulhsu => (i64::from(a as i32).wrapping_mul(i64::from(b)) >> 32) as u32,
                Op::Mulhu => ((u64::from(a) * u64::from(b)) >> 32) as u32,
                Op::Div | Op::Divu => division(i.op, a, b).0,
                Op::Rem | Op::Remu => division(i.op, a, b).1,
                Op::Fence => branch!(false),
                Op::Ecall => match x[CALL_REGISTER as usize] {
                    HALT_CALL => break Some(Stop::Halt),
                    number => break Some(Stop::Trap(Trap::Call(number))),
                },
                Op::Illegal => break Some(Stop::Trap(Trap::Illegal)),
            };
            x[(i.rd & 63) as usize] = value;
            step += 1;
            listener.made(at);
            if i.rd == SINK {
                listener.nothing(step, next);
            } else {
                listener.register(step, i.rd, value, next);
            }
            pc = next;
        };
        self.pc = pc;
        self.step = step;
        stop
    }
}
