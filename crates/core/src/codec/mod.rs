//! Bodies of batches: blocks as columns through one entropy stage (docs/spec/da.md#bodies).
//!
//! Reads: blocks and the state at their parent, or a body from anyone. Gives: the body, or the blocks.
//! Never: executes, needs more of the chain than [`ChainView`], allocates more than the body declares and limits allow.

mod address;
mod bytes;
mod calldata;
mod column;
mod fee;
mod model;
mod range;
mod row;

use alloc::vec::Vec;

use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::Address;

pub use column::Frame;
pub use fee::BASE_FEES_MAX;

use crate::compact::{Invalid, Reader as Cursor};
use crate::object::{Form, BATCH_BLOCKS_MAX, OBJECT_SIZE_MAX};
use crate::transaction::{
    signed_envelope, Envelope, Transaction, SIGNATURE_SIZE as FULL_SIGNATURE_SIZE,
};
use column::Columns;
use fee::Quote;
use range::{Coder, Reader, Writer, EXHAUSTED};
use row::{Fee, Row, RowSignature};

/// First byte of a body.
pub const CODEC_VERSION: u8 = 1;
/// Bytes of a batch once decoded, by the count below, at most.
pub const EXPANDED_SIZE_MAX: u64 = 32 << 20;
/// EVM gas limits of a batch's transactions, at most.
pub const BATCH_GAS_MAX: u64 = 10_000_000_000;
/// EIP-7825: what a transaction's limit counts at most; data gas may lie above it.
const TRANSACTION_GAS_MAX: u64 = 1 << 24;
/// What a block and a transaction count against the expanded size beside their bytes.
const BLOCK_SIZE: u64 = 32;
const TRANSACTION_SIZE: u64 = 200;
/// Roles of addresses count apart.
const FLAG_APART: u8 = 1;
const SIGNATURE_SIZE: usize = 64;

/// What the codec asks of the chain: everything as of the batch's parent.
pub trait ChainView {
    /// EIP-155 id.
    fn chain_id(&self) -> u64;
    /// Of the parent, seconds.
    fn parent_timestamp(&self) -> u64;
    /// The address at an index of the AddressBook, if the index is below its length at the parent.
    fn book_address(&self, index: u32) -> Option<Address>;
    /// The inverse.
    fn book_index(&self, address: &Address) -> Option<u32>;
    /// Of an account.
    fn nonce(&self, address: &Address) -> u64;
}

/// A block as it is to be encoded.
#[derive(Clone, Debug)]
pub struct Block {
    /// Seconds.
    pub timestamp: u64,
    /// Whether it takes the next origin.
    pub origin_step: bool,
    /// Base fee of this block and of up to 10 before it, newest first.
    pub base_fees: Vec<u64>,
    /// The leader's transactions: sender and raw bytes, or [`Transaction::attested_raw`].
    pub transactions: Vec<(Address, Vec<u8>)>,
}

/// What is left of the bytes that a body declares.
pub struct Budget(u64);

impl Budget {
    /// Take bytes.
    ///
    /// # Errors
    /// There are not so many left.
    pub fn spend(&mut self, size: u64) -> Result<usize, Invalid> {
        self.0 = self
            .0
            .checked_sub(size)
            .ok_or(Invalid("batch is larger than it declares"))?;
        usize::try_from(size).map_err(|_| Invalid("batch is larger than it declares"))
    }

    /// Take `count` things of `size` bytes; returns the count.
    ///
    /// # Errors
    /// There are not so many bytes left.
    pub fn spend_each(&mut self, count: u64, size: u64) -> Result<usize, Invalid> {
        self.spend(count.saturating_mul(size))?;
        usize::try_from(count).map_err(|_| Invalid("batch is larger than it declares"))
    }
}

/// Totals that stand in front of a body.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// L2 blocks.
    pub blocks: u32,
    /// The leader's transactions.
    pub transactions: u32,
    /// Bytes once decoded.
    pub expanded_size: u64,
    /// Sum of min(gas limit, 2^24).
    pub gas_limit: u64,
}

impl Totals {
    fn check(&self) -> Result<(), Invalid> {
        if self.blocks == 0 || self.blocks > BATCH_BLOCKS_MAX {
            return Err(Invalid("a batch has 1 to 10,000 blocks"));
        }
        if self.expanded_size > EXPANDED_SIZE_MAX {
            return Err(Invalid("batch expands to more than 32 MiB"));
        }
        if self.gas_limit > BATCH_GAS_MAX {
            return Err(Invalid("gas limits are above 10 G"));
        }
        let least =
            u64::from(self.blocks) * BLOCK_SIZE + u64::from(self.transactions) * TRANSACTION_SIZE;
        if least > self.expanded_size {
            return Err(Invalid("batch is larger than it declares"));
        }
        Ok(())
    }
}

/// A decoded body.
#[derive(Clone, Debug)]
pub struct Decoded {
    /// Of the batch.
    pub form: Form,
    /// What the body declares, checked.
    pub totals: Totals,
    /// One for each block.
    pub frames: Vec<Frame>,
    chain_id: u64,
    rows: Vec<(Row, Quote, RowSignature)>,
    /// Index of each block's first row, and the count of rows.
    starts: Vec<usize>,
}

impl Decoded {
    /// Transactions of one block: EIP-2718 in the signed form, [`Transaction::attested_raw`] in the proven one.
    ///
    /// # Errors
    /// There is no such block, or a fee refers to a base fee that is not given.
    pub fn transactions(&self, index: usize, base_fees: &[u64]) -> Result<Vec<Vec<u8>>, Invalid> {
        if self.form == Form::Proven {
            let attested = self.attested(index, base_fees)?;
            return Ok(attested.iter().map(|tx| tx.raw.to_vec()).collect());
        }
        let envelopes = self.envelopes(index, base_fees)?;
        Ok(envelopes.iter().map(Encodable2718::encoded_2718).collect())
    }

    /// The same, decoded, senders unknown; signatures are zeros in the proven form.
    ///
    /// # Errors
    /// As [`Self::transactions`].
    pub fn envelopes(&self, index: usize, base_fees: &[u64]) -> Result<Vec<Envelope>, Invalid> {
        self.made(index, base_fees, |_, envelope| envelope)
    }

    /// Transactions of one block of the proven form, with the senders that the body names.
    ///
    /// # Errors
    /// As [`Self::transactions`].
    pub fn attested(&self, index: usize, base_fees: &[u64]) -> Result<Vec<Transaction>, Invalid> {
        self.made(index, base_fees, |row, envelope| {
            Transaction::attested(envelope, row.sender, row.authorities.clone())
        })
    }

    /// The same with signatures from the front of `signatures`, each checked against the sender and the authorities
    /// that the body names; None where one is missing or another's.
    ///
    /// # Errors
    /// As [`Self::transactions`].
    pub fn proved(
        &self,
        index: usize,
        base_fees: &[u64],
        signatures: &mut &[u8],
    ) -> Result<Option<Vec<Transaction>>, Invalid> {
        let made = self.made(index, base_fees, |row, envelope| {
            let size = FULL_SIGNATURE_SIZE * (1 + row.authorizations.len());
            let (own, rest) = signatures.split_at_checked(size)?;
            *signatures = rest;
            let signed = signed_envelope(&envelope, own).ok()?;
            Transaction::proved(signed, row.sender, &row.authorities).ok()
        })?;
        Ok(made.into_iter().collect())
    }

    fn made<T>(
        &self,
        index: usize,
        base_fees: &[u64],
        mut make: impl FnMut(&Row, Envelope) -> T,
    ) -> Result<Vec<T>, Invalid> {
        let (Some(start), Some(end)) = (self.starts.get(index), self.starts.get(index + 1)) else {
            return Err(Invalid("batch has no such block"));
        };
        self.rows[*start..*end]
            .iter()
            .map(|(row, quote, signature)| {
                let fee: Fee = quote.resolve(row.kind, base_fees)?;
                Ok(make(row, row::envelope(row, signature, fee, self.chain_id)))
            })
            .collect()
    }
}

/// Encode blocks that follow the view's block. The shorter of both ways to count addresses is taken.
///
/// # Errors
/// A transaction is none of this chain, or a total is above its limit.
pub fn encode<V: ChainView>(view: &V, blocks: &[Block], form: Form) -> Result<Vec<u8>, Invalid> {
    let mut rows = Vec::new();
    for block in blocks {
        for (sender, raw) in &block.transactions {
            rows.push(row::read(raw, *sender, view.chain_id(), form)?);
        }
    }
    let (totals, together) = columns(view, blocks, &rows, (false, form))?;
    let (_, apart) = columns(view, blocks, &rows, (true, form))?;
    let (flags, entropy) = if apart.len() < together.len() {
        (FLAG_APART, apart)
    } else {
        (0, together)
    };
    let mut body = Vec::with_capacity(26 + entropy.len() + rows.len() * 65);
    body.extend_from_slice(&[CODEC_VERSION, flags]);
    body.extend_from_slice(&totals.blocks.to_le_bytes());
    body.extend_from_slice(&totals.transactions.to_le_bytes());
    body.extend_from_slice(&(totals.expanded_size as u32).to_le_bytes());
    body.extend_from_slice(&totals.gas_limit.to_le_bytes());
    body.extend_from_slice(&(entropy.len() as u32).to_le_bytes());
    body.extend_from_slice(&entropy);
    if form == Form::Proven {
        rows.clear();
    }
    for (_, signature) in &rows {
        body.extend_from_slice(&signature.bytes);
    }
    for group in rows.chunks(8) {
        let bits = group
            .iter()
            .zip(0..)
            .map(|((_, signature), place)| u8::from(signature.odd) << place);
        body.push(bits.sum());
    }
    if body.len() > OBJECT_SIZE_MAX {
        return Err(Invalid("body is above 4 MiB"));
    }
    Ok(body)
}

fn columns<V: ChainView>(
    view: &V,
    blocks: &[Block],
    rows: &[(Row, RowSignature)],
    (apart, form): (bool, Form),
) -> Result<(Totals, Vec<u8>), Invalid> {
    let mut writer = Writer::new();
    let mut columns = Columns::new(view, apart, form);
    let mut budget = Budget(EXPANDED_SIZE_MAX);
    let mut totals = Totals {
        blocks: blocks.len() as u32,
        transactions: rows.len() as u32,
        ..Totals::default()
    };
    let mut rows = rows.iter();
    for block in blocks {
        budget.spend(BLOCK_SIZE)?;
        let frame = Frame {
            timestamp: block.timestamp,
            origin_step: block.origin_step,
            transactions: block.transactions.len() as u32,
        };
        if columns.frame(&mut writer, frame)? != frame {
            return Err(Invalid("timestamps go back"));
        }
        for (row, _) in rows.by_ref().take(block.transactions.len()) {
            budget.spend(TRANSACTION_SIZE)?;
            let quote = columns.quote(row, &block.base_fees);
            columns.row(&mut writer, view, row, quote, &mut budget)?;
            totals.gas_limit += row.gas_limit.min(TRANSACTION_GAS_MAX);
        }
    }
    totals.expanded_size = EXPANDED_SIZE_MAX - budget.0;
    totals.check()?;
    Ok((totals, writer.finish()))
}

/// Decode a body.
///
/// # Errors
/// The first rule that it breaks; nothing is allocated beyond what it declares and limits allow.
pub fn decode<V: ChainView>(
    view: &V,
    block_count: u32,
    form: Form,
    body: &[u8],
) -> Result<Decoded, Invalid> {
    let (totals, flags, entropy, signatures) = parts(block_count, form, body)?;
    let mut reader = Reader::new(entropy);
    let mut columns = Columns::new(view, flags & FLAG_APART != 0, form);
    let mut budget = Budget(totals.expanded_size);
    let mut decoded = Decoded {
        form,
        totals,
        frames: Vec::with_capacity(totals.blocks as usize),
        chain_id: view.chain_id(),
        rows: Vec::with_capacity(totals.transactions as usize),
        starts: Vec::with_capacity(totals.blocks as usize + 1),
    };
    let mut gas_limit = 0;
    for _ in 0..totals.blocks {
        budget.spend(BLOCK_SIZE)?;
        let frame = columns.frame(&mut reader, Frame::default())?;
        decoded.frames.push(frame);
        decoded.starts.push(decoded.rows.len());
        if decoded.rows.len() + frame.transactions as usize > totals.transactions as usize {
            return Err(Invalid("block has more transactions than the batch"));
        }
        for _ in 0..frame.transactions {
            budget.spend(TRANSACTION_SIZE)?;
            let (row, quote) = read_row(&mut columns, &mut reader, view, &mut budget)?;
            gas_limit += row.gas_limit.min(TRANSACTION_GAS_MAX);
            let signature = match form {
                Form::Signed => signatures.at(decoded.rows.len()),
                Form::Proven => RowSignature::NONE,
            };
            decoded.rows.push((row, quote, signature));
            if reader.is_exhausted() {
                return Err(EXHAUSTED);
            }
        }
    }
    decoded.starts.push(decoded.rows.len());
    reader.finish()?;
    let counted = decoded.rows.len() == totals.transactions as usize;
    if !counted || gas_limit != totals.gas_limit || budget.0 != 0 {
        return Err(Invalid("batch is not what it declares"));
    }
    Ok(decoded)
}

fn read_row<C: Coder, V: ChainView>(
    columns: &mut Columns,
    coder: &mut C,
    view: &V,
    budget: &mut Budget,
) -> Result<(Row, Quote), Invalid> {
    let quote = Quote::Absolute(Fee::default());
    columns.row(coder, view, &Row::default(), quote, budget)
}

/// The section of signatures; empty in the proven form.
struct Signatures<'a> {
    bytes: &'a [u8],
    parities: &'a [u8],
}

impl Signatures<'_> {
    fn at(&self, index: usize) -> RowSignature {
        let mut bytes = [0; SIGNATURE_SIZE];
        bytes.copy_from_slice(&self.bytes[index * SIGNATURE_SIZE..(index + 1) * SIGNATURE_SIZE]);
        RowSignature {
            bytes,
            odd: self.parities[index / 8] >> (index % 8) & 1 == 1,
        }
    }
}

/// Totals, flags, entropy section and signatures of a body whose lengths are in order.
fn parts(
    block_count: u32,
    form: Form,
    body: &[u8],
) -> Result<(Totals, u8, &[u8], Signatures<'_>), Invalid> {
    let mut cursor = Cursor::new(body);
    if cursor.u8()? != CODEC_VERSION {
        return Err(Invalid("unknown version of body"));
    }
    let flags = cursor.u8()?;
    if flags & !FLAG_APART != 0 {
        return Err(Invalid("unknown flags of body"));
    }
    let totals = Totals {
        blocks: cursor.u32()?,
        transactions: cursor.u32()?,
        expanded_size: u64::from(cursor.u32()?),
        gas_limit: cursor.u64()?,
    };
    totals.check()?;
    if totals.blocks != block_count {
        return Err(Invalid("body has another count of blocks than the header"));
    }
    let entropy_size = cursor.u32()? as usize;
    let entropy = cursor.take(entropy_size)?;
    let count = match form {
        Form::Signed => totals.transactions as usize,
        Form::Proven => 0,
    };
    let signatures = Signatures {
        bytes: cursor.take(count.saturating_mul(SIGNATURE_SIZE))?,
        parities: cursor.take(count.div_ceil(8))?,
    };
    cursor.end()?;
    let unused = count.div_ceil(8) * 8 - count;
    if unused > 0 && signatures.parities[count / 8] >> (8 - unused) != 0 {
        return Err(Invalid("unused parity bits are set"));
    }
    Ok((totals, flags, entropy, signatures))
}
