//! Shows: the state's root and write sets equal a plain model's through creation, destruction, wiping, empty accounts
//! and abandoned blocks, with flat values or with trie nodes alone.
use super::*;
use crate::trie::{NoSource, Path, SourceError};
use alloc::{collections::BTreeMap, vec::Vec};
use revm::state::{Account as Touched, AccountInfo, EvmState, EvmStorageSlot, TransactionId};
use std::println;

/// A source with nodes and codes only, as a witness is.
#[derive(Debug, Default)]
struct NodesOnly(MemorySource);

impl StateSource for NodesOnly {
    fn slots(&self, address: &Address) -> Result<Vec<U256>, SourceError> {
        self.0.slots(address)
    }

    fn code(&self, hash: &B256) -> Result<Option<Bytes>, SourceError> {
        self.0.code(hash)
    }

    fn block_hash(&self, height: u64) -> Result<Option<B256>, SourceError> {
        self.0.block_hash(height)
    }

    fn node(
        &self,
        owner: Option<&B256>,
        path: &Path,
        hash: &B256,
    ) -> Result<Option<Vec<u8>>, SourceError> {
        self.0.node(owner, path, hash)
    }
}

#[derive(Clone, Default)]
struct Plain {
    nonce: u64,
    balance: U256,
    slots: BTreeMap<U256, U256>,
}

type Model = BTreeMap<Address, Plain>;

fn model_root(model: &Model) -> B256 {
    let mut trie = Trie::new();
    for (address, plain) in model {
        let mut storage = Trie::new();
        for (slot, value) in &plain.slots {
            let key = keccak256(slot.to_be_bytes::<32>());
            storage
                .insert(&key, &alloy_rlp::encode(value), &NoSource)
                .unwrap();
        }
        let account = Account {
            nonce: plain.nonce,
            balance: plain.balance,
            storage_root: storage.root(),
            ..Account::default()
        };
        trie.insert(&keccak256(address), &account.to_rlp(), &NoSource)
            .unwrap();
    }
    trie.root()
}

fn address(number: u64) -> Address {
    Address::with_last_byte(number as u8)
}

fn touched(nonce: u64, balance: u64, slots: &[(u64, u64)]) -> Touched {
    let info = AccountInfo {
        nonce,
        balance: U256::from(balance),
        ..AccountInfo::default()
    };
    let slots = slots.iter().map(|(slot, value)| {
        let value = EvmStorageSlot::new_changed(U256::MAX, U256::from(*value), TransactionId::ZERO);
        (U256::from(*slot), value)
    });
    Touched::default()
        .with_info(info)
        .with_storage(slots)
        .with_touched_mark()
}

fn one(number: u64, account: Touched) -> EvmState {
    core::iter::once((address(number), account)).collect()
}

/// Random transactions over a few accounts, each also told to the model.
fn run<S: StateSource>(seed: u64, source: S, write: fn(&mut S, &WriteSet)) -> Vec<B256> {
    let mut x = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut below = move |limit: u64| {
        x ^= x >> 12;
        x ^= x << 25;
        x ^= x >> 27;
        x.wrapping_mul(0x2545_f491_4f6c_dd1d) % limit
    };
    let mut state = State::new(EMPTY_ROOT, source);
    let mut model = Model::new();
    let mut roots = Vec::new();
    for _ in 0..40 {
        let before = model.clone();
        for _ in 0..below(12) {
            let number = below(8);
            let slots: Vec<(u64, u64)> = (0..below(4)).map(|_| (below(6), below(3))).collect();
            let mut account = touched(1 + below(3), below(3), &slots);
            let known = model.contains_key(&address(number));
            match below(8) {
                0 => {
                    account.mark_selfdestruct();
                    model.remove(&address(number));
                }
                1 => {
                    account = touched(0, 0, &[]);
                    model.remove(&address(number));
                }
                kind => {
                    if kind == 2 || !known {
                        account.mark_created();
                        model.remove(&address(number));
                    }
                    let plain = model.entry(address(number)).or_default();
                    plain.nonce = account.info.nonce;
                    plain.balance = account.info.balance;
                    for (slot, value) in &account.storage {
                        plain.slots.insert(*slot, value.present_value);
                    }
                    plain.slots.retain(|_, value| !value.is_zero());
                }
            }
            state.apply(one(number, account)).unwrap();
            for number in 0..8 {
                let plain = model.get(&address(number));
                let has = plain.is_some_and(|plain| !plain.slots.is_empty());
                // Between wiping and sealing a slot may be 0 under a root that still has it.
                assert!(state.has_storage(&address(number)).unwrap() || !has);
                for slot in (0..6).map(U256::from) {
                    let wanted = plain.and_then(|plain| plain.slots.get(&slot)).copied();
                    let value = state.slot(&address(number), &slot).unwrap();
                    assert_eq!(value, wanted.unwrap_or_default(), "seed {seed}");
                }
            }
        }
        if below(5) == 0 {
            state.abandon();
            model = before;
        }
        let (root, set) = state.seal().unwrap();
        assert_eq!(root, model_root(&model), "seed {seed}");
        write(state.source_mut(), &set);
        if below(3) == 0 {
            state.trim(below(20) as usize);
        }
        for number in 0..8 {
            let plain = model.get(&address(number));
            let has = plain.is_some_and(|plain| !plain.slots.is_empty());
            assert_eq!(state.has_storage(&address(number)).unwrap(), has);
        }
        let held: usize = state.accounts.values().map(Cached::weight).sum();
        assert_eq!(state.held, held);
        roots.push(root);
    }
    roots
}

#[test]
fn random_transactions_give_the_roots_of_the_model() {
    for seed in 1..=40 {
        println!("seed {seed}");
        let flat = run(seed, MemorySource::default(), MemorySource::write);
        let nodes = run(seed, NodesOnly::default(), |source, set| {
            source.0.write(set)
        });
        assert_eq!(flat, nodes);
    }
}

#[test]
fn sealing_lists_each_change_once_with_the_value_before() {
    let mut state = State::new(EMPTY_ROOT, MemorySource::default());
    state
        .apply(one(1, touched(1, 5, &[(1, 7), (2, 8)])))
        .unwrap();
    let (_, set) = state.seal().unwrap();
    state.source_mut().write(&set);
    state
        .apply(one(1, touched(2, 5, &[(1, 9), (2, 9)])))
        .unwrap();
    state
        .apply(one(1, touched(3, 4, &[(1, 0), (2, 8)])))
        .unwrap();
    state.apply(one(2, touched(1, 0, &[]))).unwrap();
    state.apply(one(2, touched(0, 0, &[]))).unwrap();
    let (root, set) = state.seal().unwrap();
    assert_ne!(root, EMPTY_ROOT);
    let [account] = &set.flat.accounts[..] else {
        panic!("{:?}", set.flat.accounts);
    };
    assert_eq!(account.before.unwrap().nonce, 1);
    assert_eq!(account.after.unwrap().nonce, 3);
    assert_ne!(
        account.before.unwrap().storage_root,
        account.after.unwrap().storage_root
    );
    let slots: Vec<(U256, U256)> = set
        .flat
        .slots
        .iter()
        .map(|one| (one.slot, one.after))
        .collect();
    assert_eq!(slots, [(U256::from(1), U256::ZERO)]);
    assert_eq!(set.flat.slots[0].before, U256::from(7));
}

#[test]
fn an_empty_block_changes_nothing() {
    let mut state = State::new(EMPTY_ROOT, MemorySource::default());
    state.apply(one(1, touched(1, 5, &[]))).unwrap();
    let (root, set) = state.seal().unwrap();
    state.source_mut().write(&set);
    assert_eq!(state.seal().unwrap(), (root, WriteSet::default()));
}

#[test]
fn a_slot_of_an_account_that_does_not_exist_is_refused() {
    let mut state = State::new(EMPTY_ROOT, MemorySource::default());
    let error = state.set_slot(&address(1), &U256::from(1), U256::from(1));
    assert_eq!(
        error,
        Err(StateError::NoAccount {
            address: address(1)
        })
    );
    assert_eq!(state.seal().unwrap().0, EMPTY_ROOT);
}

#[test]
fn codes_are_written_once_and_checked_when_read() {
    let mut state = State::new(EMPTY_ROOT, MemorySource::default());
    let code = Bytes::from_static(&[0x60, 1, 0x56]);
    let hash = state.set_code(code.clone()).unwrap();
    assert_eq!(hash, keccak256(&code));
    let (_, set) = state.seal().unwrap();
    assert_eq!(set.flat.codes, [(hash, code.clone())]);
    state.source_mut().write(&set);
    state.set_code(code.clone()).unwrap();
    assert_eq!(state.seal().unwrap().1.flat.codes, []);
    state.reset(EMPTY_ROOT);
    assert_eq!(state.code(&hash).unwrap().original_bytes(), code);
    state.reset(EMPTY_ROOT);
    state
        .source_mut()
        .codes
        .insert(hash, Bytes::from_static(&[1]));
    assert_eq!(state.code(&hash).unwrap_err(), StateError::BadCode { hash });
    let unknown = B256::repeat_byte(1);
    assert_eq!(
        state.code(&unknown).unwrap_err(),
        StateError::NoCode { hash: unknown }
    );
}

#[test]
fn account_proofs_show_values_and_absence() {
    let mut state = State::new(EMPTY_ROOT, MemorySource::default());
    for number in 1..20 {
        let slots: Vec<(u64, u64)> = (0..number).map(|slot| (slot, slot + 1)).collect();
        state
            .apply(one(number, touched(number, 5, &slots)))
            .unwrap();
    }
    let (root, set) = state.seal().unwrap();
    state.source_mut().write(&set);
    let slots = [U256::from(3), U256::from(77)];
    let proof = prove_account(&root, state.source(), &address(9), &slots).unwrap();
    assert_eq!(proof.account.unwrap().nonce, 9);
    assert_eq!(keccak256(&proof.nodes[0]), root);
    let [present, absent] = &proof.slots[..] else {
        panic!("{:?}", proof.slots);
    };
    assert_eq!((present.value, absent.value), (U256::from(4), U256::ZERO));
    assert_eq!(
        keccak256(&absent.nodes[0]),
        proof.account.unwrap().storage_root
    );
    let proof = prove_account(&root, state.source(), &address(99), &slots).unwrap();
    assert_eq!(proof.account, None);
    assert!(!proof.nodes.is_empty() && proof.slots[0].nodes.is_empty());
}
