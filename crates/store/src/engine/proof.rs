//! Inputs of the proved program for what comes next upon the tip.
use alloy_consensus::Header;
use alloy_primitives::{B256, U256};
use bedroll_core::block::Origin;
use bedroll_core::codec::BASE_FEES_MAX;
use bedroll_core::forced::{Message, Queue};
use bedroll_core::program::{self, Input, Job, OriginPart, Statement, Witness};
use bedroll_core::trie::SourceError;

use super::{tip_facts, writer, Engine, EngineError, TipFacts};
use crate::View;

impl Engine {
    /// Runs a job upon a block as the proved program does, without changing anything; gives the program's input, its
    /// witness included, and what it states. Without a `parent` the job is upon the tip.
    ///
    /// # Errors
    /// The job does not fit the parent; the parent's state is not kept or lies more than `changes_max` accounts back;
    /// or the store's.
    pub fn program_input(
        &self,
        job: Job,
        origins: &[Origin],
        parent: Option<u64>,
        changes_max: usize,
    ) -> Result<(Input, Statement), EngineError> {
        let view = self.store.view(parent)?;
        let tip = tip_facts(&view, view.height())?;
        let (waiting_acc, waiting) = self.waiting(&view, &tip)?;
        let mut input = Input {
            rules: (*self.rules).clone(),
            ancestors: self.ancestors(&tip)?,
            tail: tip.tail.clone(),
            job,
            origins: origins.iter().map(OriginPart::of).collect(),
            waiting_acc,
            waiting,
            witness: Witness::default(),
        };
        let book = |index| Ok::<_, SourceError>(view.book_address(index)?);
        let ran = match parent {
            None => program::record(&input, self.store.tip_source(), book),
            Some(_) => program::record(&input, view.nodes(changes_max)?, book),
        };
        let (statement, witness) =
            ran.map_err(|error| EngineError::invalid("proof", error.to_string()))?;
        input.witness = witness;
        Ok((input, statement))
    }

    /// The tip's header and those before it that the codec may ask for, newest first.
    fn ancestors(&self, tip: &TipFacts) -> Result<Vec<Header>, EngineError> {
        let oldest = (tip.header.number + 2).saturating_sub(BASE_FEES_MAX as u64);
        let heights = (oldest..tip.header.number).rev();
        let mut found = vec![tip.header.clone()];
        for height in heights {
            let header = self.header(height)?;
            found.push(header.ok_or_else(|| missing(height))?);
        }
        Ok(found)
    }

    /// Messages that wait, and the queue's chain before the first of them.
    fn waiting(&self, view: &View, tip: &TipFacts) -> Result<(B256, Vec<Message>), EngineError> {
        let (done, enqueued) = (tip.tail.queue_done, tip.tail.queue_enqueued);
        let mut messages = Vec::new();
        for index in done..enqueued {
            let row = view.forced(index)?;
            let row = row.ok_or_else(|| {
                EngineError::Corrupt(format!("message {index} of the queue is not stored"))
            })?;
            let message = writer::decode_message(&row);
            messages
                .push(message.map_err(|error| EngineError::damaged(tip.header.number, &error))?);
        }
        Ok((self.chain_before(done, tip)?, messages))
    }

    /// The queue's chain over the first `count` messages: from a block that had taken in no more of them, on.
    fn chain_before(&self, count: u64, tip: &TipFacts) -> Result<B256, EngineError> {
        let mut later = Vec::new();
        let mut height = tip.header.number;
        let mut taken = tip.tail.queue_enqueued;
        while taken > count {
            let block = self.block(height)?.ok_or_else(|| missing(height))?;
            taken = block.tail.queue_enqueued - block.enqueued.len() as u64;
            later.push(block);
            height -= 1;
        }
        let view = self.store.view(Some(height))?;
        let acc = view.slot(&self.rules.light_client, &U256::ZERO)?;
        let mut queue = Queue {
            acc: acc.into(),
            enqueued: taken,
            ..Queue::default()
        };
        let messages = later.iter().rev().flat_map(|block| &block.enqueued);
        messages
            .take((count - taken) as usize)
            .for_each(|message| queue.enqueue(message));
        Ok(queue.acc)
    }
}

fn missing(height: u64) -> EngineError {
    EngineError::Corrupt(format!("block {height} is not stored"))
}
