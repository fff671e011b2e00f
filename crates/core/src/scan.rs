//! One L1 block: whole, in order, and with its relevant transactions (docs/spec/da.md#scan).
//!
//! Reads: a serialised block (BIP-0144) and the network's tag. Gives: what derivation needs of it.
//! Never: checks work, scripts or signatures (the Bitcoin node did), allocates beyond the input's size.

use alloc::vec::Vec;

use sha2::{Digest, Sha256};

use crate::compact::{Invalid, Reader};
use crate::envelope;

/// Bytes of a serialised block, at most: weight 4,000,000 and no byte weighs less than one.
pub const BLOCK_SIZE_MAX: usize = 4_000_000;

/// `OP_1 <H>`, H of BIP-0341: the output that takes fees of objects. Nobody can spend it.
pub const FEE_SCRIPT: [u8; 34] = [
    0x51, 0x20, 0x50, 0x92, 0x9b, 0x74, 0xc1, 0xa0, 0x49, 0x54, 0xb7, 0x8b, 0x4b, 0x60, 0x35, 0xe9,
    0x7a, 0x5e, 0x07, 0x8a, 0x5a, 0x0f, 0x28, 0xec, 0x96, 0xd5, 0x47, 0xbf, 0xee, 0x9a, 0xce, 0x80,
    0x3a, 0xc0,
];

const VALUE_MAX_SAT: u64 = 2_100_000_000_000_000;
const WITNESS_COMMITMENT: [u8; 6] = [0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed];
/// Least bytes of an input, an output and a transaction, so that counts are bounded by what is left.
const INPUT_MIN: usize = 41;
const OUTPUT_MIN: usize = 9;
const TRANSACTION_MIN: usize = 60;
const AMBIGUOUS_SIZE: usize = 64;

/// 32 bytes, internal order.
pub type Hash = [u8; 32];

/// What one input carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Carried {
    /// Index of the input.
    pub input: u32,
    /// The envelope's body, or why its leaf is none.
    pub object: Result<Vec<u8>, Invalid>,
}

/// A transaction whose wtxid begins with the tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelevantTransaction {
    /// Position in the block.
    pub index: u32,
    /// Hash without witness.
    pub txid: Hash,
    /// Hash with witness.
    pub wtxid: Hash,
    /// Sum of the outputs to [`FEE_SCRIPT`].
    pub fee_paid_sat: u64,
    /// One for each input that spends by a tapscript leaf.
    pub objects: Vec<Carried>,
}

/// What derivation needs of one L1 block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockScan {
    /// Of the header.
    pub hash: Hash,
    /// As serialised.
    pub header: [u8; 80],
    /// Hash of the block before.
    pub previous: Hash,
    /// Of the header, seconds.
    pub time: u32,
    /// Root under the witness commitment; zero where there is none.
    pub witness_root: Hash,
    /// Sum of the coinbase's outputs.
    pub coinbase_value_sat: u64,
    /// Transactions in the block.
    pub transaction_count: u32,
    /// Positions of 64-byte transactions: a proof could pass one off as an inner node (CVE-2017-12842).
    pub ambiguous: Vec<u32>,
    /// In block order.
    pub relevant: Vec<RelevantTransaction>,
}

struct Output<'a> {
    value_sat: u64,
    script: &'a [u8],
}

/// A transaction as ranges of the block; nothing is copied.
struct Transaction<'a> {
    txid: Hash,
    wtxid: Hash,
    /// Without witness.
    size: usize,
    has_witness: bool,
    first_prevout: &'a [u8],
    input_count: usize,
    output_sum_sat: u64,
    outputs: Vec<Output<'a>>,
    witnesses: Vec<Vec<&'a [u8]>>,
}

/// Double SHA-256.
pub(crate) fn hash(parts: &[&[u8]]) -> Hash {
    let mut engine = Sha256::new();
    for part in parts {
        engine.update(part);
    }
    Sha256::digest(engine.finalize()).into()
}

/// Parse a serialised L1 block and find its relevant transactions.
///
/// # Errors
/// The bytes are no block, or its transactions do not hash to its header or to its witness commitment.
pub fn scan_block(raw: &[u8], tag: &[u8]) -> Result<BlockScan, Invalid> {
    if tag.is_empty() || tag.len() > 32 {
        return Err(Invalid("a tag has 1 to 32 bytes"));
    }
    if raw.len() > BLOCK_SIZE_MAX {
        return Err(Invalid("block is above 4,000,000 bytes"));
    }
    let mut reader = Reader::new(raw);
    let header: [u8; 80] = reader.array()?;
    let count = reader.count(TRANSACTION_MIN)?;
    let mut txids = Vec::with_capacity(count);
    let mut wtxids = Vec::with_capacity(count);
    let mut ambiguous = Vec::new();
    let mut relevant = Vec::new();
    let mut coinbase = None;
    let mut has_witness = false;
    for index in 0..count {
        let transaction = parse_transaction(&mut reader)?;
        let position = u32::try_from(index).unwrap_or(u32::MAX);
        let is_coinbase =
            is_null_prevout(transaction.first_prevout) && transaction.input_count == 1;
        if is_coinbase != (index == 0) {
            return Err(Invalid(
                "the first transaction, and no other, is the coinbase",
            ));
        }
        txids.push(transaction.txid);
        has_witness |= transaction.has_witness;
        if transaction.size == AMBIGUOUS_SIZE {
            ambiguous.push(position);
        }
        if index == 0 {
            wtxids.push([0; 32]);
            coinbase = Some(transaction);
        } else {
            wtxids.push(transaction.wtxid);
            if transaction.wtxid.starts_with(tag) {
                relevant.push(examine(position, &transaction));
            }
        }
    }
    reader.end()?;
    let coinbase = coinbase.ok_or(Invalid("block has no transaction"))?;
    if merkle_root(txids)? != header[36..68] {
        return Err(Invalid(
            "transactions do not hash to the header's merkle root",
        ));
    }
    let witness_root = witness_root(&coinbase, wtxids, has_witness)?;
    if witness_root.is_none() {
        relevant.clear();
    }
    let mut parts = Reader::new(&header[4..]);
    Ok(BlockScan {
        hash: hash(&[&header]),
        header,
        previous: parts.array()?,
        time: u32::from_le_bytes([header[68], header[69], header[70], header[71]]),
        witness_root: witness_root.unwrap_or_default(),
        coinbase_value_sat: coinbase.output_sum_sat,
        transaction_count: u32::try_from(count).unwrap_or(u32::MAX),
        ambiguous,
        relevant,
    })
}

fn is_null_prevout(prevout: &[u8]) -> bool {
    prevout[..32] == [0; 32] && prevout[32..] == [0xff; 4]
}

fn examine(index: u32, transaction: &Transaction<'_>) -> RelevantTransaction {
    let fee_paid_sat = transaction
        .outputs
        .iter()
        .filter(|output| output.script == FEE_SCRIPT)
        .map(|output| output.value_sat)
        .sum();
    let objects = transaction
        .witnesses
        .iter()
        .zip(0_u32..)
        .filter_map(|(stack, input)| {
            envelope::tapscript(stack).map(|script| Carried {
                input,
                object: envelope::parse(script),
            })
        })
        .collect();
    RelevantTransaction {
        index,
        txid: transaction.txid,
        wtxid: transaction.wtxid,
        fee_paid_sat,
        objects,
    }
}

fn parse_transaction<'a>(reader: &mut Reader<'a>) -> Result<Transaction<'a>, Invalid> {
    let start = reader.position();
    let version = reader.take(4)?;
    let mut body_start = reader.position();
    let mut input_count = reader.count(0)?;
    let has_witness = input_count == 0;
    if has_witness {
        if reader.u8()? != 1 {
            return Err(Invalid("transaction has no inputs, or an unknown flag"));
        }
        body_start = reader.position();
        input_count = reader.count(INPUT_MIN)?;
        if input_count == 0 {
            return Err(Invalid("transaction has no inputs"));
        }
    }
    if input_count > reader.left() / INPUT_MIN {
        return Err(Invalid("truncated"));
    }
    let mut first_prevout: &[u8] = &[];
    for index in 0..input_count {
        let prevout = reader.take(36)?;
        if index == 0 {
            first_prevout = prevout;
        }
        reader.sized()?;
        reader.take(4)?;
    }
    let (outputs, output_sum_sat) = parse_outputs(reader)?;
    let body = reader.passed(body_start, reader.position());
    let mut witnesses = Vec::new();
    if has_witness {
        witnesses = parse_witnesses(reader, input_count)?;
    }
    let lock_time = reader.take(4)?;
    let txid = hash(&[version, body, lock_time]);
    let wtxid = if has_witness {
        hash(&[reader.passed(start, reader.position())])
    } else {
        txid
    };
    Ok(Transaction {
        txid,
        wtxid,
        size: 8 + body.len(),
        has_witness,
        first_prevout,
        input_count,
        output_sum_sat,
        outputs,
        witnesses,
    })
}

fn parse_outputs<'a>(reader: &mut Reader<'a>) -> Result<(Vec<Output<'a>>, u64), Invalid> {
    let count = reader.count(OUTPUT_MIN)?;
    if count == 0 {
        return Err(Invalid("transaction has no outputs"));
    }
    let mut outputs = Vec::with_capacity(count);
    let mut sum: u64 = 0;
    for _ in 0..count {
        let value_sat = reader.u64()?;
        // Both below 2^51, so the sum cannot overflow.
        if value_sat > VALUE_MAX_SAT || sum + value_sat > VALUE_MAX_SAT {
            return Err(Invalid("outputs are above 21 million bitcoin"));
        }
        sum += value_sat;
        let script = reader.sized()?;
        outputs.push(Output { value_sat, script });
    }
    Ok((outputs, sum))
}

fn parse_witnesses<'a>(
    reader: &mut Reader<'a>,
    input_count: usize,
) -> Result<Vec<Vec<&'a [u8]>>, Invalid> {
    let mut witnesses = Vec::with_capacity(input_count);
    let mut all_empty = true;
    for _ in 0..input_count {
        let count = reader.count(1)?;
        all_empty &= count == 0;
        let mut stack = Vec::new();
        for left in (0..count).rev() {
            let element = reader.sized()?;
            // Only the annex, the control block and the leaf are looked at.
            if left < 3 {
                stack.push(element);
            }
        }
        witnesses.push(stack);
    }
    if all_empty {
        return Err(Invalid("transaction has a flag but no witness"));
    }
    Ok(witnesses)
}

/// Root of Bitcoin's tree; a list in which a pair of equal hashes meets is refused (CVE-2012-2459).
pub(crate) fn merkle_root(mut level: Vec<Hash>) -> Result<Hash, Invalid> {
    while level.len() > 1 {
        let mut next = Vec::with_capacity(level.len().div_ceil(2));
        for pair in level.chunks(2) {
            next.push(match pair {
                [left, right] if left == right => return Err(Invalid("transactions are doubled")),
                [left, right] => hash(&[left, right]),
                [odd] => hash(&[odd, odd]),
                _ => [0; 32],
            });
        }
        level = next;
    }
    level
        .first()
        .copied()
        .ok_or(Invalid("block has no transaction"))
}

/// The witness root, checked against the coinbase's commitment; `None` without one.
fn witness_root(
    coinbase: &Transaction<'_>,
    wtxids: Vec<Hash>,
    has_witness: bool,
) -> Result<Option<Hash>, Invalid> {
    let coinbase = Coinbase::of(coinbase);
    if coinbase.commitment.is_none() {
        if has_witness {
            return Err(Invalid("witness without commitment"));
        }
        return Ok(None);
    }
    if coinbase.reserved.is_none() {
        return Err(Invalid("coinbase has no witness reserved value"));
    }
    let root = merkle_root(wtxids)?;
    if !coinbase.commits_to(&root) {
        return Err(Invalid(
            "transactions do not hash to the witness commitment",
        ));
    }
    Ok(Some(root))
}

/// What a block's first transaction says of the block.
pub(crate) struct Coinbase {
    /// Hash without witness.
    pub txid: Hash,
    /// Sum of its outputs.
    pub value_sat: u64,
    /// The last one in its outputs counts (BIP-0141).
    pub commitment: Option<Hash>,
    reserved: Option<Hash>,
}

impl Coinbase {
    fn of(transaction: &Transaction<'_>) -> Self {
        let scripts = transaction.outputs.iter().rev().map(|output| output.script);
        let mut found =
            scripts.filter(|script| script.len() >= 38 && script.starts_with(&WITNESS_COMMITMENT));
        let reserved = match transaction.witnesses.as_slice() {
            [stack] => match stack.as_slice() {
                [reserved] => (*reserved).try_into().ok(),
                _ => None,
            },
            _ => None,
        };
        Self {
            txid: transaction.txid,
            value_sat: transaction.output_sum_sat,
            commitment: found
                .next()
                .and_then(|script| script[6..38].try_into().ok()),
            reserved,
        }
    }

    /// Whether it commits to this root of wtxids.
    pub(crate) fn commits_to(&self, root: &Hash) -> bool {
        let committed = self.reserved.map(|reserved| hash(&[root, &reserved]));
        committed.is_some() && committed == self.commitment
    }
}

/// Parse a coinbase that stands alone.
///
/// # Errors
/// The bytes are none.
pub(crate) fn parse_coinbase(raw: &[u8]) -> Result<Coinbase, Invalid> {
    let transaction = parse_alone(raw)?;
    if is_null_prevout(transaction.first_prevout) && transaction.input_count == 1 {
        Ok(Coinbase::of(&transaction))
    } else {
        Err(Invalid("the transaction is no coinbase"))
    }
}

/// What a relevant transaction carries that stands alone.
///
/// # Errors
/// The bytes are no transaction.
pub(crate) fn examine_alone(index: u32, raw: &[u8]) -> Result<RelevantTransaction, Invalid> {
    Ok(examine(index, &parse_alone(raw)?))
}

fn parse_alone(raw: &[u8]) -> Result<Transaction<'_>, Invalid> {
    let mut reader = Reader::new(raw);
    let transaction = parse_transaction(&mut reader)?;
    reader.end()?;
    Ok(transaction)
}

/// A transaction of a block.
pub(crate) struct Listed<'a> {
    /// As serialised.
    pub raw: &'a [u8],
    /// Hash without witness.
    pub txid: Hash,
    /// Hash with witness; zero for the first.
    pub wtxid: Hash,
}

/// All transactions of a block that was scanned.
///
/// # Errors
/// The bytes are no block.
pub(crate) fn list_block(raw: &[u8]) -> Result<Vec<Listed<'_>>, Invalid> {
    let mut reader = Reader::new(raw);
    reader.take(80)?;
    let count = reader.count(TRANSACTION_MIN)?;
    let mut listed = Vec::with_capacity(count);
    for index in 0..count {
        let start = reader.position();
        let transaction = parse_transaction(&mut reader)?;
        listed.push(Listed {
            raw: reader.passed(start, reader.position()),
            txid: transaction.txid,
            wtxid: if index == 0 {
                [0; 32]
            } else {
                transaction.wtxid
            },
        });
    }
    Ok(listed)
}
