//! Shows: what is derived from accounts is what the plain trie has, however alike their hashes are; a damaged record is
//! found and never panics; a file that is missing is said at the door.
use super::*;
use crate::{Store, StoreOptions};
use alloy_primitives::{keccak256, Address, B256, U256};
use bedroll_core::state::Account;
use bedroll_core::trie::{NoSource, Trie};
use record::{Entry, Keyed};

const OPTIONS: StoreOptions = StoreOptions {
    map_size_bytes: 1 << 24,
    sync: false,
};

/// Hashes of which many share their first nibbles, an odd or even count of them.
fn hashes(seed: u64, count: u64) -> Vec<B256> {
    let mut all: Vec<B256> = (0..count)
        .map(|number| {
            let mut hash = keccak256([seed.to_be_bytes(), number.to_be_bytes()].concat());
            let shared = keccak256(seed.to_be_bytes());
            let bytes = (number * seed % 31) as usize;
            hash[..bytes].copy_from_slice(&shared[..bytes]);
            if number.is_multiple_of(2) {
                hash[bytes] = shared[bytes] & 0xf0 | hash[bytes] & 0xf;
            }
            hash
        })
        .collect();
    all.sort_unstable();
    all.dedup();
    all
}

fn account(number: u64) -> Account {
    Account {
        nonce: number,
        balance: U256::from(number) << (number % 100),
        ..Account::default()
    }
}

#[test]
fn nodes_that_follow_from_accounts_are_those_of_the_plain_trie() {
    for (seed, count) in [(1, 1), (2, 2), (3, 3), (5, 17), (7, 48), (11, 300)] {
        let mut plain = Trie::new();
        let mut flats = Vec::new();
        let hashes = hashes(seed, count);
        for (number, hash) in (0u64..).zip(&hashes) {
            flats.push(account(number).to_flat());
            let rlp = account(number).to_rlp();
            plain.insert(hash, &rlp, &NoSource).unwrap();
        }
        let entries: Vec<Keyed<'_>> = (hashes.iter().zip(&flats))
            .map(|(hash, flat)| Keyed {
                hash: *hash,
                address: &[0; 20],
                flat,
                listed: false,
            })
            .collect();
        let root = node::of_entries(&entries, 0).unwrap();
        assert_eq!(keccak256(root), plain.root(), "seed {seed}");
    }
}

#[test]
fn an_account_that_stands_twice_in_a_unit_has_no_node_above_it() {
    let flat = account(1).to_flat();
    let twice = Keyed {
        hash: keccak256("twice"),
        address: &[0; 20],
        flat: &flat,
        listed: false,
    };
    let leaves = [B256::ZERO; 2];
    assert_eq!(node::over(&[twice, twice], &leaves, 3), None);
}

#[test]
fn an_entry_has_the_nibbles_of_its_hash_and_its_order() {
    let addresses: Vec<Address> = (0..200u8).map(Address::repeat_byte).collect();
    let hash = |address: &Address| keccak256(address);
    for one in &addresses {
        let entry = Entry::new(&hash(one), one.as_slice(), &[], false);
        for at in 0..64 {
            assert_eq!(entry.nibble(at), node::nibble(hash(one).as_slice(), at));
        }
        for other in &addresses {
            let wanted = hash(one).cmp(&hash(other));
            assert_eq!(entry.order(other.as_slice(), &hash(other)), wanted);
            // With the beginning of the other's hash the rest decides.
            let alike = Entry::new(&hash(other), one.as_slice(), &[], false);
            assert_eq!(alike.order(other.as_slice(), &hash(other)), wanted);
        }
    }
}

fn flat_of(near: &Tree, who: &Address, hash: &B256) -> Result<Option<Vec<u8>>, StoreError> {
    near.account(who.as_slice(), hash, |flat| flat.map(<[u8]>::to_vec))
}

/// Places of all units of a version.
fn units(near: &Tree) -> Vec<Place> {
    let mut places = Vec::new();
    near.visit(&mut |place| places.push(place));
    places.retain(|place| !place.is_branch());
    places
}

/// How many units are kept, each of which must be what lies at its place.
fn kept(near: &Tree) -> usize {
    let pairs = units(near).into_iter().filter_map(|place| {
        let unit = near.segments.kept.get(place)?;
        Some((place, unit))
    });
    pairs
        .map(|(place, unit)| assert_eq!(**unit, *near.segments.read(place).unwrap()))
        .count()
}

fn open(folder: &Path) -> Result<Store, StoreError> {
    Store::open(folder, B256::ZERO, OPTIONS)
}

/// Puts accounts into the log of a new store; the root of the trie over them.
fn fill(folder: &Path, numbers: std::ops::Range<u64>) -> B256 {
    let store = open(folder).unwrap();
    let mut plain = Trie::new();
    let rows: Vec<(Address, Vec<u8>)> = numbers
        .map(|number| {
            let address = Address::from_word(keccak256(number.to_be_bytes()));
            let account = account(number);
            plain
                .insert(&keccak256(address), &account.to_rlp(), &NoSource)
                .unwrap();
            (address, account.to_flat())
        })
        .collect();
    let shared = &store.shared;
    for chunk in rows.chunks(700) {
        let chunk = chunk
            .iter()
            .map(|row| (row.0.as_slice(), Some(&row.1[..]), Listed::Unknown));
        let accounts = shared.near.newest().with_flat(chunk).unwrap();
        shared.near.stage(Arc::new(accounts)).unwrap();
        shared
            .write(|txn| shared.near.write(&shared.tables, txn))
            .unwrap();
        shared.near.committed();
    }
    assert_eq!(shared.near.newest().hash, plain.root());
    plain.root()
}

#[test]
fn accounts_without_nodes_come_to_the_root_of_the_plain_trie_and_stay() {
    let folder = tempfile::tempdir().unwrap();
    let root = fill(folder.path(), 0..5_000);
    let store = open(folder.path()).unwrap();
    let near = store.shared.near.newest();
    assert_eq!(near.hash, root);
    let count = store.shared.read(|txn| store.shared.tables.accounts(txn));
    assert_eq!(count.unwrap(), 5_000);
    let (mut after, mut seen) = (None, 0);
    loop {
        let rows = near.accounts_after(after.as_ref(), 333).unwrap();
        let Some(last) = rows.last() else {
            break;
        };
        assert!(after < Some(rows[0].hash) && rows.is_sorted_by_key(|row| row.hash));
        for row in &rows {
            assert_eq!(keccak256(row.address), row.hash);
            let found = flat_of(&near, &row.address, &row.hash).unwrap();
            assert_eq!(found.as_ref(), Some(&row.flat));
        }
        (after, seen) = (Some(last.hash), seen + rows.len());
    }
    assert_eq!(seen, 5_000);
    let nobody = Address::ZERO;
    assert_eq!(flat_of(&near, &nobody, &keccak256(nobody)).unwrap(), None);
}

/// Some of 900 accounts, changed or gone, in any order.
fn some(random: &mut u64, plain: &mut Trie) -> Vec<(Address, Option<Vec<u8>>)> {
    let mut below = |limit: u64| {
        *random ^= *random << 13;
        *random ^= *random >> 7;
        *random ^= *random << 17;
        *random % limit
    };
    (0..1 + below(60))
        .map(|_| {
            let address = Address::from_word(keccak256(below(900).to_be_bytes()));
            let account = account(below(1 << 20));
            let kept = below(3) > 0;
            let key = keccak256(address);
            if kept {
                plain.insert(&key, &account.to_rlp(), &NoSource).unwrap();
            } else {
                plain.remove(&key, &NoSource).unwrap();
            }
            (address, kept.then(|| account.to_flat()))
        })
        .collect()
}

#[test]
fn versions_that_follow_one_on_its_way_to_the_disk_come_onto_it_and_nothing_is_counted_twice() {
    let folder = tempfile::tempdir().unwrap();
    let (mut plain, mut random) = (Trie::new(), 7u64);
    let mut store = open(folder.path()).unwrap();
    for round in 0..60 {
        let shared = &store.shared;
        let mut follow = |before: &Tree| {
            let changes = some(&mut random, &mut plain);
            let pairs = changes
                .iter()
                .map(|(who, flat)| (who.as_slice(), flat.as_deref(), Listed::Kept));
            let tree = before.with_flat(pairs).unwrap();
            assert_eq!(tree.hash, plain.root(), "round {round}");
            Arc::new(tree)
        };
        let first = follow(&shared.near.newest());
        let between = follow(&first);
        let second = follow(&between);
        let commit = |tree: Arc<Tree>| {
            shared.near.stage(tree).unwrap();
            shared
                .write(|txn| shared.near.write(&shared.tables, txn))
                .unwrap();
            shared.near.committed()
        };
        let (from, to) = commit(first).unwrap();
        commit(Arc::new(second.on(&from, &to)));
        let newest = shared.near.newest();
        assert_eq!(newest.hash, plain.root());
        kept(&newest);
        let mut live = std::collections::BTreeMap::new();
        newest.visit(&mut |place| *live.entry(place.segment()).or_default() += place.weight());
        assert_eq!(lock(&shared.near.versions).log.live, live, "round {round}");
        if round % 9 == 0 {
            drop(store);
            store = open(folder.path()).unwrap();
            assert_eq!(store.shared.near.newest().hash, plain.root());
        }
        let count = store.shared.read(|txn| store.shared.tables.accounts(txn));
        let all = store.shared.near.newest().accounts_after(None, 1_000);
        assert_eq!(all.unwrap().len() as u64, count.unwrap());
    }
}

#[test]
fn units_are_kept_once_they_are_committed_and_those_of_a_commit_that_failed_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).unwrap();
    let shared = &store.shared;
    let version = |nonce: u64| {
        let (who, flat) = (Address::repeat_byte(1), account(nonce).to_flat());
        let accounts = [(who.as_slice(), Some(&flat[..]), Listed::Unknown)];
        Arc::new(
            shared
                .near
                .newest()
                .with_flat(accounts.into_iter())
                .unwrap(),
        )
    };
    // The second is written to the same place.
    shared.near.stage(version(1)).unwrap();
    shared.near.stage(version(2)).unwrap();
    let written = shared.write(|txn| shared.near.write(&shared.tables, txn));
    written.unwrap();
    shared.near.committed();
    let near = shared.near.newest();
    assert_eq!(kept(&near), 1);
    let (who, hash) = (Address::repeat_byte(1), keccak256(Address::repeat_byte(1)));
    assert_eq!(
        flat_of(&near, &who, &hash).unwrap(),
        Some(account(2).to_flat())
    );
}

#[test]
fn units_that_are_fetched_are_those_on_the_disk_and_damaged_ones_are_left_there() {
    let folder = tempfile::tempdir().unwrap();
    fill(folder.path(), 0..5_000);
    let fetched = || {
        let store = open(folder.path()).unwrap();
        let near = store.shared.near.newest();
        let places = units(&near);
        assert!(places.len() > 200 && kept(&near) == 0);
        // Else the system has no rings, or the file system no reads past its cache.
        let able = store.shared.near.fetch(&near, &places);
        able.then(|| (places.len() - kept(&near), near))
    };
    let Some((left, near)) = fetched() else {
        return;
    };
    assert_eq!(left, 0);
    let place = units(&near)[7];
    drop(near);
    let path = folder.path().join("accounts/00000001");
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[place.offset() + 20] ^= 1;
    std::fs::write(&path, &bytes).unwrap();
    let (left, near) = fetched().unwrap();
    assert_eq!(left, 1);
    assert!(near.accounts_after(None, 5_000).is_err());
}

#[test]
fn a_system_without_rings_fetches_nothing_and_reads_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let root = fill(folder.path(), 0..500);
    let store = open(folder.path()).unwrap();
    let near = store.shared.near.newest();
    *lock(&store.shared.near.fetching) = Fetching::Never;
    assert!(!store.shared.near.fetch(&near, &units(&near)));
    assert_eq!((kept(&near), near.hash), (0, root));
    assert_eq!(near.accounts_after(None, 1_000).unwrap().len(), 500);
}

#[test]
fn a_segment_that_is_missing_or_cut_off_is_said_when_the_store_is_opened() {
    for damage in [0, 1] {
        let folder = tempfile::tempdir().unwrap();
        fill(folder.path(), 0..500);
        let path = folder.path().join("accounts/00000001");
        match damage {
            0 => std::fs::remove_file(path).unwrap(),
            _ => {
                let file = std::fs::File::options().write(true).open(path).unwrap();
                file.set_len(1 << 16).unwrap();
            }
        }
        let error = open(folder.path()).unwrap_err().to_string();
        assert!(error.contains("00000001"), "{error}");
    }
}

#[test]
fn a_flipped_bit_of_a_record_is_found() {
    let folder = tempfile::tempdir().unwrap();
    fill(folder.path(), 0..100);
    let path = folder.path().join("accounts/00000001");
    let whole = std::fs::read(&path).unwrap();
    let end = whole.iter().rposition(|byte| *byte != 0).unwrap();
    let (mut refused, mut found) = (0, 0);
    for at in (0..end).step_by(23).filter(|at| whole[*at] != 0) {
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << (at % 8);
        std::fs::write(&path, &bytes).unwrap();
        // Branches are read when the store is opened, units when they are asked for.
        let Ok(store) = open(folder.path()) else {
            refused += 1;
            continue;
        };
        let near = store.shared.near.newest();
        assert!(near.accounts_after(None, 100).is_err(), "byte {at}");
        let damaged = |digit: u8| {
            let hash = B256::repeat_byte(digit << 4);
            flat_of(&near, &Address::ZERO, &hash).is_err() && near.node(&[digit << 4, 1]).is_err()
        };
        assert_eq!(
            (0..16).filter(|digit| damaged(*digit)).count(),
            1,
            "byte {at}"
        );
        found += 1;
    }
    assert!(refused > 10 && found > 100, "{refused} {found}");
}

#[test]
fn no_bytes_make_the_parser_panic() {
    for seed in 0..20_000u64 {
        let noise = keccak256(seed.to_be_bytes());
        let mut record = noise[..(seed % 33) as usize].to_vec();
        if let Some(kind) = record.get_mut(4) {
            *kind = 1 + (seed % 2) as u8;
        }
        if let Some(length) = record.get_mut(5) {
            *length = 0;
        }
        if let Some((_, record::Rest::Unit(entries))) = record::parse(&record) {
            let _ = entries.count();
        }
        assert!(!record::is_whole(&record));
    }
}
