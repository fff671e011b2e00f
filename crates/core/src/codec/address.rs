//! Addresses: by how often they came in this batch, by their index in the AddressBook, or as they are.
//!
//! Reads and gives: addresses through a [`Coder`]. Never: asks the book beyond its length at the parent.

use alloc::vec::Vec;

use alloy_primitives::map::AddressMap;
use alloy_primitives::Address;

use super::model::{direct, Bit, Integer, Symbol};
use super::range::Coder;
use super::ChainView;
use crate::compact::Invalid;

/// What an address is there for; each role counts on its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Signs the transaction.
    Sender = 0,
    /// Is called or paid.
    Recipient = 1,
    /// Stands in calldata, an access list or an authorisation.
    Mentioned = 2,
}

/// Most weight in a table; then all weights are halved, which also favours what came lately.
const WEIGHT_MAX: u32 = 1 << 16;

/// How often each known address came, as sums that are found in logarithmic time (a Fenwick tree).
#[derive(Clone, Debug, Default)]
struct Frequency {
    weights: Vec<u32>,
    sums: Vec<u32>,
    total: u32,
}

impl Frequency {
    fn weight(&self, id: usize) -> u32 {
        self.weights.get(id).copied().unwrap_or_default()
    }

    /// Count one more appearance: the first weighs 1, others 2.
    fn count(&mut self, id: usize) {
        while self.weights.len() <= id {
            self.append();
        }
        let more = if self.weights[id] == 0 { 1 } else { 2 };
        self.weights[id] += more;
        self.add(id, more);
        if self.total >= WEIGHT_MAX {
            self.halve();
        }
    }

    fn append(&mut self) {
        let place = self.sums.len() + 1;
        let lowest = place & place.wrapping_neg();
        let mut sum = 0;
        let mut below = place - 1;
        while below > place - lowest {
            sum += self.sums[below - 1];
            below -= below & below.wrapping_neg();
        }
        self.sums.push(sum);
        self.weights.push(0);
    }

    fn add(&mut self, id: usize, more: u32) {
        let mut place = id + 1;
        while place <= self.sums.len() {
            self.sums[place - 1] += more;
            place += place & place.wrapping_neg();
        }
        self.total += more;
    }

    fn halve(&mut self) {
        let weights = core::mem::take(&mut self.weights);
        self.sums.clear();
        self.total = 0;
        for (id, weight) in weights.into_iter().enumerate() {
            self.append();
            let half = weight.div_ceil(2);
            self.weights[id] = half;
            self.add(id, half);
        }
    }

    /// Weights before `id`.
    fn before(&self, id: usize) -> u32 {
        let mut sum = 0;
        let mut place = id;
        while place > 0 {
            sum += self.sums[place - 1];
            place -= place & place.wrapping_neg();
        }
        sum
    }

    /// The address whose span holds `target`.
    fn find(&self, target: u32) -> usize {
        let mut place = 0;
        let mut left = target;
        let mut step = self
            .sums
            .len()
            .checked_ilog2()
            .map_or(0, |log| 1_usize << log);
        while step > 0 {
            if place + step <= self.sums.len() && self.sums[place + step - 1] <= left {
                place += step;
                left -= self.sums[place - 1];
            }
            step >>= 1;
        }
        place
    }

    fn code<C: Coder>(&self, coder: &mut C, id: usize) -> Result<usize, Invalid> {
        if self.total == 0 {
            return Err(Invalid("no address came before"));
        }
        let id = if C::READS {
            self.find(coder.target(self.total))
        } else {
            id
        };
        coder.span(self.before(id), self.weight(id), self.total);
        Ok(id)
    }
}

/// Where an address comes from.
const OWN: u32 = 0;
const OTHER_ROLE: u32 = 1;
const BOOK: u32 = 2;
const LITERAL: u32 = 3;

/// The column of addresses.
pub struct Addresses {
    /// Whether roles count apart; where senders and recipients are the same crowd, together is shorter.
    apart: bool,
    known: Vec<Address>,
    /// Of `known`; only writers ask.
    ids: AddressMap<u32>,
    together: Frequency,
    roles: [Frequency; 3],
    sources: [Symbol<2>; 3],
    indices: Integer,
}

impl Addresses {
    /// Nothing known.
    pub fn new(apart: bool) -> Self {
        Self {
            apart,
            known: Vec::new(),
            ids: AddressMap::default(),
            together: Frequency::default(),
            roles: Default::default(),
            sources: [Symbol::new(), Symbol::new(), Symbol::new()],
            indices: Integer::new(),
        }
    }

    /// The address of an id that [`Addresses::code`] gave.
    pub fn address(&self, id: usize) -> Address {
        self.known[id]
    }

    /// The id of an address that came before; writers only.
    pub fn id(&self, address: &Address) -> Option<usize> {
        self.ids.get(address).map(|id| *id as usize)
    }

    /// Whether an address costs less than its 20 bytes; writers only.
    pub fn knows<V: ChainView>(&self, view: &V, address: &Address) -> bool {
        self.ids.contains_key(address) || view.book_index(address).is_some()
    }

    /// Code one address; returns its id in this batch.
    ///
    /// # Errors
    /// An index beyond the book, or a repeat of nothing.
    pub fn code<C: Coder, V: ChainView>(
        &mut self,
        coder: &mut C,
        view: &V,
        role: Role,
        address: Address,
    ) -> Result<usize, Invalid> {
        let mut source = LITERAL;
        let mut id = 0;
        let mut index = 0;
        if !C::READS {
            if let Some(known) = self.id(&address) {
                id = known;
                let own = self.apart && self.roles[role as usize].weight(id) > 0;
                source = if own { OWN } else { OTHER_ROLE };
            } else if let Some(found) = view.book_index(&address) {
                index = found;
                source = BOOK;
            }
        }
        source = self.sources[role as usize].code(coder, source);
        id = match source {
            OWN => self.roles[role as usize].code(coder, id)?,
            OTHER_ROLE => self.together.code(coder, id)?,
            BOOK => {
                let index = self.indices.code(coder, u64::from(index))?;
                let found = u32::try_from(index)
                    .ok()
                    .and_then(|index| view.book_address(index));
                self.learn::<C>(found.ok_or(Invalid("index is beyond the book"))?)
            }
            _ => {
                let address = literal(coder, address);
                self.learn::<C>(address)
            }
        };
        self.together.count(id);
        if self.apart {
            self.roles[role as usize].count(id);
        }
        Ok(id)
    }

    fn learn<C: Coder>(&mut self, address: Address) -> usize {
        let id = self.known.len();
        self.known.push(address);
        if !C::READS {
            self.ids.insert(address, id as u32);
        }
        id
    }
}

/// 20 bytes as they are.
fn literal<C: Coder>(coder: &mut C, address: Address) -> Address {
    let mut read = [0; 20];
    for (to, from) in read.chunks_exact_mut(4).zip(address.chunks_exact(4)) {
        let part = u32::from_be_bytes([from[0], from[1], from[2], from[3]]);
        to.copy_from_slice(&(direct(coder, 32, u64::from(part)) as u32).to_be_bytes());
    }
    Address::from(read)
}

/// A decision under one of a few contexts.
#[derive(Clone, Debug)]
pub struct Flag<const CONTEXTS: usize>([Bit; CONTEXTS]);

impl<const CONTEXTS: usize> Flag<CONTEXTS> {
    /// Nothing known.
    pub const fn new() -> Self {
        Self([Bit::NEW; CONTEXTS])
    }

    /// Code it.
    pub fn code<C: Coder>(&mut self, coder: &mut C, context: usize, bit: bool) -> bool {
        self.0[context].code(coder, bit)
    }
}
