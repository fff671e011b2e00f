//! The program: L1 blocks in, the tip of L2 out.
use alloc::vec::{self, Vec};
use core::fmt;

use alloy_primitives::{Bytes, B256};

use super::block::{L1Facts, L1Part};
use super::chain;
use super::input::SettlementInput;
use super::parameter::Parameters;
use super::selector::{Candidate, Looked};
use super::series::{self, Came};
use super::state::{header_of, Head, State};
use super::statement::Settled;
use crate::object::{self, forced_id, Object};
use crate::program::{ForcedPart, L1Digest, Statement, Verdict};

/// What the machine does for the program.
pub trait Verifier {
    /// Whether a BIP-0340 signature is valid.
    fn schnorr(&self, key: &[u8; 32], message: &[u8; 32], signature: &[u8; 64]) -> bool;

    /// Whether the program with this verification key has proved a statement.
    fn is_proved(&mut self, key: &B256, statement: &[u8]) -> bool;
}

/// There is no statement: what was given does not hold together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stopped(pub &'static str);

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl core::error::Error for Stopped {}

impl From<&'static str> for Stopped {
    fn from(what: &'static str) -> Self {
        Self(what)
    }
}

/// Runs the program; gives the state that the next run is given, beside the statement that names it.
///
/// # Errors
/// [`Stopped`]: nothing is said.
pub fn run(
    input: SettlementInput,
    verifier: &mut impl Verifier,
) -> Result<(Settled, State), Stopped> {
    let digest = input.parameters.digest();
    if input.previous.is_empty() {
        if input.state != State::genesis(&input.parameters) {
            return Err(Stopped("the state is not the one at the anchor"));
        }
    } else {
        follows(&input, digest, verifier)?;
    }
    let mut run = Run {
        parameters: input.parameters,
        batch_key: input.batch_key,
        state: input.state,
        verifier,
        verdicts: input.verdicts.into_iter(),
        headers: input.headers.into_iter(),
    };
    for part in &input.blocks {
        run.advance(part)?;
    }
    let (number, state_root) = run.header(run.state.head.hash)?;
    if number != run.state.head.height
        || run.verdicts.next().is_some()
        || run.headers.next().is_some()
    {
        return Err(Stopped("more was given than was asked for"));
    }
    let state = run.state;
    let settled = Settled {
        network: run.parameters.network,
        parameters: digest,
        batch_key: input.batch_key,
        settlement_key: input.settlement_key,
        l1_hash: state.l1.hash,
        l1_height: state.l1.height,
        l1_work: state.l1.work,
        tip: state.head.hash,
        height: state.head.height,
        state_root,
        origin_height: state.head.origin_height,
        queue: state.head.queue,
        state: state.digest(),
    };
    Ok((settled, state))
}

/// Whether the state is the one that a proved statement of this program names.
fn follows(
    input: &SettlementInput,
    digest: B256,
    verifier: &mut impl Verifier,
) -> Result<(), Stopped> {
    let previous = Settled::decode(&input.previous).map_err(|invalid| Stopped(invalid.0))?;
    let same = previous.parameters == digest
        && previous.batch_key == input.batch_key
        && previous.settlement_key == input.settlement_key;
    if !same {
        return Err(Stopped(
            "the statement before is about another chain, or another program",
        ));
    }
    if previous.state != input.state.digest() {
        return Err(Stopped(
            "the state is not the one that the statement before names",
        ));
    }
    if !verifier.is_proved(&input.settlement_key, &input.previous) {
        return Err(Stopped("the statement before is not proved"));
    }
    Ok(())
}

/// An object with what its transaction gave.
struct Item {
    transaction: u32,
    wtxid: [u8; 32],
    fee_sat: u64,
    object: Object,
}

struct Run<'a, V> {
    parameters: Parameters,
    batch_key: B256,
    state: State,
    verifier: &'a mut V,
    verdicts: vec::IntoIter<Bytes>,
    headers: vec::IntoIter<Bytes>,
}

impl<V: Verifier> Run<'_, V> {
    /// Takes the next L1 block.
    fn advance(&mut self, part: &L1Part) -> Result<(), Stopped> {
        let facts = part
            .facts(&self.parameters.tag)
            .map_err(|invalid| Stopped(invalid.0))?;
        chain::follow(&self.parameters, &mut self.state, &facts)?;
        let height = self.state.l1.height;
        self.state.keys.open_block(height)?;
        self.state.selector.open_block(&self.parameters, height);
        series::expire(&self.parameters, &mut self.state.series, height);
        let mut claimed = None;
        for item in self.items(&facts) {
            self.take(item, height, &mut claimed)?;
        }
        if self.state.selector.is_silent(&self.parameters, height) {
            self.break_silence(height)?;
        }
        chain::forget(&self.parameters, &mut self.state);
        Ok(())
    }

    /// Objects in the order of L1, a completed series in the place of its last chunk.
    fn items(&mut self, facts: &L1Facts) -> Vec<Item> {
        let height = self.state.l1.height;
        let mut items = Vec::new();
        for transaction in &facts.relevant {
            let carried = transaction
                .objects
                .iter()
                .filter_map(|carried| carried.object.as_ref().ok());
            for raw in carried {
                let Ok(mut object) = object::parse(raw) else {
                    continue;
                };
                if let Object::Chunk {
                    root,
                    index,
                    count,
                    bytes,
                    ..
                } = &object
                {
                    let came = Came {
                        root: B256::new(*root),
                        index: *index,
                        count: *count,
                        bytes,
                    };
                    let Some(whole) =
                        series::take(&self.parameters, &mut self.state.series, came, height)
                    else {
                        continue;
                    };
                    object = whole;
                }
                items.push(Item {
                    transaction: transaction.index,
                    wtxid: transaction.wtxid,
                    fee_sat: transaction.fee_paid_sat,
                    object,
                });
            }
        }
        items
    }

    /// Takes an object. `claimed`: the transaction whose fee is taken already.
    fn take(&mut self, item: Item, height: u64, claimed: &mut Option<u32>) -> Result<(), Stopped> {
        match &item.object {
            Object::Batch {
                header,
                leader_key,
                signature,
                ..
            } => {
                let leader = self.state.keys.leader;
                let leaders = *leader_key == leader.0
                    && self
                        .verifier
                        .schnorr(leader_key, &header.signing_hash(), signature);
                if leaders {
                    let candidate = Candidate {
                        height,
                        leader,
                        header: header.clone(),
                    };
                    self.take_batch(candidate, height)?;
                } else if *claimed != Some(item.transaction) {
                    *claimed = Some(item.transaction);
                }
            }
            Object::Forced { network, payload } => {
                if *claimed != Some(item.transaction) {
                    *claimed = Some(item.transaction);
                    let paid = item.fee_sat >= self.parameters.forced_fee
                        && *network == self.parameters.network;
                    let message = ForcedPart {
                        id: B256::new(forced_id(self.parameters.network, &item.wtxid)),
                        payload: Bytes::copy_from_slice(payload),
                        paid,
                    };
                    if let Some(record) = self.state.l1.records.last_mut() {
                        record.origin.forced.push(message);
                    }
                }
            }
            other => self
                .state
                .keys
                .take(&self.parameters, other, height, self.verifier),
        }
        Ok(())
    }

    fn take_batch(&mut self, candidate: Candidate, height: u64) -> Result<(), Stopped> {
        let State { selector, head, .. } = &mut self.state;
        if let Looked::Candidate(candidate) = selector.look(&self.parameters, head, candidate) {
            if self.judge(&candidate, height)? {
                self.judge_held(height)?;
            }
        }
        Ok(())
    }

    fn judge_held(&mut self, height: u64) -> Result<(), Stopped> {
        loop {
            let State { selector, head, .. } = &mut self.state;
            let Some(candidate) = selector.next_held(&self.parameters, head) else {
                return Ok(());
            };
            self.judge(&candidate, height)?;
        }
    }

    /// Takes the batch program's word on a candidate.
    fn judge(&mut self, candidate: &Candidate, height: u64) -> Result<bool, Stopped> {
        let header = &candidate.header;
        let last_origin = u64::from(header.last_origin);
        let statement = self.verdict(B256::new(header.signing_hash()), last_origin)?;
        let accepted = if let Verdict::Accepted { tip, facts } = statement.verdict {
            self.state.head = Head {
                height: header.first_height - 1 + u64::from(header.block_count),
                hash: tip,
                origin_height: last_origin,
                facts,
                queue: statement.queue_after,
            };
            true
        } else {
            false
        };
        self.state
            .selector
            .judged(&self.parameters, candidate, accepted, height);
        Ok(accepted)
    }

    /// Automatic blocks of every origin up to depth C.
    fn break_silence(&mut self, height: u64) -> Result<(), Stopped> {
        let newest = height.saturating_sub(self.parameters.finality_depth);
        if self.state.head.origin_height >= newest {
            return Ok(());
        }
        let statement = self.verdict(B256::ZERO, newest)?;
        let Verdict::Accepted { tip, facts } = statement.verdict else {
            return Err(Stopped("automatic blocks cannot be refused"));
        };
        let (number, _) = self.header(tip)?;
        self.state.head = Head {
            height: number,
            hash: tip,
            origin_height: newest,
            facts,
            queue: statement.queue_after,
        };
        self.state.selector.refused.clear();
        self.judge_held(height)
    }

    /// The proved statement of a batch, or of an automatic range, upon the tip that ends with `last_origin`.
    fn verdict(&mut self, header_id: B256, last_origin: u64) -> Result<Statement, Stopped> {
        let given = self
            .verdicts
            .next()
            .ok_or(Stopped("a verdict is missing"))?;
        let statement = Statement::decode(&given).map_err(|invalid| Stopped(invalid.0))?;
        let head = &self.state.head;
        let mut l1 = L1Digest::default();
        for height in head.origin_height + 1..=last_origin {
            let record = self
                .state
                .record(height)
                .ok_or(Stopped("an origin is not kept"))?;
            let origin = record
                .origin
                .origin(height)
                .ok_or(Stopped("a header has 80 bytes"))?;
            l1.take(&origin);
        }
        let about = statement.network == self.parameters.network
            && statement.rules == self.parameters.rules
            && statement.header_id == header_id
            && statement.parent == head.hash
            && statement.parent_facts == head.facts
            && statement.queue_before == head.queue
            && statement.l1 == l1.0;
        if !about {
            return Err(Stopped("a verdict is about something else than was asked"));
        }
        if !self.verifier.is_proved(&self.batch_key, &given) {
            return Err(Stopped("a verdict is not proved"));
        }
        Ok(statement)
    }

    /// Number and state root of a block, from the next header given.
    fn header(&mut self, hash: B256) -> Result<(u64, B256), Stopped> {
        let given = self.headers.next().ok_or(Stopped("a header is missing"))?;
        header_of(&given, hash).ok_or(Stopped("a header is not the one that was asked for"))
    }
}
