//! The settlement program for the proof system: reads an input, commits its statement (docs/spec/settlement.md).
//!
//! The rules are `bedroll_core::settlement`. Statements of the batch program, and the one of the run before, are verified by
//! recursion. Where the input does not hold together the program ends with exit code 1 and there is no proof.
#![no_main]

use alloy_primitives::B256;
use bedroll_core::settlement::{run, Posted, SettlementInput, Verifier};
use bedroll_guest::verify_schnorr;
use sha2::{Digest, Sha256};
use sp1_verifier::Groth16Verifier;

sp1_zkvm::entrypoint!(main);

/// The machine, which proves nothing unless each proof that was asked for is there.
struct Machine;

/// A verification key's eight words.
fn words(key: &B256) -> [u32; 8] {
    let mut words = [0; 8];
    for (word, bytes) in words.iter_mut().zip(key.as_chunks::<4>().0) {
        *word = u32::from_be_bytes(*bytes);
    }
    words
}

/// How Groth16 proofs name a program: its words are digits of 31 bits.
fn name(key: &B256) -> String {
    let mut number = alloy_primitives::U256::ZERO;
    for word in words(key) {
        number = (number << 31) | alloy_primitives::U256::from(word);
    }
    format!("0x{number:064x}")
}

impl Verifier for Machine {
    fn schnorr(&self, key: &[u8; 32], message: &[u8; 32], signature: &[u8; 64]) -> bool {
        verify_schnorr(key, message, signature)
    }

    fn is_proved(&mut self, key: &B256, statement: &[u8]) -> bool {
        sp1_lib::verify::verify_sp1_proof(&words(key), &Sha256::digest(statement).into());
        true
    }

    fn is_shown(&mut self, posted: &Posted<'_>) -> bool {
        match posted.system {
            1 => Groth16Verifier::verify(
                posted.proof,
                posted.statement,
                &name(posted.key),
                posted.circuit,
            )
            .is_ok(),
            2 => self.is_proved(posted.key, posted.statement),
            _ => false,
        }
    }
}

/// Entry point of the machine.
pub fn main() {
    let given = sp1_zkvm::io::read_vec();
    let input = SettlementInput::decode(&given).unwrap_or_else(|error| panic!("input: {error}"));
    let (settled, _) = run(input, &mut Machine).unwrap_or_else(|stopped| panic!("{stopped}"));
    sp1_zkvm::io::commit_slice(&settled.encode());
}
