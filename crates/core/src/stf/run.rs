//! Running single transactions in an open block.
use alloc::string::String;
use alloy_primitives::{Address, Bytes, Log};
use revm::context::result::{EVMError, ExecutionResult};
use revm::context::{BlockEnv, CfgEnv, Context, ContextSetters, TxEnv};
use revm::handler::Handler;
use revm::primitives::hardfork::SpecId;
use revm::{ExecuteEvm, MainBuilder, MainContext};

use super::charge::{Charge, ChargeHandler, Evm, EvmError};
use super::env::{forced_env, leaders_env, system_env};
use super::precompile::{MovedPrecompiles, PrecompileMoves};
use super::setting::BlockSetting;
use crate::profile::Rules;
use crate::state::{State, StateError, StateSource};
use crate::transaction::Transaction;

/// Caller of system calls (EIP-4788) and of the L1-info call.
pub const SYSTEM_CALLER: Address = Address::new([
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xfe,
]);

/// Accounts that a transfer touches, and some more: room for as many is made at once.
const TOUCHED: usize = 7;

/// What running a transaction gave.
#[derive(Debug, Clone)]
pub struct Ran {
    /// Whether it succeeded.
    pub success: bool,
    /// EVM gas.
    pub gas_used: u64,
    /// Logs of a success.
    pub logs: alloc::vec::Vec<Log>,
    /// Return or revert data.
    pub output: Bytes,
    /// Name of the halt, else empty.
    pub halt: String,
    /// Accounts that it touched, vaults left out; whether it made a contract there.
    pub touched: alloc::vec::Vec<(Address, bool)>,
}

impl Ran {
    pub(crate) fn from_result(result: ExecutionResult) -> Self {
        let gas_used = result.tx_gas_used();
        match result {
            ExecutionResult::Success { logs, output, .. } => Self {
                success: true,
                gas_used,
                logs,
                output: output.into_data(),
                halt: String::new(),
                touched: alloc::vec![],
            },
            ExecutionResult::Revert { output, .. } => Self {
                success: false,
                gas_used,
                logs: alloc::vec![],
                output,
                halt: String::new(),
                touched: alloc::vec![],
            },
            ExecutionResult::Halt { reason, .. } => Self {
                success: false,
                gas_used,
                logs: alloc::vec![],
                output: Bytes::new(),
                halt: alloc::format!("{reason:?}"),
                touched: alloc::vec![],
            },
        }
    }
}

/// The EVM's configuration under these rules.
pub(crate) fn config(rules: &Rules) -> CfgEnv {
    let mut config = CfgEnv::new_with_spec(rules.spec());
    config.chain_id = rules.chain_id;
    if rules.is_bedroll() {
        // The cap of EIP-7825 is applied to EVM gas before the EVM sees it.
        config.tx_gas_limit_cap = Some(u64::MAX);
    } else {
        config.set_max_blobs_per_tx(if rules.spec() == SpecId::PRAGUE { 9 } else { 6 });
    }
    config
}

/// The EVM's configuration under profile `ethereum`, for blocks that are given whole.
pub fn ethereum_config(rules: &Rules) -> CfgEnv {
    config(rules)
}

/// The EVM upon an open block's state, for some transactions in a row.
pub struct Runner<'a, S: StateSource> {
    evm: Evm<'a, S>,
    base_fee_vault: Option<Address>,
}

impl<'a, S: StateSource> Runner<'a, S> {
    /// Builds it.
    pub fn new(rules: &Rules, setting: &BlockSetting, state: &'a mut State<S>) -> Self {
        Self::in_setting(rules, setting, config(rules), state)
    }

    /// Builds it with a configuration of one's own.
    pub(super) fn in_setting(
        rules: &Rules,
        setting: &BlockSetting,
        config: CfgEnv,
        state: &'a mut State<S>,
    ) -> Self {
        let vault = rules.is_bedroll().then_some(rules.base_fee_vault);
        Self::build(vault, setting.env(), config, &setting.precompiles, state)
    }

    /// Builds it with an EVM block and configuration of one's own.
    pub fn with_config(
        rules: &Rules,
        block: BlockEnv,
        config: CfgEnv,
        state: &'a mut State<S>,
    ) -> Self {
        let vault = rules.is_bedroll().then_some(rules.base_fee_vault);
        Self::build(vault, block, config, &PrecompileMoves::default(), state)
    }

    /// Builds it for Ethereum's own blocks.
    pub fn ethereum(block: BlockEnv, config: CfgEnv, state: &'a mut State<S>) -> Self {
        Self::build(None, block, config, &PrecompileMoves::default(), state)
    }

    fn build(
        base_fee_vault: Option<Address>,
        block: BlockEnv,
        config: CfgEnv,
        moves: &PrecompileMoves,
        state: &'a mut State<S>,
    ) -> Self {
        let precompiles = MovedPrecompiles::new(config.spec, moves);
        let evm = Context::mainnet()
            .with_db(state)
            .with_cfg(config)
            .with_block(block)
            .build_mainnet()
            .with_precompiles(precompiles);
        Self {
            evm,
            base_fee_vault,
        }
    }

    /// A system call: no fee, no nonce, not in any gas sum.
    ///
    /// # Errors
    /// The store's.
    pub fn system(&mut self, to: Address, data: Bytes, gas_limit: u64) -> Result<Ran, StateError> {
        self.evm.ctx.set_tx(system_env(to, data, gas_limit));
        let result = ChargeHandler::new(Charge::default()).run_system_call(&mut self.evm);
        match result {
            Ok(result) => {
                let touched = self.settle()?;
                Ok(Ran {
                    touched,
                    ..Ran::from_result(result)
                })
            }
            Err(EVMError::Database(error)) => Err(error),
            // A system call has no field that could be invalid.
            Err(_) => Ok(Ran {
                success: false,
                gas_used: 0,
                logs: alloc::vec![],
                output: Bytes::new(),
                halt: "system call refused".into(),
                touched: alloc::vec![],
            }),
        }
    }

    /// Runs a transaction with a charge.
    ///
    /// # Errors
    /// Invalid, or the store's. The state is unchanged then.
    pub fn transact(&mut self, env: TxEnv, charge: Charge) -> Result<Ran, EvmError> {
        self.evm.ctx.set_tx(env);
        match ChargeHandler::new(charge).run(&mut self.evm) {
            Ok(result) => {
                let touched = self.settle().map_err(EVMError::Database)?;
                Ok(Ran {
                    touched,
                    ..Ran::from_result(result)
                })
            }
            Err(error) => {
                self.evm.finalize();
                Err(error)
            }
        }
    }

    /// Runs a transaction and forgets what it changed.
    ///
    /// # Errors
    /// As [`Self::transact`].
    pub fn simulate(&mut self, env: TxEnv, charge: Charge) -> Result<Ran, EvmError> {
        self.evm.ctx.set_tx(env);
        let result = ChargeHandler::new(charge).run(&mut self.evm);
        self.evm.finalize();
        result.map(Ran::from_result)
    }

    /// Runs a leader's transaction with this much EVM gas.
    ///
    /// # Errors
    /// As [`Self::transact`].
    pub fn leaders(
        &mut self,
        transaction: &Transaction,
        evm_gas: u64,
        data_gas: u64,
    ) -> Result<Ran, EvmError> {
        let (env, charge) = leaders_env(transaction, evm_gas, data_gas, self.base_fee_vault);
        self.transact(env, charge)
    }

    /// Runs a forced transaction: price min(max fee, base fee), no tip, no data gas.
    ///
    /// # Errors
    /// As [`Self::transact`].
    pub fn forced(&mut self, transaction: &Transaction) -> Result<Ran, EvmError> {
        let base_fee = self.evm.ctx.block.basefee;
        let (env, charge) = forced_env(transaction, base_fee, self.base_fee_vault);
        self.evm.ctx.cfg.disable_base_fee = true;
        let ran = self.transact(env, charge);
        self.evm.ctx.cfg.disable_base_fee = false;
        ran
    }

    /// Takes what ran into the state; gives the accounts that it touched.
    fn settle(&mut self) -> Result<alloc::vec::Vec<(Address, bool)>, StateError> {
        let state = self.evm.finalize();
        self.evm.ctx.journaled_state.inner.state.reserve(TOUCHED);
        let vaults = [Some(self.evm.ctx.block.beneficiary), self.base_fee_vault];
        let touched = state
            .iter()
            .filter(|(address, account)| account.is_touched() && !vaults.contains(&Some(**address)))
            .map(|(address, account)| {
                let code = account.info.code_hash != revm::primitives::KECCAK_EMPTY;
                (*address, code && account.is_created())
            })
            .collect();
        let clearing = self.evm.ctx.cfg.spec.is_enabled_in(SpecId::SPURIOUS_DRAGON);
        let database = &mut self.evm.ctx.journaled_state.database;
        match clearing {
            true => database.apply(state),
            false => database.apply_with_empty(state),
        }?;
        Ok(touched)
    }
}

impl<S: StateSource> Runner<'_, S> {
    /// Whether the account has code.
    ///
    /// # Errors
    /// The store's.
    pub fn has_code(&mut self, address: &Address) -> Result<bool, StateError> {
        let account = self.evm.ctx.journaled_state.database.account(address)?;
        Ok(account.is_some_and(|account| account.code_hash != revm::primitives::KECCAK_EMPTY))
    }
}
