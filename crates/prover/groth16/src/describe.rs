//! The pairing circuit and its witness, from a wrapped proof.
use std::fs::File;
use std::io::{BufWriter, Write};
use std::panic::catch_unwind;
use std::path::Path;

use anyhow::{anyhow, ensure, Context, Result};
use serde::Serialize;
use sha2::{Digest, Sha256};
use sp1_hypercube::{MachineVerifyingKey, SP1PcsProofOuter, SP1WrapProof, ShardProof};
use sp1_primitives::SP1OuterGlobalContext;
use sp1_prover::build::build_constraints_and_witness;
use sp1_prover::verify::WRAP_VK_BYTES;
use sp1_recursion_gnark_ffi::GnarkWitness;

/// A wrapped proof has 1.34 MB.
const WRAPPED_BYTES_MAX: u64 = 4 << 20;

type Key = MachineVerifyingKey<SP1OuterGlobalContext>;
type Proof = ShardProof<SP1OuterGlobalContext, SP1PcsProofOuter>;

/// What was written.
#[derive(Serialize)]
pub struct Described {
    /// Constraints before the circuit's compiler.
    constraints: usize,
    /// SHA-256 of their file. Two proofs have one circuit exactly if this is equal.
    constraints_sha256: String,
    /// The statement's five numbers, decimal: program, digest of the values, exit code, root of the keys, nonce.
    inputs: [String; 5],
}

/// Writes the circuit that checks this proof, and the proof as its witness.
///
/// # Errors
/// The file is no wrapped proof, or one of another wrap circuit, or cannot be written.
pub fn describe(
    wrapped: &Path,
    key: Option<&Path>,
    constraints: &Path,
    witness: &Path,
) -> Result<Described> {
    let bytes = read(wrapped)?;
    let key_bytes = key.map(read).transpose()?;
    // Decoders and the circuit's builder index into what they read.
    let built = catch_unwind(|| {
        let (key, proof) = decode(&bytes, key_bytes.as_deref())?;
        build_constraints_and_witness(&key, &proof)
    });
    let (operations, values) =
        built.map_err(|_| anyhow!("{} is not a wrapped proof", wrapped.display()))??;
    let values = GnarkWitness::new(values);
    let mut hashed = Hashed {
        file: BufWriter::new(File::create(constraints)?),
        digest: Sha256::new(),
    };
    serde_json::to_writer(&mut hashed, &operations)?;
    hashed.file.flush()?;
    let mut file = BufWriter::new(File::create(witness)?);
    serde_json::to_writer(&mut file, &values)?;
    file.flush()?;
    Ok(Described {
        constraints: operations.len(),
        constraints_sha256: hex::encode(hashed.digest.finalize()),
        inputs: [
            values.vkey_hash,
            values.committed_values_digest,
            values.exit_code,
            values.vk_root,
            values.proof_nonce,
        ],
    })
}

fn read(path: &Path) -> Result<Vec<u8>> {
    let size = std::fs::metadata(path)
        .with_context(|| path.display().to_string())?
        .len();
    ensure!(
        size <= WRAPPED_BYTES_MAX,
        "{} has {size} bytes; the limit is {WRAPPED_BYTES_MAX}",
        path.display()
    );
    std::fs::read(path).with_context(|| path.display().to_string())
}

/// A proof with its key, as the worker writes it, or the two in files of their own.
fn decode(bytes: &[u8], key: Option<&[u8]>) -> Result<(Key, Proof)> {
    let (key, proof) = match key {
        Some(key) => (bincode::deserialize(key)?, bincode::deserialize(bytes)?),
        None => {
            let both: SP1WrapProof<SP1OuterGlobalContext, SP1PcsProofOuter> =
                bincode::deserialize(bytes)?;
            (both.vk, both.proof)
        }
    };
    ensure!(
        bincode::serialize(&key)? == WRAP_VK_BYTES,
        "the proof is of another wrap circuit"
    );
    Ok((key, proof))
}

/// A file that is hashed as it is written.
struct Hashed {
    file: BufWriter<File>,
    digest: Sha256,
}

impl Write for Hashed {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let count = self.file.write(bytes)?;
        self.digest.update(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }
}
