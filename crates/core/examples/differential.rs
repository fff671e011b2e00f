//! Runs blocks under profile `ethereum`: a case a line comes in, what it did goes out as a line.
//!
//! Cases are made by `tests/framework/evm_case.py`; other engines answer the same lines (`scripts/fuzz_evm.py`).
use std::collections::BTreeMap;
use std::io::{BufRead, Write};

use alloy_consensus::Header;
use alloy_eips::eip2718::Decodable2718;
use alloy_eips::eip4895::Withdrawal;
use alloy_primitives::{address, keccak256, Address, Bytes, B256, U256};
use alloy_rlp::Encodable;
use bedroll_core::ethereum::{execute, Activation, BlobLimits, EthereumBlock, Schedule};
use bedroll_core::header::{logs_bloom, receipts_root};
use bedroll_core::receipt::Receipt;
use bedroll_core::state::{Account, MemorySource, State};
use bedroll_core::transaction::Envelope;
use bedroll_core::trie::EMPTY_ROOT;
use revm::primitives::hardfork::SpecId;
use serde::Deserialize;
use serde_json::{json, Value};

type Fault = Box<dyn std::error::Error>;

/// A state and one block upon it.
#[derive(Deserialize)]
struct Case {
    fork: String,
    chain_id: u64,
    block: Setting,
    pre: BTreeMap<Address, Stated>,
    transactions: Vec<Bytes>,
}

#[derive(Deserialize)]
struct Setting {
    number: u64,
    timestamp: u64,
    gas_limit: u64,
    base_fee: u64,
    coinbase: Address,
    prevrandao: B256,
    excess_blob_gas: u64,
    beacon_root: B256,
    hashes: Vec<B256>,
    withdrawals: Vec<Paid>,
}

#[derive(Deserialize)]
struct Paid {
    index: u64,
    validator: u64,
    address: Address,
    amount: u64,
}

#[derive(Deserialize)]
struct Stated {
    nonce: u64,
    balance: U256,
    code: Bytes,
    storage: BTreeMap<U256, U256>,
}

fn schedule(case: &Case) -> Result<Schedule, Fault> {
    let spec = match case.fork.as_str() {
        "Prague" => SpecId::PRAGUE,
        "Osaka" => SpecId::OSAKA,
        other => return Err(format!("no fork {other}").into()),
    };
    let limits = BlobLimits {
        target: 6,
        max: 9,
        update_fraction: 5_007_716,
    };
    Ok(Schedule {
        chain_id: case.chain_id,
        forks: vec![(Activation::Height(0), spec)],
        blobs: vec![(0, limits)],
        deposit_contract: Some(address!("00000000219ab540356cbb839cbe05303d7705fa")),
    })
}

/// The state that a case begins with: its root, and what answers for it.
fn pre_state(case: &Case) -> Result<(B256, MemorySource), Fault> {
    let mut state = State::new(EMPTY_ROOT, MemorySource::default());
    for (address, stated) in &case.pre {
        let filled = Account {
            nonce: stated.nonce,
            balance: stated.balance,
            code_hash: state.set_code(stated.code.clone())?,
            ..Account::default()
        };
        state.set_account(address, Some(filled))?;
        for (slot, value) in &stated.storage {
            state.set_slot(address, slot, *value)?;
        }
    }
    let (root, set) = state.seal()?;
    let mut source = state.into_source();
    source.write(&set);
    let heights = (1..).map(|back| case.block.number - back);
    let hashes = case.block.hashes.iter().rev().copied();
    source.block_hashes.extend(heights.zip(hashes));
    Ok((root, source))
}

fn empty_block(case: &Case) -> EthereumBlock {
    let setting = &case.block;
    let paid = setting.withdrawals.iter().map(|one| Withdrawal {
        index: one.index,
        validator_index: one.validator,
        address: one.address,
        amount: one.amount,
    });
    let mut block = EthereumBlock {
        header: Header {
            parent_hash: setting.hashes.last().copied().unwrap_or_default(),
            beneficiary: setting.coinbase,
            number: setting.number,
            gas_limit: setting.gas_limit,
            timestamp: setting.timestamp,
            mix_hash: setting.prevrandao,
            base_fee_per_gas: Some(setting.base_fee),
            excess_blob_gas: Some(setting.excess_blob_gas),
            blob_gas_used: Some(0),
            parent_beacon_block_root: Some(setting.beacon_root),
            ..Header::default()
        },
        ..EthereumBlock::default()
    };
    block.body.withdrawals = Some(paid.collect::<Vec<_>>().into());
    block
}

/// The block of those transactions that the core takes, and of each whether it does.
fn taken(
    case: &Case,
    schedule: &Schedule,
    before: &(B256, MemorySource),
) -> (EthereumBlock, Vec<bool>) {
    // Deposits make a block invalid as a whole, none of its transactions.
    let schedule = Schedule {
        deposit_contract: None,
        ..schedule.clone()
    };
    let runs = |block: &EthereumBlock| {
        let mut state = State::new(before.0, before.1.clone());
        execute(&schedule, block, &mut state, false).is_ok()
    };
    let decoded: Vec<Option<Envelope>> = case
        .transactions
        .iter()
        .map(|raw| Envelope::decode_2718_exact(raw).ok())
        .collect();
    let mut block = empty_block(case);
    block.body.transactions = decoded.iter().flatten().cloned().collect();
    if runs(&block) {
        return (block, decoded.iter().map(Option::is_some).collect());
    }
    block.body.transactions.clear();
    let which = decoded.into_iter().map(|envelope| {
        let Some(envelope) = envelope else {
            return false;
        };
        block.body.transactions.push(envelope);
        let taken = runs(&block);
        if !taken {
            block.body.transactions.pop();
        }
        taken
    });
    let which = which.collect();
    (block, which)
}

fn run(case: &Case) -> Result<Value, Fault> {
    let schedule = schedule(case)?;
    let before = pre_state(case)?;
    let (block, which) = taken(case, &schedule, &before);
    let mut state = State::new(before.0, before.1);
    let done = execute(&schedule, &block, &mut state, false)?;
    let (state_root, _) = state.seal()?;
    let mut ran = done.receipts.iter().map(shown);
    let transactions: Vec<Value> = which
        .iter()
        .map(|taken| if *taken { ran.next() } else { None }.unwrap_or(Value::Null))
        .collect();
    Ok(json!({
        "transactions": transactions,
        "gas_used": done.gas_used,
        "state_root": state_root,
        "receipts_root": receipts_root(&done.receipts),
        "bloom": logs_bloom(&done.receipts),
        "requests_hash": done.requests_hash(),
    }))
}

fn shown(receipt: &Receipt) -> Value {
    let mut logs = Vec::new();
    receipt.logs.encode(&mut logs);
    json!({ "success": receipt.success, "gas": receipt.gas_used, "logs": keccak256(&logs) })
}

fn main() -> Result<(), Fault> {
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let case: Case = serde_json::from_str(&line?)?;
        let answer = match run(&case) {
            Ok(answer) => answer,
            Err(error) => json!({ "refused": error.to_string() }),
        };
        writeln!(out, "{answer}")?;
        out.flush()?;
    }
    Ok(())
}
