//! A thread that answers plain requests of idle connections without the interpreter.
//!
//! A connection belongs to the server, which accepts it, counts it and reads it. While it asks nothing but what the desk
//! answers, the server lends it to the lane: a second descriptor of the same socket, which only one of the two reads.
//! Whatever is not plain goes back with every byte that was not answered: a request that is long or slow to come, another
//! header, a client that owes, does not take its answer, or has gone. So every rule of the server holds, and is written there once.
mod news;
mod request;

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use alloy_primitives::map::{HashMap, HashSet};
use mio::{Events, Interest, Poll, Token, Waker};

use crate::desk::{lock, Answer, Desk, Heads};
use crate::journal::Journal;
use crate::pool::Waiting;

use news::Board;
pub use news::{Counts, Returned};
use request::{begin, Begin};

/// Bytes of a connection that are looked at at a time: a longer request goes back.
const READ_BYTES: usize = 64 << 10;
/// Connections that are looked at in one turn.
const TURN_MAX: usize = 64;
/// How long a question for the receipt of a transaction that waits is left unanswered: most are in a block by then,
/// and whoever asks again and again takes the time from those who make it.
const PATIENCE: Duration = Duration::from_millis(5);
/// How often silent connections are looked for; a part of a request is kept so long, at most twice.
const SWEEP: Duration = Duration::from_secs(1);
const WAKE: Token = Token(usize::MAX);

/// A connection that is lent.
struct Line {
    stream: mio::net::TcpStream,
    client: Arc<str>,
    unread: Vec<u8>,
    /// When it was last answered, or lent.
    heard: Instant,
    /// Since when `unread` has been a part of a request.
    part_since: Option<Instant>,
    /// Until when its question may wait for a block.
    patient_until: Option<Instant>,
}

/// What the node has said last.
struct Announced {
    heads: Heads,
    /// Whether transactions are taken.
    sends: bool,
    /// Whether the thread is to be woken for a new block.
    is_awaited: bool,
}

enum Order {
    Take(u64, TcpStream, Arc<str>),
    Drop(u64),
    Shut(Arc<str>),
    Stop,
}

struct Shared {
    desk: Arc<Desk>,
    journal: Option<Arc<Journal>>,
    announced: Mutex<Announced>,
    orders: Mutex<Vec<Order>>,
    waker: Waker,
    board: Board,
}

/// The lane of one server.
pub struct Lane {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Lane {
    /// Starts it. Without a journal no transactions are taken; `bell` gets a byte when there is news.
    ///
    /// # Errors
    /// The system gives no descriptor or no thread.
    pub fn start(
        desk: Arc<Desk>,
        journal: Option<Arc<Journal>>,
        bell: File,
        idle: Duration,
    ) -> io::Result<Self> {
        let poll = Poll::new()?;
        let waker = Waker::new(poll.registry(), WAKE)?;
        let none = Heads {
            latest: 0,
            safe: 0,
            finalized: 0,
        };
        let shared = Arc::new(Shared {
            desk,
            journal,
            announced: Mutex::new(Announced {
                heads: none,
                sends: false,
                is_awaited: false,
            }),
            orders: Mutex::default(),
            waker,
            board: Board::new(bell),
        });
        let worker = Worker {
            shared: shared.clone(),
            poll,
            idle,
            lines: HashMap::default(),
            shut: HashSet::default(),
            ready: vec![],
            returned: vec![],
            patient: BTreeSet::new(),
            buffer: vec![0; READ_BYTES],
        };
        let thread = thread::Builder::new().name("bedroll-lane".into());
        let thread = thread.spawn(move || worker.run())?;
        Ok(Self {
            shared,
            thread: Mutex::new(Some(thread)),
        })
    }

    fn order(&self, order: Order) {
        lock(&self.shared.orders).push(order);
        // It fails where the thread has ended: nobody waits for the order then.
        let _ = self.shared.waker.wake();
    }

    /// Says which blocks there are, and whether transactions are taken.
    pub fn announce(&self, heads: Heads, sends: bool) {
        let is_awaited = {
            let mut announced = lock(&self.shared.announced);
            announced.heads = heads;
            announced.sends = sends && self.shared.journal.is_some();
            std::mem::take(&mut announced.is_awaited)
        };
        if is_awaited {
            // It fails where the thread has ended.
            let _ = self.shared.waker.wake();
        }
    }

    /// Lends a connection.
    pub fn take(&self, token: u64, stream: TcpStream, client: &str) {
        self.order(Order::Take(token, stream, client.into()));
    }

    /// Forgets a connection that was cut.
    pub fn drop_line(&self, token: u64) {
        self.order(Order::Drop(token));
    }

    /// Gives back every connection of this client at its next request, until one is lent again.
    pub fn shut(&self, client: &str) {
        self.order(Order::Shut(client.into()));
    }

    /// Connections that go back and transactions that were taken; see [`Board::collect`].
    pub fn collect(&self, gathers: bool) -> (Vec<Returned>, Vec<Waiting>) {
        self.shared.board.collect(gathers)
    }

    /// What was answered by client, and the time that went into it.
    pub fn count(&self) -> (HashMap<Arc<str>, Counts>, Duration) {
        self.shared.board.count()
    }

    /// Gives every connection back and ends the thread.
    pub fn stop(&self) {
        let thread = lock(&self.thread).take();
        if let Some(thread) = thread {
            self.order(Order::Stop);
            // A panic in it was told on standard error already.
            let _ = thread.join();
        }
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        self.stop();
    }
}

struct Worker {
    shared: Arc<Shared>,
    poll: Poll,
    idle: Duration,
    lines: HashMap<u64, Line>,
    shut: HashSet<Arc<str>>,
    /// Connections that may have more than was looked at.
    ready: Vec<u64>,
    returned: Vec<Returned>,
    /// Connections whose question waits for a block, and until when.
    patient: BTreeSet<(Instant, u64)>,
    buffer: Vec<u8>,
}

impl Worker {
    fn run(mut self) {
        let mut events = Events::with_capacity(TURN_MAX);
        let mut swept = Instant::now();
        loop {
            if let Err(error) = self.poll.poll(&mut events, self.timeout()) {
                if error.kind() == ErrorKind::Interrupted {
                    continue;
                }
                break;
            }
            let mut goes_on = true;
            for event in &events {
                match event.token() {
                    WAKE => {
                        goes_on &= self.obey();
                        let patient = std::mem::take(&mut self.patient);
                        self.ready
                            .extend(patient.into_iter().map(|(_, token)| token));
                    }
                    token if event.is_read_closed() => {
                        self.give_back(token.0 as u64, vec![], false)
                    }
                    token => self.ready.push(token.0 as u64),
                }
            }
            if !goes_on {
                break;
            }
            self.lose_patience();
            self.turn();
            if swept.elapsed() >= SWEEP {
                swept = Instant::now();
                self.sweep(swept);
            }
        }
        let all: Vec<u64> = self.lines.keys().copied().collect();
        for token in all {
            self.give_back(token, vec![], false);
        }
        self.tell(vec![], vec![], Duration::ZERO);
    }

    /// How long to wait for something to do.
    fn timeout(&self) -> Option<Duration> {
        if !self.ready.is_empty() {
            return Some(Duration::ZERO);
        }
        match self.patient.first() {
            Some((until, _)) => Some(until.saturating_duration_since(Instant::now())),
            None => (!self.lines.is_empty()).then_some(SWEEP),
        }
    }

    /// Looks again at the questions that have waited long enough.
    fn lose_patience(&mut self) {
        if self.patient.is_empty() {
            return;
        }
        let still = self.patient.split_off(&(Instant::now(), u64::MAX));
        let over = std::mem::replace(&mut self.patient, still);
        self.ready.extend(over.into_iter().map(|(_, token)| token));
    }

    /// Whether an answer may wait for the next block. It is made anew then.
    fn waits(&mut self, token: u64, answer: &Answer, latest: u64) -> bool {
        let Some(line) = self.lines.get_mut(&token).filter(|_| answer.is_early) else {
            return false;
        };
        let now = Instant::now();
        let until = *line.patient_until.get_or_insert(now + PATIENCE);
        if until <= now {
            return false;
        }
        let mut announced = lock(&self.shared.announced);
        if announced.heads.latest == latest {
            announced.is_awaited = true;
            self.patient.insert((until, token));
        } else {
            self.ready.push(token);
        }
        true
    }

    /// Does what it is told; whether to go on.
    fn obey(&mut self) -> bool {
        let orders = std::mem::take(&mut *lock(&self.shared.orders));
        for order in orders {
            match order {
                Order::Take(token, stream, client) => self.take(token, stream, client),
                Order::Drop(token) => {
                    if let Some(mut line) = self.lines.remove(&token) {
                        let _ = self.poll.registry().deregister(&mut line.stream);
                    }
                }
                Order::Shut(client) => {
                    self.shut.insert(client);
                }
                Order::Stop => return false,
            }
        }
        true
    }

    fn take(&mut self, token: u64, stream: TcpStream, client: Arc<str>) {
        self.shut.remove(&client);
        let mut stream = mio::net::TcpStream::from_std(stream);
        let place = Token(token as usize);
        let watched = self
            .poll
            .registry()
            .register(&mut stream, place, Interest::READABLE);
        let line = Line {
            stream,
            client,
            unread: vec![],
            heard: Instant::now(),
            part_since: None,
            patient_until: None,
        };
        self.lines.insert(token, line);
        if watched.is_err() {
            self.give_back(token, vec![], false);
        }
    }

    fn give_back(&mut self, token: u64, unsent: Vec<u8>, is_declined: bool) {
        let Some(mut line) = self.lines.remove(&token) else {
            return;
        };
        // It fails where the connection is gone, which whoever has it next will see.
        let _ = self.poll.registry().deregister(&mut line.stream);
        self.returned.push(Returned {
            token,
            unread: line.unread,
            unsent,
            is_declined,
            is_idle: false,
        });
    }

    /// Gives back whoever has been silent for too long, and whoever keeps the rest of a request for long.
    fn sweep(&mut self, now: Instant) {
        let slow = |line: &Line| {
            let since = line.part_since;
            since.is_some_and(|since| now.duration_since(since) >= SWEEP)
        };
        let late = self.lines.iter().filter(|(_, line)| slow(line));
        for token in late.map(|(token, _)| *token).collect::<Vec<u64>>() {
            self.give_back(token, vec![], false);
        }
        let silent = |line: &Line| now.duration_since(line.heard) >= self.idle;
        let over: Vec<u64> = self
            .lines
            .iter()
            .filter(|(_, line)| silent(line))
            .map(|(token, _)| *token)
            .collect();
        for token in over {
            self.give_back(token, vec![], false);
            if let Some(last) = self.returned.last_mut() {
                last.is_idle = true;
            }
        }
        if !self.returned.is_empty() {
            self.tell(vec![], vec![], Duration::ZERO);
        }
    }

    /// Reads what has come, answers it, tells of it.
    fn turn(&mut self) {
        let mut asked = vec![];
        let mut waiting = std::mem::take(&mut self.ready);
        // Told of anew while something of it was left to look at.
        waiting.sort_unstable();
        waiting.dedup();
        let later = waiting.split_off(waiting.len().min(TURN_MAX));
        for token in waiting {
            match self.read(token) {
                Some(Begin::Whole(body)) => asked.push((token, body)),
                Some(Begin::Other) => self.give_back(token, vec![], false),
                Some(Begin::Part) | None => {}
            }
        }
        self.ready.extend(later);
        if asked.is_empty() {
            if !self.returned.is_empty() {
                self.tell(vec![], vec![], Duration::ZERO);
            }
            return;
        }
        let start = Instant::now();
        let (heads, sends) = {
            let announced = lock(&self.shared.announced);
            (announced.heads, announced.sends)
        };
        let bodies: Vec<&[u8]> = asked
            .iter()
            .map(|(token, body)| &self.lines[token].unread[body.clone()])
            .collect();
        let mut done = self.shared.desk.answer(&bodies, heads, sends);
        drop(bodies);
        if !self.write_down(&done.taken) {
            // The pool has let go of them: the dispatcher tries again, and says why it fails.
            let unlogged = done.answers.iter_mut().zip(&done.brought);
            for (answer, _) in unlogged.filter(|(_, brought)| **brought > 0) {
                *answer = None;
            }
            done.taken.clear();
        }
        let mut told = vec![];
        for ((token, body), answer) in asked.into_iter().zip(done.answers) {
            match answer {
                Some(answer) if self.waits(token, &answer, heads.latest) => {}
                Some(answer) => {
                    let client = self.lines[&token].client.clone();
                    self.send(token, body.end, &answer);
                    told.push((client, answer));
                }
                None => self.give_back(token, vec![], true),
            }
        }
        self.tell(done.taken, told, start.elapsed());
    }

    /// What a connection has sent by now; None: nothing.
    fn read(&mut self, token: u64) -> Option<Begin> {
        let line = self.lines.get_mut(&token)?;
        let room = READ_BYTES - line.unread.len();
        match line.stream.read(&mut self.buffer[..room]) {
            Ok(0) => return Some(Begin::Other),
            Ok(count) => line.unread.extend_from_slice(&self.buffer[..count]),
            Err(error) if error.kind() == ErrorKind::WouldBlock && line.unread.is_empty() => {
                return None
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(_) => return Some(Begin::Other),
        }
        if self.shut.contains(&line.client) {
            return Some(Begin::Other);
        }
        let found = begin(&line.unread, READ_BYTES);
        line.part_since = match found {
            Begin::Part => line.part_since.or_else(|| Some(Instant::now())),
            _ => None,
        };
        Some(found)
    }

    /// Puts transactions into the log; whether it could.
    fn write_down(&self, taken: &[Waiting]) -> bool {
        let Some(journal) = self.shared.journal.as_ref().filter(|_| !taken.is_empty()) else {
            return true;
        };
        let written = journal.append(taken.iter().map(|tx| tx.raw.as_ref()), false);
        if let (Err(_), Some(pool)) = (&written, self.shared.desk.pool()) {
            let mut pool = lock(pool);
            for tx in taken {
                pool.refused(tx);
            }
        }
        written.is_ok()
    }

    /// Sends an answer to the request that ends at `end`.
    fn send(&mut self, token: u64, end: usize, answer: &Answer) {
        let Some(line) = self.lines.get_mut(&token) else {
            return;
        };
        let mut whole = Vec::with_capacity(answer.body.len() + 96);
        whole.extend_from_slice(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ",
        );
        whole.extend_from_slice(answer.body.len().to_string().as_bytes());
        whole.extend_from_slice(b"\r\n\r\n");
        whole.extend_from_slice(&answer.body);
        // An edge is told once: what came with this request or behind it is looked for again.
        let is_full = line.unread.len() == READ_BYTES;
        line.unread.drain(..end);
        line.heard = Instant::now();
        line.patient_until = None;
        if is_full || !line.unread.is_empty() {
            self.ready.push(token);
        }
        // Where it cannot be written, whoever has the connection next sees why.
        let sent = line.stream.write(&whole).unwrap_or(0);
        if sent < whole.len() {
            self.give_back(token, whole.split_off(sent), false);
        }
    }

    fn tell(&mut self, taken: Vec<Waiting>, told: Vec<(Arc<str>, Answer)>, spent: Duration) {
        let returned = std::mem::take(&mut self.returned);
        self.shared.board.tell(returned, taken, told, spent);
    }
}
