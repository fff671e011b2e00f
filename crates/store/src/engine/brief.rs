//! Calls that are run only if they are short: where somebody waits who must not wait long.
use alloy_primitives::{Address, Bytes};
use bedroll_core::stf::{Call, Subject};
use revm::context::result::ExecutionResult;
use revm::context_interface::{ContextError, ContextTr};
use revm::interpreter::interpreter_types::LoopControl;
use revm::interpreter::{CallInputs, CallOutcome, Interpreter};
use revm::Inspector;

use super::{EngineError, Look, Overrides};

/// Precompiles up to this one (the identity) cost little for what they are paid; any other one ends a short call.
const CHEAP_PRECOMPILE_MAX: u8 = 4;
/// Addresses that may be precompiles.
const PRECOMPILE_MAX: u64 = 0x1ff;

/// Ends a run that has become long.
struct Brief {
    steps_left: u64,
    frame_gas: u64,
    is_long: bool,
}

impl Brief {
    fn end<CTX: ContextTr>(&mut self, context: &mut CTX) {
        self.is_long = true;
        if context.error().is_ok() {
            *context.error() = Err(ContextError::Custom("the call is long".into()));
        }
    }
}

fn is_dear(address: &Address) -> bool {
    let (head, tail) = address.as_slice().split_at(12);
    let number = u64::from_be_bytes(tail.try_into().unwrap_or([0xff; 8]));
    head.iter().all(|byte| *byte == 0)
        && (u64::from(CHEAP_PRECOMPILE_MAX) + 1..=PRECOMPILE_MAX).contains(&number)
}

impl<CTX: ContextTr> Inspector<CTX> for Brief {
    fn step(&mut self, interp: &mut Interpreter, context: &mut CTX) {
        let is_over = self.steps_left == 0 || interp.gas.total_gas_spent() > self.frame_gas;
        if is_over || self.is_long {
            self.end(context);
            interp.bytecode.action().take();
            interp.bytecode.reset_action();
            interp.halt_fatal();
            return;
        }
        self.steps_left -= 1;
    }

    fn call(&mut self, context: &mut CTX, inputs: &mut CallInputs) -> Option<CallOutcome> {
        if is_dear(&inputs.bytecode_address) {
            self.end(context);
        }
        None
    }
}

impl Look {
    /// Output of a call on top of this block if it succeeds within so many steps, and so much gas in each frame; None
    /// where it must be run by [`Look::call`], which would give the same output.
    ///
    /// # Errors
    /// The call cannot be made, or the store's.
    pub fn call_briefly(
        &self,
        call: &Call,
        steps: u64,
        frame_gas: u64,
    ) -> Result<Option<Bytes>, EngineError> {
        if call.to.as_ref().is_none_or(is_dear) {
            return Ok(None);
        }
        let (mut state, setting, _) = self.prepare(Overrides::default())?;
        let mut brief = Brief {
            steps_left: steps,
            frame_gas,
            is_long: false,
        };
        let ran = Subject::of_call(&self.rules, &setting, call).inspect(&mut state, &mut brief);
        match ran {
            Ok(ran) if !brief.is_long => Ok(match ran.result {
                ExecutionResult::Success { output, .. } => Some(output.into_data()),
                _ => None,
            }),
            _ => Ok(None),
        }
    }
}
