//! The unsigned payload of a transaction: what block hashes commit to in place of signatures.
//!
//! Types 0, 1 and 2: exactly the bytes that are signed. Type 4: the same, with each authorisation as
//! `[chain_id, address, nonce, authority]`, authority empty where its signature is invalid.
use alloc::vec::Vec;
use alloy_consensus::{SignableTransaction, TxEip7702};
use alloy_primitives::Address;
use alloy_rlp::{BufMut, Encodable, Header};

use crate::transaction::Envelope;

/// EIP-2718 type of the L1-info call.
pub const ORIGIN_TYPE: u8 = 0x7e;
/// First byte of a transaction as it is kept where its signature is not known; never a type on the wire.
pub const ATTESTED_TYPE: u8 = 0x7f;

/// Encodes the unsigned payload. `authorities` are those of a type-4 transaction, in order.
pub fn unsigned_payload(envelope: &Envelope, authorities: &[Option<Address>]) -> Vec<u8> {
    let mut out = Vec::with_capacity(128);
    match envelope {
        Envelope::Legacy(signed) => signed.tx().encode_for_signing(&mut out),
        Envelope::Eip2930(signed) => signed.tx().encode_for_signing(&mut out),
        Envelope::Eip1559(signed) => signed.tx().encode_for_signing(&mut out),
        Envelope::Eip4844(signed) => signed.tx().encode_for_signing(&mut out),
        Envelope::Eip7702(signed) => encode_7702(signed.tx(), authorities, &mut out),
    }
    out
}

fn list(payload_length: usize) -> Header {
    Header {
        list: true,
        payload_length,
    }
}

fn encode_7702(tx: &TxEip7702, authorities: &[Option<Address>], out: &mut Vec<u8>) {
    let mut grants = Vec::new();
    for (signed, authority) in tx.authorization_list.iter().zip(authorities) {
        let grant = signed.inner();
        let authority: &[u8] = authority.as_ref().map_or(&[], |found| found.as_slice());
        let length = grant.chain_id.length()
            + grant.address.length()
            + grant.nonce.length()
            + authority.length();
        list(length).encode(&mut grants);
        grant.chain_id.encode(&mut grants);
        grant.address.encode(&mut grants);
        grant.nonce.encode(&mut grants);
        authority.encode(&mut grants);
    }
    let mut fields = Vec::with_capacity(128 + grants.len());
    tx.chain_id.encode(&mut fields);
    tx.nonce.encode(&mut fields);
    tx.max_priority_fee_per_gas.encode(&mut fields);
    tx.max_fee_per_gas.encode(&mut fields);
    tx.gas_limit.encode(&mut fields);
    tx.to.encode(&mut fields);
    tx.value.encode(&mut fields);
    tx.input.encode(&mut fields);
    tx.access_list.encode(&mut fields);
    list(grants.len()).encode(&mut fields);
    fields.extend_from_slice(&grants);
    out.put_u8(4);
    list(fields.len()).encode(out);
    out.extend_from_slice(&fields);
}
