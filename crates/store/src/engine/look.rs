//! State as of one block, and calls on top of it.
use std::sync::{Arc, Mutex, OnceLock};

use alloy_consensus::Header;
use alloy_primitives::{Address, Bytes, B256, U256};
use bedroll_core::ethereum::{Fork, Schedule};
use bedroll_core::fee::{self, EVM_GAS_MAX};
use bedroll_core::hook;
use bedroll_core::profile::Rules;
use bedroll_core::state::{Account, AccountProof, Lookup, State, StateSource};
use bedroll_core::stf::{self, BlockSetting, Call, CallError, Outcome};
use bedroll_core::transaction::{Transaction, Unsigned, UnsignedFee};
use bedroll_core::trie::{Path, SourceError, EMPTY_ROOT};
use revm::primitives::KECCAK_EMPTY;

use super::fork::BlobRule;
use super::overrides::{self, Overrides};
use super::{fork, lock, tip_facts, EngineError};
use crate::{PastState, View};

/// Most bytes of trie nodes that are kept of an earlier state for the next proof of it.
const PAST_BYTES: usize = 64 << 20;

/// The earlier state of which a proof was given last.
pub(super) type LastPast = Arc<Mutex<Option<PastState>>>;

/// A view of the chain with what calls need beside the state.
#[derive(Clone)]
pub struct Look {
    view: View,
    pub(super) rules: Arc<Rules>,
    /// Forks of a chain of Ethereum's own.
    pub(super) schedule: Option<Arc<Schedule>>,
    /// Of the open block; None: the view is of a sealed one.
    open: Option<(BlockSetting, u128)>,
    past: LastPast,
    /// Read out of the header of a sealed block, once it was asked for.
    setting: Arc<OnceLock<(BlockSetting, u128)>>,
}

impl Look {
    pub(super) fn sealed(
        view: View,
        rules: Arc<Rules>,
        schedule: Option<Arc<Schedule>>,
        past: LastPast,
    ) -> Self {
        Self {
            view,
            rules,
            schedule,
            open: None,
            past,
            setting: Arc::default(),
        }
    }

    pub(super) fn open(
        view: View,
        rules: Arc<Rules>,
        setting: BlockSetting,
        l1_rate: u128,
    ) -> Self {
        Self {
            view,
            rules,
            schedule: None,
            open: Some((setting, l1_rate)),
            past: LastPast::default(),
            setting: Arc::default(),
        }
    }

    /// Whether it is of a block that is not sealed.
    pub(super) fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// The fork of a block at this height and time on this chain.
    pub(super) fn fork_at(&self, number: u64, timestamp: u64) -> Fork {
        fork::fork_at(&self.rules, self.schedule.as_deref(), number, timestamp)
    }

    /// Whether the rules of its block know blobs.
    ///
    /// # Errors
    /// The store's.
    pub fn has_blobs(&self) -> Result<bool, EngineError> {
        let (setting, _) = self.setting()?;
        let fork = self.fork_at(setting.number, setting.timestamp);
        Ok(fork.blobs.is_some())
    }

    /// What a transaction with blobs must be that waits for the next block; None: it could be in none.
    ///
    /// # Errors
    /// The store's.
    pub fn blob_rule(&self) -> Result<Option<BlobRule>, EngineError> {
        let (setting, _) = self.setting()?;
        let fork = self.fork_at(setting.number, setting.timestamp);
        Ok(BlobRule::of(&fork, setting.gas_limit))
    }

    /// The view underneath.
    pub fn view(&self) -> &View {
        &self.view
    }

    /// Of its block; of an open one, the height it will have.
    pub fn height(&self) -> u64 {
        match &self.open {
            Some((setting, _)) => setting.number,
            None => self.view.height(),
        }
    }

    /// Time and base fee of its block, open or sealed.
    ///
    /// # Errors
    /// The store's.
    pub fn time_and_base_fee(&self) -> Result<(u64, u64), EngineError> {
        let (setting, _) = self.setting()?;
        Ok((setting.timestamp, setting.base_fee))
    }

    /// The account with this address, empty where there is none.
    ///
    /// # Errors
    /// The store's.
    pub fn account(&self, address: &Address) -> Result<Account, EngineError> {
        Ok(self.view.account(address)?.unwrap_or_default())
    }

    /// Code of an account.
    ///
    /// # Errors
    /// The store's.
    pub fn code(&self, address: &Address) -> Result<Bytes, EngineError> {
        let hash = self.account(address)?.code_hash;
        if hash == KECCAK_EMPTY {
            return Ok(Bytes::new());
        }
        let code = self.view.code_bytes(&hash)?;
        code.ok_or_else(|| EngineError::Corrupt(format!("code {hash} is not stored")))
    }

    /// Storage slot.
    ///
    /// # Errors
    /// The store's.
    pub fn slot(&self, address: &Address, slot: &U256) -> Result<U256, EngineError> {
        Ok(self.view.slot(address, slot)?)
    }

    /// Index of an address in the AddressBook.
    ///
    /// # Errors
    /// The store's.
    pub fn book_index(&self, address: Address) -> Result<Option<u64>, EngineError> {
        let entry = self
            .view
            .slot(&self.rules.address_book, &hook::book_slot(address))?;
        Ok(entry.checked_sub(U256::from(1)).map(|index| index.to()))
    }

    /// Account proof (EIP-1186), for which at most `changes_max` values are put back where this is not the tip.
    ///
    /// # Errors
    /// More changed since (`limit`); or the store's.
    pub fn proof(
        &self,
        address: &Address,
        slots: &[U256],
        changes_max: usize,
    ) -> Result<AccountProof, EngineError> {
        if self.open.is_some() {
            let text = "there are proofs of sealed blocks only";
            return Err(EngineError::invalid("height", text));
        }
        let known = lock(&self.past).clone();
        let (proof, past) = self.view.past_proof(address, slots, changes_max, known)?;
        if let Some(past) = past.filter(|past| past.bytes() <= PAST_BYTES) {
            *lock(&self.past) = Some(past);
        }
        Ok(proof)
    }

    /// What a call sees: this block, open or sealed.
    fn setting(&self) -> Result<(BlockSetting, u128), EngineError> {
        if let Some(open) = &self.open {
            return Ok(open.clone());
        }
        if let Some(known) = self.setting.get() {
            return Ok(known.clone());
        }
        let facts = tip_facts(&self.view, self.view.height())?;
        let header: &Header = &facts.header;
        let mut setting = BlockSetting::of(header);
        let fork = self.fork_at(header.number, header.timestamp);
        if let Some(fee) = fork::blob_base_fee(&fork, header) {
            setting.blob_base_fee = fee;
        }
        let read = (setting, facts.tail.l1_rate);
        Ok(self.setting.get_or_init(|| read).clone())
    }

    pub(super) fn prepare(
        &self,
        overrides: Overrides<'_>,
    ) -> Result<(State<CallSource>, BlockSetting, u128), EngineError> {
        let (mut setting, rate) = self.setting()?;
        let source = CallSource {
            view: self.view.clone(),
            open: self.open.is_some(),
        };
        let mut state = State::new(EMPTY_ROOT, source);
        overrides::apply(overrides, &self.rules, &mut state, &mut setting)?;
        Ok((state, setting, rate))
    }

    /// Runs a call on top of this block.
    ///
    /// # Errors
    /// The call cannot be made, or overrides cannot be read.
    pub fn call(&self, call: &Call, overrides: Overrides<'_>) -> Result<Outcome, EngineError> {
        let (mut state, setting, _) = self.prepare(overrides)?;
        Ok(stf::simulate(&self.rules, &setting, &mut state, call)?)
    }

    /// Least gas limit that succeeds, padded data gas included, or how the call fails. Where the sender names a price,
    /// the limit is one that he can pay for.
    ///
    /// # Errors
    /// As [`Self::call`]; the price is below the base fee (`fee`), or the sender cannot pay (`funds`, `allowance`).
    pub fn estimate_gas(
        &self,
        call: &Call,
        max_fee_per_gas: Option<u128>,
        overrides: Overrides<'_>,
    ) -> Result<Result<u64, Outcome>, EngineError> {
        let (mut state, setting, rate) = self.prepare(overrides)?;
        let sender = state.account(&call.sender)?.unwrap_or_default();
        let allowance = match max_fee_per_gas {
            Some(fee) => allowance(call, sender.balance, fee, setting.base_fee)?,
            None => u64::MAX,
        };
        let wanted = call.gas_limit.unwrap_or(EVM_GAS_MAX).min(EVM_GAS_MAX);
        let is_short = allowance < wanted;
        let bounded = Call {
            gas_limit: Some(wanted.min(allowance)),
            ..call.clone()
        };
        let estimated = stf::estimate(&self.rules, &setting, &mut state, &bounded);
        let base_fee = self.base_fee_ahead(&setting, rate)?;
        let fee = max_fee_per_gas.unwrap_or(2 * u128::from(base_fee));
        match estimated {
            Ok(Ok(evm_gas)) => {
                let size = self.size(call, sender.nonce, evm_gas, fee);
                let transfer_bytes = self.rules.transfer_bytes;
                let data_gas = fee::data_gas(rate, size, transfer_bytes, base_fee);
                if evm_gas.saturating_add(data_gas) > allowance {
                    return Err(beyond(allowance));
                }
                let padded = stf::padded_data_gas(&self.rules, rate, size, base_fee);
                Ok(Ok(evm_gas.saturating_add(padded).min(allowance)))
            }
            Ok(Err(outcome)) if is_short && outcome.reason.starts_with("OutOfGas") => {
                Err(beyond(allowance))
            }
            Err(CallError::Refused(refused)) if is_short && refused.reason == "intrinsic" => {
                Err(beyond(allowance))
            }
            other => Ok(other?),
        }
    }

    /// Base fee of the block that a transaction may get into: the open one, or the one after this.
    fn base_fee_ahead(&self, setting: &BlockSetting, rate: u128) -> Result<u64, EngineError> {
        let header = tip_facts(&self.view, self.view.height())?.header;
        // Overridden or open: what the call sees.
        if self.open.is_some() || Some(setting.base_fee) != header.base_fee_per_gas {
            return Ok(setting.base_fee);
        }
        Ok(stf::next_base_fee(&self.rules, &header, rate))
    }

    /// Size of the transaction that would make this call, as type 2, or as type 4 where it has authorisations.
    fn size(&self, call: &Call, nonce: u64, gas_limit: u64, max_fee_per_gas: u128) -> u64 {
        let plain =
            call.data.is_empty() && call.access_list.is_empty() && call.authorizations.is_empty();
        if !self.rules.is_bedroll() || plain {
            return self.rules.transfer_bytes;
        }
        let made = Transaction::unsigned(Unsigned {
            chain_id: self.rules.chain_id,
            sender: call.sender,
            nonce,
            gas_limit,
            to: call.to,
            value: call.value,
            input: call.data.clone(),
            access_list: call.access_list.clone(),
            authorizations: call.authorizations.clone(),
            fee: UnsignedFee::Cap {
                most: max_fee_per_gas,
                tip: max_fee_per_gas,
            },
        });
        // Fields that a wallet fills in otherwise may be longer than here.
        made.size(self.rules.transfer_bytes) + 16
    }
}

/// Gas that a sender can pay for at a price.
///
/// # Errors
/// The price is below the base fee, or the sender has not even what he sends.
fn allowance(call: &Call, balance: U256, fee: u128, base_fee: u64) -> Result<u64, EngineError> {
    if fee < u128::from(base_fee) {
        let text = format!(
            "max fee per gas less than block base fee: maxFeePerGas: {fee}, baseFee: {base_fee}"
        );
        return Err(EngineError::invalid("fee", text));
    }
    let Some(left) = balance.checked_sub(call.value) else {
        let value = call.value;
        let text = format!("insufficient funds for transfer: balance {balance}, value {value}");
        return Err(EngineError::invalid("funds", text));
    };
    Ok((left / U256::from(fee.max(1))).saturating_to())
}

fn beyond(allowance: u64) -> EngineError {
    let text = format!("gas required exceeds allowance ({allowance})");
    EngineError::invalid("allowance", text)
}

/// A view as a state for calls reads it: flat values only.
pub(super) struct CallSource {
    view: View,
    open: bool,
}

impl CallSource {
    /// Of a sealed block.
    pub(super) fn sealed(view: View) -> Self {
        Self { view, open: false }
    }
}

impl StateSource for CallSource {
    fn account(&self, address: &Address) -> Result<Lookup<Option<Account>>, SourceError> {
        let mut account = self.view.account(address)?;
        if let Some(found) = account.as_mut().filter(|_| self.open) {
            // In an open block the root is that of the last sealed one; any other than the empty root says
            // that there may be slots, and flat values answer for them.
            if found.storage_root == EMPTY_ROOT && found.code_hash != KECCAK_EMPTY {
                found.storage_root = B256::repeat_byte(0xff);
            }
        }
        Ok(Lookup::Known(account))
    }

    fn slot(&self, address: &Address, slot: &U256) -> Result<Lookup<U256>, SourceError> {
        Ok(Lookup::Known(self.view.slot(address, slot)?))
    }

    fn slots(&self, address: &Address) -> Result<Vec<U256>, SourceError> {
        StateSource::slots(&self.view, address)
    }

    fn code(&self, hash: &B256) -> Result<Option<Bytes>, SourceError> {
        Ok(self.view.code_bytes(hash)?)
    }

    fn block_hash(&self, height: u64) -> Result<Option<B256>, SourceError> {
        // A call whose height is overridden may ask for blocks that there are not.
        Ok(Some(
            StateSource::block_hash(&self.view, height)?.unwrap_or_default(),
        ))
    }

    fn node(
        &self,
        _owner: Option<&B256>,
        _path: &Path,
        _hash: &B256,
    ) -> Result<Option<Vec<u8>>, SourceError> {
        Ok(None)
    }
}
