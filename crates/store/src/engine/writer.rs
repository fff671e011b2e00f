//! The one writer: the open block and how blocks are sealed and taken back.
use std::borrow::Borrow;
use std::sync::Arc;

use alloy_primitives::{Address, Bytes, B256};
use alloy_rlp::Decodable;
use bedroll_core::block::{encode_body_and_places, encode_head, Block, Origin};
use bedroll_core::forced::{Message, ReadQueue};
use bedroll_core::profile::Rules;
use bedroll_core::receipt::Receipt;
use bedroll_core::state::{State, StateError, WriteSet};
use bedroll_core::stf::{OpenBlock, Opening, Refused};
use bedroll_core::transaction::{decode_all, Transaction, TransactionError};
use bedroll_core::trie::SourceError;

use super::index::{logs_of, named_of};
use super::{lock, tip_facts, Engine, EngineError, Look, TipFacts};
use crate::{BlockRecord, Store, TipSource, View};

/// Nodes of storage tries and flat values that stay in memory: at most some 300 MB.
const STATE_WEIGHT_MAX: usize = 1_000_000;

pub(super) struct Writer {
    pub state: State<TipSource>,
    open: Option<OpenBlock>,
    /// View inside the open block, with the count of transactions it shows.
    shown: Option<(usize, Look)>,
}

impl Writer {
    pub fn new(store: &Store, root: B256) -> Self {
        Self {
            state: State::new(root, store.tip_source()),
            open: None,
            shown: None,
        }
    }

    fn open(&mut self) -> Result<(&mut State<TipSource>, &mut OpenBlock), EngineError> {
        match &mut self.open {
            Some(open) => Ok((&mut self.state, open)),
            None => Err(EngineError::invalid("no_block", "no block is open")),
        }
    }

    fn abandon(&mut self) {
        self.open = None;
        self.shown = None;
        self.state.abandon();
    }

    /// The view inside the open block.
    pub fn pending(
        &mut self,
        store: &Store,
        rules: &Arc<Rules>,
    ) -> Result<Option<Look>, EngineError> {
        let Some(open) = &self.open else {
            return Ok(None);
        };
        let count = open.len();
        if let Some((seen, look)) = &self.shown {
            if *seen == count {
                return Ok(Some(look.clone()));
            }
        }
        let view = store.view(None)?.with_open(self.state.open_changes());
        let look = Look::open(view, rules.clone(), open.setting().clone(), open.l1_rate());
        self.shown = Some((count, look.clone()));
        Ok(Some(look))
    }
}

/// The queue as the store holds it.
pub(super) struct StoredQueue(pub View);

impl ReadQueue for StoredQueue {
    fn message(&self, index: u64) -> Result<Message, StateError> {
        let broken = |what: String| StateError::Source(SourceError(what));
        let row = self
            .0
            .forced(index)
            .map_err(|error| broken(error.to_string()))?
            .ok_or_else(|| broken(format!("message {index} of the queue is not stored")))?;
        decode_message(&row).map_err(|error| broken(format!("message {index}: {error}")))
    }
}

pub(super) fn decode_message(row: &[u8]) -> alloy_rlp::Result<Message> {
    Message::decode(&mut &*row)
}

fn refusal(error: TransactionError) -> Refused {
    let reason = match error {
        TransactionError::Encoding => "encoding",
        TransactionError::Blob => "type",
        TransactionError::Signature => "signature",
    };
    Refused {
        reason,
        message: error.to_string(),
    }
}

/// A transaction as it is handed in.
#[derive(Debug, Clone)]
pub enum Given {
    /// Signed bytes.
    Raw(Bytes),
    /// Decoded, its sender recovered.
    Decoded(Box<Transaction>),
}

/// Decodes what is not, on all cores.
fn decode_given(given: Vec<Given>) -> Vec<Result<Transaction, TransactionError>> {
    let raws: Vec<Bytes> = given
        .iter()
        .filter_map(|one| match one {
            Given::Raw(raw) => Some(raw.clone()),
            Given::Decoded(_) => None,
        })
        .collect();
    let mut decoded = match &raws[..] {
        [one] => vec![Transaction::decode(one)],
        many => decode_all(many),
    }
    .into_iter();
    given
        .into_iter()
        .map(|one| match one {
            Given::Decoded(transaction) => Ok(*transaction),
            Given::Raw(_) => decoded.next().unwrap_or(Err(TransactionError::Encoding)),
        })
        .collect()
}

impl Engine {
    /// Opens a block on the tip: L1-info call if `origin` is given, then its forced part.
    ///
    /// # Errors
    /// A block is open already, or timestamp or origin break a rule.
    pub fn begin(
        &self,
        timestamp: u64,
        origin: Option<&Origin>,
        automatic: bool,
    ) -> Result<(), EngineError> {
        let mut writer = lock(&self.writer);
        if writer.open.is_some() {
            return Err(EngineError::invalid("block_open", "a block is open"));
        }
        let tip = self.tip_facts();
        let opening = Opening {
            parent: &tip.header,
            parent_hash: tip.hash,
            tail: &tip.tail,
            timestamp,
            origin,
            automatic,
        };
        let waiting = StoredQueue(self.store.view(None)?);
        match OpenBlock::begin(self.rules.clone(), &mut writer.state, &waiting, &opening) {
            Ok(open) => {
                writer.open = Some(open);
                Ok(())
            }
            Err(error) => {
                writer.abandon();
                Err(error.into())
            }
        }
    }

    /// Executes signed transactions in order; says of each what it did, or why it was left out.
    ///
    /// # Errors
    /// No block is open, or the store's.
    pub fn add_many(&self, raws: &[Bytes]) -> Result<Vec<Result<Receipt, Refused>>, EngineError> {
        self.add_given(raws.iter().cloned().map(Given::Raw).collect())
    }

    /// The same of transactions some of which are decoded already: their senders are not recovered again.
    ///
    /// # Errors
    /// As [`Self::add_many`].
    pub fn add_given(
        &self,
        given: Vec<Given>,
    ) -> Result<Vec<Result<Receipt, Refused>>, EngineError> {
        let decoded = decode_given(given);
        let mut outcomes: Vec<Option<Refused>> = Vec::with_capacity(decoded.len());
        let mut good = Vec::with_capacity(decoded.len());
        for item in decoded {
            outcomes.push(item.map(|tx| good.push(tx)).map_err(refusal).err());
        }
        self.expect(&good)?;
        let mut writer = lock(&self.writer);
        let (state, open) = writer.open()?;
        let ran = open.add(state, good);
        let ran = match ran {
            Ok(ran) => ran,
            Err(error) => {
                writer.abandon();
                return Err(error.into());
            }
        };
        let open = &*open;
        let mut ran = ran.into_iter();
        let receipt = |place: usize| open.receipt(place).cloned();
        let missing = || EngineError::Corrupt("a receipt is missing".into());
        outcomes
            .into_iter()
            .map(|refused| match refused {
                Some(refused) => Ok(Err(refused)),
                None => match ran.next() {
                    Some(Ok(place)) => receipt(place).map(Ok).ok_or_else(missing),
                    Some(Err(refused)) => Ok(Err(refused)),
                    None => Err(missing()),
                },
            })
            .collect()
    }

    /// Executes decoded transactions in order; of each its place in the block, or why it was left out.
    ///
    /// # Errors
    /// No block is open, or the store's.
    pub fn add_decoded(
        &self,
        transactions: Vec<Arc<Transaction>>,
    ) -> Result<Vec<Result<usize, Refused>>, EngineError> {
        self.expect(&transactions)?;
        let mut writer = lock(&self.writer);
        let (state, open) = writer.open()?;
        let ran = open.add(state, transactions);
        ran.map_err(|error| {
            writer.abandon();
            error.into()
        })
    }

    /// Has what many transactions name fetched from the disk together.
    fn expect<T: Borrow<Transaction>>(&self, transactions: &[T]) -> Result<(), EngineError> {
        let named = transactions.iter().map(Borrow::borrow);
        let named: Vec<Address> = named
            .flat_map(|transaction: &Transaction| [Some(transaction.sender), transaction.to()])
            .flatten()
            .collect();
        Ok(self.store.expect(&named, &self.rules.address_book)?)
    }

    /// EVM gas that the open block has left.
    ///
    /// # Errors
    /// No block is open.
    pub fn gas_left(&self) -> Result<u64, EngineError> {
        Ok(lock(&self.writer).open()?.1.gas_left())
    }

    /// Forgets the open block.
    pub fn abandon(&self) {
        lock(&self.writer).abandon();
    }

    /// Closes the open block: hooks, state root, header. It is the tip from now on, not yet durable.
    ///
    /// # Errors
    /// No block is open, or the store's.
    pub fn seal(&self) -> Result<Arc<Block>, EngineError> {
        let mut writer = lock(&self.writer);
        let Some(open) = writer.open.take() else {
            return Err(EngineError::invalid("no_block", "no block is open"));
        };
        writer.shown = None;
        let sealed = open
            .seal(&mut writer.state)
            .map_err(EngineError::from)
            .and_then(|(block, write_set)| {
                self.store.seal(record(&block, write_set))?;
                Ok(block)
            });
        let block = match sealed {
            Ok(block) => Arc::new(block),
            Err(error) => {
                writer.state.reset(self.tip_facts().header.state_root);
                return Err(error);
            }
        };
        self.set_tip(TipFacts {
            header: block.header.clone(),
            hash: block.hash,
            tail: block.tail.clone(),
        });
        self.remember(block.clone());
        if writer.state.weight() > STATE_WEIGHT_MAX {
            // Further than need be, so that not every block pays for it.
            writer.state.trim(STATE_WEIGHT_MAX / 4 * 3);
        }
        Ok(block)
    }

    /// Makes `height` the tip again; later blocks and the open one are gone.
    ///
    /// # Errors
    /// The height is above the tip or below the oldest kept state; or the store's.
    pub fn unwind_to(&self, height: u64) -> Result<(), EngineError> {
        let mut writer = lock(&self.writer);
        writer.abandon();
        self.forget_newest();
        self.store.unwind_to(height)?;
        let tip = tip_facts(&self.store.view(None)?, height)?;
        writer.state.reset(tip.header.state_root);
        self.forget_above(height);
        self.set_tip(tip);
        Ok(())
    }
}

/// What the store takes in of a block.
pub(super) fn record(block: &Block, write_set: WriteSet) -> BlockRecord {
    let first_book = block.tail.book_length - block.new_addresses.len() as u64;
    let first_enqueued = block.tail.queue_enqueued - block.enqueued.len() as u64;
    let done = (block.forced.iter()).map(|ended| (ended.index, None));
    let mut forced: Vec<(u64, Option<Vec<u8>>)> = (first_enqueued..)
        .zip(&block.enqueued)
        .filter(|(index, _)| *index >= block.tail.queue_done)
        .map(|(index, message)| (index, Some(alloy_rlp::encode(message))))
        .collect();
    forced.extend(done.filter(|(index, _)| *index < first_enqueued));
    let (body, places) = encode_body_and_places(block);
    BlockRecord {
        height: block.header.number,
        hash: block.hash,
        state_root: block.header.state_root,
        header: encode_head(block),
        body,
        places,
        transactions: block.transactions.iter().map(|tx| tx.hash).collect(),
        logs: logs_of(block),
        named: named_of(block),
        write_set,
        forced,
        book: (first_book..)
            .zip(block.new_addresses.iter().copied())
            .collect(),
    }
}
