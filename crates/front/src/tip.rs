//! The tip that a transaction should give: what others gave in the newest blocks.
use std::sync::{Mutex, PoisonError};

use alloy_primitives::B256;
use bedroll_core::block::Block;
use bedroll_store::engine::Engine;

/// Newest blocks whose tips are looked at.
const BLOCKS: u64 = 5;
/// Where nobody tips, this share of the base fee.
const FLOOR_DIVISOR: u64 = 8;

/// The last answer, by the block that it is of.
#[derive(Debug, Default)]
pub(crate) struct TipCache(Mutex<Option<(B256, Option<u128>)>>);

impl TipCache {
    /// Wei a gas; None where a block must be read from the disk first.
    pub fn suggest(&self, engine: &Engine, height: u64) -> Option<u128> {
        let floor = u128::from(engine.next_base_fee(None) / FLOOR_DIVISOR).max(1);
        let newest = engine.recent(height)?.hash;
        let mut cached = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let median = match *cached {
            Some((of, median)) if of == newest => median,
            _ => {
                let median = median(engine, height)?;
                *cached = Some((newest, median));
                median
            }
        };
        Some(median.map_or(floor, |median| median.max(floor)))
    }
}

fn median(engine: &Engine, height: u64) -> Option<Option<u128>> {
    let mut tips = vec![];
    for at in (height.saturating_sub(BLOCKS)..=height)
        .rev()
        .take(BLOCKS as usize)
    {
        if at == 0 {
            break;
        }
        let block = engine.recent(at)?;
        if block.header.gas_used > 0 {
            tips.extend(tips_of(&block));
        }
    }
    tips.sort_unstable();
    Some(tips.get(tips.len() / 2).copied())
}

fn tips_of(block: &Block) -> impl Iterator<Item = u128> + '_ {
    let base_fee = u128::from(block.header.base_fee_per_gas.unwrap_or_default());
    let prices = block
        .receipts
        .iter()
        .map(|receipt| receipt.effective_gas_price);
    prices
        .filter(|price| *price > 0)
        .map(move |price| price.saturating_sub(base_fee))
}
