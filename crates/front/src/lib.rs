//! What stands before the engine: the mempool, and answers to the JSON-RPC calls that are asked most.
//!
//! Reads: bodies of strangers, the engine. Gives: [`Pool`], [`Desk`], [`Sidecar`].
//! Never: waits for a disk, answers what it does not know to the letter, or holds the pool while a block is executed.
mod admit;
mod ask;
mod blob;
mod body;
mod call;
mod desk;
mod execute;
mod fee;
mod journal;
mod lane;
mod pool;
mod ready;
mod receipt;
mod refusal;
mod show;
mod tip;

#[cfg(test)]
mod tests;

pub use blob::{read_blobs, Sidecar, BLOB_TYPE};
pub use desk::{Answer, Answers, Desk, DeskOptions, Heads};
pub use execute::{Executed, Turn};
pub use fee::FeeRule;
pub use journal::Journal;
pub use lane::{Counts, Lane, Returned};
pub use pool::{AccountState, Pool, PoolLimit, Waiting};
pub use refusal::{Fact, Refusal};
