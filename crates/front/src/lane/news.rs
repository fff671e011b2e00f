//! What a lane has to tell the interpreter, and when it wakes it for that.
use std::fs::File;
use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use alloy_primitives::map::HashMap;

use crate::desk::{lock, Answer};
use crate::pool::Waiting;

/// How often each method was answered, and how often refused.
pub type Counts = HashMap<&'static str, (u32, u32)>;

/// A connection that goes back to where it came from.
#[derive(Debug)]
pub struct Returned {
    /// Its number.
    pub token: u64,
    /// What it has sent and was not answered.
    pub unread: Vec<u8>,
    /// What is left of an answer that it does not take.
    pub unsent: Vec<u8>,
    /// Whether the first request of `unread` was looked at in vain.
    pub is_declined: bool,
    /// Whether it has been silent for too long.
    pub is_idle: bool,
}

/// Since it was last asked for.
#[derive(Debug, Default)]
pub struct News {
    /// Connections.
    pub returned: Vec<Returned>,
    /// Transactions that the pool took; they are in the log.
    pub taken: Vec<Waiting>,
    /// By client.
    pub counts: HashMap<Arc<str>, Counts>,
    /// Time that went into answers.
    pub spent: Duration,
    has_rung: bool,
    /// Whether somebody will come for the counts anyway.
    is_counted: bool,
    /// Whether somebody will come for the transactions anyway.
    is_gathered: bool,
}

/// News and the bell that tells of them.
#[derive(Debug)]
pub(super) struct Board {
    news: Mutex<News>,
    /// A pipe that does not block: one byte wakes the interpreter.
    bell: File,
}

impl Board {
    pub fn new(bell: File) -> Self {
        Self {
            news: Mutex::default(),
            bell,
        }
    }

    /// Puts up what a turn brought.
    pub fn tell(
        &self,
        returned: Vec<Returned>,
        taken: Vec<Waiting>,
        told: Vec<(Arc<str>, Answer)>,
        spent: Duration,
    ) {
        let mut news = lock(&self.news);
        let mut rings = !returned.is_empty();
        rings |= !taken.is_empty() && !news.is_gathered;
        rings |= !told.is_empty() && !news.is_counted;
        news.is_counted |= !told.is_empty();
        news.is_gathered |= !taken.is_empty();
        news.returned.extend(returned);
        news.taken.extend(taken);
        news.spent += spent;
        for (client, answer) in told {
            let counts = news.counts.entry(client).or_default();
            for (name, good, bad) in answer.counts {
                let count = counts.entry(name).or_default();
                *count = (count.0 + good, count.1 + bad);
            }
        }
        if rings && !news.has_rung {
            news.has_rung = true;
            // A full pipe has woken somebody already.
            let _ = (&self.bell).write(&[1]);
        }
    }

    /// Takes connections and transactions; `gathers`: who takes them comes again without being told.
    pub fn collect(&self, gathers: bool) -> (Vec<Returned>, Vec<Waiting>) {
        let mut news = lock(&self.news);
        news.has_rung = false;
        news.is_gathered = gathers;
        (
            std::mem::take(&mut news.returned),
            std::mem::take(&mut news.taken),
        )
    }

    /// Takes the counts.
    pub fn count(&self) -> (HashMap<Arc<str>, Counts>, Duration) {
        let mut news = lock(&self.news);
        news.is_counted = false;
        (
            std::mem::take(&mut news.counts),
            std::mem::take(&mut news.spent),
        )
    }
}
