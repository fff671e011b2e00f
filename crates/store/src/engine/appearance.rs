//! Transactions by the addresses that appear in them.
use alloy_primitives::Address;
use bedroll_core::block::Places;
use bedroll_core::receipt::Receipt;
use bedroll_core::transaction::Transaction;

use super::{Engine, EngineError};
use crate::{Appearance, Roles, View};

/// How a contract came to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Creation {
    /// Of the block.
    pub height: u64,
    /// Index of the transaction in the block.
    pub transaction: u32,
    /// Who signed where the transaction itself is a creation; None: something that ran inside made it.
    pub creator: Option<Address>,
}

fn damaged(height: u64) -> EngineError {
    EngineError::Corrupt(format!("block {height}: a transaction cannot be read"))
}

fn transaction_of(
    view: &View,
    height: u64,
    index: u32,
) -> Result<Option<(Transaction, Receipt)>, EngineError> {
    let looked = view.with_body(height, |body, places| {
        let places = Places::new(places).ok_or_else(|| damaged(height))?;
        if index >= places.transactions() {
            return Ok(None);
        }
        let transaction = places.transaction(body, index);
        let receipt = places.receipt(body, index);
        match (transaction, receipt) {
            (Ok(transaction), Ok(receipt)) => Ok(Some((transaction, receipt))),
            _ => Err(damaged(height)),
        }
    })?;
    looked.unwrap_or(Ok(None))
}

impl Engine {
    /// A transaction of a sealed block and what it did, without reading the others; None where there is none.
    ///
    /// # Errors
    /// The store's.
    pub fn transaction(
        &self,
        height: u64,
        index: u32,
    ) -> Result<Option<(Transaction, Receipt)>, EngineError> {
        transaction_of(&self.store.view(None)?, height, index)
    }

    /// Transactions in which an address appears, below height `before` and newest first. Whole blocks, until there
    /// are `limit`; true: there are more.
    ///
    /// # Errors
    /// The store's.
    pub fn appearances_before(
        &self,
        address: &Address,
        before: u64,
        limit: usize,
    ) -> Result<(Vec<Appearance>, bool), EngineError> {
        let view = self.store.view(None)?;
        Ok(view.appearances_before(address, before, limit)?)
    }

    /// The same above height `after` (None: from the beginning) and oldest first.
    ///
    /// # Errors
    /// The store's.
    pub fn appearances_after(
        &self,
        address: &Address,
        after: Option<u64>,
        limit: usize,
    ) -> Result<(Vec<Appearance>, bool), EngineError> {
        let view = self.store.view(None)?;
        Ok(view.appearances_after(address, after, limit)?)
    }

    /// Height and index of the transaction that `sender` signed with this nonce.
    ///
    /// Of the transactions that it signed only as many are read as halving takes: nonces ascend with the chain.
    ///
    /// # Errors
    /// The store's.
    pub fn transaction_by_nonce(
        &self,
        sender: &Address,
        nonce: u64,
    ) -> Result<Option<(u64, u32)>, EngineError> {
        use alloy_consensus::Transaction as _;
        let view = self.store.view(None)?;
        let (all, _) = view.appearances_after(sender, None, usize::MAX)?;
        let signed: Vec<Appearance> = all
            .into_iter()
            .filter(|one| one.roles.has(Roles::SENDER))
            .collect();
        let (mut low, mut high) = (0, signed.len());
        while low < high {
            let middle = low + (high - low) / 2;
            let at = signed[middle];
            let found = transaction_of(&view, at.height, at.transaction)?;
            let (found, _) = found.ok_or_else(|| damaged(at.height))?;
            let Some(envelope) = found.envelope() else {
                // The chain's own calls have no nonce.
                return Ok(None);
            };
            match envelope.nonce().cmp(&nonce) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Equal => return Ok(Some((at.height, at.transaction))),
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        Ok(None)
    }

    /// The transaction that made the contract at this address.
    ///
    /// # Errors
    /// The store's.
    pub fn creation_of(&self, address: &Address) -> Result<Option<Creation>, EngineError> {
        let view = self.store.view(None)?;
        let Some((height, index)) = view.creation_of(address)? else {
            return Ok(None);
        };
        let found = transaction_of(&view, height, index)?;
        let (transaction, receipt) = found.ok_or_else(|| damaged(height))?;
        let outside = receipt.contract == Some(*address);
        Ok(Some(Creation {
            height,
            transaction: index,
            creator: outside.then_some(transaction.sender),
        }))
    }
}
