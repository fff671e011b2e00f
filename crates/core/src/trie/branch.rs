//! A branch's RLP, kept: a change of one child is 32 bytes of it.
//!
//! A proved program pays for every byte that it copies, and hashes the same branches in each block.
use super::node::Ref;
use super::{Id, Trie, NIL};
use alloc::boxed::Box;
use alloc::vec::Vec;

/// Bytes of a branch: a list's header, 16 children, the empty value.
const SIZE_MAX: usize = 3 + 16 * 33 + 1;

/// Whole words, so that a hash function can take them as they are.
#[derive(Clone, Debug)]
#[repr(C, align(8))]
pub(super) struct Encoded {
    bytes: [u8; SIZE_MAX],
    header: u8,
    length: u16,
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
        let mut bytes = [0; SIZE_MAX];
        let header = match payload {
            0..=55 => {
                bytes[0] = 0xc0 + payload as u8;
                1
            }
            56..=255 => {
                bytes[..2].copy_from_slice(&[0xf8, payload as u8]);
                2
            }
            _ => {
                bytes[..3].copy_from_slice(&[0xf9, (payload >> 8) as u8, payload as u8]);
                3
            }
        };
        let mut place = header;
        for child in children {
            let child = child.bytes();
            if child.is_empty() {
                bytes[place] = alloy_rlp::EMPTY_STRING_CODE;
                place += 1;
            } else {
                bytes[place..place + child.len()].copy_from_slice(child);
                place += child.len();
            }
        }
        bytes[place] = alloy_rlp::EMPTY_STRING_CODE;
        Self {
            bytes,
            header: header as u8,
            length: (header + payload) as u16,
            present: if hashes { present } else { 0 },
        }
    }

    pub(super) fn rlp(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }

    /// Replaces the child at this place; tells whether that was possible.
    fn patch(&mut self, at: usize, child: &Ref) -> bool {
        let before = self.present & ((1 << at) - 1);
        let place = usize::from(self.header) + at + 32 * before.count_ones() as usize;
        let child = child.bytes();
        let fits = self.present >> at & 1 == 1 && child.len() == 33;
        if fits {
            self.bytes[place..place + 33].copy_from_slice(child);
        }
        fits
    }
}

/// Encoded branches by their place in the arena.
pub(super) type EncodedBranches = Vec<Option<Box<Encoded>>>;

impl Trie {
    pub(super) fn references(&self, children: &[Id; 16]) -> [&Ref; 16] {
        children.map(|child| match child {
            NIL => &Ref::DIRTY,
            _ => &self.slot(child).reference,
        })
    }

    pub(super) fn keep_encoded(&mut self, id: Id, encoded: Box<Encoded>) {
        let place = id as usize;
        if self.encoded.len() <= place {
            self.encoded.resize(self.arena.len(), None);
        }
        self.encoded[place] = Some(encoded);
    }

    /// Encodes a branch of which the children in the mask `changed` have new references, from what is kept of it
    /// where that is of the same children.
    pub(super) fn encode_branch(
        &mut self,
        id: Id,
        children: &[Id; 16],
        changed: u16,
    ) -> Box<Encoded> {
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
        Box::new(Encoded::of(&self.references(children)))
    }
}
