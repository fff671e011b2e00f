//! Forced messages: what makes one ineligible, and the two chains of the queue.
use alloc::{string::String, vec::Vec};
use alloy_consensus::Transaction as _;
use alloy_primitives::{Bytes, B256};
use alloy_rlp::{RlpDecodable, RlpEncodable};
use core::fmt;
use sha2::{Digest, Sha256};

use crate::profile::Rules;
use crate::state::StateError;
use crate::transaction::Transaction;
use crate::trie::SourceError;

/// Largest init code (EIP-3860).
const INITCODE_MAX: usize = 49_152;

/// A message as it waits in the queue.
#[derive(Debug, Clone, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub struct Message {
    /// SHA-256("forced" ‖ network ‖ wtxid).
    pub id: B256,
    /// The raw signed transaction, or anything else.
    pub payload: Bytes,
    /// Whether its Bitcoin transaction paid `forced_fee`.
    pub paid: bool,
    /// L1 height of its origin.
    pub origin_height: u64,
}

impl Message {
    /// What decides its fate beside its id: SHA-256 of the payload ‖ paid ‖ origin height as 8 bytes, big endian.
    ///
    /// Whoever opens the chain to show what waits can thus say nothing else of it.
    fn fate(&self) -> [u8; 41] {
        let mut fate = [0; 41];
        fate[..32].copy_from_slice(&Sha256::digest(&self.payload));
        fate[32] = u8::from(self.paid);
        fate[33..].copy_from_slice(&self.origin_height.to_be_bytes());
        fate
    }
}

/// How a message ended. The number is what `queue_done` hashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Status {
    /// Ran and succeeded.
    Executed = 1,
    /// Ran and reverted or halted.
    Reverted = 2,
    /// Not run: nonce, balance or code of the sender did not fit.
    Skipped = 3,
    /// Not run: the message itself is not eligible.
    Ineligible = 4,
}

impl Status {
    /// From the number.
    pub fn from_number(number: u8) -> Option<Self> {
        [
            Self::Executed,
            Self::Reverted,
            Self::Skipped,
            Self::Ineligible,
        ]
        .into_iter()
        .find(|status| *status as u8 == number)
    }

    /// The word RPC and Python use.
    pub fn word(self) -> &'static str {
        match self {
            Self::Executed => "executed",
            Self::Reverted => "reverted",
            Self::Skipped => "skipped",
            Self::Ineligible => "ineligible",
        }
    }
}

/// One message's end, as a block records it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// Place in the queue, from 0.
    pub index: u64,
    /// Its id.
    pub id: B256,
    /// How.
    pub status: Status,
    /// Hash of its transaction, if it was eligible.
    pub transaction_hash: Option<B256>,
    /// Why it was not executed, or halted; else empty. Not part of any commitment.
    pub reason: String,
}

/// Why a message is ineligible: message, transaction and network decide alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ineligible {
    /// Its Bitcoin transaction did not pay `forced_fee`.
    Unpaid,
    /// Larger than `forced_size_max`.
    Size,
    /// Not a canonical transaction of an allowed type, or its signature is bad.
    Transaction,
    /// Another chain's, or a legacy transaction without chain id.
    Chain,
    /// Gas limit above `forced_message_gas_limit`.
    GasLimit,
    /// Gas limit below the intrinsic gas.
    Intrinsic,
    /// Tip above the max fee.
    Fee,
    /// Init code above EIP-3860's limit.
    InitCode,
    /// A nonce that no transaction may have (EIP-2681).
    Nonce,
    /// Type 4 without authorisations.
    Authorizations,
}

impl fmt::Display for Ineligible {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unpaid => "its Bitcoin transaction does not pay forced_fee",
            Self::Size => "it is larger than forced_size_max",
            Self::Transaction => "it is no canonical signed transaction of type 0, 1, 2 or 4",
            Self::Chain => "its chain id is absent or another chain's",
            Self::GasLimit => "its gas limit is above forced_message_gas_limit",
            Self::Intrinsic => "its gas limit is below its intrinsic gas",
            Self::Fee => "its priority fee is above its max fee",
            Self::InitCode => "its init code is too long (EIP-3860)",
            Self::Nonce => "its nonce is the last one (EIP-2681)",
            Self::Authorizations => "it is of type 4 without authorisations",
        })
    }
}

/// Judges a message without any state.
///
/// # Errors
/// The first rule it breaks, in the order of [`Ineligible`].
pub fn eligible(message: &Message, rules: &Rules) -> Result<Transaction, Ineligible> {
    if !message.paid {
        return Err(Ineligible::Unpaid);
    }
    if message.payload.len() > rules.forced_size_max {
        return Err(Ineligible::Size);
    }
    let transaction = Transaction::decode(&message.payload).map_err(|_| Ineligible::Transaction)?;
    let fields = transaction.envelope().ok_or(Ineligible::Transaction)?;
    if fields.chain_id() != Some(rules.chain_id) {
        return Err(Ineligible::Chain);
    }
    if fields.gas_limit() > rules.forced_message_gas_limit {
        return Err(Ineligible::GasLimit);
    }
    if fields.gas_limit() < transaction.intrinsic_gas {
        return Err(Ineligible::Intrinsic);
    }
    if fields.max_priority_fee_per_gas().unwrap_or_default() > fields.max_fee_per_gas() {
        return Err(Ineligible::Fee);
    }
    if fields.kind().is_create() && fields.input().len() > INITCODE_MAX {
        return Err(Ineligible::InitCode);
    }
    if fields.nonce() == u64::MAX {
        return Err(Ineligible::Nonce);
    }
    if transaction.kind() == 4 && transaction.authorities.is_empty() {
        return Err(Ineligible::Authorizations);
    }
    Ok(transaction)
}

/// Accumulators and counts of the queue; the light client's slots 0 to 3.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Queue {
    /// Chain over (index, id, payload hash, paid, origin height) of every message taken in.
    pub acc: B256,
    /// How many were taken in.
    pub enqueued: u64,
    /// Chain over (index, id, status) of every message that ended.
    pub done_acc: B256,
    /// How many ended.
    pub done: u64,
}

impl Queue {
    /// Takes in a message.
    pub fn enqueue(&mut self, message: &Message) {
        self.acc = link(&self.acc, self.enqueued, &message.id, &message.fate());
        self.enqueued += 1;
    }

    /// Ends the head; returns its index.
    pub fn end(&mut self, id: &B256, status: Status) -> u64 {
        let index = self.done;
        self.done_acc = link(&self.done_acc, index, id, &[status as u8]);
        self.done += 1;
        index
    }
}

/// SHA-256(previous ‖ index as 8 bytes, big endian ‖ id ‖ tail).
fn link(previous: &B256, index: u64, id: &B256, tail: &[u8]) -> B256 {
    let mut hash = Sha256::new();
    hash.update(previous);
    hash.update(index.to_be_bytes());
    hash.update(id);
    hash.update(tail);
    B256::new(hash.finalize().into())
}

/// Where messages that wait are read from.
pub trait ReadQueue {
    /// The message at an index of the queue that has not ended.
    ///
    /// # Errors
    /// It is not there, or the store cannot be read.
    fn message(&self, index: u64) -> Result<Message, StateError>;
}

/// A queue in memory: what waits, the first at index `first`.
#[derive(Debug, Clone, Default)]
pub struct WaitingList {
    /// Index of the first.
    pub first: u64,
    /// In order.
    pub messages: Vec<Message>,
}

impl ReadQueue for WaitingList {
    fn message(&self, index: u64) -> Result<Message, StateError> {
        let place = index
            .checked_sub(self.first)
            .and_then(|place| usize::try_from(place).ok());
        let found = place.and_then(|place| self.messages.get(place));
        found.cloned().ok_or_else(|| {
            let text = alloc::format!("message {index} of the queue is not stored");
            StateError::Source(SourceError(text))
        })
    }
}
