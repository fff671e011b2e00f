//! The program: reads 32 words of input, ends with 1 for a valid proof and 0 for all else.
#![no_std]
#![no_main]

use bedroll_verifier::constant::LINES;
use bedroll_verifier::field::Field;
use bedroll_verifier::number::Number;
use bedroll_verifier::quadratic::Quadratic;
use bedroll_verifier::sextic::Sextic;
use bedroll_verifier::twelfth::Twelfth;
use bedroll_verifier::verify::{verify, Key, Statement};

core::arch::global_asm!(include_str!("start.s"));

const NO_LINES: [[Quadratic<Number>; 2]; LINES] = [[Quadratic::ZERO; 2]; LINES];

/// The verification key of this instance, written into the file. As built it accepts nothing: no power is 0.
#[no_mangle]
#[link_section = ".key"]
static KEY: Key<Number> = Key {
    gamma: NO_LINES,
    delta: NO_LINES,
    target: Twelfth {
        x: Sextic::ZERO,
        y: Sextic::ZERO,
    },
};

/// The statement of this instance, written into the file.
#[no_mangle]
#[link_section = ".statement"]
static STATEMENT: Statement<Number> = Statement {
    ratio: Number::ZERO,
    inverse: Number::ZERO,
};

extern "C" {
    /// Where the machine puts the input.
    static input: [[u32; 8]; 4];
}

#[no_mangle]
extern "C" fn main() -> u32 {
    // The compiler must not know what the file says where it is written later.
    let (key, statement) = (
        core::hint::black_box(&KEY),
        core::hint::black_box(&STATEMENT),
    );
    // SAFETY: the linker script gives the section its size; words of any value are words.
    let proof = unsafe { &*core::hint::black_box(&raw const input) };
    verify(proof, key, statement).bit()
}

/// No call of this program panics: `docs/spec/verifier.md` says how that is known.
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}
