//! One block, executed.
use alloc::{vec, vec::Vec};
use alloy_consensus::{Header, Transaction as _};
use alloy_eips::eip2718::Encodable2718;
use alloy_eips::eip2935::HISTORY_STORAGE_ADDRESS;
use alloy_eips::eip4788::BEACON_ROOTS_ADDRESS;
use alloy_eips::eip4895::Withdrawal;
use alloy_eips::eip7685::Requests;
use alloy_primitives::{Address, Bytes, B256, U256};
use alloy_rlp::Decodable;
use core::fmt;
use revm::context::result::EVMError;
use revm::context::{BlockEnv, CfgEnv};
use revm::context_interface::block::BlobExcessGasAndPrice;
use revm::primitives::hardfork::SpecId;

use super::request::{requests, requests_hash};
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
    pub requests: Option<Requests>,
}

impl Executed {
    /// The hash over its requests, from Prague on.
    pub fn requests_hash(&self) -> Option<B256> {
        self.requests.as_ref().map(requests_hash)
    }
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
    let rule = |text: &dyn fmt::Display| Fault::Rule(alloc::format!("{text}"));
    let mut open = OpenEthereumBlock::begin(schedule, &block.header, state, rooted)?;
    for envelope in &block.body.transactions {
        let transaction =
            decode_ethereum(&envelope.encoded_2718()).map_err(|error| rule(&error))?;
        open.add(transaction, state)?
            .map_err(|refused| rule(&refused))?;
    }
    let withdrawals = block.body.withdrawals.as_deref();
    open.finish(
        withdrawals.map_or(&[], |all| all),
        &block.body.ommers,
        state,
    )
}

/// A block that is executed step by step: begun, filled, finished.
#[derive(Debug)]
pub struct OpenEthereumBlock<'a> {
    schedule: &'a Schedule,
    header: &'a Header,
    fork: Fork,
    setting: BlockEnv,
    config: CfgEnv,
    /// Whether receipts get roots, if they have any.
    rooted: bool,
    done: Executed,
}

impl<'a> OpenEthereumBlock<'a> {
    /// Begins it: system contracts. Of its header it needs what is known before anything runs.
    ///
    /// # Errors
    /// The state could not be read.
    pub fn begin<S: StateSource>(
        schedule: &'a Schedule,
        header: &'a Header,
        state: &mut State<S>,
        rooted: bool,
    ) -> Result<Self, Fault> {
        let fork = schedule.at(header.number, header.timestamp);
        let (setting, config) = (block_env(header, &fork), schedule.config(&fork));
        Runner::ethereum(setting.clone(), config.clone(), state).begin(header, fork.spec)?;
        Ok(Self {
            schedule,
            header,
            fork,
            setting,
            config,
            rooted: rooted && !fork.spec.is_enabled_in(SpecId::BYZANTIUM),
            done: Executed::default(),
        })
    }

    /// Runs a transaction; says why, if it cannot be executed. The state is unchanged then.
    ///
    /// # Errors
    /// The state could not be read.
    pub fn add<S: StateSource>(
        &mut self,
        transaction: Transaction,
        state: &mut State<S>,
    ) -> Result<Result<(), Refused>, Fault> {
        let Some(envelope) = transaction.envelope() else {
            return Ok(Err(Refused::new("rule", "not a transaction of Ethereum's")));
        };
        let (needs, left) = (
            envelope.gas_limit(),
            self.header.gas_limit.saturating_sub(self.done.gas_used),
        );
        if needs > left {
            let text = alloc::format!("block gas limit reached: needs {needs}, left {left}");
            return Ok(Err(Refused::new("block_full", text)));
        }
        let mut runner = Runner::ethereum(self.setting.clone(), self.config.clone(), state);
        let ran = match runner.transact(transaction.env(), Charge::default()) {
            Ok(ran) => ran,
            Err(EVMError::Database(error)) => return Err(error.into()),
            Err(EVMError::Transaction(error)) => return Ok(Err(error.into())),
            Err(other) => return Ok(Err(Refused::new("rule", alloc::format!("{other}")))),
        };
        self.done.gas_used += ran.gas_used;
        self.done.blob_gas_used += envelope.blob_gas_used().unwrap_or_default();
        self.done.receipts.push(Receipt {
            kind: transaction.kind(),
            success: ran.success,
            gas_used: ran.gas_used,
            data_gas: 0,
            cumulative_gas_used: self.done.gas_used,
            effective_gas_price: envelope.effective_gas_price(self.header.base_fee_per_gas),
            transaction_hash: transaction.hash,
            logs: ran.logs,
            output: ran.output,
            contract: transaction.created(),
            post_state: match self.rooted {
                true => Some(state.seal()?.0),
                false => None,
            },
        });
        self.done.transactions.push(transaction);
        Ok(Ok(()))
    }

    /// Ends it: requests, withdrawals, rewards. The state is left open.
    ///
    /// # Errors
    /// A request breaks a rule, or the state could not be read.
    pub fn finish<S: StateSource>(
        mut self,
        withdrawals: &[Withdrawal],
        ommers: &[Header],
        state: &mut State<S>,
    ) -> Result<Executed, Fault> {
        if self.fork.spec.is_enabled_in(SpecId::PRAGUE) {
            let mut runner = Runner::ethereum(self.setting, self.config, state);
            let contract = self.schedule.deposit_contract;
            self.done.requests = Some(requests(contract, &self.done.receipts, &mut runner)?);
        }
        pay_withdrawals(withdrawals, state)?;
        pay_work(self.fork.spec, self.header, ommers, state)?;
        Ok(self.done)
    }
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
