//! One transaction in the EVM, with this chain's fees and EIP-7610 around revm's own rules.
use alloy_primitives::{Address, U256};
use revm::context::journaled_state::account::JournaledAccountTr;
use revm::context::result::{EVMError, HaltReason, InvalidTransaction};
use revm::context::{Block, ContextTr, JournalTr, Transaction};
use revm::handler::instructions::EthInstructions;
use revm::handler::pre_execution::{
    calculate_caller_fee, validate_account_nonce_and_code_with_components,
};
use revm::handler::{post_execution, EvmTr, FrameResult, Handler, ItemOrResult};
use revm::handler::{EthFrame, MainnetContext};
use revm::inspector::{Inspector, InspectorEvmTr, InspectorHandler};
use revm::interpreter::interpreter::EthInterpreter;
use revm::interpreter::interpreter_action::{FrameInit, FrameInput};
use revm::interpreter::InitialAndFloorGas;

use super::precompile::MovedPrecompiles;
use crate::state::{State, StateError, StateSource};

/// What the EVM runs in: the state of an open block.
pub type EvmContext<'a, S> = MainnetContext<&'a mut State<S>>;
/// The EVM over the state of an open block, with who looks on.
pub type Evm<'a, S, I = ()> = revm::context::Evm<
    EvmContext<'a, S>,
    I,
    EthInstructions<EthInterpreter, EvmContext<'a, S>>,
    MovedPrecompiles,
    EthFrame<EthInterpreter>,
>;
/// What can go wrong with a transaction: it is invalid, or the store is.
pub type EvmError = EVMError<StateError, InvalidTransaction>;

/// Deepest call stack (EIP-150's predecessor rule).
const CALL_DEPTH_MAX: usize = 1_024;

/// What a transaction pays, and to whom.
#[derive(Debug, Clone, Copy, Default)]
pub struct Charge {
    /// Data gas, paid at the effective price and never given back.
    pub data_gas: u64,
    /// Most the sender must be able to pay: signed gas limit × max fee + value. None: the EVM's own check.
    pub max_cost: Option<U256>,
    /// Receives the base fee. None: it is burnt (Ethereum).
    pub base_fee_vault: Option<Address>,
}

/// revm's handler with a [`Charge`].
pub struct ChargeHandler<'a, S, I = ()> {
    charge: Charge,
    of: core::marker::PhantomData<(&'a S, I)>,
}

impl<S, I> ChargeHandler<'_, S, I> {
    /// For one transaction.
    pub fn new(charge: Charge) -> Self {
        Self {
            charge,
            of: core::marker::PhantomData,
        }
    }
}

impl<'a, S: StateSource + 'a, I> Handler for ChargeHandler<'a, S, I> {
    type Evm = Evm<'a, S, I>;
    type Error = EvmError;
    type HaltReason = HaltReason;

    fn validate_against_state_and_deduct_caller(
        &self,
        evm: &mut Self::Evm,
        _gas: &mut InitialAndFloorGas,
    ) -> Result<(), Self::Error> {
        let (block, tx, cfg, journal, _, _) = evm.ctx().all_mut();
        let mut caller = journal.load_account_with_code_mut(tx.caller())?.data;
        validate_account_nonce_and_code_with_components(&caller.account().info, tx, cfg)?;
        let balance = *caller.balance();
        if let Some(most) = self.charge.max_cost {
            if balance < most {
                return Err(InvalidTransaction::LackOfFundForMaxFee {
                    fee: most.into(),
                    balance: balance.into(),
                }
                .into());
            }
        }
        let left = calculate_caller_fee(balance, tx, block, cfg)?;
        let price = tx.effective_gas_price(u128::from(block.basefee()));
        let data_fee = U256::from(price) * U256::from(self.charge.data_gas);
        // `max_cost` covers both; without it there is no data gas.
        caller.set_balance(left.saturating_sub(data_fee));
        if tx.kind().is_call() {
            caller.bump_nonce();
        }
        Ok(())
    }

    fn reward_beneficiary(
        &self,
        evm: &mut Self::Evm,
        result: &mut FrameResult,
    ) -> Result<(), Self::Error> {
        let Some(vault) = self.charge.base_fee_vault else {
            return Ok(post_execution::reward_beneficiary(evm.ctx(), result.gas())?);
        };
        let (block, tx, _, journal, _, _) = evm.ctx().all_mut();
        let base_fee = u128::from(block.basefee());
        let price = tx.effective_gas_price(base_fee);
        let used = U256::from(result.gas().used()) + U256::from(self.charge.data_gas);
        let base = U256::from(price.min(base_fee)) * used;
        let tip = U256::from(price.saturating_sub(base_fee)) * used;
        journal.load_account_mut(vault)?.incr_balance(base);
        journal
            .load_account_mut(block.beneficiary())?
            .incr_balance(tip);
        Ok(())
    }

    fn run_exec_loop(
        &mut self,
        evm: &mut Self::Evm,
        first: FrameInit,
    ) -> Result<FrameResult, Self::Error> {
        if let ItemOrResult::Result(result) = init_frame(evm, first)? {
            return Ok(result);
        }
        loop {
            let result = match evm.frame_run()? {
                ItemOrResult::Item(init) => match init_frame(evm, init)? {
                    ItemOrResult::Item(()) => continue,
                    ItemOrResult::Result(result) => result,
                },
                ItemOrResult::Result(result) => result,
            };
            if let Some(result) = evm.frame_return_result(result)? {
                return Ok(result);
            }
        }
    }
}

impl<'a, S, I> InspectorHandler for ChargeHandler<'a, S, I>
where
    S: StateSource + 'a,
    I: Inspector<EvmContext<'a, S>, EthInterpreter>,
{
    type IT = EthInterpreter;

    fn inspect_run_exec_loop(
        &mut self,
        evm: &mut Self::Evm,
        first: FrameInit,
    ) -> Result<FrameResult, Self::Error> {
        if let ItemOrResult::Result(result) = inspect_init_frame(evm, first)? {
            return Ok(result);
        }
        loop {
            let result = match evm.inspect_frame_run()? {
                ItemOrResult::Item(init) => match inspect_init_frame(evm, init)? {
                    ItemOrResult::Item(()) => continue,
                    ItemOrResult::Result(result) => result,
                },
                ItemOrResult::Result(result) => result,
            };
            if let Some(result) = evm.frame_return_result(result)? {
                return Ok(result);
            }
        }
    }
}

/// As [`init_frame`], with somebody who looks on.
fn inspect_init_frame<'a, S, I>(
    evm: &mut Evm<'a, S, I>,
    init: FrameInit,
) -> Result<ItemOrResult<(), FrameResult>, EvmError>
where
    S: StateSource,
    I: Inspector<EvmContext<'a, S>, EthInterpreter>,
{
    let Some(taken) = storage_collision(evm, &init)? else {
        return Ok(evm.inspect_frame_init(init)?.map_item(|_| ()));
    };
    set_nonce(evm, taken, 1);
    let outcome = evm
        .inspect_frame_init(init)
        .map(|item| item.map_item(|_| ()));
    set_nonce(evm, taken, 0);
    Ok(outcome?)
}

/// Starts a frame; a creation upon an address that has storage fails as one upon code does (EIP-7610).
fn init_frame<'a, S: StateSource, I>(
    evm: &mut Evm<'a, S, I>,
    init: FrameInit,
) -> Result<ItemOrResult<(), FrameResult>, EvmError> {
    let Some(taken) = storage_collision(evm, &init)? else {
        return Ok(evm.frame_init(init)?.map_item(|_| ()));
    };
    // revm asks for nonce and code alone, so the nonce is shown to it for the moment of the check.
    set_nonce(evm, taken, 1);
    let outcome = evm.frame_init(init).map(|item| item.map_item(|_| ()));
    set_nonce(evm, taken, 0);
    Ok(outcome?)
}

fn set_nonce<S: StateSource, I>(evm: &mut Evm<'_, S, I>, address: Address, nonce: u64) {
    if let Some(account) = evm.ctx().journaled_state.inner.state.get_mut(&address) {
        account.info.nonce = nonce;
    }
}

/// The address a creation would land on, if only its storage speaks against it.
fn storage_collision<S: StateSource, I>(
    evm: &mut Evm<'_, S, I>,
    init: &FrameInit,
) -> Result<Option<Address>, EvmError> {
    let FrameInput::Create(inputs) = &init.frame_input else {
        return Ok(None);
    };
    let journal = &mut evm.ctx().journaled_state;
    let caller = journal.load_account(inputs.caller())?.data.info.clone();
    if init.depth > CALL_DEPTH_MAX || caller.balance < inputs.value() || caller.nonce == u64::MAX {
        return Ok(None);
    }
    let address = inputs.created_address(caller.nonce);
    if !journal
        .database
        .has_storage(&address)
        .map_err(EVMError::Database)?
    {
        return Ok(None);
    }
    let target = journal.load_account(address)?.data;
    let only_storage = target.info.nonce == 0 && target.info.is_empty_code_hash();
    Ok(only_storage.then_some(address))
}
