//! Looks on while a call runs: its logs, and the coins it moves told as logs (ERC-7528).
use alloy_primitives::{address, b256, Address, Log, LogData, B256, U256};
use revm::context_interface::{ContextTr, JournalTr};
use revm::interpreter::{CallInputs, CallOutcome, CallScheme, CreateInputs, CreateOutcome};
use revm::Inspector;

/// Who writes the logs of moved coins.
pub const TRANSFER_EMITTER: Address = address!("eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee");
/// `Transfer(address,address,uint256)`.
const TRANSFER_TOPIC: B256 =
    b256!("ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef");

/// Gathers logs frame by frame: those of a frame that fails are gone, though their places are not given again, as in
/// geth.
#[derive(Debug, Default)]
pub struct Watch {
    transfers: bool,
    frames: Vec<Vec<(u64, Log)>>,
    logs: Vec<(u64, Log)>,
    next: u64,
}

impl Watch {
    /// With or without the coins that are moved; `next` is the first log's place in the block.
    pub fn new(transfers: bool, next: u64) -> Self {
        Self {
            transfers,
            next,
            ..Self::default()
        }
    }

    /// Place of the log after the last one.
    pub fn next(&self) -> u64 {
        self.next
    }

    /// All logs of a call, none if it failed.
    pub fn into_logs(self) -> Vec<(u64, Log)> {
        self.logs
    }

    fn enter(&mut self) {
        self.frames.push(vec![]);
    }

    fn leave(&mut self, kept: bool) {
        let logs = self.frames.pop().unwrap_or_default();
        if kept {
            let under = self.frames.last_mut().unwrap_or(&mut self.logs);
            under.extend(logs);
        }
    }

    fn note(&mut self, log: Log) {
        if let Some(frame) = self.frames.last_mut() {
            frame.push((self.next, log));
            self.next += 1;
        }
    }

    fn transfer(&mut self, from: Address, to: Address, value: U256) {
        if !self.transfers || value.is_zero() {
            return;
        }
        let topics = vec![TRANSFER_TOPIC, from.into_word(), to.into_word()];
        self.note(Log {
            address: TRANSFER_EMITTER,
            data: LogData::new_unchecked(topics, value.to_be_bytes::<32>().into()),
        });
    }
}

impl<CTX: ContextTr> Inspector<CTX> for Watch {
    fn log(&mut self, _context: &mut CTX, log: Log) {
        self.note(log);
    }

    fn call(&mut self, _context: &mut CTX, inputs: &mut CallInputs) -> Option<CallOutcome> {
        self.enter();
        // A CALLCODE pays its own account.
        if inputs.scheme == CallScheme::Call {
            if let Some(value) = inputs.transfer_value() {
                self.transfer(inputs.transfer_from(), inputs.transfer_to(), value);
            }
        }
        None
    }

    fn call_end(&mut self, _context: &mut CTX, _inputs: &CallInputs, outcome: &mut CallOutcome) {
        self.leave(outcome.result.is_ok());
    }

    fn create(&mut self, context: &mut CTX, inputs: &mut CreateInputs) -> Option<CreateOutcome> {
        self.enter();
        if self.transfers && !inputs.value().is_zero() {
            let caller = context.journal_mut().load_account(inputs.caller()).ok()?;
            let created = inputs.created_address(caller.data.info.nonce);
            self.transfer(inputs.caller(), created, inputs.value());
        }
        None
    }

    fn create_end(
        &mut self,
        _context: &mut CTX,
        _inputs: &CreateInputs,
        outcome: &mut CreateOutcome,
    ) {
        self.leave(outcome.result.is_ok());
    }

    fn selfdestruct(&mut self, contract: Address, target: Address, value: U256) {
        self.transfer(contract, target, value);
    }
}
