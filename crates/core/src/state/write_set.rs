//! What a block changes.
use super::Account;
use crate::trie::NodeWrite;
use alloc::vec::Vec;
use alloy_primitives::{Address, Bytes, B256, U256};

/// An account before and after a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountChange {
    /// Whose.
    pub address: Address,
    /// As of the block before.
    pub before: Option<Account>,
    /// As of this block.
    pub after: Option<Account>,
}

/// A slot before and after a block; 0 stands for "not stored".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlotChange {
    /// Whose.
    pub address: Address,
    /// Which.
    pub slot: U256,
    /// As of the block before.
    pub before: U256,
    /// As of this block.
    pub after: U256,
}

/// What changed in flat values: each account and slot once, only if it is another than before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FlatChanges {
    /// By address.
    pub accounts: Vec<AccountChange>,
    /// By address and slot.
    pub slots: Vec<SlotChange>,
    /// Codes that were not stored before, by hash.
    pub codes: Vec<(B256, Bytes)>,
}

/// Node writes of one storage trie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StorageNodes {
    /// Keccak of the address.
    pub owner: B256,
    /// In order: a later write of a path counts.
    pub writes: Vec<NodeWrite>,
}

/// All that a sealed block changes, values before it included.
///
/// Nodes before it are not: flat values put back through the trie give them again, with the root as the check.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WriteSet {
    /// Accounts, slots and codes.
    pub flat: FlatChanges,
    /// Of the account trie, in order: a later write of a path counts. None where the source keeps that trie itself.
    pub nodes: Vec<NodeWrite>,
    /// Of storage tries.
    pub storage_nodes: Vec<StorageNodes>,
}
