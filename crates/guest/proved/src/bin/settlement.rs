//! The settlement program for the proof system: reads an input, commits its statement (docs/spec/settlement.md).
//!
//! The rules are `bedroll_core::settlement`. Statements of the batch program, and the one of the run before, are verified by
//! recursion. Where the input does not hold together the program ends with exit code 1 and there is no proof.
#![no_main]

use bedroll_core::settlement::{run, SettlementInput, Verifier};
use bedroll_guest::verify_schnorr;
use sha2::{Digest, Sha256};

sp1_zkvm::entrypoint!(main);

/// The machine, which proves nothing unless each asked proof is there.
struct Machine;

impl Verifier for Machine {
    fn schnorr(&self, key: &[u8; 32], message: &[u8; 32], signature: &[u8; 64]) -> bool {
        verify_schnorr(key, message, signature)
    }

    fn is_proved(&mut self, key: &alloy_primitives::B256, statement: &[u8]) -> bool {
        let mut words = [0; 8];
        for (word, bytes) in words.iter_mut().zip(key.as_chunks::<4>().0) {
            *word = u32::from_be_bytes(*bytes);
        }
        sp1_lib::verify::verify_sp1_proof(&words, &Sha256::digest(statement).into());
        true
    }
}

/// Entry point of the machine.
pub fn main() {
    let given = sp1_zkvm::io::read_vec();
    let input = SettlementInput::decode(&given).unwrap_or_else(|error| panic!("input: {error}"));
    let (settled, _) = run(input, &mut Machine).unwrap_or_else(|stopped| panic!("{stopped}"));
    sp1_zkvm::io::commit_slice(&settled.encode());
}
