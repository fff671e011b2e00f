//! One block: which transactions may be in it, then all of them together.
use std::sync::Arc;

use ethrex_common::constants::{DEPOSIT_TOPIC, POST_OSAKA_GAS_LIMIT_CAP};
use ethrex_common::types::requests::{compute_requests_hash, EncodedRequests};
use ethrex_common::types::{
    compute_receipts_root_and_logs_bloom, Block, BlockBody, BlockHeader, Receipt, Transaction,
    Withdrawal,
};
use ethrex_common::utils::keccak;
use ethrex_crypto::NativeCrypto;
use ethrex_rlp::encode::RLPEncode;
use ethrex_vm::Evm;

use crate::case::{hex, Answer, Case, Did};
use crate::world::{World, DEPOSITS};

type Fault = Box<dyn std::error::Error>;

/// Words in a deposit's log that say where a field is, then those that say how long it is.
const DEPOSIT_WORDS: [usize; 10] = [0, 32, 64, 96, 128, 160, 256, 320, 384, 512];

/// Runs a case.
pub fn run(case: &Case) -> Result<Answer, Fault> {
    let world = Arc::new(World::new(case)?);
    let header = header(case);
    let (taken, which) = take(case, &world, &header)?;
    let block = Block::new(
        header,
        BlockBody {
            transactions: taken,
            ommers: vec![],
            withdrawals: Some(withdrawals(case)),
        },
    );
    let mut evm = Evm::new_from_db_for_l1(world.clone(), Arc::new(NativeCrypto));
    let (done, _) = evm.execute_block(&block)?;
    check_deposits(&done.receipts)?;
    let state_root = world.root_after(evm.get_state_transitions()?);
    let (receipts_root, bloom) =
        compute_receipts_root_and_logs_bloom(&done.receipts, &NativeCrypto);
    let requests: Vec<EncodedRequests> = done.requests.iter().map(|kind| kind.encode()).collect();
    let mut before = 0;
    let mut ran = done.receipts.iter().map(|receipt| {
        let gas = receipt.cumulative_gas_used - before;
        before = receipt.cumulative_gas_used;
        Did {
            success: receipt.succeeded,
            gas,
            logs: hex(keccak(receipt.logs.encode_to_vec()).as_bytes()),
        }
    });
    Ok(Answer {
        transactions: which
            .into_iter()
            .map(|taken| if taken { ran.next() } else { None })
            .collect(),
        gas_used: done.block_gas_used,
        state_root: hex(state_root.as_bytes()),
        receipts_root: hex(receipts_root.as_bytes()),
        bloom: hex(bloom.as_bytes()),
        requests_hash: hex(compute_requests_hash(&requests).as_bytes()),
    })
}

/// The transactions that may be in the block, and of each whether it may.
fn take(
    case: &Case,
    world: &Arc<World>,
    header: &BlockHeader,
) -> Result<(Vec<Transaction>, Vec<bool>), Fault> {
    let mut evm = Evm::new_from_db_for_l1(world.clone(), Arc::new(NativeCrypto));
    evm.apply_system_calls(header)?;
    let mut spent = 0;
    let (mut taken, mut which) = (vec![], vec![]);
    for raw in &case.transactions {
        let before = evm.clone();
        let ran = match Transaction::decode_canonical(raw) {
            Err(_) => None,
            Ok(transaction) if !may_be(case, &transaction, header.gas_limit - spent) => None,
            Ok(transaction) => match transaction.sender(&NativeCrypto) {
                Err(_) => None,
                Ok(sender) => evm
                    .execute_tx(&transaction, header, &mut spent, sender)
                    .ok()
                    .map(|_| transaction),
            },
        };
        if ran.is_none() {
            evm = before;
        }
        which.push(ran.is_some());
        taken.extend(ran);
    }
    Ok((taken, which))
}

/// ethrex compares the last four bytes of each word that says where a deposit's field is and how long. EIP-6110
/// means the whole words; so that blocks are judged alike all the same, the other bytes are looked at here.
fn check_deposits(receipts: &[Receipt]) -> Result<(), Fault> {
    let logs = receipts.iter().flat_map(|receipt| &receipt.logs);
    let deposits = logs.filter(|log| {
        log.address == DEPOSITS
            && log
                .topics
                .first()
                .is_some_and(|topic| *topic == *DEPOSIT_TOPIC)
    });
    for deposit in deposits {
        let word = |at: &usize| deposit.data.get(*at..*at + 28);
        if !DEPOSIT_WORDS.iter().all(|at| word(at) == Some(&[0; 28])) {
            return Err("a deposit's log is not as EIP-6110 has it".into());
        }
    }
    Ok(())
}

/// What ethrex checks of a transaction before its EVM sees the block (`ethrex_common::validation`).
fn may_be(case: &Case, transaction: &Transaction, gas_left: u64) -> bool {
    let most = match case.fork.as_str() {
        "Osaka" => gas_left.min(POST_OSAKA_GAS_LIMIT_CAP),
        _ => gas_left,
    };
    let chain_id = transaction.chain_id().unwrap_or(case.chain_id);
    transaction.gas_limit() <= most && chain_id == case.chain_id
}

fn header(case: &Case) -> BlockHeader {
    let block = &case.block;
    BlockHeader {
        parent_hash: block.hashes.last().copied().unwrap_or_default(),
        coinbase: block.coinbase,
        number: block.number,
        gas_limit: block.gas_limit,
        timestamp: block.timestamp,
        prev_randao: block.prevrandao,
        base_fee_per_gas: Some(block.base_fee),
        excess_blob_gas: Some(block.excess_blob_gas),
        blob_gas_used: Some(0),
        parent_beacon_block_root: Some(block.beacon_root),
        ..BlockHeader::default()
    }
}

fn withdrawals(case: &Case) -> Vec<Withdrawal> {
    let paid = case.block.withdrawals.iter();
    paid.map(|one| Withdrawal {
        index: one.index,
        validator_index: one.validator,
        address: one.address,
        amount: one.amount,
    })
    .collect()
}
