//! The forced part of a block (docs/spec/execution.md, "Forced part").
use alloc::string::{String, ToString};
use alloy_consensus::Transaction as _;
use revm::context::result::EVMError;

use super::open::OpenBlock;
use super::refused::Refused;
use super::run::Runner;
use crate::forced::{eligible, Ended, ReadQueue, Status};
use crate::state::{State, StateError, StateSource};
use crate::transaction::Transaction;

impl OpenBlock {
    /// Runs messages from the head of the queue until one does not fit.
    pub(super) fn forced_part<S: StateSource>(
        &mut self,
        state: &mut State<S>,
        waiting: &dyn ReadQueue,
    ) -> Result<(), StateError> {
        let carried = self.queue.enqueued - self.enqueued.len() as u64;
        let mut charged = 0u64;
        while self.queue.done < self.queue.enqueued {
            let index = self.queue.done;
            let message = match index.checked_sub(carried) {
                Some(own) => self.enqueued[own as usize].clone(),
                None => waiting.message(index)?,
            };
            let judged = eligible(&message, &self.rules);
            let fields = judged.as_ref().ok().and_then(Transaction::envelope);
            let limit = fields.map_or(0, |tx| tx.gas_limit());
            let old = message.origin_height + self.rules.max_origin_lag < self.tail.origin_height;
            let budget = if old || self.automatic {
                self.rules.block_gas_limit
            } else {
                self.rules.forced_gas_limit
            };
            if limit.max(self.rules.forced_gas_min) > budget.saturating_sub(charged) {
                break;
            }
            let transaction_hash = judged.as_ref().ok().map(|tx| tx.hash);
            let (status, gas_used, reason) = match judged {
                Err(rule) => (Status::Ineligible, 0, rule.to_string()),
                Ok(transaction) => self.run_forced(state, transaction)?,
            };
            charged += gas_used.max(self.rules.forced_gas_min);
            self.ended.push(Ended {
                index: self.queue.end(&message.id, status),
                id: message.id,
                status,
                transaction_hash,
                reason,
            });
        }
        Ok(())
    }

    fn run_forced<S: StateSource>(
        &mut self,
        state: &mut State<S>,
        transaction: Transaction,
    ) -> Result<(Status, u64, String), StateError> {
        let ran = Runner::new(&self.rules, &self.setting, state).forced(&transaction);
        match ran {
            Ok(ran) => {
                let status = if ran.success {
                    Status::Executed
                } else {
                    Status::Reverted
                };
                let (gas_used, halt) = (ran.gas_used, ran.halt.clone());
                let price = transaction.envelope().map_or(0, |tx| tx.max_fee_per_gas());
                let price = price.min(u128::from(self.start.base_fee));
                self.record.include(transaction.into(), ran, 0, price);
                Ok((status, gas_used, halt))
            }
            Err(EVMError::Database(error)) => Err(error),
            // What the message alone decides was judged before: the rest is its sender's state.
            Err(EVMError::Transaction(error)) => {
                Ok((Status::Skipped, 0, Refused::from(error).message))
            }
            Err(other) => Ok((Status::Skipped, 0, other.to_string())),
        }
    }
}
