//! Shows: an import whose steps end anywhere, and which keeps next to nothing of the trie in memory between them, comes
//! to the root of the plain trie.
use super::*;
use bedroll_core::trie::NoSource;

/// Accounts enough for many to share five nibbles and more with a neighbour.
const ACCOUNTS: u64 = 6_000;

fn addresses() -> Vec<Address> {
    (0..ACCOUNTS)
        .map(|number| Address::from_word(keccak256(number.to_be_bytes())))
        .collect()
}

/// Every hundredth account has slots.
fn slots_of(number: u64) -> Vec<U256> {
    let count = if number.is_multiple_of(100) { 40 } else { 0 };
    (1..=count).map(U256::from).collect()
}

fn storage_root(slots: &[U256]) -> B256 {
    let mut trie = Trie::new();
    for slot in slots {
        let key = keccak256(slot.to_be_bytes::<32>());
        trie.insert(&key, &alloy_rlp::encode(slot), &NoSource)
            .unwrap();
    }
    trie.root()
}

#[test]
fn steps_of_an_import_may_end_between_any_two_accounts() {
    let folder = tempfile::tempdir().unwrap();
    let mut import = Import::begin(folder.path(), B256::ZERO, [7; 16], 0, B256::ZERO).unwrap();
    (import.step_rows, import.kept_nodes) = (7, 20);
    let (mut chunk, mut model) = (Vec::new(), Trie::new());
    for (number, address) in (0u64..).zip(addresses()) {
        let slots = slots_of(number);
        let account = Account {
            nonce: number,
            storage_root: storage_root(&slots),
            ..Account::default()
        };
        put_carried(
            &mut chunk,
            Table::Account,
            address.as_slice(),
            &account.to_flat(),
        );
        for slot in &slots {
            let key = [address.as_slice(), &slot.to_be_bytes::<32>()].concat();
            put_carried(
                &mut chunk,
                Table::Slot,
                &key,
                &slot.to_be_bytes_trimmed_vec(),
            );
        }
        let key = keccak256(address);
        model.insert(&key, &account.to_rlp(), &NoSource).unwrap();
    }
    import.put_chunk(&chunk).unwrap();
    while import.build_tries().unwrap().is_some() {}
    assert_eq!(import.root(), Some(model.root()));
}
