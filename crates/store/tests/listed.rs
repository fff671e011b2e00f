//! Shows: who is said to be in the AddressBook without a look at its slots is there, whatever blocks name, change, abandon and
//! take back; who was named and changed is said to be; a check finds who is said to be there and is not.
use alloy_primitives::{keccak256, Address, B256, U256};
use bedroll_core::hook::{book_slot, book_slots, extend_book};
use bedroll_core::state::{Account, State, StateSource};
use bedroll_core::trie::EMPTY_ROOT;
use bedroll_store::{BlockRecord, Check, Store, StoreOptions, TipSource};
use std::collections::BTreeSet;
use std::path::Path;

const OPTIONS: StoreOptions = StoreOptions {
    map_size_bytes: 1 << 26,
    sync: false,
};
const BOOK: Address = Address::repeat_byte(0xbb);

fn open(folder: &Path) -> Store {
    Store::open(folder, B256::ZERO, OPTIONS).unwrap()
}

fn account(nonce: u64) -> Account {
    Account {
        nonce,
        ..Account::default()
    }
}

fn seal(store: &Store, state: &mut State<TipSource>, height: u64) -> B256 {
    let (state_root, write_set) = state.seal().unwrap();
    let record = BlockRecord {
        height,
        hash: keccak256([state_root.as_slice(), &height.to_be_bytes()].concat()),
        state_root,
        header: vec![1],
        body: vec![1],
        write_set,
        ..BlockRecord::default()
    };
    store.seal(record).unwrap();
    state_root
}

/// A chain with the AddressBook in its state.
fn begun(folder: &Path) -> (Store, State<TipSource>, B256) {
    let store = open(folder);
    let mut state = State::new(EMPTY_ROOT, store.tip_source());
    state.set_account(&BOOK, Some(account(1))).unwrap();
    let root = seal(&store, &mut state, 0);
    (store, state, root)
}

/// Those of the addresses that are said to be in the book.
fn listed(store: &Store, addresses: &[Address]) -> BTreeSet<Address> {
    let keyed: Vec<(Address, B256)> = (addresses.iter())
        .map(|address| (*address, keccak256(address)))
        .collect();
    let listed = store.tip_source().listed(&BOOK, &keyed).unwrap();
    let pairs = addresses.iter().zip(listed);
    pairs
        .filter_map(|(one, there)| there.then_some(*one))
        .collect()
}

/// What is wrong with the flat values of the store.
fn problems(store: &Store) -> Vec<String> {
    store.settle().unwrap();
    let mut check = Check::new(store.view(None).unwrap());
    let mut after = None;
    loop {
        after = check.flat(after.as_deref(), 7).unwrap();
        if after.is_none() {
            return check.problems;
        }
    }
}

struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }

    fn some(&mut self, of: &[Address]) -> Vec<Address> {
        let count = self.below(7);
        (0..count)
            .map(|_| of[self.below(of.len() as u64) as usize])
            .collect()
    }
}

#[test]
fn slots_that_are_hashed_together_are_those_that_are_hashed_alone() {
    let addresses: Vec<Address> = (0..19).map(Address::repeat_byte).collect();
    let alone: Vec<U256> = addresses.iter().copied().map(book_slot).collect();
    assert_eq!(book_slots(&addresses), alone);
}

#[test]
fn whoever_is_said_to_be_in_the_book_is_there_whatever_is_taken_back() {
    let addresses: Vec<Address> = (0..60u64)
        .map(|number| Address::from_word(keccak256(number.to_be_bytes())))
        .collect();
    for seed in 1..=8u64 {
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let folder = tempfile::tempdir().unwrap();
        let (mut store, mut state, root) = begun(folder.path());
        // Of each block its root and who is in the book.
        let mut chain = vec![(root, BTreeSet::new())];
        let mut most = 0;
        for round in 0..150 {
            let (named, others) = (random.some(&addresses), random.some(&addresses));
            // Few values, so that accounts often are again what they were some blocks ago.
            let after = Some(account(1 + random.below(3)));
            let mut changed = BTreeSet::new();
            // Of those that are named some have no account, and some do not change.
            for who in named.iter().filter(|who| who[0] % 4 > 0).chain(&others) {
                if state.account(who).unwrap() != after {
                    changed.insert(*who);
                }
                state.set_account(who, after).unwrap();
            }
            if let Some(who) = others.first().filter(|_| random.below(4) == 0) {
                state.set_account(who, None).unwrap();
                changed.remove(who);
            }
            let (_, mut book) = chain.last().cloned().unwrap();
            let new = extend_book(&mut state, BOOK, named.iter().copied()).unwrap();
            let mut wanted = Vec::new();
            for who in &named {
                if book.insert(*who) {
                    wanted.push(*who);
                }
            }
            assert_eq!(new, wanted, "seed {seed} round {round}");
            if random.below(8) == 0 {
                state.abandon();
            } else {
                let root = seal(&store, &mut state, chain.len() as u64);
                let there = listed(&store, &addresses);
                let mut sure = named.iter().filter(|who| changed.contains(*who));
                assert!(
                    sure.all(|who| there.contains(who)),
                    "seed {seed} round {round}"
                );
                chain.push((root, book));
            }
            match random.below(12) {
                0..3 => {
                    store.commit().unwrap();
                }
                3 => {
                    let height = (chain.len() as u64 - 1).saturating_sub(random.below(9));
                    store.unwind_to(height).unwrap();
                    chain.truncate(height as usize + 1);
                    state.reset(chain.last().unwrap().0);
                }
                4 => {
                    // What was not committed is gone.
                    store.commit().unwrap();
                    drop((state, store));
                    store = open(folder.path());
                    state = State::new(chain.last().unwrap().0, store.tip_source());
                }
                5 => state.reset(chain.last().unwrap().0),
                6 => assert_eq!(problems(&store), Vec::<String>::new()),
                _ => {}
            }
            let there = listed(&store, &addresses);
            let (_, book) = chain.last().unwrap();
            assert!(there.is_subset(book), "seed {seed} round {round}");
            most = most.max(there.len());
        }
        assert!(most > 10, "seed {seed}: {most}");
        let elsewhere = store
            .tip_source()
            .listed(&Address::ZERO, &[(addresses[0], keccak256(addresses[0]))]);
        assert_eq!(elsewhere.unwrap(), [false]);
    }
}

#[test]
fn a_check_finds_who_is_said_to_be_in_the_book_and_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let (store, mut state, _) = begun(folder.path());
    let (honest, liar) = (Address::repeat_byte(1), Address::repeat_byte(2));
    for who in [&honest, &liar] {
        state.set_account(who, Some(account(7))).unwrap();
    }
    extend_book(&mut state, BOOK, [honest].into_iter()).unwrap();
    state.source().list(&BOOK, vec![honest, liar]);
    seal(&store, &mut state, 1);
    let found = problems(&store);
    let named = |who: &Address| found.iter().any(|what| what.contains(&who.to_string()));
    assert!(
        named(&liar) && !named(&honest) && found.len() == 1,
        "{found:?}"
    );
}
