//! Whether a proof of the proof system shows its public values.
//!
//! Reads: a proof from anyone, public values, the keys of a program and of the Groth16 circuit. Gives: yes or no.
//! Never: panics, or allocates more than a few times the sizes below, whatever the bytes are; knows what public values
//! mean; takes proofs made without proving (the library's mock proofs are another variant, which is not decoded here).
#![warn(missing_docs)]

mod contain;
mod groth16;
#[cfg(feature = "python")]
mod python;

use std::sync::OnceLock;

use bincode::Options;
use serde::de::DeserializeOwned;
use sp1_hypercube::{HashableKey, SP1PcsProofInner, SP1RecursionProof, SP1VerifyingKey};
use sp1_verifier::compressed::SP1CompressedVerifier;
use sp1_verifier::decode_sp1_vkey_hash;

/// Bytes of a compressed proof, at most.
pub const COMPRESSED_SIZE_MAX: usize = 2 << 20;
/// Bytes of a Groth16 proof.
pub const GROTH16_SIZE: usize = 356;
/// Bytes of public values, at most.
pub const PUBLIC_VALUES_MAX: usize = 1024;
/// Bytes of a program's key, at most.
pub const PROGRAM_KEY_MAX: usize = 1024;
/// Bytes of a circuit's key, at most.
pub const CIRCUIT_KEY_MAX: usize = 4096;

/// Bytes as the library writes them, to the last one.
fn decode<T: DeserializeOwned>(bytes: &[u8], most: usize) -> Option<T> {
    let options = bincode::DefaultOptions::new()
        .with_fixint_encoding()
        .reject_trailing_bytes()
        .with_limit(most as u64);
    (bytes.len() <= most)
        .then(|| options.deserialize(bytes).ok())
        .flatten()
}

fn verifier() -> &'static SP1CompressedVerifier {
    static VERIFIER: OnceLock<SP1CompressedVerifier> = OnceLock::new();
    VERIFIER.get_or_init(SP1CompressedVerifier::new)
}

/// Whether a compressed proof shows that the program with this key ended well and gave these public values.
#[must_use]
pub fn is_compressed_valid(program: &[u8], public_values: &[u8], proof: &[u8]) -> bool {
    if public_values.len() > PUBLIC_VALUES_MAX {
        return false;
    }
    contain::judged(|| {
        let Some(key) = decode::<SP1VerifyingKey>(program, PROGRAM_KEY_MAX) else {
            return false;
        };
        let decoded = decode::<SP1RecursionProof<_, SP1PcsProofInner>>(proof, COMPRESSED_SIZE_MAX);
        decoded.is_some_and(|decoded| {
            let digest = key.hash_koalabear();
            verifier()
                .verify_compressed_with_public_values(&decoded, public_values, &digest)
                .is_ok()
        })
    })
}

/// The same of a Groth16 proof under the key of its circuit.
#[must_use]
pub fn is_groth16_valid(
    program: &[u8],
    circuit: &[u8],
    public_values: &[u8],
    proof: &[u8],
) -> bool {
    let fits = public_values.len() <= PUBLIC_VALUES_MAX
        && circuit.len() <= CIRCUIT_KEY_MAX
        && proof.len() == GROTH16_SIZE;
    fits && contain::judged(|| {
        let key = decode::<SP1VerifyingKey>(program, PROGRAM_KEY_MAX);
        let name = key.and_then(|key| decode_sp1_vkey_hash(&key.bytes32()).ok());
        let valid = name.and_then(|name| groth16::is_valid(circuit, name, public_values, proof));
        valid.unwrap_or(false)
    })
}

/// How a program is named in Groth16 proofs, 32 bytes in hexadecimal after 0x; None for what is no key.
#[must_use]
pub fn program_name(program: &[u8]) -> Option<String> {
    decode::<SP1VerifyingKey>(program, PROGRAM_KEY_MAX).map(|key| key.bytes32())
}

/// Key of the circuit whose setup was the published ceremony of this version of the proof system.
#[must_use]
pub fn published_circuit() -> &'static [u8] {
    &sp1_verifier::GROTH16_VK_BYTES
}
