//! Blocks, transactions and logs by what they are asked for.
use std::collections::BTreeSet;
use std::sync::Arc;

use alloy_consensus::Header;
use alloy_primitives::{Address, Log, B256};
use bedroll_core::block::{decode_body, decode_receipts, Block};
use bedroll_core::forced::Message;

use super::{tip_facts, writer, Engine, EngineError};
use crate::{LogKey, LogPosition, View};

/// Which logs are wanted.
#[derive(Debug, Clone, Default)]
pub struct LogFilter {
    /// First block.
    pub first: u64,
    /// Last block.
    pub last: u64,
    /// Any of these wrote it; empty: anyone.
    pub addresses: Vec<Address>,
    /// At each place any of these; empty: anything.
    pub topics: Vec<Vec<B256>>,
    /// Most that may be found.
    pub limit: usize,
}

/// A log with its place.
#[derive(Debug, Clone)]
pub struct FoundLog {
    /// Where it is.
    pub place: LogPosition,
    /// What it says.
    pub log: Log,
}

impl LogFilter {
    fn matches(&self, log: &Log) -> bool {
        let topics = log.topics();
        (self.addresses.is_empty() || self.addresses.contains(&log.address))
            && self.topics.iter().enumerate().all(|(place, wanted)| {
                match topics.get(place) {
                    Some(topic) => wanted.is_empty() || wanted.contains(topic),
                    // A filter with more places than the log has topics does not match it.
                    None => false,
                }
            })
    }

    /// The narrowest index: addresses, else the first place with topics.
    fn keys(&self) -> Vec<LogKey> {
        if !self.addresses.is_empty() {
            return self
                .addresses
                .iter()
                .copied()
                .map(LogKey::Address)
                .collect();
        }
        (0u8..)
            .zip(&self.topics)
            .find(|(_, wanted)| !wanted.is_empty())
            .map(|(place, wanted)| {
                wanted
                    .iter()
                    .map(|topic| LogKey::Topic(place, *topic))
                    .collect()
            })
            .unwrap_or_default()
    }
}

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

    /// Logs in order.
    ///
    /// # Errors
    /// There are more than the limit; or the store's.
    pub fn logs(&self, filter: &LogFilter) -> Result<Vec<FoundLog>, EngineError> {
        let view = self.store.view(None)?;
        let last = filter.last.min(view.height());
        let heights = candidate_heights(&view, filter, last)?;
        let mut found = Vec::new();
        for height in heights {
            self.logs_of(&view, height, filter, &mut found)?;
            if found.len() > filter.limit {
                return Err(EngineError::invalid(
                    "limit",
                    format!("more than {} logs match", filter.limit),
                ));
            }
        }
        Ok(found)
    }

    fn logs_of(
        &self,
        view: &View,
        height: u64,
        filter: &LogFilter,
        found: &mut Vec<FoundLog>,
    ) -> Result<(), EngineError> {
        let recent = self.recent_block(height);
        let stored;
        let receipts = match &recent {
            Some(block) => &block.receipts,
            None => {
                let body = body_of(view, height)?;
                stored =
                    decode_receipts(&body).map_err(|error| EngineError::damaged(height, &error))?;
                &stored
            }
        };
        let mut index = 0u32;
        for (transaction, receipt) in (0u32..).zip(receipts) {
            for log in &receipt.logs {
                if filter.matches(log) {
                    found.push(FoundLog {
                        place: LogPosition {
                            height,
                            transaction,
                            log: index,
                        },
                        log: log.clone(),
                    });
                }
                index += 1;
            }
        }
        Ok(())
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

fn candidate_heights(view: &View, filter: &LogFilter, last: u64) -> Result<Vec<u64>, EngineError> {
    let keys = filter.keys();
    if filter.first > last {
        return Ok(vec![]);
    }
    if keys.is_empty() {
        return Ok((filter.first..=last).collect());
    }
    let mut heights = BTreeSet::new();
    for key in keys {
        for place in view.log_positions(&key, filter.first, last, usize::MAX)? {
            heights.insert(place.height);
        }
    }
    Ok(heights.into_iter().collect())
}
