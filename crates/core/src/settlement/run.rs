//! The program: L1 blocks in, the tip of L2 out.
use alloc::vec::{self, Vec};
use core::fmt;

use alloy_primitives::{Bytes, B256};

use super::block::{L1Facts, L1Part};
use super::chain;
use super::input::SettlementInput;
use super::parameter::Parameters;
use super::selector::Candidate;
use super::series::{self, Came};
use super::state::{header_of, Head, Place, Shown, State};
use super::statement::Settled;
use crate::object::{self, forced_id, Form, Object};
use crate::program::{ForcedPart, L1Digest, Statement, Verdict};

/// What the machine does for the program.
pub trait Verifier {
    /// Whether a BIP-0340 signature is valid.
    fn schnorr(&self, key: &[u8; 32], message: &[u8; 32], signature: &[u8; 64]) -> bool;

    /// Whether the program with this verification key has proved a statement.
    fn is_proved(&mut self, key: &B256, statement: &[u8]) -> bool;

    /// Whether a posted proof holds. Anybody may have posted anything: it is judged and never ends the run, but a compressed
    /// one, which only networks for tests take.
    fn is_shown(&mut self, posted: &Posted<'_>) -> bool;
}

/// A proof that was posted on Bitcoin.
#[derive(Debug, Clone, Copy)]
pub struct Posted<'a> {
    /// Verification key of the program.
    pub key: &'a B256,
    /// Verification key of the Groth16 circuit.
    pub circuit: &'a [u8],
    /// 1 Groth16, 2 compressed.
    pub system: u8,
    /// What it says.
    pub statement: &'a [u8],
    /// What shows it.
    pub proof: &'a [u8],
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
        counted: 0,
        advanced: false,
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
    place: Place,
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
    /// Proofs of the L1 block at hand that paid and named a body.
    counted: u64,
    /// Whether the proven head advanced in it.
    advanced: bool,
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
        self.state.open_batches(&self.parameters, height);
        series::expire(&self.parameters, &mut self.state.series, height);
        (self.counted, self.advanced) = (0, false);
        let mut claimed = None;
        for item in self.items(&facts) {
            self.take(&item, &mut claimed)?;
        }
        let full = self.counted >= self.parameters.proofs_max;
        let ended = (self.state.proven).close_block(&self.parameters, height, self.advanced, full);
        if !ended && self.state.selector.is_silent(&self.parameters, height) {
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
            for carried in &transaction.objects {
                let Ok(raw) = &carried.object else { continue };
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
                    place: Place {
                        height,
                        transaction: transaction.index,
                        input: carried.input,
                    },
                    wtxid: transaction.wtxid,
                    fee_sat: transaction.fee_paid_sat,
                    object,
                });
            }
        }
        items
    }

    /// Takes an object. `claimed`: the transaction whose fee is taken already.
    fn take(&mut self, item: &Item, claimed: &mut Option<u32>) -> Result<(), Stopped> {
        let leader = self.state.keys.leader;
        let leaders = match &item.object {
            Object::Batch {
                header,
                leader_key,
                signature,
                ..
            } => {
                *leader_key == leader.0
                    && self
                        .verifier
                        .schnorr(leader_key, &header.signing_hash(), signature)
            }
            _ => false,
        };
        let bears = matches!(
            item.object,
            Object::Batch { .. } | Object::Forced { .. } | Object::Proof { .. }
        );
        if bears && !leaders {
            if *claimed == Some(item.place.transaction) {
                return Ok(());
            }
            *claimed = Some(item.place.transaction);
        }
        let lives = self.state.proven.ended == 0;
        match &item.object {
            Object::Batch { header, .. } if leaders && lives => {
                let candidate = Candidate {
                    place: item.place,
                    leader,
                    header: header.clone(),
                    proof: None,
                };
                let candidate = self.state.look(&self.parameters, candidate);
                candidate.map_or(Ok(()), |candidate| self.judge_and_held(&candidate))
            }
            Object::Proof {
                statement: 1,
                system,
                public_values,
                proof,
            } if lives => {
                let candidate = self.shown(item, *system, public_values, proof);
                candidate.map_or(Ok(()), |candidate| self.judge_and_held(&candidate))
            }
            Object::Forced { network, payload } => {
                self.enqueue(item, *network, payload);
                Ok(())
            }
            other => {
                self.state
                    .keys
                    .take(&self.parameters, other, item.place.height, self.verifier);
                Ok(())
            }
        }
    }

    fn enqueue(&mut self, item: &Item, network: u8, payload: &[u8]) {
        let message = ForcedPart {
            id: B256::new(forced_id(self.parameters.network, &item.wtxid)),
            payload: Bytes::copy_from_slice(payload),
            paid: item.fee_sat >= self.parameters.forced_fee && network == self.parameters.network,
        };
        if let Some(record) = self.state.l1.records.last_mut() {
            record.origin.forced.push(message);
        }
    }

    /// A posted proof: what it says is looked at before it is verified. Gives the batch that it lets judge now.
    fn shown(&mut self, item: &Item, system: u8, values: &[u8], proof: &[u8]) -> Option<Candidate> {
        if item.fee_sat < self.parameters.proof_fee
            || !self.parameters.proof_systems.contains(&system)
        {
            return None;
        }
        let statement = Statement::decode(values).ok()?;
        let bodies = self.state.named(&statement.header_id);
        let oldest = bodies.first()?.clone();
        if self.counted >= self.parameters.proofs_max {
            return None;
        }
        self.counted += 1;
        let shown = Shown {
            height: item.place.height,
            statement: Bytes::copy_from_slice(values),
        };
        let at_tip = oldest.parsed()?.first_height == self.state.head.height + 1;
        let candidate = if at_tip {
            let State { selector, head, .. } = &self.state;
            let mut fitting = bodies
                .iter()
                .filter_map(|body| body.candidate(Some(shown.clone())));
            let candidate =
                fitting.find(|candidate| selector.fits(&self.parameters, head, candidate))?;
            self.is_about(&candidate, &statement).then_some(())?;
            Some(candidate)
        } else if self.state.selector.holds(&oldest.header, values) {
            return None;
        } else {
            None
        };
        let accepts = matches!(statement.verdict, Verdict::Accepted { .. })
            && statement.network == self.parameters.network
            && statement.rules == self.parameters.rules;
        let posted = Posted {
            key: &self.batch_key,
            circuit: &self.parameters.circuit,
            system,
            statement: values,
            proof,
        };
        if !accepts || !self.verifier.is_shown(&posted) {
            return None;
        }
        if candidate.is_none() {
            self.state
                .selector
                .hold(&self.parameters, oldest, Some(shown));
        }
        candidate
    }

    /// Whether what a proof says is about this batch upon this tip.
    fn is_about(&self, candidate: &Candidate, statement: &Statement) -> bool {
        let (header, head) = (&candidate.header, &self.state.head);
        let tip = matches!(statement.verdict, Verdict::Accepted { tip, .. } if tip.0 == header.tip_l2_hash);
        tip && statement.parent == head.hash
            && statement.parent_facts == head.facts
            && self.l1_digest(u64::from(header.last_origin)) == Ok(statement.l1)
    }

    fn judge_and_held(&mut self, candidate: &Candidate) -> Result<(), Stopped> {
        if self.judge(candidate)? {
            self.judge_held()?;
        }
        Ok(())
    }

    fn judge_held(&mut self) -> Result<(), Stopped> {
        while let Some(candidate) = self.state.next_held(&self.parameters) {
            let proved = candidate
                .proof
                .as_ref()
                .map(|proof| Statement::decode(&proof.statement));
            let misproved = match proved {
                Some(Ok(statement)) => !self.is_about(&candidate, &statement),
                Some(Err(_)) => true,
                None => false,
            };
            if !misproved {
                self.judge(&candidate)?;
            }
        }
        Ok(())
    }

    /// Takes the batch program's word on a candidate: its proof's, or that of a verdict that is given.
    fn judge(&mut self, candidate: &Candidate) -> Result<bool, Stopped> {
        let header = &candidate.header;
        let (first, last_origin) = (header.first_height, u64::from(header.last_origin));
        let statement = match &candidate.proof {
            Some(proof) => {
                Statement::decode(&proof.statement).map_err(|invalid| Stopped(invalid.0))?
            }
            None => self.verdict(B256::new(header.signing_hash()), last_origin)?,
        };
        let height = self.state.l1.height;
        let Verdict::Accepted { tip, facts } = statement.verdict else {
            self.state
                .judged(&self.parameters, candidate, false, height);
            return Ok(false);
        };
        self.state.head = Head {
            height: first - 1 + u64::from(header.block_count),
            hash: tip,
            origin_height: last_origin,
            facts,
            queue: statement.queue_after,
        };
        if header.form == Form::Proven {
            self.advanced |= self.state.proven.cover(first, &self.state.head);
        }
        self.state.judged(&self.parameters, candidate, true, height);
        Ok(true)
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
        self.state.overtaken();
        self.state.selector.refused.clear();
        self.judge_held()
    }

    /// The proved statement of a batch, or of an automatic range, upon the tip that ends with `last_origin`.
    fn verdict(&mut self, header_id: B256, last_origin: u64) -> Result<Statement, Stopped> {
        let given = self
            .verdicts
            .next()
            .ok_or(Stopped("a verdict is missing"))?;
        let statement = Statement::decode(&given).map_err(|invalid| Stopped(invalid.0))?;
        let l1 = self.l1_digest(last_origin)?;
        let head = &self.state.head;
        let about = statement.network == self.parameters.network
            && statement.rules == self.parameters.rules
            && statement.header_id == header_id
            && statement.parent == head.hash
            && statement.parent_facts == head.facts
            && statement.queue_before == head.queue
            && statement.l1 == l1;
        if !about {
            return Err(Stopped("a verdict is about something else than was asked"));
        }
        if !self.verifier.is_proved(&self.batch_key, &given) {
            return Err(Stopped("a verdict is not proved"));
        }
        Ok(statement)
    }

    /// Digest of the origins after the tip's up to this one.
    fn l1_digest(&self, last_origin: u64) -> Result<B256, Stopped> {
        let mut l1 = L1Digest::default();
        for height in self.state.head.origin_height + 1..=last_origin {
            let record = self
                .state
                .record(height)
                .ok_or(Stopped("an origin is not kept"))?;
            let origin = record.origin.origin(height);
            l1.take(&origin.ok_or(Stopped("an origin's header has not 80 bytes"))?);
        }
        Ok(l1.0)
    }

    /// Number and state root of a block, from the next header given.
    fn header(&mut self, hash: B256) -> Result<(u64, B256), Stopped> {
        let given = self.headers.next().ok_or(Stopped("a header is missing"))?;
        header_of(&given, hash).ok_or(Stopped("a header is not the one that was asked for"))
    }
}
