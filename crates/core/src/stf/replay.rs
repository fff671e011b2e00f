//! A sealed block's transactions run again with somebody who looks on, exactly as they ran in the block.
use alloy_primitives::Bytes;
use revm::context::result::{EVMError, HaltReason, ResultAndState};
use revm::context::{BlockEnv, CfgEnv, Context, TxEnv};
use revm::inspector::{Inspector, InspectorHandler, NoOpInspector};
use revm::{ExecuteEvm, MainBuilder, MainContext};

use alloy_eips::eip2935::HISTORY_STORAGE_ADDRESS;
use alloy_eips::eip4788::BEACON_ROOTS_ADDRESS;

use super::admit::split_gas;
use super::call::{Call, CallError};
use super::charge::{Charge, ChargeHandler, EvmContext, EvmError};
use super::env::{forced_env, leaders_env, system_env};
use super::open::{named, SYSTEM_GAS};
use super::precompile::{MovedPrecompiles, PrecompileMoves};
use super::refused::Refused;
use super::run::{config, Runner};
use super::setting::BlockSetting;
use crate::block::Block;
use crate::fee;
use crate::forced::Queue;
use crate::hook;
use crate::payload::ORIGIN_TYPE;
use crate::profile::Rules;
use crate::state::{State, StateError, StateSource};
use crate::transaction::{Transaction, ORIGIN_GAS};
use crate::trie::SourceError;

/// What the EVM is to run: a transaction or a call, with all that surrounds it.
#[derive(Debug, Clone)]
pub struct Subject {
    /// Its block.
    pub block: BlockEnv,
    /// Its fields.
    pub env: TxEnv,
    /// Rules, and which checks are left out.
    pub config: CfgEnv,
    /// What it pays beside EVM gas, and to whom.
    pub charge: Charge,
    /// Precompiles that do not stand where the rules have them.
    pub precompiles: PrecompileMoves,
    /// Without check, fee or nonce.
    pub system: bool,
}

/// What a run gave; the state does not have it yet.
pub type Inspected = Result<ResultAndState<HaltReason>, EvmError>;

impl Subject {
    /// A call, as [`super::simulate`] runs it.
    pub fn of_call(rules: &Rules, setting: &BlockSetting, call: &Call) -> Self {
        let gas_limit = call.gas_limit.unwrap_or(fee::EVM_GAS_MAX);
        Self {
            block: call.setting(setting).env(),
            env: call.env(rules, gas_limit),
            config: call.config(rules),
            charge: Charge::default(),
            precompiles: setting.precompiles.clone(),
            system: false,
        }
    }

    /// A transaction of a simulated block: nonce and fees are looked at if `validation` is wanted, the signature and
    /// the code of the sender never. What its bytes cost on Bitcoin is not charged.
    pub fn of_simulated(
        rules: &Rules,
        setting: &BlockSetting,
        transaction: &Transaction,
        validation: bool,
    ) -> Self {
        let env = transaction.env();
        let mut config = config(rules);
        config.tx_gas_limit_cap = Some(u64::MAX);
        config.disable_eip3607 = true;
        config.disable_block_gas_limit = true;
        config.disable_nonce_check = !validation;
        let free = env.gas_price == 0 && env.gas_priority_fee.unwrap_or_default() == 0;
        config.disable_base_fee = !validation && free;
        Self {
            block: setting.env(),
            env,
            config,
            charge: Charge {
                base_fee_vault: rules.is_bedroll().then_some(rules.base_fee_vault),
                ..Charge::default()
            },
            precompiles: setting.precompiles.clone(),
            system: false,
        }
    }

    /// Runs it on a state, which does not change.
    ///
    /// # Errors
    /// It is invalid, the store cannot be read, or the inspector stopped it (`EVMError::Custom`).
    pub fn inspect<'a, S, I>(&self, state: &'a mut State<S>, inspector: I) -> Inspected
    where
        S: StateSource + 'a,
        I: Inspector<EvmContext<'a, S>>,
    {
        let precompiles = MovedPrecompiles::new(self.config.spec, &self.precompiles);
        let mut evm = Context::mainnet()
            .with_db(state)
            .with_cfg(self.config.clone())
            .with_block(self.block.clone())
            .with_tx(self.env.clone())
            .build_mainnet_with_inspector(inspector)
            .with_precompiles(precompiles);
        let mut handler = ChargeHandler::new(self.charge);
        let result = if self.system {
            handler.inspect_run_system_call(&mut evm)
        } else {
            handler.inspect_run(&mut evm)
        };
        let state = evm.finalize();
        Ok(ResultAndState {
            result: result?,
            state,
        })
    }
}

/// A block that is run again upon its parent's state.
#[derive(Debug)]
pub struct Replay<'a> {
    rules: &'a Rules,
    block: &'a Block,
    setting: BlockSetting,
    /// The queue as the block left it.
    queue: Queue,
    next: usize,
}

impl<'a> Replay<'a> {
    /// Begins it: system contracts and, at a new origin, the queue.
    ///
    /// `queue` is what the light client holds after the block: what a block takes in is done before its first
    /// transaction, and what it ends is written after its last forced one.
    ///
    /// # Errors
    /// The state could not be read.
    pub fn begin<S: StateSource>(
        rules: &'a Rules,
        block: &'a Block,
        queue: Queue,
        state: &mut State<S>,
    ) -> Result<Self, StateError> {
        let header = &block.header;
        let setting = BlockSetting::of(header);
        let root = header.parent_beacon_block_root.unwrap_or_default();
        let root = Bytes::copy_from_slice(root.as_slice());
        let parent = Bytes::copy_from_slice(header.parent_hash.as_slice());
        let mut runner = Runner::new(rules, &setting, state);
        runner.system(BEACON_ROOTS_ADDRESS, root, SYSTEM_GAS)?;
        runner.system(HISTORY_STORAGE_ADDRESS, parent, SYSTEM_GAS)?;
        if rules.is_bedroll() && block.origin_step {
            let before = hook::read_queue(state, rules.light_client)?;
            let taken_in = Queue {
                done_acc: before.done_acc,
                done: before.done,
                ..queue
            };
            hook::write_queue(state, rules.light_client, &taken_in)?;
        }
        Ok(Self {
            rules,
            block,
            setting,
            queue,
            next: 0,
        })
    }

    /// Position in the block of the transaction that comes next.
    pub fn next(&self) -> usize {
        self.next
    }

    /// The transaction that comes next, on a state that is made ready for it.
    ///
    /// # Errors
    /// The state could not be read, or the block could not have had this transaction.
    pub fn subject<S: StateSource>(&mut self, state: &mut State<S>) -> Result<Subject, CallError> {
        let missing = || Refused::new("index", alloc::format!("no transaction {}", self.next));
        let transaction = (self.block.transactions.get(self.next))
            .ok_or_else(missing)
            .map_err(CallError::Refused)?;
        let vault = self.rules.is_bedroll().then_some(self.rules.base_fee_vault);
        let mut config = config(self.rules);
        let system = transaction.envelope().is_none();
        let (env, charge) = if system {
            let input = transaction.env().data;
            let env = system_env(self.rules.light_client, input, ORIGIN_GAS);
            (env, Charge::default())
        } else if self.next < self.block.forced_count {
            config.disable_base_fee = true;
            forced_env(transaction, self.setting.base_fee, vault)
        } else {
            if self.next == self.block.forced_count && self.rules.is_bedroll() {
                hook::write_queue(state, self.rules.light_client, &self.queue)
                    .map_err(CallError::State)?;
            }
            let (rate, base_fee) = (self.block.tail.l1_rate, self.setting.base_fee);
            let split = split_gas(self.rules, transaction, rate, base_fee);
            let (data_gas, evm_gas) = split.map_err(CallError::Refused)?;
            leaders_env(transaction, evm_gas, data_gas, vault)
        };
        Ok(Subject {
            block: self.setting.env(),
            env,
            config,
            charge,
            precompiles: PrecompileMoves::default(),
            system,
        })
    }

    /// Compares what the transaction that came next did with its receipt.
    ///
    /// # Errors
    /// They differ: what is stored cannot be this block upon this state.
    pub fn check(&self, ran: &ResultAndState<HaltReason>) -> Result<(), StateError> {
        let Some(receipt) = self.block.receipts.get(self.next) else {
            return Ok(());
        };
        // The L1-info call is in no gas sum.
        let free = receipt.kind == ORIGIN_TYPE;
        let gas_used = ran.result.tx_gas_used();
        if ran.result.is_success() == receipt.success && (free || gas_used == receipt.gas_used) {
            return Ok(());
        }
        Err(StateError::Source(SourceError(alloc::format!(
            "transaction {} of block {} ran otherwise than its receipt says: gas {gas_used}, not {}",
            self.next,
            self.setting.number,
            receipt.gas_used
        ))))
    }

    /// Takes over what the transaction that came next did.
    ///
    /// # Errors
    /// The state could not be read, or the transaction did not do what its receipt says.
    pub fn settle<S: StateSource>(
        &mut self,
        state: &mut State<S>,
        ran: ResultAndState<HaltReason>,
    ) -> Result<(), StateError> {
        self.check(&ran)?;
        state.apply(ran.state)?;
        self.next += 1;
        Ok(())
    }

    /// Ends the block as it ended, its state left open: the queue and the AddressBook.
    ///
    /// # Errors
    /// The state could not be read.
    pub fn finish<S: StateSource>(self, state: &mut State<S>) -> Result<(), StateError> {
        if self.rules.is_bedroll() {
            hook::write_queue(state, self.rules.light_client, &self.queue)?;
            let addresses = named(&self.block.transactions);
            hook::extend_book(state, self.rules.address_book, addresses)?;
        }
        Ok(())
    }

    /// Runs the transactions before `index` with nobody looking on.
    ///
    /// # Errors
    /// As [`Self::subject`].
    pub fn skip_to<S: StateSource>(
        &mut self,
        state: &mut State<S>,
        index: usize,
    ) -> Result<(), CallError> {
        while self.next < index {
            let subject = self.subject(state)?;
            match subject.inspect(state, NoOpInspector) {
                Ok(ran) => self.settle(state, ran).map_err(CallError::State)?,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

impl From<EvmError> for CallError {
    fn from(error: EvmError) -> Self {
        match error {
            EVMError::Database(error) => Self::State(error),
            EVMError::Transaction(error) => Self::Refused(error.into()),
            EVMError::Custom(text) => Self::Refused(Refused::new("trace", text)),
            other => Self::Refused(Refused::new("rule", alloc::format!("{other}"))),
        }
    }
}
