//! What the settlement program is given, as RLP.
use alloc::vec::Vec;

use alloy_primitives::{Bytes, B256};
use alloy_rlp::{Decodable, RlpDecodable, RlpEncodable};

use super::block::L1Part;
use super::parameter::Parameters;
use super::state::State;

/// All that the program reads. Only `parameters` and keys are public; what is given wrong ends the run.
#[derive(Debug, Clone, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub struct SettlementInput {
    /// What names the chain.
    pub parameters: Parameters,
    /// Verification key of the batch program.
    pub batch_key: B256,
    /// Verification key of this program.
    pub settlement_key: B256,
    /// Statement of the run before, empty at the anchor.
    pub previous: Bytes,
    /// State after it.
    pub state: State,
    /// L1 blocks in order.
    pub blocks: Vec<L1Part>,
    /// Statements of the batch program in the order in which they are asked for.
    pub verdicts: Vec<Bytes>,
    /// Headers, RLP, of the tips of automatic ranges in order, and of the last tip.
    pub headers: Vec<Bytes>,
}

impl SettlementInput {
    /// Its bytes.
    pub fn encode(&self) -> Vec<u8> {
        alloy_rlp::encode(self)
    }

    /// Reads what [`Self::encode`] wrote.
    ///
    /// # Errors
    /// It is no input.
    pub fn decode(mut bytes: &[u8]) -> alloy_rlp::Result<Self> {
        let input = <Self as Decodable>::decode(&mut bytes)?;
        if bytes.is_empty() {
            Ok(input)
        } else {
            Err(alloy_rlp::Error::Custom("bytes follow the input"))
        }
    }
}
