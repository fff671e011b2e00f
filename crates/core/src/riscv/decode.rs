//! Instructions of RV32IM from their words.
//!
//! Reads: an opcode and where it stands. Gives: operation, registers, immediate. Never: executes.

/// What an instruction does. `Illegal` has no leaf in the game: executing it traps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
#[allow(missing_docs)]
pub enum Op {
    Lui,
    Auipc,
    Jal,
    Jalr,
    Beq,
    Bne,
    Blt,
    Bge,
    Bltu,
    Bgeu,
    Lb,
    Lh,
    Lw,
    Lbu,
    Lhu,
    Sb,
    Sh,
    Sw,
    Addi,
    Slti,
    Sltiu,
    Xori,
    Ori,
    Andi,
    Slli,
    Srli,
    Srai,
    Add,
    Sub,
    Sll,
    Slt,
    Sltu,
    Xor,
    Srl,
    Sra,
    Or,
    And,
    Mul,
    Mulh,
    Mulhsu,
    Mulhu,
    Div,
    Divu,
    Rem,
    Remu,
    Fence,
    Ecall,
    Illegal,
}

/// Where writes to x0 go: a register that nothing reads.
pub const SINK: u8 = 32;

/// An instruction, decoded once. Targets of jumps and branches and the value of auipc are absolute in `immediate`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instruction {
    /// What it does.
    pub op: Op,
    /// Register written, [`SINK`] for x0.
    pub rd: u8,
    /// First register read.
    pub rs1: u8,
    /// Second register read.
    pub rs2: u8,
    /// Immediate, sign-extended.
    pub immediate: u32,
}

const fn register(word: u32, shift: u32) -> u8 {
    (word >> shift & 31) as u8
}

/// Sign-extends the value that begins at the top of `word` and has `bits` bits.
const fn signed(word: u32, bits: u32) -> u32 {
    ((word as i32) >> (32 - bits)) as u32
}

const fn branch_offset(word: u32) -> u32 {
    signed(word & 0x8000_0000, 13) | (word << 4 & 0x800) | (word >> 20 & 0x7e0) | (word >> 7 & 0x1e)
}

const fn jump_offset(word: u32) -> u32 {
    signed(word & 0x8000_0000, 21) | (word & 0xf_f000) | (word >> 9 & 0x800) | (word >> 20 & 0x7fe)
}

const fn store_offset(word: u32) -> u32 {
    signed(word & 0xfe00_0000, 12) | (word >> 7 & 31)
}

const fn with_immediate(funct3: u32, funct7: u32) -> Op {
    match (funct3, funct7) {
        (0, _) => Op::Addi,
        (2, _) => Op::Slti,
        (3, _) => Op::Sltiu,
        (4, _) => Op::Xori,
        (6, _) => Op::Ori,
        (7, _) => Op::Andi,
        (1, 0) => Op::Slli,
        (5, 0) => Op::Srli,
        (5, 32) => Op::Srai,
        _ => Op::Illegal,
    }
}

const fn with_registers(funct3: u32, funct7: u32) -> Op {
    match (funct7, funct3) {
        (0, 0) => Op::Add,
        (0, 1) => Op::Sll,
        (0, 2) => Op::Slt,
        (0, 3) => Op::Sltu,
        (0, 4) => Op::Xor,
        (0, 5) => Op::Srl,
        (0, 6) => Op::Or,
        (0, 7) => Op::And,
        (32, 0) => Op::Sub,
        (32, 5) => Op::Sra,
        (1, 0) => Op::Mul,
        (1, 1) => Op::Mulh,
        (1, 2) => Op::Mulhsu,
        (1, 3) => Op::Mulhu,
        (1, 4) => Op::Div,
        (1, 5) => Op::Divu,
        (1, 6) => Op::Rem,
        (1, 7) => Op::Remu,
        _ => Op::Illegal,
    }
}

const fn branch(funct3: u32) -> Op {
    match funct3 {
        0 => Op::Beq,
        1 => Op::Bne,
        4 => Op::Blt,
        5 => Op::Bge,
        6 => Op::Bltu,
        7 => Op::Bgeu,
        _ => Op::Illegal,
    }
}

const fn load(funct3: u32) -> Op {
    match funct3 {
        0 => Op::Lb,
        1 => Op::Lh,
        2 => Op::Lw,
        4 => Op::Lbu,
        5 => Op::Lhu,
        _ => Op::Illegal,
    }
}

const fn store(funct3: u32) -> Op {
    match funct3 {
        0 => Op::Sb,
        1 => Op::Sh,
        2 => Op::Sw,
        _ => Op::Illegal,
    }
}

/// The instruction `word` at address `pc`.
#[must_use]
pub const fn decode(word: u32, pc: u32) -> Instruction {
    let funct3 = word >> 12 & 7;
    let funct7 = word >> 25;
    let short = signed(word, 12);
    let (op, immediate) = match word & 127 {
        0x37 => (Op::Lui, word & 0xffff_f000),
        0x17 => (Op::Auipc, pc.wrapping_add(word & 0xffff_f000)),
        0x6f => (Op::Jal, pc.wrapping_add(jump_offset(word))),
        0x67 if funct3 == 0 => (Op::Jalr, short),
        0x63 => (branch(funct3), pc.wrapping_add(branch_offset(word))),
        0x03 => (load(funct3), short),
        0x23 => (store(funct3), store_offset(word)),
        0x13 => match with_immediate(funct3, funct7) {
            shift @ (Op::Slli | Op::Srli | Op::Srai) => (shift, short & 31),
            other => (other, short),
        },
        0x33 => (with_registers(funct3, funct7), 0),
        0x0f if funct3 == 0 => (Op::Fence, 0),
        0x73 if word == 0x73 => (Op::Ecall, 0),
        _ => (Op::Illegal, 0),
    };
    let rd = match register(word, 7) {
        0 => SINK,
        other => other,
    };
    Instruction {
        op,
        rd,
        rs1: register(word, 15),
        rs2: register(word, 20),
        immediate,
    }
}

impl Op {
    /// The mnemonic.
    #[must_use]
    pub const fn name(self) -> &'static str {
        NAMES[self as usize]
    }
}

const NAMES: [&str; 48] = [
    "lui", "auipc", "jal", "jalr", "beq", "bne", "blt", "bge", "bltu", "bgeu", "lb", "lh", "lw",
    "lbu", "lhu", "sb", "sh", "sw", "addi", "slti", "sltiu", "xori", "ori", "andi", "slli", "srli",
    "srai", "add", "sub", "sll", "slt", "sltu", "xor", "srl", "sra", "or", "and", "mul", "mulh",
    "mulhsu", "mulhu", "div", "divu", "rem", "remu", "fence", "ecall", "illegal",
];
