//! `eth_simulateV1`: blocks of calls on top of a block, each upon the state that the one before left.
//!
//! Reads: a view and a request as JSON. Gives: the blocks as JSON, with roots and hashes as if they were sealed.
//! Never: changes the chain. What a block of this chain does beside its users' transactions is left out: it takes no
//! origin, ends no forced message and writes no address into the AddressBook; what bytes cost on Bitcoin is not charged.
mod blob;
mod plan;
mod show;
mod source;
mod watch;

use std::sync::Arc;
use std::time::Duration;

use alloy_consensus::{Header, Transaction as _};
use alloy_eips::eip2935::HISTORY_STORAGE_ADDRESS;
use alloy_eips::eip4788::BEACON_ROOTS_ADDRESS;
use alloy_primitives::{Address, Bytes, B256, U256};
use bedroll_core::ethereum::{pay_work, Fork, Schedule};
use bedroll_core::header;
use bedroll_core::header::HeaderStart;
use bedroll_core::profile::Rules;
use bedroll_core::receipt::Receipt;
use bedroll_core::state::State;
use bedroll_core::stf::{self, BlockSetting, CallError, Subject};
use bedroll_core::transaction::{Transaction, Unsigned};
use revm::context::result::{ExecutionResult, HaltReason, ResultAndState};
use revm::primitives::hardfork::SpecId;

use super::overrides;
use super::trace::{Meter, Metered, Output};
use super::{fork, tip_facts, EngineError, Look, TipFacts};
use crate::StoreError;

use blob::unsigned_blob;
use plan::{CallFields, Planned, Request};
use show::{CallShown, SimulatedBlock};
pub(super) use source::SimulatedSource;
use watch::Watch;

/// Gas of the calls to the contracts of EIP-4788 and EIP-2935.
const SYSTEM_GAS: u64 = 30_000_000;

/// What one request may cost.
#[derive(Debug, Clone, Copy)]
pub struct SimulationBounds {
    /// EVM gas of all its calls together.
    pub gas: u64,
    /// JSON that it may give.
    pub result_bytes: usize,
    /// Time that it may take.
    pub time: Duration,
    /// Accounts, or slots of one, that are put back for roots on top of an earlier block.
    pub changes: usize,
}

impl Look {
    /// Simulates blocks on top of this one; JSON.
    ///
    /// Roots of state are computed from what the store has of the block's tries. Where more than the bounds allow
    /// changed since, they are zero, and the hashes follow from that.
    ///
    /// # Errors
    /// The request cannot be read or breaks a rule, a call cannot be made, or a bound is reached (`client_limit`,
    /// `timeout`).
    pub fn simulate(&self, json: &str, bounds: &SimulationBounds) -> Result<Vec<u8>, EngineError> {
        if self.is_open() {
            let text = "blocks are simulated on top of sealed ones only";
            return Err(EngineError::invalid("height", text));
        }
        let base = tip_facts(self.view(), self.view().height())?;
        let request = Request::read(json)?;
        let step = plan::timestamp_step(&self.rules);
        let blocks = plan::arrange(request.block_state_calls, &base.header, step)?;
        let nodes = match self.view().nodes(bounds.changes) {
            Ok(nodes) => Some(nodes),
            Err(StoreError::TooFarBack { .. }) => None,
            Err(error) => return Err(error.into()),
        };
        let rooted = nodes.is_some();
        let source = SimulatedSource::new(self.view().clone(), nodes, base.header.number);
        let mut simulation = Simulation {
            rules: self.rules.clone(),
            schedule: self.schedule.as_deref(),
            rooted,
            state: State::new(base.header.state_root, source),
            parent: base.header.clone(),
            parent_hash: base.hash,
            base,
            gas_left: bounds.gas,
            meter: Meter::of_time(bounds.time),
            time: bounds.time,
            validation: request.validation,
            trace_transfers: request.trace_transfers,
        };
        let mut output = Output::new(bounds.result_bytes);
        output
            .list(|output| {
                for planned in blocks {
                    let block = simulation.block(planned)?;
                    output.item(&block.shown(request.return_full_transactions))?;
                }
                Ok(())
            })
            .map_err(|error| match error {
                EngineError::Invalid {
                    reason: "limit", ..
                } => {
                    let text = format!("the answer has more than {} bytes", bounds.result_bytes);
                    EngineError::invalid("client_limit", text)
                }
                other => other,
            })?;
        Ok(output.into_bytes())
    }
}

/// Blocks so far.
struct Simulation<'a> {
    /// Of the block that is being made.
    rules: Arc<Rules>,
    schedule: Option<&'a Schedule>,
    base: TipFacts,
    /// Whether there are nodes to compute roots with.
    rooted: bool,
    state: State<SimulatedSource>,
    parent: Header,
    parent_hash: B256,
    gas_left: u64,
    meter: Meter,
    time: Duration,
    validation: bool,
    trace_transfers: bool,
}

/// What the calls of a block did.
#[derive(Default)]
struct Filled {
    transactions: Vec<Transaction>,
    receipts: Vec<Receipt>,
    calls: Vec<CallShown>,
    gas_used: u64,
    blob_gas_used: u64,
    /// Logs that were written, those of failed frames too.
    logs: u64,
}

impl Simulation<'_> {
    fn block(&mut self, planned: Planned) -> Result<SimulatedBlock, EngineError> {
        let (number, timestamp) = (planned.number, planned.timestamp);
        self.rules = fork::rules_at(&self.rules, self.schedule, number, timestamp);
        let fork = fork::fork_at(&self.rules, self.schedule, number, timestamp);
        let mut calls = planned.calls.iter();
        if fork.blobs.is_none() && calls.any(|call| !call.blob_versioned_hashes.is_empty()) {
            let text = "blob transactions do not exist on this chain";
            return Err(EngineError::invalid("request", text));
        }
        let start = fork::begin_header(&fork, &self.parent, number, timestamp);
        let mut setting = self.setting(&planned, &fork, &start)?;
        let beacon_root = self.beacon_root(&planned);
        overrides::apply_state(
            planned.state,
            &self.rules,
            &mut self.state,
            &mut setting.precompiles,
        )?;
        let mut runner = stf::Runner::new(&self.rules, &setting, &mut self.state);
        for (first, contract, input) in [
            (SpecId::CANCUN, BEACON_ROOTS_ADDRESS, beacon_root),
            (SpecId::PRAGUE, HISTORY_STORAGE_ADDRESS, self.parent_hash),
        ] {
            if fork.spec.is_enabled_in(first) {
                let input = Bytes::copy_from_slice(input.as_slice());
                runner.system(contract, input, SYSTEM_GAS)?;
            }
        }
        let mut filled = Filled::default();
        for call in planned.calls {
            self.call(call, &setting, &mut filled)?;
        }
        self.look_at_clock()?;
        let header = self.seal(start, &setting, beacon_root, &filled)?;
        let hash = header.hash_slow();
        self.state.source_mut().push(hash);
        self.parent = header.clone();
        self.parent_hash = hash;
        Ok(SimulatedBlock {
            header,
            hash,
            transactions: filled.transactions,
            receipts: filled.receipts,
            calls: filled.calls,
        })
    }

    /// The block's own fields: those of the one before, where the request names no other.
    fn setting(
        &self,
        planned: &Planned,
        fork: &Fork,
        start: &Header,
    ) -> Result<BlockSetting, EngineError> {
        let base_fee = match self.validation {
            true => fork::next_base_fee(fork, &self.rules, &self.parent, self.base.tail.l1_rate),
            false => 0,
        };
        let mut setting = BlockSetting {
            number: planned.number,
            timestamp: planned.timestamp,
            base_fee,
            prev_randao: B256::ZERO,
            ..BlockSetting::of(&self.parent)
        };
        if let Some(fee) = fork::blob_base_fee(fork, start) {
            setting.blob_base_fee = fee;
        }
        if self.rules.is_bedroll() {
            let start = HeaderStart {
                parent_hash: self.parent_hash,
                number: planned.number,
                timestamp: planned.timestamp,
                gas_limit: setting.gas_limit,
                base_fee,
                coinbase: setting.coinbase,
                origin_hash: self.base.tail.origin_hash,
            };
            setting.prev_randao = start.prev_randao();
        }
        planned.block.apply(&mut setting)?;
        Ok(setting)
    }

    fn beacon_root(&self, planned: &Planned) -> B256 {
        let own = match self.rules.is_bedroll() {
            true => self.base.tail.origin_hash,
            false => B256::ZERO,
        };
        planned.block.beacon_root.unwrap_or(own)
    }

    fn look_at_clock(&mut self) -> Result<(), EngineError> {
        self.meter.look_at_clock();
        self.in_time()
    }

    fn in_time(&self) -> Result<(), EngineError> {
        self.meter.check().map_err(|_| {
            let seconds = self.time.as_secs_f64();
            let text = format!("execution aborted: a simulation may take {seconds} s");
            EngineError::invalid("timeout", text)
        })
    }

    /// Runs one call and notes what it did.
    fn call(
        &mut self,
        call: CallFields,
        setting: &BlockSetting,
        filled: &mut Filled,
    ) -> Result<(), EngineError> {
        self.look_at_clock()?;
        let sender = call.from;
        let transaction = self.transaction(call, setting.gas_limit - filled.gas_used)?;
        let mut subject =
            Subject::of_simulated(&self.rules, setting, &transaction, self.validation);
        // Not compared with the account's without validation; the EVM would refuse the last one for what it is.
        subject.env.nonce = subject.env.nonce.min(u64::MAX - 1);
        let last_nonce = self.nonce_of(&sender)? == u64::MAX;
        let mut watch = Watch::new(self.trace_transfers, filled.logs);
        let eye = Metered {
            inner: &mut watch,
            meter: &mut self.meter,
        };
        let ran = subject.inspect(&mut self.state, eye);
        self.in_time()?;
        let mut ran = ran.map_err(CallError::from)?;
        if last_nonce {
            pass_last_nonce(&mut ran, &sender, transaction.to().is_none());
        }
        match self.rules.spec().is_enabled_in(SpecId::SPURIOUS_DRAGON) {
            true => self.state.apply(ran.state),
            false => self.state.apply_with_empty(ran.state),
        }?;
        let used = ran.result.tx_gas_used();
        self.gas_left = self.gas_left.saturating_sub(used);
        filled.gas_used += used;
        let envelope = transaction.envelope();
        let blob_gas = envelope.and_then(|tx| tx.blob_gas_used());
        filled.blob_gas_used += blob_gas.unwrap_or_default();
        filled.logs = watch.next();
        let shown = CallShown::new(&ran.result, watch);
        let price = envelope.map_or(0, |tx| tx.effective_gas_price(Some(setting.base_fee)));
        filled.receipts.push(Receipt {
            kind: transaction.kind(),
            success: ran.result.is_success(),
            gas_used: used,
            data_gas: 0,
            cumulative_gas_used: filled.gas_used,
            effective_gas_price: price,
            transaction_hash: transaction.hash,
            logs: ran.result.into_logs(),
            output: Bytes::new(),
            contract: transaction.created(),
            post_state: None,
        });
        filled.transactions.push(transaction);
        filled.calls.push(shown);
        Ok(())
    }

    fn nonce_of(&mut self, address: &Address) -> Result<u64, EngineError> {
        Ok(self.state.account(address)?.unwrap_or_default().nonce)
    }

    /// The transaction that makes a call, with what the request left open.
    fn transaction(&mut self, call: CallFields, left: u64) -> Result<Transaction, EngineError> {
        let chain_id = self.rules.chain_id;
        if let Some(other) = call.chain_id.filter(|given| *given != U256::from(chain_id)) {
            let text = format!("chainId does not match node's (have={other}, want={chain_id})");
            return Err(EngineError::invalid("chain", text));
        }
        let nonce = match call.nonce {
            Some(nonce) => nonce.to(),
            None => self.nonce_of(&call.from)?,
        };
        // EIP-2681 is a rule of nonces, and without validation those are not looked at.
        if nonce == u64::MAX && self.validation {
            let text = format!("nonce has max value: address {}, nonce: {nonce}", call.from);
            return Err(EngineError::invalid("nonce_max", text));
        }
        let wanted = call.gas.map_or(left, |gas| gas.to());
        if wanted > left {
            let text = format!("block gas limit reached: remaining: {left}, required: {wanted}");
            return Err(EngineError::invalid("block_full", text));
        }
        let (fee, blob_fee) = (call.fee(self.rules.spec()), call.blob_fee());
        let fields = Unsigned {
            chain_id: self.rules.chain_id,
            sender: call.from,
            nonce,
            gas_limit: wanted.min(self.gas_left),
            to: call.to,
            value: call.value.unwrap_or_default(),
            input: call.input,
            access_list: call.access_list,
            authorizations: call.authorization_list,
            fee,
        };
        match call.blob_versioned_hashes {
            none if none.is_empty() => Ok(Transaction::unsigned(fields)),
            hashes => unsigned_blob(fields, blob_fee, hashes),
        }
    }

    fn seal(
        &mut self,
        start: Header,
        setting: &BlockSetting,
        beacon_root: B256,
        filled: &Filled,
    ) -> Result<Header, EngineError> {
        let transactions_root = if self.rules.is_bedroll() {
            header::transactions_root(&filled.transactions)
        } else {
            header::ethereum_transactions_root(&filled.transactions)
        };
        let spec = self.rules.spec();
        let since = |first| spec.is_enabled_in(first);
        let mut header = Header {
            parent_hash: self.parent_hash,
            beneficiary: setting.coinbase,
            transactions_root,
            receipts_root: header::receipts_root(&filled.receipts),
            logs_bloom: header::logs_bloom(&filled.receipts),
            number: setting.number,
            gas_limit: setting.gas_limit,
            gas_used: filled.gas_used,
            timestamp: setting.timestamp,
            mix_hash: setting.prev_randao,
            base_fee_per_gas: since(SpecId::LONDON).then_some(setting.base_fee),
            blob_gas_used: start.blob_gas_used.map(|_| filled.blob_gas_used),
            parent_beacon_block_root: since(SpecId::CANCUN).then_some(beacon_root),
            ..start
        };
        pay_work(spec, &header, &[], &mut self.state)?;
        header.state_root = match self.rooted {
            true => self.state.seal()?.0,
            false => B256::ZERO,
        };
        Ok(header)
    }
}

/// What a sender whose nonce is 2^64 - 1 does beside all else, as in geth: a call takes the nonce to 0, and a creation
/// fails. The EVM leaves the nonce and lets the creation succeed without a contract.
fn pass_last_nonce(ran: &mut ResultAndState<HaltReason>, sender: &Address, creates: bool) {
    if creates {
        ran.result = ExecutionResult::Halt {
            reason: HaltReason::NonceOverflow,
            gas: *ran.result.gas(),
            logs: vec![],
        };
    } else if let Some(account) = ran.state.get_mut(sender) {
        account.info.set_nonce(0);
    }
}
