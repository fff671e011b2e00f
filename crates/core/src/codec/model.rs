//! Adaptive models of single columns: decisions, small symbols, integers, decimal amounts, repeats.
//!
//! Reads and gives: values through a [`Coder`], the same code in both directions.
//! Never: depends on anything but the values before (docs/spec/da.md#models).

use alloc::{vec, vec::Vec};

use alloy_primitives::U256;

use super::range::Coder;
use crate::compact::Invalid;

/// After so many decisions a model forgets as fast as it learns.
const MEMORY: u8 = 127;
/// 65,536 / (n + 1.5): how far the n-th decision moves the estimate.
const STEP: [i32; 128] = steps();

const fn steps() -> [i32; 128] {
    let mut table = [0; 128];
    let mut n = 0;
    while n < 128 {
        table[n] = (131_072 / (2 * n + 3)) as i32;
        n += 1;
    }
    table
}

/// One decision: probability of `true`, and how often it was met.
#[derive(Clone, Copy, Debug)]
pub struct Bit {
    one: u16,
    met: u8,
}

impl Bit {
    /// Nothing known.
    pub const NEW: Self = Self {
        one: 32_768,
        met: 0,
    };

    /// Code one decision.
    #[inline]
    pub fn code<C: Coder>(&mut self, coder: &mut C, bit: bool) -> bool {
        let bit = coder.bit(self.probability(), bit);
        self.learn(bit, MEMORY);
        bit
    }

    /// Of `true`, in 65,536ths, 32 to 65,504.
    #[inline]
    pub fn probability(self) -> u32 {
        u32::from(self.one).clamp(32, 65_504)
    }

    /// Move towards what came.
    #[inline]
    pub fn learn(&mut self, bit: bool, memory: u8) {
        let goal = if bit { 65_535 } else { 0 };
        let moved = ((goal - i32::from(self.one)) * (STEP[usize::from(self.met)] >> 1)) >> 15;
        self.one = (i32::from(self.one) + moved) as u16;
        if self.met < memory {
            self.met += 1;
        }
    }
}

/// A symbol of `BITS` bits, highest first, each bit under the ones before it.
#[derive(Clone, Debug)]
pub struct Symbol<const BITS: u32> {
    nodes: Vec<Bit>,
}

impl<const BITS: u32> Symbol<BITS> {
    /// Nothing known.
    pub fn new() -> Self {
        Self {
            nodes: vec![Bit::NEW; 1 << BITS],
        }
    }

    /// Code one symbol below 2^BITS.
    #[inline]
    pub fn code<C: Coder>(&mut self, coder: &mut C, symbol: u32) -> u32 {
        walk::<BITS, C>(&mut self.nodes, coder, symbol)
    }
}

/// Walks a tree of bit models, its root at 1.
#[inline]
fn walk<const BITS: u32, C: Coder>(nodes: &mut [Bit], coder: &mut C, symbol: u32) -> u32 {
    let mut node = 1_usize;
    for place in (0..BITS).rev() {
        let bit = nodes[node].code(coder, symbol >> place & 1 == 1);
        node = node << 1 | usize::from(bit);
    }
    node as u32 - (1 << BITS)
}

/// Symbols of `BITS` bits, one for each context. Together, because a proved program pays for every allocation.
#[derive(Clone, Debug)]
pub struct Symbols<const BITS: u32> {
    nodes: Vec<Bit>,
}

impl<const BITS: u32> Symbols<BITS> {
    /// Nothing known in any of `contexts` contexts.
    pub fn new(contexts: usize) -> Self {
        Self {
            nodes: vec![Bit::NEW; contexts << BITS],
        }
    }

    /// Code one symbol below 2^BITS.
    #[inline]
    pub fn code<C: Coder>(&mut self, context: usize, coder: &mut C, symbol: u32) -> u32 {
        let nodes = &mut self.nodes[context << BITS..(context + 1) << BITS];
        walk::<BITS, C>(nodes, coder, symbol)
    }
}

/// Up to 64 equiprobable bits.
pub fn direct<C: Coder>(coder: &mut C, count: u32, value: u64) -> u64 {
    let mut read = 0;
    let mut left = count;
    while left > 0 {
        let part = left.min(16);
        left -= part;
        let bits = coder.direct(part, (value >> left & ((1 << part) - 1)) as u32);
        read = read << part | u64::from(bits);
    }
    read
}

/// An integer: its length in bits, then the three bits after the highest one under that length, then the rest as it is.
#[derive(Clone, Debug)]
pub struct Integer {
    length: Symbol<7>,
    head: Symbols<3>,
}

impl Integer {
    /// Nothing known.
    pub fn new() -> Self {
        Self {
            length: Symbol::new(),
            head: Symbols::new(65),
        }
    }

    /// Code one integer.
    ///
    /// # Errors
    /// A length above 64.
    #[inline]
    pub fn code<C: Coder>(&mut self, coder: &mut C, value: u64) -> Result<u64, Invalid> {
        let length = self.length.code(coder, 64 - value.leading_zeros());
        if length > 64 {
            return Err(Invalid("integer is too long"));
        }
        if length < 2 {
            return Ok(u64::from(length));
        }
        let tail = length - 1;
        let headed = tail.min(3);
        let rest = tail - headed;
        // Short heads use the high places, so the low ones are always zero and cost nothing.
        let symbol = self.head.code(
            length as usize,
            coder,
            ((value >> rest) as u32 & ((1 << headed) - 1)) << (3 - headed),
        );
        let symbol = u64::from(symbol >> (3 - headed));
        Ok((1 << headed | symbol) << rest | direct(coder, rest, value))
    }

    /// Code a difference: small ones of either sign are short.
    ///
    /// # Errors
    /// As [`Integer::code`].
    pub fn code_signed<C: Coder>(&mut self, coder: &mut C, value: i64) -> Result<i64, Invalid> {
        let folded = self.code(coder, (value << 1 ^ value >> 63) as u64)?;
        Ok((folded >> 1) as i64 ^ -((folded & 1) as i64))
    }
}

/// An amount as people write it: how many digits, how many of them before the zeros, and those.
#[derive(Clone, Debug)]
pub struct Decimal {
    magnitude: Symbol<7>,
    significant: Symbol<7>,
    digits: Symbols<4>,
}

const DIGITS_MAX: u32 = 78;

impl Decimal {
    /// Nothing known.
    pub fn new() -> Self {
        Self {
            magnitude: Symbol::new(),
            significant: Symbol::new(),
            digits: Symbols::new(64),
        }
    }

    /// Code one amount.
    ///
    /// # Errors
    /// Digits that are none, or an amount above 2^256 − 1.
    #[inline]
    pub fn code<C: Coder>(&mut self, coder: &mut C, value: U256) -> Result<U256, Invalid> {
        const BEYOND: Invalid = Invalid("amount is above 2^256 - 1");
        let mut digits = [0_u8; DIGITS_MAX as usize];
        let (mut magnitude, mut significant) = (0, 0);
        if !C::READS {
            (magnitude, significant) = split(value, &mut digits);
        }
        magnitude = self.magnitude.code(coder, magnitude);
        if magnitude == 0 {
            return Ok(U256::ZERO);
        }
        if magnitude > DIGITS_MAX {
            return Err(BEYOND);
        }
        significant = self.significant.code(coder, significant);
        if significant == 0 || significant > magnitude {
            return Err(Invalid("amount has an impossible count of digits"));
        }
        let mut read = U256::ZERO;
        for place in 0..significant {
            let context = (significant.min(7) * 8 + place.min(7)) as usize;
            let digit = u32::from(digits[place as usize]);
            let digit = self.digits.code(context, coder, digit);
            if digit > 9 {
                return Err(Invalid("amount has an impossible digit"));
            }
            read = read
                .checked_mul(U256::from(10))
                .and_then(|read| read.checked_add(U256::from(digit)))
                .ok_or(BEYOND)?;
        }
        let zeros = U256::from(10).pow(U256::from(magnitude - significant));
        read.checked_mul(zeros).ok_or(BEYOND)
    }
}

/// Digits of a value, highest first; how many, and how many before the zeros at the end.
fn split(value: U256, digits: &mut [u8; DIGITS_MAX as usize]) -> (u32, u32) {
    let mut reversed = [0_u8; DIGITS_MAX as usize + 19];
    let mut count = 0;
    let mut limbs = value.into_limbs();
    while limbs != [0; 4] {
        let mut rest = 0_u128;
        for limb in limbs.iter_mut().rev() {
            let part = rest << 64 | u128::from(*limb);
            *limb = (part / 10_u128.pow(19)) as u64;
            rest = part % 10_u128.pow(19);
        }
        for digit in &mut reversed[count..count + 19] {
            *digit = (rest % 10) as u8;
            rest /= 10;
        }
        count += 19;
    }
    while count > 0 && reversed[count - 1] == 0 {
        count -= 1;
    }
    let zeros = reversed[..count]
        .iter()
        .take_while(|digit| **digit == 0)
        .count();
    for (digit, from) in digits.iter_mut().zip(reversed[..count].iter().rev()) {
        *digit = *from;
    }
    (count as u32, (count - zeros) as u32)
}

/// Amounts that repeat: the last 31 different ones by place, others as decimals.
#[derive(Clone, Debug)]
pub struct Repeated {
    slot: Symbol<5>,
    values: Vec<U256>,
    next: usize,
    other: Decimal,
}

const SLOTS: usize = 31;

impl Repeated {
    /// Nothing known.
    pub fn new() -> Self {
        Self {
            slot: Symbol::new(),
            values: Vec::new(),
            next: 0,
            other: Decimal::new(),
        }
    }

    /// Code one amount.
    ///
    /// # Errors
    /// As [`Decimal::code`], or a place that is still empty.
    #[inline]
    pub fn code<C: Coder>(&mut self, coder: &mut C, value: U256) -> Result<U256, Invalid> {
        let place = if C::READS {
            None
        } else {
            self.values.iter().position(|known| *known == value)
        };
        let place = self.slot.code(coder, place.unwrap_or(SLOTS) as u32) as usize;
        if place < SLOTS {
            return self
                .values
                .get(place)
                .copied()
                .ok_or(Invalid("place is empty"));
        }
        let value = self.other.code(coder, value)?;
        if self.values.len() < SLOTS {
            self.values.push(value);
        } else {
            self.values[self.next] = value;
            self.next = (self.next + 1) % SLOTS;
        }
        Ok(value)
    }

    /// Code an amount that must fit 64 bits.
    ///
    /// # Errors
    /// As [`Repeated::code`], or it does not fit.
    pub fn code_u64<C: Coder>(&mut self, coder: &mut C, value: u64) -> Result<u64, Invalid> {
        let value = self.code(coder, U256::from(value))?;
        u64::try_from(value).map_err(|_| Invalid("amount is above 2^64 - 1"))
    }

    /// Code an amount that must fit 128 bits.
    ///
    /// # Errors
    /// As [`Repeated::code`], or it does not fit.
    pub fn code_u128<C: Coder>(&mut self, coder: &mut C, value: u128) -> Result<u128, Invalid> {
        let value = self.code(coder, U256::from(value))?;
        u128::try_from(value).map_err(|_| Invalid("amount is above 2^128 - 1"))
    }

    /// Whether an amount would be a repeat.
    pub fn knows(&self, value: u128) -> bool {
        self.values.contains(&U256::from(value))
    }
}
