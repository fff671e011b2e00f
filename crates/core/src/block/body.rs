//! A block as a store keeps it, in RLP: a head of header and facts, and a body of all else.
use alloc::{string::String, sync::Arc, vec::Vec};
use alloy_consensus::Header;
use alloy_primitives::{Address, Bytes, B256};
use alloy_rlp::{Decodable, Encodable, RlpDecodable, RlpEncodable};

use super::{Block, EthereumPart, Tail};
use crate::forced::{Ended, Status};
use crate::receipt::Receipt;
use crate::transaction::Transaction;

#[derive(RlpEncodable, RlpDecodable)]
pub(super) struct Signed {
    pub(super) sender: Address,
    pub(super) raw: Bytes,
}

#[derive(RlpEncodable, RlpDecodable)]
#[rlp(trailing)]
pub(super) struct End {
    index: u64,
    id: B256,
    status: u8,
    reason: String,
    transaction_hash: Option<B256>,
}

/// As it is read; [`super::encode_body`] writes the same.
#[cfg_attr(test, derive(RlpEncodable))]
#[derive(RlpDecodable)]
#[rlp(trailing)]
pub(super) struct Body {
    origin_step: bool,
    automatic: bool,
    forced_count: u64,
    transactions: Vec<Signed>,
    pub(super) receipts: Vec<Receipt>,
    forced: Vec<End>,
    new_addresses: Vec<Address>,
    ethereum: Option<EthereumPart>,
}

pub(super) fn end_of(ended: &Ended) -> End {
    End {
        index: ended.index,
        id: ended.id,
        status: ended.status as u8,
        reason: ended.reason.clone(),
        transaction_hash: ended.transaction_hash,
    }
}

/// Decodes what [`encode_body`] wrote. Messages that the block took in are not in it.
///
/// # Errors
/// The bytes are not a block's.
pub fn decode_body(header: Header, tail: Tail, bytes: &[u8]) -> alloy_rlp::Result<Block> {
    let body = Body::decode(&mut &*bytes)?;
    let broken = alloy_rlp::Error::Custom("not what was stored");
    let transactions = body
        .transactions
        .into_iter()
        .map(|signed| Transaction::restore(&signed.raw, signed.sender).map(Arc::new))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|_| broken)?;
    let forced = body
        .forced
        .into_iter()
        .map(|end| {
            Some(Ended {
                index: end.index,
                id: end.id,
                status: Status::from_number(end.status)?,
                reason: end.reason,
                transaction_hash: end.transaction_hash,
            })
        })
        .collect::<Option<Vec<_>>>()
        .ok_or(broken)?;
    Ok(Block {
        hash: header.hash_slow(),
        header,
        tail,
        origin_step: body.origin_step,
        automatic: body.automatic,
        transactions,
        receipts: body.receipts,
        forced,
        forced_count: body.forced_count as usize,
        new_addresses: body.new_addresses,
        enqueued: Vec::new(),
        touched: Vec::new(),
        ethereum: body.ethereum,
    })
}

/// Encodes the header and after it the facts that the next block needs.
pub fn encode_head(block: &Block) -> Vec<u8> {
    let mut out = Vec::with_capacity(768);
    block.header.encode(&mut out);
    block.tail.encode(&mut out);
    out
}

/// Decodes what [`encode_head`] wrote.
///
/// # Errors
/// The bytes are not a head.
pub fn decode_head(mut bytes: &[u8]) -> alloy_rlp::Result<(Header, Tail)> {
    let header = Header::decode(&mut bytes)?;
    let tail = Tail::decode(&mut bytes)?;
    if bytes.is_empty() {
        Ok((header, tail))
    } else {
        Err(alloy_rlp::Error::UnexpectedLength)
    }
}

/// Decodes only the receipts.
///
/// # Errors
/// The bytes are not a block's.
pub fn decode_receipts(bytes: &[u8]) -> alloy_rlp::Result<Vec<Receipt>> {
    let mut inside = alloy_rlp::Header::decode_bytes(&mut &*bytes, true)?;
    // origin_step, automatic, forced_count, transactions
    for _ in 0..4 {
        let item = alloy_rlp::Header::decode(&mut inside)?;
        inside = inside
            .get(item.payload_length..)
            .ok_or(alloy_rlp::Error::InputTooShort)?;
    }
    Vec::<Receipt>::decode(&mut inside)
}
