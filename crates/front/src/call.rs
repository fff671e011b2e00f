//! The call object of `eth_call`, as far as it is plain.
use alloy_primitives::{Address, Bytes, U256};
use bedroll_core::stf::Call;
use serde::Deserialize;

use crate::body::Object;
use crate::show::{read_data, read_fixed, read_quantity};

const INPUT_BYTES_MAX: usize = 1 << 20;

/// What a client wants to run.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    sender: Address,
    to: Option<Address>,
    data: Bytes,
    value: U256,
    gas: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Members<'a> {
    #[serde(borrow, default)]
    from: Option<&'a str>,
    #[serde(borrow, default)]
    to: Option<&'a str>,
    #[serde(borrow, default)]
    data: Option<&'a str>,
    #[serde(borrow, default)]
    input: Option<&'a str>,
    #[serde(borrow, default)]
    value: Option<&'a str>,
    #[serde(borrow, default)]
    gas: Option<&'a str>,
}

/// Reads a call object; None where it has members that only the dispatcher knows, or wrong ones.
pub(crate) fn parse_call(json: &str) -> Option<Message> {
    let Object(given): Object<Members<'_>> = serde_json::from_str(json).ok()?;
    let address = |text: Option<&str>| -> Option<Option<Address>> {
        match text {
            None => Some(None),
            Some(text) => read_fixed::<20>(text).map(|bytes| Some(bytes.into())),
        }
    };
    let number = |text: Option<&str>| text.map_or(Some(U256::ZERO), read_quantity);
    let data = match (given.data, given.input) {
        (Some(_), Some(_)) => return None,
        (Some(text), None) | (None, Some(text)) => read_data(text, INPUT_BYTES_MAX)?,
        (None, None) => vec![],
    };
    Some(Message {
        sender: address(given.from)?.unwrap_or_default(),
        to: address(given.to)?,
        data: data.into(),
        value: number(given.value)?,
        gas: u64::try_from(number(given.gas)?).ok()?,
    })
}

impl Message {
    /// As the core takes it, with at most `most` gas.
    pub fn call(&self, most: u64) -> Call {
        let gas = if self.gas == 0 { most } else { self.gas };
        Call {
            sender: self.sender,
            to: self.to,
            data: self.data.clone(),
            value: self.value,
            gas_limit: Some(gas.min(most)),
            gas_price: 0,
            access_list: Default::default(),
            authorizations: vec![],
            blob_hashes: vec![],
            max_fee_per_blob_gas: 0,
        }
    }
}
