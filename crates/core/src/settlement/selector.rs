//! Which batch is judged, when, and who is silent (docs/spec/derivation.md, "Batch selector").
use alloy_primitives::{Bytes, B256};

use super::parameter::Parameters;
use super::state::{Head, Held, Muted, SelectorState};
use crate::object::BatchHeader;

/// A batch where it stands.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// L1 height of its body.
    pub height: u64,
    /// Who signed it.
    pub leader: B256,
    /// What he signed.
    pub header: BatchHeader,
}

/// What becomes of a batch whose header was looked at.
#[derive(Debug)]
pub enum Looked {
    /// It is to be judged now.
    Candidate(Candidate),
    /// It waits, or is refused.
    Passed,
}

impl SelectorState {
    /// Begins an L1 block: what waited too long ends, who was muted long enough speaks again.
    pub fn open_block(&mut self, parameters: &Parameters, height: u64) {
        let oldest = height.saturating_sub(parameters.proof_ttl);
        self.held.retain(|held| held.height >= oldest);
        self.muted.retain(|muted| muted.until >= height);
    }

    /// Looks at the header of a batch that the leader signed.
    pub fn look(&mut self, parameters: &Parameters, head: &Head, candidate: Candidate) -> Looked {
        let header = &candidate.header;
        let refused = header.network != parameters.network
            || self.muted.iter().any(|muted| muted.key == candidate.leader)
            || header.first_height <= head.height;
        if refused {
            return Looked::Passed;
        }
        if header.first_height > head.height + 1 {
            self.hold(parameters, &candidate);
            return Looked::Passed;
        }
        if self.fits(parameters, head, &candidate) {
            Looked::Candidate(candidate)
        } else {
            Looked::Passed
        }
    }

    /// The first held batch that the tip has reached and whose header is in order now; those overtaken end.
    pub fn next_held(&mut self, parameters: &Parameters, head: &Head) -> Option<Candidate> {
        self.held.retain(|held| first_height(held) > head.height);
        loop {
            let place = self
                .held
                .iter()
                .position(|held| first_height(held) == head.height + 1)?;
            let held = self.held.remove(place);
            let header = BatchHeader::decode(&held.header).ok()?;
            let candidate = Candidate {
                height: held.height,
                leader: held.leader,
                header,
            };
            if self.fits(parameters, head, &candidate) {
                return Some(candidate);
            }
        }
    }

    /// Takes the verdict on a candidate at an L1 height.
    pub fn judged(
        &mut self,
        parameters: &Parameters,
        candidate: &Candidate,
        accepted: bool,
        height: u64,
    ) {
        if accepted {
            let last = u64::from(candidate.header.last_origin);
            // Current: last ≥ height of the body − C − L.
            if last + parameters.finality_depth + parameters.max_origin_lag >= candidate.height {
                self.silent_since = height;
            }
            self.refused.clear();
            return;
        }
        self.muted.push(Muted {
            key: candidate.leader,
            until: height + parameters.finality_depth,
        });
        self.refused
            .push(B256::new(candidate.header.signing_hash()));
        self.held.retain(|held| held.leader != candidate.leader);
    }

    /// Whether automatic blocks are derived after the objects of an L1 block.
    pub fn is_silent(&self, parameters: &Parameters, height: u64) -> bool {
        let beyond = height.checked_sub(self.silent_since + parameters.auto_block_window);
        beyond.is_some_and(|beyond| beyond.is_multiple_of(parameters.auto_block_step.max(1)))
    }

    fn hold(&mut self, parameters: &Parameters, candidate: &Candidate) {
        let header = candidate.header.encode();
        let known = self.held.iter().any(|held| held.header == header);
        if !known && (self.held.len() as u64) < parameters.held_batches_max {
            self.held.push(Held {
                height: candidate.height,
                leader: candidate.leader,
                header: Bytes::from(header),
            });
        }
    }

    fn fits(&self, parameters: &Parameters, head: &Head, candidate: &Candidate) -> bool {
        let header = &candidate.header;
        let (first, last) = (
            u64::from(header.first_origin),
            u64::from(header.last_origin),
        );
        let begins =
            first == head.origin_height + 1 || (first == head.origin_height && head.height > 0);
        let youngest = candidate
            .height
            .saturating_sub(parameters.finality_depth)
            .max(head.origin_height);
        begins
            && header.parent_l2_hash == head.hash.0
            && last <= youngest
            && !self
                .refused
                .iter()
                .any(|refused| refused.0 == header.signing_hash())
    }
}

fn first_height(held: &Held) -> u64 {
    // What is held was parsed before.
    BatchHeader::decode(&held.header).map_or(0, |header| header.first_height)
}
