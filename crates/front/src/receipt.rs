//! Receipts as Ethereum's JSON; member for member what `bedroll.api.render` writes.
use alloy_primitives::B256;
use bedroll_core::block::Block;

use crate::show::{data, number};

fn member(out: &mut Vec<u8>, name: &str) {
    out.extend_from_slice(if out.last() == Some(&b'{') {
        b"\""
    } else {
        b",\""
    });
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
}

/// Writes a receipt of a block that Bitcoin does not hold yet.
pub(crate) fn write_receipt(out: &mut Vec<u8>, block: &Block, index: usize) -> Option<()> {
    let (tx, receipt) = (block.transactions.get(index)?, block.receipts.get(index)?);
    out.push(b'{');
    member(out, "transactionHash");
    data(out, tx.hash.as_slice());
    place(out, block, index);
    member(out, "from");
    data(out, tx.sender.as_slice());
    member(out, "to");
    optional(out, tx.to().as_ref().map(|to| to.as_slice()));
    member(out, "type");
    number(out, tx.kind());
    member(out, "status");
    number(out, u8::from(receipt.success));
    for (name, value) in [
        ("gasUsed", receipt.gas_used + receipt.data_gas),
        ("evmGasUsed", receipt.gas_used),
        ("dataGasUsed", receipt.data_gas),
        ("cumulativeGasUsed", receipt.cumulative_gas_used),
    ] {
        member(out, name);
        number(out, value);
    }
    member(out, "effectiveGasPrice");
    number(out, receipt.effective_gas_price);
    member(out, "contractAddress");
    optional(out, receipt.contract.as_ref().map(|made| made.as_slice()));
    write_logs(out, block, index, &tx.hash);
    member(out, "logsBloom");
    data(out, receipt.bloom().as_slice());
    out.extend_from_slice(b",\"class\":\"latest\",\"bedrollBitcoin\":null}");
    Some(())
}

fn place(out: &mut Vec<u8>, block: &Block, index: usize) {
    member(out, "transactionIndex");
    number(out, index as u64);
    member(out, "blockHash");
    data(out, block.hash.as_slice());
    member(out, "blockNumber");
    number(out, block.header.number);
}

fn optional(out: &mut Vec<u8>, value: Option<&[u8]>) {
    match value {
        Some(value) => data(out, value),
        None => out.extend_from_slice(b"null"),
    }
}

fn write_logs(out: &mut Vec<u8>, block: &Block, index: usize, hash: &B256) {
    let before = &block.receipts[..index];
    let first: usize = before.iter().map(|receipt| receipt.logs.len()).sum();
    member(out, "logs");
    out.push(b'[');
    for (at, log) in (first..).zip(&block.receipts[index].logs) {
        if at > first {
            out.push(b',');
        }
        out.push(b'{');
        member(out, "address");
        data(out, log.address.as_slice());
        member(out, "topics");
        out.push(b'[');
        for (place, topic) in log.topics().iter().enumerate() {
            if place > 0 {
                out.push(b',');
            }
            data(out, topic.as_slice());
        }
        out.push(b']');
        member(out, "data");
        data(out, &log.data.data);
        member(out, "blockNumber");
        number(out, block.header.number);
        member(out, "blockHash");
        data(out, block.hash.as_slice());
        member(out, "blockTimestamp");
        number(out, block.header.timestamp);
        member(out, "transactionHash");
        data(out, hash.as_slice());
        member(out, "transactionIndex");
        number(out, index as u64);
        member(out, "logIndex");
        number(out, at as u64);
        out.extend_from_slice(b",\"removed\":false}");
    }
    out.push(b']');
}
