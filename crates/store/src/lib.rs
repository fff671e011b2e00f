//! Durable state of one node, in LMDB; accounts, and with them the nodes of their trie, in a log of records beside it.
//!
//! Reads: what the core sealed ([`BlockRecord`]). Gives: values as of any kept height ([`View`]), a
//! [`StateSource`](bedroll_core::state::StateSource) for the tip ([`TipSource`]). Never: knows a rule of the chain;
//! writes a part of a block.
//!
//! A sealed block is readable at once and durable after the next [`Store::commit`], which writes any number of
//! blocks whole or not at all. Every change of a flat value leaves the value before it behind, so that any kept
//! height can be viewed and unwound to.
#![warn(missing_docs)]

mod advice;
mod amend;
mod carry;
mod chain;
mod check;
mod commit;
mod database;
pub mod engine;
mod error;
mod journal;
mod key;
mod migrate;
mod near;
mod open;
mod past;
mod pending;
mod posting;
mod record;
mod row;
mod shared;
mod snapshot;
mod table;
mod tip;
mod unwind;
mod view;

pub use carry::{Import, CHUNK_BYTES};
pub use chain::SealedHeader;
pub use check::{Check, Sum};
pub use error::StoreError;
pub use open::{StoreOptions, SCHEMA_VERSION};
pub use past::{PastNodes, PastState};
pub use posting::{Appearance, Roles, Term};
pub use record::{BlockRecord, LogPosting, Named};
pub use tip::TipSource;
pub use view::View;

use std::sync::Arc;

/// The store of one node: one writer, many views.
///
/// It may be shared between threads; its folder belongs to one process.
#[derive(Clone, Debug)]
pub struct Store {
    shared: Arc<shared::Shared>,
}
