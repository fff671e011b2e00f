//! What the EVM sees of a block.
use alloy_consensus::Header;
use alloy_primitives::{Address, B256, U256};
use revm::context::BlockEnv;
use revm::context_interface::block::BlobExcessGasAndPrice;

use super::precompile::PrecompileMoves;

/// EIP-4844.
pub(super) const BLOB_BASE_FEE_MIN: u128 = 1;

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
    /// `PREVRANDAO`; of blocks before the merge `DIFFICULTY`, which is the same opcode (EIP-4399).
    pub prev_randao: B256,
    /// `BLOBBASEFEE`; the chain has no blobs, and the least there is.
    pub blob_base_fee: u128,
    /// Only of simulations.
    pub precompiles: PrecompileMoves,
}

impl BlockSetting {
    /// Of a header's block.
    pub fn of(header: &Header) -> Self {
        Self {
            number: header.number,
            timestamp: header.timestamp,
            gas_limit: header.gas_limit,
            base_fee: header.base_fee_per_gas.unwrap_or_default(),
            coinbase: header.beneficiary,
            prev_randao: if header.difficulty.is_zero() {
                header.mix_hash
            } else {
                header.difficulty.into()
            },
            blob_base_fee: BLOB_BASE_FEE_MIN,
            precompiles: PrecompileMoves::default(),
        }
    }

    pub(crate) fn env(&self) -> BlockEnv {
        BlockEnv {
            number: U256::from(self.number),
            beneficiary: self.coinbase,
            timestamp: U256::from(self.timestamp),
            gas_limit: self.gas_limit,
            basefee: self.base_fee,
            prevrandao: Some(self.prev_randao),
            // Only Ethereum's own forks before the merge look here.
            #[cfg(feature = "std")]
            difficulty: self.prev_randao.into(),
            blob_excess_gas_and_price: Some(BlobExcessGasAndPrice {
                excess_blob_gas: 0,
                blob_gasprice: self.blob_base_fee,
            }),
            ..BlockEnv::default()
        }
    }
}
