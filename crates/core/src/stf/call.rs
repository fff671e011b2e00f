//! Calls that change nothing: `eth_call` and the estimate of a gas limit.
use alloc::{string::String, vec::Vec};
use alloy_eips::eip2930::AccessList;
use alloy_eips::eip7702::SignedAuthorization;
use alloy_primitives::{Address, Bytes, Log, TxKind, B256, U256};
use revm::context::either::Either;
use revm::context::result::EVMError;
use revm::context::{CfgEnv, TxEnv};

use super::charge::Charge;
use super::refused::Refused;
use super::run::{config, Ran, Runner};
use super::setting::BlockSetting;
use crate::fee::{self, TRANSFER_GAS};
use crate::profile::Rules;
use crate::sender::recover_authority;
use crate::state::{State, StateError, StateSource};
use crate::transaction::env::recovered;
use crate::transaction::intrinsic_gas;

/// A message to simulate.
#[derive(Debug, Clone)]
pub struct Call {
    /// Who calls.
    pub sender: Address,
    /// None: a creation.
    pub to: Option<Address>,
    /// Call data or init code.
    pub data: Bytes,
    /// Wei.
    pub value: U256,
    /// EVM gas; None: as much as a transaction may have. A call may have more: who serves it bounds it.
    pub gas_limit: Option<u64>,
    /// Wei a gas; 0: fees are not looked at.
    pub gas_price: u128,
    /// EIP-2930.
    pub access_list: AccessList,
    /// EIP-7702.
    pub authorizations: Vec<SignedAuthorization>,
    /// EIP-4844; only a chain of Ethereum's own has blobs.
    pub blob_hashes: Vec<B256>,
    /// Wei a blob gas; 0: their fee is not looked at.
    pub max_fee_per_blob_gas: u128,
}

/// How a simulation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutcomeStatus {
    /// As wished.
    Success,
    /// By `REVERT`.
    Revert,
    /// By an error that takes all gas.
    Halt,
}

/// Result of a simulation.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// How it ended.
    pub status: OutcomeStatus,
    /// Return or revert data.
    pub output: Bytes,
    /// EVM gas after refunds.
    pub gas_used: u64,
    /// Name of the halt, else empty.
    pub reason: String,
    /// Logs of a success.
    pub logs: Vec<Log>,
}

impl From<Ran> for Outcome {
    fn from(ran: Ran) -> Self {
        let status = if ran.success {
            OutcomeStatus::Success
        } else if ran.halt.is_empty() {
            OutcomeStatus::Revert
        } else {
            OutcomeStatus::Halt
        };
        Self {
            status,
            output: ran.output,
            gas_used: ran.gas_used,
            reason: ran.halt,
            logs: ran.logs,
        }
    }
}

/// Why a simulation could not run.
#[derive(Debug)]
pub enum CallError {
    /// The call cannot be made.
    Refused(Refused),
    /// The state could not be read.
    State(StateError),
}

impl Call {
    /// What is not checked of a call: nonce, code of the sender, gas of the block, and without a price the fees.
    pub(super) fn config(&self, rules: &Rules) -> CfgEnv {
        let mut config = config(rules);
        config.tx_gas_limit_cap = Some(u64::MAX);
        config.disable_nonce_check = true;
        config.disable_eip3607 = true;
        config.disable_block_gas_limit = true;
        config.disable_base_fee = self.gas_price == 0;
        config
    }

    /// What it sees of its block: without a price there is no base fee either, as in geth.
    pub(super) fn setting(&self, setting: &BlockSetting) -> BlockSetting {
        let mut seen = setting.clone();
        if self.gas_price == 0 {
            seen.base_fee = 0;
        }
        if !self.blob_hashes.is_empty() && self.max_fee_per_blob_gas == 0 {
            seen.blob_base_fee = 0;
        }
        seen
    }

    /// EIP-2718 type of the least transaction that holds it.
    fn kind(&self) -> u8 {
        if !self.authorizations.is_empty() {
            4
        } else if !self.blob_hashes.is_empty() {
            3
        } else {
            u8::from(!self.access_list.is_empty())
        }
    }

    pub(super) fn env(&self, rules: &Rules, gas_limit: u64) -> TxEnv {
        let kind = self.to.map_or(TxKind::Create, TxKind::Call);
        let authorization_list = (self.authorizations.iter())
            .map(|grant| Either::Right(recovered(grant, recover_authority(grant))))
            .collect();
        TxEnv {
            tx_type: self.kind(),
            caller: self.sender,
            gas_limit,
            gas_price: self.gas_price,
            kind,
            value: self.value,
            data: self.data.clone(),
            chain_id: Some(rules.chain_id),
            access_list: self.access_list.clone(),
            authorization_list,
            blob_hashes: self.blob_hashes.clone(),
            max_fee_per_blob_gas: self.max_fee_per_blob_gas,
            ..TxEnv::default()
        }
    }
}

/// Runs a call; what it changes is forgotten. The state must have no open block of its own.
///
/// # Errors
/// [`CallError`].
pub fn simulate<S: StateSource>(
    rules: &Rules,
    setting: &BlockSetting,
    state: &mut State<S>,
    call: &Call,
) -> Result<Outcome, CallError> {
    let gas_limit = call.gas_limit.unwrap_or(fee::EVM_GAS_MAX);
    run(rules, setting, state, call, gas_limit)
}

fn run<S: StateSource>(
    rules: &Rules,
    setting: &BlockSetting,
    state: &mut State<S>,
    call: &Call,
    gas_limit: u64,
) -> Result<Outcome, CallError> {
    let config = call.config(rules);
    let ran = Runner::in_setting(rules, &call.setting(setting), config, state)
        .simulate(call.env(rules, gas_limit), Charge::default());
    match ran {
        Ok(ran) => Ok(ran.into()),
        Err(EVMError::Database(error)) => Err(CallError::State(error)),
        Err(EVMError::Transaction(error)) => Err(CallError::Refused(error.into())),
        Err(other) => Err(CallError::Refused(Refused::new(
            "rule",
            alloc::format!("{other}"),
        ))),
    }
}

/// Least EVM gas limit with which the call succeeds, or how it fails with the most.
///
/// # Errors
/// [`CallError`].
pub fn estimate<S: StateSource>(
    rules: &Rules,
    setting: &BlockSetting,
    state: &mut State<S>,
    call: &Call,
) -> Result<Result<u64, Outcome>, CallError> {
    let most = call.gas_limit.unwrap_or(fee::EVM_GAS_MAX);
    let most = most.min(fee::EVM_GAS_MAX).min(setting.gas_limit);
    let first = run(rules, setting, state, call, most)?;
    if first.status != OutcomeStatus::Success {
        return Ok(Err(first));
    }
    let mut low = intrinsic_gas(call.env(rules, most))
        .max(first.gas_used)
        .saturating_sub(1);
    let mut high = most;
    // A first guess that nearly always fits: what was used, the refunds' fifth and a 64th for every call.
    let guess = first.gas_used + first.gas_used / 3 + 2_300;
    if guess < high && succeeds(run(rules, setting, state, call, guess))? {
        high = guess;
    }
    while low + 1 < high {
        let middle = low + (high - low) / 2;
        if succeeds(run(rules, setting, state, call, middle))? {
            high = middle;
        } else {
            low = middle;
        }
    }
    Ok(Ok(high))
}

fn succeeds(outcome: Result<Outcome, CallError>) -> Result<bool, CallError> {
    match outcome {
        Ok(outcome) => Ok(outcome.status == OutcomeStatus::Success),
        // Too little gas to begin with.
        Err(CallError::Refused(refused)) if refused.reason == "intrinsic" => Ok(false),
        Err(error) => Err(error),
    }
}

/// Data gas to ask for so that it still covers when base fee and rate have moved: half as much again, but no more
/// than the most that the floor of the base fee allows.
pub fn padded_data_gas(rules: &Rules, l1_rate: u128, size: u64, base_fee: u64) -> u64 {
    let now = fee::data_gas(l1_rate, size, rules.transfer_bytes, base_fee);
    let beyond = u128::from(size.saturating_sub(rules.transfer_bytes));
    // base fee ≥ ⌊r × transfer_bytes / 21,000⌋; r is so large that the rounding is below a millionth.
    let most = beyond * TRANSFER_GAS / u128::from(rules.transfer_bytes.max(1));
    let most = u64::try_from(most + most / 100_000 + 1).unwrap_or(u64::MAX);
    now.saturating_add(now / 2).min(most).max(now)
}
