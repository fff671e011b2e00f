//! Shows: roots, stored nodes and proofs equal those of `alloy-trie` over random histories; what is missing is an
//! error that changes nothing.
mod hostile;
mod part;

use super::*;
use alloc::{collections::BTreeMap, format};
use alloy_primitives::{keccak256, Bytes};
use alloy_trie::{proof::verify_proof, HashBuilder, Nibbles};
use std::println;

/// Random numbers from a printed seed (xorshift64*).
struct Rng(u64);

impl Rng {
    fn new(seed: u64) -> Self {
        println!("seed {seed}");
        Rng(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }
}

type Entries = BTreeMap<B256, Vec<u8>>;

/// Nodes by path, as a store holds them.
#[derive(Clone, Default, PartialEq, Debug)]
struct Stored(BTreeMap<Path, Vec<u8>>);

impl Stored {
    fn write(&mut self, writes: Vec<NodeWrite>) {
        for write in writes {
            match write.rlp {
                Some(rlp) => self.0.insert(write.path, rlp),
                None => self.0.remove(&write.path),
            };
        }
    }
}

impl NodeSource for Stored {
    fn node(&self, path: &Path, _: &B256) -> Result<Option<Vec<u8>>, SourceError> {
        Ok(self.0.get(path).cloned())
    }
}

fn reference_root(entries: &Entries) -> B256 {
    let mut builder = HashBuilder::default();
    for (key, value) in entries {
        builder.add_leaf(Nibbles::unpack(key), value);
    }
    builder.root()
}

fn built(entries: &Entries) -> (B256, Stored) {
    let mut trie = Trie::new();
    for (key, value) in entries {
        trie.insert(key, value, &NoSource).unwrap();
    }
    let (root, writes) = trie.commit();
    let mut stored = Stored::default();
    stored.write(writes);
    (root, stored)
}

/// Keys of which many share long beginnings, so that extensions, deep forks and inline nodes come up.
fn random_key(rng: &mut Rng, shape: usize) -> B256 {
    let mut key = keccak256((rng.below(40) as u64).to_be_bytes());
    if shape > 0 {
        let zeros = rng.below(33);
        key[..zeros].fill(0);
    }
    key
}

fn random_value(rng: &mut Rng) -> Vec<u8> {
    let limit = if rng.below(2) == 0 { 3 } else { 70 };
    let len = 1 + rng.below(limit);
    vec![1 + rng.below(255) as u8; len]
}

fn change(rng: &mut Rng, shape: usize, trie: &mut Trie, source: &Stored, entries: &mut Entries) {
    let key = random_key(rng, shape);
    if rng.below(3) == 0 {
        let was_there = trie.remove(&key, source).unwrap();
        assert_eq!(was_there, entries.remove(&key).is_some());
    } else {
        let value = random_value(rng);
        trie.insert(&key, &value, source).unwrap();
        entries.insert(key, value);
    }
}

#[test]
fn random_histories_give_the_roots_and_nodes_of_a_fresh_trie() {
    for seed in 0..200 {
        let mut rng = Rng::new(seed);
        let shape = seed as usize % 2;
        let (mut trie, mut entries, mut stored) = (Trie::new(), Entries::new(), Stored::default());
        for step in 0..40 {
            for _ in 0..rng.below(12) {
                change(&mut rng, shape, &mut trie, &stored, &mut entries);
            }
            let (root, writes) = trie.commit();
            stored.write(writes);
            let (fresh_root, fresh) = built(&entries);
            assert_eq!(root, reference_root(&entries), "seed {seed} step {step}");
            assert_eq!(root, fresh_root);
            assert_eq!(stored, fresh, "seed {seed} step {step}");
            trie.next_generation();
            match rng.below(5) {
                0 => trie = Trie::from_root(root),
                1 => trie.evict(rng.below(30)),
                _ => {}
            }
            for (key, value) in &entries {
                assert_eq!(trie.get(key, &stored).unwrap(), Some(&value[..]));
            }
            let other = keccak256([step]);
            assert_eq!(trie.get(&other, &stored).unwrap(), None);
        }
    }
}

#[test]
fn eviction_leaves_no_more_than_was_asked_for_and_changes_no_root() {
    let mut rng = Rng::new(3);
    let (mut trie, mut stored, mut entries) = (Trie::new(), Stored::default(), Entries::new());
    for _ in 0..30 {
        for _ in 0..300 {
            let (key, value) = (keccak256(rng.next().to_be_bytes()), random_value(&mut rng));
            trie.insert(&key, &value, &stored).unwrap();
            entries.insert(key, value);
        }
        let (root, writes) = trie.commit();
        stored.write(writes);
        assert_eq!(root, reference_root(&entries));
        trie.next_generation();
        trie.evict(1_500);
        assert!(trie.len() <= 1_500, "{} nodes", trie.len());
    }
}

#[test]
fn many_changes_on_several_cores_give_the_same_root() {
    let mut rng = Rng::new(4);
    let mut entries = Entries::new();
    for _ in 0..20_000 {
        entries.insert(keccak256(rng.next().to_be_bytes()), random_value(&mut rng));
    }
    let (root, stored) = built(&entries);
    assert_eq!(root, reference_root(&entries));
    let mut trie = Trie::from_root(root);
    let mut writes = stored.clone();
    for (at, key) in entries.clone().keys().enumerate() {
        if at % 3 > 0 {
            trie.remove(key, &stored).unwrap();
            entries.remove(key);
        }
    }
    let (root, changed) = trie.commit();
    writes.write(changed);
    assert_eq!(root, reference_root(&entries));
    assert_eq!(writes, built(&entries).1);
    for key in entries.keys() {
        trie.remove(key, &stored).unwrap();
    }
    let (root, changed) = trie.commit();
    writes.write(changed);
    assert_eq!(root, EMPTY_ROOT);
    assert_eq!(writes, built(&Entries::new()).1);
}

#[test]
fn a_missing_or_wrong_node_is_an_error_that_changes_nothing() {
    for seed in 0..300 {
        let mut rng = Rng::new(seed);
        let shape = seed as usize % 2;
        let mut entries = Entries::new();
        for _ in 0..60 {
            entries.insert(random_key(&mut rng, shape), random_value(&mut rng));
        }
        let (root, whole) = built(&entries);
        let mut holed = whole.clone();
        let lost = *whole.0.keys().nth(rng.below(whole.0.len())).unwrap();
        let broken = rng.below(2) == 0;
        if broken {
            holed.0.get_mut(&lost).unwrap()[0] ^= 1;
        } else {
            holed.0.remove(&lost);
        }
        let mut trie = Trie::from_root(root);
        for _ in 0..40 {
            let key = random_key(&mut rng, shape);
            let result = match rng.below(3) {
                0 => trie.get(&key, &holed).map(|_| ()),
                1 => {
                    let value = random_value(&mut rng);
                    let result = trie.insert(&key, &value, &holed);
                    if result.is_ok() {
                        entries.insert(key, value);
                    }
                    result
                }
                _ => {
                    let result = trie.remove(&key, &holed).map(|_| ());
                    if result.is_ok() {
                        entries.remove(&key);
                    }
                    result
                }
            };
            match result {
                Ok(()) => {}
                Err(TrieError::Missing { path, .. }) => assert!(!broken && path == lost),
                Err(TrieError::Mismatch { path, .. }) => assert!(broken && path == lost),
                Err(other) => panic!("{other}"),
            }
            assert_eq!(trie.commit().0, reference_root(&entries));
        }
    }
}

#[test]
fn proofs_of_presence_and_absence_verify() {
    for seed in 0..60 {
        let mut rng = Rng::new(seed);
        let shape = seed as usize % 2;
        let mut entries = Entries::new();
        for _ in 0..rng.below(60) {
            entries.insert(random_key(&mut rng, shape), random_value(&mut rng));
        }
        let (root, stored) = built(&entries);
        let absent: Vec<B256> = (0..40).map(|_| random_key(&mut rng, shape)).collect();
        for key in entries.keys().chain(&absent) {
            let proof = prove(&root, key, &stored).unwrap();
            let nodes: Vec<Bytes> = proof.into_iter().map(Bytes::from).collect();
            let value = entries.get(key).cloned();
            verify_proof(root, Nibbles::unpack(key), value, &nodes)
                .unwrap_or_else(|error| panic!("seed {seed} key {key}: {error}"));
        }
    }
}

#[test]
fn ordered_roots_equal_a_trie_of_rlp_indexes() {
    for count in [0, 1, 2, 127, 128, 129, 300] {
        let items: Vec<Vec<u8>> = (0..count).map(|at| format!("item {at}").into()).collect();
        let mut entries: BTreeMap<Vec<u8>, &Vec<u8>> = BTreeMap::new();
        for (index, item) in items.iter().enumerate() {
            entries.insert(alloy_rlp::encode(index), item);
        }
        let mut builder = HashBuilder::default();
        for (key, item) in entries {
            builder.add_leaf(Nibbles::unpack(key), item);
        }
        assert_eq!(ordered_root_encoded(&items), builder.root());
    }
}

#[test]
fn ordered_roots_of_items_of_any_length_are_those_of_another_implementation() {
    let mut rng = Rng::new(7);
    for count in (0..=300).chain([4_095, 4_096, 4_097, 65_537]) {
        // Short ones stand in their parents, long ones are of several blocks of keccak.
        let longest = [3, 40, 700][count % 3];
        let items: Vec<Vec<u8>> = (0..count)
            .map(|at| vec![at as u8; 1 + rng.below(longest)])
            .collect();
        let wanted = alloy_trie::root::ordered_trie_root_encoded(&items);
        assert_eq!(ordered_root_encoded(&items), wanted, "{count} items");
    }
}

#[test]
fn paths_are_stored_as_the_specification_says() {
    let key = B256::repeat_byte(0xab);
    for (len, stored) in [
        (0, &[0][..]),
        (1, &[0xa0, 1]),
        (2, &[0xab, 2]),
        (5, &[0xab, 0xab, 0xa0, 5]),
    ] {
        let (bytes, used) = Path::new(&key, len).encode();
        assert_eq!(&bytes[..used], stored);
    }
    assert_eq!(format!("{}", Path::new(&key, 3)), "/aba");
}
