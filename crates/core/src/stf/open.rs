//! An open block: begun, filled, finished. Its state is the open layer of the [`State`] it is called with.
use alloc::{sync::Arc, vec, vec::Vec};
use alloy_consensus::Header;
use alloy_eips::eip2935::HISTORY_STORAGE_ADDRESS;
use alloy_eips::eip4788::BEACON_ROOTS_ADDRESS;
use alloy_primitives::{Address, Bloom, Bytes, B256};
use revm::context::result::EVMError;

use super::admission::{next_tail, RuleBroken};
use super::admit::{admit, effective_price};
use super::precompile::PrecompileMoves;
use super::record::Record;
use super::refused::Refused;
use super::run::{Ran, Runner, SYSTEM_CALLER};
use super::setting::{BlockSetting, BLOB_BASE_FEE_MIN};
use crate::block::{Block, Origin, Tail};
use crate::fee;
use crate::forced::{Ended, Message, Queue, ReadQueue};
use crate::header::{self, HeaderEnd, HeaderStart};
use crate::hook;
use crate::profile::Rules;
use crate::receipt::Receipt;
use crate::state::{State, StateError, StateSource, WriteSet};
use crate::transaction::{OriginCall, OriginFacts, Transaction, ORIGIN_GAS};

/// Gas of the calls to the contracts of EIP-4788 and EIP-2935.
pub(super) const SYSTEM_GAS: u64 = 30_000_000;

/// Why a block could not be begun.
#[derive(Debug)]
pub enum BlockError {
    /// It breaks a rule.
    Rule(RuleBroken),
    /// The state or the queue could not be read.
    State(StateError),
}

impl From<StateError> for BlockError {
    fn from(error: StateError) -> Self {
        Self::State(error)
    }
}

/// What a block is begun with.
#[derive(Debug)]
pub struct Opening<'a> {
    /// The parent's header.
    pub parent: &'a Header,
    /// The parent's hash.
    pub parent_hash: B256,
    /// The parent's facts.
    pub tail: &'a Tail,
    /// Seconds.
    pub timestamp: u64,
    /// The origin it takes in, if it is the first of one.
    pub origin: Option<&'a Origin>,
    /// Whether derivation makes it in silence.
    pub automatic: bool,
}

/// A block that transactions can be added to.
#[derive(Debug, Clone)]
pub struct OpenBlock {
    pub(super) rules: Arc<Rules>,
    pub(super) start: HeaderStart,
    pub(super) setting: BlockSetting,
    pub(super) tail: Tail,
    pub(super) origin_step: bool,
    pub(super) automatic: bool,
    pub(super) queue: Queue,
    pub(super) record: Record,
    pub(super) ended: Vec<Ended>,
    pub(super) forced_count: usize,
    pub(super) enqueued: Vec<Message>,
}

impl OpenBlock {
    /// Begins a block: system contracts, L1-info call, forced part.
    ///
    /// # Errors
    /// [`BlockError`]; of the open layer nothing is left to keep then.
    pub fn begin<S: StateSource>(
        rules: Arc<Rules>,
        state: &mut State<S>,
        waiting: &dyn ReadQueue,
        opening: &Opening<'_>,
    ) -> Result<Self, BlockError> {
        let tail = next_tail(&rules, opening).map_err(BlockError::Rule)?;
        let start = header_start(&rules, opening, &tail);
        let setting = BlockSetting {
            number: start.number,
            timestamp: start.timestamp,
            gas_limit: start.gas_limit,
            base_fee: start.base_fee,
            coinbase: start.coinbase,
            prev_randao: start.prev_randao(),
            blob_base_fee: BLOB_BASE_FEE_MIN,
            precompiles: PrecompileMoves::default(),
        };
        let queue = if rules.is_bedroll() {
            hook::read_queue(state, rules.light_client)?
        } else {
            Queue::default()
        };
        let mut open = Self {
            rules,
            start,
            setting,
            tail,
            origin_step: opening.origin.is_some(),
            automatic: opening.automatic,
            queue,
            record: Record::default(),
            ended: vec![],
            forced_count: 0,
            enqueued: vec![],
        };
        open.head_part(state, waiting, opening.origin)?;
        Ok(open)
    }

    /// Everything before the leader's transactions.
    fn head_part<S: StateSource>(
        &mut self,
        state: &mut State<S>,
        waiting: &dyn ReadQueue,
        origin: Option<&Origin>,
    ) -> Result<(), StateError> {
        let root = Bytes::copy_from_slice(self.start.origin_hash.as_slice());
        let parent = Bytes::copy_from_slice(self.start.parent_hash.as_slice());
        let mut runner = Runner::new(&self.rules, &self.setting, state);
        runner.system(BEACON_ROOTS_ADDRESS, root, SYSTEM_GAS)?;
        runner.system(HISTORY_STORAGE_ADDRESS, parent, SYSTEM_GAS)?;
        if !self.rules.is_bedroll() {
            return Ok(());
        }
        if let Some(origin) = origin {
            self.take_origin(state, origin)?;
        }
        if self.queue.done < self.queue.enqueued {
            self.forced_part(state, waiting)?;
            hook::write_queue(state, self.rules.light_client, &self.queue)?;
        }
        self.forced_count = self.record.transactions.len();
        self.tail.queue_enqueued = self.queue.enqueued;
        self.tail.queue_done = self.queue.done;
        Ok(())
    }

    /// Enqueues the origin's messages and runs the L1-info call.
    fn take_origin<S: StateSource>(
        &mut self,
        state: &mut State<S>,
        origin: &Origin,
    ) -> Result<(), StateError> {
        for message in &origin.forced {
            self.queue.enqueue(message);
            self.enqueued.push(message.clone());
        }
        hook::write_queue(state, self.rules.light_client, &self.queue)?;
        let facts = OriginFacts {
            height: origin.height,
            header: &origin.header,
            witness_root: origin.witness_root,
            l1_rate: origin.l1_rate,
            median_time: origin.median_time,
        };
        let call = OriginCall::new(self.rules.chain_id, self.rules.light_client, &facts);
        let data = call.input.clone();
        let mut runner = Runner::new(&self.rules, &self.setting, state);
        let ran = runner.system(self.rules.light_client, data, ORIGIN_GAS)?;
        let transaction = Transaction::of_origin(call, SYSTEM_CALLER);
        let free = Ran { gas_used: 0, ..ran };
        self.record.include(transaction.into(), free, 0, 0);
        Ok(())
    }

    /// Runs the leader's transactions in order; says of each the index of its receipt, or why it was left out.
    ///
    /// # Errors
    /// The state could not be read.
    pub fn add<S: StateSource>(
        &mut self,
        state: &mut State<S>,
        transactions: impl IntoIterator<Item = impl Into<Arc<Transaction>>>,
    ) -> Result<Vec<Result<usize, Refused>>, StateError> {
        let mut outcomes = vec![];
        let mut runner = Runner::new(&self.rules, &self.setting, state);
        for transaction in transactions {
            let transaction: Arc<Transaction> = transaction.into();
            let left = self.setting.gas_limit - self.record.gas_used;
            let split = admit(&self.rules, &transaction, &self.tail, &self.setting, left);
            let (data_gas, evm_gas) = match split {
                Ok(split) => split,
                Err(refused) => {
                    outcomes.push(Err(refused));
                    continue;
                }
            };
            match runner.leaders(&transaction, evm_gas, data_gas) {
                Ok(ran) => {
                    let price = effective_price(&transaction, self.setting.base_fee);
                    outcomes.push(Ok(self.record.receipts.len()));
                    self.record.include(transaction, ran, data_gas, price);
                }
                Err(EVMError::Database(error)) => return Err(error),
                Err(EVMError::Transaction(error)) => outcomes.push(Err(error.into())),
                Err(other) => outcomes.push(Err(Refused::new("rule", alloc::format!("{other}")))),
            }
        }
        Ok(outcomes)
    }

    /// A receipt by its index in the block.
    pub fn receipt(&self, index: usize) -> Option<&Receipt> {
        self.record.receipts.get(index)
    }

    /// What the EVM sees of it.
    pub fn setting(&self) -> &BlockSetting {
        &self.setting
    }

    /// Its rate.
    pub fn l1_rate(&self) -> u128 {
        self.tail.l1_rate
    }

    /// EVM gas that is left.
    pub fn gas_left(&self) -> u64 {
        self.setting.gas_limit - self.record.gas_used
    }

    /// How many transactions it has.
    pub fn len(&self) -> usize {
        self.record.transactions.len()
    }

    /// Whether it has no transaction at all.
    pub fn is_empty(&self) -> bool {
        self.record.transactions.is_empty()
    }

    /// Closes the block: hooks, state root, header.
    ///
    /// # Errors
    /// The state could not be read.
    pub fn seal<S: StateSource>(
        mut self,
        state: &mut State<S>,
    ) -> Result<(Block, WriteSet), StateError> {
        let (lists, ended) = end(&self.rules, &self.record, state)?;
        self.tail.book_length += ended.new_addresses.len() as u64;
        let header = self.start.seal(&HeaderEnd {
            state_root: ended.state_root,
            transactions_root: lists.transactions_root,
            receipts_root: lists.receipts_root,
            logs_bloom: lists.logs_bloom,
            gas_used: self.record.gas_used,
        });
        let block = Block {
            hash: header.hash_slow(),
            header,
            tail: self.tail,
            origin_step: self.origin_step,
            automatic: self.automatic,
            transactions: self.record.transactions,
            receipts: self.record.receipts,
            forced: self.ended,
            forced_count: self.forced_count,
            new_addresses: ended.new_addresses,
            enqueued: self.enqueued,
            touched: self.record.touched,
            ethereum: None,
        };
        Ok((block, ended.write_set))
    }
}

/// The state at the end of a block.
struct EndState {
    new_addresses: Vec<Address>,
    state_root: B256,
    write_set: WriteSet,
}

impl EndState {
    /// Runs the hooks and seals.
    fn of<S: StateSource>(
        rules: &Rules,
        record: &Record,
        state: &mut State<S>,
    ) -> Result<Self, StateError> {
        let new_addresses = if rules.is_bedroll() {
            hook::extend_book(state, rules.address_book, named(&record.transactions))?
        } else {
            vec![]
        };
        let (state_root, write_set) = state.seal()?;
        Ok(Self {
            new_addresses,
            state_root,
            write_set,
        })
    }
}

/// What a header says of transactions and receipts.
#[derive(Default)]
struct ListRoots {
    transactions_root: B256,
    receipts_root: B256,
    logs_bloom: Bloom,
}

impl ListRoots {
    fn of(rules: &Rules, record: &Record) -> Self {
        let transactions_root = if rules.is_bedroll() {
            header::transactions_root(&record.transactions)
        } else {
            header::ethereum_transactions_root(&record.transactions)
        };
        let (receipts_root, logs_bloom) = header::receipts_root_and_bloom(&record.receipts);
        Self {
            transactions_root,
            receipts_root,
            logs_bloom,
        }
    }
}

/// Transactions from which on a second core for their roots pays.
#[cfg(feature = "std")]
const APART: usize = 128;

/// Computes all that a header says of the end of a block.
fn end<S: StateSource>(
    rules: &Rules,
    record: &Record,
    state: &mut State<S>,
) -> Result<(ListRoots, EndState), StateError> {
    #[cfg(feature = "std")]
    if record.transactions.len() >= APART {
        let mut lists = ListRoots::default();
        let ended = rayon::in_place_scope(|scope| {
            scope.spawn(|_| lists = ListRoots::of(rules, record));
            EndState::of(rules, record, state)
        });
        return Ok((lists, ended?));
    }
    Ok((
        ListRoots::of(rules, record),
        EndState::of(rules, record, state)?,
    ))
}

fn header_start(rules: &Rules, opening: &Opening<'_>, tail: &Tail) -> HeaderStart {
    HeaderStart {
        parent_hash: opening.parent_hash,
        number: opening.parent.number + 1,
        timestamp: opening.timestamp,
        gas_limit: rules.block_gas_limit,
        base_fee: next_base_fee(rules, opening.parent, tail.l1_rate),
        coinbase: rules.tip_vault,
        origin_hash: tail.origin_hash,
    }
}

/// Base fee of the block after `parent` if its origin has this rate.
pub fn next_base_fee(rules: &Rules, parent: &Header, l1_rate: u128) -> u64 {
    let floor = if rules.is_bedroll() {
        fee::base_fee_floor(l1_rate, rules.transfer_bytes)
    } else {
        0
    };
    let base_fee = parent.base_fee_per_gas.unwrap_or_default();
    fee::next_base_fee(parent.gas_used, parent.gas_limit, base_fee, floor)
}

/// Addresses that the AddressBook takes in, in order: of each transaction the sender, then recipient or creation.
pub(super) fn named(transactions: &[Arc<Transaction>]) -> impl Iterator<Item = Address> + '_ {
    transactions.iter().flat_map(|transaction| {
        let signed = transaction.envelope().is_some();
        let other = transaction.to().or_else(|| transaction.created());
        [Some(transaction.sender), other]
            .into_iter()
            .flatten()
            .filter(move |_| signed)
    })
}
