//! Nodes of the account trie that follow from accounts (Yellow Paper, appendices C and D).
use super::record::Keyed;
use alloy_primitives::{keccak256, B256};
use alloy_rlp::{Encodable, Header, EMPTY_STRING_CODE};
use bedroll_core::state::Account;
use bedroll_core::trie::{common, extension_rlp_to, hash_all, leaf_rlp};

/// First byte of a hash in RLP.
const HASH_CODE: u8 = EMPTY_STRING_CODE + 32;

/// Nibble `at` of a key.
pub(super) fn nibble(key: &[u8], at: usize) -> usize {
    let byte = key.get(at / 2).copied().unwrap_or_default();
    usize::from(if at.is_multiple_of(2) {
        byte >> 4
    } else {
        byte & 0xf
    })
}

/// The beginning of a list in RLP, with room for the rest.
fn list_of(payload_length: usize) -> Vec<u8> {
    let header = Header {
        list: true,
        payload_length,
    };
    let mut rlp = Vec::with_capacity(header.length() + payload_length);
    header.encode(&mut rlp);
    rlp
}

fn pair(form: &[u8], value: &[u8]) -> Vec<u8> {
    let mut rlp = list_of(form.length() + value.length());
    form.encode(&mut rlp);
    value.encode(&mut rlp);
    rlp
}

/// A leaf under `depth` nibbles; None if the account cannot be read.
pub(super) fn leaf(entry: &Keyed<'_>, depth: usize) -> Option<Vec<u8>> {
    let value = Account::from_flat(entry.flat)?.to_rlp();
    Some(leaf_rlp(&entry.hash, depth, &value))
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

/// The hashes in a branch of the trie.
#[derive(Clone, Debug, Default)]
pub(super) struct Fan(pub(super) [Option<B256>; 16]);

impl Fan {
    /// None: the node is no branch.
    pub(super) fn read(rlp: &[u8]) -> Option<Self> {
        let mut payload = rlp;
        let header = Header::decode(&mut payload).ok()?;
        let mut fan = Fan::default();
        if !header.list || header.payload_length != payload.len() {
            return None;
        }
        for hash in &mut fan.0 {
            let (&first, rest) = payload.split_first()?;
            payload = rest;
            if first == EMPTY_STRING_CODE {
                continue;
            }
            let (bytes, rest) = payload.split_first_chunk::<32>()?;
            payload = rest;
            *hash = (first == HASH_CODE).then(|| B256::new(*bytes));
            (*hash)?;
        }
        (payload == [EMPTY_STRING_CODE]).then_some(fan)
    }

    /// RLP of the branch; None where fewer than two children are left.
    pub(super) fn write(&self) -> Option<Vec<u8>> {
        let count = self.0.iter().flatten().count();
        if count < 2 {
            return None;
        }
        let mut rlp = list_of(17 + 32 * count);
        for hash in &self.0 {
            match hash {
                Some(hash) => {
                    rlp.push(HASH_CODE);
                    rlp.extend_from_slice(hash.as_slice());
                }
                None => rlp.push(EMPTY_STRING_CODE),
            }
        }
        rlp.push(EMPTY_STRING_CODE);
        Some(rlp)
    }
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
    let mut fan = Fan::default();
    for ((at, _), hash) in there.iter().zip(hash_all(&rlps)) {
        fan.0[*at] = Some(hash);
    }
    fan.write()
}

/// Leaves of several accounts, the only ones that agree with each other in `depth` nibbles; None if one cannot be read.
pub(super) fn leaves(entries: &[Keyed<'_>], depth: usize) -> Option<Vec<Vec<u8>>> {
    let shared = |one: Option<&Keyed<'_>>, other: &Keyed<'_>| {
        one.map_or(depth, |one| common(&one.hash, &other.hash, depth) + 1)
    };
    (entries.iter().enumerate())
        .map(|(at, entry)| {
            let before = at.checked_sub(1).and_then(|before| entries.get(before));
            leaf(
                entry,
                shared(before, entry).max(shared(entries.get(at + 1), entry)),
            )
        })
        .collect()
}

/// The node over two accounts or more, of whose leaves these are the hashes; None if two are the same.
pub(super) fn over(entries: &[Keyed<'_>], leaves: &[B256], depth: usize) -> Option<Vec<u8>> {
    let (first, last) = (&entries.first()?.hash, &entries.last()?.hash);
    let fork = common(first, last, depth);
    if fork >= 2 * first.len() {
        return None;
    }
    let mut fan = Fan::default();
    let mut rest = (entries, leaves);
    while let Some(next) = rest.0.first() {
        let digit = nibble(next.hash.as_slice(), fork);
        let count = (rest.0).partition_point(|one| nibble(one.hash.as_slice(), fork) <= digit);
        let (own, after) = (rest.0.split_at(count), rest.1.split_at_checked(count)?);
        fan.0[digit] = match own.0 {
            [_] => after.0.first().copied(),
            several => Some(keccak256(over(several, after.0, fork + 1)?)),
        };
        rest = (own.1, after.1);
    }
    let branch = fan.write()?;
    if fork == depth {
        return Some(branch);
    }
    Some(extension_rlp_to(first, depth, fork, &keccak256(branch)))
}

/// The node under `depth` nibbles, in which all entries agree; None if there are none or one cannot be read.
pub(super) fn of_entries(entries: &[Keyed<'_>], depth: usize) -> Option<Vec<u8>> {
    let leaves = leaves(entries, depth)?;
    if let [one] = &leaves[..] {
        return Some(one.clone());
    }
    let messages: Vec<&[u8]> = leaves.iter().map(Vec::as_slice).collect();
    over(entries, &hash_all(&messages), depth)
}
