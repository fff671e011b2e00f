//! What the pairing needs of a prime field, so that the same code runs on numbers and on bounds of numbers.

/// An element of the field of q elements, q the prime of BN254.
///
/// An element is *small* after `carried`, `reduced`, `mul`, `square`, `cross`, `select` of small ones and as a constant;
/// sums and differences are not. What an operation asks of its operands is shown by running the whole program on
/// bounds (`tests/bounds.rs`); nothing is checked at run time.
pub trait Field: Copy {
    /// 0.
    const ZERO: Self;
    /// 1.
    const ONE: Self;

    /// A constant that is known to be small and less than q.
    fn constant(limbs: [i32; LIMBS]) -> Self;
    /// The number that these 256 bits are, little-endian, and whether it is less than q.
    fn from_words(words: &[u32; 8]) -> (Self, Flag);
    /// a + b, limb by limb.
    fn add(&self, other: &Self) -> Self;
    /// a − b, limb by limb.
    fn sub(&self, other: &Self) -> Self;
    /// The same number with small limbs.
    fn carried(&self) -> Self;
    /// A number near 0 … q that equals this modulo q, with small limbs.
    fn reduced(&self) -> Self;
    /// a · b.
    fn mul(&self, other: &Self) -> Self;
    /// a · a.
    fn square(&self) -> Self;
    /// a · b + c · d.
    fn cross(a: &Self, b: &Self, c: &Self, d: &Self) -> Self;
    /// 9 · a, limb by limb.
    fn nine(&self) -> Self;
    /// Whether it is 0 modulo q.
    fn is_zero(&self) -> Flag;
    /// Whether it is above (q − 1) / 2 as a number less than q.
    fn is_high(&self) -> Flag;
    /// `a` where the flag is set, else `b`.
    fn select(flag: Flag, a: &Self, b: &Self) -> Self;
}

/// Limbs of an element.
pub const LIMBS: usize = 10;

/// A truth value that no branch is taken on: all bits, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flag(u32);

impl Flag {
    /// True.
    pub const SET: Self = Self(u32::MAX);

    /// Whether the lowest bit of `bit` is set.
    #[inline(always)]
    #[must_use]
    pub fn of(bit: u32) -> Self {
        Self((bit & 1).wrapping_neg())
    }

    /// Whether a number is 0.
    #[inline(always)]
    #[must_use]
    pub fn zero(word: u32) -> Self {
        Self::of(!(word | word.wrapping_neg()) >> 31)
    }

    /// Both.
    #[inline(always)]
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// One of them at least.
    #[inline(always)]
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Not.
    #[inline(always)]
    #[must_use]
    pub fn inverted(self) -> Self {
        Self(!self.0)
    }

    /// Exactly one of them.
    #[inline(always)]
    #[must_use]
    pub fn differs(self, other: Self) -> Self {
        Self(self.0 ^ other.0)
    }

    /// 1 or 0.
    #[inline(always)]
    #[must_use]
    pub fn bit(self) -> u32 {
        self.0 & 1
    }

    /// The mask, hidden from the compiler, which would make a branch of a choice between two values.
    #[inline(always)]
    #[must_use]
    pub fn mask(self) -> u32 {
        core::hint::black_box(self.0)
    }
}
