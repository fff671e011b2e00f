//! Merkle proofs as EIP-1186 gives them.
use super::nibble::{common, nibble};
use super::node::{parse, Parsed, Ref};
use super::source::fetch;
use super::{NodeSource, TrieError, EMPTY_ROOT};
use alloc::vec::Vec;
use alloy_primitives::B256;

/// Nodes from the root towards `key`, as far as they go: with the value's leaf if the key is there, else up to the
/// node that shows its absence. Nodes that stand inline in the one above are left out, as geth does.
///
/// # Errors
/// A node is missing, malformed or not what its hash says.
pub fn prove(root: &B256, key: &B256, source: &dyn NodeSource) -> Result<Vec<Vec<u8>>, TrieError> {
    let mut proof = Vec::new();
    if *root == EMPTY_ROOT {
        return Ok(proof);
    }
    let (mut reference, mut depth) = (Ref::hash(root), 0);
    loop {
        let parsed = match reference.as_hash() {
            Some(hash) => {
                let rlp = fetch(source, key, depth, &hash)?;
                let parsed = parse(&rlp, key, depth)?;
                proof.push(rlp);
                parsed
            }
            None => parse(reference.bytes(), key, depth)?,
        };
        (reference, depth) = match parsed {
            Parsed::Leaf { .. } => return Ok(proof),
            Parsed::Extension {
                key: own,
                end,
                child,
            } if common(&own, key, depth) >= usize::from(end) => (child, usize::from(end)),
            Parsed::Extension { .. } => return Ok(proof),
            Parsed::Branch(children) => (children[nibble(key, depth)], depth + 1),
        };
        if reference.is_dirty() {
            return Ok(proof);
        }
    }
}
