//! What a block's timestamp and origin must fulfil before anything runs (protocol.md 4.2).
use core::fmt;
use sha2::{Digest, Sha256};

use alloy_primitives::B256;

use super::open::Opening;
use crate::block::{Origin, Tail};
use crate::profile::Rules;

/// A rule that the opening of a block breaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RuleBroken {
    /// Below the parent's timestamp or the origin's median time.
    TimeLow {
        /// What was given.
        timestamp: u64,
        /// Least allowed.
        limit: u64,
    },
    /// Too far above the origin's median time.
    TimeHigh {
        /// What was given.
        timestamp: u64,
        /// Most allowed.
        limit: u64,
    },
    /// An automatic block takes the lower bound.
    TimeAutomatic {
        /// What was given.
        timestamp: u64,
        /// The lower bound.
        limit: u64,
    },
    /// Too many blocks share this second.
    SecondFull {
        /// What was given.
        timestamp: u64,
        /// Most blocks.
        limit: u64,
    },
    /// Too many blocks have this origin.
    OriginFull {
        /// Most blocks.
        limit: u64,
    },
    /// The first block takes the anchor's successor.
    OriginMissing,
    /// Origins advance by one.
    OriginHeight {
        /// What was given.
        height: u64,
        /// What follows.
        expected: u64,
    },
    /// The header is not that of the hash.
    OriginHeader,
    /// The L1 rate is zero or absurd.
    OriginRate,
}

impl fmt::Display for RuleBroken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TimeLow { timestamp, limit } => {
                write!(f, "timestamp {timestamp} is below {limit}")
            }
            Self::TimeHigh { timestamp, limit } => {
                write!(f, "timestamp {timestamp} is above {limit}")
            }
            Self::TimeAutomatic { timestamp, limit } => write!(
                f,
                "timestamp {timestamp} of an automatic block is not the lower bound {limit}"
            ),
            Self::SecondFull { timestamp, limit } => {
                write!(f, "{limit} blocks share the second {timestamp} already")
            }
            Self::OriginFull { limit } => write!(f, "{limit} blocks have this origin already"),
            Self::OriginMissing => f.write_str("the first block must take an origin"),
            Self::OriginHeight { height, expected } => {
                write!(f, "origin height {height} is not {expected}")
            }
            Self::OriginHeader => f.write_str("the origin's header does not hash to it"),
            Self::OriginRate => f.write_str("the L1 rate is outside its bounds"),
        }
    }
}

impl core::error::Error for RuleBroken {}

/// Checks that `origin` follows the parent's. That its header names the last one's is derivation's to see.
///
/// # Errors
/// The rule it breaks.
pub fn check_origin(tail: &Tail, origin: &Origin) -> Result<(), RuleBroken> {
    let expected = tail.origin_height + 1;
    if origin.height != expected {
        return Err(RuleBroken::OriginHeight {
            height: origin.height,
            expected,
        });
    }
    let hash = B256::new(Sha256::digest(Sha256::digest(origin.header)).into());
    if hash != origin.hash {
        return Err(RuleBroken::OriginHeader);
    }
    if !(crate::fee::L1_RATE_MIN..=crate::fee::L1_RATE_MAX).contains(&origin.l1_rate) {
        return Err(RuleBroken::OriginRate);
    }
    Ok(())
}

/// Bounds of the timestamp of a block after `parent_time` whose origin has this median time.
pub fn time_bounds(rules: &Rules, parent_time: u64, median_time: u64) -> (u64, Option<u64>) {
    let low = parent_time.max(median_time);
    let high = rules
        .timestamp_lead_max
        .map(|lead| parent_time.max(median_time.saturating_add(lead)));
    (low, high)
}

/// Checks a timestamp; gives how many blocks share it, this one included.
///
/// # Errors
/// The rule it breaks.
pub fn check_time(
    rules: &Rules,
    parent_time: u64,
    tail: &Tail,
    median_time: u64,
    timestamp: u64,
    automatic: bool,
) -> Result<u64, RuleBroken> {
    let (low, high) = time_bounds(rules, parent_time, median_time);
    if timestamp < low {
        return Err(RuleBroken::TimeLow {
            timestamp,
            limit: low,
        });
    }
    if let Some(limit) = high.filter(|limit| timestamp > *limit) {
        return Err(RuleBroken::TimeHigh { timestamp, limit });
    }
    if automatic && timestamp != low {
        return Err(RuleBroken::TimeAutomatic {
            timestamp,
            limit: low,
        });
    }
    if timestamp != parent_time {
        return Ok(1);
    }
    let exempt = automatic || high == Some(timestamp);
    if tail.second_blocks >= rules.second_blocks_max && !exempt {
        return Err(RuleBroken::SecondFull {
            timestamp,
            limit: rules.second_blocks_max,
        });
    }
    Ok(tail.second_blocks + 1)
}

/// Checks a block's origin and timestamp; gives its facts as far as they are known at its beginning.
///
/// # Errors
/// The rule it breaks.
pub fn next_tail(rules: &Rules, opening: &Opening<'_>) -> Result<Tail, RuleBroken> {
    let parent = opening.tail;
    let mut tail = parent.clone();
    match opening.origin {
        Some(origin) => {
            check_origin(parent, origin)?;
            tail.origin_height = origin.height;
            tail.origin_hash = origin.hash;
            tail.median_time = origin.median_time;
            tail.l1_rate = origin.l1_rate;
            tail.origin_blocks = 1;
        }
        None if opening.parent.number == 0 && rules.is_bedroll() => {
            return Err(RuleBroken::OriginMissing)
        }
        None => {
            let limit = rules.origin_blocks_max;
            if parent.origin_blocks >= limit && !opening.automatic && rules.is_bedroll() {
                return Err(RuleBroken::OriginFull { limit });
            }
            tail.origin_blocks += 1;
        }
    }
    tail.second_blocks = check_time(
        rules,
        opening.parent.timestamp,
        parent,
        tail.median_time,
        opening.timestamp,
        opening.automatic,
    )?;
    Ok(tail)
}
