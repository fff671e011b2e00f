//! Proofs of accounts and slots, EIP-1186.
use super::source::{AccountNodes, StorageNodesOf};
use super::{account, Account, StateError, StateSource};
use crate::trie::{prove, Trie};
use alloc::vec::Vec;
use alloy_primitives::{keccak256, Address, B256, U256};

/// A slot, its value and the nodes that show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlotProof {
    /// Which.
    pub slot: U256,
    /// 0 where nothing is stored.
    pub value: U256,
    /// From the storage root on.
    pub nodes: Vec<Vec<u8>>,
}

/// An account, some of its slots and the nodes that show them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountProof {
    /// None: the nodes show that there is none.
    pub account: Option<Account>,
    /// From the state root on.
    pub nodes: Vec<Vec<u8>>,
    /// In the order asked for.
    pub slots: Vec<SlotProof>,
}

/// Value of a slot under a state root that `source` has the nodes of; 0 where nothing is stored.
///
/// # Errors
/// A node is missing, malformed or not what its hash says.
pub fn read_slot(
    root: &B256,
    source: &dyn StateSource,
    address: &Address,
    slot: &U256,
) -> Result<U256, StateError> {
    let key = keccak256(address);
    let mut accounts = Trie::from_root(*root);
    let account = match accounts.get(&key, &AccountNodes(source))? {
        None => return Ok(U256::ZERO),
        Some(rlp) => Account::from_rlp(rlp).ok_or(StateError::BadAccount { address: *address })?,
    };
    let of_slots = StorageNodesOf(source, key);
    slot_under(&account.storage_root, &of_slots, address, slot)
}

fn slot_under(
    storage_root: &B256,
    source: &StorageNodesOf<'_>,
    address: &Address,
    slot: &U256,
) -> Result<U256, StateError> {
    let key = keccak256(slot.to_be_bytes::<32>());
    match Trie::from_root(*storage_root).get(&key, source)? {
        None => Ok(U256::ZERO),
        Some(rlp) => account::slot_from_rlp(rlp).ok_or(StateError::BadSlot {
            address: *address,
            slot: *slot,
        }),
    }
}

/// Proves an account and slots of it under a state root that `source` has the nodes of.
///
/// # Errors
/// A node is missing, malformed or not what its hash says.
pub fn prove_account(
    root: &B256,
    source: &dyn StateSource,
    address: &Address,
    slots: &[U256],
) -> Result<AccountProof, StateError> {
    let key = keccak256(address);
    let of_accounts = AccountNodes(source);
    let nodes = prove(root, &key, &of_accounts)?;
    let account = match Trie::from_root(*root).get(&key, &of_accounts)? {
        None => None,
        Some(rlp) => {
            Some(Account::from_rlp(rlp).ok_or(StateError::BadAccount { address: *address })?)
        }
    };
    let storage_root = account.unwrap_or_default().storage_root;
    let of_slots = StorageNodesOf(source, key);
    let mut proved = Vec::with_capacity(slots.len());
    for slot in slots {
        let value = slot_under(&storage_root, &of_slots, address, slot)?;
        let key = keccak256(slot.to_be_bytes::<32>());
        let nodes = prove(&storage_root, &key, &of_slots)?;
        proved.push(SlotProof {
            slot: *slot,
            value,
            nodes,
        });
    }
    Ok(AccountProof {
        account,
        nodes,
        slots: proved,
    })
}
