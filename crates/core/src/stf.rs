//! The state transition: one L2 block from its parent's state.
mod admission;
mod admit;
mod call;
mod charge;
mod env;
mod forced_part;
mod open;
mod precompile;
mod record;
mod refused;
mod replay;
mod run;
mod setting;

pub use admission::{check_origin, check_time, time_bounds, RuleBroken};
pub use admit::split_gas;
pub use call::{estimate, padded_data_gas, simulate, Call, CallError, Outcome, OutcomeStatus};
pub use charge::{Charge, EvmContext, EvmError};
pub use open::{next_base_fee, BlockError, OpenBlock, Opening};
pub use precompile::{MovedPrecompiles, PrecompileMoves};
pub use refused::Refused;
pub use replay::{Inspected, Replay, Subject};
pub use run::{ethereum_config, Ran, Runner, SYSTEM_CALLER};
pub use setting::BlockSetting;
