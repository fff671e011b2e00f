//! Proofs that a run verifies: they lie in its job's folder, in the order in which the program asks for them.
use std::path::Path;

use anyhow::{anyhow, ensure, Context, Result};
use sha2::{Digest, Sha256};
use slop_algebra::{AbstractField, PrimeField32};
use sp1_hypercube::air::{ShardRange, PROOF_NONCE_NUM_WORDS};
use sp1_hypercube::SP1VerifyingKey;
use sp1_primitives::SP1Field;
use sp1_prover::worker::{
    hash_deferred_proofs, CommonProverInput, DeferredInputs, SP1DeferredData,
};
use sp1_prover_types::network_base_types::ProofMode;
use sp1_recursion_circuit::machine::SP1ShapedWitnessValues;

use crate::verify::{read, Compressed, PROOF_MAX};

/// Kind of the shards that stand for one such proof each.
pub const KIND: &str = "given";
/// Proofs of one run at most: a statement for each batch of its L1 blocks, and the run before.
const COUNT_MAX: usize = 4_096;

/// Proofs of a job, each verified by a shard of its own.
pub struct Given {
    proofs: Vec<Compressed>,
    /// SHA-256 over their files.
    pub digest: [u8; 32],
}

fn file(index: usize) -> String {
    format!("given-{index:04}.proof")
}

impl Given {
    /// Those in a job's folder: `given-0000.proof` and so on, as the proof system writes them.
    ///
    /// # Errors
    /// A file is no compressed proof, or there are too many.
    pub fn read(job: &Path) -> Result<Self> {
        let (mut proofs, mut digest) = (Vec::new(), Sha256::new());
        while job.join(file(proofs.len())).exists() {
            let name = file(proofs.len());
            ensure!(
                proofs.len() < COUNT_MAX,
                "a run verifies at most {COUNT_MAX} proofs"
            );
            let bytes = read(&job.join(&name), PROOF_MAX)?;
            let proof = bincode::deserialize(&bytes).map_err(|error| anyhow!("{error}"));
            proofs.push(proof.with_context(|| format!("{name} is no compressed proof"))?);
            digest.update(&bytes);
        }
        let digest = digest.finalize().into();
        Ok(Self { proofs, digest })
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.proofs.len()
    }

    /// What all shards of the run have in common: the program's key and which proofs the run verifies.
    pub fn common(&self, key: SP1VerifyingKey) -> CommonProverInput {
        let digest = hash_deferred_proofs(DeferredInputs::initial_deferred_digest(), &self.proofs);
        CommonProverInput {
            vk: key,
            mode: ProofMode::Compressed,
            deferred_digest: digest.map(|word| word.as_canonical_u32()),
            num_deferred_proofs: self.count(),
            nonce: [0; PROOF_NONCE_NUM_WORDS],
        }
    }

    /// What the shard of each is proved from, and what part of the run it is.
    pub fn pieces(self) -> Vec<(ShardRange, SP1DeferredData)> {
        let mut digest = DeferredInputs::initial_deferred_digest();
        let mut pieces = Vec::new();
        for (index, proof) in self.proofs.into_iter().enumerate() {
            let before = digest;
            digest = hash_deferred_proofs(before, std::slice::from_ref(&proof));
            let data = SP1DeferredData {
                input: SP1ShapedWitnessValues {
                    vks_and_proofs: vec![(proof.vk, proof.proof)],
                    is_complete: true,
                },
                vk_merkle_proofs: vec![proof.vk_merkle_proof],
                start_reconstruct_deferred_digest: before,
                deferred_proof_index: SP1Field::from_canonical_usize(index),
            };
            let place = index as u64;
            pieces.push((ShardRange::deferred(place, place + 1), data));
        }
        pieces
    }
}
