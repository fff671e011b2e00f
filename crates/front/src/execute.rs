//! One step of the open block: what is ready is executed, and the pool learns what became of it.
use alloy_primitives::B256;
use bedroll_store::engine::EngineError;

use crate::desk::{lock, Desk};
use crate::fee::{batch_gas, FeeRule};
use crate::pool::Waiting;

/// What one step may take.
#[derive(Debug, Clone, Copy)]
pub struct Turn {
    /// Of the open block.
    pub fee: FeeRule,
    /// Most transactions.
    pub limit: usize,
    /// Gas limits that the batch has left.
    pub batch_gas_left: u64,
}

/// What one step did.
#[derive(Debug, Default)]
pub struct Executed {
    /// Now in the open block.
    pub transactions: Vec<Waiting>,
    /// Their gas limits, as a batch counts them.
    pub batch_gas: u64,
    /// Whether something was tried at all.
    pub is_busy: bool,
    /// Whether something executable does not fit any more.
    pub is_full: bool,
    /// Refused for good, with the reason.
    pub dropped: Vec<(B256, String)>,
}

impl Desk {
    /// Executes what is ready in the open block.
    ///
    /// # Errors
    /// No block is open, or the store's.
    pub fn execute(&self, turn: &Turn) -> Result<Executed, EngineError> {
        let mut done = Executed::default();
        let Some(pool) = self.pool() else {
            return Ok(done);
        };
        let engine = self.engine()?;
        let gas_left = engine.gas_left()?;
        let mut ready = lock(pool).take_ready(&turn.fee, gas_left, turn.limit);
        let mut left = turn.batch_gas_left;
        let fits = ready.iter().take_while(|tx| {
            let fits = batch_gas(tx) <= left;
            left = left.saturating_sub(batch_gas(tx));
            fits
        });
        ready.truncate(fits.count());
        if ready.is_empty() {
            done.is_full = !lock(pool).take_ready(&turn.fee, u64::MAX, 1).is_empty();
            return Ok(done);
        }
        done.is_busy = true;
        let outcomes = engine.add_decoded(ready.clone())?;
        self.refresh(turn.fee)?;
        let gas_left = engine.gas_left()?;
        let mut pool = lock(pool);
        for (tx, outcome) in ready.into_iter().zip(outcomes) {
            match outcome {
                Ok(_) => {
                    pool.executed(&tx);
                    done.batch_gas += batch_gas(&tx);
                    done.transactions.push(tx);
                }
                Err(_) if gas_left < turn.fee.evm_gas(&tx) => {
                    pool.wait(&tx);
                    done.is_full = true;
                }
                Err(refused) => {
                    pool.refused(&tx);
                    done.dropped.push((tx.hash, refused.message));
                }
            }
        }
        Ok(done)
    }
}
