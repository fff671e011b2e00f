//! Series of chunks: one object over several envelopes (docs/spec/da.md#chunks).
//!
//! Reads: chunks. Gives: the root they belong to, and their paths. Never: keeps any.

use alloc::vec::Vec;

use sha2::{Digest, Sha256};

use crate::compact::Invalid;

/// Chunks of one series, at most.
pub const CHUNKS_MAX: usize = 16;

/// A chunk's neighbours from the leaf up.
pub type Path = Vec<[u8; 32]>;

/// SHA-256 of `SHA-256(tag) ‖ SHA-256(tag) ‖ parts` (BIP-0340).
#[must_use]
pub fn tagged_hash(tag: &str, parts: &[&[u8]]) -> [u8; 32] {
    let prefix = Sha256::digest(tag.as_bytes());
    let mut engine = Sha256::new();
    engine.update(prefix);
    engine.update(prefix);
    for part in parts {
        engine.update(part);
    }
    engine.finalize().into()
}

fn leaf_hash(bytes: &[u8]) -> [u8; 32] {
    tagged_hash("bedroll/chunk", &[bytes])
}

fn node_hash(left: &[u8; 32], right: &[u8; 32]) -> [u8; 32] {
    tagged_hash("bedroll/chunk-node", &[left, right])
}

fn series_root(count: usize, top: &[u8; 32]) -> [u8; 32] {
    let count = u8::try_from(count).unwrap_or(u8::MAX);
    tagged_hash("bedroll/series", &[&[count], top])
}

/// Hashes in the Merkle path of chunk `index` of `count`: one for each level where it has a neighbour.
#[must_use]
pub const fn path_length(index: usize, count: usize) -> usize {
    let (mut at, mut width, mut length) = (index, count, 0);
    while width > 1 {
        if at ^ 1 < width {
            length += 1;
        }
        at /= 2;
        width = width.div_ceil(2);
    }
    length
}

/// The root that a chunk with this path belongs to. `path` has [`path_length`] hashes.
#[must_use]
pub fn root_of_path(index: usize, count: usize, path: &[[u8; 32]], bytes: &[u8]) -> [u8; 32] {
    let mut node = leaf_hash(bytes);
    let (mut at, mut width) = (index, count);
    let mut path = path.iter();
    while width > 1 {
        if at ^ 1 < width {
            if let Some(neighbour) = path.next() {
                node = if at & 1 == 0 {
                    node_hash(&node, neighbour)
                } else {
                    node_hash(neighbour, &node)
                };
            }
        }
        at /= 2;
        width = width.div_ceil(2);
    }
    series_root(count, &node)
}

/// Root and the path of every chunk of a series.
///
/// # Errors
/// A series has 2 to [`CHUNKS_MAX`] chunks, none of them empty.
pub fn build(chunks: &[&[u8]]) -> Result<([u8; 32], Vec<Path>), Invalid> {
    if chunks.len() < 2 || chunks.len() > CHUNKS_MAX {
        return Err(Invalid("a series has 2 to 16 chunks"));
    }
    if chunks.iter().any(|chunk| chunk.is_empty()) {
        return Err(Invalid("chunk is empty"));
    }
    let mut paths: Vec<Path> = chunks.iter().map(|_| Vec::new()).collect();
    let mut level: Vec<[u8; 32]> = chunks.iter().map(|chunk| leaf_hash(chunk)).collect();
    let mut depth = 0;
    while level.len() > 1 {
        for (index, path) in paths.iter_mut().enumerate() {
            if let Some(neighbour) = level.get((index >> depth) ^ 1) {
                path.push(*neighbour);
            }
        }
        level = level
            .chunks(2)
            .map(|pair| match pair {
                [left, right] => node_hash(left, right),
                // Without a neighbour a node moves up as it is: no hash of a thing with itself.
                [single] => *single,
                _ => [0; 32],
            })
            .collect();
        depth += 1;
    }
    Ok((series_root(chunks.len(), &level[0]), paths))
}
