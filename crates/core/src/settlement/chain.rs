//! Follows L1 headers, and says what each block means for L2 by itself (docs/spec/derivation.md, "L1 traversal").
use alloc::vec::Vec;

use alloy_primitives::Bytes;

use super::block::L1Facts;
use super::parameter::Parameters;
use super::state::{L1State, Record, State};
use super::work::{is_met, next_bits, target, work, Before, PERIOD_BLOCKS};
use crate::fee::l1_rate;
use crate::program::OriginPart;

/// Headers whose times make a median time past (BIP-0113).
const MEDIAN_TIME_SPAN: usize = 11;
/// Subsidy of the first blocks, satoshi.
const SUBSIDY_FIRST_SAT: u64 = 50 * 100_000_000;
/// Versions below are refused since BIP-0065; older rules end far below any anchor.
const VERSION_MIN: i32 = 4;

fn median(times: &[u64]) -> u64 {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 2).copied().unwrap_or(0)
}

fn subsidy_sat(parameters: &Parameters, height: u64) -> u64 {
    let halvings = height / parameters.halving_blocks.max(1);
    if halvings < 64 {
        SUBSIDY_FIRST_SAT >> halvings
    } else {
        0
    }
}

/// Takes the child of the newest block.
///
/// # Errors
/// It is no child, or its header breaks a rule of Bitcoin.
pub fn follow(
    parameters: &Parameters,
    state: &mut State,
    facts: &L1Facts,
) -> Result<(), &'static str> {
    let l1 = &mut state.l1;
    if facts.previous != l1.hash {
        return Err("an L1 block does not follow the one before");
    }
    let version = i32::from_le_bytes([
        facts.header[0],
        facts.header[1],
        facts.header[2],
        facts.header[3],
    ]);
    if version < VERSION_MIN {
        return Err("an L1 header has a version that is long refused");
    }
    if facts.time <= median(&l1.times) {
        return Err("an L1 header lies before the median of its ancestors");
    }
    let before = Before {
        height: l1.height,
        time: l1.times.last().copied().unwrap_or(0),
        bits: l1.bits,
        period_time: l1.period_time,
        period_bits: l1.period_bits,
        regular_bits: l1.regular_bits,
    };
    if next_bits(&parameters.work, &before, facts.time) != Some(facts.bits) {
        return Err("an L1 header has another target than it must have");
    }
    let aim = target(facts.bits).ok_or("an L1 header has no target")?;
    if !is_met(&facts.hash, aim) {
        return Err("an L1 header lacks its work");
    }
    l1.height += 1;
    l1.hash = facts.hash;
    l1.bits = facts.bits;
    l1.work = l1.work.saturating_add(work(aim));
    let begins = l1.height.is_multiple_of(PERIOD_BLOCKS);
    if begins {
        (l1.period_time, l1.period_bits) = (facts.time, facts.bits);
    }
    if begins || facts.bits != parameters.work.limit {
        l1.regular_bits = facts.bits;
    }
    l1.times.push(facts.time);
    let late = l1.times.len().saturating_sub(MEDIAN_TIME_SPAN);
    l1.times.drain(..late);
    let record = record(parameters, l1, facts);
    l1.records.push(record);
    Ok(())
}

fn record(parameters: &Parameters, l1: &L1State, facts: &L1Facts) -> Record {
    let fees_sat = facts
        .coinbase_value_sat
        .saturating_sub(subsidy_sat(parameters, l1.height));
    let window = (parameters.l1_rate_window as usize).saturating_sub(1);
    let newest = l1
        .records
        .iter()
        .skip(l1.records.len().saturating_sub(window));
    let mut fees: Vec<u64> = newest.map(|record| record.fees_sat).collect();
    fees.push(fees_sat);
    let previous = l1
        .records
        .last()
        .map_or(parameters.l1_rate_first, |record| record.origin.l1_rate);
    Record {
        origin: OriginPart {
            header: Bytes::copy_from_slice(&facts.header),
            witness_root: facts.witness_root,
            median_time: median(&l1.times),
            l1_rate: l1_rate(&fees, Some(previous)),
            forced: Vec::new(),
        },
        fees_sat,
    }
}

/// Drops what no later block needs.
pub fn forget(parameters: &Parameters, state: &mut State) {
    let waiting = state.l1.height.saturating_sub(state.head.origin_height) as usize;
    let kept = waiting.max(parameters.l1_rate_window as usize);
    let records = &mut state.l1.records;
    let gone = records.len().saturating_sub(kept);
    records.drain(..gone);
    let taken = records.len().saturating_sub(waiting);
    records[..taken]
        .iter_mut()
        .for_each(|record| record.origin.forced.clear());
}
