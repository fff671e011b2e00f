//! The verifier says of every proof what arkworks says.

mod independent;

use ark_bn254::{Bn254, Fr, G1Affine, G2Affine};
use ark_ff::UniformRand;
use ark_groth16::{Groth16, Proof};
use ark_serialize::CanonicalDeserialize;
use ark_snark::SNARK;
use ark_std::rand::rngs::StdRng;
use ark_std::rand::{Rng, SeedableRng};
use independent::{bytes, key, sample, statement, words, Sample};

use bedroll_verifier::field::Flag;
use bedroll_verifier::number::Number;
use bedroll_verifier::verify::verify;

fn verdict(sample: &Sample, inputs: &[Fr], raw: &[u8]) -> bool {
    let found = verify::<Number>(
        &words(raw),
        &key(&sample.key),
        &statement(&sample.key, inputs),
    );
    found == Flag::SET
}

#[test]
fn real_proofs_are_accepted() {
    for seed in 1..6 {
        let sample = sample(seed);
        assert!(
            verdict(&sample, &sample.inputs, &bytes(&sample.proof)),
            "seed {seed}"
        );
    }
}

#[test]
fn a_proof_of_another_statement_is_refused() {
    let sample = sample(6);
    let mut other = sample.inputs.clone();
    other[0] += Fr::from(1u64);
    assert!(!verdict(&sample, &other, &bytes(&sample.proof)));
}

#[test]
fn changed_proofs_are_judged_as_arkworks_judges_them() {
    judge(7, 60);
}

#[test]
#[ignore = "minutes: cargo test --release -- --ignored"]
fn many_changed_proofs_are_judged_as_arkworks_judges_them() {
    judge(9, 6_000);
}

fn judge(seed: u64, cases: u32) {
    let sample = sample(seed);
    let good = bytes(&sample.proof);
    let mut rng = StdRng::seed_from_u64(seed + 1);
    let (key, statement) = (key(&sample.key), statement(&sample.key, &sample.inputs));
    let mut read = 0;
    for case in 0..cases {
        let mut raw = good.clone();
        match case % 3 {
            0 => raw[rng.gen_range(0..128)] ^= 1 << rng.gen_range(0..8),
            1 => {
                let points = Proof::<Bn254> {
                    a: G1Affine::rand(&mut rng),
                    b: G2Affine::rand(&mut rng),
                    c: G1Affine::rand(&mut rng),
                };
                raw = bytes(&points);
            }
            _ => rng.fill(&mut raw[..]),
        }
        let expected = match Proof::<Bn254>::deserialize_compressed(&raw[..]) {
            Ok(proof) => {
                read += 1;
                Groth16::<Bn254>::verify(&sample.key, &sample.inputs, &proof).unwrap()
            }
            Err(_) => false,
        };
        let found = verify::<Number>(&words(&raw), &key, &statement);
        assert_eq!(found == Flag::SET, expected, "case {case}");
    }
    assert!(read >= cases / 3, "{read}");
}
