//! Shows: the library, which settlement proofs rest on, and this verifier agree on a real proof and on everything near it.
use super::*;
use ark_ec::AffineRepr;
use ark_ff::BigInteger;
use sp1_verifier::Groth16Verifier;

/// A stored proof with what it is judged by.
struct Case {
    circuit: Vec<u8>,
    program: Word,
    values: Vec<u8>,
    proof: Vec<u8>,
}

fn field(json: &str, name: &str) -> Vec<u8> {
    let text = json.split(&format!("\"{name}\": \"")).nth(1).unwrap();
    hex::decode(text.split('"').next().unwrap()).unwrap()
}

fn stored() -> Case {
    let json = include_str!("../../../../tests/vectors/proofs/batch.json");
    Case {
        circuit: field(json, "key"),
        program: field(json, "program_key").try_into().unwrap(),
        values: field(json, "public_values"),
        proof: field(json, "proof"),
    }
}

/// What both say, which must be the same.
fn verdict(case: &Case, values: &[u8], proof: &[u8]) -> bool {
    let ours = is_valid(&case.circuit, case.program, values, proof).unwrap_or(false);
    let name = format!("0x{}", hex::encode(case.program));
    let library = Groth16Verifier::verify(proof, values, &name, &case.circuit).is_ok();
    assert_eq!(ours, library);
    ours
}

/// Adds a number to 32 bytes, big-endian.
fn plus(bytes: &mut [u8], number: &[u8]) {
    let mut carry = 0;
    for (byte, add) in bytes.iter_mut().rev().zip(number.iter().rev()) {
        let sum = u16::from(*byte) + u16::from(*add) + carry;
        (*byte, carry) = (sum as u8, sum >> 8);
    }
    assert_eq!(carry, 0);
}

fn bytes_of(coordinate: &Fq) -> Vec<u8> {
    coordinate.into_bigint().to_bytes_be()
}

#[test]
fn a_real_proof_holds_for_its_values_alone() {
    let case = stored();
    assert!(verdict(&case, &case.values, &case.proof));
    let mut other = case.values.clone();
    other[0] ^= 1;
    assert!(!verdict(&case, &other, &case.proof));
}

#[test]
fn the_other_forms_of_a_true_proof_are_judged_alike() {
    let case = stored();
    let mut proof = case.proof.clone();
    plus(&mut proof[68..100], &Fr::MODULUS.to_bytes_be());
    let of_nonce = verdict(&case, &case.values, &proof);
    let mut proof = case.proof.clone();
    for y in [132, 228, 260] {
        let negative = -coordinate(&proof[y..y + 32]).unwrap();
        proof[y..y + 32].copy_from_slice(&bytes_of(&negative));
    }
    let of_signs = verdict(&case, &case.values, &proof);
    assert!(of_nonce && of_signs);
}

#[test]
fn coordinates_beyond_the_prime_are_refused() {
    let case = stored();
    for at in (HEAD..case.proof.len()).step_by(32) {
        let mut proof = case.proof.clone();
        plus(&mut proof[at..at + 32], &Fq::MODULUS.to_bytes_be());
        assert!(!verdict(&case, &case.values, &proof), "{at}");
    }
}

#[test]
fn points_that_are_none_are_refused() {
    let case = stored();
    for (start, size) in [(100, 64), (164, 128), (292, 64)] {
        let mut proof = case.proof.clone();
        proof[start..start + size].fill(0);
        assert!(!verdict(&case, &case.values, &proof), "zeros at {start}");
        let mut proof = case.proof.clone();
        proof[start + size - 1] ^= 1;
        assert!(
            !verdict(&case, &case.values, &proof),
            "off the curve at {start}"
        );
    }
}

#[test]
fn points_of_the_twist_outside_the_group_are_refused() {
    let case = stored();
    let candidates = (1u64..).map(|number| Fq2::new(Fq::from(number), Fq::from(1)));
    let outside = candidates
        .filter_map(|x| Some((x, G2Affine::get_ys_from_x_unchecked(x)?.0)))
        .find(|(x, y)| !G2Affine::new_unchecked(*x, *y).is_in_correct_subgroup_assuming_on_curve());
    let (x, y) = outside.unwrap();
    let mut proof = case.proof.clone();
    let bytes = [x.c1, x.c0, y.c1, y.c0]
        .map(|part| bytes_of(&part))
        .concat();
    proof[164..292].copy_from_slice(&bytes);
    assert!(!verdict(&case, &case.values, &proof));
}

#[test]
fn true_points_that_prove_nothing_and_changed_heads_are_refused() {
    let case = stored();
    let one = G1Affine::generator();
    let mut proof = case.proof.clone();
    proof[100..164].copy_from_slice(&[bytes_of(&one.x), bytes_of(&one.y)].concat());
    assert!(!verdict(&case, &case.values, &proof));
    for at in [0, 35, 67, 99] {
        let mut proof = case.proof.clone();
        proof[at] ^= 1;
        assert!(!verdict(&case, &case.values, &proof), "{at}");
    }
    for length in [0, 4, 99, 355] {
        assert!(!verdict(&case, &case.values, &case.proof[..length]));
    }
    assert!(!verdict(
        &case,
        &case.values,
        &[&case.proof[..], &[0]].concat()
    ));
}
