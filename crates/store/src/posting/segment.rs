//! A segment's bytes.
//!
//! ```text
//! version u8 = 1 ‖ first height u64 ‖ terms u32 ‖ postings u32 ‖ (fingerprint u64)* ‖ (end u32)* ‖ list*
//! list     (height, place)*: varints; a height counts from the one before, the first from the segment's;
//!          a place counts from the one before where the height is the same
//! ```
//! Fingerprints ascend; `end` is where a term's list ends, from the start of the lists. The last height is the key.
use super::Posting;

const VERSION: u8 = 1;
const HEAD: usize = 1 + 8 + 4 + 4;

/// Appends a number, seven bits a byte, the least first.
fn put_varint(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Takes a number from the front; None where the bytes end, or it has more than 64 bits.
fn take_varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0u64;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return (shift < 63 || byte < 2).then_some(number);
        }
    }
    None
}

/// Makes a segment of postings that come sorted by fingerprint and place in the chain.
pub(crate) struct Builder {
    first: u64,
    keys: Vec<u8>,
    ends: Vec<u8>,
    lists: Vec<u8>,
    postings: u32,
    newest: Option<(u64, Posting)>,
}

impl Builder {
    /// A segment that begins at this height.
    pub(crate) fn new(first: u64) -> Self {
        Builder {
            first,
            keys: Vec::new(),
            ends: Vec::new(),
            lists: Vec::new(),
            postings: 0,
            newest: None,
        }
    }

    /// One posting more.
    pub(crate) fn push(&mut self, fingerprint: u64, posting: Posting) {
        let before = self.newest.filter(|(of, _)| *of == fingerprint);
        let before = match before {
            Some((_, before)) => before,
            None => {
                self.end_list();
                self.keys.extend_from_slice(&fingerprint.to_be_bytes());
                Posting {
                    height: self.first,
                    place: 0,
                }
            }
        };
        let fresh = self.newest.is_none_or(|(of, _)| of != fingerprint);
        put_varint(&mut self.lists, posting.height - before.height);
        let same = !fresh && posting.height == before.height;
        put_varint(
            &mut self.lists,
            if same {
                posting.place - before.place
            } else {
                posting.place
            },
        );
        self.postings += 1;
        self.newest = Some((fingerprint, posting));
    }

    fn end_list(&mut self) {
        if self.newest.is_some() {
            let end = self.lists.len() as u32;
            self.ends.extend_from_slice(&end.to_be_bytes());
        }
    }

    /// The segment.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        self.end_list();
        let terms = (self.keys.len() / 8) as u32;
        let mut out =
            Vec::with_capacity(HEAD + self.keys.len() + self.ends.len() + self.lists.len());
        out.push(VERSION);
        out.extend_from_slice(&self.first.to_be_bytes());
        out.extend_from_slice(&terms.to_be_bytes());
        out.extend_from_slice(&self.postings.to_be_bytes());
        out.append(&mut self.keys);
        out.append(&mut self.ends);
        out.append(&mut self.lists);
        out
    }
}

/// A stored segment, looked into where it lies.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Segment<'a> {
    pub(crate) first: u64,
    pub(crate) last: u64,
    pub(crate) postings: u32,
    terms: usize,
    keys: &'a [u8],
    ends: &'a [u8],
    lists: &'a [u8],
}

fn read_u32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn read_u64(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_be_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}

impl<'a> Segment<'a> {
    /// Reads the head; None where these are not a segment's bytes. Lists are read when they are asked for.
    pub(crate) fn parse(last: u64, bytes: &'a [u8]) -> Option<Self> {
        if *bytes.first()? != VERSION {
            return None;
        }
        let first = read_u64(bytes, 1)?;
        let terms = read_u32(bytes, 9)? as usize;
        let postings = read_u32(bytes, 13)?;
        let (keys, rest) = bytes[HEAD..].split_at_checked(terms.checked_mul(8)?)?;
        let (ends, lists) = rest.split_at_checked(terms * 4)?;
        let whole = terms == 0 || read_u32(ends, (terms - 1) * 4)? as usize == lists.len();
        (whole && first <= last).then_some(Segment {
            first,
            last,
            postings,
            terms,
            keys,
            ends,
            lists,
        })
    }

    fn key(&self, at: usize) -> u64 {
        read_u64(self.keys, at * 8).unwrap_or(u64::MAX)
    }

    /// The list of the term at this index; None where its bounds are wrong.
    fn list(&self, at: usize) -> Option<&'a [u8]> {
        let start = match at {
            0 => 0,
            _ => read_u32(self.ends, (at - 1) * 4)? as usize,
        };
        self.lists.get(start..read_u32(self.ends, at * 4)? as usize)
    }

    /// Index of a term, if it is here. Fingerprints are spread evenly, so it is near where its size says.
    fn position(&self, fingerprint: u64) -> Option<usize> {
        let guess = ((fingerprint as u128 * self.terms as u128) >> 64) as usize;
        let reach = 16 + 4 * self.terms.isqrt();
        let (mut low, mut high) = (guess.saturating_sub(reach), (guess + reach).min(self.terms));
        if low > 0 && self.key(low) > fingerprint {
            low = 0;
        }
        if high < self.terms && self.key(high) < fingerprint {
            high = self.terms;
        }
        while low < high {
            let middle = low + (high - low) / 2;
            match self.key(middle).cmp(&fingerprint) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Equal => return Some(middle),
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        (low < self.terms && self.key(low) == fingerprint).then_some(low)
    }

    /// Bytes of a term's list, which is a measure of its length; None: it is not here.
    pub(crate) fn find(&self, fingerprint: u64) -> Option<&'a [u8]> {
        self.list(self.position(fingerprint)?)
    }

    /// Postings of a list that [`Self::find`] gave, in order; None where it is damaged.
    pub(crate) fn read(&self, mut list: &[u8], mut each: impl FnMut(Posting)) -> Option<()> {
        let (mut height, mut place) = (self.first, 0u64);
        let mut fresh = true;
        while !list.is_empty() {
            let step = take_varint(&mut list)?;
            let number = take_varint(&mut list)?;
            height = height.checked_add(step)?;
            place = if step == 0 && !fresh {
                place.checked_add(number)?
            } else {
                number
            };
            if height > self.last {
                return None;
            }
            fresh = false;
            each(Posting { height, place });
        }
        Some(())
    }

    /// Every posting with its fingerprint, sorted; None where the segment is damaged.
    pub(crate) fn read_all(&self, mut each: impl FnMut(u64, Posting)) -> Option<()> {
        for at in 0..self.terms {
            let key = self.key(at);
            self.read(self.list(at)?, |posting| each(key, posting))?;
        }
        Some(())
    }

    /// This segment without the blocks above `height`, which is not below its first; None where it is damaged.
    pub(crate) fn cut(&self, height: u64) -> Option<Vec<u8>> {
        let mut builder = Builder::new(self.first);
        self.read_all(|fingerprint, posting| {
            if posting.height <= height {
                builder.push(fingerprint, posting);
            }
        })?;
        Some(builder.finish())
    }
}

/// One segment of several that follow each other; None where one is damaged.
pub(crate) fn merge(parts: &[Segment<'_>]) -> Option<Vec<u8>> {
    let first = parts.first()?.first;
    let mut order: Vec<(u64, u32, u32)> = Vec::with_capacity(parts.iter().map(|p| p.terms).sum());
    for (number, part) in (0u32..).zip(parts) {
        order.extend((0..part.terms).map(|at| (part.key(at), number, at as u32)));
    }
    // Sorted runs one after the other: this merges them.
    order.sort();
    let mut builder = Builder::new(first);
    for (fingerprint, number, at) in order {
        let part = &parts[number as usize];
        part.read(part.list(at as usize)?, |posting| {
            builder.push(fingerprint, posting);
        })?;
    }
    Some(builder.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_survive_as_varints_and_overlong_ones_are_refused() {
        for number in [0, 1, 127, 128, 300, u64::from(u32::MAX), u64::MAX] {
            let mut bytes = Vec::new();
            put_varint(&mut bytes, number);
            assert_eq!(take_varint(&mut &bytes[..]), Some(number));
        }
        assert_eq!(take_varint(&mut &[0x80u8; 3][..]), None);
        assert_eq!(take_varint(&mut &[0xffu8; 11][..]), None);
    }

    #[test]
    fn damaged_bytes_are_refused_and_never_panic() {
        let mut builder = Builder::new(5);
        for at in 0..200u64 {
            let key = at / 3 * 0x0101_0101_0101_0101;
            builder.push(
                key,
                Posting {
                    height: 5 + at % 3,
                    place: at,
                },
            );
        }
        let good = builder.finish();
        for end in 0..good.len() {
            assert!(Segment::parse(7, &good[..end]).is_none(), "{end}");
        }
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 0x55;
            if let Some(segment) = Segment::parse(7, &bad) {
                let mut count = 0;
                let _ = segment.read_all(|_, _| count += 1);
                assert!(count <= 200);
                segment.find(0x0101_0101_0101_0101);
            }
        }
    }
}
