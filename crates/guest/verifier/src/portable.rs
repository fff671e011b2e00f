//! The two products for any machine: what `arithmetic.s` does, in Rust.

use crate::field::LIMBS;
use crate::number::{Number, BITS, MASK, Q};

/// Products are split at this bit: the high part then comes from one multiplication of a factor shifted by `SHIFT`.
const SPLIT: u32 = 27;
const SHIFT: u32 = 32 - SPLIT;
/// −1/q modulo 2^26.
const NEGATIVE_INVERSE: i32 = 8_807_305;

/// A column of products: their sum modulo 2^32, and the sum of their quotients by 2^27, each rounded down. Together
/// they give the sum itself as long as no more than 31 products are in it, which costs four instructions a product.
struct Column {
    low: i32,
    high: i32,
}

impl Column {
    #[inline(always)]
    const fn of(carry: i32) -> Self {
        Self {
            low: carry,
            high: carry >> SPLIT,
        }
    }

    /// Adds a · b; `shifted` is a · 2^5.
    #[inline(always)]
    fn add(&mut self, a: i32, shifted: i32, b: i32) {
        self.low = self.low.wrapping_add(a.wrapping_mul(b));
        let product = i64::from(shifted) * i64::from(b);
        self.high = self.high.wrapping_add((product >> 32) as i32);
    }

    /// The limb of this column and the carry into the next one.
    #[inline(always)]
    const fn close(self) -> (i32, i32) {
        let rest = self.low.wrapping_sub(self.high << SPLIT) as u32;
        let carry = (self.high << (SPLIT - BITS)).wrapping_add((rest >> BITS) as i32);
        (rest as i32 & MASK, carry)
    }
}

macro_rules! unrolled {
    ($name:ident, $body:block, $($value:literal)*) => {
        $({
            const $name: usize = $value;
            $body
        })*
    };
}

/// Adds the products that belong to column K of `a · b`.
#[inline(always)]
#[allow(clippy::absurd_extreme_comparisons)] // unrolled: I is 0 once
fn convolve<const K: usize>(column: &mut Column, a: &[i32; LIMBS], b: &[i32; LIMBS]) {
    unrolled!(I, {
        if I <= K && K < LIMBS + I {
            column.add(a[I], a[I] << SHIFT, b[K - I]);
        }
    }, 0 1 2 3 4 5 6 7 8 9);
}

/// The Montgomery reduction of whatever `products` puts into the 19 columns, given column by column.
macro_rules! reduce {
    ($products:ident) => {{
        let q = &Q;
        let mut m = [0; LIMBS];
        let mut result = [0; LIMBS];
        let mut carry = 0;
        unrolled!(K, {
            let mut column = Column::of(carry);
            $products!(K, column);
            unrolled!(I, {
                if I < K {
                    column.add(m[I], m[I] << SHIFT, q[K - I]);
                }
            }, 0 1 2 3 4 5 6 7 8 9);
            m[K] = column.low.wrapping_mul(NEGATIVE_INVERSE) & MASK;
            column.add(m[K], m[K] << SHIFT, q[0]);
            carry = column.close().1;
        }, 0 1 2 3 4 5 6 7 8 9);
        unrolled!(K, {
            let mut column = Column::of(carry);
            $products!(K, column);
            convolve::<K>(&mut column, &m, q);
            (result[K - LIMBS], carry) = column.close();
        }, 10 11 12 13 14 15 16 17 18);
        result[LIMBS - 1] = carry;
        Number(result)
    }};
}

/// a · b / R.
#[inline(never)]
pub fn product(a: &[i32; LIMBS], b: &[i32; LIMBS]) -> Number {
    macro_rules! products {
        ($k:ident, $column:ident) => {
            convolve::<$k>(&mut $column, a, b)
        };
    }
    reduce!(products)
}

/// (a · b + c · d) / R.
#[inline(never)]
pub fn cross(a: &[i32; LIMBS], b: &[i32; LIMBS], c: &[i32; LIMBS], d: &[i32; LIMBS]) -> Number {
    macro_rules! products {
        ($k:ident, $column:ident) => {
            convolve::<$k>(&mut $column, a, b);
            convolve::<$k>(&mut $column, c, d)
        };
    }
    reduce!(products)
}
