//! Many transactions at once: each is parsed by itself, then hashes and signatures of all are worked on together.
use alloc::vec::Vec;

use alloy_consensus::Transaction as _;
use alloy_eips::eip7702::SignedAuthorization;
use alloy_primitives::{keccak256, Address, Bytes, Signature, B256};
use rayon::prelude::*;

use super::{decode_envelope, Envelope, Transaction, TransactionError};
use crate::payload::unsigned_payload;
use crate::sender::recover_all;
use crate::trie::hash_all;

/// Most transactions that one core takes at a time.
const TOGETHER: usize = 64;
/// Parts of the work for each core, so that none waits long for another's last one.
const PARTS: usize = 4;

/// Transactions that a core should take at a time where there are `count` for `cores`.
pub fn share(count: usize, cores: usize) -> usize {
    let least = if bedroll_recover::is_available() {
        bedroll_recover::LANES
    } else {
        1
    };
    let even = count.div_ceil(cores * PARTS).next_multiple_of(least);
    even.clamp(least, TOGETHER)
}

/// Decodes and recovers many, on all cores; of each what [`Transaction::decode`] gives.
pub fn decode_all(raws: &[Bytes]) -> Vec<Result<Transaction, TransactionError>> {
    raws.par_chunks(share(raws.len(), rayon::current_num_threads()))
        .flat_map_iter(decode_together)
        .collect()
}

/// The same on this core alone.
pub fn decode_together(raws: &[impl AsRef<[u8]>]) -> Vec<Result<Transaction, TransactionError>> {
    let parsed = raws.iter().map(|raw| Parsed::read(raw.as_ref()));
    let parsed: Vec<_> = parsed.collect();
    let good = || parsed.iter().flatten();
    let payloads: Vec<&[u8]> = good().filter_map(Parsed::signed_payload).collect();
    let mut payload_hashes = hash_all(&payloads).into_iter();
    let mut signed = Vec::with_capacity(parsed.len());
    for one in good() {
        let hash = one.signed_payload().and_then(|_| payload_hashes.next());
        let hash = hash.unwrap_or_else(|| one.envelope.signature_hash());
        signed.push((hash, *one.envelope.signature()));
        signed.extend(one.grants().iter().filter_map(signed_grant));
    }
    let mut addresses = recover_all(&signed).into_iter();
    let mut next = || addresses.next().flatten();
    let raws: Vec<&[u8]> = good().map(|one| &one.raw[..]).collect();
    let mut hashes = hash_all(&raws).into_iter();
    let transaction = |parsed: Result<Parsed, TransactionError>| {
        let parsed = parsed?;
        let hash = hashes.next().unwrap_or_else(|| keccak256(&parsed.raw));
        let sender = next();
        let grants = parsed.grants().iter();
        // All are asked for, whoever sent it: the next transaction's come after them.
        let authorities = grants.map(|grant| grant.signature().ok().and_then(|_| next()));
        let authorities: Vec<_> = authorities.collect();
        let sender = sender.ok_or(TransactionError::Signature)?;
        Ok(parsed.with_signers(hash, sender, authorities))
    };
    parsed.into_iter().map(transaction).collect()
}

/// A transaction of which nobody knows yet who signed it.
struct Parsed {
    envelope: Envelope,
    raw: Bytes,
    /// None of a type 4: it has the authorities in it.
    payload: Option<Bytes>,
}

impl Parsed {
    fn read(raw: &[u8]) -> Result<Self, TransactionError> {
        let envelope = decode_envelope(raw)?;
        let has_grants = matches!(envelope, Envelope::Eip7702(_));
        let payload = (!has_grants).then(|| unsigned_payload(&envelope, &[]).into());
        Ok(Self {
            envelope,
            raw: Bytes::copy_from_slice(raw),
            payload,
        })
    }

    /// The payload, where that is what was signed.
    fn signed_payload(&self) -> Option<&[u8]> {
        self.payload.as_ref().map(|payload| &payload[..])
    }

    fn grants(&self) -> &[SignedAuthorization] {
        self.envelope.authorization_list().unwrap_or_default()
    }

    fn with_signers(
        self,
        hash: B256,
        sender: Address,
        authorities: Vec<Option<Address>>,
    ) -> Transaction {
        let Self {
            envelope,
            raw,
            payload,
        } = self;
        let payload = payload.unwrap_or_else(|| unsigned_payload(&envelope, &authorities).into());
        Transaction::build(envelope, sender, raw, hash, payload, authorities)
    }
}

/// What an authority signed; None where its signature is none.
fn signed_grant(grant: &SignedAuthorization) -> Option<(B256, Signature)> {
    let signature = grant.signature().ok()?;
    Some((grant.inner().signature_hash(), signature))
}

#[cfg(test)]
mod tests;
