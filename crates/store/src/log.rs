//! Finding logs by who wrote them and by topic.
use crate::key::{read_u64, Key};
use crate::view::View;
use crate::StoreError;
use alloy_primitives::{Address, B256};

/// What logs are looked for by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogKey {
    /// Who wrote them.
    Address(Address),
    /// A topic at a place, 0 to 3.
    Topic(u8, B256),
}

impl LogKey {
    fn at(&self, height: u64) -> Key {
        match self {
            LogKey::Address(address) => Key::log_address(address, height),
            LogKey::Topic(position, topic) => Key::log_topic(*position, topic, height),
        }
    }
}

/// Where a log is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LogPosition {
    /// Of its block.
    pub height: u64,
    /// Index of its transaction in the block.
    pub transaction: u32,
    /// Its own index in the block.
    pub log: u32,
}

/// Positions in the order of the chain, up to a limit.
struct Found {
    positions: Vec<LogPosition>,
    limit: usize,
    sound: bool,
}

impl Found {
    /// Adds the logs of one row; false when there is no room for more.
    fn add(&mut self, key: &[u8], places: &[u8]) -> bool {
        let height = key.len().checked_sub(8).and_then(|at| read_u64(&key[at..]));
        let Some(height) = height.filter(|_| places.len().is_multiple_of(8)) else {
            self.sound = false;
            return false;
        };
        for place in places.chunks_exact(8) {
            if self.positions.len() == self.limit {
                return false;
            }
            let number = |at: usize| {
                u32::from_be_bytes([place[at], place[at + 1], place[at + 2], place[at + 3]])
            };
            self.positions.push(LogPosition {
                height,
                transaction: number(0),
                log: number(4),
            });
        }
        true
    }
}

impl View {
    /// Where the logs of `key` in blocks `first..=last` are, in order; at most `limit` of them.
    ///
    /// # Errors
    /// The store is damaged or cannot be read.
    pub fn log_positions(
        &self,
        key: &LogKey,
        first: u64,
        last: u64,
        limit: usize,
    ) -> Result<Vec<LogPosition>, StoreError> {
        let last = last.min(self.height());
        let mut found = Found {
            positions: Vec::new(),
            limit,
            sound: true,
        };
        if first > last {
            return Ok(found.positions);
        }
        let (from, to) = (key.at(first), key.at(last));
        self.snapshot
            .scan(&from, &to, |key, places| found.add(key, places))?;
        // A block may have become durable between the two looks.
        let durable = self.snapshot.durable()?;
        for row in self.snapshot.pending.range(from.row(), to.row()) {
            if durable.is_none_or(|durable| row.height > durable) {
                found.add(&row.key, row.value.as_deref().unwrap_or_default());
            }
        }
        if !found.sound {
            return Err(StoreError::Corrupt("log index".into()));
        }
        Ok(found.positions)
    }
}
