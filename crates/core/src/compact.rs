//! Reading bytes that may be hostile: a cursor that never reads past the end, and Bitcoin's compact sizes.
//!
//! Reads: a slice. Gives: sub-slices and integers. Never: allocates, panics.

use core::fmt;

/// A rule that the input breaks, in a few fixed words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Invalid(pub &'static str);

impl fmt::Display for Invalid {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.0)
    }
}

/// The input ended before what it promised.
pub const TRUNCATED: Invalid = Invalid("truncated");

/// A cursor over bytes. Integers are little-endian, as everywhere in Bitcoin.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// Begin at the first byte.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// Bytes read so far.
    #[must_use]
    pub const fn position(&self) -> usize {
        self.at
    }

    /// Bytes not yet read.
    #[must_use]
    pub const fn left(&self) -> usize {
        self.bytes.len() - self.at
    }

    /// The bytes between two positions that were already passed.
    #[must_use]
    pub fn passed(&self, from: usize, to: usize) -> &'a [u8] {
        &self.bytes[from..to]
    }

    /// The next `count` bytes.
    ///
    /// # Errors
    /// [`TRUNCATED`] if fewer are left.
    pub fn take(&mut self, count: usize) -> Result<&'a [u8], Invalid> {
        if count > self.left() {
            return Err(TRUNCATED);
        }
        let taken = &self.bytes[self.at..self.at + count];
        self.at += count;
        Ok(taken)
    }

    /// The next `N` bytes as an array.
    ///
    /// # Errors
    /// [`TRUNCATED`] if fewer are left.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], Invalid> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    /// All bytes that are left.
    pub fn rest(&mut self) -> &'a [u8] {
        let rest = &self.bytes[self.at..];
        self.at = self.bytes.len();
        rest
    }

    /// One byte.
    ///
    /// # Errors
    /// [`TRUNCATED`] at the end.
    pub fn u8(&mut self) -> Result<u8, Invalid> {
        Ok(self.array::<1>()?[0])
    }

    /// Two bytes.
    ///
    /// # Errors
    /// [`TRUNCATED`] if fewer are left.
    pub fn u16(&mut self) -> Result<u16, Invalid> {
        Ok(u16::from_le_bytes(self.array()?))
    }

    /// Four bytes.
    ///
    /// # Errors
    /// [`TRUNCATED`] if fewer are left.
    pub fn u32(&mut self) -> Result<u32, Invalid> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    /// Eight bytes.
    ///
    /// # Errors
    /// [`TRUNCATED`] if fewer are left.
    pub fn u64(&mut self) -> Result<u64, Invalid> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    /// A compact size in its shortest form.
    ///
    /// # Errors
    /// [`TRUNCATED`], or that a shorter form exists.
    pub fn compact(&mut self) -> Result<u64, Invalid> {
        let (value, least) = match self.u8()? {
            0xfd => (u64::from(self.u16()?), 0xfd),
            0xfe => (u64::from(self.u32()?), 0x1_0000),
            0xff => (self.u64()?, 0x1_0000_0000),
            small => (u64::from(small), 0),
        };
        if value < least {
            return Err(Invalid("compact size is not the shortest"));
        }
        Ok(value)
    }

    /// A compact size that counts things of at least `unit` bytes each: more than can be left is refused
    /// before anyone allocates.
    ///
    /// # Errors
    /// As [`Reader::compact`], and [`TRUNCATED`] for a count beyond the input.
    pub fn count(&mut self, unit: usize) -> Result<usize, Invalid> {
        let count = usize::try_from(self.compact()?).map_err(|_| TRUNCATED)?;
        match count.checked_mul(unit) {
            Some(size) if size <= self.left() => Ok(count),
            _ => Err(TRUNCATED),
        }
    }

    /// Bytes with a compact size before them.
    ///
    /// # Errors
    /// As [`Reader::compact`].
    pub fn sized(&mut self) -> Result<&'a [u8], Invalid> {
        let size = self.count(1)?;
        self.take(size)
    }

    /// Nothing may follow.
    ///
    /// # Errors
    /// If something does.
    pub fn end(&self) -> Result<(), Invalid> {
        if self.left() == 0 {
            Ok(())
        } else {
            Err(Invalid("trailing bytes"))
        }
    }
}
