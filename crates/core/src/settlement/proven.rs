//! Up to where proofs cover the chain, and its end where they stay out (docs/spec/derivation.md, "Proven head").
use super::parameter::Parameters;
use super::state::{Head, ProvenRange, ProvenState};

impl ProvenState {
    /// A proof covers the blocks from `first` up to the tip; gives whether the proven head advanced.
    pub fn cover(&mut self, first: u64, tip: &Head) -> bool {
        let before = self.height;
        self.ahead.push(ProvenRange {
            first,
            last: tip.height,
            hash: tip.hash,
        });
        self.ahead.sort_by_key(|range| range.first);
        while self
            .ahead
            .first()
            .is_some_and(|range| range.first <= self.height + 1)
        {
            let reached = self.ahead.remove(0);
            if reached.last > self.height {
                (self.height, self.hash) = (reached.last, reached.hash);
            }
        }
        self.height > before
    }

    /// After the objects of an L1 block; gives whether the chain has ended.
    pub fn close_block(
        &mut self,
        parameters: &Parameters,
        height: u64,
        advanced: bool,
        full: bool,
    ) -> bool {
        self.idle = if advanced {
            0
        } else {
            self.idle + u64::from(!full)
        };
        let required = parameters.exodus_window > 0;
        if required && self.ended == 0 && self.idle >= parameters.exodus_window {
            self.ended = height;
        }
        self.ended > 0
    }
}
