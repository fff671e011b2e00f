//! All columns of a batch, and the order in which a block and a row go through them.
//!
//! Reads and gives: blocks and rows through a [`Coder`]. Never: holds state beyond one batch.

use alloc::vec::Vec;

use alloy_eips::eip7702::{Authorization, SignedAuthorization};
use alloy_primitives::{Address, B256, U256};

use super::address::{Addresses, Flag, Role};
use super::calldata::{Around, Calldata};
use super::fee::{Fees, Quote};
use super::model::{direct, Decimal, Integer, Repeated, Symbol};
use super::range::Coder;
use super::row::{Kind, Row};
use super::{Budget, ChainView};
use crate::compact::Invalid;
use crate::object::Form;
use crate::transaction::attested_authorization;

/// What a block says besides its transactions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Frame {
    /// Seconds.
    pub timestamp: u64,
    /// Whether it takes the next origin.
    pub origin_step: bool,
    /// The leader's transactions.
    pub transactions: u32,
}

/// What the batch so far says about one of its addresses.
#[derive(Clone, Copy, Default)]
struct Habit {
    next_nonce: Option<u64>,
    last_recipient: Option<usize>,
    /// As a recipient: 0 never seen, 1 without calldata, 2 with.
    called: u8,
}

/// The models.
pub struct Columns {
    form: Form,
    chain_id: u64,
    last_timestamp: u64,
    last_interval: u64,
    last_kind: usize,
    same_interval: Flag<2>,
    interval: Integer,
    step: Flag<2>,
    count: Integer,
    kind: [Symbol<3>; 5],
    addresses: Addresses,
    habits: Vec<Habit>,
    nonce_as_expected: Flag<2>,
    nonce: Integer,
    creation: Flag<5>,
    same_recipient: Flag<2>,
    with_input: Flag<4>,
    calldata: Calldata,
    values: [Decimal; 3],
    gas: [Repeated; 3],
    same_gas: Flag<2>,
    fees: Fees,
    listed: Flag<5>,
    list_size: Integer,
    key_count: Integer,
    small_key: Flag<2>,
    authorization_count: Integer,
    authorization_chain: Symbol<2>,
    authorization_nonce: Integer,
    authorization_parity: Integer,
    authority_known: Flag<1>,
}

impl Columns {
    /// Nothing known.
    pub fn new<V: ChainView>(view: &V, apart: bool, form: Form) -> Self {
        Self {
            form,
            chain_id: view.chain_id(),
            last_timestamp: view.parent_timestamp(),
            last_interval: 0,
            last_kind: 0,
            same_interval: Flag::new(),
            interval: Integer::new(),
            step: Flag::new(),
            count: Integer::new(),
            kind: core::array::from_fn(|_| Symbol::new()),
            addresses: Addresses::new(apart),
            habits: Vec::new(),
            nonce_as_expected: Flag::new(),
            nonce: Integer::new(),
            creation: Flag::new(),
            same_recipient: Flag::new(),
            with_input: Flag::new(),
            calldata: Calldata::new(),
            values: core::array::from_fn(|_| Decimal::new()),
            gas: core::array::from_fn(|_| Repeated::new()),
            same_gas: Flag::new(),
            fees: Fees::new(),
            listed: Flag::new(),
            list_size: Integer::new(),
            key_count: Integer::new(),
            small_key: Flag::new(),
            authorization_count: Integer::new(),
            authorization_chain: Symbol::new(),
            authorization_nonce: Integer::new(),
            authorization_parity: Integer::new(),
            authority_known: Flag::new(),
        }
    }

    /// Code a block's frame.
    ///
    /// # Errors
    /// A timestamp above 2^64 − 1, or more transactions than a batch has.
    pub fn frame<C: Coder>(&mut self, coder: &mut C, frame: Frame) -> Result<Frame, Invalid> {
        let interval = frame.timestamp.wrapping_sub(self.last_timestamp);
        let same = self
            .same_interval
            .code(coder, 0, interval == self.last_interval);
        if !same {
            self.last_interval = self.interval.code(coder, interval)?;
        }
        let timestamp = self
            .last_timestamp
            .checked_add(self.last_interval)
            .ok_or(Invalid("timestamp is above 2^64 - 1"))?;
        self.last_timestamp = timestamp;
        let origin_step = self.step.code(coder, 0, frame.origin_step);
        let transactions = self.count.code(coder, u64::from(frame.transactions))?;
        Ok(Frame {
            timestamp,
            origin_step,
            transactions: u32::try_from(transactions)
                .map_err(|_| Invalid("block has more transactions than the batch"))?,
        })
    }

    /// How a row's fee is said; writers only.
    pub fn quote(&self, row: &Row, base_fees: &[u64]) -> Quote {
        self.fees.quote(row.kind, row.fee, base_fees)
    }

    /// Code one transaction but its signature; the fee field of what is read stays empty.
    ///
    /// # Errors
    /// What columns refuse, or more bytes than the batch declared.
    pub fn row<C: Coder, V: ChainView>(
        &mut self,
        coder: &mut C,
        view: &V,
        row: &Row,
        quote: Quote,
        budget: &mut Budget,
    ) -> Result<(Row, Quote), Invalid> {
        let kind = Kind::of(self.kind[self.last_kind].code(coder, row.kind as u32))?;
        self.last_kind = kind as usize;
        let sender_id = self.address(coder, view, Role::Sender, row.sender)?;
        let sender = self.addresses.address(sender_id);
        let nonce = self.nonce(coder, view, sender_id, row.nonce)?;
        let recipient = self.recipient(coder, view, kind, sender_id, row)?;
        let (input, template) = self.input(coder, view, sender, recipient, row, budget)?;
        let shape = shape(recipient, &input);
        let value = self.values[shape].code(coder, row.value)?;
        let gas_limit = self.gas_limit(coder, shape, template, row.gas_limit)?;
        let quote = self.fees.code(coder, kind, quote)?;
        let mut access_list = Vec::new();
        if kind.has_access_list() {
            access_list = self.access_list(coder, view, kind, &row.access_list, budget)?;
        }
        let (mut authorizations, mut authorities) = (Vec::new(), Vec::new());
        if kind == Kind::SetCode {
            (authorizations, authorities) = self.authorizations(coder, view, row, budget)?;
        }
        let row = Row {
            kind,
            sender,
            nonce,
            to: recipient.map(|id| self.addresses.address(id)),
            value,
            input,
            gas_limit,
            access_list,
            authorizations,
            authorities,
            ..Row::default()
        };
        Ok((row, quote))
    }

    fn address<C: Coder, V: ChainView>(
        &mut self,
        coder: &mut C,
        view: &V,
        role: Role,
        address: Address,
    ) -> Result<usize, Invalid> {
        let id = self.addresses.code(coder, view, role, address)?;
        self.reach(id);
        Ok(id)
    }

    /// Addresses of calldata have ids too, but habits only once they are asked for.
    fn reach(&mut self, id: usize) {
        if self.habits.len() <= id {
            self.habits.resize(id + 1, Habit::default());
        }
    }

    fn nonce<C: Coder, V: ChainView>(
        &mut self,
        coder: &mut C,
        view: &V,
        sender: usize,
        nonce: u64,
    ) -> Result<u64, Invalid> {
        let expected = match self.habits[sender].next_nonce {
            Some(next) => next,
            None => view.nonce(&self.addresses.address(sender)),
        };
        let ahead = nonce.wrapping_sub(expected) as i64;
        let mut read = expected;
        if !self.nonce_as_expected.code(coder, 0, ahead == 0) {
            read = expected.wrapping_add(self.nonce.code_signed(coder, ahead)? as u64);
        }
        self.habits[sender].next_nonce = Some(read.wrapping_add(1));
        Ok(read)
    }

    /// Id of the recipient; none for a creation.
    fn recipient<C: Coder, V: ChainView>(
        &mut self,
        coder: &mut C,
        view: &V,
        kind: Kind,
        sender: usize,
        row: &Row,
    ) -> Result<Option<usize>, Invalid> {
        let creates = match kind {
            Kind::Unprotected => true,
            Kind::SetCode => false,
            _ => self.creation.code(coder, kind as usize, row.to.is_none()),
        };
        if creates {
            return Ok(None);
        }
        let to = row.to.unwrap_or_default();
        if let Some(last) = self.habits[sender].last_recipient {
            let same = self.addresses.address(last) == to;
            if self.same_recipient.code(coder, 0, same) {
                return Ok(Some(last));
            }
        }
        let id = self.address(coder, view, Role::Recipient, to)?;
        self.habits[sender].last_recipient = Some(id);
        Ok(Some(id))
    }

    fn input<C: Coder, V: ChainView>(
        &mut self,
        coder: &mut C,
        view: &V,
        sender: Address,
        recipient: Option<usize>,
        row: &Row,
        budget: &mut Budget,
    ) -> Result<(Vec<u8>, Option<usize>), Invalid> {
        let context = recipient.map_or(3, |id| usize::from(self.habits[id].called));
        let present = self.with_input.code(coder, context, !row.input.is_empty());
        if let Some(id) = recipient {
            self.habits[id].called = 1 + u8::from(present);
        }
        if !present {
            return Ok((Vec::new(), None));
        }
        let around = Around {
            view,
            sender,
            timestamp: self.last_timestamp,
        };
        self.calldata.code(
            coder,
            &mut self.addresses,
            &around,
            recipient,
            &row.input,
            budget,
        )
    }

    fn gas_limit<C: Coder>(
        &mut self,
        coder: &mut C,
        shape: usize,
        template: Option<usize>,
        gas_limit: u64,
    ) -> Result<u64, Invalid> {
        let Some(template) = template else {
            return self.gas[shape].code_u64(coder, gas_limit);
        };
        let last = *self.calldata.last_gas(template);
        if self.same_gas.code(coder, 0, gas_limit == last) {
            return Ok(last);
        }
        let read = self.gas[shape].code_u64(coder, gas_limit)?;
        *self.calldata.last_gas(template) = read;
        Ok(read)
    }

    fn access_list<C: Coder, V: ChainView>(
        &mut self,
        coder: &mut C,
        view: &V,
        kind: Kind,
        list: &[(Address, Vec<B256>)],
        budget: &mut Budget,
    ) -> Result<Vec<(Address, Vec<B256>)>, Invalid> {
        if !self.listed.code(coder, kind as usize, !list.is_empty()) {
            return Ok(Vec::new());
        }
        let size = self.list_size.code(coder, list.len() as u64)?;
        let size = budget.spend_each(size, ACCESS_SIZE)?;
        let mut read = Vec::with_capacity(size);
        for entry in 0..size {
            let (address, keys) = list
                .get(entry)
                .map_or((Address::ZERO, &[][..]), |(address, keys)| (*address, keys));
            let id = self.addresses.code(coder, view, Role::Mentioned, address)?;
            let count = self.key_count.code(coder, keys.len() as u64)?;
            let count = budget.spend_each(count, KEY_SIZE)?;
            let mut read_keys = Vec::with_capacity(count);
            for key in 0..count {
                let key = keys.get(key).copied().unwrap_or_default();
                read_keys.push(B256::from(self.calldata.key(
                    coder,
                    &mut self.small_key,
                    key.0,
                )?));
            }
            read.push((self.addresses.address(id), read_keys));
        }
        Ok(read)
    }

    fn authorizations<C: Coder, V: ChainView>(
        &mut self,
        coder: &mut C,
        view: &V,
        row: &Row,
        budget: &mut Budget,
    ) -> Result<(Vec<SignedAuthorization>, Vec<Option<Address>>), Invalid> {
        let list = &row.authorizations;
        let size = self.authorization_count.code(coder, list.len() as u64)?;
        let size = budget.spend_each(size, AUTHORIZATION_SIZE)?;
        let (mut read, mut authorities) = (Vec::with_capacity(size), Vec::new());
        for entry in 0..size {
            let given = list.get(entry).cloned().unwrap_or_else(empty_authorization);
            let chain_id = self.authorization_chain(coder, given.chain_id)?;
            let id = self
                .addresses
                .code(coder, view, Role::Mentioned, given.address)?;
            let nonce = self.authorization_nonce.code(coder, given.nonce)?;
            let inner = Authorization {
                chain_id,
                address: self.addresses.address(id),
                nonce,
            };
            if self.form == Form::Proven {
                let authority = row.authorities.get(entry).copied().flatten();
                authorities.push(self.authority(coder, view, authority)?);
                read.push(attested_authorization(inner));
                continue;
            }
            let parity = self
                .authorization_parity
                .code(coder, u64::from(given.y_parity()))?;
            let parity = u8::try_from(parity).map_err(|_| Invalid("parity is above 255"))?;
            let r = plain(coder, given.r());
            let s = plain(coder, given.s());
            read.push(SignedAuthorization::new_unchecked(inner, parity, r, s));
        }
        Ok((read, authorities))
    }

    /// Who made an authorisation; none where its signature is invalid.
    fn authority<C: Coder, V: ChainView>(
        &mut self,
        coder: &mut C,
        view: &V,
        authority: Option<Address>,
    ) -> Result<Option<Address>, Invalid> {
        if !self.authority_known.code(coder, 0, authority.is_some()) {
            return Ok(None);
        }
        let id = self.address(coder, view, Role::Sender, authority.unwrap_or_default())?;
        Ok(Some(self.addresses.address(id)))
    }

    /// 0: any chain, 1: this one, 2: another.
    fn authorization_chain<C: Coder>(
        &mut self,
        coder: &mut C,
        chain_id: U256,
    ) -> Result<U256, Invalid> {
        let own = U256::from(self.chain_id);
        let class = if chain_id.is_zero() {
            0
        } else if chain_id == own {
            1
        } else {
            2
        };
        match self.authorization_chain.code(coder, class) {
            0 => Ok(U256::ZERO),
            1 => Ok(own),
            2 => Ok(plain(coder, chain_id)),
            _ => Err(Invalid("unknown class of chain")),
        }
    }
}

/// What an entry, a key and an authorisation count against the expanded size, bytes.
const ACCESS_SIZE: u64 = 32;
const KEY_SIZE: u64 = 32;
const AUTHORIZATION_SIZE: u64 = 160;

/// 0 plain, 1 call, 2 creation.
fn shape(recipient: Option<usize>, input: &[u8]) -> usize {
    match recipient {
        None => 2,
        Some(_) => usize::from(!input.is_empty()),
    }
}

fn empty_authorization() -> SignedAuthorization {
    let inner = Authorization {
        chain_id: U256::ZERO,
        address: Address::ZERO,
        nonce: 0,
    };
    SignedAuthorization::new_unchecked(inner, 0, U256::ZERO, U256::ZERO)
}

/// 32 bytes as they are.
fn plain<C: Coder>(coder: &mut C, value: U256) -> U256 {
    let mut limbs = value.into_limbs();
    for limb in limbs.iter_mut().rev() {
        *limb = direct(coder, 64, *limb);
    }
    U256::from_limbs(limbs)
}
