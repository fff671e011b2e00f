//! Every instruction with its edge cases, the chain against published BLAKE3 values, states kept far apart.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use super::chain::Hash;
use super::decode::{decode, Op};
use super::elf::{Kind, Program, Section};
use super::machine::Trap;
use super::row::{Read, Row, Write};
use super::trace::{run, Outcome, Trace};

const CODE: u32 = 0x1_0000;
const DATA: u32 = 0x2_0000;
const REGISTERS: u32 = 0xf000_0000;
const MIN: u32 = 0x8000_0000;
const ID: [u8; 32] = [7; 32];

fn part(kind: Kind, start: u32, words: Vec<u32>) -> Section {
    Section {
        name: String::new(),
        kind,
        start,
        size: 4 * words.len() as u32,
        content: Some(words),
    }
}

fn program(code: Vec<u32>) -> Program {
    Program {
        entry: CODE,
        sections: vec![
            part(Kind::Code, CODE, code),
            part(Kind::ReadWrite, DATA, vec![0x8182_7f80, 0xfffe_8001, 0, 0]),
        ],
    }
}

const fn upper(rd: u32, value: u32) -> u32 {
    (value.wrapping_add(0x800) & 0xffff_f000) | rd << 7 | 0x37
}

const fn immediate(opcode: u32, funct3: u32, rd: u32, rs1: u32, value: u32) -> u32 {
    (value & 0xfff) << 20 | rs1 << 15 | funct3 << 12 | rd << 7 | opcode
}

/// rd = value in two instructions.
fn set(code: &mut Vec<u32>, rd: u32, value: u32) {
    code.push(upper(rd, value));
    code.push(immediate(0x13, 0, rd, rd, value));
}

const fn three(funct7: u32, funct3: u32, rd: u32, rs1: u32, rs2: u32) -> u32 {
    funct7 << 25 | rs2 << 20 | rs1 << 15 | funct3 << 12 | rd << 7 | 0x33
}

/// The row of one instruction after x5 = a and x6 = b were set by steps 2 and 4.
fn one(instruction: u32, a: u32, b: u32) -> Row {
    let mut code = Vec::new();
    set(&mut code, 5, a);
    set(&mut code, 6, b);
    code.push(instruction);
    let trace = Trace::record(&program(code), &[], &ID, 3).unwrap();
    trace.row_at(5).unwrap()
}

fn written(instruction: u32, a: u32, b: u32) -> u32 {
    let row = one(instruction, a, b);
    assert_eq!(row.write.addr, REGISTERS + 28, "x7 is written");
    assert_eq!(row.write_pc, row.read_pc.addr + 4);
    row.write.value
}

#[test]
fn arithmetic_of_two_registers() {
    let cases: &[(u32, u32, u32, u32, u32)] = &[
        (0, 0, u32::MAX, 2, 1),
        (32, 0, 0, 1, u32::MAX),
        (0, 1, 1, 33, 2),
        (0, 1, 1, 31, MIN),
        (0, 2, MIN, 0, 1),
        (0, 2, 0, MIN, 0),
        (0, 3, MIN, 0, 0),
        (0, 3, 0, MIN, 1),
        (0, 4, 0xff00, 0x0ff0, 0xf0f0),
        (0, 5, MIN, 31, 1),
        (0, 5, MIN, 32, MIN),
        (32, 5, MIN, 31, u32::MAX),
        (32, 5, 0x4000_0000, 30, 1),
        (0, 6, 0xff00, 0x0ff0, 0xfff0),
        (0, 7, 0xff00, 0x0ff0, 0x0f00),
    ];
    for &(funct7, funct3, a, b, expected) in cases {
        assert_eq!(
            written(three(funct7, funct3, 7, 5, 6), a, b),
            expected,
            "{funct7} {funct3} {a:x} {b:x}"
        );
    }
}

#[test]
fn products_and_their_high_halves() {
    let cases: &[(u32, u32, u32, u32)] = &[
        (0, u32::MAX, u32::MAX, 1),
        (0, 0x1_0001, 0x1_0001, 0x2_0001),
        (1, u32::MAX, u32::MAX, 0),
        (1, MIN, MIN, 0x4000_0000),
        (1, MIN, 1, u32::MAX),
        (2, u32::MAX, u32::MAX, u32::MAX),
        (2, MIN, u32::MAX, MIN),
        (2, 1, u32::MAX, 0),
        (3, u32::MAX, u32::MAX, 0xffff_fffe),
        (3, MIN, MIN, 0x4000_0000),
    ];
    for &(funct3, a, b, expected) in cases {
        assert_eq!(
            written(three(1, funct3, 7, 5, 6), a, b),
            expected,
            "{funct3} {a:x} {b:x}"
        );
    }
}

#[test]
fn divisions_by_zero_overflow_and_sign() {
    let minus = |value: u32| value.wrapping_neg();
    // signed: (a, b, quotient, remainder)
    let signed = [
        (7, 2, 3, 1),
        (minus(7), 2, minus(3), minus(1)),
        (7, minus(2), minus(3), 1),
        (minus(7), minus(2), 3, minus(1)),
        (5, 0, u32::MAX, 5),
        (MIN, 0, u32::MAX, MIN),
        (MIN, u32::MAX, MIN, 0),
        (0, 5, 0, 0),
    ];
    let unsigned = [
        (7, 2, 3, 1),
        (u32::MAX, 2, 0x7fff_ffff, 1),
        (MIN, u32::MAX, 0, MIN),
        (5, 0, u32::MAX, 5),
        (0, 0, u32::MAX, 0),
    ];
    for (first, cases) in [(4, &signed[..]), (5, &unsigned[..])] {
        for &(a, b, quotient, remainder) in cases {
            let divided = one(three(1, first, 7, 5, 6), a, b);
            assert_eq!(
                (divided.write.value, divided.witness),
                (quotient, remainder),
                "{a:x} / {b:x}"
            );
            let rest = one(three(1, first + 2, 7, 5, 6), a, b);
            assert_eq!(
                (rest.write.value, rest.witness),
                (remainder, quotient),
                "{a:x} % {b:x}"
            );
        }
    }
}

#[test]
fn immediates_are_sign_extended() {
    let cases: &[(u32, u32, u32, u32)] = &[
        (0, 0xfff, 1, 0),
        (0, 0x800, 0, 0xffff_f800),
        (0, 0x7ff, 1, 0x800),
        (2, 0xfff, MIN, 1),
        (2, 0, u32::MAX, 1),
        (3, 0xfff, 5, 1),
        (3, 1, 0, 1),
        (4, 0xfff, 0x0f0f, 0xffff_f0f0),
        (6, 0x800, 1, 0xffff_f801),
        (7, 0xfff, 0x1234_5678, 0x1234_5678),
        (1, 31, 1, MIN),
        (5, 31, MIN, 1),
        (5, 31 | 0x400, MIN, u32::MAX),
        (5, 0x400, MIN, MIN),
    ];
    for &(funct3, value, a, expected) in cases {
        let word = immediate(0x13, funct3, 7, 5, value);
        assert_eq!(written(word, a, 0), expected, "{funct3} {value:x} {a:x}");
        let row = one(word, a, 0);
        assert_eq!(
            (row.read_2, row.read_3, row.witness),
            (Read::default(), Read::default(), 0)
        );
        assert_eq!(
            (row.read_1.addr, row.read_1.value, row.read_1.last_step),
            (REGISTERS + 20, a, 2)
        );
    }
}

#[test]
fn upper_immediates_and_jumps() {
    let pc = CODE + 16;
    assert_eq!(written(0xffff_f3b7, 0, 0), 0xffff_f000);
    assert_eq!(written(0xffff_f397, 0, 0), pc.wrapping_sub(0x1000));
    // jal x7, −16 and +2^20 − 2
    let back = one(0xff1f_f3ef, 0, 0);
    assert_eq!((back.write.value, back.write_pc), (pc + 4, CODE));
    let far = one(0x7fff_f3ef, 0, 0);
    assert_eq!(far.write_pc, pc + 0xf_fffe);
    // jalr clears the lowest bit, wraps, and may use its own target register.
    let odd = one(immediate(0x67, 0, 7, 5, 0), 0x1235, 0);
    assert_eq!((odd.write.value, odd.write_pc), (pc + 4, 0x1234));
    let wraps = one(immediate(0x67, 0, 5, 5, 4), u32::MAX, 0);
    assert_eq!(
        (wraps.write, wraps.write_pc),
        (
            Write {
                addr: REGISTERS + 20,
                value: pc + 4
            },
            2
        )
    );
}

#[test]
fn branches_compare_as_named() {
    let word = |funct3: u32| 6 << 20 | 5 << 15 | funct3 << 12 | 0x463; // +8
    let cases: &[(u32, u32, u32, bool)] = &[
        (0, 1, 1, true),
        (0, 1, 2, false),
        (1, 1, 2, true),
        (1, 2, 2, false),
        (4, MIN, 0, true),
        (4, 0, 0, false),
        (5, 0, MIN, true),
        (5, 3, 3, true),
        (5, MIN, 0, false),
        (6, 0, MIN, true),
        (6, MIN, 0, false),
        (7, MIN, 0, true),
        (7, 0, 1, false),
    ];
    for &(funct3, a, b, taken) in cases {
        let row = one(word(funct3), a, b);
        assert_eq!(
            row.write_pc - row.read_pc.addr,
            if taken { 8 } else { 4 },
            "{funct3} {a:x} {b:x}"
        );
        assert_eq!(row.write, Write::default());
        assert_eq!((row.read_1.last_step, row.read_2.last_step), (2, 4));
    }
    assert_eq!(
        decode(0x8020_8063, 0x2000).immediate,
        0x1000,
        "the farthest branch back"
    );
}

#[test]
fn loads_extend_and_stores_keep_the_rest_of_the_word() {
    let loads: &[(u32, u32, u32)] = &[
        (0, 0, 0xffff_ff80),
        (0, 1, 0x7f),
        (4, 0, 0x80),
        (4, 3, 0x81),
        (1, 0, 0x7f80),
        (1, 2, 0xffff_8182),
        (5, 2, 0x8182),
        (2, 4, 0xfffe_8001),
    ];
    for &(funct3, offset, expected) in loads {
        let row = one(immediate(0x03, funct3, 7, 5, offset), DATA, 0);
        assert_eq!(row.write.value, expected, "{funct3} {offset}");
        let address = DATA + (offset & !3);
        assert_eq!(
            (row.read_2.addr, row.read_2.last_step, row.read_3),
            (address, 0, Read::default())
        );
    }
    let store = |funct3: u32, offset: u32| 6 << 20 | 5 << 15 | funct3 << 12 | offset << 7 | 0x23;
    let stores: &[(u32, u32, u32)] = &[
        (0, 0, 0x8182_7fdd),
        (0, 3, 0xdd82_7f80),
        (1, 0, 0x8182_ccdd),
        (1, 2, 0xccdd_7f80),
        (2, 0, 0xaabb_ccdd),
    ];
    for &(funct3, offset, expected) in stores {
        let row = one(store(funct3, offset), DATA, 0xaabb_ccdd);
        assert_eq!(
            row.write,
            Write {
                addr: DATA,
                value: expected
            }
        );
        let old = if funct3 == 2 { 0 } else { 0x8182_7f80 };
        assert_eq!((row.read_2.value, row.read_3.value), (0xaabb_ccdd, old));
    }
}

#[test]
fn x0_is_never_read_nor_written() {
    let row = one(three(0, 0, 0, 0, 0), 1, 2);
    assert_eq!(
        (row.read_1, row.read_2, row.write),
        (Read::default(), Read::default(), Write::default())
    );
    let row = one(immediate(0x03, 2, 0, 5, 0), DATA, 0);
    assert_eq!(
        (row.read_2.value, row.write),
        (0x8182_7f80, Write::default())
    );
    let row = one(0x0ff0_000f, 1, 2);
    assert_eq!(
        (row.read_1, row.write, row.write_pc),
        (Read::default(), Write::default(), CODE + 20)
    );
}

#[test]
fn words_that_are_no_instruction_decode_to_none() {
    for word in [
        0,
        u32::MAX,
        0x0010_0073,
        0x3020_0073,
        0x0000_100f,
        0x4000_1013,
        0x0200_1013,
        0x4000_1033,
        0x0400_0033,
        0x0000_2063,
        0x0000_3003,
        0x0000_6003,
        0x0000_3023,
        0x0000_1067,
        0x0000_202f,
        0x0000_00f3,
    ] {
        assert_eq!(decode(word, 0).op, Op::Illegal, "{word:08x}");
    }
}

#[test]
fn a_trap_names_the_step_that_is_not_made() {
    let found = run(&program(vec![0x13, immediate(0x67, 0, 0, 0, 6)]), &[], 100).unwrap();
    assert_eq!(
        found,
        Outcome::Trapped {
            step: 3,
            pc: 6,
            trap: Trap::Fetch
        }
    );
    let found = run(&program(vec![0x73]), &[], 100).unwrap();
    assert_eq!(
        found,
        Outcome::Trapped {
            step: 1,
            pc: CODE,
            trap: Trap::Call(0)
        }
    );
}

#[test]
fn the_chain_is_blake3() {
    // BLAKE3 of 33 zero bytes, and of 0x01 followed by 32 of them, as the model in tests/reference has them.
    assert_eq!(
        hex(Hash::initial(&[0; 32])),
        "232b17a92a13d46fdeeba07519406dcdad6d67b7"
    );
    assert_eq!(
        hex(Hash([0; 5]).next(0, 0, 0)),
        "2b33f322ce7c9e590423c18cbaca9a819df49e9b"
    );
    assert_eq!(
        hex(Hash([
            0x0302_0100,
            0x0706_0504,
            0x0b0a_0908,
            0x0f0e_0d0c,
            0x1312_1110
        ])
        .next(0x0102_0304, 0x0506_0708, 0x090a_0b0c)),
        "2089a296c4c25f72dfb9131426fc08028e6e953f"
    );
}

fn hex(hash: Hash) -> String {
    hash.to_bytes()
        .iter()
        .map(|byte| alloc::format!("{byte:02x}"))
        .collect()
}

#[test]
fn states_kept_far_apart_lead_to_the_same_rows_and_hashes() {
    // x5 counts down from 2^20: three steps a turn, so states are kept at 2^20 and 2^21.
    let mut code = Vec::new();
    set(&mut code, 6, DATA);
    set(&mut code, 5, 1 << 20);
    code.extend([
        5 << 20 | 6 << 15 | 2 << 12 | 0x23,
        immediate(0x13, 0, 5, 5, 0xfff),
        0xfe02_9ce3,
    ]);
    set(&mut code, 10, 1);
    set(&mut code, 17, 93);
    code.push(0x73);
    let trace = Trace::record(&program(code), &[], &ID, 22).unwrap();
    assert_eq!(
        trace.outcome(),
        Outcome::Halted {
            step: 4 + 3 * (1 << 20) + 5,
            result: 1
        }
    );
    assert!(trace.outcome().is_accepted());
    for step in [
        1,
        5,
        4096,
        4097,
        (1 << 20) - 1,
        1 << 20,
        (1 << 20) + 1,
        (1 << 21) + 5,
        3_145_700,
        3_145_738,
        1 << 22,
    ] {
        let row = trace.row_at(step).unwrap();
        let before = trace.hash_at(step - 1).unwrap();
        let after = before.next(row.write.addr, row.write.value, row.write_pc);
        assert_eq!(after, trace.hash_at(step).unwrap(), "{step}");
        for read in [row.read_1, row.read_2, row.read_3] {
            assert!(read.last_step < step);
            if read.last_step > 0 {
                let source = trace.row_at(read.last_step).unwrap();
                assert_eq!(
                    source.write,
                    Write {
                        addr: read.addr,
                        value: read.value
                    }
                );
            }
        }
    }
    assert_eq!(trace.hash_at(1 << 22), Some(trace.last_hash()));
    assert_eq!((trace.row_at(0), trace.row_at((1 << 22) + 1)), (None, None));
}
