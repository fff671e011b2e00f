//! Proofs by arkworks, and its numbers in this crate's form.

use ark_bn254::{Bn254, Fq, Fq12, Fq2, Fq6, Fr, G1Affine, G2Affine};
use ark_ec::pairing::Pairing;
use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::{Field as _, PrimeField, UniformRand};
use ark_groth16::{Groth16, Proof, VerifyingKey};
use ark_relations::gr1cs::{
    ConstraintSynthesizer, ConstraintSystemRef, LinearCombination, SynthesisError,
};
use ark_serialize::CanonicalSerialize;
use ark_snark::SNARK;
use ark_std::rand::rngs::StdRng;
use ark_std::rand::SeedableRng;

use bedroll_verifier::number::Number;
use bedroll_verifier::pairing::lines;
use bedroll_verifier::quadratic::Quadratic;
use bedroll_verifier::sextic::Sextic;
use bedroll_verifier::twelfth::Twelfth;
use bedroll_verifier::verify::{Key, Statement};

/// Who knows w with w³ = x and w⁴ = y.
pub struct Cube(pub Option<Fr>);

impl ConstraintSynthesizer<Fr> for Cube {
    fn generate_constraints(self, cs: ConstraintSystemRef<Fr>) -> Result<(), SynthesisError> {
        let known = |power: u64| {
            let found = self.0.map(|w| w.pow([power]));
            move || found.ok_or(SynthesisError::AssignmentMissing)
        };
        let one = LinearCombination::<Fr>::zero;
        let w = cs.new_witness_variable(known(1))?;
        let w2 = cs.new_witness_variable(known(2))?;
        let x = cs.new_input_variable(known(3))?;
        let y = cs.new_input_variable(known(4))?;
        cs.enforce_r1cs_constraint(|| one() + w, || one() + w, || one() + w2)?;
        cs.enforce_r1cs_constraint(|| one() + w2, || one() + w, || one() + x)?;
        cs.enforce_r1cs_constraint(|| one() + x, || one() + w, || one() + y)?;
        Ok(())
    }
}

/// A key, a proof and its public inputs.
pub struct Sample {
    pub key: VerifyingKey<Bn254>,
    pub proof: Proof<Bn254>,
    pub inputs: Vec<Fr>,
}

pub fn sample(seed: u64) -> Sample {
    let mut rng = StdRng::seed_from_u64(seed);
    let (proving, key) = Groth16::<Bn254>::circuit_specific_setup(Cube(None), &mut rng).unwrap();
    let w = Fr::rand(&mut rng);
    let proof = Groth16::<Bn254>::prove(&proving, Cube(Some(w)), &mut rng).unwrap();
    let inputs = vec![w.pow([3u64]), w.pow([4u64])];
    assert!(Groth16::<Bn254>::verify(&key, &inputs, &proof).unwrap());
    Sample { key, proof, inputs }
}

pub fn number(value: &Fq) -> Number {
    let form = (*value * Fq::from(2u64).pow([260u64])).into_bigint().0;
    Number(std::array::from_fn(|i| {
        let (word, offset) = (26 * i / 64, 26 * i % 64);
        let high = u128::from(*form.get(word + 1).unwrap_or(&0)) << 64;
        ((high | u128::from(form[word])) >> offset & 0x3ff_ffff) as i32
    }))
}

pub fn quadratic(value: &Fq2) -> Quadratic<Number> {
    Quadratic {
        a: number(&value.c0),
        b: number(&value.c1),
    }
}

fn sextic(value: &Fq6) -> Sextic<Number> {
    Sextic {
        a: quadratic(&value.c0),
        b: quadratic(&value.c1),
        c: quadratic(&value.c2),
    }
}

pub fn twelfth(value: &Fq12) -> Twelfth<Number> {
    Twelfth {
        x: sextic(&value.c0),
        y: sextic(&value.c1),
    }
}

pub fn key(key: &VerifyingKey<Bn254>) -> Key<Number> {
    let of = |point: &G2Affine| lines(&quadratic(&point.x), &quadratic(&point.y));
    Key {
        gamma: of(&key.gamma_g2),
        delta: of(&key.delta_g2),
        target: twelfth(&Bn254::pairing(key.alpha_g1, key.beta_g2).0),
    }
}

pub fn statement(key: &VerifyingKey<Bn254>, inputs: &[Fr]) -> Statement<Number> {
    let mut sum = key.gamma_abc_g1[0].into_group();
    for (point, input) in key.gamma_abc_g1[1..].iter().zip(inputs) {
        sum += *point * input;
    }
    let point: G1Affine = sum.into_affine();
    let inverse = point.y.inverse().unwrap();
    Statement {
        ratio: number(&(point.x * inverse)),
        inverse: number(&inverse),
    }
}

pub fn words(bytes: &[u8]) -> [[u32; 8]; 4] {
    std::array::from_fn(|i| {
        std::array::from_fn(|j| {
            let at = 32 * i + 4 * j;
            u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
        })
    })
}

pub fn bytes(proof: &Proof<Bn254>) -> Vec<u8> {
    let mut raw = Vec::new();
    proof.serialize_compressed(&mut raw).unwrap();
    raw
}
