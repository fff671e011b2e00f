//! Shows: a part of a trie goes on as the trie itself would, root after root; whatever else is read as a part has another
//! root or is none.
use super::{built, change, random_key, random_value, Entries, NodeSource, Rng, Stored};
use crate::trie::{write_part, NoSource, Trie, EMPTY_ROOT};
use alloc::vec::Vec;
use alloy_primitives::{keccak256, map::B256Map, Bytes, B256};
use core::cell::RefCell;
use std::println;

/// A store that notes what is read of it.
struct Noting<'a>(&'a Stored, RefCell<B256Map<Bytes>>);

impl NodeSource for Noting<'_> {
    fn node(&self, path: &super::Path, hash: &B256) -> Result<Option<Vec<u8>>, super::SourceError> {
        let node = self.0.node(path, hash)?;
        if let Some(rlp) = &node {
            self.1.borrow_mut().insert(*hash, rlp.clone().into());
        }
        Ok(node)
    }
}

fn whole(value: &[u8]) -> Option<Vec<u8>> {
    Some(value.to_vec())
}

fn entries_of(rng: &mut Rng, shape: usize) -> Entries {
    let count = 2 + rng.below(60);
    (0..count)
        .map(|_| (random_key(rng, shape), random_value(rng)))
        .collect()
}

#[test]
fn a_part_goes_on_as_its_trie_does() {
    for seed in 0..300 {
        let mut rng = Rng::new(seed);
        let shape = seed as usize % 2;
        let entries = entries_of(&mut rng, shape);
        let (root, stored) = built(&entries);
        let plan = rng.next();
        let run = |trie: &mut Trie, source: &dyn NodeSource| -> Vec<B256> {
            let mut rng = Rng::new(plan);
            let mut roots = Vec::new();
            for step in 0..30 {
                let key = random_key(&mut rng, shape);
                let value = random_value(&mut rng);
                match rng.below(3) {
                    0 => drop(trie.get(&key, source).unwrap()),
                    1 => trie.insert(&key, &value, source).unwrap(),
                    _ => drop(trie.remove(&key, source).unwrap()),
                }
                if step % 4 == 0 {
                    roots.push(trie.root());
                }
            }
            roots
        };
        let noting = Noting(&stored, RefCell::default());
        let said = run(&mut Trie::from_root(root), &noting);
        let nodes = noting.1.into_inner();
        let part = write_part(&root, &nodes, &whole).unwrap();
        let (found, mut trie) = Trie::from_part(&part, &whole).unwrap();
        assert_eq!(found, root, "seed {seed}");
        assert_eq!(run(&mut trie, &NoSource), said, "seed {seed}");
    }
}

#[test]
fn roots_of_both_kinds_are_the_same_whatever_is_kept_between_them() {
    for seed in 0..200 {
        let mut rng = Rng::new(seed);
        let shape = seed as usize % 2;
        let (mut trie, mut entries, mut stored) = (Trie::new(), Entries::new(), Stored::default());
        for _ in 0..60 {
            for _ in 0..rng.below(5) {
                change(&mut rng, shape, &mut trie, &stored, &mut entries);
            }
            let expected = built(&entries).0;
            if rng.below(4) > 0 {
                assert_eq!(trie.root(), expected, "seed {seed}");
                continue;
            }
            let (root, _) = trie.commit();
            assert_eq!(root, expected, "seed {seed}");
            stored = built(&entries).1;
            if rng.below(2) == 0 {
                trie.evict(rng.below(20));
            }
        }
    }
}

#[test]
fn a_changed_part_has_another_root_or_is_none() {
    let mut rng = Rng::new(5);
    let (mut refused, mut others) = (0, 0);
    for round in 0..40 {
        let entries = entries_of(&mut rng, round % 2);
        let (root, stored) = built(&entries);
        let nodes: B256Map<Bytes> = stored
            .0
            .values()
            .filter(|_| rng.below(3) > 0)
            .map(|rlp| (keccak256(rlp), rlp.clone().into()))
            .collect();
        let part = write_part(&root, &nodes, &whole).unwrap();
        for _ in 0..1_000 {
            let mut changed = part.clone();
            let at = rng.below(changed.len());
            match rng.below(4) {
                0 => changed.truncate(at),
                1 => changed.insert(at, rng.next() as u8),
                _ => changed[at] ^= 1 << rng.below(8),
            }
            match Trie::from_part(&changed, &whole) {
                None => refused += 1,
                Some((found, mut trie)) if found == root => {
                    // Only what is behind a byte that says nothing may differ: the same entries are read of it.
                    for (key, value) in &entries {
                        let read = trie.get(key, &NoSource);
                        assert!(read.is_err() || read == Ok(Some(&value[..])));
                    }
                }
                Some(_) => others += 1,
            }
        }
    }
    println!("{refused} refused, {others} of another root");
    assert!(refused > 1_000 && others > 1_000);
}

#[test]
fn random_bytes_never_panic() {
    let mut rng = Rng::new(6);
    for _ in 0..100_000 {
        let size = rng.below(200);
        // Mostly tags and small masks, so that reading goes deep.
        let bytes: Vec<u8> = (0..size)
            .map(|_| match rng.below(3) {
                0 => rng.next() as u8,
                _ => rng.below(4) as u8,
            })
            .collect();
        if let Some((root, mut trie)) = Trie::from_part(&bytes, &whole) {
            assert_ne!(root, EMPTY_ROOT);
            let _ = trie.get(&random_key(&mut rng, 0), &NoSource);
        }
    }
}

#[test]
fn a_part_of_endless_depth_is_none() {
    // A branch whose first child is a branch whose first child …
    let mut bytes = [1, 0, 3, 0, 1].repeat(10_000);
    bytes.extend_from_slice(&[0; 64]);
    assert!(Trie::from_part(&bytes, &whole).is_none());
}
