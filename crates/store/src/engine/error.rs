//! What the engine answers when it cannot do something.
use std::fmt;

use bedroll_core::state::StateError;
use bedroll_core::stf::{BlockError, CallError, Refused};

use crate::StoreError;

/// By who must act, as `bedroll.primitives` has it.
#[derive(Debug)]
pub enum EngineError {
    /// Input breaks a rule.
    Invalid {
        /// One word for the rule.
        reason: &'static str,
        /// Said in full.
        message: String,
    },
    /// The operator must change something.
    Misconfigured {
        /// Name of the option.
        option: String,
        /// What was given.
        value: String,
        /// What would be accepted.
        allowed: String,
    },
    /// The folder is in use, or closed.
    Unavailable(String),
    /// What is stored cannot be true.
    Corrupt(String),
}

impl EngineError {
    pub(super) fn invalid(reason: &'static str, message: impl Into<String>) -> Self {
        Self::Invalid {
            reason,
            message: message.into(),
        }
    }

    pub(super) fn damaged(height: u64, error: &alloy_rlp::Error) -> Self {
        Self::Corrupt(format!("block {height} cannot be read: {error}"))
    }

    pub(super) fn bad_genesis(error: &StateError) -> Self {
        Self::Misconfigured {
            option: "genesis".into(),
            value: error.to_string(),
            allowed: "accounts with code that can stand".into(),
        }
    }
}

impl fmt::Display for EngineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid { message, .. } | Self::Unavailable(message) | Self::Corrupt(message) => {
                f.write_str(message)
            }
            Self::Misconfigured { option, value, .. } => write!(f, "{option}: {value}"),
        }
    }
}

impl std::error::Error for EngineError {}

impl From<StoreError> for EngineError {
    fn from(error: StoreError) -> Self {
        let text = error.to_string();
        match error {
            StoreError::ForeignGenesis { stored, wanted, .. } => Self::Misconfigured {
                option: "genesis".into(),
                value: wanted.to_string(),
                allowed: stored.to_string(),
            },
            StoreError::NewerSchema { stored, known, .. } => Self::Misconfigured {
                option: "schema".into(),
                value: stored.to_string(),
                allowed: format!("at most {known}"),
            },
            StoreError::MapTooLarge { bytes } => Self::Misconfigured {
                option: "map_size_bytes".into(),
                value: bytes.to_string(),
                allowed: "what the address space holds".into(),
            },
            StoreError::Held { .. }
            | StoreError::Io { .. }
            | StoreError::Disk(_)
            | StoreError::Closed
            | StoreError::Empty => Self::Unavailable(text),
            StoreError::AboveTip { .. }
            | StoreError::BelowOldest { .. }
            | StoreError::Gap { .. } => Self::invalid("height", text),
            StoreError::TooFarBack { .. } => Self::invalid("limit", text),
            StoreError::Stale { .. } => Self::invalid("stale", text),
            _ => Self::Corrupt(text),
        }
    }
}

impl From<StateError> for EngineError {
    fn from(error: StateError) -> Self {
        Self::Corrupt(error.to_string())
    }
}

impl From<BlockError> for EngineError {
    fn from(error: BlockError) -> Self {
        match error {
            BlockError::Rule(rule) => Self::invalid("block", rule.to_string()),
            BlockError::State(error) => error.into(),
        }
    }
}

impl From<Refused> for EngineError {
    fn from(refused: Refused) -> Self {
        Self::Invalid {
            reason: refused.reason,
            message: refused.message,
        }
    }
}

impl From<CallError> for EngineError {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Refused(refused) => refused.into(),
            CallError::State(error) => error.into(),
        }
    }
}
