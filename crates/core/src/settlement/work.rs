//! Targets and work of L1 headers (Bitcoin Core, `pow.cpp` and `chain.cpp`).
use alloy_primitives::{B256, U256};

use super::parameter::ProofOfWork;

/// Blocks of one target.
pub const PERIOD_BLOCKS: u64 = 2_016;
/// Seconds that a period is meant to last.
const PERIOD_SECONDS: u64 = 14 * 24 * 3_600;
/// Seconds after its parent from which an easy block is allowed.
const PAUSE_SECONDS: u64 = 20 * 60;
/// BIP-0094: how far the first block of a period may lie before its parent, seconds.
const TIMEWARP_SECONDS: u64 = 600;

/// What the next header's target follows from.
#[derive(Debug, Clone, Copy)]
pub struct Before {
    /// Height of the newest block.
    pub height: u64,
    /// Its time, seconds.
    pub time: u64,
    /// Its target.
    pub bits: u32,
    /// Time of the first block of its period.
    pub period_time: u64,
    /// Target of that block.
    pub period_bits: u32,
    /// Target of the newest block that is not an easy one, or begins the period.
    pub regular_bits: u32,
}

/// A compact target; None where it is zero, negative or above 2^256 − 1.
pub fn target(bits: u32) -> Option<U256> {
    let (size, word) = (bits >> 24, U256::from(bits & 0x007f_ffff));
    if bits & 0x0080_0000 != 0 {
        return None;
    }
    let value = if size <= 3 {
        word >> (8 * (3 - size) as usize)
    } else {
        let shift = 8 * (size - 3) as usize;
        if word.bit_len() + shift > 256 {
            return None;
        }
        word << shift
    };
    (!value.is_zero()).then_some(value)
}

/// The compact form of a target, rounded down.
pub fn compact(target: U256) -> u32 {
    let mut size = target.byte_len() as u32;
    let mut word = if size <= 3 {
        target.to::<u32>() << (8 * (3 - size))
    } else {
        (target >> (8 * (size - 3) as usize)).to::<u32>()
    };
    if word & 0x0080_0000 != 0 {
        word >>= 8;
        size += 1;
    }
    word | size << 24
}

/// Expected hashes behind a target: 2^256 / (target + 1).
pub fn work(target: U256) -> U256 {
    (!target / (target + U256::from(1))) + U256::from(1)
}

/// Whether a header of this hash has the work that its own target asks for.
pub fn is_met(hash: &B256, target: U256) -> bool {
    U256::from_le_bytes(hash.0) <= target
}

/// Target of the next header; None where its time alone refuses it.
pub fn next_bits(rules: &ProofOfWork, before: &Before, time: u64) -> Option<u32> {
    let begins = (before.height + 1).is_multiple_of(PERIOD_BLOCKS);
    if !begins {
        if !rules.easy_after_pause {
            return Some(before.bits);
        }
        let paused = time > before.time + PAUSE_SECONDS;
        return Some(if paused {
            rules.limit
        } else {
            before.regular_bits
        });
    }
    if rules.bip94 && time + TIMEWARP_SECONDS < before.time {
        return None;
    }
    if rules.constant {
        return Some(before.bits);
    }
    let taken = before.time.saturating_sub(before.period_time);
    let taken = taken.clamp(PERIOD_SECONDS / 4, PERIOD_SECONDS * 4);
    let old = target(if rules.bip94 {
        before.period_bits
    } else {
        before.bits
    })?;
    // Targets are below 2^236 on networks that retarget, the factor below 2^23: no overflow.
    let new = old.checked_mul(U256::from(taken))? / U256::from(PERIOD_SECONDS);
    let limit = target(rules.limit)?;
    Some(compact(new.min(limit)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAIN: ProofOfWork = ProofOfWork {
        limit: 0x1d00_ffff,
        easy_after_pause: false,
        constant: false,
        bip94: false,
    };

    fn before(height: u64, period_time: u64, time: u64, bits: u32) -> Before {
        Before {
            height,
            time,
            bits,
            period_time,
            period_bits: bits,
            regular_bits: bits,
        }
    }

    // Bitcoin Core, pow_tests.cpp.
    #[test]
    fn targets_change_as_in_bitcoin() {
        let next =
            |height, first, last, bits| next_bits(&MAIN, &before(height, first, last, bits), last);
        assert_eq!(
            next(32_255, 1_261_130_161, 1_262_152_739, 0x1d00_ffff),
            Some(0x1d00_d86a)
        );
        assert_eq!(
            next(2_015, 1_231_006_505, 1_233_061_996, 0x1d00_ffff),
            Some(0x1d00_ffff)
        );
        assert_eq!(
            next(68_543, 1_279_008_237, 1_279_297_671, 0x1c05_a3f4),
            Some(0x1c01_68fd)
        );
        assert_eq!(
            next(46_367, 1_263_163_443, 1_269_211_443, 0x1c38_7f6f),
            Some(0x1d00_e1fd)
        );
    }

    #[test]
    fn a_compact_target_is_what_it_was() {
        for bits in [
            0x1d00_ffff,
            0x1c05_a3f4,
            0x207f_ffff,
            0x1b04_04cb,
            0x0312_3456,
        ] {
            assert_eq!(target(bits).map(compact), Some(bits));
        }
        for bits in [0, 0x0100_0000, 0x0180_0001, 0x2301_0000, 0xff12_3456] {
            assert_eq!(target(bits), None, "{bits:08x}");
        }
    }

    #[test]
    fn the_first_block_of_bitcoin_has_its_work() {
        let target = target(0x1d00_ffff).expect("a target");
        assert_eq!(work(target), U256::from(0x1_0001_0001_u64));
    }

    #[test]
    fn easy_blocks_come_after_a_pause_and_do_not_stay() {
        let rules = ProofOfWork {
            easy_after_pause: true,
            bip94: true,
            ..MAIN
        };
        let mut newest = before(100, 0, 1_000, 0x1d00_ffff);
        newest.regular_bits = 0x1c05_a3f4;
        assert_eq!(next_bits(&rules, &newest, 2_201), Some(0x1d00_ffff));
        assert_eq!(next_bits(&rules, &newest, 2_200), Some(0x1c05_a3f4));
    }

    #[test]
    fn a_period_does_not_begin_long_before_the_last_one_ended() {
        let rules = ProofOfWork {
            bip94: true,
            ..MAIN
        };
        let newest = before(2_015, 0, 1_209_600, 0x1d00_ffff);
        assert!(next_bits(&rules, &newest, 1_209_000).is_some());
        assert_eq!(next_bits(&rules, &newest, 1_208_999), None);
    }
}
