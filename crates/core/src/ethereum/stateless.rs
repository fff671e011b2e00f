//! A block executed from a witness alone: trie nodes, codes and headers instead of a state.
use alloc::vec::Vec;
use alloy_consensus::Header;
use alloy_primitives::{Bytes, B256};
use alloy_rlp::Decodable;

use super::{check_executed, check_header, execute, EthereumBlock, Executed, Fault, Schedule};
use crate::program::{ProgramSource, WitnessSource};
use crate::state::State;

/// What a block needs of the state before it, as `debug_executionWitness` gives it.
#[derive(Debug, Clone, Default)]
pub struct StatelessInput {
    /// RLP of nodes of the account trie and of storage tries.
    pub state: Vec<Bytes>,
    /// Codes.
    pub codes: Vec<Bytes>,
    /// RLP of headers, each the child of the one before; the last is the parent's.
    pub headers: Vec<Bytes>,
}

/// Executes a block from a witness and holds it against its header and its parent's.
///
/// # Errors
/// The block breaks a rule, or the witness lacks something or does not fit.
pub fn execute_stateless(
    schedule: &Schedule,
    block: &EthereumBlock,
    input: StatelessInput,
) -> Result<Executed, Fault> {
    let headers = read_headers(&input.headers)?;
    let Some((parent, parent_hash)) = headers.last() else {
        return Err(Fault::Rule("the witness has no header".into()));
    };
    check_header(schedule, parent, *parent_hash, &block.header)?;
    let last = (parent.number, *parent_hash);
    let mut source = WitnessSource::of_nodes(input.state, input.codes, parent.state_root, last);
    for (header, hash) in &headers {
        source.sealed(header.number, *hash);
    }
    let mut state = State::unstored(parent.state_root, source);
    let done = execute(schedule, block, &mut state, false)?;
    let (root, _) = state.seal()?;
    check_executed(block, &done, root)?;
    Ok(done)
}

/// Headers with their hashes; each must be the child of the one before.
fn read_headers(raw: &[Bytes]) -> Result<Vec<(Header, B256)>, Fault> {
    let mut headers: Vec<(Header, B256)> = Vec::with_capacity(raw.len());
    for bytes in raw {
        let header = Header::decode(&mut bytes.as_ref())
            .map_err(|error| Fault::Rule(alloc::format!("not a header: {error}")))?;
        if headers
            .last()
            .is_some_and(|(_, hash)| *hash != header.parent_hash)
        {
            let text = alloc::format!("header {} does not follow the one before", header.number);
            return Err(Fault::Rule(text));
        }
        let hash = header.hash_slow();
        headers.push((header, hash));
    }
    Ok(headers)
}
