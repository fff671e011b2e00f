//! A chain of random blocks, and a plain model of what each of its states holds.
use alloy_primitives::{keccak256, Address, Bytes, B256, U256};
use bedroll_core::state::{Account, State};
use bedroll_core::trie::{NoSource, Trie};
use bedroll_store::{BlockRecord, LogPosting, Named, Roles, Store, TipSource};
use std::collections::BTreeMap;

mod rng;
pub use rng::Rng;

/// All that a state holds, in plain maps.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Model {
    pub accounts: BTreeMap<Address, (u64, U256, B256)>,
    pub slots: BTreeMap<(Address, U256), U256>,
    pub forced: BTreeMap<u64, Vec<u8>>,
}

pub fn address(number: u64) -> Address {
    Address::from_word(keccak256(number.to_be_bytes()))
}

impl Model {
    /// Root of a trie built from nothing.
    pub fn root(&self) -> B256 {
        let mut trie = Trie::new();
        for (address, (nonce, balance, code_hash)) in &self.accounts {
            let mut storage = Trie::new();
            let first = (*address, U256::ZERO);
            for ((_, slot), value) in self.slots.range(first..=(*address, U256::MAX)) {
                let key = keccak256(slot.to_be_bytes::<32>());
                storage
                    .insert(&key, &alloy_rlp::encode(value), &NoSource)
                    .unwrap();
            }
            let account = Account {
                nonce: *nonce,
                balance: *balance,
                code_hash: *code_hash,
                storage_root: storage.root(),
            };
            let key = keccak256(address);
            trie.insert(&key, &account.to_rlp(), &NoSource).unwrap();
        }
        trie.root()
    }
}

/// A chain under test: the store, the state on top of it, and the model of every height.
pub struct Chain {
    pub store: Store,
    pub state: State<TipSource>,
    pub models: Vec<Model>,
    pub hashes: Vec<B256>,
    pub rng: Rng,
}

pub const ACCOUNTS: u64 = 60;

impl Chain {
    pub fn new(store: Store, rng: Rng) -> Self {
        let state = State::new(bedroll_core::trie::EMPTY_ROOT, store.tip_source());
        Chain {
            store,
            state,
            models: Vec::new(),
            hashes: Vec::new(),
            rng,
        }
    }

    pub fn tip(&self) -> u64 {
        self.models.len() as u64 - 1
    }

    /// Seals a block of random changes.
    pub fn grow(&mut self) {
        let height = self.models.len() as u64;
        let mut model = self.models.last().cloned().unwrap_or_default();
        for _ in 0..self.rng.below(25) {
            self.change(&mut model);
        }
        let mut forced = Vec::new();
        if self.rng.below(3) == 0 {
            let index = self.rng.below(20);
            let value = (self.rng.below(4) > 0).then(|| vec![height as u8 + 1; 5]);
            match &value {
                Some(value) => model.forced.insert(index, value.clone()),
                None => model.forced.remove(&index),
            };
            forced.push((index, value));
        }
        let (root, write_set) = self.state.seal().unwrap();
        assert_eq!(root, model.root(), "root at height {height}");
        let hash = keccak256(
            [
                &root[..],
                &height.to_be_bytes(),
                &self.rng.next().to_be_bytes(),
            ]
            .concat(),
        );
        let who = address(self.rng.below(ACCOUNTS));
        self.store
            .seal(BlockRecord {
                height,
                hash,
                state_root: root,
                header: vec![height as u8; 30],
                body: vec![height as u8; 300],
                places: vec![height as u8; height as usize % 4],
                transactions: vec![keccak256(hash)],
                logs: vec![LogPosting {
                    address: who,
                    topics: vec![B256::with_last_byte(7), hash],
                    transaction: 0,
                    log: 0,
                }],
                named: vec![Named {
                    address: who,
                    transaction: 0,
                    roles: Roles::SENDER,
                }],
                write_set,
                forced,
                book: vec![(height, Address::from_word(hash))],
            })
            .unwrap();
        self.models.push(model);
        self.hashes.push(hash);
    }

    /// One random change, in the state and in the model.
    fn change(&mut self, model: &mut Model) {
        let address = address(self.rng.below(ACCOUNTS));
        let known = model.accounts.get(&address).copied();
        match self.rng.below(10) {
            0 => {
                self.state.set_account(&address, None).unwrap();
                model.accounts.remove(&address);
                model.slots.retain(|(of, _), _| *of != address);
            }
            1 => {
                let code = Bytes::from(vec![0x60, self.rng.below(30) as u8]);
                let hash = self.state.set_code(code).unwrap();
                let balance = U256::from(self.rng.below(9));
                self.put(model, address, (1, balance, hash));
            }
            2..=5 => {
                let (nonce, _, code) =
                    known.unwrap_or((0, U256::ZERO, Account::default().code_hash));
                let balance = U256::from(self.rng.next()) << self.rng.below(100);
                self.put(model, address, (nonce + 1, balance, code));
            }
            _ if known.is_none() => {}
            _ => {
                let slot = U256::from(self.rng.below(12));
                let value = if self.rng.below(3) == 0 {
                    U256::ZERO
                } else {
                    U256::from(self.rng.next()) << self.rng.below(190)
                };
                self.state.set_slot(&address, &slot, value).unwrap();
                model.slots.insert((address, slot), value);
                model.slots.retain(|_, value| !value.is_zero());
            }
        }
    }

    fn put(&mut self, model: &mut Model, address: Address, to: (u64, U256, B256)) {
        let (nonce, balance, code_hash) = to;
        let account = Account {
            nonce,
            balance,
            code_hash,
            ..Account::default()
        };
        self.state.set_account(&address, Some(account)).unwrap();
        model.accounts.insert(address, to);
    }

    pub fn unwind(&mut self, height: u64) {
        self.store.unwind_to(height).unwrap();
        self.models.truncate(height as usize + 1);
        self.hashes.truncate(height as usize + 1);
        self.state.reset(self.models[height as usize].root());
    }
}

/// Compares the view at a height with its model, value by value.
pub fn check_view(store: &Store, models: &[Model], hashes: &[B256], height: u64) {
    let view = store.view(Some(height)).unwrap();
    let model = &models[height as usize];
    assert_eq!(
        (view.height(), view.hash()),
        (height, hashes[height as usize])
    );
    for number in 0..ACCOUNTS {
        let address = address(number);
        let account = view.account(&address).unwrap();
        let plain = account.map(|account| (account.nonce, account.balance, account.code_hash));
        assert_eq!(
            plain,
            model.accounts.get(&address).copied(),
            "{address} at {height}"
        );
        for slot in (0..12).map(U256::from) {
            let wanted = model
                .slots
                .get(&(address, slot))
                .copied()
                .unwrap_or_default();
            assert_eq!(
                view.slot(&address, &slot).unwrap(),
                wanted,
                "{address} {slot} at {height}"
            );
        }
    }
    for number in 0..ACCOUNTS {
        let address = address(number);
        let range = (address, U256::ZERO)..=(address, U256::MAX);
        let wanted: Vec<U256> = model
            .slots
            .range(range)
            .map(|((_, slot), _)| *slot)
            .collect();
        assert_eq!(view.slots(&address).unwrap(), wanted);
    }
    for index in 0..20 {
        assert_eq!(
            view.forced(index).unwrap(),
            model.forced.get(&index).cloned()
        );
    }
    for (at, hash) in (0u64..).zip(hashes) {
        let inside = at <= height;
        assert_eq!(view.block_hash_at(at).unwrap(), inside.then_some(*hash));
        assert_eq!(view.height_of(hash).unwrap(), inside.then_some(at));
        assert_eq!(
            view.find_transaction(&keccak256(hash)).unwrap(),
            inside.then_some((at, 0))
        );
        assert_eq!(
            view.book_index(&Address::from_word(*hash)).unwrap(),
            inside.then_some(at)
        );
        assert_eq!(
            view.book_address(at).unwrap(),
            inside.then(|| Address::from_word(*hash))
        );
    }
    let root = view.sealed_header(height).unwrap().unwrap().state_root;
    assert_eq!(root, model.root());
}
