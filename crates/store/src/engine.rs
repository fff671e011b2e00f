//! The L2 chain of one node: blocks, state, the queue. One writer, many views.
//!
//! Reads: transactions and origins from its caller, everything else from the [`Store`]. Gives: sealed blocks, views.
//! Never: knows Bitcoin's chain beyond the origins it is handed.
mod appearance;
mod brief;
mod build;
mod error;
mod fork;
mod genesis;
mod import;
mod index;
mod logs;
mod look;
mod overrides;
mod proof;
mod query;
mod rerun;
mod signature;
mod simulate;
mod trace;
mod witness;
mod writer;

use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use alloy_consensus::Header;
use alloy_primitives::B256;
use bedroll_core::block::{decode_head, Block, Tail};
use bedroll_core::ethereum::Schedule;
use bedroll_core::profile::Rules;
use bedroll_core::state::State;

use crate::{Store, StoreOptions, View};

pub use appearance::Creation;
pub use build::Built;
pub use error::EngineError;
pub use fork::{BlobFees, BlobRule};
pub use genesis::block_zero;
pub(crate) use index::{index_of_stored, Index};
pub use logs::{FoundLog, LogFilter};
pub use look::Look;
pub use overrides::Overrides;
pub use simulate::SimulationBounds;
pub use trace::{serve_scripts, Style, TraceBounds, TraceWanted, TracedCall};

use look::LastPast;
pub use writer::Given;
use writer::Writer;

/// Blocks that stay in memory, with what their transactions returned.
const RECENT_BLOCKS: usize = 128;
/// Most transactions of those blocks together; the newest block stays whatever it has.
const RECENT_TRANSACTIONS: usize = 20_000;

/// The newest sealed block, as much as the next one needs.
#[derive(Debug, Clone)]
pub(crate) struct TipFacts {
    pub header: Header,
    pub hash: B256,
    pub tail: Tail,
}

/// The engine.
pub struct Engine {
    store: Store,
    rules: Arc<Rules>,
    /// Forks of a chain of Ethereum's own.
    schedule: Option<Arc<Schedule>>,
    writer: Mutex<Writer>,
    tip: RwLock<Arc<TipFacts>>,
    recent: RwLock<VecDeque<Arc<Block>>>,
    past: LastPast,
    /// What [`Engine::newest`] gave last, with the version of the chain that it shows.
    newest: Mutex<Option<(u64, Look)>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Engine {
    /// Opens or makes the store at `path`. `genesis` is the JSON of `execution.genesis`.
    ///
    /// # Errors
    /// Genesis cannot be read or is another chain's, the folder is in use or damaged.
    pub fn open(path: &Path, genesis: &str, options: StoreOptions) -> Result<Self, EngineError> {
        let (genesis, name, schedule) = genesis::parse(genesis)?;
        let store = Store::open(path, name, options)?;
        let rules = Arc::new(genesis.rules.clone());
        if store.tip().is_none() {
            let mut state = State::new(bedroll_core::trie::EMPTY_ROOT, store.tip_source());
            let (block, write_set) = genesis
                .build(&mut state)
                .map_err(|error| EngineError::bad_genesis(&error))?;
            store.seal(writer::record(&block, write_set))?;
            store.commit()?;
        }
        let view = store.view(None)?;
        let tip = tip_facts(&view, view.height())?;
        let writer = Writer::new(&store, tip.header.state_root);
        Ok(Self {
            store,
            rules,
            schedule: schedule.map(Arc::new),
            writer: Mutex::new(writer),
            tip: RwLock::new(Arc::new(tip)),
            recent: RwLock::new(VecDeque::new()),
            past: LastPast::default(),
            newest: Mutex::default(),
        })
    }

    /// The rules of one block: on a chain of Ethereum's own, of its fork.
    fn rules_of(&self, header: &Header) -> Arc<Rules> {
        let schedule = self.schedule.as_deref();
        fork::rules_at(&self.rules, schedule, header.number, header.timestamp)
    }

    /// Forks of a chain of Ethereum's own; None: the chain is no such.
    pub fn schedule(&self) -> Option<&Schedule> {
        self.schedule.as_deref()
    }

    /// What blobs cost in a sealed block and after it; None where there are none.
    ///
    /// # Errors
    /// The store's.
    pub fn blob_fees(&self, height: u64) -> Result<Option<BlobFees>, EngineError> {
        let Some(schedule) = &self.schedule else {
            return Ok(None);
        };
        Ok(self.header(height)?.and_then(|header| {
            let fork = schedule.at(header.number, header.timestamp);
            BlobFees::of(&fork, &header)
        }))
    }

    /// The network's rules.
    pub fn rules(&self) -> &Arc<Rules> {
        &self.rules
    }

    pub(crate) fn tip_facts(&self) -> Arc<TipFacts> {
        self.tip
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn set_tip(&self, tip: TipFacts) {
        *self.tip.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(tip);
    }

    /// Header of the newest sealed block.
    pub fn tip(&self) -> Header {
        self.tip_facts().header.clone()
    }

    /// A sealed block of the newest, without a look at the disk.
    pub fn recent(&self, height: u64) -> Option<Arc<Block>> {
        self.recent_block(height)
    }

    fn recent_block(&self, height: u64) -> Option<Arc<Block>> {
        let recent = self.recent.read().unwrap_or_else(PoisonError::into_inner);
        let first = recent.front()?.header.number;
        let place = usize::try_from(height.checked_sub(first)?).ok()?;
        recent.get(place).cloned()
    }

    fn remember(&self, block: Arc<Block>) {
        let mut recent = self.recent.write().unwrap_or_else(PoisonError::into_inner);
        recent.push_back(block);
        let held = |recent: &VecDeque<Arc<Block>>| -> usize {
            recent.iter().map(|block| block.transactions.len()).sum()
        };
        while recent.len() > RECENT_BLOCKS
            || recent.len() > 1 && held(&recent) > RECENT_TRANSACTIONS
        {
            recent.pop_front();
        }
    }

    fn forget_above(&self, height: u64) {
        let mut recent = self.recent.write().unwrap_or_else(PoisonError::into_inner);
        while recent
            .back()
            .is_some_and(|block| block.header.number > height)
        {
            recent.pop_back();
        }
    }

    /// State as of a sealed block; None: the tip.
    ///
    /// # Errors
    /// The height is above the tip or below the oldest kept state.
    pub fn view(&self, height: Option<u64>) -> Result<Look, EngineError> {
        let view = self.store.view(height)?;
        let rules = match &self.schedule {
            None => self.rules.clone(),
            Some(_) => self.rules_of(&tip_facts(&view, view.height())?.header),
        };
        Ok(Look::sealed(
            view,
            rules,
            self.schedule.clone(),
            self.past.clone(),
        ))
    }

    /// The same of a block that most likely is the tip, for whoever asks again and again for a moment: the view stays open
    /// until the chain changes.
    ///
    /// # Errors
    /// As [`Self::view`].
    pub fn newest(&self, height: u64) -> Result<Look, EngineError> {
        // Read first: a view that shows more than its version is only opened once too often.
        let version = self.store.version();
        let mut newest = lock(&self.newest);
        if let Some((shown, look)) = &*newest {
            if *shown == version && look.height() == height {
                return Ok(look.clone());
            }
        }
        // The old one goes first: its transaction would keep pages from being used again.
        *newest = None;
        let look = self.view(Some(height))?;
        *newest = Some((version, look.clone()));
        Ok(look)
    }

    /// Lets go of the newest view: the chain is about to change.
    fn forget_newest(&self) {
        *lock(&self.newest) = None;
    }

    /// State inside the open block, or the tip's if none is open.
    ///
    /// # Errors
    /// The store's.
    pub fn pending(&self) -> Result<Look, EngineError> {
        match lock(&self.writer).pending(&self.store, &self.rules)? {
            Some(look) => Ok(look),
            None => self.view(None),
        }
    }

    /// Base fee of the block after the tip; `l1_rate` if that block takes a new origin.
    pub fn next_base_fee(&self, l1_rate: Option<u128>) -> u64 {
        let tip = self.tip_facts();
        let rate = l1_rate.unwrap_or(tip.tail.l1_rate);
        bedroll_core::stf::next_base_fee(&self.rules, &tip.header, rate)
    }

    /// Makes every sealed block durable, at once.
    ///
    /// # Errors
    /// The store's.
    pub fn commit(&self) -> Result<(), EngineError> {
        self.forget_newest();
        Ok(self.store.commit()?)
    }

    /// Height of the newest durable block.
    pub fn durable_height(&self) -> u64 {
        self.store.durable_tip().map_or(0, |(height, _)| height)
    }

    /// Lowest height whose state can be viewed or unwound to.
    ///
    /// # Errors
    /// The store's.
    pub fn oldest_state(&self) -> Result<u64, EngineError> {
        Ok(self.store.oldest_state()?)
    }

    /// Drops reverse diffs of blocks at or below `keep_from`.
    ///
    /// # Errors
    /// The height is above the durable tip; or the store's.
    pub fn prune(&self, keep_from: u64) -> Result<(), EngineError> {
        self.forget_newest();
        Ok(self.store.prune(keep_from)?)
    }
}

/// Header and facts of a stored block.
pub(crate) fn tip_facts(view: &View, height: u64) -> Result<TipFacts, EngineError> {
    let missing = || EngineError::Corrupt(format!("block {height} is not stored"));
    let sealed = view.sealed_header(height)?.ok_or_else(missing)?;
    let (header, tail) =
        decode_head(&sealed.header).map_err(|error| EngineError::damaged(height, &error))?;
    Ok(TipFacts {
        header,
        hash: sealed.hash,
        tail,
    })
}
