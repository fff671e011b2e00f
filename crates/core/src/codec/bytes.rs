//! Bytes that no column explains (code, strings, hashes): five contexts and a repeat, mixed bit by bit.
//!
//! Reads and gives: bytes through a [`Coder`]. Never: uses a float, or anything outside this batch.

use alloc::boxed::Box;
use alloc::{vec, vec::Vec};

use super::model::Bit;
use super::range::{Coder, EXHAUSTED};
use crate::compact::Invalid;

const CONTEXTS: usize = 5;
const INPUTS: usize = CONTEXTS + 1;
const LINE_BITS: u32 = 12;
/// Models of a line: half a byte's.
const LINE: usize = 16;
const MATCH_BITS: u32 = 16;
const PAGE_BITS: u32 = 6;
const MATCH_MIN: usize = 4;
const MATCH_MAX: usize = 31;
const MEMORY: u8 = 30;
/// A reader that has nothing left stops after so many bytes at most.
const CHECK_EVERY: usize = 256;
/// Starting weight of an input, in 65,536ths.
const WEIGHT: i32 = 20_000;
const MIX_STEP: i32 = 6;

/// 4,096 / (1 + e^(−x/256)) at x = −2,048, −1,920, …, 2,048.
const SQUASH: [i32; 33] = [
    1, 2, 3, 6, 10, 16, 27, 45, 73, 120, 194, 310, 488, 747, 1101, 1546, 2047, 2549, 2994, 3348,
    3607, 3785, 3901, 3975, 4024, 4050, 4068, 4079, 4085, 4089, 4092, 4093, 4094,
];

#[inline]
const fn squash(x: i32) -> i32 {
    if x > 2047 {
        return 4095;
    }
    if x < -2047 {
        return 0;
    }
    let at = ((x >> 7) + 16) as usize;
    let part = x & 127;
    (SQUASH[at] * (128 - part) + SQUASH[at + 1] * part + 64) >> 7
}

/// Inverse of [`squash`].
static STRETCH: [i16; 4096] = stretches();

const fn stretches() -> [i16; 4096] {
    let mut table = [0_i16; 4096];
    let mut filled = 0;
    let mut x = -2047;
    while x <= 2047 {
        let value = squash(x);
        while filled <= value {
            table[filled as usize] = x as i16;
            filled += 1;
        }
        x += 1;
    }
    while filled < 4096 {
        table[filled as usize] = 2047;
        filled += 1;
    }
    table
}

#[inline]
fn stretch(probability: u32) -> i32 {
    i32::from(STRETCH[(probability >> 4) as usize])
}

#[inline]
fn hash(seed: u32, context: u32) -> u32 {
    (context.wrapping_mul(0x2c1b_3c6d) ^ seed.wrapping_mul(0x297a_2d39)).wrapping_mul(0x9e37_79b1)
}

/// Place in a line: the bits of this half of the byte so far, behind a one.
#[inline]
const fn half(partial: u32) -> usize {
    let bits = 31 - partial.leading_zeros();
    let seen = bits % 4;
    ((1 << seen) | (partial & ((1 << seen) - 1))) as usize
}

/// What came before, and what it says about the next byte.
pub struct Bytes {
    /// Made with the first byte: most batches have none.
    state: Option<Box<State>>,
}

struct State {
    history: Vec<u8>,
    lines: Lines,
    matches: [Bit; MATCH_MAX + 1],
    last: Places,
    weights: [[i32; INPUTS]; 16],
    match_at: usize,
    match_length: usize,
}

/// Models by context and line; a line is made when it is first met. A proved program pays for each word that it fills,
/// and a short string meets a few of these 20,480 lines.
struct Lines {
    /// Line in `bits`, counted from 1.
    places: Vec<u16>,
    bits: Vec<Bit>,
}

impl Lines {
    fn new() -> Self {
        Self {
            places: vec![0; CONTEXTS << LINE_BITS],
            bits: Vec::new(),
        }
    }

    /// Where the line begins in `bits`.
    #[inline]
    fn find(&mut self, context: usize, line: usize) -> usize {
        let place = &mut self.places[context << LINE_BITS | line];
        if *place == 0 {
            self.bits.extend_from_slice(&[Bit::NEW; LINE]);
            *place = (self.bits.len() / LINE) as u16;
        }
        (usize::from(*place) - 1) * LINE
    }
}

/// Where each hash of four bytes was met last, 0 if nowhere; pages are made when they are first written.
struct Places {
    /// Page in `places`, counted from 1.
    pages: Vec<u16>,
    places: Vec<u32>,
}

impl Places {
    fn new() -> Self {
        Self {
            pages: vec![0; 1 << (MATCH_BITS - PAGE_BITS)],
            places: Vec::new(),
        }
    }

    fn get(&self, slot: usize) -> usize {
        match self.pages[slot >> PAGE_BITS] {
            0 => 0,
            page => self.places[place_of(page, slot)] as usize,
        }
    }

    fn set(&mut self, slot: usize, place: u32) {
        let page = &mut self.pages[slot >> PAGE_BITS];
        if *page == 0 {
            self.places.extend_from_slice(&[0; 1 << PAGE_BITS]);
            *page = (self.places.len() >> PAGE_BITS) as u16;
        }
        self.places[place_of(*page, slot)] = place;
    }
}

#[inline]
fn place_of(page: u16, slot: usize) -> usize {
    (usize::from(page) - 1) << PAGE_BITS | slot & ((1 << PAGE_BITS) - 1)
}

impl Bytes {
    /// Nothing known.
    pub const fn new() -> Self {
        Self { state: None }
    }

    /// Code `size` bytes.
    ///
    /// # Errors
    /// What is read ended long before.
    pub fn code<C: Coder>(
        &mut self,
        coder: &mut C,
        size: usize,
        bytes: &[u8],
    ) -> Result<Vec<u8>, Invalid> {
        let mut read = Vec::with_capacity(size);
        if size == 0 {
            return Ok(read);
        }
        let state = self.state.get_or_insert_with(|| Box::new(State::new()));
        for place in 0..size {
            if place % CHECK_EVERY == 0 && coder.is_exhausted() {
                return Err(EXHAUSTED);
            }
            let byte = bytes.get(place).copied().unwrap_or_default();
            read.push(state.code(coder, byte, place % 32));
        }
        Ok(read)
    }
}

impl State {
    fn new() -> Self {
        Self {
            history: Vec::new(),
            lines: Lines::new(),
            matches: [Bit::NEW; MATCH_MAX + 1],
            last: Places::new(),
            weights: [[WEIGHT; INPUTS]; 16],
            match_at: 0,
            match_length: 0,
        }
    }

    /// The byte `back` bytes ago, 0 before the first.
    #[inline]
    fn ago(&self, back: usize) -> u32 {
        let at = self.history.len().checked_sub(back);
        at.map_or(0, |at| u32::from(self.history[at]))
    }

    fn code<C: Coder>(&mut self, coder: &mut C, byte: u8, column: usize) -> u8 {
        let (one, two, three, four) = (self.ago(1), self.ago(2), self.ago(3), self.ago(4));
        let place = column as u32;
        let seeds = [
            hash(1, one),
            hash(2, two << 8 | one),
            hash(3, three << 16 | two << 8 | one),
            hash(4, four << 24 | three << 16 | two << 8 | one),
            hash(5, self.ago(32) << 8 | place),
        ];
        let expected = (self.match_length > 0).then(|| u32::from(self.history[self.match_at]));
        let weights = self.match_length.min(15);
        let mut partial = 1_u32;
        let mut slots = [0_usize; CONTEXTS];
        for bit_place in (0..8).rev() {
            if bit_place % 4 == 3 {
                // One line of 16 models a context and half a byte.
                for (context, (slot, seed)) in slots.iter_mut().zip(seeds).enumerate() {
                    let line =
                        seed.wrapping_add(partial.wrapping_mul(0x9e37_79b1)) >> (32 - LINE_BITS);
                    *slot = self.lines.find(context, line as usize);
                }
            }
            let guess = expected.filter(|expected| (expected | 256) >> (bit_place + 1) == partial);
            let guess = guess.map(|expected| expected >> bit_place & 1 == 1);
            let bit = self.bit(
                coder,
                byte >> bit_place & 1 == 1,
                &slots,
                half(partial),
                guess,
                weights,
            );
            partial = partial << 1 | u32::from(bit);
        }
        let byte = partial as u8;
        self.remember(byte);
        byte
    }

    #[inline]
    fn bit<C: Coder>(
        &mut self,
        coder: &mut C,
        bit: bool,
        lines: &[usize; CONTEXTS],
        node: usize,
        guess: Option<bool>,
        weights: usize,
    ) -> bool {
        let mut inputs = [0_i32; INPUTS];
        for context in 0..CONTEXTS {
            let model = self.lines.bits[lines[context] | node];
            inputs[context] = stretch(model.probability());
        }
        let length = self.match_length;
        if let Some(guess) = guess {
            let sure = stretch(self.matches[length].probability());
            inputs[CONTEXTS] = if guess { sure } else { -sure };
        }
        let weights = &mut self.weights[weights];
        let mut sum = 0_i64;
        for input in 0..INPUTS {
            sum += i64::from(inputs[input]) * i64::from(weights[input]);
        }
        let mixed = squash((sum >> 16).clamp(-2047, 2047) as i32);
        let bit = coder.bit((mixed as u32 * 16 + 8).clamp(32, 65_504), bit);
        let miss = ((i32::from(bit) << 12) - mixed) * MIX_STEP;
        for input in 0..INPUTS {
            let moved = weights[input] + ((inputs[input] * miss + 0x2000) >> 14);
            weights[input] = moved.clamp(-(1 << 20), 1 << 20);
        }
        for line in lines {
            self.lines.bits[line | node].learn(bit, MEMORY);
        }
        if let Some(guess) = guess {
            self.matches[length].learn(bit == guess, MEMORY);
        }
        bit
    }

    fn remember(&mut self, byte: u8) {
        if self.match_length > 0 && self.history[self.match_at] == byte {
            self.match_at += 1;
            self.match_length = (self.match_length + 1).min(MATCH_MAX);
        } else {
            self.match_length = 0;
        }
        self.history.push(byte);
        let size = self.history.len();
        if size < MATCH_MIN {
            return;
        }
        let recent = self.ago(4) << 24 | self.ago(3) << 16 | self.ago(2) << 8 | self.ago(1);
        let slot = (hash(6, recent) >> (32 - MATCH_BITS)) as usize;
        if self.match_length == 0 {
            self.match_at = self.last.get(slot);
            if self.match_at > 0 {
                let same = |back: &usize| {
                    self.history[self.match_at - 1 - back] == self.history[size - 1 - back]
                };
                self.match_length = (0..self.match_at.min(MATCH_MAX)).take_while(same).count();
            }
        }
        self.last.set(slot, size as u32);
    }
}
