//! The proof system with its keys loaded: proves shards and merges proofs, one task at a time.
use std::path::Path;
use std::sync::Arc;

use anyhow::{anyhow, ensure, Context, Result};
use sha2::{Digest, Sha256};
use sp1_hypercube::prover::{CpuShardProver, ProverSemaphore};
use sp1_hypercube::HashableKey;
use sp1_prover::worker::{
    ProveShardTaskRequest, RangeProofs, RecursionDeferredTaskRequest, RecursionProof,
    ReduceTaskRequest, SP1Worker, SP1WorkerBuilder, TrivialWorkerClient,
};
use sp1_prover::{CpuSP1ProverComponents, CpuWrapProverBuilder, SP1ProverComponents};
use sp1_prover_types::{Artifact, ArtifactClient};

use crate::folder::FolderClient;
use crate::given::{self, Given};
use crate::machine;
use crate::plan::{context, node_file, shard_file, trace_file, Plan};
use crate::program::{key_of_job, PROGRAM};
use crate::verify::judge;

const ELF: &str = "elf";
const COMMON: &str = "common";
/// File of the proof that a pairing circuit checks, in a job's folder.
const WRAPPED: &str = "wrapped.proof";

/// Proving keys of one program, 6.7 GB.
pub struct Engine {
    worker: SP1Worker<FolderClient, TrivialWorkerClient, CpuSP1ProverComponents>,
    artifacts: FolderClient,
    program: [u8; 32],
}

impl Engine {
    /// Makes the keys for the program of this job. One permit: one shard or node at a time.
    ///
    /// # Errors
    /// There is no program, or the proof system's.
    pub async fn new(job: &Path) -> Result<Self> {
        let elf = std::fs::read(job.join(PROGRAM)).context(PROGRAM)?;
        let artifacts = FolderClient::default();
        let permit = ProverSemaphore::new(1);
        let machine = machine::machine();
        let core = CpuSP1ProverComponents::core_verifier(machine.clone());
        let compress = CpuSP1ProverComponents::compress_verifier();
        let shrink = CpuSP1ProverComponents::shrink_verifier();
        let prover = |verifier| Arc::new(CpuShardProver::new(verifier));
        let worker = SP1WorkerBuilder::<CpuSP1ProverComponents>::new_with_machine(machine)
            .with_artifact_client(artifacts.clone())
            .with_worker_client(TrivialWorkerClient::new(1, artifacts.clone()))
            .with_config(machine::settings)
            .with_core_air_prover(
                Arc::new(CpuShardProver::new(core.shard_verifier().clone())),
                permit.clone(),
            )
            .with_compress_air_prover(prover(compress.shard_verifier().clone()), permit.clone())
            .with_shrink_air_prover(prover(shrink.shard_verifier().clone()), permit.clone())
            .with_wrap_air_prover(CpuWrapProverBuilder, permit)
            .build()
            .await?;
        Ok(Self {
            worker,
            artifacts,
            program: Sha256::digest(&elf).into(),
        })
    }

    /// Turns to a job's folder.
    ///
    /// # Errors
    /// It is of another program than the one that the keys are for.
    pub async fn open(&self, job: &Path) -> Result<()> {
        let elf = std::fs::read(job.join(PROGRAM)).context(PROGRAM)?;
        let program: [u8; 32] = Sha256::digest(&elf).into();
        ensure!(
            program == self.program,
            "this process holds the keys of another program"
        );
        let key = key_of_job(job, &elf).await?;
        self.artifacts.open(job);
        self.artifacts.upload_program(&ELF.to_owned(), elf).await?;
        let common = Given::read(job)?.common(key);
        self.artifacts.upload(&COMMON.to_owned(), common).await
    }

    /// Proves a shard, if there is no proof of it yet.
    ///
    /// # Errors
    /// The plan has no such shard, or the proof system's.
    pub async fn shard(&self, job: &Path, index: usize) -> Result<()> {
        let plan = Plan::read(job)?;
        ensure!(index < plan.shards.len(), "the plan has no shard {index}");
        if job.join(shard_file(index)).exists() {
            return Ok(());
        }
        if plan.shards[index].kind == given::KIND {
            return self.given(index).await;
        }
        let request = ProveShardTaskRequest {
            elf: Artifact(ELF.to_owned()),
            common_input: Artifact(COMMON.to_owned()),
            record: Artifact(trace_file(index)),
            output: Artifact(shard_file(index)),
            deferred_marker_task: Artifact("marker".to_owned()),
            deferred_output: Some(Artifact("calls".to_owned())),
            context: context(),
        };
        let request = request.into_raw().map_err(|error| anyhow!("{error:?}"))?;
        let engine = self.worker.prover_engine();
        let task = engine.submit_prove_core_shard(request).await;
        let task = task.map_err(|error| anyhow!("shard {index}: {error:?}"))?;
        let done = task
            .await
            .map_err(|error| anyhow!("shard {index}: {error}"))?;
        done.map_err(|error| anyhow!("shard {index}: {error:?}"))?;
        Ok(())
    }

    /// Proves that a proof which the run verifies holds.
    async fn given(&self, index: usize) -> Result<()> {
        let request = RecursionDeferredTaskRequest {
            common_input: Artifact(COMMON.to_owned()),
            deferred_data: Artifact(trace_file(index)),
            output: Artifact(shard_file(index)),
            context: context(),
        };
        let request = request.into_raw().map_err(|error| anyhow!("{error:?}"))?;
        let task = self.worker.prover_engine().submit_prove_deferred(request);
        let task = task
            .await
            .map_err(|error| anyhow!("shard {index}: {error:?}"))?;
        let done = task
            .await
            .map_err(|error| anyhow!("shard {index}: {error}"))?;
        done.map_err(|error| anyhow!("shard {index}: {error:?}"))?;
        Ok(())
    }

    /// Merges the proofs that a node stands upon, if that is not done yet. The last node's proof is verified.
    ///
    /// # Errors
    /// The plan has no such node, a proof is missing, or the proof system's.
    pub async fn node(&self, job: &Path, index: usize) -> Result<()> {
        let plan = Plan::read(job)?;
        ensure!(index < plan.nodes.len(), "the plan has no node {index}");
        let last = index + 1 == plan.nodes.len();
        let file = job.join(node_file(index));
        if !file.exists() {
            self.merge(&plan, index, last).await?;
        }
        if last {
            let elf = std::fs::read(job.join(PROGRAM)).context(PROGRAM)?;
            let key = key_of_job(job, &elf).await?.hash_koalabear();
            let reason = judge(&std::fs::read(&file)?, &hex::decode(&plan.values)?, &key);
            if let Some(reason) = reason {
                std::fs::remove_file(&file)?;
                return Err(anyhow!("the finished proof does not hold: {reason}"));
            }
        }
        Ok(())
    }

    async fn merge(&self, plan: &Plan, index: usize, last: bool) -> Result<()> {
        let proofs = plan.nodes[index].iter().map(|part| {
            Ok(RecursionProof {
                shard_range: plan.range(part)?,
                proof: Artifact(part.clone()),
            })
        });
        let request = ReduceTaskRequest {
            range_proofs: RangeProofs::new(
                plan.range(&node_file(index))?,
                proofs.collect::<Result<_>>()?,
            ),
            is_complete: last,
            output: Artifact(node_file(index)),
            context: context(),
        };
        let request = request.into_raw().map_err(|error| anyhow!("{error:?}"))?;
        let task = self
            .worker
            .prover_engine()
            .submit_recursion_reduce(request)
            .await
            .map_err(|error| anyhow!("node {index}: {error:?}"))?;
        let done = task
            .await
            .map_err(|error| anyhow!("node {index}: {error}"))?;
        done.map_err(|error| anyhow!("node {index}: {error:?}"))?;
        Ok(())
    }

    /// Proves the job's proof again over the pairing curve's field, if that is not done yet.
    ///
    /// # Errors
    /// The job has no proof, or the proof system's.
    pub async fn wrap(&self, job: &Path) -> Result<()> {
        let plan = Plan::read(job)?;
        if job.join(WRAPPED).exists() {
            return Ok(());
        }
        let request = sp1_prover::worker::RawTaskRequest {
            inputs: vec![Artifact(node_file(plan.nodes.len() - 1))],
            outputs: vec![Artifact(WRAPPED.to_owned())],
            context: context(),
        };
        let engine = self.worker.prover_engine();
        let done = engine.run_shrink_wrap(request).await;
        done.map_err(|error| anyhow!("wrap: {error:?}"))?;
        Ok(())
    }
}
