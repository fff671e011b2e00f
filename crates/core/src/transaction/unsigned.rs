//! Transactions that nobody signed, as simulations put them into blocks.
use alloc::vec::Vec;
use alloy_consensus::{Signed, TxEip1559, TxEip2930, TxEip7702, TxLegacy};
use alloy_eips::eip2718::Encodable2718;
use alloy_eips::eip2930::AccessList;
use alloy_eips::eip7702::SignedAuthorization;
use alloy_primitives::{keccak256, Address, Bytes, Signature, TxKind, U256};
use alloy_rlp::{Encodable, Header};

use super::{Envelope, Transaction};

/// What an unsigned transaction pays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnsignedFee {
    /// Wei a gas, as types 0 and 1 have it.
    Price(u128),
    /// As types 2 and 4 have it.
    Cap {
        /// Highest price, wei a gas.
        most: u128,
        /// Highest tip, wei a gas.
        tip: u128,
    },
}

/// Fields of a transaction that nobody signed.
#[derive(Debug, Clone)]
pub struct Unsigned {
    /// EIP-155.
    pub chain_id: u64,
    /// Who would have signed.
    pub sender: Address,
    /// Of the sender.
    pub nonce: u64,
    /// EVM gas.
    pub gas_limit: u64,
    /// None: a creation.
    pub to: Option<Address>,
    /// Wei.
    pub value: U256,
    /// Call data or init code.
    pub input: Bytes,
    /// EIP-2930.
    pub access_list: AccessList,
    /// EIP-7702; where there are any, there must be a recipient.
    pub authorizations: Vec<SignedAuthorization>,
    /// What it pays.
    pub fee: UnsignedFee,
}

impl Transaction {
    /// A transaction whose signature is zeroes, of the type that its fields need: 0, 1, 2 or 4.
    pub fn unsigned(fields: Unsigned) -> Self {
        let sender = fields.sender;
        let nobody = Signature::new(U256::ZERO, U256::ZERO, false);
        let kind = fields.to.map_or(TxKind::Create, TxKind::Call);
        let (most, tip) = match fields.fee {
            UnsignedFee::Price(price) => (price, price),
            UnsignedFee::Cap { most, tip } => (most, tip),
        };
        let envelope = match (fields.fee, fields.to) {
            (_, Some(to)) if !fields.authorizations.is_empty() => {
                Envelope::Eip7702(Signed::new_unhashed(
                    TxEip7702 {
                        chain_id: fields.chain_id,
                        nonce: fields.nonce,
                        gas_limit: fields.gas_limit,
                        max_fee_per_gas: most,
                        max_priority_fee_per_gas: tip,
                        to,
                        value: fields.value,
                        access_list: fields.access_list,
                        authorization_list: fields.authorizations,
                        input: fields.input,
                    },
                    nobody,
                ))
            }
            (UnsignedFee::Cap { .. }, _) => Envelope::Eip1559(Signed::new_unhashed(
                TxEip1559 {
                    chain_id: fields.chain_id,
                    nonce: fields.nonce,
                    gas_limit: fields.gas_limit,
                    max_fee_per_gas: most,
                    max_priority_fee_per_gas: tip,
                    to: kind,
                    value: fields.value,
                    access_list: fields.access_list,
                    input: fields.input,
                },
                nobody,
            )),
            (UnsignedFee::Price(gas_price), _) if !fields.access_list.is_empty() => {
                Envelope::Eip2930(Signed::new_unhashed(
                    TxEip2930 {
                        chain_id: fields.chain_id,
                        nonce: fields.nonce,
                        gas_price,
                        gas_limit: fields.gas_limit,
                        to: kind,
                        value: fields.value,
                        access_list: fields.access_list,
                        input: fields.input,
                    },
                    nobody,
                ))
            }
            (UnsignedFee::Price(gas_price), _) => {
                let tx = TxLegacy {
                    chain_id: Some(fields.chain_id),
                    nonce: fields.nonce,
                    gas_price,
                    gas_limit: fields.gas_limit,
                    to: kind,
                    value: fields.value,
                    input: fields.input,
                };
                let raw = legacy_without_signature(&tx);
                let hash = keccak256(&raw);
                let envelope = Envelope::Legacy(Signed::new_unchecked(tx, nobody, hash));
                return Self::assemble(envelope, sender, raw.into());
            }
        };
        let raw = envelope.encoded_2718();
        Self::assemble(envelope, sender, raw.into())
    }
}

/// RLP with v, r and s all zero, as geth writes it; alloy would make v of the chain id.
fn legacy_without_signature(tx: &TxLegacy) -> Vec<u8> {
    let mut fields = Vec::with_capacity(64 + tx.input.len());
    tx.nonce.encode(&mut fields);
    tx.gas_price.encode(&mut fields);
    tx.gas_limit.encode(&mut fields);
    tx.to.encode(&mut fields);
    tx.value.encode(&mut fields);
    tx.input.encode(&mut fields);
    fields.extend_from_slice(&[alloy_rlp::EMPTY_STRING_CODE; 3]);
    let mut raw = Vec::with_capacity(fields.len() + 4);
    Header {
        list: true,
        payload_length: fields.len(),
    }
    .encode(&mut raw);
    raw.extend_from_slice(&fields);
    raw
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(fee: UnsignedFee) -> Unsigned {
        Unsigned {
            chain_id: 21_000_102,
            sender: Address::with_last_byte(7),
            nonce: 3,
            gas_limit: 21_000,
            to: Some(Address::with_last_byte(9)),
            value: U256::from(5),
            input: Bytes::new(),
            access_list: AccessList::default(),
            authorizations: Vec::new(),
            fee,
        }
    }

    #[test]
    fn the_type_follows_from_the_fields() {
        let cap = UnsignedFee::Cap { most: 2, tip: 1 };
        assert_eq!(Transaction::unsigned(fields(cap)).kind(), 2);
        let price = UnsignedFee::Price(2);
        assert_eq!(Transaction::unsigned(fields(price)).kind(), 0);
        let listed = Unsigned {
            access_list: AccessList(alloc::vec![Default::default()]),
            ..fields(price)
        };
        assert_eq!(Transaction::unsigned(listed).kind(), 1);
        let grant = alloy_eips::eip7702::Authorization {
            chain_id: U256::ZERO,
            address: Address::ZERO,
            nonce: 0,
        };
        let granted = Unsigned {
            authorizations: alloc::vec![SignedAuthorization::new_unchecked(
                grant,
                0,
                U256::ZERO,
                U256::ZERO
            )],
            ..fields(price)
        };
        let granted = Transaction::unsigned(granted);
        assert_eq!((granted.kind(), &granted.authorities[..]), (4, &[None][..]));
    }

    #[test]
    fn hash_and_bytes_fit_each_other() {
        for fee in [UnsignedFee::Price(2), UnsignedFee::Cap { most: 2, tip: 1 }] {
            let made = Transaction::unsigned(fields(fee));
            assert_eq!(made.hash, keccak256(&made.raw));
            assert_eq!(made.sender, Address::with_last_byte(7));
        }
    }
}
