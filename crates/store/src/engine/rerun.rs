//! A sealed block's transactions run again with somebody who looks on, exactly as they ran in the block, whichever
//! chain it is of.
use alloy_primitives::U256;
use bedroll_core::block::Block;
use bedroll_core::ethereum::{Fork, OpenEthereumBlock, Schedule};
use bedroll_core::forced::Queue;
use bedroll_core::profile::Rules;
use bedroll_core::state::{State, StateError, StateSource};
use bedroll_core::stf::{CallError, Charge, PrecompileMoves, Replay, Subject};
use bedroll_core::trie::SourceError;
use revm::context::result::{HaltReason, ResultAndState};
use revm::context::{BlockEnv, CfgEnv};
use revm::context_interface::block::BlobExcessGasAndPrice;
use revm::inspector::NoOpInspector;
use revm::primitives::hardfork::SpecId;

use super::EngineError;

/// A block that is run again upon its parent's state.
pub(super) enum Rerun<'a> {
    /// Of this chain.
    Own(Box<Replay<'a>>),
    /// Of one of Ethereum's own.
    Ethereum(Box<EthereumRerun<'a>>),
}

/// The same of a block of Ethereum's own.
pub(super) struct EthereumRerun<'a> {
    block: &'a Block,
    spec: SpecId,
    setting: BlockEnv,
    config: CfgEnv,
    next: usize,
}

impl<'a> Rerun<'a> {
    /// Begins it: what a block does before its first transaction.
    pub fn begin<S: StateSource>(
        rules: &'a Rules,
        schedule: Option<&Schedule>,
        block: &'a Block,
        queue: Queue,
        state: &mut State<S>,
    ) -> Result<Self, EngineError> {
        let Some(schedule) = schedule else {
            let replay = Replay::begin(rules, block, queue, state)?;
            return Ok(Self::Own(Box::new(replay)));
        };
        OpenEthereumBlock::begin(schedule, &block.header, state, false)?;
        let fork = schedule.at(block.header.number, block.header.timestamp);
        Ok(Self::Ethereum(Box::new(EthereumRerun {
            block,
            spec: fork.spec,
            setting: block_env(block, &fork),
            config: config(schedule, &fork),
            next: 0,
        })))
    }

    /// Position in the block of the transaction that comes next.
    pub fn next(&self) -> usize {
        match self {
            Self::Own(replay) => replay.next(),
            Self::Ethereum(rerun) => rerun.next,
        }
    }

    /// The transaction that comes next, on a state that is made ready for it.
    pub fn subject<S: StateSource>(
        &mut self,
        state: &mut State<S>,
    ) -> Result<Subject, EngineError> {
        match self {
            Self::Own(replay) => Ok(replay.subject(state)?),
            Self::Ethereum(rerun) => rerun.subject(),
        }
    }

    /// Compares what the transaction that came next did with its receipt.
    pub fn check(&self, ran: &ResultAndState<HaltReason>) -> Result<(), EngineError> {
        match self {
            Self::Own(replay) => Ok(replay.check(ran)?),
            Self::Ethereum(rerun) => rerun.check(ran),
        }
    }

    /// Takes over what the transaction that came next did.
    pub fn settle<S: StateSource>(
        &mut self,
        state: &mut State<S>,
        ran: ResultAndState<HaltReason>,
    ) -> Result<(), EngineError> {
        match self {
            Self::Own(replay) => Ok(replay.settle(state, ran)?),
            Self::Ethereum(rerun) => rerun.settle(state, ran),
        }
    }

    /// Runs the transactions before `index` with nobody looking on.
    pub fn skip_to<S: StateSource>(
        &mut self,
        state: &mut State<S>,
        index: usize,
    ) -> Result<(), EngineError> {
        while self.next() < index {
            let subject = self.subject(state)?;
            let ran = subject.inspect(state, NoOpInspector);
            self.settle(state, ran.map_err(CallError::from)?)?;
        }
        Ok(())
    }
}

impl EthereumRerun<'_> {
    fn subject(&self) -> Result<Subject, EngineError> {
        let Some(transaction) = self.block.transactions.get(self.next) else {
            let text = format!("no transaction {}", self.next);
            return Err(EngineError::invalid("index", text));
        };
        Ok(Subject {
            block: self.setting.clone(),
            env: transaction.env(),
            config: self.config.clone(),
            charge: Charge::default(),
            precompiles: PrecompileMoves::default(),
            system: false,
        })
    }

    fn check(&self, ran: &ResultAndState<HaltReason>) -> Result<(), EngineError> {
        let Some(receipt) = self.block.receipts.get(self.next) else {
            return Ok(());
        };
        let gas_used = ran.result.tx_gas_used();
        if ran.result.is_success() == receipt.success && gas_used == receipt.gas_used {
            return Ok(());
        }
        let (number, next) = (self.block.header.number, self.next);
        let text = format!(
            "transaction {next} of block {number} ran otherwise than its receipt says: gas {gas_used}, not {}",
            receipt.gas_used
        );
        Err(StateError::Source(SourceError(text)).into())
    }

    fn settle<S: StateSource>(
        &mut self,
        state: &mut State<S>,
        ran: ResultAndState<HaltReason>,
    ) -> Result<(), EngineError> {
        self.check(&ran)?;
        match self.spec.is_enabled_in(SpecId::SPURIOUS_DRAGON) {
            true => state.apply(ran.state),
            false => state.apply_with_empty(ran.state),
        }?;
        self.next += 1;
        Ok(())
    }
}

/// What the EVM sees of a block of Ethereum's own: the core keeps what it made of it while the block was executed to
/// itself.
fn block_env(block: &Block, fork: &Fork) -> BlockEnv {
    let header = &block.header;
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

/// The EVM's configuration at a fork; the blobs of a block were counted when it came in.
fn config(schedule: &Schedule, fork: &Fork) -> CfgEnv {
    let mut config = CfgEnv::new_with_spec(fork.spec);
    config.chain_id = schedule.chain_id;
    if let Some(limits) = fork.blobs {
        config.set_max_blobs_per_tx(limits.max);
        config.blob_base_fee_update_fraction = Some(limits.update_fraction);
    }
    config
}
