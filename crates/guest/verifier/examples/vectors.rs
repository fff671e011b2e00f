//! Writes tests/vectors/groth16/arkworks.json: keys, proofs and broken proofs by arkworks.

#[path = "../tests/independent/mod.rs"]
#[allow(dead_code)]
mod independent;

use ark_bn254::{Fq, Fq2, G1Affine, G2Affine};
use ark_ec::CurveGroup;
use ark_ff::{BigInteger, PrimeField};
use independent::{bytes, sample, Sample};

fn hex(raw: &[u8]) -> String {
    raw.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn g1(point: &G1Affine) -> String {
    format!("[\"{}\", \"{}\"]", point.x, point.y)
}

fn g2(point: &G2Affine) -> String {
    let (x, y) = (point.x, point.y);
    format!(
        "[[\"{}\", \"{}\"], [\"{}\", \"{}\"]]",
        x.c0, x.c1, y.c0, y.c1
    )
}

/// A point of the twist that is not of order r.
fn outside() -> G2Affine {
    (1u64..)
        .filter_map(|k| {
            let x = Fq2::new(Fq::from(k), Fq::from(5u64));
            G2Affine::get_point_from_x_unchecked(x, true)
        })
        .find(|point| !point.is_in_correct_subgroup_assuming_on_curve())
        .unwrap()
}

/// 32 bytes with q added to the number: the same modulo q, and no bit of a flag lost.
fn above(raw: &[u8]) -> Vec<u8> {
    let mut carry = 0u16;
    let prime = Fq::MODULUS.to_bytes_le();
    raw.iter()
        .zip(prime)
        .map(|(one, two)| {
            carry += u16::from(*one) + u16::from(two);
            let byte = carry as u8;
            carry >>= 8;
            byte
        })
        .collect()
}

fn broken(sample: &Sample) -> Vec<(String, Vec<u8>)> {
    let good = bytes(&sample.proof);
    let mut cases = Vec::new();
    let mut case = |name: &str, raw: Vec<u8>| cases.push((name.to_string(), raw));
    let with = |at: usize, part: &[u8]| {
        let mut raw = good.clone();
        raw[at..at + part.len()].copy_from_slice(part);
        raw
    };
    let mut doubled = sample.proof.clone();
    doubled.a = (doubled.a + doubled.a).into_affine();
    case("A doubled", bytes(&doubled));
    doubled = sample.proof.clone();
    doubled.b = (doubled.b + doubled.b).into_affine();
    case("B doubled", bytes(&doubled));
    doubled = sample.proof.clone();
    doubled.c = (doubled.c + doubled.c).into_affine();
    case("C doubled", bytes(&doubled));
    doubled = sample.proof.clone();
    doubled.b = outside();
    case("B outside the group", bytes(&doubled));
    for (name, at, flag) in [("A", 0, 31), ("B", 32, 95), ("C", 96, 127)] {
        case(&format!("{name} negated"), with(flag, &[good[flag] ^ 0x80]));
        case(
            &format!("{name} marked as infinity"),
            with(flag, &[good[flag] | 0x40]),
        );
        let size = flag + 1 - at;
        let mut zero = vec![0; size];
        case(&format!("{name} with x = 0"), with(at, &zero));
        zero[size - 1] = 0x40;
        case(&format!("{name} infinity"), with(at, &zero));
        let mut off = good.clone();
        loop {
            off[at] = off[at].wrapping_add(1);
            let x = Fq::from_le_bytes_mod_order(&off[at..at + 31]);
            if at == 32 || G1Affine::get_point_from_x_unchecked(x, true).is_none() {
                break;
            }
        }
        case(&format!("{name} with another x"), off);
    }
    for (name, at) in [
        ("A", 0),
        ("B's first part", 32),
        ("B's second part", 64),
        ("C", 96),
    ] {
        case(
            &format!("{name} above q"),
            with(at, &above(&good[at..at + 32])),
        );
        case(&format!("{name} all bits"), with(at, &[0xff; 32]));
        case(&format!("{name} q"), with(at, &Fq::MODULUS.to_bytes_le()));
    }
    case("B's first part with the sign", with(63, &[good[63] | 0x80]));
    case("all zero", vec![0; 128]);
    case("all bits", vec![0xff; 128]);
    cases
}

fn main() {
    let samples: Vec<String> = [1, 2]
        .map(|seed| {
            let sample = sample(seed);
            let (key, raw) = (&sample.key, bytes(&sample.proof));
            let points: Vec<String> = key.gamma_abc_g1.iter().map(g1).collect();
            let inputs: Vec<String> = sample.inputs.iter().map(|x| format!("\"{x}\"")).collect();
            let cases: Vec<String> = broken(&sample)
                .iter()
                .map(|(name, raw)| format!("      [\"{name}\", \"{}\"]", hex(raw)))
                .collect();
            let (a, b, c) = (
                g1(&sample.proof.a),
                g2(&sample.proof.b),
                g1(&sample.proof.c),
            );
            format!(
                "  {{\n    \"alpha\": {}, \"beta\": {},\n    \"gamma\": {}, \"delta\": {},\n    \
                 \"points\": [{}],\n    \"inputs\": [{}],\n    \"proof\": \"{}\",\n    \
                 \"a\": {a}, \"b\": {b}, \"c\": {c},\n    \"broken\": [\n{}\n    ]\n  }}",
                g1(&key.alpha_g1),
                g2(&key.beta_g2),
                g2(&key.gamma_g2),
                g2(&key.delta_g2),
                points.join(", "),
                inputs.join(", "),
                hex(&raw),
                cases.join(",\n"),
            )
        })
        .to_vec();
    println!("[\n{}\n]", samples.join(",\n"));
}
