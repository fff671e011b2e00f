//! Published proofs of SP1, which gnark made, are accepted; of other public inputs they are not.

mod independent;

use ark_bn254::{Bn254, Fq, Fq2, Fr, G1Affine, G2Affine};
use ark_ff::PrimeField;
use ark_groth16::{Groth16, Proof, VerifyingKey};
use ark_snark::SNARK;
use independent::{bytes, key, statement, words};

use bedroll_verifier::field::Flag;
use bedroll_verifier::number::Number;
use bedroll_verifier::verify::verify;

const FILE: &str = include_str!("../../../../tests/vectors/groth16/sp1.json");
const VERSIONS: [&str; 2] = ["4.0.0", "6.0.0"];

/// Bytes of a field of a version: the file has no other strings than names and hexadecimal digits.
fn field(version: &str, name: &str) -> Vec<u8> {
    let part = &FILE[FILE.find(&format!("\"{version}\"")).unwrap()..];
    let part = &part[part.find(&format!("\"{name}\": \"")).unwrap() + name.len() + 5..];
    let digits = &part[..part.find('"').unwrap()];
    (0..digits.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap())
        .collect()
}

fn fq(raw: &[u8]) -> Fq {
    Fq::from_be_bytes_mod_order(raw)
}

/// A compressed point: two flags, then x; `11` is the higher y.
fn flagged(raw: &[u8]) -> (Vec<u8>, bool) {
    let mut plain = raw.to_vec();
    plain[0] &= 0x3f;
    (plain, raw[0] & 0xc0 == 0xc0)
}

fn g1(raw: &[u8]) -> G1Affine {
    let (plain, is_high) = flagged(raw);
    G1Affine::get_point_from_x_unchecked(fq(&plain), is_high).unwrap()
}

fn g2(raw: &[u8]) -> G2Affine {
    let (plain, is_high) = flagged(raw);
    let x = Fq2::new(fq(&plain[32..]), fq(&plain[..32]));
    G2Affine::get_point_from_x_unchecked(x, is_high).unwrap()
}

fn published(version: &str) -> (VerifyingKey<Bn254>, Proof<Bn254>, Vec<Fr>) {
    let raw = field(version, "key");
    let key = VerifyingKey {
        alpha_g1: g1(&raw[..32]),
        beta_g2: g2(&raw[64..128]),
        gamma_g2: g2(&raw[128..192]),
        delta_g2: g2(&raw[224..288]),
        gamma_abc_g1: raw[292..raw.len() - 8].chunks(32).map(g1).collect(),
    };
    let raw = field(version, "proof");
    let numbers: Vec<Fq> = raw[raw.len() - 256..].chunks(32).map(fq).collect();
    let pair = |at: usize| Fq2::new(numbers[at + 1], numbers[at]);
    let proof = Proof {
        a: G1Affine::new(numbers[0], numbers[1]),
        b: G2Affine::new(pair(2), pair(4)),
        c: G1Affine::new(numbers[6], numbers[7]),
    };
    let inputs = field(version, "inputs");
    let inputs = inputs.chunks(32).map(Fr::from_be_bytes_mod_order).collect();
    (key, proof, inputs)
}

#[test]
fn a_published_proof_is_accepted_for_its_inputs_and_no_others() {
    for version in VERSIONS {
        let (of, proof, mut inputs) = published(version);
        let verdict = |inputs: &[Fr]| {
            let ours = verify::<Number>(&words(&bytes(&proof)), &key(&of), &statement(&of, inputs));
            let theirs = Groth16::<Bn254>::verify(&of, inputs, &proof).unwrap();
            assert_eq!(ours == Flag::SET, theirs);
            theirs
        };
        assert!(verdict(&inputs), "{version}");
        inputs[1] += Fr::from(1u64);
        assert!(!verdict(&inputs), "{version}");
    }
}
