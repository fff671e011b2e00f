//! Logs by who wrote them and by topic, through postings; as values and as the JSON of `eth_getLogs`.
use alloy_consensus::Header;
use alloy_primitives::{hex, Address, Log, B256};
use bedroll_core::block::{decode_head, LogView, Places};

use super::{Engine, EngineError};
use crate::{Term, View};

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
    /// Height of its block.
    pub height: u64,
    /// Hash of its block.
    pub block_hash: B256,
    /// Seconds, of its block.
    pub timestamp: u64,
    /// Index of its transaction in the block.
    pub transaction: u32,
    /// Hash of its transaction.
    pub transaction_hash: B256,
    /// Its own index in the block.
    pub index: u32,
    /// What it says.
    pub log: Log,
}

/// A log where it lies in the store, with its place.
struct Seen<'a> {
    height: u64,
    block_hash: B256,
    timestamp: u64,
    transaction: u32,
    transaction_hash: B256,
    index: u32,
    log: LogView<'a>,
}

impl LogFilter {
    fn matches(&self, log: &LogView<'_>) -> bool {
        let mut topics = log.topics();
        // A filter with more places than the log has topics does not match it.
        if topics.len() < self.topics.len() {
            return false;
        }
        let address = Address::from_slice(log.address);
        (self.addresses.is_empty() || self.addresses.contains(&address))
            && self.topics.iter().all(|wanted| {
                let topic = topics.next().map(B256::from_slice);
                wanted.is_empty() || topic.is_some_and(|topic| wanted.contains(&topic))
            })
    }

    /// What each log that matches has one of; empty: nothing is asked.
    fn terms(&self) -> Vec<Vec<Term>> {
        let addresses = self.addresses.iter().copied().map(Term::LogAddress);
        let topics = (0u8..).zip(&self.topics).map(|(position, wanted)| {
            let terms = wanted.iter().map(|topic| Term::LogTopic(position, *topic));
            terms.collect::<Vec<Term>>()
        });
        [addresses.collect()]
            .into_iter()
            .chain(topics)
            .filter(|terms: &Vec<Term>| !terms.is_empty())
            .collect()
    }
}

/// Hash and time of the blocks that a query meets, one after the other.
#[derive(Default)]
struct Known(Option<(u64, B256, u64)>);

impl Known {
    fn of(&mut self, view: &View, height: u64) -> Result<(B256, u64), EngineError> {
        if let Some((_, hash, time)) = self.0.filter(|(known, ..)| *known == height) {
            return Ok((hash, time));
        }
        let missing = || EngineError::Corrupt(format!("block {height} is not stored"));
        let sealed = view.sealed_header(height)?.ok_or_else(missing)?;
        let (header, _): (Header, _) =
            decode_head(&sealed.header).map_err(|error| EngineError::damaged(height, &error))?;
        self.0 = Some((height, sealed.hash, header.timestamp));
        Ok((sealed.hash, header.timestamp))
    }
}

/// One query while it runs.
struct Search<'a, F> {
    view: &'a View,
    filter: &'a LogFilter,
    known: Known,
    count: usize,
    take: F,
}

impl<F: FnMut(Seen<'_>) -> Result<(), EngineError>> Search<'_, F> {
    /// Takes those logs of a block that match, of these indexes or of all.
    fn block(&mut self, height: u64, indexes: Option<&[(u64, u32)]>) -> Result<(), EngineError> {
        let damaged = || EngineError::Corrupt(format!("block {height}: its logs cannot be read"));
        let (block_hash, timestamp) = self.known.of(self.view, height)?;
        let (filter, count, take) = (self.filter, &mut self.count, &mut self.take);
        let looked = self.view.with_body(height, |body, places| {
            let places = Places::new(places).ok_or_else(damaged)?;
            let mut look = |index: u32| {
                let (rlp, transaction) = places.log(body, index).ok_or_else(damaged)?;
                let log = LogView::new(rlp).map_err(|_| damaged())?;
                if !filter.matches(&log) {
                    return Ok(());
                }
                *count += 1;
                if *count > filter.limit {
                    let text = format!("more than {} logs match", filter.limit);
                    return Err(EngineError::invalid("limit", text));
                }
                take(Seen {
                    height,
                    block_hash,
                    timestamp,
                    transaction,
                    transaction_hash: places.hash(body, transaction).ok_or_else(damaged)?,
                    index,
                    log,
                })
            };
            match indexes {
                Some(indexes) => indexes.iter().try_for_each(|(_, index)| look(*index)),
                None => (0..places.logs()).try_for_each(look),
            }
        })?;
        looked.ok_or_else(damaged)?
    }

    fn run(&mut self) -> Result<(), EngineError> {
        let (view, filter) = (self.view, self.filter);
        let terms = filter.terms();
        if terms.is_empty() {
            for height in view.heights_with_places(filter.first, filter.last)? {
                self.block(height, None)?;
            }
            return Ok(());
        }
        view.log_places(&terms, filter.first, filter.last, |found| {
            for of_block in found.chunk_by(|one, next| one.0 == next.0) {
                self.block(of_block[0].0, Some(of_block))?;
            }
            Ok::<bool, EngineError>(true)
        })
    }
}

impl Engine {
    fn search(
        &self,
        filter: &LogFilter,
        take: impl FnMut(Seen<'_>) -> Result<(), EngineError>,
    ) -> Result<(), EngineError> {
        let view = self.store.view(None)?;
        let mut search = Search {
            view: &view,
            filter,
            known: Known::default(),
            count: 0,
            take,
        };
        search.run()
    }

    /// Logs in order.
    ///
    /// # Errors
    /// There are more than the limit (`limit`); or the store's.
    pub fn logs(&self, filter: &LogFilter) -> Result<Vec<FoundLog>, EngineError> {
        let mut found = Vec::new();
        self.search(filter, |seen| {
            found.push(FoundLog {
                height: seen.height,
                block_hash: seen.block_hash,
                timestamp: seen.timestamp,
                transaction: seen.transaction,
                transaction_hash: seen.transaction_hash,
                index: seen.index,
                log: seen.log.to_log(),
            });
            Ok(())
        })?;
        Ok(found)
    }

    /// The same as the JSON array that `eth_getLogs` answers with, of at most `size_max_bytes`.
    ///
    /// # Errors
    /// As [`Self::logs`]; `size` where the array would be larger.
    pub fn logs_json(
        &self,
        filter: &LogFilter,
        size_max_bytes: usize,
    ) -> Result<Vec<u8>, EngineError> {
        let mut out = vec![b'['];
        self.search(filter, |seen| {
            if out.len() + 2 * seen.log.data.len() > size_max_bytes {
                let text = format!("the logs need more than {size_max_bytes} bytes");
                return Err(EngineError::invalid("size", text));
            }
            if out.len() > 1 {
                out.push(b',');
            }
            write_json(&mut out, &seen);
            Ok(())
        })?;
        out.push(b']');
        Ok(out)
    }
}

fn put_hex(out: &mut Vec<u8>, bytes: &[u8]) {
    let start = out.len();
    out.resize(start + 2 * bytes.len(), 0);
    // The place is twice as long as the bytes: nothing else can go wrong.
    let _ = hex::encode_to_slice(bytes, &mut out[start..]);
}

fn put_member(out: &mut Vec<u8>, name: &str, bytes: &[u8]) {
    out.extend_from_slice(name.as_bytes());
    put_hex(out, bytes);
    out.push(b'"');
}

fn put_quantity(out: &mut Vec<u8>, name: &str, mut number: u64) {
    out.extend_from_slice(name.as_bytes());
    let mut digits = [0u8; 16];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b"0123456789abcdef"[(number & 15) as usize];
        number >>= 4;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
    out.push(b'"');
}

fn write_json(out: &mut Vec<u8>, seen: &Seen<'_>) {
    put_member(out, r#"{"address":"0x"#, seen.log.address);
    out.extend_from_slice(br#","topics":["#);
    for (at, topic) in seen.log.topics().enumerate() {
        put_member(out, if at > 0 { ",\"0x" } else { "\"0x" }, topic);
    }
    put_member(out, r#"],"data":"0x"#, seen.log.data);
    put_quantity(out, r#","blockNumber":"0x"#, seen.height);
    put_member(out, r#","blockHash":"0x"#, seen.block_hash.as_slice());
    put_quantity(out, r#","blockTimestamp":"0x"#, seen.timestamp);
    put_member(
        out,
        r#","transactionHash":"0x"#,
        seen.transaction_hash.as_slice(),
    );
    put_quantity(
        out,
        r#","transactionIndex":"0x"#,
        u64::from(seen.transaction),
    );
    put_quantity(out, r#","logIndex":"0x"#, u64::from(seen.index));
    out.extend_from_slice(br#","removed":false}"#);
}
