//! All that a block read of the state before it, so that it can be executed again from that alone.
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::time::Instant;

use alloy_primitives::{keccak256, Address, Bytes, B256, U256};
use bedroll_core::block::Block;
use bedroll_core::ethereum::{OpenEthereumBlock, Schedule};
use bedroll_core::forced::Queue;
use bedroll_core::profile::Rules;
use bedroll_core::state::{Account, Lookup, State, StateSource};
use bedroll_core::stf::{CallError, Replay};
use bedroll_core::trie::{Path, SourceError};
use revm::inspector::NoOpInspector;
use serde::Serialize;

use super::trace::{end_of, Output, TraceBounds};
use super::{Engine, EngineError};
use crate::PastNodes;

/// What `debug_executionWitness` gives.
#[derive(Debug, Default, Serialize)]
pub struct ExecutionWitness {
    /// Nodes of the tries, by their keccak.
    pub state: Vec<Bytes>,
    /// Codes, by their keccak.
    pub codes: Vec<Bytes>,
    /// Addresses, and slots as 32 bytes, that were asked for.
    pub keys: Vec<Bytes>,
    /// RLP of the parent's header and of those before it whose hash was asked for, oldest first.
    pub headers: Vec<Bytes>,
}

/// A source that answers from tries alone and notes what it gave.
struct Noting {
    nodes: PastNodes,
    noted: RefCell<Noted>,
}

#[derive(Default)]
struct Noted {
    witness: ExecutionWitness,
    parts: BTreeSet<B256>,
    keys: BTreeSet<Bytes>,
    oldest: Option<u64>,
}

impl Noting {
    fn key(&self, key: &[u8]) {
        let key = Bytes::copy_from_slice(key);
        let mut noted = self.noted.borrow_mut();
        if noted.keys.insert(key.clone()) {
            noted.witness.keys.push(key);
        }
    }
}

impl StateSource for Noting {
    fn account(&self, address: &Address) -> Result<Lookup<Option<Account>>, SourceError> {
        self.key(address.as_slice());
        Ok(Lookup::AskTrie)
    }

    fn slot(&self, _address: &Address, slot: &U256) -> Result<Lookup<U256>, SourceError> {
        self.key(&slot.to_be_bytes::<32>());
        Ok(Lookup::AskTrie)
    }

    fn code(&self, hash: &B256) -> Result<Option<Bytes>, SourceError> {
        let code = self.nodes.code(hash)?;
        let mut noted = self.noted.borrow_mut();
        if let Some(code) = code.as_ref().filter(|_| noted.parts.insert(*hash)) {
            noted.witness.codes.push(code.clone());
        }
        Ok(code)
    }

    fn block_hash(&self, height: u64) -> Result<Option<B256>, SourceError> {
        let mut noted = self.noted.borrow_mut();
        noted.oldest = Some(noted.oldest.map_or(height, |oldest| oldest.min(height)));
        self.nodes.block_hash(height)
    }

    fn node(
        &self,
        owner: Option<&B256>,
        path: &Path,
        hash: &B256,
    ) -> Result<Option<Vec<u8>>, SourceError> {
        let node = self.nodes.node(owner, path, hash)?;
        let mut noted = self.noted.borrow_mut();
        // What is not the node with this hash is refused by who asked for it.
        if let Some(rlp) = node.as_ref().filter(|rlp| keccak256(rlp) == *hash) {
            if noted.parts.insert(*hash) {
                noted.witness.state.push(Bytes::copy_from_slice(rlp));
            }
        }
        Ok(node)
    }
}

impl Engine {
    /// Executes a sealed block again upon its parent's tries and gives what it read of them, as JSON.
    ///
    /// # Errors
    /// No such block, its parent's state is not kept or lies more than `changes_max` accounts back, or a bound is
    /// reached (`limit`).
    pub fn execution_witness(
        &self,
        height: u64,
        changes_max: usize,
        bounds: &TraceBounds,
    ) -> Result<Vec<u8>, EngineError> {
        let end = end_of(bounds);
        let (block, parent, queue) = self.before(height)?;
        let parent_height = parent.height();
        let header = super::tip_facts(&parent, parent_height)?.header;
        let source = Noting {
            nodes: parent.nodes(changes_max)?,
            noted: RefCell::default(),
        };
        let mut state = State::new(header.state_root, source);
        let in_time = || {
            if Instant::now() <= end {
                return Ok(());
            }
            let seconds = bounds.time.as_secs_f64();
            let text = format!("execution timeout: a witness may take {seconds} s");
            Err(EngineError::invalid("limit", text))
        };
        match self.schedule() {
            Some(schedule) => run_ethereum(schedule, &block, &mut state, in_time)?,
            None => {
                let rules = self.rules_of(&block.header);
                run_own(&rules, &block, queue, &mut state, in_time)?;
            }
        }
        let (root, _) = state.seal()?;
        if root != block.header.state_root {
            return Err(EngineError::Corrupt(format!(
                "block {height} gave the state root {root}, its header says {}",
                block.header.state_root
            )));
        }
        let noted = state.source().noted.take();
        let mut witness = noted.witness;
        let oldest = noted.oldest.unwrap_or(parent_height).min(parent_height);
        for height in oldest..=parent_height {
            let missing = || EngineError::Corrupt(format!("block {height} is not stored"));
            let header = self.header(height)?.ok_or_else(missing)?;
            witness.headers.push(alloy_rlp::encode(&header).into());
        }
        let mut output = Output::new(bounds.result_bytes);
        output.value(&witness)?;
        Ok(output.into_bytes())
    }
}

/// Executes a block of this chain upon its parent's state.
fn run_own<S: StateSource>(
    rules: &Rules,
    block: &Block,
    queue: Queue,
    state: &mut State<S>,
    in_time: impl Fn() -> Result<(), EngineError>,
) -> Result<(), EngineError> {
    let mut replay = Replay::begin(rules, block, queue, state)?;
    while replay.next() < block.transactions.len() {
        in_time()?;
        let subject = replay.subject(state)?;
        let ran = subject.inspect(state, NoOpInspector);
        replay.settle(state, ran.map_err(CallError::from)?)?;
    }
    Ok(replay.finish(state)?)
}

/// The same of a block of Ethereum's own, requests, withdrawals and rewards with it.
fn run_ethereum<S: StateSource>(
    schedule: &Schedule,
    block: &Block,
    state: &mut State<S>,
    in_time: impl Fn() -> Result<(), EngineError>,
) -> Result<(), EngineError> {
    let mut open = OpenEthereumBlock::begin(schedule, &block.header, state, false)?;
    for transaction in &block.transactions {
        in_time()?;
        open.add((**transaction).clone(), state)??;
    }
    let part = block.ethereum.as_ref();
    let withdrawals = part.and_then(|part| part.withdrawals.as_deref());
    let ommers = part.map_or(&[][..], |part| &part.ommers);
    open.finish(withdrawals.unwrap_or_default(), ommers, state)?;
    Ok(())
}
