//! Arithmetic modulo the two primes of secp256k1, by the machine's 256-bit multiplication.
//!
//! Both primes are 2^256 − k with a small k, so that a product is reduced by multiplying its upper half by k and adding
//! it to the lower one. That multiplication stays in the shard of plain instructions; the one with a modulus would open
//! a kind of shard of its own.
use sp1_lib::io::{read_vec, write};
use sp1_zkvm::syscalls::syscall_uint256_mul_with_carry;

/// 256 bits, lowest word first.
pub type Words = [u64; 4];

const ZERO: Words = [0; 4];
/// One.
pub const ONE: Words = [1, 0, 0, 0];

/// A prime 2^256 − k.
pub struct Prime {
    modulus: Words,
    k: Words,
}

/// Modulus of the coordinates (SEC 2, 2.4.1).
pub const FIELD: Prime = Prime::new([0xffff_fffe_ffff_fc2f, u64::MAX, u64::MAX, u64::MAX]);
/// Order of the group.
pub const ORDER: Prime = Prime::new([
    0xbfd2_5e8c_d036_4141,
    0xbaae_dce6_af48_a03b,
    0xffff_ffff_ffff_fffe,
    u64::MAX,
]);

/// a − b modulo 2^256, and whether it went below 0.
const fn minus(a: &Words, b: &Words) -> (Words, bool) {
    let (mut out, mut borrow, mut at) = (ZERO, false, 0);
    while at < 4 {
        let (first, one) = a[at].overflowing_sub(b[at]);
        let (second, two) = first.overflowing_sub(borrow as u64);
        out[at] = second;
        borrow = one | two;
        at += 1;
    }
    (out, borrow)
}

/// Whether both are the same number.
pub fn same(a: &Words, b: &Words) -> bool {
    (a[0] ^ b[0]) | (a[1] ^ b[1]) | (a[2] ^ b[2]) | (a[3] ^ b[3]) == 0
}

/// From 32 bytes, big-endian.
pub fn from_bytes(bytes: &[u8; 32]) -> Words {
    let mut out = ZERO;
    for (word, chunk) in out.iter_mut().rev().zip(bytes.chunks_exact(8)) {
        let mut array = [0; 8];
        array.copy_from_slice(chunk);
        *word = u64::from_be_bytes(array);
    }
    out
}

/// To 32 bytes, big-endian.
pub fn to_bytes(words: &Words) -> [u8; 32] {
    let mut out = [0; 32];
    for (word, chunk) in words.iter().rev().zip(out.chunks_exact_mut(8)) {
        chunk.copy_from_slice(&word.to_be_bytes());
    }
    out
}

/// a × b + c as (lower, upper) half.
fn multiply_add(a: &Words, b: &Words, c: &Words) -> (Words, Words) {
    let (mut low, mut high) = (ZERO, ZERO);
    syscall_uint256_mul_with_carry(a, b, c, &mut low, &mut high);
    (low, high)
}

impl Prime {
    const fn new(modulus: Words) -> Self {
        let (k, _) = minus(&ZERO, &modulus);
        Self { modulus, k }
    }

    /// Whether the number is below the prime.
    pub fn has(&self, value: &Words) -> bool {
        minus(value, &self.modulus).1
    }

    /// The number, which is below 2^256, modulo the prime.
    pub fn reduce(&self, value: &Words) -> Words {
        let (less, below) = minus(value, &self.modulus);
        if below {
            *value
        } else {
            less
        }
    }

    /// a × b.
    pub fn mul(&self, a: &Words, b: &Words) -> Words {
        let (mut low, mut high) = multiply_add(a, b, &ZERO);
        // Each round multiplies the excess by k < 2^130: at most four.
        while !same(&high, &ZERO) {
            (low, high) = multiply_add(&high, &self.k, &low);
        }
        self.reduce(&low)
    }

    /// −a.
    pub fn neg(&self, a: &Words) -> Words {
        if same(a, &ZERO) {
            ZERO
        } else {
            minus(&self.modulus, a).0
        }
    }

    /// a + small.
    pub fn add_small(&self, a: &Words, small: u64) -> Words {
        let (low, high) = multiply_add(a, &ONE, &[small, 0, 0, 0]);
        if same(&high, &ZERO) {
            self.reduce(&low)
        } else {
            // 2^256 is k here, and low is less than small.
            let (folded, _) = multiply_add(&high, &self.k, &low);
            self.reduce(&folded)
        }
    }

    /// 1 / a for a ≠ 0. The host names it and one multiplication checks it.
    pub fn invert(&self, a: &Words) -> Words {
        let asked = [&32u32.to_be_bytes()[..], &to_bytes(a), &to_bytes(&self.modulus)].concat();
        write(sp1_lib::io::FD_FP_INV, &asked);
        let inverse = self.element(&read_vec());
        assert!(same(&self.mul(a, &inverse), &ONE), "the host named no inverse");
        inverse
    }

    /// A root of a ≠ 0 modulo a prime that is 3 modulo 4, or None where there is none.
    ///
    /// The host names a root of a, or of −a: exactly one of both has one, and the square shows which.
    pub fn sqrt(&self, a: &Words) -> Option<Words> {
        let negated = self.neg(&ONE);
        let asked = [
            &32u32.to_be_bytes()[..],
            &to_bytes(a),
            &to_bytes(&self.modulus),
            &to_bytes(&negated),
        ]
        .concat();
        write(sp1_lib::io::FD_FP_SQRT, &asked);
        let _status = read_vec();
        let root = self.element(&read_vec());
        let square = self.mul(&root, &root);
        if same(&square, a) {
            return Some(root);
        }
        assert!(same(&square, &self.neg(a)), "the host named no root");
        None
    }

    fn element(&self, bytes: &[u8]) -> Words {
        let array: &[u8; 32] = bytes.try_into().unwrap_or_else(|_| panic!("the host named no number"));
        let words = from_bytes(array);
        assert!(self.has(&words), "the host named a number beyond the prime");
        words
    }
}
