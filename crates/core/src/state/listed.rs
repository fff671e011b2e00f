//! Who is known to be in the AddressBook without a look at its slots.
use super::{State, StateError, StateSource};
use crate::hook::book_slots;
use alloc::vec::Vec;
use alloy_primitives::{map::AddressSet, Address, B256, U256};

impl<S: StateSource> State<S> {
    /// Those of the addresses, each once, that the source does not know to be in the AddressBook at `book`, with their slots there.
    /// It hears that all will be in it.
    ///
    /// # Errors
    /// The source cannot tell.
    pub(crate) fn unlisted(
        &self,
        book: &Address,
        addresses: impl Iterator<Item = Address>,
    ) -> Result<Vec<(Address, U256)>, StateError> {
        let mut seen = AddressSet::default();
        let mut named: Vec<Address> = addresses.filter(|address| seen.insert(*address)).collect();
        let all = named.clone();
        // Of those that the block met, as it met most, the hashes are known.
        let met = |address: &Address| Some((*address, self.accounts.get(address)?.key));
        let accounts: Vec<(Address, B256)> = named.iter().filter_map(met).collect();
        let listed = self.source.listed(book, &accounts)?;
        let mut known = accounts.iter().zip(listed).peekable();
        named.retain(|address| {
            let own = known.next_if(|((met, _), _)| met == address);
            !own.is_some_and(|(_, listed)| listed)
        });
        self.source.list(book, all);
        let slots = book_slots(&named);
        Ok(named.into_iter().zip(slots).collect())
    }
}
