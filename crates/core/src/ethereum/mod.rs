//! Ethereum's own blocks, by the fork of their height and time: what published chains and vectors run through.
//!
//! Reads: blocks as RLP, a state. Gives: receipts, roots and requests, held against the header. Never: seals a
//! header with work of its own: what proof of work says is taken as given.
mod block;
mod check;
mod request;
mod reward;
mod schedule;
mod stateless;

pub use block::{decode_block, execute, EthereumBlock, Executed, OpenEthereumBlock};
pub use check::{check_executed, check_header};
pub use reward::pay_work;
pub use schedule::{Activation, BlobLimits, Fork, Schedule};
pub use stateless::{execute_stateless, StatelessInput};

use alloc::string::String;
use core::fmt;

use crate::state::StateError;

/// Why a block is not taken.
#[derive(Debug)]
pub enum Fault {
    /// It breaks a rule, said in full.
    Rule(String),
    /// The state could not be read.
    State(StateError),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rule(text) => f.write_str(text),
            Self::State(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for Fault {}

impl From<StateError> for Fault {
    fn from(error: StateError) -> Self {
        Self::State(error)
    }
}
