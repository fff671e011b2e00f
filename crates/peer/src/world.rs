//! The state before a block, in memory, as ethrex reads it; and its root after.
use std::collections::BTreeMap;

use ethrex_common::types::{
    AccountState, AccountUpdate, ChainConfig, Code, CodeMetadata, Genesis, GenesisAccount,
};
use ethrex_common::{Address, H160, H256, U256};
use ethrex_crypto::NativeCrypto;
use ethrex_levm::db::Database;
use ethrex_levm::errors::DatabaseError;

use crate::case::Case;

/// Mainnet's deposit contract.
pub const DEPOSITS: H160 = H160([
    0x00, 0x00, 0x00, 0x00, 0x21, 0x9a, 0xb5, 0x40, 0x35, 0x6c, 0xbb, 0x83, 0x9c, 0xbe, 0x05, 0x30,
    0x3d, 0x77, 0x05, 0xfa,
]);

/// Accounts, codes and headers' hashes.
pub struct World {
    accounts: BTreeMap<Address, GenesisAccount>,
    states: BTreeMap<Address, AccountState>,
    codes: BTreeMap<H256, Code>,
    hashes: BTreeMap<u64, H256>,
    config: ChainConfig,
}

impl World {
    /// The one that a case begins with.
    pub fn new(case: &Case) -> Result<Self, String> {
        let osaka = match case.fork.as_str() {
            "Prague" => None,
            "Osaka" => Some(0),
            other => return Err(format!("no fork {other}")),
        };
        let config = ChainConfig {
            chain_id: case.chain_id,
            terminal_total_difficulty_passed: true,
            terminal_total_difficulty: Some(0),
            shanghai_time: Some(0),
            cancun_time: Some(0),
            prague_time: Some(0),
            osaka_time: osaka,
            deposit_contract_address: DEPOSITS,
            ..ChainConfig::default()
        };
        let accounts: BTreeMap<Address, GenesisAccount> = case
            .pre
            .iter()
            .map(|(address, stated)| {
                let account = GenesisAccount {
                    code: stated.code.clone().into(),
                    storage: stated.storage.clone(),
                    balance: stated.balance,
                    nonce: stated.nonce,
                };
                (*address, account)
            })
            .collect();
        let states = accounts
            .iter()
            .map(|(address, account)| (*address, AccountState::from(account)))
            .collect();
        let codes = accounts
            .values()
            .map(|account| Code::from_bytecode(account.code.clone(), &NativeCrypto))
            .map(|code| (code.hash, code))
            .collect();
        let above = (1..).map(|back| case.block.number - back);
        let hashes = above.zip(case.block.hashes.iter().rev().copied()).collect();
        Ok(Self {
            accounts,
            states,
            codes,
            hashes,
            config,
        })
    }

    /// The state root once these changes are made.
    pub fn root_after(&self, updates: Vec<AccountUpdate>) -> H256 {
        let mut after = self.accounts.clone();
        for update in updates {
            if update.removed {
                after.remove(&update.address);
                continue;
            }
            let account = after.entry(update.address).or_insert(GenesisAccount {
                code: bytes::Bytes::new(),
                storage: BTreeMap::new(),
                balance: U256::zero(),
                nonce: 0,
            });
            if update.removed_storage {
                account.storage.clear();
            }
            if let Some(info) = update.info {
                account.balance = info.balance;
                account.nonce = info.nonce;
            }
            if let Some(code) = update.code {
                account.code = code.code_bytes();
            }
            for (slot, value) in update.added_storage {
                let slot = U256::from_big_endian(slot.as_bytes());
                match value.is_zero() {
                    true => account.storage.remove(&slot),
                    false => account.storage.insert(slot, value),
                };
            }
        }
        let genesis = Genesis {
            alloc: after,
            ..Genesis::default()
        };
        genesis.compute_state_root()
    }
}

impl Database for World {
    fn get_account_state(&self, address: Address) -> Result<AccountState, DatabaseError> {
        Ok(self.states.get(&address).copied().unwrap_or_default())
    }

    fn get_storage_value(&self, address: Address, key: H256) -> Result<U256, DatabaseError> {
        let slot = U256::from_big_endian(key.as_bytes());
        let account = self.accounts.get(&address);
        let value = account.and_then(|account| account.storage.get(&slot));
        Ok(value.copied().unwrap_or_default())
    }

    fn get_block_hash(&self, number: u64) -> Result<H256, DatabaseError> {
        Ok(self.hashes.get(&number).copied().unwrap_or_default())
    }

    fn get_chain_config(&self) -> Result<ChainConfig, DatabaseError> {
        Ok(self.config)
    }

    fn get_account_code(&self, hash: H256) -> Result<Code, DatabaseError> {
        Ok(self.codes.get(&hash).cloned().unwrap_or_default())
    }

    fn get_code_metadata(&self, hash: H256) -> Result<CodeMetadata, DatabaseError> {
        let length = self.codes.get(&hash).map_or(0, Code::len);
        Ok(CodeMetadata {
            length: length as u64,
        })
    }
}
