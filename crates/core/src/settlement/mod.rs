//! Which L2 chain follows from Bitcoin, as a program over bytes (docs/spec/settlement.md).
//!
//! Reads: L1 blocks as far as they matter, statements of the batch program. Gives: a [`Settled`] statement, to be carried
//! on by the next run. Never: executes an L2 transaction, follows a fork, gives a statement where something is missing.
//!
//! The rules are those of derivation (docs/spec/derivation.md); the node's pipeline has them in Python, and tests hold one
//! against the other on hostile chains.
mod block;
mod chain;
mod input;
mod key;
#[cfg(feature = "std")]
mod native;
mod parameter;
mod proven;
mod run;
mod selector;
mod series;
mod state;
mod statement;
mod work;

pub use block::{L1Part, RelevantPart};
pub use input::SettlementInput;
#[cfg(feature = "std")]
pub use native::Proved;
pub use parameter::{Anchor, Parameters, ProofOfWork};
pub use run::{run, Posted, Stopped, Verifier};
pub use state::{Head, State};
pub use statement::{Settled, SETTLED_SIZE};
