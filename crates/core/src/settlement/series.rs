//! Puts series of chunks together (docs/spec/derivation.md, "Chunk assembler").
use alloc::vec::Vec;

use alloy_primitives::{Bytes, B256};

use super::parameter::Parameters;
use super::state::{ChunkPart, Series};
use crate::object::{self, Object};

/// Ends series that waited too long.
pub fn expire(parameters: &Parameters, waiting: &mut Vec<Series>, height: u64) {
    let oldest = height.saturating_sub(parameters.proof_ttl);
    waiting.retain(|series| series.first_height >= oldest);
}

/// A chunk that came.
#[derive(Debug, Clone, Copy)]
pub struct Came<'a> {
    /// Names its series.
    pub root: B256,
    /// From 0.
    pub index: u8,
    /// Chunks in all.
    pub count: u8,
    /// At least one.
    pub bytes: &'a [u8],
}

/// Takes a chunk; gives the batch or proof that it completes.
pub fn take(
    parameters: &Parameters,
    waiting: &mut Vec<Series>,
    came: Came<'_>,
    height: u64,
) -> Option<Object> {
    let place = match waiting.iter().position(|series| series.root == came.root) {
        Some(place) => place,
        None => {
            waiting.push(Series {
                root: came.root,
                count: came.count,
                first_height: height,
                charge: 0,
                chunks: Vec::new(),
            });
            waiting.len() - 1
        }
    };
    let series = &mut waiting[place];
    if series.chunks.iter().any(|chunk| chunk.index == came.index) {
        return None;
    }
    series.charge += (came.bytes.len() as u64).max(parameters.chunk_charge_min);
    series.chunks.push(ChunkPart {
        index: came.index,
        bytes: Bytes::copy_from_slice(came.bytes),
    });
    let size: u64 = series
        .chunks
        .iter()
        .map(|chunk| chunk.bytes.len() as u64)
        .sum();
    if size > parameters.object_size_max {
        waiting.remove(place);
        return None;
    }
    if series.chunks.len() < usize::from(series.count) {
        let mut total: u64 = waiting.iter().map(|series| series.charge).sum();
        while total > parameters.pending_size_max {
            total -= waiting.remove(0).charge;
        }
        return None;
    }
    let mut chunks = waiting.remove(place).chunks;
    chunks.sort_unstable_by_key(|chunk| chunk.index);
    let whole: Vec<u8> = chunks
        .iter()
        .flat_map(|chunk| chunk.bytes.iter().copied())
        .collect();
    object::parse(&whole)
        .ok()
        .filter(|object| matches!(object, Object::Batch { .. } | Object::Proof { .. }))
}
