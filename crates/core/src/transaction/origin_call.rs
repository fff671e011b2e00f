//! The L1-info call: how an L2 block takes in its origin.
use alloc::vec::Vec;
use alloy_primitives::{keccak256, Address, Bytes, B256, U256};
use alloy_rlp::{Decodable, RlpDecodable, RlpEncodable};

use crate::payload::ORIGIN_TYPE;

/// Gas the call runs with.
pub const ORIGIN_GAS: u64 = 1 << 40;

/// Fields of the type-0x7e transaction; `0x7e ‖ rlp(fields)` is its payload.
#[derive(Debug, Clone, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub struct OriginCall {
    /// Chain id of L2.
    pub chain_id: u64,
    /// L1 height of the origin, which stands where other types have the nonce.
    pub height: u64,
    /// 2^40.
    pub gas_limit: u64,
    /// The light client predeploy.
    pub to: Address,
    /// `set_origin` and its arguments.
    pub input: Bytes,
}

/// An L1 block as the light client takes it in.
#[derive(Debug, Clone, Copy)]
pub struct OriginFacts<'a> {
    /// L1 height.
    pub height: u64,
    /// 80 bytes.
    pub header: &'a [u8; 80],
    /// Root under the witness commitment.
    pub witness_root: B256,
    /// Wei a witness byte.
    pub l1_rate: u128,
    /// Median time past, seconds.
    pub median_time: u64,
}

impl OriginCall {
    /// Builds the call for an origin.
    pub fn new(chain_id: u64, to: Address, facts: &OriginFacts<'_>) -> Self {
        Self {
            chain_id,
            height: facts.height,
            gas_limit: ORIGIN_GAS,
            to,
            input: calldata(facts).into(),
        }
    }

    /// `0x7e ‖ rlp(fields)`.
    pub fn payload(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(384);
        out.push(ORIGIN_TYPE);
        alloy_rlp::Encodable::encode(self, &mut out);
        out
    }

    /// Reads a payload back.
    ///
    /// # Errors
    /// What RLP finds wrong.
    pub fn decode(payload: &[u8]) -> alloy_rlp::Result<Self> {
        let (kind, mut rest) = payload
            .split_first()
            .ok_or(alloy_rlp::Error::InputTooShort)?;
        if *kind != ORIGIN_TYPE {
            return Err(alloy_rlp::Error::Custom("not an L1-info call"));
        }
        let call = <Self as Decodable>::decode(&mut rest)?;
        if rest.is_empty() {
            Ok(call)
        } else {
            Err(alloy_rlp::Error::UnexpectedLength)
        }
    }
}

/// ABI encoding of `set_origin(bytes header, uint256 height, bytes32 witness_root, uint256 l1_rate, uint256 median_time)`.
fn calldata(facts: &OriginFacts<'_>) -> Vec<u8> {
    let mut out = Vec::with_capacity(4 + 9 * 32);
    out.extend_from_slice(&keccak256("set_origin(bytes,uint256,bytes32,uint256,uint256)")[..4]);
    for word in [
        U256::from(5 * 32),
        U256::from(facts.height),
        facts.witness_root.into(),
        U256::from(facts.l1_rate),
        U256::from(facts.median_time),
        U256::from(80),
    ] {
        out.extend_from_slice(&word.to_be_bytes::<32>());
    }
    out.extend_from_slice(facts.header);
    out.extend_from_slice(&[0; 16]);
    out
}
