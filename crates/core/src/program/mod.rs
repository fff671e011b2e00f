//! What a validity proof says, as a program over bytes (docs/spec/proof.md).
//!
//! Reads: a batch or an automatic range, the L1 data it stands on, a witness of the state. Gives: a [`Statement`] with a
//! verdict, for everything that Bitcoin can carry. Never: gives a statement where the witness does not fit.
//!
//! The node makes the witness by running the same blocks upon a [`Recorder`]; the proved program, and anybody who
//! wants to check one block without a store, runs them upon a [`WitnessSource`].
mod input;
mod range;
mod run;
mod statement;
mod witness;

pub use input::{BatchPart, ForcedPart, Input, Job, OriginPart};
pub use range::L1Digest;
pub use run::{record, run, Aborted};
pub use statement::{
    facts_digest, rules_digest, QueueDigest, Rejection, Statement, Verdict, STATEMENT_SIZE,
};
pub use witness::{BookEntry, ProgramSource, Recorder, StoragePart, Witness, WitnessSource};
