//! The program: a batch or an automatic range upon its parent, to a verdict.
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cell::RefCell;
use core::fmt;

use alloy_consensus::Header;
use alloy_primitives::{Address, B256, U256};
use sha2::{Digest, Sha256};

use super::input::{BatchPart, Input, Job};
use super::range::L1Digest;
use super::statement::{facts_digest, rules_digest, QueueDigest, Rejection, Statement, Verdict};
use super::witness::{ProgramSource, Recorder, Witness, WitnessSource};
use crate::block::{Origin, Tail};
use crate::codec::{self, ChainView, Decoded, BASE_FEES_MAX};
use crate::forced::{Queue, WaitingList};
use crate::hook;
use crate::object::{BatchHeader, Form};
use crate::profile::Rules;
use crate::state::{State, StateError, StateSource};
use crate::stf::{next_base_fee, time_bounds, BlockError, OpenBlock, Opening};
use crate::transaction::{Transaction, TransactionError};
use crate::trie::SourceError;

/// There is no verdict: what only the prover knows is missing or does not fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Aborted {
    /// The input contradicts itself.
    Input(&'static str),
    /// The witness lacks what was read.
    State(StateError),
}

impl From<StateError> for Aborted {
    fn from(error: StateError) -> Self {
        Self::State(error)
    }
}

impl fmt::Display for Aborted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Input(what) => f.write_str(what),
            Self::State(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for Aborted {}

/// Why a batch is not accepted, or why there is no verdict.
enum Stop {
    Rejected(Rejection),
    Aborted(Aborted),
}

impl From<StateError> for Stop {
    fn from(error: StateError) -> Self {
        Self::Aborted(error.into())
    }
}

impl From<Aborted> for Stop {
    fn from(aborted: Aborted) -> Self {
        Self::Aborted(aborted)
    }
}

/// Runs the program upon the input's own witness.
///
/// # Errors
/// [`Aborted`]: the input does not hold together; nothing is said of the batch.
pub fn run(mut input: Input) -> Result<Statement, Aborted> {
    let witness = core::mem::take(&mut input.witness);
    let (root, parent) = parent_of(&input)?;
    let source = WitnessSource::new(witness, root, parent)
        .ok_or(Aborted::Input("a part of a trie is malformed"))?;
    run_upon(&input, source).map(|(statement, _)| statement)
}

/// Runs the program upon a source that has the parent's state; gives the witness that others need to run it.
///
/// `book` gives the address at an index of the AddressBook.
///
/// # Errors
/// As [`run`].
pub fn record<S, B>(input: &Input, source: S, book: B) -> Result<(Statement, Witness), Aborted>
where
    S: StateSource,
    B: Fn(u64) -> Result<Option<Address>, SourceError>,
{
    let (root, parent) = parent_of(input)?;
    let (statement, recorder) = run_upon(input, Recorder::new(source, book, root, parent))?;
    let witness = recorder.into_witness().map_err(StateError::Trie)?;
    Ok((statement, witness))
}

fn parent_of(input: &Input) -> Result<(B256, (u64, B256)), Aborted> {
    let header = (input.ancestors.first()).ok_or(Aborted::Input("there is no parent"))?;
    Ok((header.state_root, (header.number, header.hash_slow())))
}

fn run_upon<S: ProgramSource>(input: &Input, source: S) -> Result<(Statement, S), Aborted> {
    let mut chain = Chain::begin(input, source)?;
    let origins = origins(input, chain.tail.origin_height)?;
    let mut l1 = L1Digest::default();
    origins.iter().for_each(|origin| l1.take(origin));
    let queue_before = chain.queue()?;
    chain.open_queue(input, queue_before)?;
    let parent_facts = facts_digest(&input.tail);
    let parent = chain.hash;
    let (header_id, ran) = match &input.job {
        Job::Automatic => (B256::ZERO, chain.automatic(&origins)),
        Job::Batch(part) => {
            let header = BatchHeader::decode(&part.header)
                .map_err(|_| Aborted::Input("the batch has no valid header"))?;
            fits(&header, part, &chain, &origins)?;
            (
                B256::new(header.signing_hash()),
                chain.batch(&header, part, &origins),
            )
        }
    };
    let verdict = match ran {
        Ok(()) => Verdict::Accepted {
            tip: chain.hash,
            facts: facts_digest(&chain.tail),
        },
        Err(Stop::Rejected(rejection)) => Verdict::Rejected(rejection),
        Err(Stop::Aborted(aborted)) => return Err(aborted),
    };
    let queue_after = match verdict {
        Verdict::Accepted { .. } => chain.queue()?,
        Verdict::Rejected(_) => queue_before,
    };
    let statement = Statement {
        network: input.rules.network,
        rules: rules_digest(&input.rules),
        header_id,
        parent,
        parent_facts,
        l1: l1.0,
        queue_before,
        queue_after,
        verdict,
    };
    Ok((statement, chain.state.into_source()))
}

/// Origins with their heights. That they are L1's is for whoever compares the digest.
fn origins(input: &Input, parent: u64) -> Result<Vec<Origin>, Aborted> {
    let parts = input.origins.iter().zip(parent + 1..);
    parts
        .map(|(part, height)| {
            let origin = part.origin(height);
            origin.ok_or(Aborted::Input("an origin's header has not 80 bytes"))
        })
        .collect()
}

/// What a batch must be to be judged at all: derivation sees to the rest before.
fn fits<S: ProgramSource>(
    header: &BatchHeader,
    part: &BatchPart,
    chain: &Chain<S>,
    origins: &[Origin],
) -> Result<(), Aborted> {
    let last = chain.tail.origin_height + origins.len() as u64;
    let body_hash: [u8; 32] = Sha256::digest(&part.body).into();
    let misfit = if header.network != chain.rules.network {
        "the batch is for another network"
    } else if header.parent_l2_hash != chain.hash.0 {
        "the batch has another parent"
    } else if header.first_height != chain.header.number + 1 {
        "the batch begins at another height"
    } else if u64::from(header.last_origin) != last {
        "the origins are not those that the batch takes in"
    } else if header.body_hash != body_hash {
        "the body is not the one that was signed"
    } else {
        return Ok(());
    };
    Err(Aborted::Input(misfit))
}

/// The chain as it grows.
struct Chain<S> {
    rules: Arc<Rules>,
    state: State<S>,
    header: Header,
    hash: B256,
    tail: Tail,
    waiting: WaitingList,
    /// Base fees of the newest blocks, newest first.
    base_fees: Vec<u64>,
}

impl<S: ProgramSource> Chain<S> {
    /// The parent, with what its header says of the state.
    fn begin(input: &Input, source: S) -> Result<Self, Aborted> {
        let header = (input.ancestors.first())
            .ok_or(Aborted::Input("there is no parent"))?
            .clone();
        let hash = header.hash_slow();
        for pair in input.ancestors.windows(2) {
            if pair[0].parent_hash != pair[1].hash_slow() {
                return Err(Aborted::Input("the ancestors are no chain"));
            }
        }
        let wanted = (header.number + 1).min(BASE_FEES_MAX as u64 - 1);
        if input.ancestors.len() as u64 != wanted {
            return Err(Aborted::Input(
                "there are more or fewer ancestors than the codec asks for",
            ));
        }
        if header.parent_beacon_block_root != Some(input.tail.origin_hash) {
            return Err(Aborted::Input("the parent has another origin"));
        }
        let fees = input.ancestors.iter();
        Ok(Self {
            rules: Arc::new(input.rules.clone()),
            state: State::unstored(header.state_root, source),
            hash,
            tail: input.tail.clone(),
            waiting: WaitingList::default(),
            base_fees: fees
                .map(|header| header.base_fee_per_gas.unwrap_or_default())
                .collect(),
            header,
        })
    }

    fn queue(&mut self) -> Result<QueueDigest, StateError> {
        Ok(hook::read_queue(&mut self.state, self.rules.light_client)?.into())
    }

    /// Takes the messages that wait, if they are those of the queue's chain.
    fn open_queue(&mut self, input: &Input, at_parent: QueueDigest) -> Result<(), Aborted> {
        let mut queue = Queue {
            acc: input.waiting_acc,
            enqueued: at_parent.done,
            ..Queue::default()
        };
        input
            .waiting
            .iter()
            .for_each(|message| queue.enqueue(message));
        if queue.acc != at_parent.acc || queue.enqueued != at_parent.enqueued {
            return Err(Aborted::Input("other messages wait than those given"));
        }
        self.waiting = WaitingList {
            first: at_parent.done,
            messages: input.waiting.clone(),
        };
        Ok(())
    }

    /// Every block of a posted batch.
    fn batch(
        &mut self,
        header: &BatchHeader,
        part: &BatchPart,
        origins: &[Origin],
    ) -> Result<(), Stop> {
        let body = self.decode(header, part)?;
        let mut signatures = part.signatures.as_ref();
        let mut next = origins.iter();
        let first = body.frames.first().is_some_and(|frame| frame.origin_step);
        let steps = body.frames.iter().filter(|frame| frame.origin_step).count();
        let first_origin = self.tail.origin_height + u64::from(first);
        if u64::from(header.first_origin) != first_origin || steps != origins.len() {
            return Err(Stop::Rejected(Rejection::Origins));
        }
        for (index, frame) in body.frames.iter().enumerate() {
            let origin = if frame.origin_step { next.next() } else { None };
            let rate = origin.map_or(self.tail.l1_rate, |origin| origin.l1_rate);
            let mut fees = alloc::vec![next_base_fee(&self.rules, &self.header, rate)];
            fees.extend_from_slice(&self.base_fees);
            let transactions = transactions(&body, index, &fees, &mut signatures)?;
            self.block(frame.timestamp, origin, false, transactions)?;
        }
        if !signatures.is_empty() {
            return Err(Aborted::Input("there are more signatures than transactions").into());
        }
        if self.hash.0 != header.tip_l2_hash {
            return Err(Stop::Rejected(Rejection::Tip));
        }
        Ok(())
    }

    /// The body as blocks, upon the AddressBook and the nonces of the parent.
    fn decode(&mut self, header: &BatchHeader, part: &BatchPart) -> Result<Decoded, Stop> {
        let view = Parent {
            state: RefCell::new(&mut self.state),
            rules: &self.rules,
            timestamp: self.header.timestamp,
            length: self.tail.book_length,
            failed: RefCell::new(None),
        };
        let decoded = codec::decode(&view, header.block_count, header.form, &part.body);
        if let Some(aborted) = view.failed.into_inner() {
            return Err(aborted.into());
        }
        decoded.map_err(|_| Stop::Rejected(Rejection::Body))
    }

    /// Automatic blocks of each origin (docs/spec/derivation.md): more while the queue is not empty.
    fn automatic(&mut self, origins: &[Origin]) -> Result<(), Stop> {
        for origin in origins {
            for count in 0..self.rules.automatic_blocks_max {
                let (lowest, _) =
                    time_bounds(&self.rules, self.header.timestamp, origin.median_time);
                let step = (count == 0).then_some(origin);
                self.block(lowest, step, true, Vec::new())?;
                if self.tail.queue_done == self.tail.queue_enqueued {
                    break;
                }
            }
        }
        Ok(())
    }

    /// One block on top.
    fn block(
        &mut self,
        timestamp: u64,
        origin: Option<&Origin>,
        automatic: bool,
        transactions: Vec<Transaction>,
    ) -> Result<(), Stop> {
        let opening = Opening {
            parent: &self.header,
            parent_hash: self.hash,
            tail: &self.tail,
            timestamp,
            origin,
            automatic,
        };
        let begun = OpenBlock::begin(self.rules.clone(), &mut self.state, &self.waiting, &opening);
        let mut open = begun.map_err(|error| match error {
            BlockError::Rule(_) => Stop::Rejected(Rejection::Block),
            BlockError::State(error) => error.into(),
        })?;
        let outcomes = open.add(&mut self.state, transactions)?;
        if outcomes.iter().any(Result::is_err) {
            return Err(Stop::Rejected(Rejection::Transaction));
        }
        let (block, _) = open.seal(&mut self.state)?;
        self.state
            .source_mut()
            .sealed(block.header.number, block.hash);
        self.waiting.messages.extend(block.enqueued);
        self.base_fees
            .insert(0, block.header.base_fee_per_gas.unwrap_or_default());
        self.base_fees.truncate(BASE_FEES_MAX - 1);
        self.header = block.header;
        self.hash = block.hash;
        self.tail = block.tail;
        Ok(())
    }
}

/// Transactions of a block of a batch, each signed by whom it names.
///
/// A false signature in a body is the batch's fault; a missing or false one in the private input is the prover's.
fn transactions(
    body: &Decoded,
    index: usize,
    fees: &[u64],
    signatures: &mut &[u8],
) -> Result<Vec<Transaction>, Stop> {
    let broken = |_| Stop::Rejected(Rejection::Body);
    match body.form {
        Form::Proven => {
            let proved = body.proved(index, fees, signatures).map_err(broken)?;
            let missing = Aborted::Input("a signature is missing or another's");
            proved.ok_or(missing.into())
        }
        Form::Signed => {
            let envelopes = body.envelopes(index, fees).map_err(broken)?;
            let recovered: Result<_, TransactionError> =
                envelopes.into_iter().map(Transaction::recovered).collect();
            recovered.map_err(|_| Stop::Rejected(Rejection::Transaction))
        }
    }
}

/// The parent as the codec sees it. The first thing that the witness lacks is kept until the codec is done.
struct Parent<'a, S> {
    state: RefCell<&'a mut State<S>>,
    rules: &'a Rules,
    timestamp: u64,
    length: u64,
    failed: RefCell<Option<Aborted>>,
}

impl<S: ProgramSource> Parent<'_, S> {
    fn kept<T: Default>(&self, answer: Result<T, impl Into<Aborted>>) -> T {
        answer.unwrap_or_else(|error| {
            self.failed.borrow_mut().get_or_insert(error.into());
            T::default()
        })
    }

    /// The address that the prover names, if the book says the same.
    fn entry(&self, index: u64) -> Result<Option<Address>, Aborted> {
        if index >= self.length {
            return Ok(None);
        }
        let wrong = Aborted::Input("an address of the book is missing or another");
        let mut state = self.state.borrow_mut();
        let address = state
            .source()
            .book_address(index)
            .map_err(StateError::Source)?;
        let address = address.ok_or(wrong.clone())?;
        let slot = hook::book_slot(address);
        let found = state.slot(&self.rules.address_book, &slot)?;
        if found != U256::from(index + 1) {
            return Err(wrong);
        }
        Ok(Some(address))
    }
}

impl<S: ProgramSource> ChainView for Parent<'_, S> {
    fn chain_id(&self) -> u64 {
        self.rules.chain_id
    }

    fn parent_timestamp(&self) -> u64 {
        self.timestamp
    }

    fn book_address(&self, index: u32) -> Option<Address> {
        self.kept(self.entry(u64::from(index)))
    }

    fn book_index(&self, address: &Address) -> Option<u32> {
        let slot = hook::book_slot(*address);
        let found = self
            .state
            .borrow_mut()
            .slot(&self.rules.address_book, &slot);
        let entry = self.kept(found.map(Some)).unwrap_or_default();
        entry
            .checked_sub(U256::from(1))
            .and_then(|index| u32::try_from(index).ok())
    }

    fn nonce(&self, address: &Address) -> u64 {
        let account = self.state.borrow_mut().account(address);
        self.kept(account).map_or(0, |account| account.nonce)
    }
}
