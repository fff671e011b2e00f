//! The size that data gas charges for: one transaction alone, by a fixed LZ parse.
//!
//! Exact rule (docs/spec/execution.md, "Size"): walk the bytes from the left. At position `i` the candidate is
//! the last earlier position whose four bytes had the same 12-bit hash as those at `i`; it is a match if the
//! four bytes are equal and it lies at most 8,191 back. A match is extended as far as the bytes agree, at most
//! to 264, costs 3 and is skipped whole; any other byte costs 1. Positions inside a match are not entered.
const HASH_BITS: u32 = 12;
const WINDOW: usize = 8_191;
const MATCH_MIN: usize = 4;
const MATCH_MAX: usize = 264;
const MATCH_COST: u64 = 3;

/// Up to this length a small table does: a proved program pays for each word of it that it sets to 0.
const SHORT: usize = 256;

/// Length of `bytes` after the parse.
pub fn lz_length(bytes: &[u8]) -> u64 {
    if bytes.len() <= SHORT {
        let mut table = ShortTable([(0, 0); 2 * SHORT]);
        return parse(bytes, |slot, at| table.replace(slot, at));
    }
    let mut table = [0u32; 1 << HASH_BITS]; // position + 1
    parse(bytes, |slot, at| {
        core::mem::replace(&mut table[slot], at as u32 + 1) as usize
    })
}

/// What the table of all hashes says, for at most half as many positions as it has places: hash and position + 1 of
/// each, in the first free place from the hash's own on.
struct ShortTable([(u16, u16); 2 * SHORT]);

impl ShortTable {
    fn replace(&mut self, slot: usize, at: usize) -> usize {
        let mut place = slot % self.0.len();
        loop {
            let (own, position) = self.0[place];
            if position == 0 || usize::from(own) == slot {
                self.0[place] = (slot as u16, at as u16 + 1);
                return usize::from(position);
            }
            place = (place + 1) % self.0.len();
        }
    }
}

/// `replace` notes a position under a hash and gives the one noted there before, plus 1; 0: none.
fn parse(bytes: &[u8], mut replace: impl FnMut(usize, usize) -> usize) -> u64 {
    let (mut at, mut length) = (0usize, 0u64);
    while at < bytes.len() {
        let mut matched = 0;
        if let Some(four) = bytes.get(at..at + MATCH_MIN) {
            let word = u32::from_le_bytes([four[0], four[1], four[2], four[3]]);
            let slot = (word.wrapping_mul(2_654_435_769) >> (32 - HASH_BITS)) as usize;
            let candidate = replace(slot, at);
            if candidate != 0 && at - (candidate - 1) <= WINDOW {
                matched = common_prefix(bytes, candidate - 1, at);
            }
        }
        if matched >= MATCH_MIN {
            length += MATCH_COST;
            at += matched;
        } else {
            length += 1;
            at += 1;
        }
    }
    length
}

fn common_prefix(bytes: &[u8], early: usize, late: usize) -> usize {
    let most = (bytes.len() - late).min(MATCH_MAX);
    (0..most)
        .find(|&i| bytes[early + i] != bytes[late + i])
        .unwrap_or(most)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use alloc::vec::Vec;

    #[test]
    fn bytes_without_repeats_cost_themselves() {
        let bytes: Vec<u8> = (0..=255).collect();
        assert_eq!(lz_length(&bytes), 256);
        assert_eq!(lz_length(&[]), 0);
        assert_eq!(lz_length(&[7, 7, 7]), 3);
    }

    #[test]
    fn a_run_costs_a_byte_and_its_matches() {
        assert_eq!(lz_length(&vec![0; 265]), 4);
        assert_eq!(lz_length(&vec![0; 266]), 5);
        assert_eq!(lz_length(&vec![0; 1 + 264 * 3]), 10);
    }

    #[test]
    fn the_short_table_says_what_the_whole_one_says() {
        let mut state = 7u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state >> 24
        };
        for round in 0..5_000 {
            let alphabet = [2, 3, 16, 256][round % 4];
            let bytes: Vec<u8> = (0..=next()).map(|_| (next() % alphabet) as u8).collect();
            let mut whole = [0u32; 1 << HASH_BITS];
            let expected = parse(&bytes, |slot, at| {
                core::mem::replace(&mut whole[slot], at as u32 + 1) as usize
            });
            assert_eq!(lz_length(&bytes), expected, "{bytes:?}");
        }
    }

    #[test]
    fn repeats_beyond_the_window_are_not_found() {
        let mut bytes: Vec<u8> = vec![];
        let mut state = 1u32;
        for _ in 0..8_200 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            bytes.push((state >> 24) as u8);
        }
        let far = [&bytes[..], &bytes[..4]].concat();
        assert!(lz_length(&far) >= lz_length(&bytes) + 3);
    }
}
