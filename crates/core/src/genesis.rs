//! Block 0: what stands in the state before anything happened.
use alloc::{string::String, vec, vec::Vec};
use alloy_consensus::Header;
use alloy_primitives::{Address, Bytes, B256, U256};
use revm::primitives::KECCAK_EMPTY;

use crate::block::{Block, EthereumPart, Tail};
use crate::header::{receipts_root, transactions_root, HeaderEnd, HeaderStart};
use crate::profile::Rules;
use crate::state::{Account, State, StateError, StateSource, WriteSet};
use crate::transaction::Transaction;

/// An account of block 0.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Allocation {
    /// Wei.
    pub balance: U256,
    /// Next nonce.
    pub nonce: u64,
    /// Code.
    pub code: Bytes,
    /// Slots.
    pub storage: Vec<(U256, U256)>,
}

/// All that block 0 follows from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Genesis {
    /// The network's rules.
    pub rules: Rules,
    /// L1 height of the block before the first origin.
    pub anchor_height: u64,
    /// Its hash, internal order.
    pub anchor_hash: B256,
    /// The L1 rate before the first origin.
    pub l1_rate: u128,
    /// Seconds.
    pub timestamp: u64,
    /// Wei a gas.
    pub base_fee: u64,
    /// Accounts, by address.
    pub alloc: Vec<(Address, Allocation)>,
    /// Of a chain of Ethereum's own, whose header does not follow from the rest.
    pub header: Option<Header>,
}

impl Genesis {
    /// Checks what the rules rest on: the hooks write into contracts that stand.
    ///
    /// # Errors
    /// What is missing.
    pub fn check(&self) -> Result<(), String> {
        if !self.rules.is_bedroll() {
            return Ok(());
        }
        for (name, address) in [
            ("light_client", self.rules.light_client),
            ("address_book", self.rules.address_book),
        ] {
            let found = self.alloc.iter().find(|(who, _)| *who == address);
            if found.is_none_or(|(_, account)| account.code.is_empty()) {
                return Err(alloc::format!("{name} {address} has no code in alloc"));
            }
        }
        if self.rules.transfer_bytes == 0 || self.rules.forced_gas_min == 0 {
            return Err("transfer_bytes and forced_gas_min must be above 0".into());
        }
        if self.rules.block_gas_limit < self.rules.forced_message_gas_limit.max(1) {
            return Err("block_gas_limit is below forced_message_gas_limit".into());
        }
        Ok(())
    }

    /// Puts the accounts into an empty state; gives block 0.
    ///
    /// # Errors
    /// The state's.
    pub fn build<S: StateSource>(
        &self,
        state: &mut State<S>,
    ) -> Result<(Block, WriteSet), StateError> {
        for (address, account) in &self.alloc {
            let code_hash = if account.code.is_empty() {
                KECCAK_EMPTY
            } else {
                state.set_code(account.code.clone())?
            };
            state.set_account(
                address,
                Some(Account {
                    nonce: account.nonce,
                    balance: account.balance,
                    code_hash,
                    ..Account::default()
                }),
            )?;
            for (slot, value) in &account.storage {
                state.set_slot(address, slot, *value)?;
            }
        }
        let (state_root, write_set) = state.seal()?;
        let start = HeaderStart {
            parent_hash: B256::ZERO,
            number: 0,
            timestamp: self.timestamp,
            gas_limit: self.rules.block_gas_limit,
            base_fee: self.base_fee,
            coinbase: self.rules.tip_vault,
            origin_hash: self.anchor_hash,
        };
        let sealed = start.seal(&HeaderEnd {
            state_root,
            transactions_root: transactions_root::<Transaction>(&[]),
            receipts_root: receipts_root(&[]),
            logs_bloom: Default::default(),
            gas_used: 0,
        });
        let header = match &self.header {
            Some(given) if given.state_root == state_root => given.clone(),
            Some(_) => return Err(StateError::NoHeader { height: 0 }),
            None => sealed,
        };
        let block = Block {
            hash: header.hash_slow(),
            header,
            tail: Tail {
                origin_height: self.anchor_height,
                origin_hash: self.anchor_hash,
                median_time: 0,
                l1_rate: self.l1_rate,
                second_blocks: 1,
                origin_blocks: 0,
                book_length: 0,
                queue_enqueued: 0,
                queue_done: 0,
            },
            origin_step: false,
            automatic: false,
            transactions: vec![],
            receipts: vec![],
            forced: vec![],
            forced_count: 0,
            new_addresses: vec![],
            enqueued: vec![],
            touched: vec![],
            ethereum: self.header.as_ref().map(|_| EthereumPart::default()),
        };
        Ok((block, write_set))
    }
}
