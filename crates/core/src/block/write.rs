//! Writes a block's body, and with it where things stand in it.
use alloc::vec::Vec;
use alloy_primitives::B256;
use alloy_rlp::{Encodable, Header, EMPTY_STRING_CODE};

use super::body::{end_of, End};
use super::place::write_places;
use super::Block;
use crate::receipt::Receipt;

/// Encodes a block without its header and without what its transactions returned.
pub fn encode_body(block: &Block) -> Vec<u8> {
    encode_body_and_places(block).0
}

/// The same, with what [`super::places`] says of it.
pub fn encode_body_and_places(block: &Block) -> (Vec<u8>, Vec<u8>) {
    // Offsets from the start of the two lists, until it is known where these stand.
    let (mut heads, mut logs) = (Vec::new(), Vec::new());
    let (mut transactions, mut receipts) = (Vec::new(), Vec::new());
    let pairs = block.transactions.iter().zip(&block.receipts);
    for (index, (tx, receipt)) in (0u32..).zip(pairs) {
        heads.push((transactions.len(), receipts.len()));
        put_list_header(&mut transactions, tx.sender.length() + tx.raw.length());
        tx.sender.encode(&mut transactions);
        tx.raw.encode(&mut transactions);
        put_receipt(receipt, &mut receipts, |log| logs.push((log, index)));
    }
    let mut flags = Vec::with_capacity(16);
    block.origin_step.encode(&mut flags);
    block.automatic.encode(&mut flags);
    (block.forced_count as u64).encode(&mut flags);
    let mut rest = Vec::new();
    let ended: Vec<End> = block.forced.iter().map(end_of).collect();
    ended.encode(&mut rest);
    block.new_addresses.encode(&mut rest);
    if let Some(ethereum) = &block.ethereum {
        ethereum.encode(&mut rest);
    }
    let lists = list_length(transactions.len()) + list_length(receipts.len());
    let payload = flags.len() + lists + rest.len();
    let mut body = Vec::with_capacity(list_length(payload));
    put_list_header(&mut body, payload);
    body.extend_from_slice(&flags);
    put_list_header(&mut body, transactions.len());
    let first_transaction = body.len();
    body.extend_from_slice(&transactions);
    put_list_header(&mut body, receipts.len());
    let first_receipt = body.len();
    body.extend_from_slice(&receipts);
    body.extend_from_slice(&rest);
    for (transaction, receipt) in &mut heads {
        *transaction += first_transaction;
        *receipt += first_receipt;
    }
    for (log, _) in &mut logs {
        *log += first_receipt;
    }
    let places = write_places(&heads, &logs);
    (body, places)
}

fn put_list_header(out: &mut Vec<u8>, payload_length: usize) {
    Header {
        list: true,
        payload_length,
    }
    .encode(out);
}

/// Length of a list with its header.
fn list_length(payload_length: usize) -> usize {
    payload_length + alloy_rlp::length_of_length(payload_length)
}

/// Writes a receipt without what its transaction returned; tells where each log begins.
fn put_receipt(receipt: &Receipt, out: &mut Vec<u8>, mut log_at: impl FnMut(usize)) {
    let numbers: [&dyn Encodable; 6] = [
        &receipt.kind,
        &receipt.success,
        &receipt.gas_used,
        &receipt.data_gas,
        &receipt.cumulative_gas_used,
        &receipt.effective_gas_price,
    ];
    let logs = receipt.logs.iter().map(Encodable::length).sum();
    let payload = numbers.iter().map(|one| one.length()).sum::<usize>()
        + receipt.transaction_hash.length()
        + list_length(logs)
        + optional_length(receipt);
    put_list_header(out, payload);
    for number in numbers {
        number.encode(out);
    }
    receipt.transaction_hash.encode(out);
    put_list_header(out, logs);
    for log in &receipt.logs {
        log_at(out.len());
        log.encode(out);
    }
    // What the transaction returned.
    out.push(EMPTY_STRING_CODE);
    match (&receipt.contract, &receipt.post_state) {
        (Some(contract), _) => contract.encode(out),
        (None, Some(_)) => out.push(EMPTY_STRING_CODE),
        (None, None) => {}
    }
    if let Some(root) = &receipt.post_state {
        root.encode(out);
    }
}

/// Length of output, contract and state: the last two are left out from the end, and empty before one that is there.
fn optional_length(receipt: &Receipt) -> usize {
    let contract = receipt.contract.map(|contract| contract.length());
    let root = receipt.post_state.as_ref().map(B256::length);
    1 + contract.unwrap_or(root.is_some().into()) + root.unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::block::body::Body;
    use crate::block::{places, EthereumPart, Tail};
    use crate::forced::{Ended, Status};
    use crate::transaction::{OriginCall, OriginFacts, Transaction};
    use alloc::{sync::Arc, vec};
    use alloy_primitives::{Address, Bytes, Log};
    use alloy_rlp::Decodable;

    fn transaction(height: u64) -> Arc<Transaction> {
        let facts = OriginFacts {
            height,
            header: &[7; 80],
            witness_root: B256::ZERO,
            l1_rate: 9,
            median_time: 3,
        };
        let call = OriginCall::new(5, Address::ZERO, &facts);
        Arc::new(Transaction::of_origin(call, Address::repeat_byte(2)))
    }

    fn receipt(at: usize) -> Receipt {
        let log = |log: usize| {
            let topics = vec![B256::repeat_byte(log as u8); log % 5];
            Log::new_unchecked(Address::ZERO, topics, vec![1; 30 * log].into())
        };
        Receipt {
            kind: at as u8 % 5,
            success: at.is_multiple_of(2),
            gas_used: 21_000,
            data_gas: 200 * at as u64,
            cumulative_gas_used: 21_000 * at as u64,
            effective_gas_price: 1 << at,
            transaction_hash: B256::repeat_byte(at as u8),
            logs: (0..at % 7).map(log).collect(),
            output: Bytes::from_static(b"not kept"),
            contract: (at % 3 == 1).then_some(Address::ZERO),
            post_state: (at % 4 == 1).then_some(B256::ZERO),
        }
    }

    fn block(count: usize) -> Block {
        let ended = Ended {
            index: 1,
            id: B256::ZERO,
            status: Status::Executed,
            reason: "none".into(),
            transaction_hash: None,
        };
        Block {
            header: alloy_consensus::Header::default(),
            hash: B256::ZERO,
            tail: Tail {
                origin_height: 1,
                origin_hash: B256::ZERO,
                median_time: 1,
                l1_rate: 1,
                second_blocks: 1,
                origin_blocks: 1,
                book_length: 0,
                queue_enqueued: 0,
                queue_done: 0,
            },
            origin_step: count.is_multiple_of(2),
            automatic: count % 3 == 1,
            transactions: (0..count as u64).map(transaction).collect(),
            receipts: (0..count).map(receipt).collect(),
            forced: vec![ended; count % 3],
            forced_count: count / 2,
            new_addresses: vec![Address::ZERO; count],
            enqueued: vec![],
            touched: vec![],
            ethereum: (count % 5 == 2).then(EthereumPart::default),
        }
    }

    #[test]
    fn a_body_is_what_its_fields_encode_to_and_its_places_are_those_found_in_it() {
        for count in [0, 1, 2, 3, 5, 7, 64] {
            let (body, at) = encode_body_and_places(&block(count));
            let mut rest = &body[..];
            let read = Body::decode(&mut rest).unwrap();
            assert!(rest.is_empty());
            assert_eq!(alloy_rlp::encode(&read), body, "{count} transactions");
            assert!(read
                .receipts
                .iter()
                .all(|receipt| receipt.output.is_empty()));
            assert_eq!(places(&body).unwrap(), at);
        }
    }
}
