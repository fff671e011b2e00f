//! Nibbles of 32-byte keys, paths, and the hex-prefix form of a part of a key.
use alloy_primitives::B256;

/// Nibbles in a key.
pub(super) const KEY_NIBBLES: usize = 64;

/// Where a node stands in a trie: the first `len` nibbles of the keys under it.
///
/// Paths sort as a walk through the trie meets them: a node before what is under it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Path {
    nibbles: B256,
    len: u8,
}

impl Path {
    /// The first `len` nibbles of `key`, at most 64.
    pub fn new(key: &B256, len: usize) -> Self {
        let len = len.min(KEY_NIBBLES);
        let mut nibbles = B256::ZERO;
        let whole = len / 2;
        nibbles[..whole].copy_from_slice(&key[..whole]);
        if len % 2 == 1 {
            nibbles[whole] = key[whole] & 0xf0;
        }
        Path {
            nibbles,
            len: len as u8,
        }
    }

    /// Count of nibbles.
    pub fn len(&self) -> usize {
        usize::from(self.len)
    }

    /// Whether this is the root's path.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Nibble `at`, which is less than `len`.
    pub fn nibble(&self, at: usize) -> u8 {
        nibble(&self.nibbles, at) as u8
    }

    /// The stored form, in the first bytes of the array: nibbles two a byte, the last padded with 0, then one byte
    /// for their count. Returns the array and how much of it is used.
    pub fn encode(&self) -> ([u8; 33], usize) {
        let mut out = [0; 33];
        let bytes = self.len().div_ceil(2);
        out[..bytes].copy_from_slice(&self.nibbles[..bytes]);
        out[bytes] = self.len;
        (out, bytes + 1)
    }
}

/// Nibble `at` of `key`.
#[inline]
pub(super) fn nibble(key: &B256, at: usize) -> usize {
    let byte = key[at / 2];
    usize::from(if at.is_multiple_of(2) {
        byte >> 4
    } else {
        byte & 15
    })
}

/// Sets nibble `at` of `key`.
pub(super) fn set_nibble(key: &mut B256, at: usize, value: u8) {
    let byte = &mut key[at / 2];
    *byte = if at.is_multiple_of(2) {
        (*byte & 0x0f) | value << 4
    } else {
        (*byte & 0xf0) | value
    };
}

/// First nibble from `from` on in which the keys differ; 64 if none.
pub fn common(a: &B256, b: &B256, from: usize) -> usize {
    let mut at = from;
    if at % 2 == 1 {
        if nibble(a, at) != nibble(b, at) {
            return at;
        }
        at += 1;
    }
    while at < KEY_NIBBLES && a[at / 2] == b[at / 2] {
        at += 2;
    }
    if at < KEY_NIBBLES && nibble(a, at) == nibble(b, at) {
        at += 1;
    }
    at.min(KEY_NIBBLES)
}

/// Hex-prefix form (Yellow Paper, appendix C) of nibbles `from..to`; returns the buffer and its used length.
pub(super) fn hex_prefix(key: &B256, from: usize, to: usize, leaf: bool) -> ([u8; 33], usize) {
    let mut out = [0; 33];
    let mut at = from;
    let flag = if leaf { 0x20 } else { 0 };
    out[0] = flag;
    if (to - from) % 2 == 1 {
        out[0] = flag | 0x10 | nibble(key, at) as u8;
        at += 1;
    }
    let bytes = (to - at) / 2;
    if at.is_multiple_of(2) {
        out[1..=bytes].copy_from_slice(&key[at / 2..to / 2]);
    } else {
        for byte in &mut out[1..=bytes] {
            *byte = (nibble(key, at) << 4 | nibble(key, at + 1)) as u8;
            at += 2;
        }
    }
    (out, bytes + 1)
}

/// Writes the nibbles of a hex-prefix form into `key` from `from` on.
///
/// Returns where they end and whether the form is a leaf's; None if it is not canonical or does not fit.
pub(super) fn read_hex_prefix(form: &[u8], key: &mut B256, from: usize) -> Option<(usize, bool)> {
    let (&first, rest) = form.split_first()?;
    let (leaf, odd) = (first & 0x20 != 0, first & 0x10 != 0);
    if first & 0xc0 != 0 || (!odd && first & 0x0f != 0) {
        return None;
    }
    let end = from
        .checked_add(rest.len().checked_mul(2)?)?
        .checked_add(usize::from(odd))?;
    if end > KEY_NIBBLES {
        return None;
    }
    let mut at = from;
    if odd {
        set_nibble(key, at, first & 0x0f);
        at += 1;
    }
    for byte in rest {
        set_nibble(key, at, byte >> 4);
        set_nibble(key, at + 1, byte & 0x0f);
        at += 2;
    }
    Some((end, leaf))
}
