//! Signatures over secp256k1 by the machine's point addition: recovery behind ECDSA (SEC 1, 4.1.6), and BIP-0340.
use std::sync::OnceLock;

use sha2::{Digest, Sha256};
use sp1_zkvm::syscalls::{syscall_secp256k1_add, syscall_secp256k1_double};

use crate::field::{from_bytes, same, to_bytes, Words, FIELD, ORDER};

/// x and y, lowest words first.
type Affine = [u64; 8];

/// The generator (SEC 2, 2.4.1).
const GENERATOR: Affine = [
    0x59f2_815b_16f8_1798,
    0x029b_fcdb_2dce_28d9,
    0x55a0_6295_ce87_0b07,
    0x79be_667e_f9dc_bbac,
    0x9c47_d08f_fb10_d4b8,
    0xfd17_b448_a685_5419,
    0x5da4_fbfc_0e11_08a8,
    0x483a_da77_26a3_c465,
];

/// A point; None is the point at infinity.
type Point = Option<Affine>;

/// Bits of a scalar that a point's window takes at once: its multiples are computed for each signature.
const WINDOW_BITS: usize = 4;
/// The same of the generator, whose multiples are computed once a run.
const GENERATOR_BITS: usize = 8;

/// Points of a window: all multiples from 0 on.
type Window<const SIZE: usize> = [Point; SIZE];

static GENERATOR_WINDOW: OnceLock<Box<Window<{ 1 << GENERATOR_BITS }>>> = OnceLock::new();

fn double(point: &mut Point) {
    // No point has order 2: the curve's order is an odd prime.
    if let Some(point) = point {
        syscall_secp256k1_double(point);
    }
}

fn add(sum: &mut Point, other: &Point) {
    let Some(other) = other else { return };
    let Some(own) = sum else {
        *sum = Some(*other);
        return;
    };
    if !same(x(own), x(other)) {
        // The machine's addition is right for points with different x. It writes the sum and reads the other point.
        syscall_secp256k1_add(own, core::ptr::from_ref(other).cast_mut());
    } else if same(y(own), y(other)) {
        syscall_secp256k1_double(own);
    } else {
        *sum = None;
    }
}

fn x(point: &Affine) -> &Words {
    point.first_chunk().expect("a point has eight words")
}

fn y(point: &Affine) -> &Words {
    point.last_chunk().expect("a point has eight words")
}

fn multiples<const SIZE: usize>(point: &Affine) -> Window<SIZE> {
    let mut window = [None; SIZE];
    for count in 1..SIZE {
        window[count] = window[count - 1];
        add(&mut window[count], &Some(*point));
    }
    window
}

/// Bits of a scalar from `place` on, which is a multiple of `bits`.
fn digit(words: &Words, place: usize, bits: usize) -> usize {
    (words[place / 64] >> (place % 64)) as usize & ((1 << bits) - 1)
}

/// first × G + second × point.
fn combine(first: &Words, second: &Words, point: &Affine) -> Point {
    let of_generator = GENERATOR_WINDOW.get_or_init(|| Box::new(multiples(&GENERATOR)));
    let of_point: Window<{ 1 << WINDOW_BITS }> = multiples(point);
    let mut sum = None;
    for place in (0..256).step_by(WINDOW_BITS).rev() {
        for _ in 0..WINDOW_BITS {
            double(&mut sum);
        }
        if place % GENERATOR_BITS == 0 {
            add(&mut sum, &of_generator[digit(first, place, GENERATOR_BITS)]);
        }
        add(&mut sum, &of_point[digit(second, place, WINDOW_BITS)]);
    }
    sum
}

fn scalar(bytes: &[u8; 32]) -> Option<Words> {
    let words = from_bytes(bytes);
    (words != [0; 4] && ORDER.has(&words)).then_some(words)
}

/// The point with this x, below the field's modulus, and this parity of y; None where the curve has none.
fn lift(x: &Words, odd: bool) -> Option<Affine> {
    let cube = FIELD.mul(&FIELD.mul(x, x), x);
    // x³ + 7 is never 0: −7 has no cube root of which the curve would have a point.
    let mut y = FIELD.sqrt(&FIELD.add_small(&cube, 7))?;
    if (y[0] & 1 == 1) != odd {
        y = FIELD.neg(&y);
    }
    let mut point = [0; 8];
    point[..4].copy_from_slice(x);
    point[4..].copy_from_slice(&y);
    Some(point)
}

/// Whether a BIP-0340 signature of 32 bytes is valid.
pub fn verify_schnorr(key: &[u8; 32], message: &[u8; 32], signature: &[u8; 64]) -> bool {
    let (mut r, mut s) = ([0; 32], [0; 32]);
    r.copy_from_slice(&signature[..32]);
    s.copy_from_slice(&signature[32..]);
    let (x, nonce, s) = (from_bytes(key), from_bytes(&r), from_bytes(&s));
    if !FIELD.has(&x) || !FIELD.has(&nonce) || !ORDER.has(&s) {
        return false;
    }
    let Some(point) = lift(&x, false) else {
        return false;
    };
    let tag = Sha256::digest(b"BIP0340/challenge");
    let mut hash = Sha256::new();
    for part in [&tag[..], &tag[..], &r[..], &key[..], &message[..]] {
        hash.update(part);
    }
    let challenge = ORDER.reduce(&from_bytes(&hash.finalize().into()));
    let found = combine(&s, &ORDER.neg(&challenge), &point);
    found.is_some_and(|found| found[4] & 1 == 0 && found[..4] == nonce)
}

/// The public key, x ‖ y, that signed `hash` with (r, s); None where there is none. `odd`: parity of R's y.
///
/// As Ethereum's precompile: x of R is r itself, and s may be in the upper half.
pub fn recover(hash: &[u8; 32], r: &[u8; 32], s: &[u8; 32], odd: bool) -> Option<[u8; 64]> {
    let (r, s) = (scalar(r)?, scalar(s)?);
    let point = lift(&r, odd)?;
    let inverse = ORDER.invert(&r);
    let digest = ORDER.reduce(&from_bytes(hash));
    let first = ORDER.neg(&ORDER.mul(&digest, &inverse));
    let second = ORDER.mul(&s, &inverse);
    let key = combine(&first, &second, &point)?;
    let mut out = [0; 64];
    let mut half = [0; 4];
    half.copy_from_slice(&key[..4]);
    out[..32].copy_from_slice(&to_bytes(&half));
    half.copy_from_slice(&key[4..]);
    out[32..].copy_from_slice(&to_bytes(&half));
    Some(out)
}
