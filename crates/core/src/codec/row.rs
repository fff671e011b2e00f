//! One transaction as columns see it, and its EIP-2718 bytes.
//!
//! Reads: raw signed transactions. Gives: their fields, and the same bytes back.
//! Never: recovers a sender.

use alloc::vec::Vec;

use alloy_consensus::{SignableTransaction, TxEip1559, TxEip2930, TxEip7702, TxLegacy};
use alloy_eips::eip2718::Decodable2718;
use alloy_eips::eip2930::{AccessList, AccessListItem};
use alloy_eips::eip7702::SignedAuthorization;
use alloy_primitives::{Address, Bytes, Signature, TxKind, B256, U256};

use crate::compact::Invalid;
use crate::object::Form;
use crate::payload::ATTESTED_TYPE;
use crate::transaction::{authorities_of, Envelope, Transaction};

/// What kind of transaction it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// EIP-1559.
    #[default]
    Dynamic = 0,
    /// Legacy with chain id (EIP-155).
    Legacy = 1,
    /// EIP-2930.
    AccessListed = 2,
    /// EIP-7702.
    SetCode = 3,
    /// Legacy without chain id; always a creation.
    Unprotected = 4,
}

impl RowSignature {
    /// Not known.
    pub const NONE: Self = Self {
        bytes: [0; 64],
        odd: false,
    };
}

impl Kind {
    /// The kind of a symbol.
    ///
    /// # Errors
    /// There is none.
    pub const fn of(symbol: u32) -> Result<Self, Invalid> {
        match symbol {
            0 => Ok(Self::Dynamic),
            1 => Ok(Self::Legacy),
            2 => Ok(Self::AccessListed),
            3 => Ok(Self::SetCode),
            4 => Ok(Self::Unprotected),
            _ => Err(Invalid("unknown kind of transaction")),
        }
    }

    /// Whether it names a fee cap and a tip instead of one price.
    pub const fn is_dynamic(self) -> bool {
        matches!(self, Self::Dynamic | Self::SetCode)
    }

    /// Whether it has an access list.
    pub const fn has_access_list(self) -> bool {
        !matches!(self, Self::Legacy | Self::Unprotected)
    }
}

/// Fee fields.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fee {
    /// Fee cap, or the price.
    pub cap: u128,
    /// Tip; the price again where there is only one.
    pub tip: u128,
}

/// Fields of a transaction but the chain's id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// Type, and for a legacy one whether it names the chain.
    pub kind: Kind,
    /// Who signed. Not in the raw bytes.
    pub sender: Address,
    /// As signed.
    pub nonce: u64,
    /// `None` for a creation.
    pub to: Option<Address>,
    /// wei.
    pub value: U256,
    /// Calldata or init code.
    pub input: Vec<u8>,
    /// As signed, data gas included.
    pub gas_limit: u64,
    /// As signed.
    pub fee: Fee,
    /// EIP-2930.
    pub access_list: Vec<(Address, Vec<B256>)>,
    /// EIP-7702.
    pub authorizations: Vec<SignedAuthorization>,
    /// Who made each of them, None where its signature is invalid; only of the proven form.
    pub authorities: Vec<Option<Address>>,
}

/// r ‖ s, and the parity of R's y; zeros where the body has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowSignature {
    /// r ‖ s.
    pub bytes: [u8; 64],
    /// y is odd.
    pub odd: bool,
}

/// Take a raw transaction apart.
///
/// # Errors
/// It is not the canonical encoding of a transaction of this chain.
pub fn read(
    raw: &[u8],
    sender: Address,
    chain_id: u64,
    form: Form,
) -> Result<(Row, RowSignature), Invalid> {
    const BROKEN: Invalid = Invalid("transaction does not decode");
    let (named, row, signature) = if raw.first() == Some(&ATTESTED_TYPE) {
        if form == Form::Signed {
            return Err(Invalid("the signature of a transaction is not known"));
        }
        let found = Transaction::restore_attested(raw).map_err(|_| BROKEN)?;
        let envelope = found.envelope().cloned().ok_or(BROKEN)?;
        let (named, mut row) = fields(envelope, found.sender)?;
        row.authorities = found.authorities;
        (named, row, RowSignature::NONE)
    } else {
        let envelope = Envelope::decode_2718_exact(raw).map_err(|_| BROKEN)?;
        let signature = RowSignature {
            bytes: rs(envelope.signature()),
            odd: envelope.signature().v(),
        };
        let (named, mut row) = fields(envelope, sender)?;
        if form == Form::Proven {
            row.authorities = authorities_of(&row.authorizations);
        }
        (named, row, signature)
    };
    if row.kind == Kind::Unprotected {
        if row.to.is_some() {
            return Err(Invalid("a transaction without chain id is no creation"));
        }
    } else if named != Some(chain_id) {
        return Err(Invalid("transaction is of another chain"));
    }
    Ok((row, signature))
}

fn rs(signature: &Signature) -> [u8; 64] {
    let mut bytes = [0; 64];
    bytes[..32].copy_from_slice(&signature.r().to_be_bytes::<32>());
    bytes[32..].copy_from_slice(&signature.s().to_be_bytes::<32>());
    bytes
}

/// The chain id that is named, and the fields.
fn fields(envelope: Envelope, sender: Address) -> Result<(Option<u64>, Row), Invalid> {
    let listed = |list: AccessList| {
        list.0
            .into_iter()
            .map(|item| (item.address, item.storage_keys))
            .collect()
    };
    Ok(match envelope {
        Envelope::Legacy(signed) => {
            let tx = signed.strip_signature();
            let kind = if tx.chain_id.is_some() {
                Kind::Legacy
            } else {
                Kind::Unprotected
            };
            let row = Row {
                kind,
                sender,
                nonce: tx.nonce,
                to: tx.to.to().copied(),
                value: tx.value,
                input: tx.input.to_vec(),
                gas_limit: tx.gas_limit,
                fee: price(tx.gas_price),
                ..Row::default()
            };
            (tx.chain_id, row)
        }
        Envelope::Eip2930(signed) => {
            let tx = signed.strip_signature();
            let row = Row {
                kind: Kind::AccessListed,
                sender,
                nonce: tx.nonce,
                to: tx.to.to().copied(),
                value: tx.value,
                input: tx.input.to_vec(),
                gas_limit: tx.gas_limit,
                fee: price(tx.gas_price),
                access_list: listed(tx.access_list),
                ..Row::default()
            };
            (Some(tx.chain_id), row)
        }
        Envelope::Eip1559(signed) => {
            let tx = signed.strip_signature();
            let row = Row {
                kind: Kind::Dynamic,
                sender,
                nonce: tx.nonce,
                to: tx.to.to().copied(),
                value: tx.value,
                input: tx.input.to_vec(),
                gas_limit: tx.gas_limit,
                fee: Fee {
                    cap: tx.max_fee_per_gas,
                    tip: tx.max_priority_fee_per_gas,
                },
                access_list: listed(tx.access_list),
                ..Row::default()
            };
            (Some(tx.chain_id), row)
        }
        Envelope::Eip7702(signed) => {
            let tx = signed.strip_signature();
            let row = Row {
                kind: Kind::SetCode,
                sender,
                nonce: tx.nonce,
                to: Some(tx.to),
                value: tx.value,
                input: tx.input.to_vec(),
                gas_limit: tx.gas_limit,
                fee: Fee {
                    cap: tx.max_fee_per_gas,
                    tip: tx.max_priority_fee_per_gas,
                },
                access_list: listed(tx.access_list),
                authorizations: tx.authorization_list,
                authorities: Vec::new(),
            };
            (Some(tx.chain_id), row)
        }
        Envelope::Eip4844(_) => return Err(Invalid("blob transactions are not accepted")),
    })
}

const fn price(gas_price: u128) -> Fee {
    Fee {
        cap: gas_price,
        tip: gas_price,
    }
}

/// The transaction of a row.
pub fn envelope(row: &Row, signature: &RowSignature, fee: Fee, chain_id: u64) -> Envelope {
    let to = row.to.map_or(TxKind::Create, TxKind::Call);
    let input = Bytes::copy_from_slice(&row.input);
    let access_list = || {
        AccessList(
            row.access_list
                .iter()
                .map(|(address, storage_keys)| AccessListItem {
                    address: *address,
                    storage_keys: storage_keys.clone(),
                })
                .collect(),
        )
    };
    let (r, s) = signature.bytes.split_at(32);
    let signature = Signature::new(
        U256::from_be_slice(r),
        U256::from_be_slice(s),
        signature.odd,
    );
    match row.kind {
        Kind::Legacy | Kind::Unprotected => unhashed(
            TxLegacy {
                chain_id: (row.kind == Kind::Legacy).then_some(chain_id),
                nonce: row.nonce,
                gas_price: fee.cap,
                gas_limit: row.gas_limit,
                to,
                value: row.value,
                input,
            },
            signature,
        ),
        Kind::AccessListed => unhashed(
            TxEip2930 {
                chain_id,
                nonce: row.nonce,
                gas_price: fee.cap,
                gas_limit: row.gas_limit,
                to,
                value: row.value,
                access_list: access_list(),
                input,
            },
            signature,
        ),
        Kind::Dynamic => unhashed(
            TxEip1559 {
                chain_id,
                nonce: row.nonce,
                gas_limit: row.gas_limit,
                max_fee_per_gas: fee.cap,
                max_priority_fee_per_gas: fee.tip,
                to,
                value: row.value,
                access_list: access_list(),
                input,
            },
            signature,
        ),
        Kind::SetCode => unhashed(
            TxEip7702 {
                chain_id,
                nonce: row.nonce,
                gas_limit: row.gas_limit,
                max_fee_per_gas: fee.cap,
                max_priority_fee_per_gas: fee.tip,
                to: row.to.unwrap_or_default(),
                value: row.value,
                access_list: access_list(),
                authorization_list: row.authorizations.clone(),
                input,
            },
            signature,
        ),
    }
}

fn unhashed<T>(transaction: T, signature: Signature) -> Envelope
where
    T: SignableTransaction<Signature>,
    Envelope: From<alloy_consensus::Signed<T>>,
{
    // Computing the hash would cost more than all the rest.
    Envelope::from(alloy_consensus::Signed::new_unhashed(
        transaction,
        signature,
    ))
}
