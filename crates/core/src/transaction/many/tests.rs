//! Of many transactions each is what it is alone, whatever stands beside it.
use alloc::{format, vec, vec::Vec};

use alloy_consensus::{SignableTransaction, TxEip1559, TxEip2930, TxEip7702, TxLegacy};
use alloy_eips::eip2718::Encodable2718;
use alloy_eips::eip7702::{Authorization, SignedAuthorization};
use alloy_primitives::{keccak256, Address, Bytes, Signature, TxKind, B256, U256};
use secp256k1::{Message, SecretKey, SECP256K1};

use super::{decode_all, decode_together, share};
use crate::sender::{recover, recover_all};
use crate::transaction::{Envelope, Transaction};

fn sign(hash: B256, number: u64) -> Signature {
    let key = SecretKey::from_byte_array(keccak256(number.to_be_bytes()).0).expect("in range");
    let signed = SECP256K1.sign_ecdsa_recoverable(Message::from_digest(hash.0), &key);
    let (id, bytes) = signed.serialize_compact();
    Signature::from_bytes_and_parity(&bytes, i32::from(id) == 1)
}

fn grant(number: u64) -> SignedAuthorization {
    let inner = Authorization {
        chain_id: U256::from(1),
        address: Address::with_last_byte(number as u8),
        nonce: number,
    };
    let signature = sign(inner.signature_hash(), number + 1_000);
    match number % 5 {
        0 => SignedAuthorization::new_unchecked(inner, 2, U256::from(1), U256::from(1)),
        1 => SignedAuthorization::new_unchecked(inner, 1, U256::from(5), U256::from(7)),
        _ => inner.into_signed(signature),
    }
}

/// Transactions of all types, some with data.
fn raw(number: u64) -> Bytes {
    let to = TxKind::Call(Address::with_last_byte(7));
    let input: Bytes = vec![number as u8; (number % 3) as usize * 100].into();
    let value = U256::from(number);
    fn signed<T: SignableTransaction<Signature>>(tx: T, number: u64) -> Bytes
    where
        Envelope: From<alloy_consensus::Signed<T>>,
    {
        let hash = tx.signature_hash();
        let envelope: Envelope = tx.into_signed(sign(hash, number)).into();
        envelope.encoded_2718().into()
    }
    match number % 4 {
        0 => signed(
            TxLegacy {
                chain_id: number.is_multiple_of(8).then_some(1),
                nonce: number,
                to,
                value,
                input,
                ..TxLegacy::default()
            },
            number,
        ),
        1 => signed(
            TxEip2930 {
                nonce: number,
                to,
                value,
                input,
                ..TxEip2930::default()
            },
            number,
        ),
        2 => signed(
            TxEip1559 {
                nonce: number,
                to,
                value,
                input,
                ..TxEip1559::default()
            },
            number,
        ),
        _ => signed(
            TxEip7702 {
                nonce: number,
                value,
                input,
                authorization_list: (0..number % 7).map(|at| grant(number + at)).collect(),
                ..TxEip7702::default()
            },
            number,
        ),
    }
}

/// Good ones, and every way of not being one among them.
fn raws(count: u64) -> Vec<Bytes> {
    let spoilt = |number: u64| {
        let mut raw = raw(number).to_vec();
        match number % 13 {
            3 => raw.truncate(raw.len() - 1),
            5 => raw = vec![3, 0xc0],
            8 => raw.clear(),
            // r or s becomes another.
            11 => {
                let last = raw.len() - 40;
                raw[last] ^= 0x55;
            }
            12 => raw[0] = 0x7e,
            _ => (),
        }
        raw.into()
    };
    (0..count).map(spoilt).collect()
}

#[test]
fn transactions_decoded_together_are_what_each_is_alone() {
    let raws = raws(300);
    let shown = |one: &Result<Transaction, _>| format!("{one:?}");
    let wanted: Vec<_> = raws.iter().map(|raw| Transaction::decode(raw)).collect();
    assert!(wanted.iter().filter(|one| one.is_ok()).count() > 150);
    let wanted: Vec<_> = wanted.iter().map(shown).collect();
    for count in (0..20).chain([64, 65, 300]) {
        let together = decode_together(&raws[..count]);
        assert_eq!(
            together.iter().map(shown).collect::<Vec<_>>(),
            wanted[..count]
        );
        let all = decode_all(&raws[..count]);
        assert_eq!(all.iter().map(shown).collect::<Vec<_>>(), wanted[..count]);
    }
}

#[test]
fn signatures_recovered_together_are_recovered_as_alone() {
    let high = |signature: Signature| {
        let order = U256::from_be_bytes(
            *b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xfe\
               \xba\xae\xdc\xe6\xaf\x48\xa0\x3b\xbf\xd2\x5e\x8c\xd0\x36\x41\x41",
        );
        Signature::new(signature.r(), order - signature.s(), !signature.v())
    };
    let signed = |number: u64| {
        let hash = keccak256(number.to_le_bytes());
        let honest = sign(hash, number);
        let signature = match number % 9 {
            1 => high(honest),
            2 => Signature::new(U256::ZERO, honest.s(), true),
            3 => Signature::new(honest.r(), U256::ZERO, true),
            4 => Signature::new(U256::MAX, honest.s(), true),
            5 => Signature::new(U256::from(5), honest.s(), true),
            _ => honest,
        };
        (hash, signature)
    };
    let signed: Vec<_> = (0..200).map(signed).collect();
    for count in (0..20).chain([200]) {
        let wanted = signed[..count]
            .iter()
            .map(|(hash, own)| recover(*hash, own));
        assert_eq!(recover_all(&signed[..count]), wanted.collect::<Vec<_>>());
    }
}

#[test]
fn a_share_is_never_nothing() {
    for count in [0, 1, 2, 8, 9, 100, 10_000] {
        for cores in [1, 2, 64] {
            let share = share(count, cores);
            assert!((1..=64).contains(&share));
        }
    }
}
