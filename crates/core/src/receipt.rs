//! What an included transaction did.
use alloc::vec::Vec;
use alloy_consensus::Eip658Value;
use alloy_primitives::{Address, Bloom, Bytes, Log, B256};
use alloy_rlp::{Encodable, Header, RlpDecodable, RlpEncodable};

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
    /// Writes the consensus encoding (EIP-2718), the leaf of `receiptsRoot`, with its [`Self::bloom`].
    pub fn put_leaf(&self, bloom: &Bloom, out: &mut Vec<u8>) {
        let status = match self.post_state {
            Some(root) => Eip658Value::PostState(root),
            None => self.success.into(),
        };
        let payload_length = status.length()
            + self.cumulative_gas_used.length()
            + bloom.length()
            + alloy_rlp::list_length(&self.logs);
        if self.kind != 0 {
            out.push(self.kind);
        }
        Header {
            list: true,
            payload_length,
        }
        .encode(out);
        status.encode(out);
        self.cumulative_gas_used.encode(out);
        bloom.encode(out);
        alloy_rlp::encode_list(&self.logs, out);
    }

    /// What its bloom is made of: of each log the address and the topics.
    pub(crate) fn bloom_inputs(&self) -> impl Iterator<Item = &[u8]> {
        self.logs.iter().flat_map(|log| {
            let topics = log.topics().iter().map(B256::as_slice);
            [log.address.as_slice()].into_iter().chain(topics)
        })
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
    use alloy_consensus::{Receipt as Inner, ReceiptWithBloom, TxReceipt};

    fn receipt(kind: u8, logs: usize, post_state: Option<B256>) -> Receipt {
        let log = |at: usize| {
            let topics = (0..at % 5).map(|topic| B256::with_last_byte(topic as u8));
            Log::new_unchecked(
                Address::with_last_byte(at as u8),
                topics.collect(),
                alloc::vec![7; at * 9].into(),
            )
        };
        Receipt {
            kind,
            success: logs != 1,
            gas_used: 0,
            data_gas: 0,
            cumulative_gas_used: 1 << logs,
            effective_gas_price: 0,
            transaction_hash: B256::ZERO,
            logs: (0..logs).map(log).collect(),
            output: Bytes::new(),
            contract: None,
            post_state,
        }
    }

    #[test]
    fn leaf_and_bloom_are_those_of_the_consensus_receipt() {
        for kind in [0, 1, 2, 4, 0x7e] {
            for logs in 0..12 {
                for post_state in [None, Some(B256::repeat_byte(3))] {
                    let ours = receipt(kind, logs, post_state);
                    let inner = Inner {
                        status: match post_state {
                            Some(root) => Eip658Value::PostState(root),
                            None => ours.success.into(),
                        },
                        cumulative_gas_used: ours.cumulative_gas_used,
                        logs: ours.logs.clone(),
                    };
                    let bloom = ours.bloom();
                    assert_eq!(bloom, inner.bloom());
                    let mut wanted = if kind == 0 {
                        Vec::new()
                    } else {
                        alloc::vec![kind]
                    };
                    ReceiptWithBloom::new(inner, bloom).encode(&mut wanted);
                    let mut leaf = Vec::new();
                    ours.put_leaf(&bloom, &mut leaf);
                    assert_eq!(leaf, wanted);
                }
            }
        }
    }
}
