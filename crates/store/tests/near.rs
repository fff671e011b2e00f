//! Shows: accounts whose hashes begin alike, so that they and the nodes above them share a record, come and go, are unwound
//! and are read again from the disk alone; roots, counts and nodes stay right, also where accounts are many and change so
//! often that the log has to be cleaned.
use alloy_primitives::{keccak256, Address, B256};
use bedroll_core::state::{Account, State};
use bedroll_core::trie::{NoSource, Trie, EMPTY_ROOT};
use bedroll_store::{BlockRecord, Check, Store, StoreOptions, TipSource};
use std::collections::BTreeMap;

const OPTIONS: StoreOptions = StoreOptions {
    map_size_bytes: 1 << 26,
    sync: false,
};

/// Addresses in groups that share five to eight nibbles, and some that share few.
fn addresses() -> Vec<Address> {
    let mut all: Vec<(B256, Address)> = (0u64..400_000)
        .map(|number| Address::from_word(keccak256(number.to_be_bytes())))
        .map(|address| (keccak256(address), address))
        .collect();
    all.sort_unstable();
    let near = |at: usize| (0..3).all(|one| all[at + one].0[..3] == all[at].0[..3]);
    let mut chosen: Vec<Address> = (0..all.len() - 3)
        .filter(|at| near(*at))
        .take(12)
        .flat_map(|at| [all[at].1, all[at + 1].1, all[at + 2].1])
        .collect();
    assert!(chosen.len() > 20);
    // A record has four bytes of a hash: in these they are the same.
    let pairs = all.windows(2).filter(|two| two[0].0[..4] == two[1].0[..4]);
    let pairs: Vec<Address> = pairs.flat_map(|two| [two[0].1, two[1].1]).collect();
    assert!(pairs.len() > 10);
    chosen.extend(pairs);
    chosen.extend(all.iter().step_by(20_000).map(|(_, address)| *address));
    chosen.sort_unstable();
    chosen.dedup();
    chosen
}

type Model = BTreeMap<Address, u64>;

fn root_of(model: &Model) -> B256 {
    let mut trie = Trie::new();
    for (address, nonce) in model {
        let account = Account {
            nonce: *nonce,
            ..Account::default()
        };
        trie.insert(&keccak256(address), &account.to_rlp(), &NoSource)
            .unwrap();
    }
    trie.root()
}

fn seal(store: &Store, state: &mut State<TipSource>, height: u64) -> B256 {
    let (root, write_set) = state.seal().unwrap();
    let record = BlockRecord {
        height,
        hash: keccak256(height.to_be_bytes()),
        state_root: root,
        header: vec![1],
        body: vec![1],
        write_set,
        ..BlockRecord::default()
    };
    store.seal(record).unwrap();
    root
}

#[test]
fn a_block_with_another_root_than_its_accounts_is_refused_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), B256::ZERO, OPTIONS).unwrap();
    let mut state = State::new(EMPTY_ROOT, store.tip_source());
    let who = Address::repeat_byte(1);
    state.set_account(&who, Some(Account::default())).unwrap();
    let first = seal(&store, &mut state, 0);
    let richer = Account {
        nonce: 7,
        ..Account::default()
    };
    state.set_account(&who, Some(richer)).unwrap();
    let (root, write_set) = state.seal().unwrap();
    let block = |state_root| BlockRecord {
        height: 1,
        hash: B256::repeat_byte(1),
        state_root,
        header: vec![1],
        body: vec![1],
        write_set: write_set.clone(),
        ..BlockRecord::default()
    };
    let refused = store.seal(block(first)).unwrap_err().to_string();
    assert!(refused.contains(&root.to_string()), "{refused}");
    assert_eq!(store.tip().unwrap().0, 0);
    // The same block with its own root, of which nothing is prepared any more.
    store.seal(block(root)).unwrap();
    store.settle().unwrap();
    assert_eq!(problems(&store), Vec::<String>::new());
    let view = store.view(None).unwrap();
    assert_eq!(view.account(&who).unwrap(), Some(richer));
}

#[test]
fn a_state_that_is_sealed_twice_for_one_block_of_the_store_is_told_so() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), B256::ZERO, OPTIONS).unwrap();
    let mut state = State::new(EMPTY_ROOT, store.tip_source());
    let mut set = |number: u8| {
        let who = Address::repeat_byte(number);
        state.set_account(&who, Some(Account::default())).unwrap();
        state.seal()
    };
    let (root, _) = set(1).unwrap();
    let error = set(2).unwrap_err().to_string();
    assert!(error.contains(&root.to_string()), "{error}");
}

/// What is wrong with the state of the store, in words.
fn problems(store: &Store) -> Vec<String> {
    store.settle().unwrap();
    let mut check = Check::new(store.view(None).unwrap());
    for part in 0..=255 {
        check.tries(part).unwrap();
    }
    let mut after = None;
    loop {
        after = check.flat(after.as_deref(), 5).unwrap();
        if after.is_none() {
            break;
        }
    }
    check.finish().unwrap();
    check.problems
}

#[test]
fn accounts_that_lie_close_together_come_and_go() {
    let addresses = addresses();
    for seed in 1..=6u64 {
        println!("seed {seed}");
        let mut x = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut below = move |limit: u64| {
            x ^= x >> 12;
            x ^= x << 25;
            x ^= x >> 27;
            x.wrapping_mul(0x2545_f491_4f6c_dd1d) % limit
        };
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), B256::ZERO, OPTIONS).unwrap();
        let mut state = State::new(EMPTY_ROOT, store.tip_source());
        let mut models: Vec<Model> = Vec::new();
        for _ in 0..120 {
            let mut model = models.last().cloned().unwrap_or_default();
            for _ in 0..below(9) {
                let address = addresses[below(addresses.len() as u64) as usize];
                if below(5) < 2 {
                    model.remove(&address);
                    state.set_account(&address, None).unwrap();
                } else {
                    let nonce = 1 + below(1 << 40);
                    model.insert(address, nonce);
                    let account = Account {
                        nonce,
                        ..Account::default()
                    };
                    state.set_account(&address, Some(account)).unwrap();
                }
            }
            let root = seal(&store, &mut state, models.len() as u64);
            assert_eq!(root, root_of(&model), "seed {seed}");
            models.push(model);
            if below(3) == 0 {
                store.commit().unwrap();
                assert_eq!(problems(&store), Vec::<String>::new(), "seed {seed}");
            }
            if below(9) == 0 {
                let height = (models.len() as u64 - 1).saturating_sub(below(6));
                store.unwind_to(height).unwrap();
                models.truncate(height as usize + 1);
                assert_eq!(problems(&store), Vec::<String>::new(), "seed {seed}");
                state.reset(root_of(&models[height as usize]));
            } else if below(3) == 0 {
                // From here on nothing is known but what the store says.
                state.reset(root);
            }
            let newest = models.last().unwrap();
            let view = store.view(None).unwrap();
            for address in &addresses {
                let found = view.account(address).unwrap().map(|account| account.nonce);
                assert_eq!(found, newest.get(address).copied());
            }
        }
        let counts = store.view(None).unwrap().row_counts().unwrap();
        store.settle().unwrap();
        let newest = models.last().unwrap().len() as u64;
        let after = store.view(None).unwrap().row_counts().unwrap();
        let accounts = after.iter().find(|(name, _)| *name == "account");
        assert_eq!(accounts, Some(&("account", newest)), "before: {counts:?}");
    }
}

/// Numbers of the segments that are there.
fn segments(folder: &std::path::Path) -> Vec<u32> {
    let entries = std::fs::read_dir(folder.join("accounts")).unwrap();
    let mut numbers: Vec<u32> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .map(|name| u32::from_str_radix(&name, 16).unwrap())
        .collect();
    numbers.sort_unstable();
    numbers
}

#[test]
fn accounts_that_change_again_and_again_stay_in_a_few_files() {
    const ACCOUNTS: u64 = 6_000;
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), B256::ZERO, OPTIONS).unwrap();
    let mut state = State::new(EMPTY_ROOT, store.tip_source());
    let mut model = Model::new();
    let address = |number: u64| Address::from_word(keccak256(number.to_be_bytes()));
    let (mut height, mut old) = (0, None);
    while height == 0 || segments(folder.path()).last() < Some(&7) {
        // Most change each time, some never after the first.
        let first = if height == 0 { 0 } else { ACCOUNTS / 10 };
        for number in first..ACCOUNTS {
            let nonce = 1 + height + number;
            let account = Account {
                nonce,
                ..Account::default()
            };
            state.set_account(&address(number), Some(account)).unwrap();
            model.insert(address(number), nonce);
        }
        seal(&store, &mut state, height);
        store.commit().unwrap();
        if height == 0 {
            old = Some((store.view(None).unwrap(), model.clone()));
        }
        height += 1;
    }
    let numbers = segments(folder.path());
    assert!(numbers.len() <= 6 && numbers[0] > 1, "{numbers:?}");
    assert_eq!(problems(&store), Vec::<String>::new());
    // A view keeps what it shows, although its files have no names any more.
    let (view, first) = old.unwrap();
    for (address, nonce) in first.iter().step_by(97) {
        assert_eq!(view.account(address).unwrap().unwrap().nonce, *nonce);
    }
    drop((view, state, store));
    let store = Store::open(folder.path(), B256::ZERO, OPTIONS).unwrap();
    assert_eq!(problems(&store), Vec::<String>::new());
    assert_eq!(segments(folder.path()), numbers);
    let view = store.view(None).unwrap();
    for (address, nonce) in &model {
        assert_eq!(view.account(address).unwrap().unwrap().nonce, *nonce);
    }
    // What was written of a commit that did not end is written over.
    std::fs::write(folder.path().join("accounts/000000ff"), b"left").unwrap();
    drop((view, store));
    let store = Store::open(folder.path(), B256::ZERO, OPTIONS).unwrap();
    assert_eq!(segments(folder.path()), numbers);
    assert_eq!(problems(&store), Vec::<String>::new());
}
