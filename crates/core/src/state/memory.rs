//! A source that holds everything in memory: for tests, published vectors and short-lived chains.
use super::{Account, Lookup, StateSource, WriteSet};
use crate::trie::{NodeWrite, Path, SourceError};
use alloc::{collections::BTreeMap, vec::Vec};
use alloy_primitives::{Address, Bytes, B256, U256};

/// Flat values, codes, nodes and block hashes in maps.
#[derive(Clone, Debug, Default)]
pub struct MemorySource {
    /// Accounts by address.
    pub accounts: BTreeMap<Address, Account>,
    /// Slots that are not 0.
    pub slots: BTreeMap<(Address, U256), U256>,
    /// Codes by hash.
    pub codes: BTreeMap<B256, Bytes>,
    /// Trie nodes by owner (zero: the account trie) and path.
    pub nodes: BTreeMap<(B256, Path), Vec<u8>>,
    /// Block hashes by height.
    pub block_hashes: BTreeMap<u64, B256>,
}

impl MemorySource {
    /// Takes in what a block changed.
    pub fn write(&mut self, set: &WriteSet) {
        for change in &set.flat.accounts {
            match change.after {
                Some(account) => self.accounts.insert(change.address, account),
                None => self.accounts.remove(&change.address),
            };
        }
        for change in &set.flat.slots {
            let key = (change.address, change.slot);
            if change.after.is_zero() {
                self.slots.remove(&key);
            } else {
                self.slots.insert(key, change.after);
            }
        }
        self.codes.extend(set.flat.codes.iter().cloned());
        self.write_nodes(B256::ZERO, &set.nodes);
        for of_account in &set.storage_nodes {
            self.write_nodes(of_account.owner, &of_account.writes);
        }
    }

    fn write_nodes(&mut self, owner: B256, writes: &[NodeWrite]) {
        for write in writes {
            match &write.rlp {
                Some(rlp) => self.nodes.insert((owner, write.path), rlp.clone()),
                None => self.nodes.remove(&(owner, write.path)),
            };
        }
    }
}

impl StateSource for MemorySource {
    fn account(&self, address: &Address) -> Result<Lookup<Option<Account>>, SourceError> {
        Ok(Lookup::Known(self.accounts.get(address).copied()))
    }

    fn slot(&self, address: &Address, slot: &U256) -> Result<Lookup<U256>, SourceError> {
        let value = self.slots.get(&(*address, *slot)).copied();
        Ok(Lookup::Known(value.unwrap_or_default()))
    }

    fn slots(&self, address: &Address) -> Result<Vec<U256>, SourceError> {
        let range = (*address, U256::ZERO)..=(*address, U256::MAX);
        Ok(self
            .slots
            .range(range)
            .map(|((_, slot), _)| *slot)
            .collect())
    }

    fn code(&self, hash: &B256) -> Result<Option<Bytes>, SourceError> {
        Ok(self.codes.get(hash).cloned())
    }

    fn block_hash(&self, height: u64) -> Result<Option<B256>, SourceError> {
        Ok(self.block_hashes.get(&height).copied())
    }

    fn node(
        &self,
        owner: Option<&B256>,
        path: &Path,
        _hash: &B256,
    ) -> Result<Option<Vec<u8>>, SourceError> {
        let owner = owner.copied().unwrap_or(B256::ZERO);
        Ok(self.nodes.get(&(owner, *path)).cloned())
    }
}
