//! Which rules hold at which block.
use alloc::vec::Vec;
use alloy_primitives::Address;
use revm::context::CfgEnv;
use revm::primitives::hardfork::SpecId;

/// When a fork begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    /// At this height.
    Height(u64),
    /// At this time, seconds.
    Time(u64),
}

/// EIP-7840.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlobLimits {
    /// Blobs of a block that leave the price as it is.
    pub target: u64,
    /// Blobs of a block.
    pub max: u64,
    /// How fast the price moves.
    pub update_fraction: u64,
}

/// Forks of one chain.
#[derive(Debug, Clone)]
pub struct Schedule {
    /// EIP-155.
    pub chain_id: u64,
    /// In the order in which they begin.
    pub forks: Vec<(Activation, SpecId)>,
    /// From which time on, in order.
    pub blobs: Vec<(u64, BlobLimits)>,
    /// Whose logs are deposits (EIP-6110).
    pub deposit_contract: Option<Address>,
}

/// Rules of one block.
#[derive(Debug, Clone, Copy)]
pub struct Fork {
    /// The EVM's.
    pub spec: SpecId,
    /// None: there are no blobs.
    pub blobs: Option<BlobLimits>,
}

/// Blobs of one transaction (EIP-7594).
const TRANSACTION_BLOBS_MAX: u64 = 6;

impl Schedule {
    /// The rules of the block at this height and time.
    pub fn at(&self, height: u64, time: u64) -> Fork {
        let begun = |activation: &Activation| match activation {
            Activation::Height(first) => height >= *first,
            Activation::Time(first) => time >= *first,
        };
        let reached = self.forks.iter().rev().find(|(when, _)| begun(when));
        let blobs = self.blobs.iter().rev().find(|(first, _)| time >= *first);
        let spec = reached.map_or(SpecId::FRONTIER, |(_, spec)| *spec);
        Fork {
            spec,
            blobs: blobs
                .map(|(_, limits)| *limits)
                .filter(|_| spec.is_enabled_in(SpecId::CANCUN)),
        }
    }

    /// The EVM's configuration at a fork.
    pub(super) fn config(&self, fork: &Fork) -> CfgEnv {
        let mut config = CfgEnv::new_with_spec(fork.spec);
        config.chain_id = self.chain_id;
        if let Some(limits) = fork.blobs {
            let most = match fork.spec.is_enabled_in(SpecId::OSAKA) {
                true => limits.max.min(TRANSACTION_BLOBS_MAX),
                false => limits.max,
            };
            config.set_max_blobs_per_tx(most);
            config.blob_base_fee_update_fraction = Some(limits.update_fraction);
        }
        config
    }
}
