//! Judges a Groth16 proof with the proof system's own verifier.
use std::panic::catch_unwind;
use std::path::Path;

use anyhow::{ensure, Context, Result};
use sp1_verifier::Groth16Verifier;

/// A verifying key of five inputs has 492 bytes.
const KEY_BYTES_MAX: usize = 4096;
/// A proof has 356 bytes.
const PROOF_BYTES_MAX: usize = 4096;
const VALUES_BYTES_MAX: usize = 1 << 16;

/// Nothing where the proof holds, or why it does not.
///
/// # Errors
/// A file cannot be read or is too large.
pub fn judge(
    verifying: &Path,
    proof: &Path,
    values: &Path,
    program: &str,
) -> Result<Option<String>> {
    let key = read(verifying, KEY_BYTES_MAX)?;
    let proof = read(proof, PROOF_BYTES_MAX)?;
    let values = read(values, VALUES_BYTES_MAX)?;
    let program = format!("0x{program}");
    let verdict = catch_unwind(|| Groth16Verifier::verify(&proof, &values, &program, &key));
    Ok(match verdict {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(error.to_string()),
        Err(_) => Some("the proof cannot be decoded".to_owned()),
    })
}

fn read(path: &Path, limit: usize) -> Result<Vec<u8>> {
    let bytes = std::fs::read(path).with_context(|| path.display().to_string())?;
    ensure!(
        bytes.len() <= limit,
        "{} has {} bytes; the limit is {limit}",
        path.display(),
        bytes.len()
    );
    Ok(bytes)
}
