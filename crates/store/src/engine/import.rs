//! Blocks of a chain of Ethereum's own, taken in whole.
use std::sync::Arc;

use bedroll_core::block::{Block, EthereumPart};
use bedroll_core::ethereum::{check_executed, check_header, decode_block, execute, Fault};
use bedroll_core::state::State;

use super::{fork, lock, writer, Engine, EngineError, TipFacts};

impl From<Fault> for EngineError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Rule(text) => Self::invalid("block", text),
            Fault::State(error) => error.into(),
        }
    }
}

impl Engine {
    /// Executes a block upon the tip, holds it against its header and makes it the tip; its proof of work is taken as
    /// given.
    ///
    /// # Errors
    /// The chain is not Ethereum's, a block is open, or the block breaks a rule; or the store's.
    pub fn import(&self, raw: &[u8]) -> Result<Arc<Block>, EngineError> {
        let Some(schedule) = &self.schedule else {
            let text = "blocks are imported into chains of profile ethereum only";
            return Err(EngineError::invalid("profile", text));
        };
        let mut writer = lock(&self.writer);
        let tip = self.tip_facts();
        let given = decode_block(raw)?;
        check_header(schedule, &tip.header, tip.hash, &given.header)?;
        let fork = schedule.at(given.header.number, given.header.timestamp);
        fork::check_blobs(&fork, &tip.header, &given.header)?;
        // Receipts before Byzantium have roots, so this may seal many times; the tip's own source takes one.
        let mut scratch = State::new(tip.header.state_root, self.store.view(None)?);
        let done = execute(schedule, &given, &mut scratch, true)?;
        let sealed = execute(schedule, &given, &mut writer.state, false)
            .and_then(|_| Ok(writer.state.seal()?))
            .and_then(|(root, write_set)| {
                check_executed(&given, &done, root)?;
                Ok(write_set)
            })
            .map_err(EngineError::from);
        let block = Block {
            hash: given.header.hash_slow(),
            header: given.header,
            tail: tip.tail.clone(),
            origin_step: false,
            automatic: false,
            transactions: done.transactions.into_iter().map(Arc::new).collect(),
            receipts: done.receipts,
            forced: vec![],
            forced_count: 0,
            new_addresses: vec![],
            enqueued: vec![],
            touched: vec![],
            ethereum: Some(EthereumPart {
                ommers: given.body.ommers,
                withdrawals: given.body.withdrawals.map(|all| all.into_inner()),
            }),
        };
        let kept = sealed.and_then(|write_set| {
            self.store.seal(writer::record(&block, write_set))?;
            Ok(())
        });
        if let Err(error) = kept {
            writer.state.reset(tip.header.state_root);
            return Err(error);
        }
        let block = Arc::new(block);
        self.set_tip(TipFacts {
            header: block.header.clone(),
            hash: block.hash,
            tail: block.tail.clone(),
        });
        self.remember(block.clone());
        Ok(block)
    }
}
