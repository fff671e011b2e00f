//! What an included transaction did.
use alloc::vec::Vec;
use alloy_consensus::{Eip658Value, Receipt as Inner, ReceiptWithBloom};
use alloy_primitives::{Address, Bloom, Bytes, Log, B256};
use alloy_rlp::{Encodable, RlpDecodable, RlpEncodable};

/// A receipt with what consensus leaves out of it.
#[derive(Debug, Clone, PartialEq, Eq, RlpEncodable, RlpDecodable)]
#[rlp(trailing)]
pub struct Receipt {
    /// EIP-2718 type of the transaction.
    pub kind: u8,
    /// Whether it succeeded.
    pub success: bool,
    /// EVM gas.
    pub gas_used: u64,
    /// Data gas.
    pub data_gas: u64,
    /// EVM gas up to and including this one.
    pub cumulative_gas_used: u64,
    /// Wei a gas.
    pub effective_gas_price: u128,
    /// Hash of the transaction.
    pub transaction_hash: B256,
    /// Logs of a success.
    pub logs: Vec<Log>,
    /// Return or revert data; not kept for good.
    pub output: Bytes,
    /// Created contract.
    pub contract: Option<Address>,
    /// Root of the state after it, which Ethereum's receipts had before Byzantium.
    pub post_state: Option<B256>,
}

impl Receipt {
    /// The consensus encoding (EIP-2718), the leaf of `receiptsRoot`, with its [`Self::bloom`].
    pub fn leaf(&self, bloom: Bloom) -> Vec<u8> {
        let inner = Inner {
            status: match self.post_state {
                Some(root) => Eip658Value::PostState(root),
                None => self.success.into(),
            },
            cumulative_gas_used: self.cumulative_gas_used,
            logs: self.logs.clone(),
        };
        let mut out = Vec::with_capacity(300);
        if self.kind != 0 {
            out.push(self.kind);
        }
        ReceiptWithBloom::new(inner, bloom).encode(&mut out);
        out
    }

    /// Bloom of its logs.
    pub fn bloom(&self) -> Bloom {
        if self.logs.is_empty() {
            return Bloom::ZERO;
        }
        let mut bloom = Bloom::ZERO;
        for log in &self.logs {
            bloom.accrue_log(log);
        }
        bloom
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_consensus::TxReceipt;

    #[test]
    fn bloom_is_that_of_the_consensus_receipt() {
        let log = Log::new_unchecked(
            Address::with_last_byte(1),
            alloc::vec![B256::ZERO],
            Bytes::new(),
        );
        let inner = Inner {
            status: true.into(),
            cumulative_gas_used: 0,
            logs: alloc::vec![log],
        };
        let ours = Receipt {
            kind: 2,
            success: true,
            gas_used: 0,
            data_gas: 0,
            cumulative_gas_used: 0,
            effective_gas_price: 0,
            transaction_hash: B256::ZERO,
            logs: inner.logs.clone(),
            output: Bytes::new(),
            contract: None,
            post_state: None,
        };
        assert_eq!(ours.bloom(), inner.bloom());
    }
}
