//! Segments that gather are merged: sixteen-fold writes at most, few segments for a reader.
use super::segment::{merge, Segment};
use crate::shared::Shared;
use crate::table::Table;
use crate::StoreError;
use heed::RwTxn;

/// So many segments of one size make one of the next.
const FACTOR: usize = 8;
/// Segments of this level (8⁶ postings and more) are left as they are.
const LEVEL_MAX: u32 = 6;
/// Blocks that become durable together are gathered up to so many postings.
const GATHERED_MAX: u32 = 1 << 16;

/// What is known of a stored segment without reading it.
#[derive(Clone, Copy, Debug)]
struct Facts {
    last: u64,
    level: u32,
}

/// The newest segments, those that may still be merged; oldest first.
#[derive(Debug, Default)]
pub(crate) struct Tail(Option<Vec<Facts>>);

impl Tail {
    /// To be read again: segments were cut.
    pub(crate) fn forget(&mut self) {
        self.0 = None;
    }
}

fn level(postings: u32) -> u32 {
    postings.max(1).ilog(FACTOR as u32)
}

fn damaged(last: u64) -> StoreError {
    StoreError::Corrupt(format!("postings up to height {last}"))
}

/// The segment of a new block, with its height.
pub(crate) type Fresh<'a> = (u64, &'a [u8]);

/// A segment that is stored, or about to be.
enum Held {
    Stored,
    Fresh(Vec<u8>),
}

/// How many of the newest segments are to be merged now, from their levels; 0: none.
fn due(levels: &[u32]) -> usize {
    for wanted in 0..LEVEL_MAX {
        let suffix = levels.iter().rev().take_while(|level| **level <= wanted);
        let (mut count, mut equal, mut through) = (0, 0, 0);
        for level in suffix {
            count += 1;
            if *level == wanted {
                equal += 1;
                through = count;
            }
        }
        if equal >= FACTOR {
            return through;
        }
    }
    0
}

impl Shared {
    /// Writes the segments of new blocks, `(height, bytes)` in order, merged with older ones where it is time.
    /// Gives the tail as it is once the transaction is committed.
    pub(crate) fn write_postings(
        &self,
        txn: &mut RwTxn<'_>,
        tail: &Tail,
        fresh: &[Fresh<'_>],
    ) -> Result<Tail, StoreError> {
        let bucket = self.tables.of(Table::Posting);
        let known = match &tail.0 {
            Some(known) => known.clone(),
            None => self.read_tail(txn)?,
        };
        if fresh.is_empty() {
            return Ok(Tail(Some(known)));
        }
        let mut held: Vec<(Facts, Held)> = known
            .into_iter()
            .map(|facts| (facts, Held::Stored))
            .collect();
        for group in gathered(fresh)? {
            let (&(last, one), more) = group.split_last().ok_or_else(|| damaged(0))?;
            let bytes = if more.is_empty() {
                one.to_vec()
            } else {
                let parts = group.iter().map(|(last, bytes)| parse(*last, bytes));
                merge(&parts.collect::<Result<Vec<_>, _>>()?).ok_or_else(|| damaged(last))?
            };
            let level = level(parse(last, &bytes)?.postings);
            held.push((Facts { last, level }, Held::Fresh(bytes)));
            self.merge_due(txn, &mut held)?;
        }
        let mut facts = Vec::with_capacity(held.len());
        for (of, bytes) in held {
            if let Held::Fresh(bytes) = bytes {
                bucket.put(txn, &of.last.to_be_bytes(), &bytes)?;
            }
            facts.push(of);
        }
        if let Some(newest) = facts.iter().rposition(|of| of.level >= LEVEL_MAX) {
            facts.drain(..=newest);
        }
        Ok(Tail(Some(facts)))
    }

    fn merge_due(
        &self,
        txn: &mut RwTxn<'_>,
        held: &mut Vec<(Facts, Held)>,
    ) -> Result<(), StoreError> {
        let bucket = self.tables.of(Table::Posting);
        loop {
            let levels: Vec<u32> = held.iter().map(|(facts, _)| facts.level).collect();
            let count = due(&levels);
            if count == 0 {
                return Ok(());
            }
            let merged = held.split_off(held.len() - count);
            let last = merged.last().map_or(0, |(facts, _)| facts.last);
            let bytes = {
                let mut parts = Vec::with_capacity(count);
                for (facts, bytes) in &merged {
                    let bytes = match bytes {
                        Held::Fresh(bytes) => &bytes[..],
                        Held::Stored => bucket
                            .get(txn, &facts.last.to_be_bytes())?
                            .ok_or_else(|| damaged(facts.last))?,
                    };
                    parts.push(parse(facts.last, bytes)?);
                }
                merge(&parts).ok_or_else(|| damaged(last))?
            };
            for (facts, bytes) in &merged {
                if matches!(bytes, Held::Stored) {
                    bucket.delete(txn, &facts.last.to_be_bytes())?;
                }
            }
            let level = level(parse(last, &bytes)?.postings);
            held.push((Facts { last, level }, Held::Fresh(bytes)));
        }
    }

    fn read_tail(&self, txn: &RwTxn<'_>) -> Result<Vec<Facts>, StoreError> {
        let mut facts = Vec::new();
        for row in self.tables.of(Table::Posting).rev_iter(txn)? {
            let (key, bytes) = row?;
            let last = crate::key::read_u64(key).ok_or_else(|| damaged(0))?;
            let level = level(parse(last, bytes)?.postings);
            if level >= LEVEL_MAX {
                break;
            }
            facts.push(Facts { last, level });
        }
        facts.reverse();
        Ok(facts)
    }

    /// Takes the blocks above `height` out of the stored segments.
    pub(crate) fn cut_postings(&self, txn: &mut RwTxn<'_>, height: u64) -> Result<(), StoreError> {
        let bucket = self.tables.of(Table::Posting);
        let start = (height + 1).to_be_bytes();
        let mut gone = Vec::new();
        let mut kept = None;
        let range = (
            std::ops::Bound::Included(&start[..]),
            std::ops::Bound::Unbounded,
        );
        for row in bucket.range(txn, &range)? {
            let (key, bytes) = row?;
            let last = crate::key::read_u64(key).ok_or_else(|| damaged(height))?;
            let segment = parse(last, bytes)?;
            if segment.first <= height {
                kept = Some(segment.cut(height).ok_or_else(|| damaged(last))?);
            }
            gone.push(last);
        }
        for last in gone {
            bucket.delete(txn, &last.to_be_bytes())?;
        }
        if let Some(bytes) = kept {
            if parse(height, &bytes)?.postings > 0 {
                bucket.put(txn, &height.to_be_bytes(), &bytes)?;
            }
        }
        Ok(())
    }
}

fn parse(last: u64, bytes: &[u8]) -> Result<Segment<'_>, StoreError> {
    Segment::parse(last, bytes).ok_or_else(|| damaged(last))
}

/// New segments in groups of at most [`GATHERED_MAX`] postings, or one segment.
fn gathered<'a, 'b>(fresh: &'a [Fresh<'b>]) -> Result<Vec<&'a [Fresh<'b>]>, StoreError> {
    let (mut groups, mut start, mut sum) = (Vec::new(), 0, 0u32);
    for (at, (last, bytes)) in fresh.iter().enumerate() {
        let count = parse(*last, bytes)?.postings;
        if at > start && sum + count > GATHERED_MAX {
            groups.push(&fresh[start..at]);
            (start, sum) = (at, 0);
        }
        sum = sum.saturating_add(count);
    }
    groups.push(&fresh[start..]);
    Ok(groups)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eight_of_a_size_are_merged_with_the_smaller_ones_among_them() {
        assert_eq!(due(&[0; 7]), 0);
        assert_eq!(due(&[0; 8]), 8);
        assert_eq!(due(&[3, 0, 0, 0, 0, 0, 0, 0, 0]), 8);
        assert_eq!(due(&[1, 1, 1, 1, 1, 1, 1, 0, 0]), 0);
        assert_eq!(due(&[1, 1, 1, 0, 1, 1, 1, 1, 1, 0]), 10);
        assert_eq!(due(&[6; 20]), 0);
    }

    #[test]
    fn few_segments_stay_however_many_blocks_come() {
        let mut sizes: Vec<u32> = Vec::new();
        for number in 0..40_000 {
            sizes.push(4 + 2 * (number % 2));
            loop {
                let levels: Vec<u32> = sizes.iter().map(|size| level(*size)).collect();
                let count = due(&levels);
                if count == 0 {
                    break;
                }
                let merged = sizes.split_off(sizes.len() - count).iter().sum();
                sizes.push(merged);
            }
        }
        assert_eq!(sizes.iter().sum::<u32>(), 200_000);
        assert!(sizes.len() < 45, "{}", sizes.len());
    }
}
