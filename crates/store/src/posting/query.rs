//! What a view finds through postings.
use super::{Posting, Roles, Segment, Term};
use crate::key::{read_u64, Key};
use crate::shared::Shared;
use crate::snapshot::Snapshot;
use crate::table::Table;
use crate::view::View;
use crate::StoreError;
use alloy_primitives::Address;
use std::sync::Arc;

/// A list this many times longer (in bytes) than there are candidates is not read to narrow them: comparing each
/// with what stands there is cheaper.
const WORTH_READING: usize = 64;

/// A transaction in which an address appears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appearance {
    /// Of its block.
    pub height: u64,
    /// Index of the transaction in the block.
    pub transaction: u32,
    /// What the address did.
    pub roles: Roles,
}

/// What a segment gave, and the heights that this answers for.
struct Part<R> {
    first: u64,
    last: u64,
    found: R,
}

fn damaged(last: u64) -> StoreError {
    StoreError::Corrupt(format!("postings up to height {last}"))
}

impl Snapshot {
    /// Looks into the segment that holds `height`, or the next one above it.
    fn segment_from<R>(
        &self,
        height: u64,
        look: impl Fn(&Segment<'_>) -> Option<R>,
    ) -> Result<Option<Part<R>>, StoreError> {
        let look = |last: u64, bytes: &[u8]| {
            let segment = Segment::parse(last, bytes).ok_or_else(|| damaged(last))?;
            Ok(Part {
                first: segment.first,
                last,
                found: look(&segment).ok_or_else(|| damaged(last))?,
            })
        };
        let key = Key::at_height(Table::Posting, height);
        let (stored, durable) = self.with_txn(|txn, durable| {
            let bucket = self.tables.of(Table::Posting);
            let row = bucket.get_greater_than_or_equal_to(txn, &key.row()[1..])?;
            let part = row.map(|(key, bytes)| {
                let last = read_u64(key).ok_or_else(|| damaged(height))?;
                look(last, bytes)
            });
            Ok((part.transpose()?, durable))
        })?;
        if stored.is_some() {
            return Ok(stored);
        }
        // A block may have become durable between two looks.
        let above = durable.map_or(height, |durable| height.max(durable + 1));
        let (from, to) = (
            Key::at_height(Table::Posting, above),
            Key::at_height(Table::Posting, u64::MAX),
        );
        let next = self.pending.next(from.row(), to.row());
        next.map(|row| look(row.height, row.value.as_deref().unwrap_or_default()))
            .transpose()
    }

    /// Looks into the segment that holds `height`, or the next one below it.
    fn segment_until<R>(
        &self,
        height: u64,
        look: impl Fn(&Segment<'_>) -> Option<R>,
    ) -> Result<Option<Part<R>>, StoreError> {
        let part = |last: u64, bytes: &[u8]| {
            let segment = Segment::parse(last, bytes).ok_or_else(|| damaged(last))?;
            if segment.first > height {
                return Ok(None);
            }
            Ok(Some(Part {
                first: segment.first,
                last,
                found: look(&segment).ok_or_else(|| damaged(last))?,
            }))
        };
        let durable = self.durable()?;
        let above = durable.map_or(0, |durable| durable + 1);
        if height >= above {
            let (from, to) = (
                Key::at_height(Table::Posting, above),
                Key::at_height(Table::Posting, height),
            );
            if let Some(row) = self.pending.previous(from.row(), to.row()) {
                return part(row.height, row.value.as_deref().unwrap_or_default());
            }
        }
        let key = Key::at_height(Table::Posting, height);
        self.with_txn(|txn, _| {
            let bucket = self.tables.of(Table::Posting);
            let at = |row: Option<(&[u8], &[u8])>| match row {
                Some((key, bytes)) => part(read_u64(key).ok_or_else(|| damaged(height))?, bytes),
                None => Ok(None),
            };
            let holding = at(bucket.get_greater_than_or_equal_to(txn, &key.row()[1..])?)?;
            match holding {
                Some(found) => Ok(Some(found)),
                None => at(bucket.get_lower_than(txn, &key.row()[1..])?),
            }
        })
    }
}

/// Fingerprints of alternatives, one of which must hold.
type Choices = Vec<u64>;

/// Postings in `first..=last` of a segment that hold for one of each of `wanted`, as far as reading lists pays.
fn select(
    segment: &Segment<'_>,
    wanted: &[Choices],
    first: u64,
    last: u64,
) -> Option<Vec<Posting>> {
    let mut lists: Vec<(usize, Vec<&[u8]>)> = Vec::with_capacity(wanted.len());
    for choices in wanted {
        let found = choices.iter().filter_map(|one| segment.find(*one));
        let found: Vec<&[u8]> = found.collect();
        if found.is_empty() {
            return Some(Vec::new());
        }
        lists.push((found.iter().map(|list| list.len()).sum(), found));
    }
    lists.sort_unstable_by_key(|(size, _)| *size);
    let mut kept: Option<Vec<Posting>> = None;
    for (size, choices) in lists {
        let many = choices.len() > 1;
        if let Some(kept) = &kept {
            if kept.is_empty() || size / WORTH_READING > kept.len() {
                break;
            }
        }
        let mut postings = Vec::new();
        for list in choices {
            segment.read(list, |posting| {
                if (first..=last).contains(&posting.height) {
                    postings.push(posting);
                }
            })?;
        }
        if many {
            postings.sort_unstable();
            postings.dedup();
        }
        kept = Some(match kept {
            None => postings,
            Some(kept) => common(&kept, &postings),
        });
    }
    Some(kept.unwrap_or_default())
}

/// What both sorted lists have.
fn common(one: &[Posting], other: &[Posting]) -> Vec<Posting> {
    let mut out = Vec::new();
    let mut rest = other.iter().peekable();
    for posting in one {
        while rest.next_if(|next| *next < posting).is_some() {}
        if rest.peek() == Some(&posting) {
            out.push(*posting);
        }
    }
    out
}

impl View {
    /// Places of logs in blocks `first..=last` that may hold for one term of each of `wanted` (at least one list), in
    /// order, a part of the chain at a time, until `each` says that it is enough. A place that does not hold is
    /// among them now and then: what stands there decides.
    ///
    /// # Errors
    /// The store is damaged or cannot be read; or what `each` says.
    pub fn log_places<E: From<StoreError>>(
        &self,
        wanted: &[Vec<Term>],
        first: u64,
        last: u64,
        mut each: impl FnMut(&[(u64, u32)]) -> Result<bool, E>,
    ) -> Result<(), E> {
        let last = last.min(self.height());
        let secret = self.shared()?.secret;
        let wanted: Vec<Choices> = wanted
            .iter()
            .map(|terms| terms.iter().map(|term| secret.fingerprint(term)).collect())
            .collect();
        let mut from = first;
        while from <= last {
            let part = self
                .snapshot
                .segment_from(from, |segment| select(segment, &wanted, from, last))?;
            let Some(part) = part else {
                return Ok(());
            };
            if part.first > last {
                return Ok(());
            }
            let places: Vec<(u64, u32)> = part
                .found
                .iter()
                .map(|posting| (posting.height, posting.place as u32))
                .collect();
            if !places.is_empty() && !each(&places)? {
                return Ok(());
            }
            from = part.last + 1;
        }
        Ok(())
    }

    /// Transactions in which an address appears, below height `before`, newest block first, its transactions newest
    /// first. Whole blocks, until there are `limit`; true: there are more.
    ///
    /// # Errors
    /// The store is damaged or cannot be read.
    pub fn appearances_before(
        &self,
        address: &Address,
        before: u64,
        limit: usize,
    ) -> Result<(Vec<Appearance>, bool), StoreError> {
        let wanted = self
            .shared()?
            .secret
            .fingerprint(&Term::Appearance(*address));
        let mut found: Vec<Appearance> = Vec::new();
        let Some(mut until) = before.min(self.height() + 1).checked_sub(1) else {
            return Ok((found, false));
        };
        loop {
            let part = self
                .snapshot
                .segment_until(until, |segment| of_term(segment, wanted))?;
            let Some(part) = part else {
                return Ok((found, false));
            };
            for appearance in part.found.into_iter().rev() {
                if appearance.height > until {
                    continue;
                }
                if found.len() >= limit
                    && found
                        .last()
                        .is_none_or(|last| last.height != appearance.height)
                {
                    return Ok((found, true));
                }
                found.push(appearance);
            }
            match part.first.checked_sub(1) {
                Some(below) => until = below,
                None => return Ok((found, false)),
            }
        }
    }

    /// The same above height `after`, oldest block first.
    ///
    /// # Errors
    /// As [`Self::appearances_before`].
    pub fn appearances_after(
        &self,
        address: &Address,
        after: Option<u64>,
        limit: usize,
    ) -> Result<(Vec<Appearance>, bool), StoreError> {
        let wanted = self
            .shared()?
            .secret
            .fingerprint(&Term::Appearance(*address));
        let mut found: Vec<Appearance> = Vec::new();
        let mut from = after.map_or(0, |after| after.saturating_add(1));
        while from <= self.height() {
            let part = self
                .snapshot
                .segment_from(from, |segment| of_term(segment, wanted))?;
            let Some(part) = part else {
                break;
            };
            for appearance in part.found {
                if appearance.height < from || appearance.height > self.height() {
                    continue;
                }
                if found.len() >= limit
                    && found
                        .last()
                        .is_none_or(|last| last.height != appearance.height)
                {
                    return Ok((found, true));
                }
                found.push(appearance);
            }
            from = part.last + 1;
        }
        Ok((found, false))
    }

    /// The newest transaction that made a contract at this address.
    ///
    /// # Errors
    /// The store is damaged or cannot be read.
    pub fn creation_of(&self, address: &Address) -> Result<Option<(u64, u32)>, StoreError> {
        let wanted = self.shared()?.secret.fingerprint(&Term::Creation(*address));
        let mut until = self.height();
        loop {
            let newest = |segment: &Segment<'_>| {
                let found = of_term(segment, wanted)?;
                Some(found.into_iter().rfind(|one| one.height <= until))
            };
            let Some(part) = self.snapshot.segment_until(until, newest)? else {
                return Ok(None);
            };
            if let Some(found) = part.found {
                return Ok(Some((found.height, found.transaction)));
            }
            match part.first.checked_sub(1) {
                Some(below) => until = below,
                None => return Ok(None),
            }
        }
    }

    /// Heights of the blocks in `first..=last` in which something stands, in order.
    ///
    /// # Errors
    /// The store is damaged or cannot be read.
    pub fn heights_with_places(&self, first: u64, last: u64) -> Result<Vec<u64>, StoreError> {
        let last = last.min(self.height());
        let mut heights = std::collections::BTreeSet::new();
        if first > last {
            return Ok(Vec::new());
        }
        let (from, to) = (
            Key::at_height(Table::Place, first),
            Key::at_height(Table::Place, last),
        );
        self.snapshot.scan(&from, &to, |key, _| {
            heights.extend(read_u64(key));
            true
        })?;
        let pending = self.snapshot.pending.range(from.row(), to.row());
        heights.extend(pending.map(|row| row.height));
        Ok(heights.into_iter().collect())
    }

    fn shared(&self) -> Result<Arc<Shared>, StoreError> {
        self.snapshot.shared().ok_or(StoreError::Closed)
    }
}

fn of_term(segment: &Segment<'_>, wanted: u64) -> Option<Vec<Appearance>> {
    let mut found = Vec::new();
    if let Some(list) = segment.find(wanted) {
        segment.read(list, |posting| {
            let (transaction, roles) = Roles::split(posting.place);
            found.push(Appearance {
                height: posting.height,
                transaction,
                roles,
            });
        })?;
    }
    Some(found)
}
