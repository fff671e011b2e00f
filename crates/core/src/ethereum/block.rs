//! One block, executed.
use alloc::{vec, vec::Vec};
use alloy_consensus::{Header, Transaction as _};
use alloy_eips::eip2718::Encodable2718;
use alloy_eips::eip2935::HISTORY_STORAGE_ADDRESS;
use alloy_eips::eip4788::BEACON_ROOTS_ADDRESS;
use alloy_primitives::{Address, Bytes, B256, U256};
use alloy_rlp::Decodable;
use revm::context::result::EVMError;
use revm::context::BlockEnv;
use revm::context_interface::block::BlobExcessGasAndPrice;
use revm::primitives::hardfork::SpecId;

use super::request::requests_hash;
use super::reward::{pay_withdrawals, pay_work};
use super::schedule::{Fork, Schedule};
use super::Fault;
use crate::receipt::Receipt;
use crate::state::{State, StateSource};
use crate::stf::{Charge, Refused, Runner};
use crate::transaction::{decode_ethereum, Envelope, Transaction};

/// A block as Ethereum has it.
pub type EthereumBlock = alloy_consensus::Block<Envelope>;

/// Gas of a call to a system contract.
const SYSTEM_GAS: u64 = 30_000_000;

/// What a block did.
#[derive(Debug, Clone, Default)]
pub struct Executed {
    /// With their senders.
    pub transactions: Vec<Transaction>,
    /// Of the same order.
    pub receipts: Vec<Receipt>,
    /// EVM gas.
    pub gas_used: u64,
    /// Gas of blobs.
    pub blob_gas_used: u64,
    /// From Prague on.
    pub requests_hash: Option<B256>,
}

/// Decodes a block.
///
/// # Errors
/// The bytes are not one block.
pub fn decode_block(mut raw: &[u8]) -> Result<EthereumBlock, Fault> {
    let block = EthereumBlock::decode(&mut raw)
        .map_err(|error| Fault::Rule(alloc::format!("not a block: {error}")))?;
    match raw.len() {
        0 => Ok(block),
        more => Err(Fault::Rule(alloc::format!("{more} bytes after a block"))),
    }
}

/// Executes a block upon its parent's state; nothing is sealed but before Byzantium, if `rooted`, after each
/// transaction: receipts named the root then.
///
/// # Errors
/// It breaks a rule, or the state could not be read. The state is of no use then.
pub fn execute<S: StateSource>(
    schedule: &Schedule,
    block: &EthereumBlock,
    state: &mut State<S>,
    rooted: bool,
) -> Result<Executed, Fault> {
    let header = &block.header;
    let fork = schedule.at(header.number, header.timestamp);
    let (setting, config) = (block_env(header, &fork), schedule.config(&fork));
    let mut done = Executed::default();
    Runner::ethereum(setting.clone(), config.clone(), state).begin(header, fork.spec)?;
    let roots = rooted && !fork.spec.is_enabled_in(SpecId::BYZANTIUM);
    for envelope in &block.body.transactions {
        let transaction = decode_ethereum(&envelope.encoded_2718())
            .map_err(|error| Fault::Rule(alloc::format!("{error}")))?;
        let left = header.gas_limit.saturating_sub(done.gas_used);
        if envelope.gas_limit() > left {
            let text = alloc::format!(
                "block gas limit reached: needs {}, left {left}",
                envelope.gas_limit()
            );
            return Err(Fault::Rule(text));
        }
        let mut runner = Runner::ethereum(setting.clone(), config.clone(), state);
        let ran = match runner.transact(transaction.env(), Charge::default()) {
            Ok(ran) => ran,
            Err(EVMError::Database(error)) => return Err(error.into()),
            Err(EVMError::Transaction(error)) => {
                return Err(Fault::Rule(alloc::format!("{}", Refused::from(error))))
            }
            Err(other) => return Err(Fault::Rule(alloc::format!("{other}"))),
        };
        done.gas_used += ran.gas_used;
        done.blob_gas_used += envelope.blob_gas_used().unwrap_or_default();
        done.receipts.push(Receipt {
            kind: transaction.kind(),
            success: ran.success,
            gas_used: ran.gas_used,
            data_gas: 0,
            cumulative_gas_used: done.gas_used,
            effective_gas_price: envelope.effective_gas_price(header.base_fee_per_gas),
            transaction_hash: transaction.hash,
            logs: ran.logs,
            output: ran.output,
            contract: transaction.created(),
            post_state: match roots {
                true => Some(state.seal()?.0),
                false => None,
            },
        });
        done.transactions.push(transaction);
    }
    if fork.spec.is_enabled_in(SpecId::PRAGUE) {
        let mut runner = Runner::ethereum(setting, config, state);
        let contract = schedule.deposit_contract;
        done.requests_hash = Some(requests_hash(contract, &done.receipts, &mut runner)?);
    }
    pay_withdrawals(
        block.body.withdrawals.as_deref().map_or(&[][..], |all| all),
        state,
    )?;
    pay_work(fork.spec, header, &block.body.ommers, state)?;
    Ok(done)
}

/// What the EVM sees of a block.
fn block_env(header: &Header, fork: &Fork) -> BlockEnv {
    let merged = fork.spec.is_enabled_in(SpecId::MERGE);
    BlockEnv {
        number: U256::from(header.number),
        beneficiary: header.beneficiary,
        timestamp: U256::from(header.timestamp),
        gas_limit: header.gas_limit,
        basefee: header.base_fee_per_gas.unwrap_or_default(),
        difficulty: header.difficulty,
        prevrandao: merged.then_some(header.mix_hash),
        blob_excess_gas_and_price: header
            .excess_blob_gas
            .zip(fork.blobs)
            .map(|(excess, limits)| BlobExcessGasAndPrice::new(excess, limits.update_fraction)),
        ..BlockEnv::default()
    }
}

impl<S: StateSource> Runner<'_, S> {
    /// The calls to system contracts that a block begins with.
    fn begin(&mut self, header: &Header, spec: SpecId) -> Result<(), Fault> {
        let calls: Vec<(Address, B256)> = match spec {
            spec if spec.is_enabled_in(SpecId::PRAGUE) => vec![
                (BEACON_ROOTS_ADDRESS, beacon_root(header)),
                (HISTORY_STORAGE_ADDRESS, header.parent_hash),
            ],
            spec if spec.is_enabled_in(SpecId::CANCUN) => {
                vec![(BEACON_ROOTS_ADDRESS, beacon_root(header))]
            }
            _ => vec![],
        };
        for (contract, input) in calls {
            self.system(
                contract,
                Bytes::copy_from_slice(input.as_slice()),
                SYSTEM_GAS,
            )?;
        }
        Ok(())
    }
}

fn beacon_root(header: &Header) -> B256 {
    header.parent_beacon_block_root.unwrap_or_default()
}
