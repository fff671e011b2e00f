//! Proofs of accounts and slots, EIP-1186.
use super::source::{AccountNodes, StorageNodesOf};
use super::{account, Account, StateError, StateSource};
use crate::trie::{prove, NodeSource, NodeWrite, Path, SourceError, Trie};
use alloc::vec::Vec;
use alloy_primitives::{keccak256, map::HashMap, Address, B256, U256};

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
    source: &dyn NodeSource,
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

/// Nodes of another state of the same tries: what was changed since, on top of a source that has the rest.
#[derive(Clone, Debug, Default)]
pub struct Overlay {
    nodes: HashMap<Path, Vec<u8>>,
    /// Of all nodes.
    bytes: usize,
}

impl Overlay {
    fn new(writes: Vec<NodeWrite>) -> Self {
        let mut overlay = Self::default();
        for write in writes {
            let old = match write.rlp {
                Some(rlp) => {
                    overlay.bytes += rlp.len();
                    overlay.nodes.insert(write.path, rlp)
                }
                None => overlay.nodes.remove(&write.path),
            };
            overlay.bytes -= old.map_or(0, |old| old.len());
        }
        overlay
    }

    /// The node at a path, if it is another than now.
    pub fn node(&self, path: &Path) -> Option<&[u8]> {
        self.nodes.get(path).map(Vec::as_slice)
    }

    /// Bytes of its nodes.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The account trie as it was when `accounts` had these values, with its root. `root` and `source` are of now.
    ///
    /// # Errors
    /// A node is missing, malformed or not what its hash says.
    pub fn of_accounts(
        root: &B256,
        source: &dyn StateSource,
        accounts: &[(Address, Option<Account>)],
    ) -> Result<(B256, Self), StateError> {
        let nodes = AccountNodes(source);
        let mut trie = Trie::from_root(*root);
        // Insertions first: a removal then meets fewer siblings that it has to fetch.
        for (address, account) in accounts {
            if let Some(account) = account {
                trie.insert(&keccak256(address), &account.to_rlp(), &nodes)?;
            }
        }
        for (address, _) in accounts.iter().filter(|(_, account)| account.is_none()) {
            trie.remove(&keccak256(address), &nodes)?;
        }
        let (root, writes) = trie.commit();
        Ok((root, Self::new(writes)))
    }

    /// The storage trie of `address` as it was when `slots` had these values, with its root.
    ///
    /// # Errors
    /// As [`Self::of_accounts`].
    pub fn of_slots(
        root: &B256,
        source: &dyn StateSource,
        address: &Address,
        slots: &[(U256, U256)],
    ) -> Result<(B256, Self), StateError> {
        let nodes = StorageNodesOf(source, keccak256(address));
        let mut trie = Trie::from_root(*root);
        let key = |slot: &U256| keccak256(slot.to_be_bytes::<32>());
        for (slot, value) in slots.iter().filter(|(_, value)| !value.is_zero()) {
            trie.insert(&key(slot), &account::slot_to_rlp(value), &nodes)?;
        }
        for (slot, _) in slots.iter().filter(|(_, value)| value.is_zero()) {
            trie.remove(&key(slot), &nodes)?;
        }
        let (root, writes) = trie.commit();
        Ok((root, Self::new(writes)))
    }
}

/// An overlay on its source.
struct Over<'a, N>(&'a Overlay, N);

impl<N: NodeSource> NodeSource for Over<'_, N> {
    fn node(&self, path: &Path, hash: &B256) -> Result<Option<Vec<u8>>, SourceError> {
        match self.0.nodes.get(path) {
            Some(rlp) => Ok(Some(rlp.clone())),
            None => self.1.node(path, hash),
        }
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
    prove_past_account(
        root,
        source,
        (&Overlay::default(), &Overlay::default()),
        address,
        slots,
    )
}

/// The same of an earlier state, whose account trie and storage trie of this account the overlays make up for.
///
/// # Errors
/// As [`prove_account`].
pub fn prove_past_account(
    root: &B256,
    source: &dyn StateSource,
    (of_accounts, of_slots): (&Overlay, &Overlay),
    address: &Address,
    slots: &[U256],
) -> Result<AccountProof, StateError> {
    let key = keccak256(address);
    let of_accounts = Over(of_accounts, AccountNodes(source));
    let nodes = prove(root, &key, &of_accounts)?;
    let account = match Trie::from_root(*root).get(&key, &of_accounts)? {
        None => None,
        Some(rlp) => {
            Some(Account::from_rlp(rlp).ok_or(StateError::BadAccount { address: *address })?)
        }
    };
    let storage_root = account.unwrap_or_default().storage_root;
    let of_slots = Over(of_slots, StorageNodesOf(source, key));
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
