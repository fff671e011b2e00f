//! The batch program for the proof system: reads an input, commits its statement (docs/spec/proof.md).
//!
//! The rules are `bedroll_core::program`, the same that the node runs. Where the input does not hold together the program
//! ends with exit code 1 and there is no proof.
#![no_main]

use bedroll_core::program::{run, Input};
use bedroll_guest::Precompiles;

sp1_zkvm::entrypoint!(main);

/// Entry point of the machine.
pub fn main() {
    revm::install_crypto(Precompiles);
    let given = sp1_zkvm::io::read_vec();
    let input = Input::decode(&given).unwrap_or_else(|error| panic!("input: {error}"));
    let statement = run(input).unwrap_or_else(|aborted| panic!("{aborted}"));
    sp1_zkvm::io::commit_slice(&statement.encode());
}
