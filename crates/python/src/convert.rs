//! Plain Python values from and to the core's.
use alloy_eips::eip2930::{AccessList, AccessListItem};
use alloy_eips::eip7702::{Authorization, SignedAuthorization};
use alloy_primitives::{Address, Bytes, B256, U256};
use pyo3::prelude::*;
use pyo3::types::{PyAnyMethods, PyBytes, PyInt};

use crate::error::invalid;

/// `bytes`.
pub fn bytes<'py>(py: Python<'py>, value: impl AsRef<[u8]>) -> Bound<'py, PyBytes> {
    PyBytes::new(py, value.as_ref())
}

/// An `int` of up to 256 bits.
pub fn int<'py>(py: Python<'py>, value: &U256) -> PyResult<Bound<'py, PyAny>> {
    if let Ok(small) = u64::try_from(*value) {
        return Ok(small.into_pyobject(py)?.into_any());
    }
    let class = py.get_type::<PyInt>();
    class.call_method1("from_bytes", (bytes(py, value.to_be_bytes::<32>()), "big"))
}

/// A number of up to 256 bits from an `int`.
pub fn word(value: &Bound<'_, PyAny>) -> PyResult<U256> {
    if let Ok(small) = value.extract::<u64>() {
        return Ok(U256::from(small));
    }
    let raw = value
        .call_method1("to_bytes", (32, "big"))
        .map_err(|_| invalid("number", format!("{value} is not a number of 256 bits")))?;
    Ok(U256::from_be_slice(raw.extract::<&[u8]>()?))
}

/// An address from 20 bytes.
pub fn address(value: &[u8]) -> PyResult<Address> {
    Address::try_from(value).map_err(|_| {
        invalid(
            "address",
            format!("an address has 20 bytes, not {}", value.len()),
        )
    })
}

/// A hash from 32 bytes.
pub fn hash(value: &[u8]) -> PyResult<B256> {
    B256::try_from(value)
        .map_err(|_| invalid("hash", format!("a hash has 32 bytes, not {}", value.len())))
}

/// Hashes from 32 bytes each.
#[allow(clippy::needless_pass_by_value)]
pub fn hashes(values: Vec<Vec<u8>>) -> PyResult<Vec<B256>> {
    values.iter().map(|value| hash(value)).collect()
}

/// Byte strings of a Python sequence.
pub fn raws(values: Vec<Bound<'_, PyAny>>) -> PyResult<Vec<Bytes>> {
    values
        .iter()
        .map(|value| Ok(Bytes::copy_from_slice(value.extract::<&[u8]>()?)))
        .collect()
}

/// An access list of `(address, [slot key])`.
pub fn access_list(rows: Vec<(Vec<u8>, Vec<Vec<u8>>)>) -> PyResult<AccessList> {
    let rows = rows.iter().map(|(who, keys)| {
        let storage_keys = keys.iter().map(|key| hash(key)).collect::<PyResult<_>>()?;
        Ok(AccessListItem {
            address: address(who)?,
            storage_keys,
        })
    });
    Ok(AccessList(rows.collect::<PyResult<_>>()?))
}

/// An authorisation of EIP-7702 as Python has it: chain id, address, nonce, y parity, r, s.
pub type Grant<'py> = (
    Bound<'py, PyAny>,
    Vec<u8>,
    u64,
    u8,
    Bound<'py, PyAny>,
    Bound<'py, PyAny>,
);

/// Authorisations of EIP-7702.
pub fn grants(rows: &[Grant<'_>]) -> PyResult<Vec<SignedAuthorization>> {
    let rows = rows.iter().map(|(chain_id, who, nonce, y_parity, r, s)| {
        let grant = Authorization {
            chain_id: word(chain_id)?,
            address: address(who)?,
            nonce: *nonce,
        };
        let signed = SignedAuthorization::new_unchecked(grant, *y_parity, word(r)?, word(s)?);
        Ok(signed)
    });
    rows.collect()
}
