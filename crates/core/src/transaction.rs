//! A transaction, decoded: what follows from its bytes alone.
mod attested;
pub(crate) mod env;
mod origin_call;
mod unsigned;

use alloc::{boxed::Box, vec, vec::Vec};
use alloy_consensus::{EthereumTxEnvelope, Transaction as _, TxEip4844};
use alloy_eips::eip2718::{Decodable2718, Encodable2718};
use alloy_primitives::{keccak256, Address, Bytes, TxKind, B256, U256};
use alloy_rlp::Header;
use core::fmt;
use revm::context::TxEnv;

pub(crate) use attested::authorities_of;
pub use attested::{attested_authorization, signed_envelope, SIGNATURE_SIZE};
pub use env::intrinsic_gas;
pub use origin_call::{OriginCall, OriginFacts, ORIGIN_GAS};
pub use unsigned::{Unsigned, UnsignedFee};

use crate::fee::{self, lz_length};
use crate::payload::unsigned_payload;

/// A signed transaction as alloy knows it.
pub type Envelope = EthereumTxEnvelope<TxEip4844>;

/// Why bytes are not a transaction of this chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransactionError {
    /// Not the one canonical EIP-2718 encoding of a transaction of types 0, 1, 2 or 4.
    Encoding,
    /// Type 3: the chain has no blobs.
    Blob,
    /// No sender can be recovered, or `s` is in the upper half.
    Signature,
}

impl fmt::Display for TransactionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Encoding => "not a canonical transaction of type 0, 1, 2 or 4",
            Self::Blob => "blob transactions are not accepted",
            Self::Signature => "no sender can be recovered from the signature",
        })
    }
}

impl core::error::Error for TransactionError {}

/// What the transaction is.
#[derive(Debug, Clone)]
pub enum Body {
    /// Signed by a user.
    Signed(Box<Envelope>),
    /// The L1-info call, made by the chain itself.
    Origin(Box<OriginCall>),
}

/// A decoded transaction with its sender.
#[derive(Debug, Clone)]
pub struct Transaction {
    /// EIP-2718 bytes with signature (of the L1-info call: its payload; without one: [`Self::attested_raw`]).
    pub raw: Bytes,
    /// Ethereum hash.
    pub hash: B256,
    /// Who signed.
    pub sender: Address,
    /// Unsigned payload.
    pub payload: Bytes,
    /// Authorities of a type-4 transaction, in order; None where a signature is invalid.
    pub authorities: Vec<Option<Address>>,
    /// Bytes after the LZ parse of `sender ‖ payload`; None for a plain transaction, counted at `transfer_bytes`.
    pub lz_size: Option<u64>,
    /// Gas needed before anything runs, the EIP-7623 floor included.
    pub intrinsic_gas: u64,
    /// The fields.
    pub body: Body,
}

impl Transaction {
    /// Decodes one signed transaction and recovers its sender.
    ///
    /// # Errors
    /// [`TransactionError`] for anything but the canonical encoding of a signed transaction of types 0, 1, 2, 4.
    pub fn decode(raw: &[u8]) -> Result<Self, TransactionError> {
        Self::signed(decode_envelope(raw)?, Bytes::copy_from_slice(raw))
    }

    /// Recovers the sender of a transaction; `raw` is its canonical encoding.
    ///
    /// # Errors
    /// [`TransactionError::Signature`].
    pub fn signed(envelope: Envelope, raw: Bytes) -> Result<Self, TransactionError> {
        let (payload, authorities) = payload_of(&envelope);
        let sender = attested::sender_of(&envelope, &payload)?;
        let hash = keccak256(&raw);
        Ok(Self::build(
            envelope,
            sender,
            raw,
            hash,
            payload,
            authorities,
        ))
    }

    fn assemble(envelope: Envelope, sender: Address, raw: Bytes) -> Self {
        let (payload, authorities) = payload_of(&envelope);
        let hash = keccak256(&raw);
        Self::build(envelope, sender, raw, hash, payload, authorities)
    }

    fn build(
        envelope: Envelope,
        sender: Address,
        raw: Bytes,
        hash: B256,
        payload: Bytes,
        authorities: Vec<Option<Address>>,
    ) -> Self {
        let plain = envelope.input().is_empty()
            && envelope.access_list().is_none_or(|list| list.is_empty())
            && authorities.is_empty();
        let lz_size = (!plain).then(|| lz_length(&[sender.as_slice(), &payload].concat()));
        let mut found = Self {
            hash,
            raw,
            sender,
            payload,
            authorities,
            lz_size,
            intrinsic_gas: 0,
            body: Body::Signed(Box::new(envelope)),
        };
        found.intrinsic_gas = intrinsic_gas(found.env());
        found
    }

    /// Wraps an L1-info call.
    pub fn of_origin(call: OriginCall, caller: Address) -> Self {
        let payload: Bytes = call.payload().into();
        Self {
            hash: keccak256(&payload),
            raw: payload.clone(),
            sender: caller,
            payload,
            authorities: vec![],
            lz_size: None,
            intrinsic_gas: 0,
            body: Body::Origin(Box::new(call)),
        }
    }

    /// Decodes what a store kept: `raw` of either kind, the sender known.
    ///
    /// # Errors
    /// [`TransactionError::Encoding`] where the bytes are not what was stored.
    pub fn restore(raw: &[u8], sender: Address) -> Result<Self, TransactionError> {
        if raw.first() == Some(&crate::payload::ORIGIN_TYPE) {
            let call = OriginCall::decode(raw).map_err(|_| TransactionError::Encoding)?;
            return Ok(Self::of_origin(call, sender));
        }
        if raw.first() == Some(&crate::payload::ATTESTED_TYPE) {
            return Self::restore_attested(raw);
        }
        let envelope = decode_any(raw)?;
        Ok(Self::assemble(
            envelope,
            sender,
            Bytes::copy_from_slice(raw),
        ))
    }

    /// EIP-2718 type.
    pub fn kind(&self) -> u8 {
        match &self.body {
            Body::Signed(envelope) => envelope.tx_type() as u8,
            Body::Origin(_) => crate::payload::ORIGIN_TYPE,
        }
    }

    /// The signed fields; None for the L1-info call.
    pub fn envelope(&self) -> Option<&Envelope> {
        match &self.body {
            Body::Signed(envelope) => Some(envelope),
            Body::Origin(_) => None,
        }
    }

    /// Bytes that data gas counts.
    pub fn size(&self, transfer_bytes: u64) -> u64 {
        self.lz_size
            .map_or(transfer_bytes, |length| fee::size(length, transfer_bytes))
    }

    /// Recipient; None for a creation.
    pub fn to(&self) -> Option<Address> {
        match &self.body {
            Body::Signed(envelope) => envelope.to(),
            Body::Origin(call) => Some(call.to),
        }
    }

    /// Contract that a creation makes, or would have made.
    pub fn created(&self) -> Option<Address> {
        let tx = self.envelope()?;
        match tx.kind() {
            TxKind::Create => Some(self.sender.create(tx.nonce())),
            TxKind::Call(_) => None,
        }
    }

    /// Length of its item in an RLP list of transactions.
    pub fn listed_length(&self) -> usize {
        if self.kind() == 0 {
            self.raw.len()
        } else {
            Header {
                list: false,
                payload_length: self.raw.len(),
            }
            .length()
                + self.raw.len()
        }
    }

    /// Writes `sender ‖ unsigned payload`, the leaf of `transactionsRoot`.
    pub fn put_leaf(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.sender.as_slice());
        out.extend_from_slice(&self.payload);
    }

    /// The transaction as the EVM takes it.
    pub fn env(&self) -> TxEnv {
        let mut env = TxEnv {
            caller: self.sender,
            ..TxEnv::default()
        };
        match &self.body {
            Body::Origin(call) => {
                env.gas_limit = call.gas_limit;
                env.kind = TxKind::Call(call.to);
                env.data = call.input.clone();
            }
            Body::Signed(tx) => env::fill(&mut env, tx, &self.authorities),
        }
        env
    }

    /// Most that its sender may pay: limit × max fee + value; None where that is beyond 256 bits.
    pub fn max_cost(&self) -> Option<U256> {
        let tx = self.envelope()?;
        U256::from(tx.gas_limit())
            .checked_mul(U256::from(tx.max_fee_per_gas()))?
            .checked_add(tx.value())
    }
}

/// Unsigned payload, and the authorities in it.
fn payload_of(envelope: &Envelope) -> (Bytes, Vec<Option<Address>>) {
    let grants = envelope.authorization_list().unwrap_or_default();
    let authorities = authorities_of(grants);
    (unsigned_payload(envelope, &authorities).into(), authorities)
}

/// Decodes the canonical form of a signed transaction without recovering its sender.
fn decode_envelope(raw: &[u8]) -> Result<Envelope, TransactionError> {
    if raw.first() == Some(&3) {
        return Err(TransactionError::Blob);
    }
    decode_any(raw)
}

/// The same, blob transactions included (published vectors of profile `ethereum` have them).
pub(crate) fn decode_any(raw: &[u8]) -> Result<Envelope, TransactionError> {
    let mut rest = raw;
    let envelope = Envelope::decode_2718(&mut rest).map_err(|_| TransactionError::Encoding)?;
    // alloy takes more than one spelling of some fields; only its own encoding is canonical.
    if !rest.is_empty() || envelope.encoded_2718() != raw {
        return Err(TransactionError::Encoding);
    }
    Ok(envelope)
}

/// Decodes a transaction of profile `ethereum`, blobs included.
///
/// # Errors
/// As [`Transaction::decode`].
pub fn decode_ethereum(raw: &[u8]) -> Result<Transaction, TransactionError> {
    Transaction::signed(decode_any(raw)?, Bytes::copy_from_slice(raw))
}

#[cfg(feature = "std")]
mod many;
#[cfg(feature = "std")]
pub use many::{decode_all, decode_together, share};
