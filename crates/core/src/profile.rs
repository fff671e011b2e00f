//! The rules of one network, as execution needs them.
use alloy_primitives::Address;
use revm::primitives::hardfork::SpecId;

/// Which set of rules runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// This chain.
    Bedroll,
    /// Ethereum alone: no data gas, no floor, no vaults, no hooks. Published vectors run under it.
    Ethereum(SpecId),
}

/// Consensus numbers and addresses that execution reads. All from genesis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// EIP-155 chain id.
    pub chain_id: u64,
    /// One byte that stands for the network.
    pub network: u8,
    /// Which set of rules.
    pub profile: Profile,
    /// EVM gas of a block.
    pub block_gas_limit: u64,
    /// Gas of a block's forced part.
    pub forced_gas_limit: u64,
    /// Gas limit of one forced message.
    pub forced_message_gas_limit: u64,
    /// What every forced message is charged at least.
    pub forced_gas_min: u64,
    /// Bytes of one forced payload.
    pub forced_size_max: usize,
    /// L: beyond it the forced part has the whole block.
    pub max_origin_lag: u64,
    /// Consecutive blocks that may share a second.
    pub second_blocks_max: u64,
    /// How far a timestamp may lie above its origin's median time, seconds.
    pub timestamp_lead_max: Option<u64>,
    /// Blocks of one origin.
    pub origin_blocks_max: u64,
    /// Automatic blocks of one origin while the queue is not empty.
    pub automatic_blocks_max: u64,
    /// What 21,000 gas pays for, bytes.
    pub transfer_bytes: u64,
    /// Receives the base fee.
    pub base_fee_vault: Address,
    /// Coinbase.
    pub tip_vault: Address,
    /// BitcoinLightClient; holds the queue.
    pub light_client: Address,
    /// AddressBook.
    pub address_book: Address,
}

impl Rules {
    /// The EVM's rules.
    pub fn spec(&self) -> SpecId {
        match self.profile {
            Profile::Bedroll => SpecId::OSAKA,
            Profile::Ethereum(spec) => spec,
        }
    }

    /// Its numbers in the order that statements and inputs of the proved program have them; an absent lead is 2^64 − 1.
    pub fn numbers(&self) -> [u64; 13] {
        [
            u64::from(self.network),
            self.chain_id,
            self.block_gas_limit,
            self.forced_gas_limit,
            self.forced_message_gas_limit,
            self.forced_gas_min,
            self.forced_size_max as u64,
            self.max_origin_lag,
            self.second_blocks_max,
            self.timestamp_lead_max.unwrap_or(u64::MAX),
            self.origin_blocks_max,
            self.automatic_blocks_max,
            self.transfer_bytes,
        ]
    }

    /// Its addresses, in the same order.
    pub fn addresses(&self) -> [Address; 4] {
        [
            self.base_fee_vault,
            self.tip_vault,
            self.light_client,
            self.address_book,
        ]
    }

    /// Whether this chain's own rules apply.
    pub fn is_bedroll(&self) -> bool {
        self.profile == Profile::Bedroll
    }
}
