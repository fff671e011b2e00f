//! What a transaction must be before it may wait in the mempool; refusals say it in geth's words.
use alloy_consensus::Transaction as _;
use alloy_primitives::{U256, U512};
use bedroll_core::transaction::Transaction;

use crate::blob::BLOB_TYPE;
use crate::fee::{cost, gas_limit, max_blob_fee, max_fee, nonce, priority_fee};
use crate::pool::PoolLimit;
use crate::refusal::{Fact, Refusal};

/// EIP-3860.
const INITCODE_BYTES_MAX: usize = 49_152;
/// Above it no engine counts.
const GAS_LIMIT_MAX: u64 = i64::MAX as u64;
/// EIP-2681.
const NONCE_MAX: u64 = u64::MAX - 1;
/// By how much the fee fields of a replacement must be higher.
const REPLACEMENT_PERCENT: u64 = 10;
/// The same of one with blobs, as in geth: what its peers have fetched is dear.
const BLOB_REPLACEMENT_PERCENT: u64 = 100;
/// EIP-4844.
const BLOB_FEE_MIN: u128 = 1;

/// Checks what the transaction alone decides.
pub(crate) fn check_alone(
    tx: &Transaction,
    chain_id: u64,
    limit: &PoolLimit,
) -> Result<(), Refusal> {
    let refuse = |text: String| Err(Refusal::new(text));
    let Some(fields) = tx.envelope() else {
        return refuse("transaction type not supported".into());
    };
    let (size, most) = (tx.raw.len(), limit.transaction_bytes);
    if size > most {
        return refuse(format!(
            "oversized data: transaction size {size}, limit {most}"
        ));
    }
    match fields.chain_id() {
        None if tx.to().is_some() => {
            return refuse("only replay-protected (EIP-155) transactions allowed over RPC".into())
        }
        Some(given) if given != chain_id => {
            return refuse(format!(
                "invalid chain id for signer: have {given} want {chain_id}"
            ))
        }
        _ => {}
    }
    if nonce(tx) > NONCE_MAX {
        return refuse(format!("nonce has max value: nonce {}", nonce(tx)));
    }
    let code = fields.input().len();
    if tx.to().is_none() && code > INITCODE_BYTES_MAX {
        return refuse(format!(
            "max initcode size exceeded: code size {code}, limit {INITCODE_BYTES_MAX}"
        ));
    }
    let gas = gas_limit(tx);
    if gas > GAS_LIMIT_MAX {
        return refuse(format!(
            "exceeds block gas limit: gas {gas}, limit {GAS_LIMIT_MAX}"
        ));
    }
    let (cap, tip) = (max_fee(tx), priority_fee(tx));
    if tip > cap {
        return refuse(format!(
            "max priority fee per gas higher than max fee per gas: maxPriorityFeePerGas: {tip}, maxFeePerGas: {cap}"
        ));
    }
    if tip < limit.tip_min {
        return refuse(format!(
            "transaction underpriced: tip needed {}, tip permitted {tip}",
            limit.tip_min
        ));
    }
    let blob_fee = max_blob_fee(tx);
    if tx.kind() == BLOB_TYPE && blob_fee < BLOB_FEE_MIN {
        return refuse(format!(
            "transaction underpriced: blob fee cap {blob_fee}, minimum needed {BLOB_FEE_MIN}"
        ));
    }
    if gas < tx.intrinsic_gas {
        return refuse(format!(
            "intrinsic gas too low: gas {gas}, minimum needed {}",
            tx.intrinsic_gas
        ));
    }
    Ok(())
}

/// What the sender's account allows, inside the open block.
pub(crate) struct Allowance {
    pub next_nonce: u64,
    pub balance: U256,
    /// Most that the sender's other waiting transactions can take.
    pub waiting: U512,
}

/// Checks nonce and balance.
pub(crate) fn check_account(
    tx: &Transaction,
    account: &Allowance,
    nonce_gap: u64,
) -> Result<(), Refusal> {
    let (given, next) = (nonce(tx), account.next_nonce);
    if given < next {
        return Err(Refusal::new(format!(
            "nonce too low: next nonce {next}, tx nonce {given}"
        )));
    }
    let highest = next.saturating_add(nonce_gap);
    if given > highest {
        return Err(Refusal::new(format!(
            "nonce too high: next nonce {next}, tx nonce {given}, limit {highest}"
        )));
    }
    let (cost, balance) = (cost(tx), U512::from(account.balance));
    let words = "insufficient funds for gas * price + value: balance";
    if cost > balance {
        return Err(Refusal::new(format!(
            "{words} {balance}, tx cost {cost}, overshot {}",
            cost - balance
        )));
    }
    let sum = account.waiting + cost;
    if sum > balance {
        return Err(Refusal::new(format!(
            "{words} {balance}, queued cost {}, tx cost {cost}, overshot {}",
            account.waiting,
            sum - balance
        )));
    }
    Ok(())
}

/// Checks that it follows what waits of its sender: behind a gap nobody keeps blobs.
pub(crate) fn check_run(tx: &Transaction, next: u64) -> Result<(), Refusal> {
    if nonce(tx) <= next {
        return Ok(());
    }
    let text = format!(
        "nonce too high: tx nonce {}, gapped nonce {next}",
        nonce(tx)
    );
    Err(Refusal::new(text))
}

/// Checks that its fees are so much higher that the old one may go.
pub(crate) fn check_replacement(new: &Transaction, old: &Transaction) -> Result<(), Refusal> {
    let blobs = [new, old].map(|tx| tx.kind() == BLOB_TYPE);
    if blobs[0] != blobs[1] {
        return Err(Refusal::new(
            "a transaction with blobs and one without cannot replace each other",
        ));
    }
    let percent = match blobs[0] {
        true => BLOB_REPLACEMENT_PERCENT,
        false => REPLACEMENT_PERCENT,
    };
    for (name, given, before) in [
        ("max_fee_per_gas", max_fee(new), max_fee(old)),
        (
            "max_priority_fee_per_gas",
            priority_fee(new),
            priority_fee(old),
        ),
        ("max_fee_per_blob_gas", max_blob_fee(new), max_blob_fee(old)),
    ] {
        let least = (U512::from(before) * U512::from(100 + percent)).div_ceil(U512::from(100));
        if U512::from(given) < least {
            return Err(Refusal::with(
                "replacement transaction underpriced",
                [
                    ("field", Fact::Text(name)),
                    ("given_wei", Fact::Large(U512::from(given))),
                    ("least_wei", Fact::Large(least)),
                ],
            ));
        }
    }
    Ok(())
}
