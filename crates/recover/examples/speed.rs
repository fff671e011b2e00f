//! Prints what a recovery costs, eight at a time and by libsecp256k1.
use std::hint::black_box;
use std::time::Instant;

use bedroll_recover::{recover, Signature};
use secp256k1::ecdsa::{RecoverableSignature, RecoveryId};
use secp256k1::{Message, SecretKey, SECP256K1};

fn signature(number: u64) -> Signature {
    let mut secret = [1; 32];
    secret[..8].copy_from_slice(&number.to_be_bytes());
    let key = SecretKey::from_byte_array(secret).expect("below the order");
    let mut hash = [2; 32];
    hash[24..].copy_from_slice(&number.to_be_bytes());
    let signed = SECP256K1.sign_ecdsa_recoverable(Message::from_digest(hash), &key);
    let (id, bytes) = signed.serialize_compact();
    Signature {
        hash,
        r: bytes[..32].try_into().expect("32 bytes"),
        s: bytes[32..].try_into().expect("32 bytes"),
        recovery: i32::from(id) as u8,
    }
}

fn by_library(one: &Signature) -> [u8; 64] {
    let bytes = [one.r, one.s].concat();
    let id = RecoveryId::try_from(i32::from(one.recovery)).expect("0 to 3");
    let signed = RecoverableSignature::from_compact(&bytes, id).expect("in range");
    let key = SECP256K1.recover_ecdsa(Message::from_digest(one.hash), &signed);
    let bytes = key.expect("signed").serialize_uncompressed();
    bytes[1..].try_into().expect("64 bytes")
}

/// Least microseconds of a signature in `rounds` passes over all of them.
fn least(count: usize, rounds: usize, mut pass: impl FnMut()) -> f64 {
    let mut least = f64::INFINITY;
    for _ in 0..rounds {
        let start = Instant::now();
        pass();
        least = least.min(start.elapsed().as_secs_f64() * 1e6 / count as f64);
    }
    least
}

fn main() {
    let all: Vec<Signature> = (0..1024).map(signature).collect();
    let start = Instant::now();
    black_box(recover(&all[..8]));
    println!(
        "first eight, tables included: {:.2} ms",
        start.elapsed().as_secs_f64() * 1e3
    );
    let library = least(64, 20, || {
        for one in &all[..64] {
            black_box(by_library(black_box(one)));
        }
    });
    println!("libsecp256k1: {library:.2} µs a signature");
    for count in [2, 3, 4, 8, 16, 64, 1024] {
        let lanes = least(count, 2_000_000 / (count + 50) / 40, || {
            black_box(recover(black_box(&all[..count])));
        });
        println!(
            "{count:4} together: {lanes:.2} µs a signature, {:.1} times the rate",
            library / lanes
        );
    }
    let keys = recover(&all);
    assert!(all
        .iter()
        .zip(&keys)
        .all(|(one, key)| *key == Some(by_library(one))));
}
