//! Where transactions, receipts and logs stand in a stored body, so that one is read without the others.
//!
//! ```text
//! transactions u32 ‖ logs u32 ‖ (transaction u32 ‖ receipt u32)* ‖ (log u32 ‖ its transaction u32)*
//! ```
//! Offsets from the start of the body to an item's RLP; indexes as they count in the block.
use alloc::vec::Vec;
use alloy_primitives::{Log, B256};
use alloy_rlp::{Decodable, Error, Header};

use super::body::Signed;
use crate::receipt::Receipt;
use crate::transaction::Transaction;

/// Takes one item from the front; gives its payload.
fn item<'a>(bytes: &mut &'a [u8]) -> alloy_rlp::Result<&'a [u8]> {
    let head = Header::decode(bytes)?;
    let (payload, rest) = bytes
        .split_at_checked(head.payload_length)
        .ok_or(Error::InputTooShort)?;
    *bytes = rest;
    Ok(payload)
}

/// Makes the index of a body that [`super::encode_body`] wrote; empty for one without transactions.
///
/// # Errors
/// The bytes are not a body.
pub fn places(body: &[u8]) -> alloy_rlp::Result<Vec<u8>> {
    let offset = |at: &[u8]| at.as_ptr() as usize - body.as_ptr() as usize;
    let mut inside = item(&mut &*body)?;
    // origin_step, automatic, forced_count
    for _ in 0..3 {
        item(&mut inside)?;
    }
    let (mut transactions, mut receipts) = (item(&mut inside)?, item(&mut inside)?);
    let (mut heads, mut logs) = (Vec::new(), Vec::new());
    let mut index = 0u32;
    while !transactions.is_empty() {
        heads.push((offset(transactions), offset(receipts)));
        item(&mut transactions)?;
        let mut receipt = item(&mut receipts)?;
        // kind, success, gas_used, data_gas, cumulative_gas_used, effective_gas_price, transaction_hash
        for _ in 0..7 {
            item(&mut receipt)?;
        }
        let mut written = item(&mut receipt)?;
        while !written.is_empty() {
            logs.push((offset(written), index));
            item(&mut written)?;
        }
        index += 1;
    }
    Ok(write_places(&heads, &logs))
}

/// The index, of where transactions and receipts begin, and logs with the index of their transaction.
pub(super) fn write_places(heads: &[(usize, usize)], logs: &[(usize, u32)]) -> Vec<u8> {
    if heads.is_empty() {
        return Vec::new();
    }
    let mut out = Vec::with_capacity(8 * (1 + heads.len() + logs.len()));
    let mut put = |one: usize, other: u32| {
        out.extend_from_slice(&(one as u32).to_be_bytes());
        out.extend_from_slice(&other.to_be_bytes());
    };
    put(heads.len(), logs.len() as u32);
    for (transaction, receipt) in heads {
        put(*transaction, *receipt as u32);
    }
    for (log, index) in logs {
        put(*log, *index);
    }
    out
}

/// Such an index, looked into where it lies.
#[derive(Debug, Clone, Copy)]
pub struct Places<'a> {
    transactions: u32,
    logs: u32,
    numbers: &'a [u8],
}

impl<'a> Places<'a> {
    /// Of these bytes; None if they are not such an index.
    pub fn new(bytes: &'a [u8]) -> Option<Self> {
        if bytes.is_empty() {
            return Some(Self {
                transactions: 0,
                logs: 0,
                numbers: &[],
            });
        }
        let (head, numbers) = bytes.split_at_checked(8)?;
        let transactions = u32::from_be_bytes(head[..4].try_into().ok()?);
        let logs = u32::from_be_bytes(head[4..].try_into().ok()?);
        let wanted = 8 * (u64::from(transactions) + u64::from(logs));
        (numbers.len() as u64 == wanted).then_some(Self {
            transactions,
            logs,
            numbers,
        })
    }

    /// How many transactions there are.
    pub fn transactions(&self) -> u32 {
        self.transactions
    }

    /// How many logs there are.
    pub fn logs(&self) -> u32 {
        self.logs
    }

    fn pair(&self, at: usize) -> Option<(u32, u32)> {
        let both = self.numbers.get(at * 8..at * 8 + 8)?;
        let number = |bytes: &[u8]| Some(u32::from_be_bytes(bytes.try_into().ok()?));
        Some((number(&both[..4])?, number(&both[4..])?))
    }

    fn transaction_at(&self, index: u32) -> Option<(u32, u32)> {
        (index < self.transactions).then(|| self.pair(index as usize))?
    }

    /// RLP of a log in the body, and the index of its transaction.
    pub fn log<'b>(&self, body: &'b [u8], index: u32) -> Option<(&'b [u8], u32)> {
        if index >= self.logs {
            return None;
        }
        let (offset, transaction) = self.pair(self.transactions as usize + index as usize)?;
        Some((body.get(offset as usize..)?, transaction))
    }

    /// A transaction of the body.
    ///
    /// # Errors
    /// There is none of this index, or the bytes are not what was stored.
    pub fn transaction(&self, body: &[u8], index: u32) -> alloy_rlp::Result<Transaction> {
        let (offset, _) = self.transaction_at(index).ok_or(Error::InputTooShort)?;
        let mut bytes = body.get(offset as usize..).ok_or(Error::InputTooShort)?;
        let signed = Signed::decode(&mut bytes)?;
        Transaction::restore(&signed.raw, signed.sender)
            .map_err(|_| Error::Custom("not what was stored"))
    }

    /// A receipt of the body.
    ///
    /// # Errors
    /// As [`Self::transaction`].
    pub fn receipt(&self, body: &[u8], index: u32) -> alloy_rlp::Result<Receipt> {
        let (_, offset) = self.transaction_at(index).ok_or(Error::InputTooShort)?;
        let mut bytes = body.get(offset as usize..).ok_or(Error::InputTooShort)?;
        Receipt::decode(&mut bytes)
    }

    /// Hash of a transaction, from its receipt.
    pub fn hash(&self, body: &[u8], index: u32) -> Option<B256> {
        let (_, offset) = self.transaction_at(index)?;
        let mut receipt = body.get(offset as usize..)?;
        Header::decode(&mut receipt).ok()?;
        for _ in 0..6 {
            item(&mut receipt).ok()?;
        }
        B256::decode(&mut receipt).ok()
    }
}

/// A log's RLP, looked into where it lies.
#[derive(Debug, Clone, Copy)]
pub struct LogView<'a> {
    /// Who wrote it, 20 bytes.
    pub address: &'a [u8],
    /// 32 bytes each, at most four, with their RLP heads.
    topics: &'a [u8],
    /// What it says.
    pub data: &'a [u8],
}

impl<'a> LogView<'a> {
    /// At the front of these bytes.
    ///
    /// # Errors
    /// They are not a log.
    pub fn new(mut bytes: &'a [u8]) -> alloy_rlp::Result<Self> {
        let mut inside = item(&mut bytes)?;
        let log = Self {
            address: item(&mut inside)?,
            topics: item(&mut inside)?,
            data: item(&mut inside)?,
        };
        let whole =
            log.address.len() == 20 && log.topics.len().is_multiple_of(33) && inside.is_empty();
        if whole {
            Ok(log)
        } else {
            Err(Error::UnexpectedLength)
        }
    }

    /// Its topics.
    pub fn topics(&self) -> impl ExactSizeIterator<Item = &'a [u8]> {
        self.topics.chunks_exact(33).map(|item| &item[1..])
    }

    /// A copy that owns its parts.
    pub fn to_log(&self) -> Log {
        let topics = self.topics().map(B256::from_slice).collect();
        let address = alloy_primitives::Address::from_slice(self.address);
        Log::new_unchecked(address, topics, self.data.to_vec().into())
    }
}
