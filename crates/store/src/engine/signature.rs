//! Signatures of blocks that were taken on the word of a proof, as they are learned; digests that statements name.
use std::sync::{Arc, PoisonError};

use alloy_primitives::{Bytes, B256};
use bedroll_core::block::encode_body_and_places;
use bedroll_core::program::{facts_digest, rules_digest};

use super::{tip_facts, Engine, EngineError};

impl Engine {
    /// Digest of this chain's rules.
    pub fn rules_digest(&self) -> B256 {
        rules_digest(&self.rules)
    }

    /// Digest of what the header of a sealed block does not say.
    ///
    /// # Errors
    /// There is no such block, or the store's.
    pub fn facts_digest(&self, height: u64) -> Result<B256, EngineError> {
        let view = self.store.view(None)?;
        if height > view.height() {
            return Err(no_block(height));
        }
        Ok(facts_digest(&tip_facts(&view, height)?.tail))
    }

    /// Keeps signatures of a block's own transactions, those that are not known yet; gives how many were new.
    ///
    /// Each is checked against sender and payload. From then on the transaction has its Ethereum hash; what stood in
    /// for the hash before still finds it.
    ///
    /// # Errors
    /// No such block, another count of signatures than own transactions, one that is another's (`signature`; nothing
    /// was kept then), or the store's.
    pub fn sign_block(
        &self,
        height: u64,
        signatures: &[Option<Bytes>],
    ) -> Result<usize, EngineError> {
        let stored = self.block(height)?.ok_or_else(|| no_block(height))?;
        let mut block = (*stored).clone();
        let own = block.transactions.len() - block.forced_count;
        if signatures.len() != own {
            let text = format!(
                "block {height} has {own} own transactions, not {}",
                signatures.len()
            );
            return Err(EngineError::invalid("signature", text));
        }
        let mut learned = Vec::new();
        for (index, signature) in (block.forced_count..).zip(signatures) {
            let Some(signature) = signature else { continue };
            if !block.transactions[index].is_attested() {
                continue;
            }
            let signed = block.transactions[index].with_signatures(signature);
            let signed = signed.map_err(|error| {
                let text = format!("transaction {index} of block {height}: {error}");
                EngineError::invalid("signature", text)
            })?;
            learned.push((index as u32, signed.hash));
            block.receipts[index].transaction_hash = signed.hash;
            block.transactions[index] = Arc::new(signed);
        }
        if learned.is_empty() {
            return Ok(0);
        }
        let (body, at) = encode_body_and_places(&block);
        let hash = block.hash;
        self.store.amend(height, &hash, (&body, &at), &learned)?;
        let mut recent = self.recent.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = recent.iter_mut().find(|one| one.hash == hash) {
            *place = Arc::new(block);
        }
        Ok(learned.len())
    }
}

fn no_block(height: u64) -> EngineError {
    EngineError::invalid("height", format!("there is no block {height}"))
}
