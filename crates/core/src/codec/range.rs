//! The entropy stage: one binary range coder with carry (docs/spec/da.md#entropy-stage).
//!
//! Reads: decisions with their probability, or bytes. Gives: bytes, or the decisions.
//! Never: fails on hostile bytes; what was read past the end is known afterwards.

use alloc::vec::Vec;

use crate::compact::Invalid;

const RENORMAL: u32 = 1 << 24;
/// More was read than there is.
pub const EXHAUSTED: Invalid = Invalid("entropy section is truncated");

/// Both directions of the coder, so that every model is written once.
///
/// A writer takes the value that it is given and returns it; a reader ignores what it is given and returns what it read.
pub trait Coder {
    /// Whether values come from bytes.
    const READS: bool;

    /// One decision; `one` is the probability of `true` in 65,536ths, 32 to 65,504.
    fn bit(&mut self, one: u32, bit: bool) -> bool;

    /// `count` ≤ 16 decisions that no model knows anything about, highest first.
    fn direct(&mut self, count: u32, value: u32) -> u32;

    /// Where in `0..total` the symbol lies that is to be read. Writers answer 0.
    fn target(&mut self, total: u32) -> u32;

    /// Whether more was read than there is.
    fn is_exhausted(&self) -> bool;

    /// Take the symbol `start..start + size` of `0..total`, total < 2^17.
    fn span(&mut self, start: u32, size: u32, total: u32);
}

#[inline]
fn share(range: u32, one: u32) -> u32 {
    ((u64::from(range) * u64::from(one)) >> 16) as u32
}

/// Writes decisions.
pub struct Writer {
    low: u64,
    range: u32,
    held: u8,
    held_ones: usize,
    first: bool,
    out: Vec<u8>,
}

impl Writer {
    /// Nothing written yet.
    pub const fn new() -> Self {
        Self {
            low: 0,
            range: u32::MAX,
            held: 0,
            held_ones: 0,
            first: true,
            out: Vec::new(),
        }
    }

    /// The bytes.
    pub fn finish(mut self) -> Vec<u8> {
        for _ in 0..5 {
            self.shift();
        }
        self.out
    }

    #[inline]
    fn shift(&mut self) {
        let carry = (self.low >> 32) as u8;
        if carry != 0 || self.low < 0xff00_0000 {
            // The first held byte is always zero and is left out.
            if !self.first {
                self.out.push(self.held.wrapping_add(carry));
            }
            self.first = false;
            for _ in 0..self.held_ones {
                self.out.push(0xff_u8.wrapping_add(carry));
            }
            self.held_ones = 0;
            self.held = (self.low >> 24) as u8;
        } else {
            self.held_ones += 1;
        }
        self.low = (self.low & 0x00ff_ffff) << 8;
    }

    #[inline]
    fn renormalise(&mut self) {
        while self.range < RENORMAL {
            self.range <<= 8;
            self.shift();
        }
    }
}

impl Coder for Writer {
    const READS: bool = false;

    #[inline]
    fn bit(&mut self, one: u32, bit: bool) -> bool {
        let bound = share(self.range, one);
        if bit {
            self.range = bound;
        } else {
            self.low += u64::from(bound);
            self.range -= bound;
        }
        self.renormalise();
        bit
    }

    #[inline]
    fn direct(&mut self, count: u32, value: u32) -> u32 {
        self.range >>= count;
        self.low += u64::from(self.range) * u64::from(value);
        self.renormalise();
        value
    }

    #[inline]
    fn target(&mut self, _total: u32) -> u32 {
        0
    }

    fn is_exhausted(&self) -> bool {
        false
    }

    #[inline]
    fn span(&mut self, start: u32, size: u32, total: u32) {
        let unit = self.range / total;
        self.low += u64::from(unit) * u64::from(start);
        self.range = unit * size;
        self.renormalise();
    }
}

/// Reads decisions.
pub struct Reader<'a> {
    code: u32,
    range: u32,
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// Begin.
    pub fn new(bytes: &'a [u8]) -> Self {
        let mut reader = Self {
            code: 0,
            range: u32::MAX,
            bytes,
            at: 0,
        };
        for _ in 0..4 {
            reader.code = reader.code << 8 | reader.next();
        }
        reader
    }

    /// All bytes were read, none was missing.
    ///
    /// # Errors
    /// One or the other.
    pub fn finish(&self) -> Result<(), Invalid> {
        if self.at == self.bytes.len() {
            Ok(())
        } else {
            Err(Invalid("entropy section has another length"))
        }
    }

    #[inline]
    fn next(&mut self) -> u32 {
        let byte = self.bytes.get(self.at).copied().unwrap_or_default();
        self.at += 1;
        u32::from(byte)
    }

    #[inline]
    fn renormalise(&mut self) {
        while self.range < RENORMAL {
            self.range <<= 8;
            self.code = self.code << 8 | self.next();
        }
    }
}

impl Coder for Reader<'_> {
    const READS: bool = true;

    #[inline]
    fn bit(&mut self, one: u32, _bit: bool) -> bool {
        let bound = share(self.range, one);
        let bit = self.code < bound;
        if bit {
            self.range = bound;
        } else {
            self.code -= bound;
            self.range -= bound;
        }
        self.renormalise();
        bit
    }

    #[inline]
    fn direct(&mut self, count: u32, _value: u32) -> u32 {
        self.range >>= count;
        let value = (self.code / self.range).min((1 << count) - 1);
        self.code -= value * self.range;
        self.renormalise();
        value
    }

    fn is_exhausted(&self) -> bool {
        self.at > self.bytes.len()
    }

    #[inline]
    fn target(&mut self, total: u32) -> u32 {
        (self.code / (self.range / total)).min(total - 1)
    }

    #[inline]
    fn span(&mut self, start: u32, size: u32, total: u32) {
        let unit = self.range / total;
        self.code -= unit * start;
        self.range = unit * size;
        self.renormalise();
    }
}
