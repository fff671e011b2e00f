//! Transactions that wait for a block: who may wait and what makes room.
//!
//! Every sender has a run of transactions without a gap from its next nonce (*pending*) and others beyond a gap
//! (*queued*). A transaction leaves by being executed or refused, by replacement, eviction or reset.
use std::collections::BTreeMap;
use std::sync::Arc;

use alloy_primitives::map::{AddressMap, AddressSet, B256Map, Entry};
use alloy_primitives::{Address, B256, U256, U512};
use bedroll_core::transaction::Transaction;

use crate::admit::{check_account, check_alone, check_replacement, check_run, Allowance};
use crate::blob::{Sidecar, BLOB_TYPE};
use crate::fee::{cost, nonce, FeeRule};
use crate::refusal::{Fact, Refusal};

/// A transaction that waits.
pub type Waiting = Arc<Transaction>;

/// State that nonces and balances are read from.
pub trait AccountState {
    /// Why it cannot be read.
    type Error;

    /// Next nonce.
    ///
    /// # Errors
    /// The store's.
    fn nonce(&self, address: &Address) -> Result<u64, Self::Error>;

    /// Balance, wei.
    ///
    /// # Errors
    /// The store's.
    fn balance(&self, address: &Address) -> Result<U256, Self::Error>;
}

/// Transactions with blobs that one sender may have waiting, as in geth.
const BLOB_ACCOUNT_COUNT: usize = 16;

/// How much may wait.
#[derive(Debug, Clone)]
pub struct PoolLimit {
    /// Raw bytes of all transactions, and what stands beside them.
    pub size_bytes: usize,
    /// Transactions.
    pub count: usize,
    /// Transactions of one sender.
    pub account_count: usize,
    /// How far beyond the next nonce one may lie.
    pub nonce_gap: u64,
    /// Raw bytes of one transaction.
    pub transaction_bytes: usize,
    /// Least priority fee cap that is taken at all.
    pub tip_min: u128,
}

/// One sender's transactions.
#[derive(Debug, Default)]
pub(crate) struct Sender {
    pub next_nonce: u64,
    pub entries: BTreeMap<u64, Waiting>,
    pub cost: U512,
}

impl Sender {
    /// The transactions that follow one another from the next nonce.
    pub fn run(&self) -> impl Iterator<Item = &Waiting> {
        let from = self.entries.range(self.next_nonce..);
        let follows = (self.next_nonce..).zip(from);
        follows
            .take_while(|(wanted, (found, _))| wanted == *found)
            .map(|(_, (_, tx))| tx)
    }
}

/// Pending and queued transactions of all senders.
#[derive(Debug)]
pub struct Pool {
    pub(crate) chain_id: u64,
    pub(crate) limit: PoolLimit,
    pub(crate) senders: AddressMap<Sender>,
    /// With the number of its arrival.
    by_hash: B256Map<(u64, Waiting)>,
    /// Of those with blobs.
    sidecars: B256Map<Arc<Sidecar>>,
    arrivals: u64,
    size_bytes: usize,
    /// Where the pool is full: a tip that was too low to make room.
    floor: Option<i128>,
    /// Senders that may have something executable: all others wait for a new base fee or nonce.
    pub(crate) fresh: AddressSet,
    /// What left for a block that is not durable yet.
    kept: B256Map<Waiting>,
    kept_bytes: usize,
}

impl Pool {
    /// Makes an empty one.
    pub fn new(chain_id: u64, limit: PoolLimit) -> Self {
        Self {
            chain_id,
            limit,
            senders: AddressMap::default(),
            by_hash: B256Map::default(),
            sidecars: B256Map::default(),
            arrivals: 0,
            size_bytes: 0,
            floor: None,
            fresh: AddressSet::default(),
            kept: B256Map::default(),
            kept_bytes: 0,
        }
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.by_hash.len()
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.by_hash.is_empty()
    }

    /// Raw bytes of all that wait, and what stands beside them.
    pub fn size_bytes(&self) -> usize {
        self.size_bytes
    }

    /// A waiting transaction.
    pub fn get(&self, hash: &B256) -> Option<&Waiting> {
        self.by_hash.get(hash).map(|(_, tx)| tx)
    }

    /// What stands beside a waiting transaction with blobs.
    pub fn sidecar(&self, hash: &B256) -> Option<&Arc<Sidecar>> {
        self.sidecars.get(hash)
    }

    /// Bytes that it takes from the room of all.
    fn weight(&self, tx: &Transaction) -> usize {
        let beside = self.sidecars.get(&tx.hash);
        tx.raw.len() + beside.map_or(0, |sidecar| sidecar.size_bytes())
    }

    /// All, in the order of arrival.
    pub fn transactions(&self) -> Vec<Waiting> {
        let mut all: Vec<_> = self.by_hash.values().collect();
        all.sort_by_key(|(arrival, _)| *arrival);
        all.into_iter().map(|(_, tx)| tx.clone()).collect()
    }

    pub(crate) fn arrival(&self, tx: &Waiting) -> u64 {
        self.by_hash
            .get(&tx.hash)
            .map_or(0, |(arrival, _)| *arrival)
    }

    // --- coming in ---------------------------------------------------------------------------

    /// Takes one transaction; gives what it replaced or evicted. `state` is inside the open block, as `fee` is.
    ///
    /// # Errors
    /// The state cannot be read; inside: a refusal, and the pool is as before.
    pub fn add<S: AccountState>(
        &mut self,
        tx: Waiting,
        state: &S,
        fee: &FeeRule,
    ) -> Result<Result<Vec<Waiting>, Refusal>, S::Error> {
        if tx.kind() == BLOB_TYPE {
            let text = "missing sidecar in blob transaction";
            return Ok(Err(Refusal::new(text)));
        }
        self.take(tx, None, state, fee)
    }

    /// The same of a transaction with blobs; that they are what it names is its caller's to know.
    ///
    /// # Errors
    /// As [`Self::add`].
    pub fn add_blobs<S: AccountState>(
        &mut self,
        tx: Waiting,
        sidecar: Arc<Sidecar>,
        state: &S,
        fee: &FeeRule,
    ) -> Result<Result<Vec<Waiting>, Refusal>, S::Error> {
        self.take(tx, Some(sidecar), state, fee)
    }

    /// Looks whether a transaction could come in, were there room, before anything dear is done for it.
    ///
    /// # Errors
    /// As [`Self::add`].
    pub fn check<S: AccountState>(
        &self,
        tx: &Transaction,
        state: &S,
    ) -> Result<Result<(), Refusal>, S::Error> {
        Ok(self.judge(tx, state)?.map(|_| ()))
    }

    fn take<S: AccountState>(
        &mut self,
        tx: Waiting,
        sidecar: Option<Arc<Sidecar>>,
        state: &S,
        fee: &FeeRule,
    ) -> Result<Result<Vec<Waiting>, Refusal>, S::Error> {
        Ok(match self.judge(&tx, state)? {
            Ok(judged) => self.place(tx, sidecar, judged, fee),
            Err(refusal) => Err(refusal),
        })
    }

    /// Gives the sender's next nonce, and what it would replace.
    fn judge<S: AccountState>(
        &self,
        tx: &Transaction,
        state: &S,
    ) -> Result<Result<Judged, Refusal>, S::Error> {
        if self.by_hash.contains_key(&tx.hash) {
            let facts = [("hash", Fact::Hash(tx.hash))];
            return Ok(Err(Refusal::with("already known", facts)));
        }
        if let Err(refusal) = check_alone(tx, self.chain_id, &self.limit) {
            return Ok(Err(refusal));
        }
        let next_nonce = state.nonce(&tx.sender)?;
        let balance = state.balance(&tx.sender)?;
        Ok(self.judge_account(tx, next_nonce, balance))
    }

    fn judge_account(
        &self,
        tx: &Transaction,
        next_nonce: u64,
        balance: U256,
    ) -> Result<Judged, Refusal> {
        let sender = self.senders.get(&tx.sender);
        let replaced = sender.and_then(|sender| sender.entries.get(&nonce(tx)).cloned());
        let spent = sender.map_or(U512::ZERO, |sender| sender.cost);
        let account = Allowance {
            next_nonce,
            balance,
            waiting: spent - replaced.as_ref().map_or(U512::ZERO, |old| cost(old)),
        };
        check_account(tx, &account, self.limit.nonce_gap)?;
        if tx.kind() == BLOB_TYPE {
            check_run(tx, self.next_nonce(&tx.sender, next_nonce))?;
        }
        let judged = Judged {
            next_nonce,
            replaced,
        };
        if let Some(old) = &judged.replaced {
            check_replacement(tx, old)?;
            return Ok(judged);
        }
        let waiting = sender.map_or(0, |sender| sender.entries.len());
        check_count(waiting, self.limit.account_count)?;
        if tx.kind() == BLOB_TYPE {
            let entries = sender
                .into_iter()
                .flat_map(|sender| sender.entries.values());
            let waiting = entries.filter(|one| one.kind() == BLOB_TYPE).count();
            check_count(waiting, BLOB_ACCOUNT_COUNT)?;
        }
        Ok(judged)
    }

    fn place(
        &mut self,
        tx: Waiting,
        sidecar: Option<Arc<Sidecar>>,
        judged: Judged,
        fee: &FeeRule,
    ) -> Result<Vec<Waiting>, Refusal> {
        let beside = sidecar.as_ref().map_or(0, |sidecar| sidecar.size_bytes());
        let gone = match judged.replaced {
            Some(old) => vec![old],
            None => self.make_room(&tx, tx.raw.len() + beside, fee)?,
        };
        let hash = tx.hash;
        self.insert(tx, judged.next_nonce);
        if let Some(sidecar) = sidecar {
            self.size_bytes += beside;
            self.sidecars.insert(hash, sidecar);
        }
        Ok(gone)
    }

    fn insert(&mut self, tx: Waiting, next_nonce: u64) {
        let known = self.senders.get(&tx.sender);
        let before = known.map_or(next_nonce, |sender| sender.next_nonce);
        let old = known.and_then(|sender| sender.entries.get(&nonce(&tx)).cloned());
        if let Some(old) = old {
            self.remove(&old);
        }
        let sender = self.senders.entry(tx.sender).or_default();
        sender.next_nonce = before.max(next_nonce);
        sender.cost += cost(&tx);
        sender.entries.insert(nonce(&tx), tx.clone());
        self.arrivals += 1;
        self.size_bytes += tx.raw.len();
        self.fresh.insert(tx.sender);
        self.by_hash.insert(tx.hash, (self.arrivals, tx));
    }

    fn make_room(
        &mut self,
        tx: &Transaction,
        weight: usize,
        fee: &FeeRule,
    ) -> Result<Vec<Waiting>, Refusal> {
        let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        let mut over_bytes = count(self.size_bytes) + count(weight) - count(self.limit.size_bytes);
        let mut over_count = count(self.by_hash.len()) + 1 - count(self.limit.count);
        if over_bytes <= 0 && over_count <= 0 {
            return Ok(vec![]);
        }
        let tip = fee.tip(tx);
        let facts = [("tip_wei", Fact::Number(tip)), ("pool", Fact::Text("full"))];
        let underpriced = Refusal::with("transaction underpriced", facts);
        if self.floor.is_some_and(|floor| tip <= floor) {
            // Looked for in vain before, and nothing has left since: cheap floods cost no search.
            return Err(underpriced);
        }
        // Room for a hundredth more, so that a full pool does not sort itself at every arrival.
        let (more_bytes, more_count) = (
            count(self.limit.size_bytes / 100),
            count(self.limit.count / 100),
        );
        over_bytes += more_bytes;
        over_count += more_count;
        // The highest nonce of every sender: removing it opens no gap.
        let last = |sender: &Sender| sender.entries.last_key_value().map(|(_, tx)| tx.clone());
        let mut last: Vec<_> = (self.senders.values().filter_map(last))
            .map(|worst| (fee.tip(&worst), u64::MAX - self.arrival(&worst), worst))
            .collect();
        last.sort_by_key(|(tip, arrival, _)| (*tip, *arrival));
        let mut victims = vec![];
        for (its_tip, _, worst) in last {
            if its_tip >= tip || worst.sender == tx.sender {
                continue;
            }
            over_bytes -= count(self.weight(&worst));
            over_count -= 1;
            victims.push(worst);
            if over_bytes <= 0 && over_count <= 0 {
                break;
            }
        }
        if over_bytes > more_bytes || over_count > more_count {
            self.floor = Some(tip);
            return Err(underpriced);
        }
        for victim in &victims {
            self.remove(victim);
        }
        Ok(victims)
    }

    // --- going out ---------------------------------------------------------------------------

    /// It is in the open block: its sender's next nonce is one higher. It is kept until the block is durable.
    pub fn executed(&mut self, tx: &Waiting) {
        let next_nonce = nonce(tx).saturating_add(1);
        if self.by_hash.remove(&tx.hash).is_some() {
            self.left(tx, Some(next_nonce));
        } else if let Some(sender) = self.senders.get_mut(&tx.sender) {
            sender.next_nonce = sender.next_nonce.max(next_nonce);
            self.fresh.insert(tx.sender);
        }
        self.keep(tx.clone());
    }

    /// The engine refused it for good; what its sender has beyond it waits behind the gap.
    pub fn refused(&mut self, tx: &Transaction) {
        self.remove(tx);
    }

    /// The engine cannot take it now (fee, room): its sender waits for `refresh`.
    pub fn wait(&mut self, tx: &Transaction) {
        self.fresh.remove(&tx.sender);
    }

    /// Base fee, L1 rate or room have changed: everybody may be executable again.
    pub fn refresh(&mut self) {
        self.fresh = self.senders.keys().copied().collect();
        self.floor = None;
    }

    /// The chain changed under the pool: reads nonces anew and drops what cannot go any more; gives that.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn reset<S: AccountState>(
        &mut self,
        state: &S,
        senders: Option<Vec<Address>>,
    ) -> Result<Vec<Waiting>, S::Error> {
        let mut dropped = vec![];
        let senders = senders.unwrap_or_else(|| self.senders.keys().copied().collect());
        for address in senders {
            let Some(sender) = self.senders.get_mut(&address) else {
                continue;
            };
            sender.next_nonce = state.nonce(&address)?;
            let stale: Vec<_> = sender.entries.range(..sender.next_nonce).collect();
            let stale: Vec<Waiting> = stale.into_iter().map(|(_, tx)| tx.clone()).collect();
            for tx in &stale {
                self.remove(tx);
            }
            dropped.extend(stale);
            if self.senders.contains_key(&address) {
                self.fresh.insert(address);
            }
        }
        Ok(dropped)
    }

    fn remove(&mut self, tx: &Transaction) {
        if self.by_hash.remove(&tx.hash).is_some() {
            self.left(tx, None);
        }
    }

    /// It waits no more; its sender has a new next nonce if one is given, and may have something executable then.
    fn left(&mut self, tx: &Transaction, next_nonce: Option<u64>) {
        self.floor = None;
        self.size_bytes -= self.weight(tx);
        self.sidecars.remove(&tx.hash);
        let Entry::Occupied(mut entry) = self.senders.entry(tx.sender) else {
            return;
        };
        let sender = entry.get_mut();
        sender.entries.remove(&nonce(tx));
        sender.cost -= cost(tx);
        if sender.entries.is_empty() {
            entry.remove();
            self.fresh.remove(&tx.sender);
        } else if let Some(next_nonce) = next_nonce {
            sender.next_nonce = sender.next_nonce.max(next_nonce);
            self.fresh.insert(tx.sender);
        }
    }

    // --- not durable yet ---------------------------------------------------------------------

    /// It is in a block that is not durable.
    pub fn keep(&mut self, tx: Waiting) {
        self.kept_bytes += tx.raw.len();
        if let Some(old) = self.kept.insert(tx.hash, tx) {
            self.kept_bytes -= old.raw.len();
        }
    }

    /// It is in a durable block, or waits again.
    pub fn settle(&mut self, hash: &B256) {
        if let Some(tx) = self.kept.remove(hash) {
            self.kept_bytes -= tx.raw.len();
        }
    }

    /// Whether a transaction waits, or is in a block that is not durable.
    pub fn has(&self, hash: &B256) -> bool {
        self.get(hash).is_some() || self.kept(hash).is_some()
    }

    /// A transaction of a block that is not durable.
    pub fn kept(&self, hash: &B256) -> Option<&Waiting> {
        self.kept.get(hash)
    }

    /// All of them.
    pub fn all_kept(&self) -> impl Iterator<Item = &Waiting> {
        self.kept.values()
    }

    /// Their raw bytes.
    pub fn kept_bytes(&self) -> usize {
        self.kept_bytes
    }

    // --- questions ---------------------------------------------------------------------------

    /// Nonce after the sender's pending run, which begins at `nonce`.
    pub fn next_nonce(&self, sender: &Address, nonce: u64) -> u64 {
        let Some(sender) = self.senders.get(sender) else {
            return nonce;
        };
        let held = sender.entries.range(nonce..).map(|(held, _)| *held);
        let run = (nonce..)
            .zip(held)
            .take_while(|(wanted, held)| wanted == held);
        nonce + run.count() as u64
    }

    /// Pending and queued.
    pub fn count(&self) -> (usize, usize) {
        let pending = self
            .senders
            .values()
            .map(|sender| sender.run().count())
            .sum();
        (pending, self.by_hash.len() - pending)
    }

    /// Pending and queued of one sender, by nonce.
    pub fn account(&self, sender: &Address) -> (Vec<Waiting>, Vec<Waiting>) {
        let Some(sender) = self.senders.get(sender) else {
            return (vec![], vec![]);
        };
        let run: Vec<Waiting> = sender.run().cloned().collect();
        let end = sender.next_nonce + run.len() as u64;
        let all = sender.entries.iter();
        let queued = all.filter(|(nonce, _)| !(sender.next_nonce..end).contains(nonce));
        (run, queued.map(|(_, tx)| tx.clone()).collect())
    }

    /// Senders not below `first`, the lowest so many, in order.
    pub fn senders_from(&self, first: &Address, count: usize) -> Vec<Address> {
        let from = self.senders.keys().filter(|sender| *sender >= first);
        let mut found: Vec<Address> = from.copied().collect();
        if count < found.len() {
            found.select_nth_unstable(count);
            found.truncate(count);
        }
        found.sort_unstable();
        found
    }
}

/// What a transaction comes upon that may come in.
struct Judged {
    next_nonce: u64,
    replaced: Option<Waiting>,
}

fn check_count(waiting: usize, limit: usize) -> Result<(), Refusal> {
    if waiting < limit {
        return Ok(());
    }
    let facts = [
        ("waiting", Fact::Number(waiting as i128)),
        ("limit", Fact::Number(limit as i128)),
    ];
    Err(Refusal::with("account limit exceeded", facts))
}
