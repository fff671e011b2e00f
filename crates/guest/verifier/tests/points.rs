//! Compressed points become the points that arkworks reads from the same bytes, and nothing else is taken.

#[allow(dead_code)]
mod independent;

use ark_bn254::{Fq, Fq2, G1Affine, G2Affine};
use ark_ec::short_weierstrass::SWCurveConfig;
use ark_ec::AffineRepr;
use ark_ff::{AdditiveGroup, Field as _, UniformRand, Zero};
use ark_serialize::{CanonicalDeserialize, CanonicalSerialize};
use ark_std::rand::rngs::StdRng;
use ark_std::rand::{Rng, SeedableRng};
use independent::{number, quadratic};

use bedroll_verifier::field::{Field, Flag};
use bedroll_verifier::number::Number;
use bedroll_verifier::quadratic::Quadratic;
use bedroll_verifier::root::{point, twist_point, Point};

fn words(raw: &[u8]) -> [u32; 8] {
    std::array::from_fn(|i| u32::from_le_bytes(raw[4 * i..4 * i + 4].try_into().unwrap()))
}

fn compressed(value: &impl CanonicalSerialize) -> Vec<u8> {
    let mut raw = Vec::new();
    value.serialize_compressed(&mut raw).unwrap();
    raw
}

fn same(found: &Number, expected: &Fq) -> bool {
    found.sub(&number(expected)).carried().is_zero() == Flag::SET
}

fn same_pair(found: &Quadratic<Number>, expected: &Fq2) -> bool {
    found.is_equal(&quadratic(expected)) == Flag::SET
}

fn twist(value: &G2Affine) -> (Quadratic<Number>, Quadratic<Number>, Flag) {
    let raw = compressed(value);
    twist_point::<Number>(&[words(&raw[..32]), words(&raw[32..])])
}

#[test]
fn points_of_the_curve_are_read_with_their_sign_and_inverse() {
    let mut rng = StdRng::seed_from_u64(1);
    for _ in 0..200 {
        let expected = G1Affine::rand(&mut rng);
        for expected in [expected, -expected] {
            let (Point { x, y, inverse }, is_point) =
                point::<Number>(&words(&compressed(&expected)));
            assert_eq!(is_point, Flag::SET);
            assert!(same(&x, &expected.x) && same(&y, &expected.y));
            assert!(same(&inverse, &expected.y.inverse().unwrap()));
        }
    }
}

#[test]
fn any_bytes_are_a_point_where_arkworks_says_so() {
    let mut rng = StdRng::seed_from_u64(2);
    let mut taken = 0;
    for _ in 0..400 {
        let mut raw = [0u8; 32];
        rng.fill(&mut raw[..]);
        raw[31] &= 0xbf;
        let expected = G1Affine::deserialize_compressed(&raw[..]).is_ok();
        assert_eq!(point::<Number>(&words(&raw)).1 == Flag::SET, expected);
        taken += u32::from(expected);
    }
    assert!(taken > 20, "{taken}");
}

#[test]
fn points_of_the_twist_are_read_whatever_their_order() {
    let mut rng = StdRng::seed_from_u64(3);
    let mut outside = 0;
    for _ in 0..100 {
        let x = Fq2::rand(&mut rng);
        let square = x.square() * x + ark_bn254::g2::Config::COEFF_B;
        let Some(y) = square.sqrt() else {
            let raw = compressed(&x);
            let found = twist_point::<Number>(&[words(&raw[..32]), words(&raw[32..])]);
            assert_ne!(found.2, Flag::SET);
            continue;
        };
        for y in [y, -y] {
            let expected = G2Affine::new_unchecked(x, y);
            let (x, y, is_point) = twist(&expected);
            assert_eq!(is_point, Flag::SET);
            assert!(same_pair(&x, &expected.x) && same_pair(&y, &expected.y));
            outside += u32::from(!expected.is_in_correct_subgroup_assuming_on_curve());
        }
    }
    assert!(outside > 40, "{outside}");
}

/// A cube root: q² − 1 = 9 t, so a power makes the cube right but for a factor of order 9.
fn cube_root(value: Fq2) -> Option<Fq2> {
    const THIRD: [u64; 8] = [
        0x503f_2302_87a8_1acb,
        0xad7b_68d3_edc5_898e,
        0x7748_4dac_c5bf_5165,
        0xa183_0243_f614_50cc,
        0xb708_2582_16df_4fab,
        0xdda2_09e0_149b_cd7b,
        0xea31_5d97_688a_2286,
        0x00ad_76de_41a5_af60,
    ];
    const REST: [u64; 8] = [
        0x785e_b483_cb7c_2830,
        0x8439_1d3d_e4a8_4e55,
        0xb2ec_7483_289e_fa18,
        0x7244_8365_f11e_7932,
        0x928c_3843_224e_f781,
        0x4c73_0ed0_1ee9_b439,
        0x5f4a_0c63_1ccf_33ca,
        0x0104_324d_6278_8711,
    ];
    let ninth = (1u64..)
        .map(|k| Fq2::new(Fq::from(k), Fq::from(1u64)).pow(REST))
        .find(|root| root.pow([3u64]) != Fq2::ONE)
        .unwrap();
    let first = value.pow(THIRD);
    (0..9u64)
        .map(|k| first * ninth.pow([k]))
        .find(|root| root.square() * root == value)
}

#[test]
fn roots_with_a_part_that_is_zero_are_found() {
    let mut found = 0;
    for k in 1..60u64 {
        for y in [
            Fq2::new(Fq::from(k), Fq::ZERO),
            Fq2::new(Fq::ZERO, Fq::from(k)),
        ] {
            let Some(x) = cube_root(y.square() - ark_bn254::g2::Config::COEFF_B) else {
                continue;
            };
            for y in [y, -y] {
                let expected = G2Affine::new_unchecked(x, y);
                assert!(expected.is_on_curve());
                let (x, y, is_point) = twist(&expected);
                assert_eq!(is_point, Flag::SET, "k = {k}");
                assert!(same_pair(&x, &expected.x) && same_pair(&y, &expected.y));
                found += 1;
            }
        }
    }
    assert!(found > 40, "{found}");
}

#[test]
fn infinity_is_no_point() {
    let raw = compressed(&G1Affine::zero());
    assert_ne!(point::<Number>(&words(&raw)).1, Flag::SET);
    assert_ne!(twist(&G2Affine::zero()).2, Flag::SET);
    assert!(Fq::zero().is_zero());
}
