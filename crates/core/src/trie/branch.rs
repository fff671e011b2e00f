//! A branch's RLP, kept: a change of one child is 32 bytes of it.
//!
//! A proved program pays for every byte that it copies, and hashes the same branches in each block.
use super::node::{put_list_header, Ref};
use super::{Id, Trie, NIL};
use alloc::vec::Vec;

/// A branch's RLP and where its children stand in it.
#[derive(Clone, Debug)]
pub(super) struct Encoded {
    rlp: Vec<u8>,
    header: usize,
    /// Children that there are; 0 where one of them stands in the branch itself, so that nothing can be patched.
    present: u16,
}

impl Encoded {
    /// Of a branch with these children.
    pub(super) fn of(children: &[&Ref; 16]) -> Self {
        let (mut present, mut hashes, mut payload) = (0u16, true, 1);
        for (at, child) in children.iter().enumerate() {
            let length = child.bytes().len();
            payload += length.max(1);
            present |= u16::from(length > 0) << at;
            hashes &= length == 0 || length == 33;
        }
        let mut rlp = Vec::with_capacity(payload + 3);
        put_list_header(&mut rlp, payload);
        let header = rlp.len();
        for child in children {
            if child.is_dirty() {
                rlp.push(alloy_rlp::EMPTY_STRING_CODE);
            } else {
                rlp.extend_from_slice(child.bytes());
            }
        }
        rlp.push(alloy_rlp::EMPTY_STRING_CODE);
        Self {
            rlp,
            header,
            present: if hashes { present } else { 0 },
        }
    }

    pub(super) fn rlp(&self) -> &[u8] {
        &self.rlp
    }

    pub(super) fn into_rlp(self) -> Vec<u8> {
        self.rlp
    }

    /// Replaces the child at this place; tells whether that was possible.
    fn patch(&mut self, at: usize, child: &Ref) -> bool {
        let before = self.present & ((1 << at) - 1);
        let place = self.header + at + 32 * before.count_ones() as usize;
        let child = child.bytes();
        let fits = self.present >> at & 1 == 1 && child.len() == 33;
        if fits {
            self.rlp[place..place + 33].copy_from_slice(child);
        }
        fits
    }
}

/// Encoded branches by their place in the arena.
pub(super) type EncodedBranches = Vec<Option<Encoded>>;

impl Trie {
    pub(super) fn references(&self, children: &[Id; 16]) -> [&Ref; 16] {
        children.map(|child| match child {
            NIL => &Ref::DIRTY,
            _ => &self.slot(child).reference,
        })
    }

    pub(super) fn keep_encoded(&mut self, id: Id, encoded: Encoded) {
        let place = id as usize;
        if self.encoded.len() <= place {
            self.encoded.resize(self.arena.len(), None);
        }
        self.encoded[place] = Some(encoded);
    }

    /// Encodes a branch of which the children in the mask `changed` have new references, from what is kept of it
    /// where that is of the same children.
    pub(super) fn encode_branch(&mut self, id: Id, children: &[Id; 16], changed: u16) -> Encoded {
        let kept = self
            .encoded
            .get_mut(id as usize)
            .and_then(Option::take)
            .filter(|kept| {
                let there = |at: usize| kept.present >> at & 1 == 1;
                (0..16).all(|at| there(at) == (children[at] != NIL))
            });
        if let Some(mut kept) = kept {
            let mut places = (0..16).filter(|at| changed >> at & 1 == 1);
            if places.all(|at| kept.patch(at, &self.slot(children[at]).reference)) {
                return kept;
            }
        }
        Encoded::of(&self.references(children))
    }
}
