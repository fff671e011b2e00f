//! The root of an ordered list, level by level: its shape follows from the indexes, so nothing is inserted.
//!
//! Nodes of a level are written into one buffer and hashed together, eight at a time where the processor can.
use super::keccak::hash_all;
use super::nibble::{common, hex_prefix, nibble};
use super::node::{branch_rlp, extension_rlp, put_leaf, Ref};
use super::EMPTY_ROOT;
use alloc::vec::Vec;
use alloy_primitives::{keccak256, B256};
use core::ops::Range;

/// Nodes whose bytes are in memory at a time.
const TOGETHER: usize = 256;

/// RLP of an index, with its length in nibbles; no key begins with another.
struct Key {
    index: usize,
    bytes: B256,
    nibbles: usize,
}

impl Key {
    fn of(index: usize) -> Self {
        let mut bytes = B256::ZERO;
        alloy_rlp::Encodable::encode(&index, &mut &mut bytes[..]);
        Self {
            index,
            bytes,
            nibbles: 2 * alloy_rlp::Encodable::length(&index),
        }
    }
}

/// What stands at the first `depth` nibbles of the keys in `of`.
struct Place {
    of: Range<usize>,
    depth: usize,
    shape: Shape,
}

/// Where children stand in the level below.
enum Shape {
    Leaf,
    /// Over nibbles up to `end`.
    Extension {
        end: usize,
        child: usize,
    },
    /// Of these digits, one child after the other.
    Branch {
        digits: u16,
        first_child: usize,
    },
}

/// Root of the trie that maps RLP(index) to each item, which `encode` writes.
pub(super) fn root<T>(items: &[T], mut encode: impl FnMut(&T, &mut Vec<u8>)) -> B256 {
    let keys = sorted_keys(items.len());
    let levels = levels(&keys);
    let mut below: Vec<Ref> = Vec::new();
    let (mut value, mut nodes, mut ends) = (Vec::new(), Vec::new(), Vec::new());
    for level in levels.iter().rev() {
        let mut references = Vec::with_capacity(level.len());
        for some in level.chunks(TOGETHER) {
            nodes.clear();
            ends.clear();
            for place in some {
                let first = &keys[place.of.start];
                match &place.shape {
                    Shape::Leaf => {
                        value.clear();
                        encode(&items[first.index], &mut value);
                        let (form, used) =
                            hex_prefix(&first.bytes, place.depth, first.nibbles, true);
                        put_leaf(&mut nodes, &form[..used], &value);
                    }
                    Shape::Extension { end, child } => {
                        let rlp = extension_rlp(&first.bytes, place.depth, *end, &below[*child]);
                        nodes.extend_from_slice(&rlp);
                    }
                    Shape::Branch {
                        digits,
                        first_child,
                    } => {
                        let mut present = below[*first_child..].iter();
                        let children: [&Ref; 16] = core::array::from_fn(|digit| {
                            let child = (digits >> digit & 1 == 1).then(|| present.next());
                            child.flatten().unwrap_or(&Ref::DIRTY)
                        });
                        nodes.extend_from_slice(&branch_rlp(&children));
                    }
                }
                ends.push(nodes.len());
            }
            refer(&nodes, &ends, &mut references);
        }
        below = references;
    }
    match below.first() {
        None => EMPTY_ROOT,
        // A root is referred to by its hash, however short it is.
        Some(root) => root.as_hash().unwrap_or_else(|| keccak256(root.bytes())),
    }
}

/// Keys of so many items, ascending.
fn sorted_keys(count: usize) -> Vec<Key> {
    // One byte, below 0x80; then the empty string, 0x80; then longer ones, which grow with the index.
    let small = 1..count.min(0x80);
    let order = small.chain((0..count).take(1)).chain(0x80..count);
    order.map(Key::of).collect()
}

/// All nodes, the root first, each level's children in order.
fn levels(keys: &[Key]) -> Vec<Vec<Place>> {
    let mut levels = Vec::new();
    let mut level: Vec<(Range<usize>, usize)> = Vec::new();
    if !keys.is_empty() {
        level.push((0..keys.len(), 0));
    }
    while !level.is_empty() {
        let mut below = Vec::new();
        let places = level.drain(..).map(|(of, depth)| {
            let shape = shape(keys, &of, depth, &mut below);
            Place { of, depth, shape }
        });
        levels.push(places.collect());
        level = below;
    }
    levels
}

/// What joins these keys after `depth` nibbles; adds what is under it to the level below.
fn shape(
    keys: &[Key],
    of: &Range<usize>,
    depth: usize,
    below: &mut Vec<(Range<usize>, usize)>,
) -> Shape {
    if of.len() == 1 {
        return Shape::Leaf;
    }
    let end = common(&keys[of.start].bytes, &keys[of.end - 1].bytes, depth);
    if end > depth {
        below.push((of.clone(), end));
        return Shape::Extension {
            end,
            child: below.len() - 1,
        };
    }
    let (mut digits, first_child) = (0, below.len());
    let mut start = of.start;
    for equal in keys[of.clone()]
        .chunk_by(|one, next| nibble(&one.bytes, depth) == nibble(&next.bytes, depth))
    {
        digits |= 1 << nibble(&keys[start].bytes, depth);
        below.push((start..start + equal.len(), depth + 1));
        start += equal.len();
    }
    Shape::Branch {
        digits,
        first_child,
    }
}

/// References to nodes that lie one after the other and end where `ends` says.
fn refer(nodes: &[u8], ends: &[usize], references: &mut Vec<Ref>) {
    let mut start = 0;
    let mut rlps = Vec::with_capacity(ends.len());
    for end in ends {
        rlps.push(&nodes[start..*end]);
        start = *end;
    }
    let long: Vec<&[u8]> = rlps.iter().filter(|rlp| rlp.len() >= 32).copied().collect();
    let mut hashes = hash_all(&long).into_iter();
    references.extend(rlps.iter().map(|rlp| match rlp.len() {
        32.. => hashes.next().map_or(Ref::DIRTY, |hash| Ref::hash(&hash)),
        _ => Ref::to(rlp),
    }));
}
