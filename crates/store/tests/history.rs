//! Shows: views at all kept heights hold what a plain model holds, whatever was committed, unwound, pruned, evicted
//! or reopened before; roots equal those of tries built from nothing.
mod workload;

use alloy_primitives::{keccak256, B256, U256};
use bedroll_core::state::State;
use bedroll_store::{Store, StoreError, StoreOptions};
use workload::{address, check_view, Chain, Rng, ACCOUNTS};

const UNSYNCED: StoreOptions = StoreOptions {
    map_size_bytes: 1 << 30,
    sync: false,
};

fn open(folder: &std::path::Path) -> Store {
    Store::open(folder, B256::ZERO, UNSYNCED).unwrap()
}

fn check_all(chain: &Chain) {
    let oldest = chain.store.oldest_state().unwrap();
    for height in oldest..=chain.tip() {
        check_view(&chain.store, &chain.models, &chain.hashes, height);
    }
}

/// Every account and slot of a state, however old, has a proof that leads to its root and says its value.
fn check_past_proofs(chain: &Chain, height: u64) {
    let view = chain.store.view(Some(height)).unwrap();
    let model = &chain.models[height as usize];
    let mut known = None;
    for number in 0..ACCOUNTS {
        let address = address(number);
        let slots: Vec<U256> = (0..12).map(U256::from).collect();
        let (proof, past) = view
            .past_proof(&address, &slots, 10_000, known.take())
            .unwrap();
        known = past;
        let leading = proof.nodes.first().map(keccak256);
        assert_eq!(
            leading.unwrap_or(bedroll_core::trie::EMPTY_ROOT),
            model.root()
        );
        let found = proof.account.map(|one| (one.nonce, one.balance));
        let wanted = model.accounts.get(&address);
        assert_eq!(found, wanted.map(|wanted| (wanted.0, wanted.1)));
        let root = proof.account.unwrap_or_default().storage_root;
        for of_slot in &proof.slots {
            let wanted = model.slots.get(&(address, of_slot.slot));
            assert_eq!(of_slot.value, wanted.copied().unwrap_or_default());
            let leading = of_slot.nodes.first().map(keccak256);
            assert_eq!(leading.unwrap_or(bedroll_core::trie::EMPTY_ROOT), root);
        }
    }
}

/// Every account and slot of the newest state has a proof that leads to its root.
fn check_proofs(chain: &Chain) {
    let view = chain.store.view(None).unwrap();
    let root = chain.models[chain.tip() as usize].root();
    for number in 0..ACCOUNTS {
        let slots: Vec<U256> = (0..12).map(U256::from).collect();
        let proof = view.proof(&address(number), &slots).unwrap();
        let leading = proof.nodes.first().map(keccak256);
        assert_eq!(leading.unwrap_or(bedroll_core::trie::EMPTY_ROOT), root);
    }
}

#[test]
fn views_at_all_kept_heights_equal_the_model() {
    for seed in 1..=12 {
        let folder = tempfile::tempdir().unwrap();
        let mut chain = Chain::new(open(folder.path()), Rng::new(seed));
        chain.grow();
        for _ in 0..60 {
            match chain.rng.below(12) {
                0..=5 => chain.grow(),
                6 | 7 => chain.store.commit().unwrap(),
                8 => {
                    let oldest = chain.store.oldest_state().unwrap();
                    let height = oldest + chain.rng.below(chain.tip() - oldest + 1);
                    chain.unwind(height);
                }
                9 => chain.state.trim(20),
                10 => {
                    let durable = chain.store.durable_tip().map_or(0, |(height, _)| height);
                    let oldest = chain.store.oldest_state().unwrap();
                    if durable > oldest + 6 {
                        chain.store.prune(oldest + chain.rng.below(3)).unwrap();
                    }
                }
                _ => {
                    check_proofs(&chain);
                    let oldest = chain.store.oldest_state().unwrap();
                    let height = oldest + chain.rng.below(chain.tip() - oldest + 1);
                    check_past_proofs(&chain, height);
                }
            }
        }
        check_all(&chain);
        chain.store.commit().unwrap();
        check_all(&chain);
        check_proofs(&chain);
        check_past_proofs(&chain, chain.store.oldest_state().unwrap());
        let Chain {
            store,
            state,
            models,
            hashes,
            rng,
        } = chain;
        drop((store, state));
        let store = open(folder.path());
        let state = State::new(models.last().unwrap().root(), store.tip_source());
        let mut chain = Chain {
            store,
            state,
            models,
            hashes,
            rng,
        };
        check_all(&chain);
        chain.grow();
        chain.grow();
        check_all(&chain);
    }
}

#[test]
fn an_open_view_does_not_change() {
    let folder = tempfile::tempdir().unwrap();
    let mut chain = Chain::new(open(folder.path()), Rng::new(77));
    for _ in 0..10 {
        chain.grow();
    }
    chain.store.commit().unwrap();
    chain.grow();
    let (models, hashes) = (chain.models.clone(), chain.hashes.clone());
    let view = chain.store.view(Some(9)).unwrap();
    let newest = chain.store.view(None).unwrap();
    chain.store.commit().unwrap();
    chain.unwind(2);
    for _ in 0..12 {
        chain.grow();
    }
    chain.store.commit().unwrap();
    assert_eq!((view.hash(), newest.hash()), (hashes[9], hashes[10]));
    for number in 0..ACCOUNTS {
        let address = address(number);
        for (view, model) in [(&view, &models[9]), (&newest, &models[10])] {
            let balance = view
                .account(&address)
                .unwrap()
                .map(|account| account.balance);
            assert_eq!(balance, model.accounts.get(&address).map(|known| known.1));
        }
    }
}

#[test]
fn heights_outside_the_kept_ones_are_refused_with_the_limit() {
    let folder = tempfile::tempdir().unwrap();
    let mut chain = Chain::new(open(folder.path()), Rng::new(5));
    assert!(matches!(chain.store.view(None), Err(StoreError::Empty)));
    for _ in 0..10 {
        chain.grow();
    }
    assert!(matches!(
        chain.store.prune(4),
        Err(StoreError::AboveTip { height: 4, tip: 0 })
    ));
    chain.store.commit().unwrap();
    chain.store.prune(4).unwrap();
    assert_eq!(chain.store.oldest_state().unwrap(), 4);
    let low = StoreError::BelowOldest {
        height: 3,
        oldest: 4,
    }
    .to_string();
    assert_eq!(chain.store.view(Some(3)).unwrap_err().to_string(), low);
    assert_eq!(chain.store.unwind_to(3).unwrap_err().to_string(), low);
    let high = StoreError::AboveTip { height: 10, tip: 9 }.to_string();
    assert_eq!(chain.store.view(Some(10)).unwrap_err().to_string(), high);
    assert_eq!(chain.store.unwind_to(10).unwrap_err().to_string(), high);
    check_all(&chain);
}

#[test]
fn hundreds_of_blocks_are_pruned_and_unwound() {
    let folder = tempfile::tempdir().unwrap();
    let mut chain = Chain::new(open(folder.path()), Rng::new(8));
    for height in 0..700 {
        chain.grow();
        if height % 150 == 149 {
            chain.store.commit().unwrap();
        }
    }
    chain.store.commit().unwrap();
    chain.store.prune(300).unwrap();
    assert_eq!(chain.store.oldest_state().unwrap(), 300);
    let check = |chain: &Chain, height| {
        check_view(&chain.store, &chain.models, &chain.hashes, height);
    };
    for height in [300, 301, 450, 699] {
        check(&chain, height);
    }
    chain.unwind(500);
    chain.grow();
    chain.unwind(300);
    check(&chain, 300);
    check_proofs(&chain);
    chain.grow();
    chain.store.commit().unwrap();
    chain.store.prune(301).unwrap();
    check(&chain, 301);
}

#[test]
fn a_proof_that_would_put_back_too_much_is_refused_with_the_limit() {
    let folder = tempfile::tempdir().unwrap();
    let mut chain = Chain::new(open(folder.path()), Rng::new(9));
    for _ in 0..30 {
        chain.grow();
    }
    chain.store.commit().unwrap();
    let view = chain.store.view(Some(2)).unwrap();
    let error = view.past_proof(&address(1), &[], 3, None).unwrap_err();
    assert!(matches!(
        error,
        StoreError::TooFarBack {
            height: 2,
            limit: 3
        }
    ));
    view.past_proof(&address(1), &[], 60, None).unwrap();
}
