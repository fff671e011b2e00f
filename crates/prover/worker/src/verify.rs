//! Judges a compressed proof. Nothing that stands in the files can stop the process.
use std::fs::File;
use std::io::Read;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::path::Path;

use anyhow::{anyhow, ensure, Context, Result};
use slop_algebra::{AbstractField, PrimeField32};
use sp1_hypercube::{HashableKey, SP1PcsProofInner, SP1RecursionProof, SP1VerifyingKey};
use sp1_primitives::{SP1Field, SP1GlobalContext};
use sp1_verifier::compressed::SP1CompressedVerifier;

/// A compressed proof.
pub type Compressed = SP1RecursionProof<SP1GlobalContext, SP1PcsProofInner>;

/// Bytes of a proof's file; a true one has 1.3 million.
pub const PROOF_MAX: u64 = 4 << 20;
/// Bytes of public values.
const VALUES_MAX: u64 = 1 << 16;

/// A file that has at most so many bytes.
///
/// # Errors
/// It has more, or cannot be read.
pub fn read(path: &Path, max: u64) -> Result<Vec<u8>> {
    let file = File::open(path).with_context(|| path.display().to_string())?;
    let mut bytes = Vec::new();
    file.take(max + 1).read_to_end(&mut bytes)?;
    ensure!(
        bytes.len() as u64 <= max,
        "{} has more than {max} bytes",
        path.display()
    );
    Ok(bytes)
}

/// Bytes of a program's key; a true one has 104.
const KEY_MAX: usize = 1 << 10;

/// A key's digest from its hexadecimal digits, or the key's own.
fn digest(program: &str) -> Result<[SP1Field; 8]> {
    ensure!(
        program.len() <= 2 * KEY_MAX,
        "a key has at most {KEY_MAX} bytes"
    );
    let bytes = hex::decode(program)?;
    let Ok(bytes) = <[u8; 32]>::try_from(bytes.as_slice()) else {
        let key: SP1VerifyingKey = bincode::deserialize(&bytes)
            .map_err(|error| anyhow!("neither a key nor its digest: {error}"))?;
        ensure!(
            bincode::serialize(&key)? == bytes,
            "the key is not written as it must be"
        );
        return Ok(key.hash_koalabear());
    };
    let mut words = [SP1Field::zero(); 8];
    for (word, bytes) in words.iter_mut().zip(bytes.as_chunks::<4>().0) {
        let number = u32::from_be_bytes(*bytes);
        ensure!(
            number < SP1Field::ORDER_U32,
            "a word of the digest is outside the field"
        );
        *word = SP1Field::from_canonical_u32(number);
    }
    Ok(words)
}

/// Why the proof in these bytes does not show that the program with this key gives these values; none if it does.
pub fn judge(proof: &[u8], values: &[u8], program: &[SP1Field; 8]) -> Option<String> {
    let judged = catch_unwind(AssertUnwindSafe(|| {
        let decoded: Compressed =
            bincode::deserialize(proof).map_err(|error| format!("no proof: {error}"))?;
        let again = bincode::serialize(&decoded).map_err(|error| error.to_string())?;
        if again != proof {
            return Err("the proof is not written as it must be".to_owned());
        }
        SP1CompressedVerifier::new()
            .verify_compressed_with_public_values(&decoded, values, program)
            .map_err(|error| error.to_string())
    }));
    match judged {
        Ok(Ok(())) => None,
        Ok(Err(reason)) => Some(reason),
        Err(_) => Some("the proof makes its decoder fail".to_owned()),
    }
}

/// As [`judge`], of files.
///
/// # Errors
/// A file cannot be read or is beyond its limit, or the digest is none.
pub fn verify(proof: &Path, values: &Path, program: &str) -> Result<Option<String>> {
    let program = digest(program)?;
    let (proof, values) = (read(proof, PROOF_MAX)?, read(values, VALUES_MAX)?);
    Ok(judge(&proof, &values, &program))
}
