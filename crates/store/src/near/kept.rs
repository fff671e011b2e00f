//! Units that stay in memory: what was fetched for a block, and what was written last.
//!
//! They come past the system's page cache, which holds whole pages where a unit is a third of one, and takes longer over
//! each.
use super::segment::Place;
use crate::shared::lock;
use alloy_primitives::map::HashMap;
use std::sync::{Arc, Mutex};

/// Bytes of units that are kept, about.
const KEPT_BYTES: usize = 256 << 20;
/// Bytes of a unit beside its record.
const ENTRY_BYTES: usize = 128;

/// A record of accounts.
pub(super) type Unit = Arc<Vec<u8>>;

/// Units by their places. Those of which nobody heard for a while are dropped together.
#[derive(Debug)]
pub(super) struct Kept(Mutex<Generations>);

impl Default for Kept {
    fn default() -> Self {
        Self::of(KEPT_BYTES)
    }
}

#[derive(Debug)]
struct Generations {
    /// Of the young, half of what is kept.
    bytes_max: usize,
    young: HashMap<Place, Unit>,
    young_bytes: usize,
    old: HashMap<Place, Unit>,
}

impl Generations {
    fn put(&mut self, place: Place, unit: Unit) {
        if self.young_bytes >= self.bytes_max {
            self.young_bytes = 0;
            self.old = std::mem::take(&mut self.young);
        }
        self.young_bytes += unit.len() + ENTRY_BYTES;
        if let Some(before) = self.young.insert(place, unit) {
            self.young_bytes -= before.len() + ENTRY_BYTES;
        }
    }

    fn get(&mut self, place: Place) -> Option<Unit> {
        if let Some(unit) = self.young.get(&place) {
            return Some(unit.clone());
        }
        let unit = self.old.remove(&place)?;
        self.put(place, unit.clone());
        Some(unit)
    }
}

impl Kept {
    fn of(bytes: usize) -> Self {
        Kept(Mutex::new(Generations {
            bytes_max: bytes / 2,
            young: HashMap::default(),
            young_bytes: 0,
            old: HashMap::default(),
        }))
    }

    pub(super) fn get(&self, place: Place) -> Option<Unit> {
        lock(&self.0).get(place)
    }

    pub(super) fn put(&self, units: impl IntoIterator<Item = (Place, Unit)>) {
        let mut all = lock(&self.0);
        for (place, unit) in units {
            all.put(place, unit);
        }
    }

    /// Forgets what nobody reads any more.
    pub(super) fn forget(&self, places: impl IntoIterator<Item = Place>) {
        let mut all = lock(&self.0);
        for place in places {
            if let Some(unit) = all.young.remove(&place) {
                all.young_bytes -= unit.len() + ENTRY_BYTES;
            } else {
                all.old.remove(&place);
            }
        }
    }

    /// Of places, those whose units are not here.
    pub(super) fn missing(&self, places: &[Place]) -> Vec<Place> {
        let mut all = lock(&self.0);
        let missing = places.iter().filter(|place| all.get(**place).is_none());
        missing.copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(number: u64) -> Place {
        Place::from_bytes(number.to_be_bytes())
    }

    fn unit(number: u64) -> (Place, Unit) {
        (place(number), Arc::new(vec![number as u8; 1_000]))
    }

    #[test]
    fn what_is_read_again_stays_and_the_rest_goes() {
        let kept = Kept::of(20 * (1_000 + ENTRY_BYTES));
        for number in 0..1_000 {
            kept.put([unit(number)]);
            assert_eq!(kept.get(place(0)), Some(unit(0).1));
        }
        let there = (0..1_000).filter(|number| kept.get(place(*number)).is_some());
        assert!((10..=20).contains(&there.count()));
    }

    #[test]
    fn a_unit_that_is_put_twice_or_forgotten_is_not_counted() {
        let kept = Kept::of(1 << 20);
        kept.put([unit(1), unit(1), unit(2)]);
        assert_eq!(lock(&kept.0).young_bytes, 2 * (1_000 + ENTRY_BYTES));
        assert_eq!(kept.missing(&[place(1), place(3)]), [place(3)]);
        kept.forget([place(1), place(2), place(3)]);
        assert_eq!(lock(&kept.0).young_bytes, 0);
        assert_eq!(kept.get(place(1)), None);
    }
}
