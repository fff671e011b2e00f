//! A part of a trie in few bytes: what was opened of it, without the hashes that follow from that.
//!
//! Whoever reads it computes every hash from the leaves up, so that its root is the one check there is to make. The
//! grammar stands in docs/spec/proof.md, "Witness".
use super::branch::Encoded;
use super::nibble::{nibble, set_nibble, KEY_NIBBLES};
use super::node::{extension_rlp, leaf_rlp, parse, Parsed, Ref, Slot};
use super::{Id, Node, Trie, TrieError, NIL};
use alloc::vec::Vec;
use alloy_primitives::{keccak256, map::B256Map, Bytes, B256};

const HASH: u8 = 0;
const BRANCH: u8 = 1;
const EXTENSION: u8 = 2;
const LEAF: u8 = 3;
/// Bytes of a value in a part.
const VALUE_MAX: usize = u8::MAX as usize;

/// Writes a leaf's value in the short form of its kind of trie; None where it has none.
pub type Shorten<'a> = dyn Fn(&[u8]) -> Option<Vec<u8>> + 'a;
/// Gives a leaf's value back.
pub type Expand<'a> = dyn Fn(&[u8]) -> Option<Vec<u8>> + 'a;

/// The part of the trie under `root` of which `nodes` has the RLP, by its keccak.
///
/// # Errors
/// A node is malformed, or a value has no short form.
pub fn write_part(
    root: &B256,
    nodes: &B256Map<Bytes>,
    shorten: &Shorten<'_>,
) -> Result<Vec<u8>, TrieError> {
    let mut writer = Writer {
        nodes,
        shorten,
        out: Vec::new(),
    };
    writer.node(&Ref::hash(root), &B256::ZERO, 0)?;
    Ok(writer.out)
}

struct Writer<'a> {
    nodes: &'a B256Map<Bytes>,
    shorten: &'a Shorten<'a>,
    out: Vec<u8>,
}

impl Writer<'_> {
    /// Whether what is referred to stands in the part itself. A node inside its parent always does.
    fn is_open(&self, reference: &Ref) -> bool {
        reference
            .as_hash()
            .is_none_or(|hash| self.nodes.contains_key(&hash))
    }

    fn node(&mut self, reference: &Ref, key: &B256, depth: usize) -> Result<(), TrieError> {
        let parsed = match reference.as_hash() {
            None => parse(reference.bytes(), key, depth)?,
            Some(hash) => match self.nodes.get(&hash) {
                Some(rlp) => parse(rlp, key, depth)?,
                None => {
                    self.out.push(HASH);
                    self.out.extend_from_slice(hash.as_slice());
                    return Ok(());
                }
            },
        };
        match parsed {
            Parsed::Leaf { key, value } => {
                let short = (self.shorten)(&value).filter(|short| short.len() <= VALUE_MAX);
                let short = short.ok_or_else(|| TrieError::malformed(&key, depth))?;
                self.out.push(LEAF);
                self.out.extend_from_slice(&key[depth / 2..]);
                self.out.push(short.len() as u8);
                self.out.extend_from_slice(&short);
                Ok(())
            }
            Parsed::Extension { key, end, child } => {
                let end = usize::from(end);
                self.out.extend_from_slice(&[EXTENSION, end as u8]);
                self.out.extend_from_slice(&key[depth / 2..end.div_ceil(2)]);
                self.node(&child, &key, end)
            }
            Parsed::Branch(children) => self.branch(&children, key, depth),
        }
    }

    fn branch(&mut self, children: &[Ref; 16], key: &B256, depth: usize) -> Result<(), TrieError> {
        let mask = |wanted: &dyn Fn(&Ref) -> bool| {
            let bits = children.iter().enumerate();
            bits.fold(0u16, |mask, (at, child)| {
                mask | u16::from(wanted(child)) << at
            })
        };
        let present = mask(&|child| !child.is_dirty());
        let open = mask(&|child| !child.is_dirty() && self.is_open(child));
        self.out.push(BRANCH);
        self.out.extend_from_slice(&present.to_be_bytes());
        self.out.extend_from_slice(&open.to_be_bytes());
        let mut key = *key;
        for (at, child) in (0u8..).zip(children) {
            if open >> at & 1 == 1 {
                set_nibble(&mut key, depth, at);
                self.node(child, &key, depth + 1)?;
            } else if let Some(hash) = child.as_hash() {
                self.out.extend_from_slice(hash.as_slice());
            }
        }
        Ok(())
    }
}

impl Trie {
    /// The trie that a part belongs to, with what the part opens of it, and its root; None if the bytes are no part.
    ///
    /// It keeps no record of what to write: [`Trie::root`] is for it, not [`Trie::commit`].
    pub fn from_part(bytes: &[u8], expand: &Expand<'_>) -> Option<(B256, Self)> {
        let mut reader = Reader {
            rest: bytes,
            expand,
            trie: Trie::new(),
        };
        // Most of a part are hashes, each of a node.
        reader.trie.arena.reserve(bytes.len() / 32);
        let root = reader.node(&mut B256::ZERO.clone(), 0)?;
        if !reader.rest.is_empty() {
            return None;
        }
        let mut trie = reader.trie;
        trie.root = root;
        let reference = &trie.slot(root).reference;
        let hash = reference
            .as_hash()
            .unwrap_or_else(|| keccak256(reference.bytes()));
        Some((hash, trie))
    }
}

struct Reader<'a> {
    rest: &'a [u8],
    expand: &'a Expand<'a>,
    trie: Trie,
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        Some(taken)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take(1).map(|taken| taken[0])
    }

    fn mask(&mut self) -> Option<u16> {
        Some(u16::from_be_bytes(self.take(2)?.try_into().ok()?))
    }

    fn hash(&mut self) -> Option<Id> {
        let hash = self.take(32)?;
        let trie = &mut self.trie;
        // Written where it stays: a proved program pays for copies, and most of a part is this.
        trie.arena.push(Slot::free());
        let id = (trie.arena.len() - 1) as Id;
        let slot = trie.slot_mut(id);
        slot.node = Node::Blind;
        slot.reference.set_hash(hash);
        Some(id)
    }

    /// Takes the bytes of `key` from nibble `depth` up to `end`; a byte that is shared with the path before it must
    /// agree with it.
    fn key(&mut self, key: &mut B256, depth: usize, end: usize) -> Option<()> {
        let before = *key;
        let (first, last) = (depth / 2, end.div_ceil(2));
        key[first..last].copy_from_slice(self.take(last.checked_sub(first)?)?);
        let shared = depth % 2 == 1;
        (!shared || nibble(key, depth - 1) == nibble(&before, depth - 1)).then_some(())
    }

    /// Reads the node that stands at the first `depth` nibbles of `key`; what is below them in `key` is lost.
    fn node(&mut self, key: &mut B256, depth: usize) -> Option<Id> {
        match self.byte()? {
            HASH => self.hash(),
            BRANCH if depth < KEY_NIBBLES => self.branch(key, depth),
            EXTENSION => self.extension(key, depth),
            LEAF => self.leaf(key, depth),
            _ => None,
        }
    }

    fn put(&mut self, node: Node, reference: Ref) -> Id {
        let id = self.trie.alloc(node);
        self.trie.slot_mut(id).reference = reference;
        id
    }

    fn leaf(&mut self, key: &mut B256, depth: usize) -> Option<Id> {
        self.key(key, depth, KEY_NIBBLES)?;
        let length = usize::from(self.byte()?);
        let value = (self.expand)(self.take(length)?)?;
        let reference = Ref::to(&leaf_rlp(key, depth, &value));
        let (key, value) = (*key, value.into_boxed_slice());
        Some(self.put(Node::Leaf { key, value }, reference))
    }

    fn extension(&mut self, key: &mut B256, depth: usize) -> Option<Id> {
        let end = usize::from(self.byte()?);
        if end <= depth || end >= KEY_NIBBLES {
            return None;
        }
        self.key(key, depth, end)?;
        let own = *key;
        let child = match self.byte()? {
            HASH => self.hash()?,
            BRANCH => self.branch(key, end)?,
            _ => return None,
        };
        let reference = Ref::to(&extension_rlp(
            &own,
            depth,
            end,
            &self.trie.slot(child).reference,
        ));
        let node = Node::Extension {
            key: own,
            end: end as u8,
            child,
        };
        Some(self.put(node, reference))
    }

    fn branch(&mut self, key: &mut B256, depth: usize) -> Option<Id> {
        let (present, open) = (self.mask()?, self.mask()?);
        if open & !present != 0 || present & present.wrapping_sub(1) == 0 {
            return None;
        }
        let mut children = [NIL; 16];
        for (at, child) in (0u8..).zip(&mut children) {
            if present >> at & 1 == 0 {
                continue;
            }
            *child = if open >> at & 1 == 1 {
                set_nibble(key, depth, at);
                self.node(key, depth + 1)?
            } else {
                self.hash()?
            };
        }
        let encoded = Encoded::of(&self.trie.references(&children));
        let reference = Ref::to(encoded.rlp());
        let id = self.put(Node::Branch(children), reference);
        self.trie.keep_encoded(id, encoded);
        Some(id)
    }
}
