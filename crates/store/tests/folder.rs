//! Shows: a folder belongs to one process and one chain; the map grows under readers; nothing outlives a closed store.
mod workload;

use alloy_primitives::B256;
use bedroll_store::{Store, StoreError, StoreOptions};
use std::path::Path;
use workload::{address, check_view, Chain, Rng, ACCOUNTS};

fn open(folder: &Path, map_size_bytes: usize) -> Result<Store, StoreError> {
    let options = StoreOptions {
        map_size_bytes,
        sync: false,
    };
    Store::open(folder, B256::repeat_byte(1), options)
}

#[test]
fn a_second_open_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let first = open(folder.path(), 1 << 24).unwrap();
    let error = open(folder.path(), 1 << 24).unwrap_err();
    assert!(matches!(&error, StoreError::Held { path } if path == folder.path()));
    assert!(error.to_string().contains(folder.path().to_str().unwrap()));
    drop(first);
    open(folder.path(), 1 << 24).unwrap();
}

#[test]
fn views_end_with_their_store_and_leave_the_folder_free() {
    let folder = tempfile::tempdir().unwrap();
    let mut chain = Chain::new(open(folder.path(), 1 << 24).unwrap(), Rng::new(1));
    chain.grow();
    chain.store.commit().unwrap();
    let view = chain.store.view(None).unwrap();
    drop(chain);
    let error = view.account(&address(1)).unwrap_err();
    assert!(matches!(error, StoreError::Closed));
    open(folder.path(), 1 << 24).unwrap();
}

#[test]
fn a_foreign_genesis_is_refused_with_both_hashes() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(folder.path(), 1 << 24).unwrap());
    let other = B256::repeat_byte(2);
    let error = Store::open(folder.path(), other, StoreOptions::default()).unwrap_err();
    let StoreError::ForeignGenesis { stored, wanted, .. } = &error else {
        panic!("{error}");
    };
    assert_eq!((*stored, *wanted), (B256::repeat_byte(1), other));
    let text = error.to_string();
    assert!(text.contains(&stored.to_string()) && text.contains(&wanted.to_string()));
    open(folder.path(), 1 << 24).unwrap();
}

#[test]
fn a_newer_schema_is_refused_with_both_versions() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(folder.path(), 1 << 24).unwrap());
    write_schema_version(folder.path(), bedroll_store::SCHEMA_VERSION + 1);
    let error = open(folder.path(), 1 << 24).unwrap_err();
    let newer = bedroll_store::SCHEMA_VERSION + 1;
    assert!(matches!(
        error,
        StoreError::NewerSchema { stored, known, .. }
            if stored == newer && known == bedroll_store::SCHEMA_VERSION
    ));
    write_schema_version(folder.path(), bedroll_store::SCHEMA_VERSION);
    open(folder.path(), 1 << 24).unwrap();
}

/// Writes the row `schema` of the table `meta` with LMDB alone.
fn write_schema_version(folder: &Path, version: u32) {
    use heed::types::Bytes;
    let mut options = heed::EnvOpenOptions::new();
    // SAFETY: the test's own folder, which no store has open.
    let env = unsafe { options.max_dbs(1).map_size(1 << 24).open(folder).unwrap() };
    let mut txn = env.write_txn().unwrap();
    let meta: heed::Database<Bytes, Bytes> = env.create_database(&mut txn, Some("meta")).unwrap();
    meta.put(&mut txn, b"schema", &version.to_be_bytes())
        .unwrap();
    txn.commit().unwrap();
    env.prepare_for_closing().wait();
}

#[test]
fn a_file_that_is_no_store_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("data.mdb"), [0x5a; 20_000]).unwrap();
    assert!(matches!(
        open(folder.path(), 1 << 24),
        Err(StoreError::Lmdb(_))
    ));
}

#[test]
fn a_map_beyond_the_address_space_is_refused_with_its_size() {
    let folder = tempfile::tempdir().unwrap();
    let error = open(folder.path(), 1 << 62).unwrap_err();
    assert!(
        matches!(error, StoreError::MapTooLarge { bytes } if bytes == 1 << 62),
        "{error}"
    );
}

#[test]
fn a_file_that_was_cut_off_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut chain = Chain::new(open(folder.path(), 1 << 24).unwrap(), Rng::new(1));
    for _ in 0..20 {
        chain.grow();
    }
    chain.store.commit().unwrap();
    drop(chain);
    let path = folder.path().join("data.mdb");
    let file = std::fs::File::options().write(true).open(&path).unwrap();
    // Nothing is in the file's last megabytes.
    file.set_len(1 << 16).unwrap();
    let error = open(folder.path(), 1 << 24).unwrap_err();
    assert!(matches!(error, StoreError::Corrupt(_)), "{error}");
}

#[test]
fn the_map_grows_under_open_views() {
    let folder = tempfile::tempdir().unwrap();
    // Room for the empty tables and little more.
    let mut chain = Chain::new(open(folder.path(), 1 << 18).unwrap(), Rng::new(9));
    chain.grow();
    chain.store.commit().unwrap();
    let mut views = Vec::new();
    for round in 0..60 {
        chain.grow();
        if round % 2 == 0 {
            chain.store.commit().unwrap();
        }
        views.push(chain.store.view(None).unwrap());
    }
    chain.store.commit().unwrap();
    let size = std::fs::metadata(folder.path().join("data.mdb"))
        .unwrap()
        .len();
    assert!(size > 1 << 19, "the file has {size} bytes");
    for view in &views {
        let model = &chain.models[view.height() as usize];
        for number in 0..ACCOUNTS {
            let nonce = view
                .account(&address(number))
                .unwrap()
                .map(|account| account.nonce);
            let wanted = model.accounts.get(&address(number)).map(|known| known.0);
            assert_eq!(nonce, wanted, "height {}", view.height());
        }
    }
    for height in 0..=chain.tip() {
        check_view(&chain.store, &chain.models, &chain.hashes, height);
    }
    chain.unwind(1);
    let (models, hashes) = (chain.models.clone(), chain.hashes.clone());
    drop(chain);
    drop(views);
    // A smaller map than the file is not taken at its word.
    let store = open(folder.path(), 1 << 18).unwrap();
    check_view(&store, &models, &hashes, 1);
}

#[test]
fn a_view_of_a_replaced_block_says_so_after_the_map_grew() {
    let folder = tempfile::tempdir().unwrap();
    let mut chain = Chain::new(open(folder.path(), 1 << 18).unwrap(), Rng::new(10));
    for _ in 0..8 {
        chain.grow();
    }
    chain.store.commit().unwrap();
    let kept = chain.store.view(Some(2)).unwrap();
    let replaced = chain.store.view(Some(6)).unwrap();
    let kept_models = chain.models.clone();
    chain.unwind(3);
    for _ in 0..60 {
        chain.grow();
        chain.store.settle().unwrap();
    }
    let errors: Vec<bool> = (0..ACCOUNTS)
        .map(|number| {
            matches!(
                replaced.account(&address(number)),
                Err(StoreError::Stale { height: 6 })
            )
        })
        .collect();
    assert!(errors.iter().all(|stale| *stale));
    for number in 0..ACCOUNTS {
        let nonce = kept
            .account(&address(number))
            .unwrap()
            .map(|account| account.nonce);
        assert_eq!(
            nonce,
            kept_models[2]
                .accounts
                .get(&address(number))
                .map(|known| known.0)
        );
    }
}
