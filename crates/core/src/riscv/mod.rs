//! A RISC-V machine whose runs two parties can dispute (docs/spec/riscv.md).
//!
//! Reads: an ELF file, input bytes. Gives: verdicts, the hash chain over a run, any row of its trace.
//! Never: does I/O, reaches memory that no section declares, knows what the program is for.

pub mod chain;
pub mod decode;
pub mod dependence;
pub mod elf;
pub mod machine;
pub mod memory;
pub mod profile;
pub mod row;
pub mod trace;

#[cfg(test)]
mod tests;
