//! Shows: an import whose steps end anywhere, and which keeps next to nothing of the trie in memory between them, comes
//! to the root of the plain trie.
use super::*;
use crate::carry::put_carried;
use alloy_primitives::U256;
use bedroll_core::trie::NoSource;

/// Accounts enough for many to share five nibbles and more with a neighbour.
const ACCOUNTS: u64 = 6_000;

fn addresses() -> Vec<Address> {
    (0..ACCOUNTS)
        .map(|number| Address::from_word(keccak256(number.to_be_bytes())))
        .collect()
}

const BOOK: Address = Address::repeat_byte(0xbb);

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
    let mut import =
        Import::begin(folder.path(), B256::ZERO, [7; 16], (0, B256::ZERO), BOOK).unwrap();
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

#[test]
fn an_import_knows_who_is_in_the_address_book_if_its_slots_came_before() {
    let addresses: Vec<Address> = addresses().into_iter().take(500).collect();
    let slots = book_slots(&addresses[..300]);
    let [of_slots, of_accounts] = [&mut Vec::new(), &mut Vec::new()];
    for slot in &slots {
        let key = [BOOK.as_slice(), &slot.to_be_bytes::<32>()].concat();
        put_carried(of_slots, Table::Slot, &key, &[1]);
    }
    let flat = Account::default().to_flat();
    for address in &addresses {
        put_carried(of_accounts, Table::Account, address.as_slice(), &flat);
    }
    for (chunks, wanted) in [
        (vec![&*of_slots, of_accounts], 300),
        (vec![&[&of_slots[..], of_accounts].concat()], 300),
        (vec![&*of_accounts, of_slots], 0),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let mut import =
            Import::begin(folder.path(), B256::ZERO, [7; 16], (0, B256::ZERO), BOOK).unwrap();
        for chunk in chunks {
            import.put_chunk(chunk).unwrap();
        }
        let rows = import.store.shared.near.newest();
        let rows = rows.accounts_after(None, 1_000).unwrap();
        assert_eq!(rows.len(), addresses.len());
        let listed = rows.iter().filter(|row| row.listed);
        let listed: Vec<&Address> = listed.map(|row| &row.address).collect();
        assert_eq!(listed.len(), wanted);
        assert!(listed.iter().all(|one| addresses[..300].contains(one)));
    }
}
