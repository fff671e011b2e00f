//! Why a transaction is not taken into a block.
use alloc::string::{String, ToString};
use core::fmt;
use revm::context::result::InvalidTransaction;

/// Why a transaction was left out. The words are those wallets know from Ethereum's nodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// One word for the rule.
    pub reason: &'static str,
    /// Said in full, with value and limit.
    pub message: String,
}

impl Refused {
    pub(crate) fn new(reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            reason,
            message: message.into(),
        }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl core::error::Error for Refused {}

impl From<InvalidTransaction> for Refused {
    fn from(error: InvalidTransaction) -> Self {
        use InvalidTransaction as I;
        match &error {
            I::NonceTooLow { tx, state } => Self::new(
                "nonce_low",
                alloc::format!("nonce too low: {tx}, next is {state}"),
            ),
            I::NonceTooHigh { tx, state } => Self::new(
                "nonce_high",
                alloc::format!("nonce too high: {tx}, next is {state}"),
            ),
            I::LackOfFundForMaxFee { fee, balance } => Self::new(
                "funds",
                alloc::format!(
                    "insufficient funds for gas * price + value: balance {balance}, needed {fee}"
                ),
            ),
            I::CallGasCostMoreThanGasLimit {
                initial_gas,
                gas_limit,
            } => Self::new(
                "intrinsic",
                alloc::format!("intrinsic gas too low: limit {gas_limit}, needed {initial_gas}"),
            ),
            I::GasFloorMoreThanGasLimit {
                gas_floor,
                gas_limit,
            } => Self::new(
                "intrinsic",
                alloc::format!("intrinsic gas too low: limit {gas_limit}, needed {gas_floor}"),
            ),
            I::GasPriceLessThanBasefee => {
                Self::new("fee", "max fee per gas less than block base fee")
            }
            I::RejectCallerWithCode => Self::new("code", "sender is a contract (EIP-3607)"),
            I::NonceOverflowInTransaction => Self::new("nonce_max", "nonce has max value"),
            I::CreateInitCodeSizeLimit => Self::new("init_code", "max initcode size exceeded"),
            I::InvalidChainId => Self::new("chain", "chain id is not this chain's"),
            _ => Self::new("rule", error.to_string()),
        }
    }
}
