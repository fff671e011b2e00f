//! Groth16 over BN254 for a machine whose every step may be disputed (docs/spec/verifier.md).
//!
//! Reads: a compressed proof, a prepared verification key, a prepared public input. Gives: yes or no.
//! Never: allocates, panics, branches on or indexes by what it was given: every run takes the same steps.
#![no_std]

#[rustfmt::skip]
pub mod constant;
pub mod field;
pub mod number;
pub mod pairing;
#[cfg(not(target_arch = "riscv32"))]
mod portable;
pub mod quadratic;
pub mod root;
pub mod sextic;
pub mod twelfth;
pub mod verify;
