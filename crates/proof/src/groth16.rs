//! Groth16 proofs of the proof system, in the machine's own arithmetic.
//!
//! The library's verifier is made for proved programs, which have instructions for the field: outside one it takes most of a
//! second. This one says yes and no to the same bytes, since a settlement proof rests on the library's verdict and a node on
//! this one (the tests hold them side by side).
use ark_bn254::{Bn254, Fq, Fq2, Fr, G1Affine, G1Projective, G2Affine};
use ark_ec::pairing::Pairing;
use ark_ec::short_weierstrass::{Affine, SWCurveConfig};
use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::{BigInteger256, PrimeField, Zero};
use sha2::{Digest, Sha256};
use sp1_verifier::{blake3_hash, hash_public_inputs, hash_public_inputs_with_fn, VK_ROOT_BYTES};

/// Bytes before the points: the name of the circuit's key, exit code, root of the recursion keys, nonce.
const HEAD: usize = 4 + 3 * 32;
/// Public inputs of the circuit.
const INPUTS: usize = 5;
/// Where the count of points for the public inputs stands in gnark's key, after `α`, `β`, `β`, `γ`, `δ`, `δ`.
const POINTS: usize = 288;

type Word = [u8; 32];

/// Whether a proof shows, under its circuit's key, that the program of this name ended well with these public values.
pub fn is_valid(circuit: &[u8], program: Word, public_values: &[u8], proof: &[u8]) -> Option<bool> {
    let (head, points) = proof.split_at_checked(HEAD)?;
    let (name, words) = head.split_at_checked(4)?;
    let [exit_code, root, nonce] = words.as_chunks::<32>().0 else {
        return None;
    };
    if name != &Sha256::digest(circuit)[..4] || *root != *VK_ROOT_BYTES || *exit_code != [0; 32] {
        return None;
    }
    let proof = Points::read(points)?;
    let key = Key::read(circuit)?;
    // As in the library, a statement may be hashed either way; nobody finds two that meet.
    let hashes = [
        hash_public_inputs(public_values),
        hash_public_inputs_with_fn(public_values, blake3_hash),
    ];
    Some(hashes.into_iter().any(|hash| {
        let inputs = [program, hash, *exit_code, *root, *nonce];
        key.holds(&proof, &inputs)
    }))
}

/// A coordinate, big-endian, below the field's prime.
fn coordinate(bytes: &[u8]) -> Option<Fq> {
    let (words, rest) = bytes.as_chunks::<8>();
    if words.len() != 4 || !rest.is_empty() {
        return None;
    }
    let mut limbs = [0; 4];
    for (limb, word) in limbs.iter_mut().zip(words.iter().rev()) {
        *limb = u64::from_be_bytes(*word);
    }
    Fq::from_bigint(BigInteger256::new(limbs))
}

/// As gnark writes elements of the extension: the imaginary part first.
fn pair(bytes: &[u8]) -> Option<Fq2> {
    let (imaginary, real) = bytes.split_at_checked(32)?;
    Some(Fq2::new(coordinate(real)?, coordinate(imaginary)?))
}

fn point(bytes: &[u8]) -> Option<G1Affine> {
    let (x, y) = bytes.split_at_checked(32)?;
    let point = G1Affine::new_unchecked(coordinate(x)?, coordinate(y)?);
    point.is_on_curve().then_some(point)
}

fn twisted_point(bytes: &[u8]) -> Option<G2Affine> {
    let (x, y) = bytes.split_at_checked(64)?;
    let point = G2Affine::new_unchecked(pair(x)?, pair(y)?);
    (point.is_on_curve() && point.is_in_correct_subgroup_assuming_on_curve()).then_some(point)
}

/// The sign that gnark puts into the first two bits of a compressed point; None for infinity, which is in no key.
fn take_sign(bytes: &mut [u8]) -> Option<bool> {
    let first = bytes.first_mut()?;
    let sign = *first >> 6;
    *first &= 0x3f;
    match sign {
        0b10 => Some(false),
        0b11 => Some(true),
        _ => None,
    }
}

/// A point of which a key has one coordinate and the other's sign.
fn decompressed<P: SWCurveConfig>(
    bytes: &[u8],
    read: impl Fn(&[u8]) -> Option<P::BaseField>,
) -> Option<Affine<P>> {
    let mut bytes = bytes.to_vec();
    let larger = take_sign(&mut bytes)?;
    let x = read(&bytes)?;
    let (low, high) = Affine::<P>::get_ys_from_x_unchecked(x)?;
    Some(Affine::new_unchecked(x, if larger { high } else { low }))
}

/// What the prover sends, in gnark's order.
struct Points {
    a: G1Affine,
    b: G2Affine,
    c: G1Affine,
}

impl Points {
    fn read(bytes: &[u8]) -> Option<Self> {
        let (a, rest) = bytes.split_at_checked(64)?;
        let (b, c) = rest.split_at_checked(128)?;
        Some(Points {
            a: point(a)?,
            b: twisted_point(b)?,
            c: point(c)?,
        })
    }
}

/// A circuit's key. Whoever made it is trusted, so its points are not checked, as in the library.
struct Key {
    alpha: G1Affine,
    beta: G2Affine,
    gamma: G2Affine,
    delta: G2Affine,
    inputs: Vec<G1Affine>,
}

impl Key {
    fn read(bytes: &[u8]) -> Option<Self> {
        let count = bytes.get(POINTS..POINTS + 4)?;
        if u32::from_be_bytes(count.try_into().ok()?) as usize != INPUTS + 1 {
            return None;
        }
        let inputs = bytes.get(POINTS + 4..POINTS + 4 + 32 * (INPUTS + 1))?;
        Some(Key {
            alpha: decompressed(bytes.get(..32)?, coordinate)?,
            beta: decompressed(bytes.get(64..128)?, pair)?,
            gamma: decompressed(bytes.get(128..192)?, pair)?,
            delta: decompressed(bytes.get(224..288)?, pair)?,
            inputs: inputs
                .chunks(32)
                .map(|bytes| decompressed(bytes, coordinate))
                .collect::<Option<_>>()?,
        })
    }

    /// e(A, B) = e(α, β) · e(Σ inputs, γ) · e(C, δ) (Groth 2016, 3.2).
    fn holds(&self, proof: &Points, inputs: &[Word; INPUTS]) -> bool {
        let Some((first, rest)) = self.inputs.split_first() else {
            return false;
        };
        let mut sum: G1Projective = first.into_group();
        for (point, input) in rest.iter().zip(inputs) {
            // A word beyond the group's order stands for its remainder.
            sum += *point * Fr::from_be_bytes_mod_order(input);
        }
        let left = [-proof.a, sum.into_affine(), proof.c, self.alpha];
        let right = [proof.b, self.gamma, self.delta, self.beta];
        Bn254::multi_pairing(left, right).is_zero()
    }
}

#[cfg(test)]
mod tests;
