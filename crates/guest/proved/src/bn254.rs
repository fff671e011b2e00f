//! The EVM's BN254 (EIP-196, EIP-197) by the machine's arithmetic in its fields, with the library that the settlement
//! program's Groth16 verifier uses.
//!
//! Points of G1 are added in Jacobian coordinates by the field's instructions, which stay in the shard of plain ones; the
//! machine's additions of whole points would open two kinds of shards, and are undefined for equal points. Products in
//! F_q² are a kind of shard of their own, which only pairings open.
use bn::{pairing_batch, AffineG1, Fq, Fq2, Group, Gt, G1, G2};
use revm::precompile::PrecompileHalt;

/// A number of the EVM.
type Word = [u8; 32];
type Found<T> = Result<T, PrecompileHalt>;

/// Bits of a scalar that a window takes at once.
const WINDOW_BITS: usize = 4;

/// 6x + 2 for the curve's x.
const LOOP: u128 = 0x1_9d79_7039_be76_3ba8;

/// What ψ multiplies the conjugates of x and y by: (9 + u)^((q − 1) / 3) and (9 + u)^((q − 1) / 2), real part first.
const FROBENIUS: [[Word; 2]; 2] = [
    [
        hex("2fb347984f7911f74c0bec3cf559b143b78cc310c2c3330c99e39557176f553d"),
        hex("16c9e55061ebae204ba4cc8bd75a079432ae2a1d0b7c9dce1665d51c640fcba2"),
    ],
    [
        hex("063cf305489af5dcdc5ec698b6e2f9b9dbaae0eda9c95998dc54014671a0135a"),
        hex("07c03cbcac41049a0704b5a7ec796f2b21807dc98fa25bd282d37f632623b0e3"),
    ],
];

const fn hex(digits: &str) -> Word {
    let digits = digits.as_bytes();
    let (mut word, mut at) = ([0; 32], 0);
    while at < 64 {
        let digit = match digits[at] {
            letter @ b'a'..=b'f' => letter - b'a' + 10,
            number => number - b'0',
        };
        word[at / 2] = word[at / 2] << 4 | digit;
        at += 1;
    }
    word
}

fn element(bytes: &[u8]) -> Found<Fq> {
    Fq::from_slice(bytes).map_err(|_| PrecompileHalt::Bn254FieldPointNotAMember)
}

/// The EVM writes the imaginary part first.
fn quadratic(bytes: &[u8]) -> Found<Fq2> {
    let (imaginary, real) = bytes.split_at(32);
    let imaginary = element(imaginary)?;
    Ok(Fq2::new(element(real)?, imaginary))
}

/// A point of G1, which is the whole curve; (0, 0) is the point at infinity.
fn first(bytes: &[u8]) -> Found<G1> {
    let (x, y) = bytes.split_at(32);
    let (x, y) = (element(x)?, element(y)?);
    if x.is_zero() && y.is_zero() {
        return Ok(G1::zero());
    }
    if y * y != x * x * x + G1::b() {
        return Err(PrecompileHalt::Bn254AffineGFailedToCreate);
    }
    Ok(G1::new(x, y, Fq::one()))
}

/// A point of G2; (0, 0) is the point at infinity.
fn second(bytes: &[u8]) -> Found<G2> {
    let (x, y) = bytes.split_at(64);
    let (x, y) = (quadratic(x)?, quadratic(y)?);
    if x.is_zero() && y.is_zero() {
        return Ok(G2::zero());
    }
    let point = G2::new(x, y, Fq2::one());
    if y * y != x * x * x + G2::b() || !has_order(point) {
        return Err(PrecompileHalt::Bn254AffineGFailedToCreate);
    }
    Ok(point)
}

fn constant(parts: &[Word; 2]) -> Fq2 {
    let [real, imaginary] = parts.map(|part| Fq::from_slice(&part).expect("a constant is below q"));
    Fq2::new(real, imaginary)
}

fn conjugate(number: Fq2) -> Fq2 {
    Fq2::new(number.real(), -number.imaginary())
}

/// ψ: the Frobenius of the curve that the twist is of.
fn turned(point: G2) -> G2 {
    let [x, y] = FROBENIUS.each_ref().map(constant);
    G2::new(
        conjugate(point.x()) * x,
        conjugate(point.y()) * y,
        conjugate(point.z()),
    )
}

/// Whether a point of the twist has order r: [6x + 2]B + ψB − ψ²B + ψ³B is the point at infinity exactly then.
///
/// The greatest common divisor of the norm of 6x + 2 + ψ − ψ² + ψ³ and the number of points of the twist is r.
fn has_order(point: G2) -> bool {
    let mut multiple = point;
    for place in (0..LOOP.ilog2()).rev() {
        multiple = multiple + multiple;
        if LOOP >> place & 1 == 1 {
            multiple = multiple + point;
        }
    }
    let once = turned(point);
    let twice = turned(once);
    (multiple + once - twice + turned(twice)).is_zero()
}

fn encoded(point: G1) -> [u8; 64] {
    let mut bytes = [0; 64];
    if let Some(point) = AffineG1::from_jacobian(point) {
        let (x, y) = bytes.split_at_mut(32);
        x.copy_from_slice(&point.x().into_u256().to_bytes_be());
        y.copy_from_slice(&point.y().into_u256().to_bytes_be());
    }
    bytes
}

/// Sum of two points of G1.
///
/// # Errors
/// A coordinate is not below q, or a point not on the curve.
pub fn add(one: &[u8], other: &[u8]) -> Found<[u8; 64]> {
    Ok(encoded(first(one)? + first(other)?))
}

/// Multiple of a point of G1 by any 256 bits.
///
/// # Errors
/// As [`add`].
pub fn multiply(point: &[u8], scalar: &[u8]) -> Found<[u8; 64]> {
    let point = first(point)?;
    let mut window = [G1::zero(); 1 << WINDOW_BITS];
    for count in 1..window.len() {
        window[count] = window[count - 1] + point;
    }
    let mut sum = G1::zero();
    for digit in scalar.iter().flat_map(|byte| [byte >> 4, byte & 15]) {
        for _ in 0..WINDOW_BITS {
            sum = sum.double();
        }
        sum = sum + window[usize::from(digit)];
    }
    Ok(encoded(sum))
}

/// Whether the product of the pairings is one.
///
/// # Errors
/// As [`add`]; or a point of the twist is not in G2.
pub fn is_one(pairs: &[(&[u8], &[u8])]) -> Found<bool> {
    let mut points = Vec::with_capacity(pairs.len());
    for (left, right) in pairs {
        let (left, right) = (first(left)?, second(right)?);
        if !left.is_zero() && !right.is_zero() {
            points.push((left, right));
        }
    }
    Ok(points.is_empty() || pairing_batch(&points) == Gt::one())
}
