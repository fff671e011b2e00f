//! Why the mempool does not take a transaction, in Ethereum's words, with the facts beside them.
use alloy_primitives::{hex, B256, U512};
use std::fmt;

/// A value that a refusal names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// Bytes, shown in hexadecimal.
    Hash(B256),
    /// Any number.
    Number(i128),
    /// A number beyond 127 bits.
    Large(U512),
    /// A word.
    Text(&'static str),
}

impl fmt::Display for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hash(hash) => f.write_str(&hex::encode(hash)),
            Self::Number(number) => write!(f, "{number}"),
            Self::Large(number) => write!(f, "{number}"),
            Self::Text(text) => f.write_str(text),
        }
    }
}

/// The mempool does not take a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What Ethereum's clients say.
    pub message: String,
    /// By name.
    pub facts: Vec<(&'static str, Fact)>,
}

impl Refusal {
    /// One without facts.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            facts: vec![],
        }
    }

    /// One with facts.
    pub fn with(message: &str, facts: impl Into<Vec<(&'static str, Fact)>>) -> Self {
        Self {
            message: message.into(),
            facts: facts.into(),
        }
    }
}

impl fmt::Display for Refusal {
    /// The message, and the facts in brackets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        for (place, (name, fact)) in self.facts.iter().enumerate() {
            f.write_str(if place == 0 { " (" } else { ", " })?;
            write!(f, "{name}={fact}")?;
        }
        if !self.facts.is_empty() {
            f.write_str(")")?;
        }
        Ok(())
    }
}
