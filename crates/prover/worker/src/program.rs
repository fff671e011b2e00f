//! A program and the key that its proofs are verified under.
use std::path::Path;

use anyhow::{Context, Result};
use serde::Serialize;
use sha2::{Digest, Sha256};
use sp1_hypercube::{HashableKey, SP1VerifyingKey};
use sp1_prover::worker::SP1LightNode;

use crate::folder::write_durably;
use crate::machine;

/// File of the program in a job's folder.
pub const PROGRAM: &str = "program.elf";
/// File of its key in a job's folder.
const KEY: &str = "program.key";

/// A program's names.
#[derive(Debug, Serialize)]
pub struct Key {
    /// SHA-256 of the program's file.
    pub elf: String,
    /// Digest of the key as compressed proofs carry it: eight words, big-endian.
    pub program: String,
    /// The same as a number of the pairing curve's field, as Groth16 proofs carry it.
    pub groth16: String,
    /// The key itself as the proof system writes it.
    pub key: String,
}

async fn make(elf: &[u8]) -> Result<SP1VerifyingKey> {
    let node = SP1LightNode::with_opts_and_machine(machine::machine(), machine::options()).await;
    node.setup(elf).await
}

/// Names of the program in this file.
///
/// # Errors
/// There is no program in it.
pub async fn key(path: &Path) -> Result<Key> {
    let elf = std::fs::read(path).with_context(|| path.display().to_string())?;
    let key = make(&elf).await?;
    Ok(Key {
        elf: hex::encode(Sha256::digest(&elf)),
        program: hex::encode(key.hash_bytes()),
        groth16: key.bytes32().trim_start_matches("0x").to_owned(),
        key: hex::encode(bincode::serialize(&key)?),
    })
}

/// The key of a job's program: made once, then read from the job's folder.
///
/// # Errors
/// There is no program, or the file system's.
pub async fn key_of_job(job: &Path, elf: &[u8]) -> Result<SP1VerifyingKey> {
    let path = job.join(KEY);
    if path.exists() {
        return Ok(bincode::deserialize(&std::fs::read(&path)?)?);
    }
    let key = make(elf).await?;
    write_durably(&path, &bincode::serialize(&key)?)?;
    Ok(key)
}
