//! Who is known to be in the AddressBook without a look at its slots.
use super::{State, StateError, StateSource};
use crate::hook::book_slots;
use alloc::vec::Vec;
use alloy_primitives::{map::AddressSet, Address, B256, U256};

impl<S: StateSource> State<S> {
    /// Those of the addresses, each once, that are not known to be in the AddressBook at `book`, with their slots there. The source
    /// hears that all will be in it.
    ///
    /// # Errors
    /// The source cannot tell.
    pub(crate) fn unlisted(
        &mut self,
        book: &Address,
        addresses: impl Iterator<Item = Address>,
    ) -> Result<Vec<(Address, U256)>, StateError> {
        let mut seen = AddressSet::default();
        let named: Vec<Address> = addresses.filter(|address| seen.insert(*address)).collect();
        // Most were met in the block, so that their hashes are known.
        let asked = named.iter().filter_map(|address| {
            let cached = self.accounts.get(address)?;
            (cached.listed != Some(*book)).then_some((*address, cached.key))
        });
        let asked: Vec<(Address, B256)> = asked.collect();
        let listed = self.source.listed(book, &asked)?;
        for ((address, _), _) in asked.iter().zip(listed).filter(|(_, listed)| *listed) {
            if let Some(cached) = self.accounts.get_mut(address) {
                cached.listed = Some(*book);
            }
        }
        let unknown = |address: &&Address| {
            let cached = self.accounts.get(*address);
            cached.is_none_or(|cached| cached.listed != Some(*book))
        };
        let unlisted: Vec<Address> = named.iter().filter(unknown).copied().collect();
        self.source.list(book, named);
        let slots = book_slots(&unlisted);
        Ok(unlisted.into_iter().zip(slots).collect())
    }
}
