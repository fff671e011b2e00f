//! No operation of the program overflows, whatever the input: the program run on bounds of its numbers.
//!
//! The control flow does not depend on values, so one run over intervals covers every run. Each operation asserts what
//! its machine words must hold; the intervals of its result follow from those of its operands.

use bedroll_verifier::constant::LINES;
use bedroll_verifier::field::{Field, Flag, LIMBS};
use bedroll_verifier::quadratic::Quadratic;
use bedroll_verifier::sextic::Sextic;
use bedroll_verifier::twelfth::Twelfth;
use bedroll_verifier::verify::{verify, Key, Statement};

/// Bits of a limb.
const BITS: u32 = 26;
/// q / 2^234.
const TOP: f64 = 792_851.612_187;
/// 2^260 / q.
const RADIX: f64 = 84.642_4;
/// The largest limb of q.
const LIMB_OF_Q: i64 = 41_985_761;
/// Where products are split.
const SPLIT: u32 = 27;

/// Bounds of limbs 0 to 8, and of the whole number in units of q.
#[derive(Clone, Copy, Debug)]
struct Bound {
    limb: (i64, i64),
    value: (f64, f64),
}

fn word(range: (i64, i64), what: &str) -> (i64, i64) {
    let fits = range.0 >= i64::from(i32::MIN) && range.1 <= i64::from(i32::MAX);
    assert!(fits, "{what}: {range:?} does not fit a word");
    range
}

fn times(a: (i64, i64), b: (i64, i64)) -> (i64, i64) {
    let all = [a.0 * b.0, a.0 * b.1, a.1 * b.0, a.1 * b.1];
    (*all.iter().min().unwrap(), *all.iter().max().unwrap())
}

fn times_value(a: (f64, f64), b: (f64, f64)) -> (f64, f64) {
    let all = [a.0 * b.0, a.0 * b.1, a.1 * b.0, a.1 * b.1];
    let fold = |start, best: fn(f64, f64) -> f64| all.iter().copied().fold(start, best);
    (fold(f64::MAX, f64::min), fold(f64::MIN, f64::max))
}

impl Bound {
    fn small(value: (f64, f64)) -> Self {
        let found = Self {
            limb: (0, (1 << BITS) - 1),
            value,
        };
        word(found.top(), "top limb");
        found
    }

    fn checked(self) -> Self {
        word(self.limb, "limb");
        word(self.top(), "top limb");
        self
    }

    /// Limb 9: what the others leave of the number.
    fn top(&self) -> (i64, i64) {
        let low = self.value.0 * TOP - self.limb.1 as f64 / (1u64 << BITS) as f64 * 1.000_001;
        let high = self.value.1 * TOP - self.limb.0 as f64 / (1u64 << BITS) as f64 * 1.000_001;
        (low.floor() as i64 - 1, high.ceil() as i64 + 1)
    }

    /// All ten limbs.
    fn all(&self) -> (i64, i64) {
        let top = self.top();
        (self.limb.0.min(top.0), self.limb.1.max(top.1))
    }

    /// The sum of some products, reduced.
    fn product(pairs: &[(&Self, &Self)]) -> Self {
        // One more multiple of q than pairs, and the carry.
        let terms = 10 * (pairs.len() as i64 + 1) + 1;
        assert!(terms << SPLIT <= 1 << 32, "the rests fill more than a word");
        let multiples = (0, (10 * ((1 << BITS) - 1) * LIMB_OF_Q) >> SPLIT);
        let (mut high, mut value) = (multiples, (0.0, 0.0));
        for (a, b) in pairs {
            word((a.all().0 << 5, a.all().1 << 5), "first factor, shifted");
            word(b.all(), "second factor");
            let one = times(a.all(), b.all());
            // A column has ten products or fewer: none of them is the other end of the range.
            high.0 += (10 * (one.0 >> SPLIT)).min(0);
            high.1 += (10 * (one.1 >> SPLIT)).max(0);
            let whole = times_value(a.value, b.value);
            value = (value.0 + whole.0, value.1 + whole.1);
        }
        let mut carry = (0, 0);
        for _ in 0..2 * LIMBS {
            let sum = (high.0 + (carry.0 >> SPLIT), high.1 + (carry.1 >> SPLIT));
            word(sum, "sum of high parts");
            carry = (sum.0 * 2, sum.1 * 2 + (terms << SPLIT >> BITS));
            word(carry, "carry");
        }
        Self::small((value.0 / RADIX - 1e-6, value.1 / RADIX + 1.0 + 1e-6))
    }

    /// What `plain` relies on: the result is 0 … q.
    fn judged(&self) -> Flag {
        assert!(self.value.0 > -RADIX && self.value.1 < RADIX, "{self:?}");
        Self::product(&[(self, &Self::ONE)]);
        Flag::SET
    }
}

impl Field for Bound {
    const ZERO: Self = Self {
        limb: (0, 0),
        value: (0.0, 0.0),
    };
    const ONE: Self = Self {
        limb: (0, (1 << BITS) - 1),
        value: (0.0, 1.0),
    };

    fn constant(_limbs: [i32; LIMBS]) -> Self {
        Self::ONE
    }

    fn from_words(_words: &[u32; 8]) -> (Self, Flag) {
        let any = Self::small((0.0, 5.3));
        (Self::product(&[(&any, &Self::ONE)]), Flag::SET)
    }

    fn add(&self, other: &Self) -> Self {
        Self {
            limb: (self.limb.0 + other.limb.0, self.limb.1 + other.limb.1),
            value: (self.value.0 + other.value.0, self.value.1 + other.value.1),
        }
        .checked()
    }

    fn sub(&self, other: &Self) -> Self {
        Self {
            limb: (self.limb.0 - other.limb.1, self.limb.1 - other.limb.0),
            value: (self.value.0 - other.value.1, self.value.1 - other.value.0),
        }
        .checked()
    }

    fn carried(&self) -> Self {
        let mut carry = (0, 0);
        for _ in 0..LIMBS {
            let sum = (self.limb.0 + carry.0, self.limb.1 + carry.1);
            word(sum, "limb with carry");
            carry = (sum.0 >> BITS, sum.1 >> BITS);
        }
        let top = self.top();
        word((top.0 + carry.0, top.1 + carry.1), "top limb with carry");
        Self::small(self.value)
    }

    fn reduced(&self) -> Self {
        let (top, limb) = (self.top(), self.limb);
        let top = word(
            (top.0 + (limb.0 >> BITS), top.1 + (limb.1 >> BITS)),
            "top limb with carry",
        );
        let quotient = ((top.0 * 5417) >> 32, (top.1 * 5417) >> 32);
        let multiple = times(quotient, (0, LIMB_OF_Q));
        word(multiple, "multiple of q");
        let rest = (limb.0 - multiple.1, limb.1 - multiple.0);
        // The quotient is right but for the rounding of 5417 and of the limbs below the top.
        let low = self.value.0.min(0.0) * 3e-5 - 4e-6;
        let high = self.value.1.max(0.0) * 3e-5 + 1.0 + 4e-6;
        let value = (low, high);
        word(rest, "limb less a multiple of q");
        Self { limb: rest, value }.carried()
    }

    fn mul(&self, other: &Self) -> Self {
        Self::product(&[(self, other)])
    }

    fn square(&self) -> Self {
        Self::product(&[(self, self)])
    }

    fn cross(a: &Self, b: &Self, c: &Self, d: &Self) -> Self {
        Self::product(&[(a, b), (c, d)])
    }

    fn nine(&self) -> Self {
        Self {
            limb: (9 * self.limb.0, 9 * self.limb.1),
            value: (9.0 * self.value.0, 9.0 * self.value.1),
        }
        .checked()
    }

    fn is_zero(&self) -> Flag {
        self.judged()
    }

    fn is_high(&self) -> Flag {
        self.judged()
    }

    fn select(_flag: Flag, a: &Self, b: &Self) -> Self {
        Self {
            limb: (a.limb.0.min(b.limb.0), a.limb.1.max(b.limb.1)),
            value: (a.value.0.min(b.value.0), a.value.1.max(b.value.1)),
        }
    }
}

#[test]
fn no_word_overflows_for_any_input() {
    let one = Quadratic::<Bound> {
        a: Bound::ONE,
        b: Bound::ONE,
    };
    let six = Sextic {
        a: one,
        b: one,
        c: one,
    };
    let key = Key {
        gamma: [[one; 2]; LINES],
        delta: [[one; 2]; LINES],
        target: Twelfth { x: six, y: six },
    };
    let statement = Statement {
        ratio: Bound::ONE,
        inverse: Bound::ONE,
    };
    verify(&[[0; 8]; 4], &key, &statement);
}

#[test]
#[should_panic(expected = "does not fit a word")]
fn an_operand_beyond_its_bound_is_found() {
    let sum = Bound::ONE.add(&Bound::ONE);
    sum.mul(&Bound::ONE);
}

#[test]
#[should_panic(expected = "does not fit a word")]
fn a_multiple_that_is_too_large_is_found() {
    let mut sum = Bound::ONE;
    for _ in 0..7 {
        sum = sum.add(&sum).carried();
    }
    sum.reduced();
}
