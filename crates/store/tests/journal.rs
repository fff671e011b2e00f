//! Shows: what a commit appended to the journal is there after a death, whole records only, whatever was torn or left
//! from before; and that LMDB takes it in time.
mod workload;

use alloy_primitives::B256;
use bedroll_core::state::State;
use bedroll_store::{Store, StoreError, StoreOptions};
use std::fs;
use std::path::Path;
use workload::{check_view, Chain, Rng};

fn open(folder: &Path) -> Result<Store, StoreError> {
    let options = StoreOptions {
        map_size_bytes: 1 << 26,
        sync: false,
    };
    Store::open(folder, B256::ZERO, options)
}

/// What a death would leave: the files as they are now, and nothing of the process.
fn left_by(folder: &Path) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    for name in ["data.mdb", "journal"] {
        fs::copy(folder.join(name), copy.path().join(name)).unwrap();
    }
    fs::create_dir(copy.path().join("accounts")).unwrap();
    for entry in fs::read_dir(folder.join("accounts")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap();
        fs::copy(&path, copy.path().join("accounts").join(name)).unwrap();
    }
    copy
}

fn database(folder: &Path) -> Vec<u8> {
    fs::read(folder.join("data.mdb")).unwrap()
}

/// A chain with a block in LMDB, and the length of the journal after each of some commits of the next ones.
fn chain_in_journal(folder: &Path, seed: u64, blocks: usize) -> (Chain, Vec<usize>) {
    let mut chain = Chain::new(open(folder).unwrap(), Rng::new(seed));
    chain.grow();
    chain.store.commit().unwrap();
    let mut ends = Vec::new();
    let before = database(folder);
    for _ in 0..blocks {
        chain.grow();
        chain.store.commit().unwrap();
        assert_eq!(chain.store.durable_tip(), chain.store.tip());
        let bytes = fs::read(folder.join("journal")).unwrap();
        ends.push(bytes.iter().rposition(|byte| *byte != 0).unwrap() + 1);
    }
    assert!(database(folder) == before, "LMDB was written");
    (chain, ends)
}

#[test]
fn a_torn_record_is_left_out_and_all_before_it_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let (chain, ends) = chain_in_journal(folder.path(), 3, 4);
    let whole = fs::read(folder.path().join("journal")).unwrap();
    // A record may end in zeros, which the end found above does not count.
    for cut in (0..*ends.last().unwrap()).step_by(97) {
        let torn = left_by(folder.path());
        let mut bytes = whole.clone();
        bytes[cut..].fill(0x5a);
        fs::write(torn.path().join("journal"), &bytes).unwrap();
        let store = open(torn.path()).unwrap();
        let (tip, _) = store.durable_tip().unwrap();
        let most = ends.iter().filter(|end| **end <= cut).count() as u64;
        assert!(
            tip == most || tip + 1 == most,
            "cut at {cut}: {tip} of {most}"
        );
        check_view(&store, &chain.models, &chain.hashes[..=tip as usize], tip);
    }
    for byte in (0..*ends.last().unwrap()).step_by(61) {
        let torn = left_by(folder.path());
        let mut bytes = whole.clone();
        bytes[byte] ^= 1;
        fs::write(torn.path().join("journal"), &bytes).unwrap();
        let (tip, _) = open(torn.path()).unwrap().durable_tip().unwrap();
        assert!(ends.get(tip as usize).is_some_and(|end| byte < *end + 64));
    }
}

#[test]
fn what_was_unwound_does_not_come_back_from_the_journal() {
    for seed in 1..=8 {
        let folder = tempfile::tempdir().unwrap();
        let (mut chain, _) = chain_in_journal(folder.path(), seed, 6);
        chain.unwind(2);
        let left = left_by(folder.path());
        assert_eq!(open(left.path()).unwrap().durable_tip(), chain.store.tip());
        // Shorter blocks than before leave records of the old chain behind them.
        for _ in 0..3 {
            chain.grow();
            chain.store.commit().unwrap();
            let left = left_by(folder.path());
            let store = open(left.path()).unwrap();
            assert_eq!(store.durable_tip(), chain.store.tip(), "seed {seed}");
            for height in 0..=chain.tip() {
                check_view(&store, &chain.models, &chain.hashes, height);
            }
        }
    }
}

#[test]
fn a_chain_goes_on_from_its_journal_and_back_below_it() {
    let folder = tempfile::tempdir().unwrap();
    let (chain, _) = chain_in_journal(folder.path(), 5, 9);
    let (models, hashes) = (chain.models.clone(), chain.hashes.clone());
    drop(chain);
    let store = open(folder.path()).unwrap();
    let state = State::new(models.last().unwrap().root(), store.tip_source());
    let mut chain = Chain {
        store,
        state,
        models,
        hashes,
        rng: Rng::new(6),
    };
    chain.grow();
    chain.store.commit().unwrap();
    chain.unwind(1);
    check_view(&chain.store, &chain.models, &chain.hashes, 1);
}

#[test]
fn the_journal_stays_short_and_no_old_state_is_lost_to_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut chain = Chain::new(open(folder.path()).unwrap(), Rng::new(11));
    for _ in 0..400 {
        chain.grow();
        chain.store.commit().unwrap();
    }
    let length = fs::metadata(folder.path().join("journal")).unwrap().len();
    assert!(length <= 4 << 20, "{length}");
    for height in (0..=chain.tip()).step_by(7) {
        check_view(&chain.store, &chain.models, &chain.hashes, height);
    }
    let left = left_by(folder.path());
    assert_eq!(open(left.path()).unwrap().durable_tip(), chain.store.tip());
    // To prune, LMDB must have the block.
    let tip = chain.tip();
    chain.store.prune(tip).unwrap();
    assert_eq!(chain.store.oldest_state().unwrap(), tip);
    check_view(&chain.store, &chain.models, &chain.hashes, tip);
}
