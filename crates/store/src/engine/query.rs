//! Blocks and transactions by what they are asked for.
use std::sync::Arc;

use alloy_consensus::Header;
use alloy_primitives::B256;
use bedroll_core::block::{decode_body, Block};
use bedroll_core::forced::Message;

use super::{tip_facts, writer, Engine, EngineError};
use crate::View;

impl Engine {
    /// Header of a sealed block.
    ///
    /// # Errors
    /// The store's.
    pub fn header(&self, height: u64) -> Result<Option<Header>, EngineError> {
        if let Some(block) = self.recent_block(height) {
            return Ok(Some(block.header.clone()));
        }
        let view = self.store.view(None)?;
        if height > view.height() {
            return Ok(None);
        }
        Ok(Some(tip_facts(&view, height)?.header))
    }

    /// A sealed block; outputs are there for the newest only.
    ///
    /// # Errors
    /// The store's.
    pub fn block(&self, height: u64) -> Result<Option<Arc<Block>>, EngineError> {
        if let Some(block) = self.recent_block(height) {
            return Ok(Some(block));
        }
        let view = self.store.view(None)?;
        if height > view.height() {
            return Ok(None);
        }
        let facts = tip_facts(&view, height)?;
        let body = body_of(&view, height)?;
        let block = decode_body(facts.header, facts.tail, &body)
            .map_err(|error| EngineError::damaged(height, &error))?;
        Ok(Some(Arc::new(block)))
    }

    /// Height of the block with this hash.
    ///
    /// # Errors
    /// The store's.
    pub fn height_of(&self, hash: &B256) -> Result<Option<u64>, EngineError> {
        Ok(self.store.view(None)?.height_of(hash)?)
    }

    /// Height and index of an included transaction.
    ///
    /// # Errors
    /// The store's.
    pub fn find_transaction(&self, hash: &B256) -> Result<Option<(u64, u32)>, EngineError> {
        Ok(self.store.view(None)?.find_transaction(hash)?)
    }

    /// Messages that wait in the queue: index, message.
    ///
    /// # Errors
    /// The store's.
    pub fn forced_pending(&self) -> Result<Vec<(u64, Message)>, EngineError> {
        let view = self.store.view(None)?;
        let facts = tip_facts(&view, view.height())?;
        let mut waiting = Vec::new();
        for index in facts.tail.queue_done..facts.tail.queue_enqueued {
            let missing = || EngineError::Corrupt(format!("message {index} is not stored"));
            let row = view.forced(index)?.ok_or_else(missing)?;
            let message = writer::decode_message(&row).map_err(|_| missing())?;
            waiting.push((index, message));
        }
        Ok(waiting)
    }
}

fn body_of(view: &View, height: u64) -> Result<Vec<u8>, EngineError> {
    view.body(height)?
        .ok_or_else(|| EngineError::Corrupt(format!("block {height} is not stored")))
}
