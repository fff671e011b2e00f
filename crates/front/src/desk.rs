//! Bodies in, answers out: everything that arrived in one turn of the server's loop, together.
use std::cell::RefCell;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, Weak};
use std::thread::Thread;
use std::time::{Duration, Instant};

use alloy_primitives::{map::HashMap, Address, B256, U256};
use bedroll_core::transaction::{decode_together, share, Transaction, TransactionError};
use bedroll_store::engine::{Engine, EngineError, Look};

use crate::ask::{Ask, At};
use crate::body::{parse, Body};
use crate::fee::FeeRule;
use crate::pool::{AccountState, Pool, Waiting};
use crate::receipt::write_receipt;
use crate::refusal::Refusal;
use crate::show::{data, number, quantity};
use crate::tip::TipCache;

/// Signatures from which on a second core helps.
const SHARED_FROM: usize = 4;
/// Looks at what a helper has left, before sleeping over it.
const SPINS_MAX: u32 = 2_000;
/// Instructions of a call that is run at once; a longer one is left to the server's workers.
const CALL_STEPS: u64 = 20_000;
/// Gas of one frame of such a call: some instructions do much for one step.
const CALL_GAS: u64 = 300_000;
/// Calls of one turn, all together; those after it are left to the workers too. Others wait for the loop meanwhile.
const CALLS_A_TURN: Duration = Duration::from_millis(20);

/// What does not change while the server runs.
#[derive(Debug, Clone)]
pub struct DeskOptions {
    /// EIP-155.
    pub chain_id: u64,
    /// What `web3_clientVersion` tells.
    pub client_version: String,
    /// Bytes of a body.
    pub body_bytes: usize,
    /// Calls of a batch.
    pub batch_calls: usize,
    /// Bytes of all answers of a body.
    pub response_bytes: usize,
    /// Gas of a call.
    pub call_gas: u64,
    /// Names that are always left to the dispatcher.
    pub left_out: Vec<String>,
}

/// Heights that the node has announced.
#[derive(Debug, Clone, Copy)]
pub struct Heads {
    /// Newest.
    pub latest: u64,
    /// Newest derived from Bitcoin.
    pub safe: u64,
    /// The same at finality depth.
    pub finalized: u64,
}

/// What a body is answered with.
#[derive(Debug)]
pub struct Answer {
    /// The answer's bytes.
    pub body: Vec<u8>,
    /// Methods that were answered, and those that were refused, with how often.
    pub counts: Vec<(&'static str, u32, u32)>,
    /// It says that there is no receipt yet of a transaction that waits for its block: soon it may say more.
    pub is_early: bool,
}

/// Of all bodies of a turn.
#[derive(Debug)]
pub struct Answers {
    /// In their order; None: the dispatcher must.
    pub answers: Vec<Option<Answer>>,
    /// Transactions that the pool took; they must be in the log before any answer leaves.
    pub taken: Vec<Waiting>,
    /// How many of them each body brought.
    pub brought: Vec<usize>,
}

/// Locks; a panicking thread leaves pool and caches whole, since each change is one call.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Answers to the calls that are asked most.
pub struct Desk {
    /// Whoever opened the engine closes it.
    engine: Weak<Engine>,
    pool: Option<Arc<Mutex<Pool>>>,
    /// None: nobody serves.
    options: RwLock<Option<Arc<DeskOptions>>>,
    /// Inside the open block, and its fees.
    pending: RwLock<Option<(Look, FeeRule)>>,
    tips: TipCache,
}

/// Transactions that two threads decode.
struct Recovery {
    /// Who waits for them.
    owner: Thread,
    raws: Vec<Vec<u8>>,
    /// How many a thread takes at a time.
    share: usize,
    next: AtomicUsize,
    left: AtomicUsize,
    found: Vec<Mutex<Vec<Decoded>>>,
}

type Decoded = Result<Transaction, TransactionError>;

impl Recovery {
    fn new(raws: Vec<Vec<u8>>, share: usize) -> Self {
        let parts = raws.len().div_ceil(share);
        Self {
            owner: std::thread::current(),
            raws,
            share,
            next: AtomicUsize::new(0),
            left: AtomicUsize::new(parts),
            found: (0..parts).map(|_| Mutex::default()).collect(),
        }
    }

    fn work(&self) {
        loop {
            let place = self.next.fetch_add(1, Ordering::Relaxed);
            let Some(raws) = self.raws.chunks(self.share).nth(place) else {
                return;
            };
            *lock(&self.found[place]) = decode_together(raws);
            if self.left.fetch_sub(1, Ordering::Release) == 1 {
                self.owner.unpark();
            }
        }
    }
}

/// Decodes and recovers, on this thread and one more.
fn recover(raws: Vec<Vec<u8>>) -> Vec<Decoded> {
    let share = share(raws.len(), 2);
    if raws.len() < SHARED_FROM.max(share + 1) {
        return decode_together(&raws);
    }
    let job = Arc::new(Recovery::new(raws, share));
    let helper = job.clone();
    rayon::spawn(move || helper.work());
    job.work();
    let mut spins = 0;
    while job.left.load(Ordering::Acquire) > 0 {
        // The other thread is in the middle of its last part: microseconds, unless it has lost its core.
        if spins < SPINS_MAX {
            spins += 1;
            std::hint::spin_loop();
        } else {
            std::thread::park();
        }
    }
    let parts = job.found.iter();
    parts
        .flat_map(|part| std::mem::take(&mut *lock(part)))
        .collect()
}

/// The open block's accounts, each read once a turn.
struct TurnState<'a> {
    look: &'a Look,
    seen: RefCell<HashMap<Address, (u64, U256)>>,
}

impl TurnState<'_> {
    fn read(&self, address: &Address) -> Result<(u64, U256), EngineError> {
        if let Some(found) = self.seen.borrow().get(address) {
            return Ok(*found);
        }
        let account = self.look.account(address)?;
        let found = (account.nonce, account.balance);
        self.seen.borrow_mut().insert(*address, found);
        Ok(found)
    }
}

impl AccountState for TurnState<'_> {
    type Error = EngineError;

    fn nonce(&self, address: &Address) -> Result<u64, EngineError> {
        Ok(self.read(address)?.0)
    }

    fn balance(&self, address: &Address) -> Result<U256, EngineError> {
        Ok(self.read(address)?.1)
    }
}

/// What the answers of one turn are made with.
struct Turn<'a> {
    desk: &'a Desk,
    options: &'a DeskOptions,
    engine: &'a Engine,
    heads: Heads,
    latest: Option<Look>,
    taken: Vec<Waiting>,
    /// Set by the first call.
    calls_end: Option<Instant>,
    /// Whether a receipt was asked for that is on its way.
    is_early: bool,
}

impl Desk {
    /// Opens it; without a pool no transactions are taken.
    pub fn new(engine: &Arc<Engine>, pool: Option<Arc<Mutex<Pool>>>) -> Self {
        Self {
            engine: Arc::downgrade(engine),
            pool,
            options: RwLock::new(None),
            pending: RwLock::new(None),
            tips: TipCache::default(),
        }
    }

    pub(crate) fn engine(&self) -> Result<Arc<Engine>, EngineError> {
        let closed = || EngineError::Unavailable("the engine is closed".into());
        self.engine.upgrade().ok_or_else(closed)
    }

    pub(crate) fn pool(&self) -> Option<&Mutex<Pool>> {
        self.pool.as_deref()
    }

    /// Says what is served: until then nothing is answered.
    pub fn serve(&self, options: DeskOptions) {
        let mut served = self.options.write().unwrap_or_else(PoisonError::into_inner);
        *served = Some(Arc::new(options));
    }

    /// Looks at the open block anew: whoever changed it calls this.
    ///
    /// # Errors
    /// The store's.
    pub fn refresh(&self, fee: FeeRule) -> Result<(), EngineError> {
        let look = self.engine()?.pending()?;
        *self.pending.write().unwrap_or_else(PoisonError::into_inner) = Some((look, fee));
        Ok(())
    }

    fn pending(&self) -> Option<(Look, FeeRule)> {
        let pending = self.pending.read();
        pending.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Answers bodies. `sends`: whether transactions are taken now.
    ///
    /// Nothing but the pool changes, and no answer to a transaction may leave before it is logged.
    pub fn answer(&self, bodies: &[impl AsRef<[u8]>], heads: Heads, sends: bool) -> Answers {
        let served = self
            .options
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let (Some(options), Ok(engine)) = (served, self.engine()) else {
            return Answers {
                answers: bodies.iter().map(|_| None).collect(),
                taken: vec![],
                brought: vec![0; bodies.len()],
            };
        };
        let read = bodies
            .iter()
            .map(|body| self.read(body.as_ref(), &options, sends));
        let mut read: Vec<_> = read.collect();
        let mut turn = Turn {
            desk: self,
            options: &options,
            engine: &engine,
            heads,
            latest: None,
            taken: vec![],
            calls_end: None,
            is_early: false,
        };
        let recovered = recover(take_raws(&mut read));
        let mut recovered = recovered.into_iter();
        let pending = self.pending();
        let state = pending.as_ref().map(|(look, fee)| {
            let seen = RefCell::default();
            (TurnState { look, seen }, *fee)
        });
        let mut answers = vec![];
        let mut brought = vec![];
        for body in read {
            let before = turn.taken.len();
            answers.push(body.and_then(|body| turn.body(body, &mut recovered, state.as_ref())));
            brought.push(turn.taken.len() - before);
        }
        Answers {
            answers,
            taken: turn.taken,
            brought,
        }
    }

    fn read<'a>(&self, body: &'a [u8], options: &DeskOptions, sends: bool) -> Option<Read<'a>> {
        if body.len() > options.body_bytes {
            return None;
        }
        let body = parse(body, options.batch_calls)?;
        let left_out = |name: &str| options.left_out.iter().any(|each| each == name);
        let mut asks = Vec::with_capacity(body.calls.len());
        let (mut any_send, mut all_short) = (false, true);
        for call in &body.calls {
            let (name, ask) = Ask::read(call).filter(|(name, _)| !left_out(name))?;
            any_send |= matches!(ask, Ask::Send(_));
            all_short &= ask.is_short();
            asks.push((name, ask));
        }
        let fits = !any_send || (sends && all_short && self.pool.is_some());
        fits.then_some(Read { body, asks })
    }

    /// Takes one transaction in; its hash, or why not.
    fn take(
        &self,
        decoded: Result<Transaction, TransactionError>,
        state: Option<&(TurnState<'_>, FeeRule)>,
    ) -> Option<Result<Waiting, Refusal>> {
        let tx = match decoded {
            Ok(tx) => Arc::new(tx),
            Err(error) => return Some(Err(Refusal::new(error.to_string()))),
        };
        let (state, fee) = state?;
        let mut pool = lock(self.pool.as_deref()?);
        if pool.kept(&tx.hash).is_some() {
            return Some(Err(Refusal::new("already known")));
        }
        let taken = pool.add(tx.clone(), state, fee).ok()?;
        Some(taken.map(|_| tx))
    }
}

/// A body that is answered here.
struct Read<'a> {
    body: Body<'a>,
    asks: Vec<(&'static str, Ask)>,
}

/// The transactions of all bodies, in order.
fn take_raws(read: &mut [Option<Read<'_>>]) -> Vec<Vec<u8>> {
    let asks = read.iter_mut().flatten().flat_map(|body| &mut body.asks);
    asks.filter_map(|(_, ask)| match ask {
        Ask::Send(raw) => Some(std::mem::take(raw)),
        _ => None,
    })
    .collect()
}

impl Turn<'_> {
    fn body(
        &mut self,
        read: Read<'_>,
        recovered: &mut impl Iterator<Item = Result<Transaction, TransactionError>>,
        state: Option<&(TurnState<'_>, FeeRule)>,
    ) -> Option<Answer> {
        let mut out = Vec::with_capacity(128 * read.asks.len());
        let mut counts: Vec<(&'static str, u32, u32)> = vec![];
        if read.body.is_batch {
            out.push(b'[');
        }
        // Of a body with transactions every one is taken from `recovered`, whatever becomes of the others.
        let has_sends = read.asks.iter().any(|(_, ask)| matches!(ask, Ask::Send(_)));
        let mut is_known = true;
        self.is_early = false;
        for (place, (call, (name, ask))) in read.body.calls.iter().zip(read.asks).enumerate() {
            if place > 0 {
                out.push(b',');
            }
            out.extend_from_slice(b"{\"jsonrpc\":\"2.0\",\"id\":");
            out.extend_from_slice(call.id.as_bytes());
            let start = out.len();
            let answered = match ask {
                Ask::Send(_) => self.send(&mut out, recovered.next()?, state),
                other => {
                    out.extend_from_slice(b",\"result\":");
                    self.write(&mut out, &other).map(|()| true)
                }
            };
            is_known &= answered.is_some() && out.len() <= self.options.response_bytes;
            if !is_known {
                if !has_sends {
                    return None;
                }
                out.truncate(start);
            }
            out.push(b'}');
            count(&mut counts, name, answered.unwrap_or(false));
        }
        if read.body.is_batch {
            out.push(b']');
        }
        is_known.then_some(Answer {
            body: out,
            counts,
            is_early: self.is_early && !read.body.is_batch,
        })
    }

    fn send(
        &mut self,
        out: &mut Vec<u8>,
        decoded: Result<Transaction, TransactionError>,
        state: Option<&(TurnState<'_>, FeeRule)>,
    ) -> Option<bool> {
        match self.desk.take(decoded, state)? {
            Ok(tx) => {
                out.extend_from_slice(b",\"result\":");
                data(out, tx.hash.as_slice());
                self.taken.push(tx);
                Some(true)
            }
            Err(refusal) => {
                out.extend_from_slice(b",\"error\":{\"code\":-32000,\"message\":");
                out.extend_from_slice(&serde_json::to_vec(&refusal.to_string()).ok()?);
                out.push(b'}');
                Some(false)
            }
        }
    }

    /// Writes a result; None where the dispatcher must.
    fn write(&mut self, out: &mut Vec<u8>, ask: &Ask) -> Option<()> {
        let (desk, options, engine) = (self.desk, self.options, self.engine);
        match ask {
            Ask::ChainId => number(out, options.chain_id),
            Ask::NetVersion => {
                out.extend_from_slice(format!("\"{}\"", options.chain_id).as_bytes());
            }
            Ask::ClientVersion => {
                out.extend_from_slice(&serde_json::to_vec(&options.client_version).ok()?);
            }
            Ask::BlockNumber => number(out, self.heads.latest),
            Ask::GasPrice => {
                let tip = desk.tips.suggest(engine, self.heads.latest)?;
                number(out, u128::from(engine.next_base_fee(None)) + tip);
            }
            Ask::Tip => number(out, desk.tips.suggest(engine, self.heads.latest)?),
            Ask::Balance(who, at) => {
                let account = self.look(*at)?.account(who).ok()?;
                quantity(out, &account.balance);
            }
            Ask::Nonce(who, at) => {
                let nonce = self.look(*at)?.account(who).ok()?.nonce;
                let pool = desk.pool.as_deref().filter(|_| *at == At::Pending);
                number(
                    out,
                    pool.map_or(nonce, |pool| lock(pool).next_nonce(who, nonce)),
                );
            }
            Ask::Receipt(hash) => self.receipt(out, hash)?,
            Ask::Call(message, at) => {
                let now = Instant::now();
                if now > *self.calls_end.get_or_insert(now + CALLS_A_TURN) {
                    return None;
                }
                let call = message.call(options.call_gas);
                let output = self.look(*at)?.call_briefly(&call, CALL_STEPS, CALL_GAS);
                data(out, &output.ok()??);
            }
            Ask::Send(_) => return None,
        }
        Some(())
    }

    fn receipt(&mut self, out: &mut Vec<u8>, hash: &B256) -> Option<()> {
        let engine = self.engine;
        let Some((height, index)) = engine.find_transaction(hash).ok()? else {
            let pool = self.desk.pool();
            self.is_early = pool.is_some_and(|pool| lock(pool).has(hash));
            out.extend_from_slice(b"null");
            return Some(());
        };
        if height <= self.heads.safe {
            return None;
        }
        if height > self.heads.latest {
            // Sealed, but not announced: whoever has a receipt finds its block with `latest`.
            self.is_early = true;
            out.extend_from_slice(b"null");
            return Some(());
        }
        let (block, index) = (engine.recent(height)?, usize::try_from(index).ok()?);
        if index < block.forced_count || block.transactions.get(index)?.hash != *hash {
            return None;
        }
        write_receipt(out, &block, index)
    }

    fn look(&mut self, at: At) -> Option<Look> {
        let height = match at {
            At::Pending => {
                let pending = self.desk.pool.as_ref().and_then(|_| self.desk.pending());
                return match pending {
                    Some((look, _)) => Some(look),
                    None if self.desk.pool.is_none() => self.engine.view(None).ok(),
                    None => None,
                };
            }
            At::Latest => {
                if self.latest.is_none() {
                    self.latest = self.engine.newest(self.heads.latest).ok();
                }
                return self.latest.clone();
            }
            At::Safe => self.heads.safe,
            At::Finalized => self.heads.finalized,
            At::Height(height) if height <= self.heads.latest => height,
            At::Height(_) => return None,
        };
        self.engine.view(Some(height)).ok()
    }
}

fn count(counts: &mut Vec<(&'static str, u32, u32)>, name: &'static str, answered: bool) {
    let found = counts.iter().position(|(known, _, _)| *known == name);
    let place = found.unwrap_or_else(|| {
        counts.push((name, 0, 0));
        counts.len() - 1
    });
    let (_, good, bad) = &mut counts[place];
    *(if answered { good } else { bad }) += 1;
}
