//! The state transition: one L2 block from its parent's state.
mod admission;
mod call;
mod handler;
mod open;
mod run;

pub use admission::{check_origin, check_time, time_bounds, RuleBroken};
pub use call::{estimate, padded_data_gas, simulate, Call, CallError, Outcome, OutcomeStatus};
pub use handler::{Charge, EvmError};
pub use open::{next_base_fee, BlockError, OpenBlock, Opening};
pub use run::{ethereum_config, split_gas, BlockSetting, Ran, Refused, Runner, SYSTEM_CALLER};
