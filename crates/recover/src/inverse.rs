//! Inverses modulo an odd number, by the divsteps of Bernstein and Yang ("Fast constant-time gcd computation and
//! modular inversion", 2019), in time that depends on the number.
//!
//! 62 steps look at the lowest 62 bits alone; what they amount to is a matrix, which is then applied to the whole
//! numbers at once.
use crate::number::Number;

/// Bits of a limb.
const BITS: u32 = 62;
const MASK: i64 = i64::MAX >> 1;

/// Σ limbᵢ·2^(62·i); all limbs but the last are in 0..2^62.
type Limbs = [i64; 5];

/// An odd modulus and what divisions by 2^62 need.
pub(crate) struct Modulus {
    limbs: Limbs,
    /// 1 / modulus modulo 2^62.
    inverse: i64,
}

/// What 62 divsteps do to (f, g), times 2^62.
struct Steps {
    u: i64,
    v: i64,
    q: i64,
    r: i64,
}

impl Modulus {
    pub(crate) const fn new(number: &Number) -> Self {
        let limbs = split(number);
        // Newton: each round doubles the bits that are right, 3 at first.
        let mut inverse = limbs[0];
        let mut round = 0;
        while round < 5 {
            let error = 2i64.wrapping_sub(limbs[0].wrapping_mul(inverse));
            inverse = inverse.wrapping_mul(error);
            round += 1;
        }
        Self {
            limbs,
            inverse: inverse & MASK,
        }
    }

    /// 1 / number; 0 of 0. The number is below the modulus, which is prime.
    pub(crate) fn invert(&self, number: &Number) -> Number {
        let (mut d, mut e) = ([0; 5], [1, 0, 0, 0, 0]);
        let (mut f, mut g) = (self.limbs, split(number));
        let mut eta = -1;
        while g != [0; 5] {
            let steps = divsteps(&mut eta, f[0], g[0]);
            self.turn_factors(&mut d, &mut e, &steps);
            turn(&mut f, &mut g, &steps);
        }
        // f is 1 or −1 now, and d its factor.
        self.joined(d, f[4] < 0)
    }

    /// (d, e)·steps / 2^62 modulo the modulus; all are in −2m..m.
    fn turn_factors(&self, d: &mut Limbs, e: &mut Limbs, steps: &Steps) {
        let Steps { u, v, q, r } = *steps;
        let (below_d, below_e) = (d[4] >> 63, e[4] >> 63);
        // Multiples of the modulus: one makes up for negative numbers, the rest makes the lowest 62 bits vanish.
        let mut of_d = (u & below_d) + (v & below_e);
        let mut of_e = (q & below_d) + (r & below_e);
        let mut sum_d = wide(u, d[0]) + wide(v, e[0]);
        let mut sum_e = wide(q, d[0]) + wide(r, e[0]);
        of_d -= (self.inverse.wrapping_mul(sum_d as i64).wrapping_add(of_d)) & MASK;
        of_e -= (self.inverse.wrapping_mul(sum_e as i64).wrapping_add(of_e)) & MASK;
        sum_d = (sum_d + wide(self.limbs[0], of_d)) >> BITS;
        sum_e = (sum_e + wide(self.limbs[0], of_e)) >> BITS;
        for at in 1..5 {
            sum_d += wide(u, d[at]) + wide(v, e[at]) + wide(self.limbs[at], of_d);
            sum_e += wide(q, d[at]) + wide(r, e[at]) + wide(self.limbs[at], of_e);
            (d[at - 1], e[at - 1]) = (sum_d as i64 & MASK, sum_e as i64 & MASK);
            (sum_d, sum_e) = (sum_d >> BITS, sum_e >> BITS);
        }
        (d[4], e[4]) = (sum_d as i64, sum_e as i64);
    }

    /// A factor in −2m..m, or what it lacks to 0, as a number below the modulus.
    fn joined(&self, mut limbs: Limbs, is_negated: bool) -> Number {
        let add = |limbs: &mut Limbs| {
            for (limb, own) in limbs.iter_mut().zip(self.limbs) {
                *limb += own;
            }
            carry(limbs);
        };
        if limbs[4] < 0 {
            add(&mut limbs);
        }
        if is_negated {
            limbs = limbs.map(|limb| -limb);
            carry(&mut limbs);
        }
        if limbs[4] < 0 {
            add(&mut limbs);
        }
        let [a, b, c, d, e] = limbs.map(|limb| limb as u64);
        [
            a | b << 62,
            b >> 2 | c << 60,
            c >> 4 | d << 58,
            d >> 6 | e << 56,
        ]
    }
}

const fn split(number: &Number) -> Limbs {
    let [a, b, c, d] = *number;
    let mask = MASK as u64;
    [
        (a & mask) as i64,
        ((a >> 62 | b << 2) & mask) as i64,
        ((b >> 60 | c << 4) & mask) as i64,
        ((c >> 58 | d << 6) & mask) as i64,
        (d >> 56) as i64,
    ]
}

fn wide(a: i64, b: i64) -> i128 {
    i128::from(a) * i128::from(b)
}

fn carry(limbs: &mut Limbs) {
    for at in 0..4 {
        limbs[at + 1] += limbs[at] >> BITS;
        limbs[at] &= MASK;
    }
}

/// (f, g)·steps / 2^62, which is whole.
fn turn(f: &mut Limbs, g: &mut Limbs, steps: &Steps) {
    let Steps { u, v, q, r } = *steps;
    let mut sum_f = (wide(u, f[0]) + wide(v, g[0])) >> BITS;
    let mut sum_g = (wide(q, f[0]) + wide(r, g[0])) >> BITS;
    for at in 1..5 {
        sum_f += wide(u, f[at]) + wide(v, g[at]);
        sum_g += wide(q, f[at]) + wide(r, g[at]);
        (f[at - 1], g[at - 1]) = (sum_f as i64 & MASK, sum_g as i64 & MASK);
        (sum_f, sum_g) = (sum_f >> BITS, sum_g >> BITS);
    }
    (f[4], g[4]) = (sum_f as i64, sum_g as i64);
}

/// 62 divsteps on the lowest bits; `eta` is the paper's −δ.
fn divsteps(eta: &mut i64, f: i64, g: i64) -> Steps {
    let (mut f, mut g) = (f as u64, g as u64);
    let (mut u, mut v, mut q, mut r) = (1u64, 0u64, 0u64, 1u64);
    let mut left = BITS;
    loop {
        // As many steps as g has zeros at its end only halve it.
        let zeros = (g | u64::MAX << left).trailing_zeros();
        g >>= zeros;
        u <<= zeros;
        v <<= zeros;
        *eta -= i64::from(zeros);
        left -= zeros;
        if left == 0 {
            let [u, v, q, r] = [u, v, q, r].map(|entry| entry as i64);
            return Steps { u, v, q, r };
        }
        if *eta < 0 {
            *eta = -*eta;
            (f, g) = (g, f.wrapping_neg());
            (u, q) = (q, u.wrapping_neg());
            (v, r) = (r, v.wrapping_neg());
        }
        // A multiple of f makes up to 6 bits of g zero, none of which may belong to a step after the next turn.
        let bits = (*eta + 1).min(i64::from(left)).min(6) as u32;
        let square = f.wrapping_mul(f).wrapping_sub(2);
        let multiple = f.wrapping_mul(g).wrapping_mul(square) & ((1 << bits) - 1);
        g = g.wrapping_add(f.wrapping_mul(multiple));
        q = q.wrapping_add(u.wrapping_mul(multiple));
        r = r.wrapping_add(v.wrapping_mul(multiple));
    }
}
