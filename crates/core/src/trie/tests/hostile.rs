//! Shows: no node, however wrong, makes the trie panic.
use super::super::node::{self, parse};
use super::super::*;
use super::{built, random_key, random_value, Entries, Rng};
use alloc::collections::BTreeMap;

#[test]
fn mutated_nodes_never_panic() {
    let mut rng = Rng::new(11);
    let mut entries = Entries::new();
    for at in 0..200 {
        entries.insert(random_key(&mut rng, at % 2), random_value(&mut rng));
    }
    let nodes: Vec<(Path, Vec<u8>)> = built(&entries).1 .0.into_iter().collect();
    let mut refused = 0;
    for _ in 0..60_000 {
        let (path, node) = &nodes[rng.below(nodes.len())];
        let mut node = node.clone();
        for _ in 0..=rng.below(3) {
            let at = rng.below(node.len().max(1));
            match rng.below(5) {
                0 => node.truncate(at),
                1 => node.insert(at.min(node.len()), rng.next() as u8),
                2 => node.extend_from_within(..at.min(node.len())),
                _ if at < node.len() => node[at] = rng.next() as u8,
                _ => {}
            }
        }
        let depth = if rng.below(2) == 0 {
            path.len()
        } else {
            rng.below(65)
        };
        refused += usize::from(parse(&node, &random_key(&mut rng, 0), depth).is_err());
    }
    assert!(refused > 10_000, "{refused} of 60000 refused");
}

/// Nodes by hash, which hash as they should and are wrong otherwise.
#[derive(Default)]
struct Hostile(BTreeMap<B256, Vec<u8>>);

impl NodeSource for Hostile {
    fn node(&self, _: &Path, hash: &B256) -> Result<Option<Vec<u8>>, SourceError> {
        Ok(self.0.get(hash).cloned())
    }
}

impl Hostile {
    /// A reference to a random node: any kind may follow any other.
    fn grow(&mut self, rng: &mut Rng, depth: usize) -> node::Ref {
        let key = B256::repeat_byte(0x11 * rng.below(2) as u8);
        let rlp = match rng.below(if depth > 70 { 1 } else { 6 }) {
            0 => node::leaf_rlp(&key, depth.min(64), &random_value(rng)),
            1 | 2 => {
                let end = (depth + rng.below(66)).min(64);
                let child = self.grow(rng, end + 1);
                node::extension_rlp(&key, depth.min(end), end, &child)
            }
            _ => {
                let mut children = [node::Ref::DIRTY; 16];
                for child in &mut children[..2] {
                    if rng.below(8) > 0 {
                        let below = depth + 1 + rng.below(40);
                        *child = self.grow(rng, below);
                    }
                }
                node::branch_rlp(&children.each_ref())
            }
        };
        let reference = node::Ref::to(&rlp);
        if let Some(hash) = reference.as_hash() {
            self.0.insert(hash, rlp);
        }
        reference
    }
}

#[test]
fn hostile_tries_with_right_hashes_never_panic() {
    let mut reached = 0;
    for seed in 0..3_000 {
        let mut rng = Rng::new(seed);
        let mut nodes = Hostile::default();
        let Some(root) = nodes.grow(&mut rng, 0).as_hash() else {
            continue;
        };
        let mut trie = Trie::from_root(root);
        for _ in 0..30 {
            let mut key = B256::repeat_byte(0x11 * rng.below(2) as u8);
            for _ in 0..rng.below(3) {
                nibble::set_nibble(&mut key, rng.below(64), rng.below(3) as u8);
            }
            let result = match rng.below(4) {
                0 => trie.get(&key, &nodes).map(|_| ()),
                1 => trie.remove(&key, &nodes).map(|_| ()),
                2 => trie.insert(&key, &random_value(&mut rng), &nodes),
                _ => prove(&root, &key, &nodes).map(|_| ()),
            };
            reached += usize::from(result.is_ok());
            if rng.below(4) == 0 {
                trie.commit();
                trie.evict(rng.below(9));
            }
        }
    }
    assert!(reached > 3_000, "{reached} operations got through");
}
