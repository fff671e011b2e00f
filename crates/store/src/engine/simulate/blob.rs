//! Transactions with blobs that nobody signed (EIP-4844). Only a chain of Ethereum's own has blobs.
use alloy_consensus::{Signed, TxEip4844};
use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::{Signature, B256, U256};
use bedroll_core::transaction::{Envelope, Transaction, Unsigned, UnsignedFee};

use super::EngineError;

/// A transaction of type 3 whose signature is zeroes.
///
/// # Errors
/// It has no recipient.
pub fn unsigned_blob(
    fields: Unsigned,
    max_fee_per_blob_gas: u128,
    blob_versioned_hashes: Vec<B256>,
) -> Result<Transaction, EngineError> {
    let Some(to) = fields.to else {
        let text = "a transaction with blobs needs a recipient";
        return Err(EngineError::invalid("request", text));
    };
    let (most, tip) = match fields.fee {
        UnsignedFee::Price(price) => (price, price),
        UnsignedFee::Cap { most, tip } => (most, tip),
    };
    let transaction = TxEip4844 {
        chain_id: fields.chain_id,
        nonce: fields.nonce,
        gas_limit: fields.gas_limit,
        max_fee_per_gas: most,
        max_priority_fee_per_gas: tip,
        to,
        value: fields.value,
        access_list: fields.access_list,
        blob_versioned_hashes,
        max_fee_per_blob_gas,
        input: fields.input,
    };
    let nobody = Signature::new(U256::ZERO, U256::ZERO, false);
    let envelope = Envelope::Eip4844(Signed::new_unhashed(transaction, nobody));
    Transaction::restore(&envelope.encoded_2718(), fields.sender)
        .map_err(|error| EngineError::invalid("request", error.to_string()))
}
