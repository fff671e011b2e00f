//! Nodes of the account trie that follow from accounts (Yellow Paper, appendices C and D).
use super::record::Entry;
use alloy_primitives::B256;
use alloy_rlp::{Encodable, Header};
use bedroll_core::state::Account;
use bedroll_core::trie::hash_all;

/// Nibble `at` of a key.
pub(super) fn nibble(key: &[u8], at: usize) -> usize {
    let byte = key.get(at / 2).copied().unwrap_or_default();
    usize::from(if at.is_multiple_of(2) {
        byte >> 4
    } else {
        byte & 0xf
    })
}

/// Accounts that agree in all nibbles before `depth`, by the nibble there.
pub(super) fn by_nibble<T>(sorted: &[T], depth: usize, key: impl Fn(&T) -> &B256) -> [&[T]; 16] {
    let mut rest = sorted;
    std::array::from_fn(|wanted| {
        let end = rest.partition_point(|one| nibble(key(one).as_slice(), depth) <= wanted);
        let (own, after) = rest.split_at(end);
        rest = after;
        own
    })
}

/// The beginning of a list in RLP, with room for the rest.
fn list_of(payload_length: usize) -> Vec<u8> {
    let mut rlp = Vec::with_capacity(payload_length + 3);
    let list = true;
    Header {
        list,
        payload_length,
    }
    .encode(&mut rlp);
    rlp
}

fn pair(form: &[u8], value: &[u8]) -> Vec<u8> {
    let mut rlp = list_of(form.length() + value.length());
    form.encode(&mut rlp);
    value.encode(&mut rlp);
    rlp
}

/// A leaf under `depth` nibbles; None if the account cannot be read.
pub(super) fn leaf(entry: &Entry<'_>, depth: usize) -> Option<Vec<u8>> {
    let (half, odd) = (depth / 2, depth % 2 == 1);
    let mut form = [0u8; 33];
    form[0] = if odd {
        0x30 | nibble(entry.hash.as_slice(), depth) as u8
    } else {
        0x20
    };
    let rest = entry.hash.get(half + usize::from(odd)..)?;
    form[1..=rest.len()].copy_from_slice(rest);
    let value = Account::from_flat(entry.flat)?.to_rlp();
    Some(pair(&form[..=rest.len()], &value))
}

/// The two parts of a leaf or an extension; None for a branch.
fn parts(rlp: &[u8]) -> Option<(&[u8], &[u8])> {
    fn take<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
        let header = Header::decode(rest).ok()?;
        let (payload, after) = rest.split_at_checked(header.payload_length)?;
        *rest = after;
        Some(payload)
    }
    let mut rest = rlp;
    let mut payload = take(&mut rest)?;
    let form = take(&mut payload)?;
    let value = take(&mut payload)?;
    (payload.is_empty() && !form.is_empty()).then_some((form, value))
}

/// Whether a node is a leaf.
pub(super) fn is_leaf(rlp: &[u8]) -> bool {
    parts(rlp).is_some_and(|(form, _)| form[0] & 0x20 != 0)
}

/// The node above one child alone: a leaf or an extension becomes longer, a branch gets an extension.
fn lengthen(child: &[u8], nibble: u8) -> Vec<u8> {
    let Some((form, value)) = parts(child) else {
        return pair(&[0x10 | nibble], hash_all(&[child])[0].as_slice());
    };
    let mut longer = Vec::with_capacity(form.len() + 1);
    let kind = form[0] & 0x20;
    if form[0] & 0x10 != 0 {
        longer.extend_from_slice(&[kind, nibble << 4 | form[0] & 0xf]);
    } else {
        longer.push(kind | 0x10 | nibble);
    }
    longer.extend_from_slice(&form[1..]);
    pair(&longer, value)
}

/// The node above children, each a node one nibble further down. All are 32 bytes and longer, as accounts are.
pub(super) fn above(children: &[Option<Vec<u8>>; 16]) -> Option<Vec<u8>> {
    let there: Vec<(usize, &[u8])> = (children.iter().enumerate())
        .filter_map(|(at, child)| Some((at, child.as_deref()?)))
        .collect();
    if let [(nibble, child)] = there[..] {
        return Some(lengthen(child, nibble as u8));
    }
    let rlps: Vec<&[u8]> = there.iter().map(|(_, rlp)| *rlp).collect();
    let mut hashes = hash_all(&rlps).into_iter();
    if rlps.is_empty() {
        return None;
    }
    let mut rlp = list_of(17 + 32 * rlps.len());
    for child in children {
        match child.as_ref().and_then(|_| hashes.next()) {
            Some(hash) => hash.as_slice().encode(&mut rlp),
            None => rlp.push(alloy_rlp::EMPTY_STRING_CODE),
        }
    }
    rlp.push(alloy_rlp::EMPTY_STRING_CODE);
    Some(rlp)
}

/// The node under `depth` nibbles, in which all entries agree; None if there are none or one cannot be read.
pub(super) fn of_entries(entries: &[Entry<'_>], depth: usize) -> Option<Vec<u8>> {
    if let [one] = entries {
        return leaf(one, depth);
    }
    let mut children: [Option<Vec<u8>>; 16] = Default::default();
    for (child, own) in children
        .iter_mut()
        .zip(by_nibble(entries, depth, |one| one.hash))
    {
        if !own.is_empty() {
            *child = Some(of_entries(own, depth + 1)?);
        }
    }
    above(&children)
}
