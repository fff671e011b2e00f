//! Which batch is judged, when, and who is silent (docs/spec/derivation.md, "Batch selector", "Proof desk").
use alloc::vec::Vec;

use alloy_primitives::{Bytes, B256};

use super::parameter::Parameters;
use super::state::{Head, Held, Muted, Place, SelectorState, Shown, State, Waiting};
use crate::object::{BatchHeader, Form};

/// A batch that is to be judged, with its proof if it has one.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// Where its body stands.
    pub place: Place,
    /// Who signed it.
    pub leader: B256,
    /// What he signed.
    pub header: BatchHeader,
    /// Of the proven form.
    pub proof: Option<Shown>,
}

impl Waiting {
    fn of(candidate: &Candidate) -> Self {
        Self {
            place: candidate.place,
            leader: candidate.leader,
            header: Bytes::from(candidate.header.encode()),
        }
    }

    /// What was signed; it was parsed before it was kept.
    pub fn parsed(&self) -> Option<BatchHeader> {
        BatchHeader::decode(&self.header).ok()
    }

    fn first_height(&self) -> u64 {
        self.parsed().map_or(0, |header| header.first_height)
    }

    /// To be judged with this proof.
    pub fn candidate(&self, proof: Option<Shown>) -> Option<Candidate> {
        Some(Candidate {
            place: self.place,
            leader: self.leader,
            header: self.parsed()?,
            proof,
        })
    }
}

impl Held {
    /// L1 height from which on it is held.
    fn since(&self) -> u64 {
        (self.proof.first()).map_or(self.batch.place.height, |proof| proof.height)
    }
}

impl State {
    /// Begins an L1 block: what waited too long ends, who was muted long enough speaks again.
    pub fn open_batches(&mut self, parameters: &Parameters, height: u64) {
        let oldest = height.saturating_sub(parameters.proof_ttl);
        let selector = &mut self.selector;
        selector.held.retain(|held| held.since() >= oldest);
        selector.muted.retain(|muted| muted.until >= height);
        let shown = |body: &Waiting| {
            let mut proven = selector.held.iter().filter(|held| !held.proof.is_empty());
            proven.any(|held| held.batch.place == body.place)
        };
        self.desk
            .retain(|body| body.place.height >= oldest || shown(body));
    }

    /// Looks at the header of a batch that the leader signed; gives it if it is to be judged now.
    pub fn look(&mut self, parameters: &Parameters, candidate: Candidate) -> Option<Candidate> {
        let header = &candidate.header;
        let signed = header.form == Form::Signed;
        let mut muted = self.selector.muted.iter();
        let refused = header.network != parameters.network
            || (signed && muted.any(|muted| muted.key == candidate.leader))
            || header.first_height <= self.head.height;
        if refused {
            return None;
        }
        if !signed {
            self.desk.push(Waiting::of(&candidate));
            return None;
        }
        if header.first_height > self.head.height + 1 {
            let batch = Waiting::of(&candidate);
            let mut held = self.selector.held.iter();
            if !held.any(|held| held.batch.header == batch.header) {
                self.selector.hold(parameters, batch, None);
            }
            return None;
        }
        self.selector
            .fits(parameters, &self.head, &candidate)
            .then_some(candidate)
    }

    /// The first held batch that the tip has reached and whose header is in order now; those overtaken end.
    pub fn next_held(&mut self, parameters: &Parameters) -> Option<Candidate> {
        let Self { selector, head, .. } = self;
        selector
            .held
            .retain(|held| held.batch.first_height() > head.height);
        loop {
            let mut held = selector.held.iter();
            let place = held.position(|held| held.batch.first_height() == head.height + 1)?;
            let mut held = selector.held.remove(place);
            let candidate = held.batch.candidate(held.proof.pop())?;
            if selector.fits(parameters, head, &candidate) {
                return Some(candidate);
            }
        }
    }

    /// Takes the verdict on a candidate at an L1 height; the head is moved already.
    pub fn judged(
        &mut self,
        parameters: &Parameters,
        candidate: &Candidate,
        accepted: bool,
        height: u64,
    ) {
        let selector = &mut self.selector;
        if candidate.proof.is_some() {
            self.desk.retain(|body| body.place != candidate.place);
        }
        if accepted {
            let last = u64::from(candidate.header.last_origin);
            // Current: last ≥ height of the body − C − L.
            let oldest = last + parameters.finality_depth + parameters.max_origin_lag;
            if oldest >= candidate.place.height {
                selector.silent_since = height;
            }
            selector.refused.clear();
            self.overtaken();
        } else if candidate.proof.is_none() {
            selector.muted.push(Muted {
                key: candidate.leader,
                until: height + parameters.finality_depth,
            });
            let refused = B256::new(candidate.header.signing_hash());
            selector.refused.push(refused);
            let leader = candidate.leader;
            selector
                .held
                .retain(|held| held.batch.leader != leader || !held.proof.is_empty());
        }
    }

    /// Bodies that begin no higher than the tip can extend nothing any more.
    pub fn overtaken(&mut self) {
        let tip = self.head.height;
        self.desk.retain(|body| body.first_height() > tip);
    }

    /// Bodies that a proof names, oldest first.
    pub fn named(&self, header_id: &B256) -> Vec<Waiting> {
        let named = |body: &&Waiting| {
            body.parsed()
                .is_some_and(|header| header.signing_hash() == header_id.0)
        };
        self.desk.iter().filter(named).cloned().collect()
    }
}

impl SelectorState {
    /// Whether automatic blocks are derived after the objects of an L1 block.
    pub fn is_silent(&self, parameters: &Parameters, height: u64) -> bool {
        let beyond = height.checked_sub(self.silent_since + parameters.auto_block_window);
        beyond.is_some_and(|beyond| beyond.is_multiple_of(parameters.auto_block_step.max(1)))
    }

    /// Holds a batch ahead of the tip, if there is room.
    pub fn hold(&mut self, parameters: &Parameters, batch: Waiting, proof: Option<Shown>) {
        if (self.held.len() as u64) < parameters.held_batches_max {
            self.held.push(Held {
                batch,
                proof: proof.into_iter().collect(),
            });
        }
    }

    /// Whether a batch with this header is held whose proof says this.
    pub fn holds(&self, header: &Bytes, statement: &[u8]) -> bool {
        let mut same = self.held.iter().filter(|held| held.batch.header == *header);
        same.any(|held| {
            held.proof
                .first()
                .is_some_and(|proof| *proof.statement == *statement)
        })
    }

    /// Whether a header is in order upon the tip.
    pub fn fits(&self, parameters: &Parameters, head: &Head, candidate: &Candidate) -> bool {
        let header = &candidate.header;
        let (first, last) = (
            u64::from(header.first_origin),
            u64::from(header.last_origin),
        );
        let begins =
            first == head.origin_height + 1 || (first == head.origin_height && head.height > 0);
        let deep = candidate
            .place
            .height
            .saturating_sub(parameters.finality_depth);
        let mut refused = self.refused.iter();
        begins
            && header.parent_l2_hash == head.hash.0
            && last <= deep.max(head.origin_height)
            && !refused.any(|refused| refused.0 == header.signing_hash())
    }
}
