//! Shows: views on other threads are right while blocks are sealed, committed and unwound and the map grows.
mod workload;

use alloy_primitives::B256;
use bedroll_store::{Store, StoreError, StoreOptions};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use workload::{address, check_view, Chain, Rng, ACCOUNTS};

fn open(folder: &Path, map_size_bytes: usize) -> Result<Store, StoreError> {
    let options = StoreOptions {
        map_size_bytes,
        sync: false,
    };
    Store::open(folder, B256::ZERO, options)
}

#[test]
fn blocks_may_be_sealed_while_others_become_durable() {
    let folder = tempfile::tempdir().unwrap();
    let mut chain = Chain::new(open(folder.path(), 1 << 18).unwrap(), Rng::new(13));
    chain.grow();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let (store, done) = (chain.store.clone(), &done);
        let committer = scope.spawn(move || {
            let mut durable = 0;
            while !done.load(Ordering::Relaxed) {
                store.commit().unwrap();
                let (height, _) = store.durable_tip().unwrap();
                assert!(height >= durable);
                durable = height;
            }
        });
        for round in 0..200 {
            chain.grow();
            if round % 9 == 0 {
                chain.state.trim(10);
            }
        }
        done.store(true, Ordering::Relaxed);
        committer.join().unwrap();
    });
    for height in (0..=chain.tip()).step_by(9) {
        check_view(&chain.store, &chain.models, &chain.hashes, height);
    }
    chain.unwind(50);
    check_view(&chain.store, &chain.models, &chain.hashes, 50);
}

#[test]
fn readers_on_other_threads_see_whole_blocks_while_the_writer_works() {
    let folder = tempfile::tempdir().unwrap();
    let mut chain = Chain::new(open(folder.path(), 1 << 30).unwrap(), Rng::new(12));
    chain.grow();
    chain.store.commit().unwrap();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let readers: Vec<_> = (0..3)
            .map(|_| {
                let (store, done) = (chain.store.clone(), &done);
                scope.spawn(move || {
                    let mut looks = 0;
                    while !done.load(Ordering::Relaxed) {
                        let view = store.view(None).unwrap();
                        // A view proves all it shows: its nodes, flat values and header belong to one block.
                        let header = view.sealed_header(view.height()).unwrap().unwrap();
                        assert_eq!(header.hash, view.hash());
                        for number in 0..4 {
                            let account = view.account(&address(number)).unwrap();
                            let proof = view.proof(&address(number), &[]).unwrap();
                            assert_eq!(proof.account, account);
                        }
                        looks += 1;
                    }
                    looks
                })
            })
            .collect();
        for round in 0..150 {
            match round % 10 {
                9 => {
                    let height = chain.tip().saturating_sub(3);
                    chain.unwind(height);
                }
                3 | 6 => chain.store.commit().unwrap(),
                _ => chain.grow(),
            }
        }
        done.store(true, Ordering::Relaxed);
        for reader in readers {
            assert!(reader.join().unwrap() > 0);
        }
    });
}

#[test]
fn views_open_and_stay_right_while_the_map_grows() {
    let folder = tempfile::tempdir().unwrap();
    let mut chain = Chain::new(open(folder.path(), 1 << 18).unwrap(), Rng::new(14));
    for _ in 0..10 {
        chain.grow();
    }
    chain.store.commit().unwrap();
    let (models, hashes) = (chain.models.clone(), chain.hashes.clone());
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for reader in 0..3 {
            let (store, done, models, hashes) = (chain.store.clone(), &done, &models, &hashes);
            scope.spawn(move || {
                let mut height = reader;
                while !done.load(Ordering::Relaxed) {
                    let view = store.view(Some(height as u64)).unwrap();
                    assert_eq!(view.hash(), hashes[height]);
                    for number in 0..ACCOUNTS {
                        let account = view.account(&address(number)).unwrap();
                        let balance = account.map(|account| account.balance);
                        let known = models[height].accounts.get(&address(number));
                        assert_eq!(balance, known.map(|known| known.1));
                    }
                    height = (height + 1) % models.len();
                }
            });
        }
        for _ in 0..150 {
            chain.grow();
            chain.store.commit().unwrap();
        }
        done.store(true, Ordering::Relaxed);
    });
    let size = std::fs::metadata(folder.path().join("data.mdb"))
        .unwrap()
        .len();
    assert!(size > 1 << 20, "the file has {size} bytes");
}
