//! What the core writes into predeploys itself, without a call, in their Vyper layout. Who is in the AddressBook a source may know
//! without a look at its slots (`state/listed.rs`).
use alloc::vec::Vec;

use alloy_primitives::{keccak256, Address, B256, U256};

use crate::forced::Queue;
use crate::state::{State, StateError, StateSource};
#[cfg(feature = "std")]
use crate::trie::hash_all;

/// Slot of the AddressBook's length.
const BOOK_LENGTH: U256 = U256::ZERO;
/// Slot of the AddressBook's map, address to index + 1.
const BOOK_ENTRIES: u64 = 1;

/// Storage slot of `HashMap[address, …]` at `slot` in Vyper's layout: keccak(slot ‖ key).
pub fn vyper_map_slot(slot: u64, key: Address) -> U256 {
    keccak256(map_preimage(slot, &key)).into()
}

fn map_preimage(slot: u64, key: &Address) -> [u8; 64] {
    let mut preimage = [0u8; 64];
    preimage[24..32].copy_from_slice(&slot.to_be_bytes());
    preimage[44..].copy_from_slice(key.as_slice());
    preimage
}

/// Slot of an address's entry in the AddressBook.
pub fn book_slot(address: Address) -> U256 {
    vyper_map_slot(BOOK_ENTRIES, address)
}

/// Index of an address in the AddressBook.
///
/// # Errors
/// The store's.
pub fn book_index<S: StateSource>(
    state: &mut State<S>,
    book: Address,
    address: Address,
) -> Result<Option<u64>, StateError> {
    let entry = state.slot(&book, &book_slot(address))?;
    Ok(entry.checked_sub(U256::from(1)).map(|index| index.to()))
}

/// How many addresses the AddressBook has.
///
/// # Errors
/// The store's.
pub fn book_length<S: StateSource>(state: &mut State<S>, book: Address) -> Result<u64, StateError> {
    Ok(state.slot(&book, &BOOK_LENGTH)?.to())
}

/// The addresses with their slots in the book.
#[cfg(not(feature = "std"))]
fn with_slots(addresses: impl Iterator<Item = Address>) -> impl Iterator<Item = (Address, U256)> {
    addresses.map(|address| (address, book_slot(address)))
}

/// Slots of addresses' entries in the AddressBook, hashed together.
#[cfg(feature = "std")]
pub fn book_slots(addresses: &[Address]) -> Vec<U256> {
    let preimages = addresses.iter().map(|one| map_preimage(BOOK_ENTRIES, one));
    let preimages: Vec<[u8; 64]> = preimages.collect();
    let messages: Vec<&[u8]> = preimages.iter().map(<[u8; 64]>::as_slice).collect();
    hash_all(&messages).into_iter().map(Into::into).collect()
}

/// Appends those of `addresses` that the book lacks, in order; gives the new ones.
///
/// # Errors
/// The store's.
pub fn extend_book<S: StateSource>(
    state: &mut State<S>,
    book: Address,
    addresses: impl Iterator<Item = Address>,
) -> Result<Vec<Address>, StateError> {
    let (first, mut added) = (book_length(state, book)?, Vec::new());
    let mut length = first;
    #[cfg(feature = "std")]
    let addresses = state.unlisted(&book, addresses)?;
    #[cfg(not(feature = "std"))]
    let addresses = with_slots(addresses);
    for (address, slot) in addresses {
        if state.slot(&book, &slot)?.is_zero() {
            length += 1;
            state.set_slot(&book, &slot, U256::from(length))?;
            added.push(address);
        }
    }
    if length != first {
        state.set_slot(&book, &BOOK_LENGTH, U256::from(length))?;
    }
    Ok(added)
}

/// The queue as the light client holds it: slots 0 to 3.
///
/// # Errors
/// The store's.
pub fn read_queue<S: StateSource>(
    state: &mut State<S>,
    light_client: Address,
) -> Result<Queue, StateError> {
    let mut word = |slot: u64| state.slot(&light_client, &U256::from(slot));
    Ok(Queue {
        acc: B256::from(word(0)?),
        enqueued: word(1)?.to(),
        done_acc: B256::from(word(2)?),
        done: word(3)?.to(),
    })
}

/// Writes the queue back.
///
/// # Errors
/// The store's.
pub fn write_queue<S: StateSource>(
    state: &mut State<S>,
    light_client: Address,
    queue: &Queue,
) -> Result<(), StateError> {
    let words = [
        queue.acc.into(),
        U256::from(queue.enqueued),
        queue.done_acc.into(),
        U256::from(queue.done),
    ];
    for (slot, word) in words.into_iter().enumerate() {
        state.set_slot(&light_client, &U256::from(slot), word)?;
    }
    Ok(())
}
