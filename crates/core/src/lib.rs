//! The rules of the chain, as the node and the proved program run them.
//!
//! Reads: bytes. Gives: bytes and verdicts. Never: does I/O, knows a clock or a random number.
#![cfg_attr(not(feature = "std"), no_std)]
#![warn(missing_docs)]

extern crate alloc;

pub mod block;
pub mod chunk;
pub mod codec;
pub mod compact;
pub mod envelope;
pub mod ethereum;
pub mod fee;
pub mod forced;
pub mod genesis;
pub mod header;
pub mod hook;
pub mod object;
pub mod payload;
pub mod profile;
pub mod program;
pub mod receipt;
pub mod riscv;
pub mod scan;
pub mod sender;
pub mod settlement;
pub mod state;
pub mod stf;
pub mod transaction;
pub mod trie;
