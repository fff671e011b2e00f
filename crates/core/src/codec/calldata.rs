//! Calldata: a selector and words, each place of each selector with its own habits; the rest as bytes.
//!
//! Reads and gives: calldata through a [`Coder`]. Never: knows an ABI beyond "words of 32 bytes".

use alloc::boxed::Box;
use alloc::vec::Vec;

use alloy_primitives::{Address, U256};

use super::address::{Addresses, Flag, Role};
use super::bytes::Bytes;
use super::model::{direct, Decimal, Integer, Symbol, Symbols};
use super::range::{Coder, EXHAUSTED};
use super::{Budget, ChainView};
use crate::compact::Invalid;

const WORD: usize = 32;
const SELECTOR: usize = 4;
/// Selectors that are remembered.
const TEMPLATES: usize = 255;
/// Places of a template that have habits of their own; later ones share the last.
const PLACES: usize = 16;
const DECIMALS: usize = 64;
const RECENT: usize = 63;

const NUMBER: u32 = 0;
const ADDRESS: u32 = 1;
const SAME: u32 = 2;
const BYTES: u32 = 3;
const REPEAT: u32 = 4;
const SENDER: u32 = 5;
const TIME: u32 = 6;

type Word = [u8; WORD];

/// A selector and its habits.
struct Template {
    selector: [u8; SELECTOR],
    last_size: usize,
    /// Gas limit of the last transaction with this selector.
    last_gas: u64,
    /// Class of the word at each place.
    classes: Symbols<3>,
    /// The word that stood last at each place.
    last: [Word; PLACES],
}

impl Template {
    fn new(selector: [u8; SELECTOR]) -> Self {
        Self {
            selector,
            last_size: SELECTOR,
            last_gas: 0,
            classes: Symbols::new(PLACES),
            last: [[0; WORD]; PLACES],
        }
    }
}

/// What surrounds a word.
pub struct Around<'a, V> {
    /// Where the book is.
    pub view: &'a V,
    /// Of the transaction.
    pub sender: Address,
    /// Of the block, seconds.
    pub timestamp: u64,
}

/// The columns of calldata.
pub struct Calldata {
    templates: Vec<Template>,
    next: usize,
    /// Template that each address of the batch was last called with.
    habits: Vec<Option<usize>>,
    habitual: Flag<2>,
    place: Symbol<8>,
    same_size: Flag<2>,
    sizes: Integer,
    raw: Flag<2>,
    raw_sizes: Integer,
    /// Each made with its first number.
    decimals: [Option<Box<Decimal>>; DECIMALS],
    recent: Vec<Word>,
    recent_next: usize,
    repeat: Symbol<6>,
    times: Integer,
    bytes: Bytes,
}

impl Calldata {
    /// Nothing known.
    pub fn new() -> Self {
        Self {
            templates: Vec::new(),
            next: 0,
            habits: Vec::new(),
            habitual: Flag::new(),
            place: Symbol::new(),
            same_size: Flag::new(),
            sizes: Integer::new(),
            raw: Flag::new(),
            raw_sizes: Integer::new(),
            decimals: [const { None }; DECIMALS],
            recent: Vec::new(),
            recent_next: 0,
            repeat: Symbol::new(),
            times: Integer::new(),
            bytes: Bytes::new(),
        }
    }

    fn decimal(&mut self, number: usize) -> &mut Decimal {
        self.decimals[number].get_or_insert_with(|| Box::new(Decimal::new()))
    }

    /// Gas limit that the template's last transaction had.
    pub fn last_gas(&mut self, template: usize) -> &mut u64 {
        &mut self.templates[template].last_gas
    }

    /// Code non-empty calldata of a call (`recipient` is its id) or a creation. Returns it and its template.
    ///
    /// # Errors
    /// What columns refuse, or more bytes than the batch declared.
    pub fn code<C: Coder, V: ChainView>(
        &mut self,
        coder: &mut C,
        addresses: &mut Addresses,
        around: &Around<'_, V>,
        recipient: Option<usize>,
        input: &[u8],
        budget: &mut Budget,
    ) -> Result<(Vec<u8>, Option<usize>), Invalid> {
        let creation = usize::from(recipient.is_none());
        let raw = recipient.is_none() || input.len() < SELECTOR;
        let raw = self.raw.code(coder, creation, raw);
        let Some(recipient) = recipient.filter(|_| !raw) else {
            let size = self.raw_sizes.code(coder, input.len() as u64)?;
            let size = budget.spend(size)?;
            return Ok((self.bytes.code(coder, size, input)?, None));
        };
        let template = self.selector(coder, recipient, input)?;
        let known = self.templates[template].last_size;
        let same = self.same_size.code(coder, 0, input.len() == known);
        let size = if same {
            known as u64
        } else {
            self.sizes.code(coder, input.len() as u64)?
        };
        let size = budget.spend(size)?;
        if size < SELECTOR {
            return Err(Invalid("calldata is shorter than its selector"));
        }
        self.templates[template].last_size = size;
        let mut read = Vec::with_capacity(size);
        read.extend_from_slice(&self.templates[template].selector);
        let words = (size - SELECTOR) / WORD;
        for place in 0..words {
            if coder.is_exhausted() {
                return Err(EXHAUSTED);
            }
            let at = SELECTOR + place * WORD;
            let word = input.get(at..at + WORD).unwrap_or_default();
            let word = self.word(coder, addresses, around, template, place, word)?;
            read.extend_from_slice(&word);
        }
        let tail = input.get(SELECTOR + words * WORD..).unwrap_or_default();
        let left = size - read.len();
        read.extend(self.bytes.code(coder, left, tail)?);
        Ok((read, Some(template)))
    }

    fn selector<C: Coder>(
        &mut self,
        coder: &mut C,
        recipient: usize,
        input: &[u8],
    ) -> Result<usize, Invalid> {
        if self.habits.len() <= recipient {
            self.habits.resize(recipient + 1, None);
        }
        let mut selector = [0; SELECTOR];
        if !C::READS {
            selector.copy_from_slice(&input[..SELECTOR]);
        }
        if let Some(habit) = self.habits[recipient] {
            let same = self.templates[habit].selector == selector;
            if self.habitual.code(coder, 0, same) {
                return Ok(habit);
            }
        }
        let known = self
            .templates
            .iter()
            .position(|template| template.selector == selector);
        let place = self.place.code(coder, known.unwrap_or(TEMPLATES) as u32) as usize;
        let template = if place < TEMPLATES {
            if place >= self.templates.len() {
                return Err(Invalid("selector was not seen before"));
            }
            place
        } else {
            let selector = direct(coder, 32, u64::from(u32::from_be_bytes(selector))) as u32;
            let template = Template::new(selector.to_be_bytes());
            if self.templates.len() < TEMPLATES {
                self.templates.push(template);
                self.templates.len() - 1
            } else {
                let place = self.next;
                self.next = (self.next + 1) % TEMPLATES;
                self.templates[place] = template;
                place
            }
        };
        self.habits[recipient] = Some(template);
        Ok(template)
    }

    fn word<C: Coder, V: ChainView>(
        &mut self,
        coder: &mut C,
        addresses: &mut Addresses,
        around: &Around<'_, V>,
        template: usize,
        place: usize,
        word: &[u8],
    ) -> Result<Word, Invalid> {
        let habit = place.min(PLACES - 1);
        let last = self.templates[template].last[habit];
        let mut given = [0; WORD];
        let mut class = 0;
        if !C::READS {
            given.copy_from_slice(word);
            class = self.classify(addresses, around, &given, &last);
        }
        class = (self.templates[template].classes).code(habit, coder, class);
        let value = U256::from_be_bytes(given);
        let read = match class {
            NUMBER => {
                let decimal = (template * PLACES + habit) % DECIMALS;
                self.decimal(decimal).code(coder, value)?.to_be_bytes()
            }
            ADDRESS => {
                let given = Address::from_slice(&given[12..]);
                let id = addresses.code(coder, around.view, Role::Mentioned, given)?;
                padded(&addresses.address(id))
            }
            SAME => last,
            BYTES => {
                let bytes = self.bytes.code(coder, WORD, &given)?;
                let mut read = [0; WORD];
                read.copy_from_slice(&bytes);
                self.remember(read);
                read
            }
            REPEAT => {
                let place = self.recent.iter().position(|known| *known == given);
                let place = self.repeat.code(coder, place.unwrap_or_default() as u32) as usize;
                *self
                    .recent
                    .get(place)
                    .ok_or(Invalid("word was not seen before"))?
            }
            SENDER => padded(&around.sender),
            TIME => {
                let near = value.saturating_to::<u64>().wrapping_sub(around.timestamp) as i64;
                let near = self.times.code_signed(coder, near)?;
                U256::from(around.timestamp.wrapping_add(near as u64)).to_be_bytes()
            }
            _ => return Err(Invalid("unknown class of word")),
        };
        self.templates[template].last[habit] = read;
        Ok(read)
    }

    /// The cheapest class of a word; writers only.
    fn classify<V: ChainView>(
        &self,
        addresses: &Addresses,
        around: &Around<'_, V>,
        word: &Word,
        last: &Word,
    ) -> u32 {
        let value = U256::from_be_bytes(*word);
        let length = value.bit_len();
        if word == last {
            return SAME;
        }
        if *word == padded(&around.sender) {
            return SENDER;
        }
        if self.recent.contains(word) {
            return REPEAT;
        }
        if length <= 64 && value.saturating_to::<u64>().abs_diff(around.timestamp) < 1 << 20 {
            return TIME;
        }
        if length <= 96 {
            return NUMBER;
        }
        if length <= 160 {
            let address = Address::from_slice(&word[12..]);
            let known = addresses.knows(around.view, &address);
            return if known || length > 144 {
                ADDRESS
            } else {
                NUMBER
            };
        }
        BYTES
    }

    fn remember(&mut self, word: Word) {
        if self.recent.len() < RECENT {
            self.recent.push(word);
        } else {
            self.recent[self.recent_next] = word;
            self.recent_next = (self.recent_next + 1) % RECENT;
        }
    }

    /// Code a word outside calldata: a storage key.
    ///
    /// # Errors
    /// What columns refuse.
    pub fn key<C: Coder>(
        &mut self,
        coder: &mut C,
        small: &mut Flag<2>,
        key: [u8; 32],
    ) -> Result<[u8; 32], Invalid> {
        let value = U256::from_be_bytes(key);
        if small.code(coder, 0, value.bit_len() <= 64) {
            let number = self.decimal(DECIMALS - 1).code(coder, value)?;
            return Ok(number.to_be_bytes());
        }
        let mut read = [0; WORD];
        read.copy_from_slice(&self.bytes.code(coder, WORD, &key)?);
        Ok(read)
    }
}

fn padded(address: &Address) -> Word {
    let mut word = [0; WORD];
    word[12..].copy_from_slice(address.as_slice());
    word
}
