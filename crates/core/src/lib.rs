//! The rules of the chain, as the node and the proved program run them.
//!
//! Reads: bytes. Gives: bytes and verdicts. Never: does I/O, knows a clock or a random number.
#![cfg_attr(not(feature = "std"), no_std)]
#![warn(missing_docs)]

extern crate alloc;

pub mod chunk;
pub mod compact;
pub mod envelope;
pub mod object;
pub mod scan;
pub mod state;
pub mod trie;
