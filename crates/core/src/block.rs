//! A sealed block with what is not in its header, and the facts the next block needs of it.
mod body;
mod place;
mod write;

use alloc::{sync::Arc, vec::Vec};
use alloy_consensus::Header;
use alloy_eips::eip4895::Withdrawal;
use alloy_primitives::{Address, B256};
use alloy_rlp::{RlpDecodable, RlpEncodable};

pub use body::{decode_body, decode_head, decode_receipts, encode_head};
pub use place::{places, LogView, Places};
pub use write::{encode_body, encode_body_and_places};

use crate::forced::{Ended, Message};
use crate::receipt::Receipt;
use crate::transaction::Transaction;

/// An L1 block as the first L2 block that refers to it takes it in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// L1 height.
    pub height: u64,
    /// Internal order.
    pub hash: B256,
    /// The 80 bytes.
    pub header: [u8; 80],
    /// Root under the witness commitment; zero where there is none.
    pub witness_root: B256,
    /// Median time past, seconds.
    pub median_time: u64,
    /// Wei a witness byte.
    pub l1_rate: u128,
    /// Its forced messages in L1 order.
    pub forced: Vec<Message>,
}

/// What the next block needs to know of a block beside its header.
#[derive(Debug, Clone, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub struct Tail {
    /// L1 height of its origin.
    pub origin_height: u64,
    /// Hash of its origin.
    pub origin_hash: B256,
    /// Median time past of its origin.
    pub median_time: u64,
    /// Rate of its origin.
    pub l1_rate: u128,
    /// Blocks up to and including it that share its timestamp.
    pub second_blocks: u64,
    /// Blocks up to and including it that share its origin.
    pub origin_blocks: u64,
    /// Addresses in the AddressBook after it.
    pub book_length: u64,
    /// Messages taken in, after it.
    pub queue_enqueued: u64,
    /// Messages ended, after it.
    pub queue_done: u64,
}

/// An address that a transaction touched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Touched {
    /// Index of the transaction.
    pub transaction: u32,
    /// Which.
    pub address: Address,
    /// Whether the transaction made a contract there.
    pub created: bool,
}

/// What only Ethereum's own blocks have.
#[derive(Debug, Clone, Default, PartialEq, Eq, RlpEncodable, RlpDecodable)]
#[rlp(trailing)]
pub struct EthereumPart {
    /// Uncles.
    pub ommers: Vec<Header>,
    /// From Shanghai on.
    pub withdrawals: Option<Vec<Withdrawal>>,
}

/// A sealed block.
#[derive(Debug, Clone)]
pub struct Block {
    /// Its header.
    pub header: Header,
    /// Hash of the header.
    pub hash: B256,
    /// Facts for the next one.
    pub tail: Tail,
    /// Whether it is the first of its origin.
    pub origin_step: bool,
    /// Whether derivation made it in silence.
    pub automatic: bool,
    /// All included transactions in order.
    pub transactions: Vec<Arc<Transaction>>,
    /// Of the same order.
    pub receipts: Vec<Receipt>,
    /// Messages that ended in it.
    pub forced: Vec<Ended>,
    /// How many transactions are not the leader's.
    pub forced_count: usize,
    /// Addresses it appended to the book.
    pub new_addresses: Vec<Address>,
    /// Messages it took in.
    pub enqueued: Vec<Message>,
    /// Addresses that its transactions touched beside those that they name; not kept in a store's body.
    pub touched: Vec<Touched>,
    /// None on this chain.
    pub ethereum: Option<EthereumPart>,
}

impl Block {
    /// Bytes of the RLP list of its transactions.
    pub fn size(&self) -> usize {
        let lengths = self.transactions.iter().map(|tx| tx.listed_length());
        lengths.sum()
    }
}
