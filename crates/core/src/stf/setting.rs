//! What the EVM sees of a block.
use alloy_primitives::{Address, B256, U256};
use revm::context::BlockEnv;
use revm::context_interface::block::BlobExcessGasAndPrice;

/// What the EVM sees of the block.
#[derive(Debug, Clone)]
pub struct BlockSetting {
    /// `NUMBER`.
    pub number: u64,
    /// `TIMESTAMP`.
    pub timestamp: u64,
    /// `GASLIMIT`.
    pub gas_limit: u64,
    /// `BASEFEE`.
    pub base_fee: u64,
    /// `COINBASE`.
    pub coinbase: Address,
    /// `PREVRANDAO`.
    pub prev_randao: B256,
}

impl BlockSetting {
    pub(crate) fn env(&self) -> BlockEnv {
        BlockEnv {
            number: U256::from(self.number),
            beneficiary: self.coinbase,
            timestamp: U256::from(self.timestamp),
            gas_limit: self.gas_limit,
            basefee: self.base_fee,
            prevrandao: Some(self.prev_randao),
            blob_excess_gas_and_price: Some(BlobExcessGasAndPrice {
                excess_blob_gas: 0,
                blob_gasprice: 1,
            }),
            ..BlockEnv::default()
        }
    }
}
