//! The lanes give libsecp256k1's keys: of honest signatures each, of hostile ones never another.
use bedroll_recover::{is_available, recover, recover_by, Key, Means, Signature};
use num_bigint::BigUint;
use secp256k1::ecdsa::{self, RecoverableSignature, RecoveryId};
use secp256k1::{Message, PublicKey, Scalar, SecretKey, SECP256K1};
use sha2::{Digest, Sha256};

fn hex(text: &str) -> BigUint {
    BigUint::parse_bytes(text.as_bytes(), 16).expect("hex")
}

fn order() -> BigUint {
    hex("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141")
}

fn prime() -> BigUint {
    hex("fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f")
}

fn lambda() -> BigUint {
    hex("5363ad4cc05c30e0a5261c028812645a122e22ea20816678df02967c1b23bd72")
}

fn bytes(number: &BigUint) -> [u8; 32] {
    let (mut out, own) = ([0; 32], number.to_bytes_be());
    out[32 - own.len()..].copy_from_slice(&own);
    out
}

/// Bytes that follow from a number.
fn random(number: u64, of: &str) -> [u8; 32] {
    let hash = Sha256::new().chain_update(number.to_le_bytes());
    hash.chain_update(of).finalize().into()
}

fn by_library(one: &Signature) -> Option<Key> {
    let numbers = [one.r, one.s].concat();
    let id = RecoveryId::try_from(i32::from(one.recovery)).ok()?;
    let signed = RecoverableSignature::from_compact(&numbers, id).ok()?;
    let key = SECP256K1.recover_ecdsa(Message::from_digest(one.hash), &signed);
    key.ok()?.serialize_uncompressed()[1..].try_into().ok()
}

/// Holds both against each other; how many of the library's keys the lanes left out.
fn left_out(signatures: &[Signature]) -> usize {
    let wanted: Vec<Option<Key>> = signatures.iter().map(by_library).collect();
    let best = recover(signatures);
    let mut most = held(signatures, &wanted, &best);
    for means in Means::ALL.into_iter().filter(|means| means.is_there()) {
        let found = recover_by(means, signatures);
        most = most.max(held(signatures, &wanted, &found));
    }
    most
}

fn held(signatures: &[Signature], wanted: &[Option<Key>], found: &[Option<Key>]) -> usize {
    assert_eq!(found.len(), signatures.len());
    let mut left = 0;
    for (one, (wanted, found)) in signatures.iter().zip(wanted.iter().zip(found)) {
        assert!(found.is_none() || found == wanted, "{one:02x?}");
        left += usize::from(found != wanted);
    }
    left
}

/// The signature that makes a·G + b·R of a point R.
fn made(point: &PublicKey, a: &BigUint, b: &BigUint) -> Signature {
    let order = order();
    let point = point.serialize_uncompressed();
    let x = BigUint::from_bytes_be(&point[1..33]);
    let r = &x % &order;
    Signature {
        hash: bytes(&((&order - a % &order) * &r % &order)),
        r: bytes(&r),
        s: bytes(&(b * &r % &order)),
        recovery: point[64] & 1 | u8::from(x >= order) << 1,
    }
}

fn multiple_of_generator(number: &BigUint) -> PublicKey {
    let key = SecretKey::from_byte_array(bytes(&(number % order()))).expect("not 0");
    PublicKey::from_secret_key_global(&key)
}

/// Where the lanes begin their sums: BIP-341's point of unknown logarithm, y odd.
fn beginning() -> PublicKey {
    let x = "0350929b74c1a04954b78b4b6035e97a5e078a5a0f28ec96d547bfee9ace803ac0";
    PublicKey::from_slice(&hex(x).to_bytes_be()).expect("on the curve")
}

/// Factors at which windows, halves and sums turn over, and their opposites.
fn turning() -> Vec<BigUint> {
    let one = BigUint::from(1u32);
    let mut out: Vec<BigUint> = (1u32..=40).map(BigUint::from).collect();
    for bit in [
        11, 12, 24, 60, 64, 120, 124, 125, 126, 127, 128, 129, 140, 248, 255,
    ] {
        out.push(&one << bit);
        out.push((&one << bit) - 1u32);
        out.push((&one << bit) * 3u32);
    }
    for factor in [1u32, 2, 3, 15, 16, 17, 31, 32] {
        out.push(lambda() * factor % order());
        out.push(lambda() * lambda() * factor % order());
        out.push((lambda() + 1u32) * factor % order());
    }
    out.push((order() - 1u32) / 2u32);
    out.push((order() + 1u32) / 2u32);
    let opposite: Vec<BigUint> = out.iter().map(|one| order() - one % order()).collect();
    out.extend(opposite);
    out
}

#[test]
fn many_random_signatures_get_the_librarys_keys_and_none_is_left_out() {
    // Every second r is an x of the curve.
    const EACH: u64 = 52_000;
    let check = |part: u64| {
        let numbers = part * EACH..(part + 1) * EACH;
        let signatures: Vec<Signature> = numbers
            .map(|number| Signature {
                hash: random(number, "hash"),
                r: random(number, "r"),
                s: random(number, "s"),
                recovery: (number % 2) as u8,
            })
            .collect();
        let keys = recover(&signatures).iter().flatten().count();
        (keys, left_out(&signatures))
    };
    let found: Vec<(usize, usize)> = std::thread::scope(|scope| {
        let parts: Vec<_> = (0..4)
            .map(|part| scope.spawn(move || check(part)))
            .collect();
        parts
            .into_iter()
            .map(|part| part.join().expect("no panic"))
            .collect()
    });
    if is_available() {
        let keys: usize = found.iter().map(|(keys, _)| keys).sum();
        assert!(keys > 100_000, "{keys} keys");
        assert!(found.iter().all(|(_, left)| *left == 0), "{found:?}");
    }
}

#[test]
fn numbers_at_the_ends_of_their_ranges_are_taken_or_left_as_by_the_library() {
    let (n, p) = (order(), prime());
    let top = (BigUint::from(1u32) << 256) - 1u32;
    let half = &n / 2u32;
    let gap = &p - &n;
    let mut ends = vec![
        0u32.into(),
        1u32.into(),
        2u32.into(),
        top,
        half.clone(),
        half + 1u32,
    ];
    for edge in [&n, &p, &gap] {
        ends.extend([
            edge - 2u32,
            edge - 1u32,
            edge.clone(),
            edge + 1u32,
            edge + 2u32,
        ]);
    }
    let honest = multiple_of_generator(&77u32.into()).serialize_uncompressed();
    ends.push(BigUint::from_bytes_be(&honest[1..33]));
    ends.extend((3u32..9).map(BigUint::from));
    let mut signatures = vec![];
    for r in &ends {
        for s in &ends {
            for hash in [
                0u32.into(),
                1u32.into(),
                &n - 1u32,
                n.clone(),
                &n + 1u32,
                p.clone(),
            ] {
                signatures.extend((0..6).map(|recovery| Signature {
                    hash: bytes(&hash),
                    r: bytes(r),
                    s: bytes(s),
                    recovery,
                }));
            }
        }
    }
    let left = left_out(&signatures);
    assert!(left == 0 || !is_available(), "{left} left out");
}

#[test]
fn points_that_are_multiples_of_the_generator_get_the_librarys_keys() {
    let turning = turning();
    let mut signatures = vec![];
    for (at, k) in turning.iter().enumerate() {
        let point = multiple_of_generator(k);
        for b in turning.iter().skip(at % 13).step_by(13) {
            let equal = b * k % order();
            let twice = &equal * 2u32 % order();
            for a in [
                0u32.into(),
                1u32.into(),
                equal.clone(),
                order() - &equal,
                twice,
            ] {
                signatures.push(made(&point, &a, b));
            }
            for a in turning.iter().skip(at % 17).step_by(17) {
                signatures.push(made(&point, a, b));
            }
        }
    }
    let left = left_out(&signatures);
    assert!(
        left == 0 || !is_available(),
        "{left} of {} left out",
        signatures.len()
    );
}

#[test]
fn a_sum_that_is_infinity_has_no_key() {
    let mut signatures = vec![];
    for k in turning() {
        let point = multiple_of_generator(&k);
        for b in [1u32.into(), &order() - 1u32, 77u32.into(), lambda()] {
            signatures.push(made(&point, &(order() - &b * &k % order()), &b));
        }
    }
    assert!(signatures.iter().all(|one| by_library(one).is_none()));
    assert!(recover(&signatures).iter().all(Option::is_none));
}

#[test]
fn points_made_to_meet_where_sums_begin_are_left_to_the_library() {
    let one = BigUint::from(1u32);
    let mut signatures = vec![];
    for multiple in 1u32..=20 {
        let scalar = Scalar::from_be_bytes(bytes(&multiple.into())).expect("below the order");
        let point = beginning()
            .mul_tweak(SECP256K1, &scalar)
            .expect("not infinity");
        for point in [point, point.negate(SECP256K1)] {
            for b in turning() {
                let inverse = BigUint::from(multiple).modpow(&(order() - 2u32), &order());
                for b in [
                    &b * &inverse % order(),
                    &b * &inverse * lambda() % order(),
                    b,
                ] {
                    signatures.push(made(&point, &one, &b));
                    signatures.push(made(&point, &0u32.into(), &b));
                }
            }
        }
    }
    // B + B and B − B in the first window, which the formulas of points cannot add.
    let first = &one << 125;
    let meeting = [
        made(&beginning(), &one, &first),
        made(&beginning(), &one, &(order() - &first)),
    ];
    assert_eq!(recover(&meeting), [None, None]);
    let left = left_out(&signatures);
    println!("{left} of {} left out", signatures.len());
    assert!(left > 0 && left < signatures.len() / 20 || !is_available());
}

#[test]
fn good_and_bad_signatures_do_not_disturb_each_other_in_any_place_or_count() {
    let good = |number: u64| {
        let k = BigUint::from_bytes_be(&random(number, "k"));
        let a = BigUint::from_bytes_be(&random(number, "a"));
        made(
            &multiple_of_generator(&k),
            &a,
            &BigUint::from_bytes_be(&random(number, "b")),
        )
    };
    let good: Vec<Signature> = (0..70).map(good).collect();
    let infinite = made(
        &multiple_of_generator(&5u32.into()),
        &(order() - 10u32),
        &2u32.into(),
    );
    // 5 is no x of the curve.
    let bad = [
        Signature {
            r: [0; 32],
            ..good[0]
        },
        Signature {
            s: [0xff; 32],
            ..good[0]
        },
        Signature {
            r: bytes(&5u32.into()),
            ..good[0]
        },
        Signature {
            recovery: 2,
            ..good[0]
        },
        Signature {
            recovery: 4,
            ..good[0]
        },
        infinite,
    ];
    for count in (0..=17).chain([63, 64, 65, 66, 70]) {
        let given = &good[..count];
        let left = left_out(given);
        assert_eq!(
            left,
            if is_available() {
                usize::from(count % 8 == 1)
            } else {
                count
            }
        );
        for place in 0..count {
            for bad in bad {
                let mut mixed = given.to_vec();
                mixed[place] = bad;
                if count <= 17 {
                    mixed[(place + 3) % count] = bad;
                    left_out(&mixed);
                }
                let found = recover(&mixed);
                assert_eq!(found[place], None);
                for other in (0..count).filter(|at| mixed[*at] == given[*at]) {
                    assert!(found[other].is_some() || count % 8 == 1 || !is_available());
                }
            }
        }
    }
}

#[test]
fn published_signatures_get_the_librarys_keys() {
    let path = "../../tests/vectors/wycheproof/ecdsa_secp256k1_sha256_bitcoin_test.json";
    let file = std::fs::read(path).expect("the vectors are in the repository");
    let vectors: serde_json::Value = serde_json::from_slice(&file).expect("JSON");
    let (mut signatures, mut valid) = (vec![], vec![]);
    for group in vectors["testGroups"].as_array().expect("groups") {
        let key = group["publicKey"]["uncompressed"].as_str().expect("a key");
        for test in group["tests"].as_array().expect("tests") {
            let text = |name: &str| decoded(test[name].as_str().expect("hex"));
            let Ok(signed) = ecdsa::Signature::from_der_lax(&text("sig")) else {
                continue;
            };
            let numbers = signed.serialize_compact();
            if test["result"] == "valid" {
                valid.push((signatures.len(), decoded(key)[1..].to_vec()));
            }
            signatures.extend((0..4).map(|recovery| Signature {
                hash: Sha256::digest(text("msg")).into(),
                r: numbers[..32].try_into().expect("32 bytes"),
                s: numbers[32..].try_into().expect("32 bytes"),
                recovery,
            }));
        }
    }
    assert!(valid.len() > 100, "{}", valid.len());
    let left = left_out(&signatures);
    assert!(left == 0 || !is_available(), "{left} left out");
    let found = recover(&signatures);
    for (at, key) in valid.into_iter().filter(|_| is_available()) {
        let keys = found[at..at + 4].iter().flatten();
        assert!(keys.copied().any(|found| found[..] == key[..]));
    }
}

fn decoded(text: &str) -> Vec<u8> {
    let byte = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).expect("hex");
    (0..text.len()).step_by(2).map(byte).collect()
}
