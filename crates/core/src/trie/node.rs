//! One node: in the arena, as RLP, and as its parent refers to it.
use super::branch::Encoded;
use super::nibble::{hex_prefix, read_hex_prefix, KEY_NIBBLES};
use super::{Id, TrieError};
use alloc::{boxed::Box, vec::Vec};
use alloy_primitives::{keccak256, B256};
use alloy_rlp::Header;

/// How a parent refers to a node: 0xa0 ‖ keccak of its RLP, or that RLP itself where it is under 32 bytes.
/// Of length 0: to be computed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ref {
    len: u8,
    bytes: [u8; 33],
}

impl Ref {
    pub(super) const DIRTY: Ref = Ref {
        len: 0,
        bytes: [0; 33],
    };

    pub(super) fn hash(hash: &B256) -> Self {
        let mut bytes = [0xa0; 33];
        bytes[1..].copy_from_slice(hash.as_slice());
        Ref { len: 33, bytes }
    }

    /// Refers to the node with this hash, of 32 bytes, from now on.
    pub(super) fn set_hash(&mut self, hash: &[u8]) {
        self.len = 33;
        self.bytes[0] = 0xa0;
        self.bytes[1..].copy_from_slice(hash);
    }

    /// The reference to a node with this RLP.
    pub(super) fn to(rlp: &[u8]) -> Self {
        if rlp.len() >= 32 {
            return Ref::hash(&keccak256(rlp));
        }
        let mut bytes = [0; 33];
        bytes[..rlp.len()].copy_from_slice(rlp);
        Ref {
            len: rlp.len() as u8,
            bytes,
        }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }

    pub(super) fn is_dirty(&self) -> bool {
        self.len == 0
    }

    pub(super) fn as_hash(&self) -> Option<B256> {
        (self.len == 33).then(|| B256::from_slice(&self.bytes[1..]))
    }
}

/// A node in the arena. Keys are whole; where a node begins follows from the walk.
#[derive(Debug)]
pub(super) enum Node {
    /// Unused place.
    Free,
    Leaf {
        key: B256,
        value: Box<[u8]>,
    },
    /// Reaches to nibble `end` of `key`; its child is a branch.
    Extension {
        key: B256,
        end: u8,
        child: Id,
    },
    Branch([Id; 16]),
    /// Known by its reference only.
    Blind,
}

/// A place in the arena.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) node: Node,
    pub(super) reference: Ref,
    /// When the node was last used.
    pub(super) generation: u32,
}

impl Slot {
    pub(super) fn free() -> Self {
        Slot {
            node: Node::Free,
            reference: Ref::DIRTY,
            generation: 0,
        }
    }
}

/// A decoded node whose children are references.
#[expect(clippy::large_enum_variant, reason = "lives for one call on the stack")]
pub(super) enum Parsed {
    Leaf { key: B256, value: Box<[u8]> },
    Extension { key: B256, end: u8, child: Ref },
    Branch([Ref; 16]),
}

fn string_len(bytes: &[u8]) -> usize {
    match bytes {
        [byte] if *byte < 0x80 => 1,
        _ => alloy_rlp::length_of_length(bytes.len()) + bytes.len(),
    }
}

fn put_string(out: &mut Vec<u8>, bytes: &[u8]) {
    alloy_rlp::Encodable::encode(bytes, out);
}

pub(super) fn put_list_header(out: &mut Vec<u8>, payload_length: usize) {
    Header {
        list: true,
        payload_length,
    }
    .encode(out);
}

/// RLP of a leaf that stands at nibble `depth` of its key, at most 64.
pub fn leaf_rlp(key: &B256, depth: usize, value: &[u8]) -> Vec<u8> {
    let (form, used) = hex_prefix(key, depth, KEY_NIBBLES, true);
    let payload = string_len(&form[..used]) + string_len(value);
    let mut out = Vec::with_capacity(payload + 3);
    put_list_header(&mut out, payload);
    put_string(&mut out, &form[..used]);
    put_string(&mut out, value);
    out
}

/// Appends RLP of a leaf whose key ends with this hex-prefix form.
#[cfg(feature = "std")]
pub(super) fn put_leaf(out: &mut Vec<u8>, form: &[u8], value: &[u8]) {
    put_list_header(out, string_len(form) + string_len(value));
    put_string(out, form);
    put_string(out, value);
}

/// RLP of an extension over nibbles `depth..end`.
pub(super) fn extension_rlp(key: &B256, depth: usize, end: usize, child: &Ref) -> Vec<u8> {
    let (form, used) = hex_prefix(key, depth, end, false);
    let payload = string_len(&form[..used]) + child.bytes().len();
    let mut out = Vec::with_capacity(payload + 3);
    put_list_header(&mut out, payload);
    put_string(&mut out, &form[..used]);
    out.extend_from_slice(child.bytes());
    out
}

/// RLP of an extension over nibbles `depth..end`, of which there is one at least, to a branch with this hash.
pub fn extension_rlp_to(key: &B256, depth: usize, end: usize, hash: &B256) -> Vec<u8> {
    extension_rlp(key, depth, end, &Ref::hash(hash))
}

/// RLP of a branch; a dirty reference stands for "no child".
pub(super) fn branch_rlp(children: &[&Ref; 16]) -> Vec<u8> {
    Encoded::of(children).into_rlp()
}

/// An RLP item: payload, whole bytes, whether a list.
struct Item<'a> {
    payload: &'a [u8],
    whole: &'a [u8],
    list: bool,
}

fn take_item<'a>(rest: &mut &'a [u8]) -> Option<Item<'a>> {
    let start = *rest;
    let header = Header::decode(rest).ok()?;
    if header.payload_length > rest.len() {
        return None;
    }
    let (payload, after) = rest.split_at(header.payload_length);
    *rest = after;
    Some(Item {
        payload,
        whole: &start[..start.len() - after.len()],
        list: header.list,
    })
}

/// A child as it stands in its parent; None if it is neither a hash nor a short list.
fn child_ref(item: &Item<'_>) -> Option<Ref> {
    if item.list {
        return (item.whole.len() < 32).then(|| Ref::to(item.whole));
    }
    (item.payload.len() == 32).then(|| Ref::hash(&B256::from_slice(item.payload)))
}

/// Decodes the node that stands at the first `depth` nibbles of `key`.
///
/// # Errors
/// It is not a canonical node of a trie over 32-byte keys.
pub(super) fn parse(rlp: &[u8], key: &B256, depth: usize) -> Result<Parsed, TrieError> {
    parse_canonical(rlp, key, depth).ok_or_else(|| TrieError::malformed(key, depth))
}

fn parse_canonical(rlp: &[u8], key: &B256, depth: usize) -> Option<Parsed> {
    let mut rest = rlp;
    let outer = take_item(&mut rest)?;
    if !outer.list || !rest.is_empty() {
        return None;
    }
    let mut payload = outer.payload;
    let first = take_item(&mut payload)?;
    let second = take_item(&mut payload)?;
    if payload.is_empty() {
        return parse_short(&first, &second, key, depth);
    }
    if depth >= KEY_NIBBLES {
        return None;
    }
    let mut children = [Ref::DIRTY; 16];
    let mut count = 0;
    let mut place = |at: usize, item: &Item<'_>| -> Option<()> {
        if item.list || !item.payload.is_empty() {
            children[at] = child_ref(item)?;
            count += 1;
        }
        Some(())
    };
    place(0, &first)?;
    place(1, &second)?;
    for at in 2..16 {
        place(at, &take_item(&mut payload)?)?;
    }
    let value = take_item(&mut payload)?;
    // Keys all have one length, so no key ends at a branch, and a branch has two children at least.
    let sound = !value.list && value.payload.is_empty() && payload.is_empty() && count >= 2;
    sound.then_some(Parsed::Branch(children))
}

fn parse_short(first: &Item<'_>, second: &Item<'_>, key: &B256, depth: usize) -> Option<Parsed> {
    if first.list {
        return None;
    }
    let mut own = *key;
    let (end, leaf) = read_hex_prefix(first.payload, &mut own, depth)?;
    if leaf {
        let sound = !second.list && !second.payload.is_empty() && end == KEY_NIBBLES;
        return sound.then(|| Parsed::Leaf {
            key: own,
            value: second.payload.into(),
        });
    }
    if end == depth || end == KEY_NIBBLES {
        return None;
    }
    Some(Parsed::Extension {
        key: own,
        end: end as u8,
        child: child_ref(second)?,
    })
}
