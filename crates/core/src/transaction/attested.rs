//! Transactions whose signature is not in the block's data: a proof attests that there is one.
//!
//! Reads: a sender and an unsigned payload, or signatures that somebody handed on. Gives: the transaction, without or
//! with its signature. Never: takes a signature on trust.
use alloc::vec::Vec;

use alloy_consensus::{Signed, Transaction as _, TxEip1559, TxEip2930, TxEip7702, TxLegacy};
use alloy_eips::eip2718::Encodable2718;
use alloy_eips::eip2930::AccessList;
use alloy_eips::eip7702::{Authorization, SignedAuthorization};
use alloy_primitives::{keccak256, Address, Bytes, Signature, B256, U256};
use alloy_rlp::{Decodable, RlpDecodable};

use super::{payload_of, Envelope, Transaction, TransactionError};
use crate::payload::{unsigned_payload, ATTESTED_TYPE};
use crate::sender::{recover, recover_authority};

/// Bytes of a signature as it is handed on: r ‖ s ‖ parity of R's y.
pub const SIGNATURE_SIZE: usize = 65;

/// Stands where a signature is not known.
const NOBODY: Signature = Signature::new(U256::ZERO, U256::ZERO, false);

/// An authorisation of which only the authority is known.
pub fn attested_authorization(inner: Authorization) -> SignedAuthorization {
    SignedAuthorization::new_unchecked(inner, 0, U256::ZERO, U256::ZERO)
}

/// EIP-7702's fields, each authorisation with its authority.
#[derive(RlpDecodable)]
struct SetCode {
    chain_id: u64,
    nonce: u64,
    tip: u128,
    cap: u128,
    gas_limit: u64,
    to: Address,
    value: U256,
    input: Bytes,
    access_list: AccessList,
    grants: Vec<Grant>,
}

#[derive(RlpDecodable)]
struct Grant {
    chain_id: U256,
    address: Address,
    nonce: u64,
    authority: Bytes,
}

impl Transaction {
    /// A transaction without its signature. `envelope` holds zeros in its place, `authorities` those of a type 4.
    pub fn attested(
        envelope: Envelope,
        sender: Address,
        authorities: Vec<Option<Address>>,
    ) -> Self {
        let payload: Bytes = unsigned_payload(&envelope, &authorities).into();
        let raw = attested_raw(sender, &payload);
        let hash = keccak256(&raw);
        Self::build(envelope, sender, raw, hash, payload, authorities)
    }

    /// Decodes what [`Self::attested_raw`] gives.
    ///
    /// # Errors
    /// [`TransactionError::Encoding`] where the bytes are no such thing.
    pub fn restore_attested(raw: &[u8]) -> Result<Self, TransactionError> {
        let parts = raw.split_first_chunk::<21>();
        let (head, payload) = parts.ok_or(TransactionError::Encoding)?;
        if head[0] != ATTESTED_TYPE {
            return Err(TransactionError::Encoding);
        }
        let decoded = decode_payload(payload).map_err(|_| TransactionError::Encoding)?;
        let (envelope, authorities) = decoded.ok_or(TransactionError::Encoding)?;
        let found = Self::attested(envelope, Address::from_slice(&head[1..]), authorities);
        if *found.payload != *payload {
            return Err(TransactionError::Encoding);
        }
        Ok(found)
    }

    /// Takes a signed transaction for what a body says of it, without looking at anything but its signatures: what
    /// the proved program does with each row. Neither raw bytes nor hash are made.
    ///
    /// # Errors
    /// [`TransactionError::Signature`]: others signed it, or nobody.
    pub fn proved(
        envelope: Envelope,
        sender: Address,
        authorities: &[Option<Address>],
    ) -> Result<Self, TransactionError> {
        let found = Self::recovered(envelope)?;
        if found.sender == sender && found.authorities == authorities {
            Ok(found)
        } else {
            Err(TransactionError::Signature)
        }
    }

    /// Recovers the sender; neither raw bytes nor hash are made.
    ///
    /// # Errors
    /// [`TransactionError::Signature`].
    pub fn recovered(envelope: Envelope) -> Result<Self, TransactionError> {
        let (payload, authorities) = payload_of(&envelope);
        let sender = sender_of(&envelope, &payload)?;
        Ok(Self::build(
            envelope,
            sender,
            Bytes::new(),
            B256::ZERO,
            payload,
            authorities,
        ))
    }

    /// Whether its signature is not known here.
    pub fn is_attested(&self) -> bool {
        self.raw.first() == Some(&ATTESTED_TYPE)
    }

    /// 0x7f ‖ sender ‖ unsigned payload: the transaction less its signature. Its keccak stands in for the hash.
    pub fn attested_raw(&self) -> Bytes {
        attested_raw(self.sender, &self.payload)
    }

    /// Its signature and those of its authorisations, [`SIGNATURE_SIZE`] bytes each; None where they are not known.
    pub fn signatures(&self) -> Option<Vec<u8>> {
        let envelope = self.envelope().filter(|_| !self.is_attested())?;
        let grants = envelope.authorization_list().unwrap_or_default();
        let mut out = Vec::with_capacity(SIGNATURE_SIZE * (1 + grants.len()));
        let own = envelope.signature();
        put(&mut out, own.r(), own.s(), u8::from(own.v()));
        for grant in grants {
            put(&mut out, grant.r(), grant.s(), grant.y_parity());
        }
        Some(out)
    }

    /// The same transaction with signatures as [`Self::signatures`] gives them.
    ///
    /// # Errors
    /// [`TransactionError::Encoding`] for another count of bytes or a parity that is none,
    /// [`TransactionError::Signature`] where sender and payload are not what was signed.
    pub fn with_signatures(&self, signatures: &[u8]) -> Result<Self, TransactionError> {
        let envelope = self.envelope().ok_or(TransactionError::Encoding)?;
        let signed = signed_envelope(envelope, signatures)?;
        let raw = signed.encoded_2718();
        let found = Self::signed(signed, raw.into())?;
        if found.sender == self.sender && found.payload == self.payload {
            Ok(found)
        } else {
            Err(TransactionError::Signature)
        }
    }
}

/// Who signed an envelope whose payload is known.
pub(super) fn sender_of(envelope: &Envelope, payload: &[u8]) -> Result<Address, TransactionError> {
    // Only a type 4 has a payload that is not what was signed.
    let signed = match envelope {
        Envelope::Eip7702(_) => envelope.signature_hash(),
        _ => keccak256(payload),
    };
    recover(signed, envelope.signature()).ok_or(TransactionError::Signature)
}

fn attested_raw(sender: Address, payload: &[u8]) -> Bytes {
    let mut raw = Vec::with_capacity(21 + payload.len());
    raw.push(ATTESTED_TYPE);
    raw.extend_from_slice(sender.as_slice());
    raw.extend_from_slice(payload);
    raw.into()
}

fn put(out: &mut Vec<u8>, r: U256, s: U256, parity: u8) {
    out.extend_from_slice(&r.to_be_bytes::<32>());
    out.extend_from_slice(&s.to_be_bytes::<32>());
    out.push(parity);
}

/// r, s and parity of a signature as it is handed on.
fn taken(signature: &[u8]) -> (U256, U256, u8) {
    (
        U256::from_be_slice(&signature[..32]),
        U256::from_be_slice(&signature[32..64]),
        signature[64],
    )
}

/// An envelope with signatures in place of those that it has.
///
/// # Errors
/// [`TransactionError::Encoding`] for another count of bytes or a parity that is none.
pub fn signed_envelope(
    envelope: &Envelope,
    signatures: &[u8],
) -> Result<Envelope, TransactionError> {
    let grants = envelope.authorization_list().unwrap_or_default();
    if signatures.len() != SIGNATURE_SIZE * (1 + grants.len()) {
        return Err(TransactionError::Encoding);
    }
    let mut parts = signatures.chunks_exact(SIGNATURE_SIZE);
    let (r, s, parity) = taken(parts.next().unwrap_or(&[0; SIGNATURE_SIZE]));
    if parity > 1 {
        return Err(TransactionError::Encoding);
    }
    let signature = Signature::new(r, s, parity == 1);
    // Hashes are whoever's who needs them.
    Ok(match envelope {
        Envelope::Legacy(tx) => Signed::new_unhashed(tx.tx().clone(), signature).into(),
        Envelope::Eip2930(tx) => Signed::new_unhashed(tx.tx().clone(), signature).into(),
        Envelope::Eip1559(tx) => Signed::new_unhashed(tx.tx().clone(), signature).into(),
        Envelope::Eip4844(tx) => Signed::new_unhashed(tx.tx().clone(), signature).into(),
        Envelope::Eip7702(tx) => {
            let mut tx = tx.tx().clone();
            for (grant, part) in tx.authorization_list.iter_mut().zip(parts) {
                let (r, s, parity) = taken(part);
                let inner = grant.inner().clone();
                *grant = SignedAuthorization::new_unchecked(inner, parity, r, s);
            }
            Signed::new_unhashed(tx, signature).into()
        }
    })
}

type Parts = Option<(Envelope, Vec<Option<Address>>)>;

/// Fields of an unsigned payload, signatures as zeros; None for a kind that has none.
fn decode_payload(payload: &[u8]) -> alloy_rlp::Result<Parts> {
    let mut rest = payload.get(1..).unwrap_or_default();
    let rest = &mut rest;
    let envelope = match payload.first() {
        Some(0xc0..) => Signed::new_unhashed(TxLegacy::decode(&mut &*payload)?, NOBODY).into(),
        Some(1) => Signed::new_unhashed(TxEip2930::decode(rest)?, NOBODY).into(),
        Some(2) => Signed::new_unhashed(TxEip1559::decode(rest)?, NOBODY).into(),
        Some(4) => return Ok(set_code(SetCode::decode(rest)?)),
        _ => return Ok(None),
    };
    Ok(Some((envelope, Vec::new())))
}

fn set_code(fields: SetCode) -> Parts {
    let mut authorities = Vec::with_capacity(fields.grants.len());
    let mut list = Vec::with_capacity(fields.grants.len());
    for grant in fields.grants {
        authorities.push(match grant.authority.len() {
            0 => None,
            20 => Some(Address::from_slice(&grant.authority)),
            _ => return None,
        });
        list.push(attested_authorization(Authorization {
            chain_id: grant.chain_id,
            address: grant.address,
            nonce: grant.nonce,
        }));
    }
    let tx = TxEip7702 {
        chain_id: fields.chain_id,
        nonce: fields.nonce,
        gas_limit: fields.gas_limit,
        max_fee_per_gas: fields.cap,
        max_priority_fee_per_gas: fields.tip,
        to: fields.to,
        value: fields.value,
        access_list: fields.access_list,
        authorization_list: list,
        input: fields.input,
    };
    Some((Signed::new_unhashed(tx, NOBODY).into(), authorities))
}

/// Authorities behind authorisations, None where a signature is invalid.
pub(crate) fn authorities_of(grants: &[SignedAuthorization]) -> Vec<Option<Address>> {
    grants.iter().map(recover_authority).collect()
}
