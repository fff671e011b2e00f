//! Runs a program on its input and cuts the run into shards, each with all that its proof needs in a file.
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{anyhow, bail, ensure, Context, Result};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use sp1_core_executor::events::{PrecompileEvent, SyscallEvent};
use sp1_core_executor::{ExecutionRecord, Program, SP1CoreOpts, SplitOpts, SyscallCode};
use sp1_core_machine::executor::{trace_chunk, ExecutionOutput};
use sp1_core_machine::io::SP1Stdin;
use sp1_hypercube::air::{ShardRange, PROOF_NONCE_NUM_WORDS};
use sp1_jit::TraceChunk;
use sp1_primitives::SP1Field;
use sp1_prover::verify::{SP1Verifier, VerifierRecursionVks};
use sp1_prover::worker::{
    CommonProverInput, CoreExecuteTaskRequest, DeferredEvents, LocalWorkerClient, MessageReceiver,
    PrecompileArtifactSlice, ProofData, ProofId, ProveShardTaskRequest, RawTaskRequest,
    RequesterId, SP1Controller, SP1DeferredData, SP1WorkerConfig, TaskContext, TaskId,
    TaskMetadata, TraceData, WorkerClient,
};
use sp1_prover_types::{Artifact, ArtifactClient, ArtifactType, InMemoryArtifactClient, TaskType};
use tokio::sync::mpsc;

use crate::folder::{keep, write_durably};
use crate::given::{self, Given};
use crate::machine;
use crate::program::{key_of_job, PROGRAM};
use crate::tree::{self, Part};

/// File of the input in a job's folder.
const INPUT: &str = "input.bin";
/// File of the public values in a job's folder.
const VALUES: &str = "values.bin";
const PLAN: &str = "plan.json";

/// A shard: what one proof covers.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Shard {
    /// `core`, `memory`, `given`, or the precompile whose calls it holds.
    pub kind: String,
    /// Part of the run.
    pub range: ShardRange,
}

/// A run as tasks.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Plan {
    /// SHA-256 over program, input and the digest of the proofs that the run verifies.
    pub of: String,
    /// Instructions of the run.
    pub cycles: u64,
    /// What the program gave, hexadecimal.
    pub values: String,
    /// In the order in which their proofs are merged.
    pub shards: Vec<Shard>,
    /// Names of the files that each node merges; the last node's proof is the job's.
    pub nodes: Vec<Vec<String>>,
}

/// What whoever asked wants to know of a plan.
#[derive(Debug, Serialize)]
pub struct Summary {
    cycles: u64,
    values: String,
    shards: Vec<String>,
    nodes: Vec<Vec<String>>,
}

impl Plan {
    /// The plan in a job's folder.
    ///
    /// # Errors
    /// There is none.
    pub fn read(job: &Path) -> Result<Self> {
        let bytes = std::fs::read(job.join(PLAN)).context("the job has no plan")?;
        Ok(serde_json::from_slice(&bytes)?)
    }

    /// Its parts by name.
    pub fn summary(&self) -> Summary {
        Summary {
            cycles: self.cycles,
            values: self.values.clone(),
            shards: self.shards.iter().map(|shard| shard.kind.clone()).collect(),
            nodes: self.nodes.clone(),
        }
    }

    /// What the proof in this file covers.
    pub fn range(&self, file: &str) -> Result<ShardRange> {
        if let Some(shard) = (0..self.shards.len()).find(|index| shard_file(*index) == file) {
            return Ok(self.shards[shard].range);
        }
        let node = (0..self.nodes.len()).find(|index| node_file(*index) == file);
        let parts = &self.nodes[node.with_context(|| format!("the plan has no {file}"))?];
        let (Some(first), Some(last)) = (parts.first(), parts.last()) else {
            bail!("{file} merges nothing");
        };
        Ok((self.range(first)?.start()..self.range(last)?.end()).into())
    }
}

/// File of a shard's trace.
pub fn trace_file(index: usize) -> String {
    format!("shard-{index:04}.trace")
}

/// File of a shard's calls of its precompile.
fn calls_file(index: usize) -> String {
    format!("shard-{index:04}.calls")
}

/// File of a shard's proof.
pub fn shard_file(index: usize) -> String {
    format!("shard-{index:04}.proof")
}

/// File of a node's proof.
pub fn node_file(index: usize) -> String {
    format!("node-{index:04}.proof")
}

/// The plan of a job: from its folder, or made now.
///
/// # Errors
/// The program does not end well on the input, or the file system's.
pub async fn plan(job: &Path) -> Result<Plan> {
    let elf = std::fs::read(job.join(PROGRAM)).context(PROGRAM)?;
    let input = std::fs::read(job.join(INPUT)).context(INPUT)?;
    let given = Given::read(job)?;
    let of = hex::encode(
        Sha256::new()
            .chain_update(&elf)
            .chain_update(&input)
            .chain_update(given.digest)
            .finalize(),
    );
    if let Ok(plan) = Plan::read(job) {
        if plan.of != of {
            bail!("the folder holds the plan of another program or other input");
        }
        return Ok(plan);
    }
    let run = Run::new(&elf, &input, given.common(key_of_job(job, &elf).await?));
    let (output, mut pieces) = run.await?.execute(job, given.count()).await?;
    pieces.extend(given.pieces().into_iter().map(Piece::given));
    let order = ordered(pieces);
    let parts = tree::nodes(order.len());
    let name = |part: &Part| match part {
        Part::Shard(index) => shard_file(*index),
        Part::Node(index) => node_file(*index),
    };
    for (index, piece) in order.iter().enumerate() {
        piece.keep(job, index)?;
    }
    let plan = Plan {
        of,
        cycles: output.cycles,
        values: hex::encode(&output.public_value_stream),
        shards: order.into_iter().map(|piece| piece.shard).collect(),
        nodes: parts
            .iter()
            .map(|node| node.iter().map(name).collect())
            .collect(),
    };
    write_durably(&job.join(VALUES), &output.public_value_stream)?;
    write_durably(&job.join(PLAN), &serde_json::to_vec_pretty(&plan)?)?;
    Ok(plan)
}

/// Merging wants neighbours: precompiles, whose range is empty, proofs that are verified, then the run, then memory.
fn ordered(mut pieces: Vec<Piece>) -> Vec<Piece> {
    pieces.sort_by(|one, two| {
        (one.shard.range, &one.shard.kind).cmp(&(two.shard.range, &two.shard.kind))
    });
    pieces
}

/// A shard with what its proof needs.
struct Piece {
    shard: Shard,
    trace: Trace,
}

/// What a shard is proved from. A run's traces lie on the disk from when they are made: all of them are more than memory.
enum Trace {
    /// The trace, in a draft.
    Run(PathBuf),
    /// Calls of a precompile, in a draft, and how many.
    Calls(PathBuf, usize, SyscallCode),
    Given(Box<SP1DeferredData>),
}

impl Piece {
    /// Gives what lies in drafts the names of a shard's files.
    fn keep(&self, job: &Path, index: usize) -> Result<()> {
        let path = job.join(trace_file(index));
        match &self.trace {
            Trace::Run(draft) => keep(draft, &path),
            Trace::Given(proof) => write_durably(&path, &bincode::serialize(proof)?),
            Trace::Calls(draft, count, code) => {
                keep(draft, &job.join(calls_file(index)))?;
                let whole = PrecompileArtifactSlice {
                    artifact: Artifact(calls_file(index)),
                    start_idx: 0,
                    end_idx: *count,
                };
                let trace = TraceData::Precompile(vec![whole], *code);
                write_durably(&path, &bincode::serialize(&trace)?)
            }
        }
    }

    fn given((range, proof): (ShardRange, SP1DeferredData)) -> Self {
        Self {
            shard: Shard {
                kind: given::KIND.to_owned(),
                range,
            },
            trace: Trace::Given(Box::new(proof)),
        }
    }
}

/// A run in progress: the proof system's executor, with tasks collected instead of proved.
struct Run {
    program: Arc<Program>,
    artifacts: InMemoryArtifactClient,
    workers: LocalWorkerClient,
    tasks: mpsc::Receiver<(TaskId, RawTaskRequest)>,
    markers: mpsc::Receiver<(TaskId, RawTaskRequest)>,
    controller: SP1Controller<InMemoryArtifactClient, LocalWorkerClient>,
    options: SP1CoreOpts,
}

const ELF: &str = "elf";
const STDIN: &str = "stdin";
const COMMON: &str = "common";

/// All tasks of this process are of one proof.
pub fn context() -> TaskContext {
    TaskContext {
        proof_id: ProofId::new("proof"),
        parent_id: None,
        parent_context: None,
        requester_id: RequesterId::new("bedroll"),
    }
}

impl Run {
    async fn new(elf: &[u8], input: &[u8], common: CommonProverInput) -> Result<Self> {
        let program = Program::from(elf).map_err(|error| anyhow!("no program: {error}"))?;
        let artifacts = InMemoryArtifactClient::new();
        let (workers, mut channels) = LocalWorkerClient::init();
        let mut take = |kind| {
            let receiver = channels.task_receivers.remove(&kind);
            receiver.context("the proof system has no such tasks")
        };
        let (tasks, markers) = (
            take(TaskType::ProveShard)?,
            take(TaskType::MarkerDeferredRecord)?,
        );
        artifacts
            .upload_program(&ELF.to_owned(), elf.to_vec())
            .await?;
        artifacts.upload(&COMMON.to_owned(), common).await?;
        let stdin = SP1Stdin::from(input);
        artifacts
            .upload_with_type(&STDIN.to_owned(), ArtifactType::Stdin, stdin)
            .await?;
        let mut config = SP1WorkerConfig::new(machine::machine());
        machine::settings(&mut config);
        let verifier =
            SP1Verifier::new_with_machine(VerifierRecursionVks::default(), machine::machine());
        let controller = SP1Controller::new(
            config.controller_config,
            artifacts.clone(),
            workers.clone(),
            verifier,
        );
        Ok(Self {
            program: Arc::new(program),
            artifacts,
            workers,
            tasks,
            markers,
            controller,
            options: machine::options(),
        })
    }

    async fn execute(mut self, job: &Path, proofs: usize) -> Result<(ExecutionOutput, Vec<Piece>)> {
        let task = TaskId::new("run");
        let request = CoreExecuteTaskRequest {
            elf: Artifact(ELF.to_owned()),
            stdin: Artifact(STDIN.to_owned()),
            common_input: Artifact(COMMON.to_owned()),
            execution_output: Artifact("output".to_owned()),
            num_deferred_proofs: proofs,
            cycle_limit: None,
            context: context(),
            machine: machine::machine(),
            stdin_private: false,
        };
        let messages = self.workers.subscribe_task_messages(&task).await?;
        let mut ranges = MessageReceiver::<ProofData>::new(messages);
        let mut collector = Collector {
            program: self.program.clone(),
            artifacts: self.artifacts.clone(),
            workers: self.workers.clone(),
            options: self.options.clone(),
            drafts: Drafts::new(job)?,
        };
        let mut collected: Vec<Collected> = Vec::new();
        let running = self.controller.execute(task, request);
        tokio::pin!(running);
        let output = loop {
            tokio::select! {
                biased;
                Some(_) = self.markers.recv() => {}
                Some((id, request)) = self.tasks.recv() => collected.push(collector.collect(id, request).await?),
                done = &mut running => break done.map_err(|error| anyhow!("the program did not run: {error:?}"))?,
            }
        };
        while let Ok((id, request)) = self.tasks.try_recv() {
            collected.push(collector.collect(id, request).await?);
        }
        let code = collected.iter().find_map(|each| each.exit_code);
        ensure!(
            code == Some(0),
            "the program ended with exit code {}: it states nothing about this input",
            code.unwrap_or_default()
        );
        let mut pieces = Vec::new();
        for _ in 0..collected.len() {
            let said = ranges.recv().await.context("a shard has no range")?;
            let place = collected.iter().position(|each| each.proof == said.proof);
            let found = collected.swap_remove(place.context("a range has no shard")?);
            pieces.push(Piece {
                shard: Shard {
                    kind: found.kind,
                    range: said.range,
                },
                trace: found.trace,
            });
        }
        Ok((output, pieces))
    }
}

/// Names of files that a plan writes before it knows their place; those of a plan that was killed are gone.
struct Drafts {
    job: PathBuf,
    count: usize,
}

impl Drafts {
    fn new(job: &Path) -> Result<Self> {
        for entry in std::fs::read_dir(job)? {
            let path = entry?.path();
            if path.extension().is_some_and(|end| end == "piece") {
                std::fs::remove_file(path)?;
            }
        }
        Ok(Self {
            job: job.to_owned(),
            count: 0,
        })
    }

    fn write(&mut self, bytes: &[u8]) -> Result<PathBuf> {
        let path = self.job.join(format!("{:05}.piece", self.count));
        self.count += 1;
        std::fs::write(&path, bytes).with_context(|| path.display().to_string())?;
        Ok(path)
    }
}

/// A shard that a run gave; its range is told apart.
struct Collected {
    /// Where its proof would go: by that it is named.
    proof: Artifact,
    kind: String,
    trace: Trace,
    /// Of the run, known with the shard of memory.
    exit_code: Option<u32>,
}

/// Takes in the shards that a run gives.
struct Collector {
    program: Arc<Program>,
    artifacts: InMemoryArtifactClient,
    workers: LocalWorkerClient,
    options: SP1CoreOpts,
    drafts: Drafts,
}

impl Collector {
    async fn collect(&mut self, id: TaskId, task: RawTaskRequest) -> Result<Collected> {
        let task = ProveShardTaskRequest::from_raw(task).map_err(|error| anyhow!("{error:?}"))?;
        let trace: TraceData = self.artifacts.download(&task.record).await?;
        if let (TraceData::Core(chunk), Some(calls)) = (&trace, &task.deferred_output) {
            self.give_calls(chunk, calls).await?;
            let marker = TaskId::new(task.deferred_marker_task.0.clone());
            let done = TaskMetadata::default();
            self.workers
                .complete_task(context().proof_id, marker, done)
                .await?;
        }
        self.workers
            .complete_task(context().proof_id, id, TaskMetadata::default())
            .await?;
        self.artifacts
            .try_delete(&task.record, ArtifactType::UnspecifiedArtifactType)
            .await?;
        let exit_code = match &trace {
            TraceData::Memory(shard) => Some(shard.final_state.exit_code),
            _ => None,
        };
        let (kind, trace) = self.draft(trace).await?;
        Ok(Collected {
            proof: task.output,
            kind,
            trace,
            exit_code,
        })
    }

    /// Precompile calls of a piece of the run go to shards of their own: hands them to whoever cuts those.
    async fn give_calls(&self, chunk: &[u8], to: &Artifact) -> Result<()> {
        let chunk: TraceChunk = bincode::deserialize(chunk)?;
        let (program, options) = (self.program.clone(), self.options.clone());
        let nonce = [0; PROOF_NONCE_NUM_WORDS];
        let traced = tokio::task::spawn_blocking(move || {
            let record = ExecutionRecord::new_preallocated(
                program.clone(),
                nonce,
                options.global_dependencies_opt,
                options.shard_size >> 3,
            );
            let (_, mut record, _) =
                trace_chunk::<SP1Field>(program, options.clone(), chunk, nonce, record)?;
            Ok::<_, sp1_core_executor::ExecutionError>(
                record.defer(&options.retained_events_presets),
            )
        });
        let calls = traced.await?.map_err(|error| anyhow!("trace: {error}"))?;
        let split = SplitOpts::new(
            &self.options,
            self.program.instructions.len(),
            self.program.enable_untrusted_programs,
        );
        let deferred = DeferredEvents::defer_record(calls, &self.artifacts, split)
            .await
            .map_err(|error| anyhow!("calls: {error:?}"))?;
        self.artifacts.upload(to, &deferred).await
    }

    async fn draft(&mut self, trace: TraceData) -> Result<(String, Trace)> {
        let TraceData::Precompile(slices, code) = &trace else {
            let kind = if matches!(trace, TraceData::Core(_)) {
                "core"
            } else {
                "memory"
            };
            let draft = self.drafts.write(&bincode::serialize(&trace)?)?;
            return Ok((kind.to_owned(), Trace::Run(draft)));
        };
        let mut calls: Vec<(SyscallEvent, PrecompileEvent)> = Vec::new();
        for slice in slices {
            let all: Vec<(SyscallEvent, PrecompileEvent)> =
                self.artifacts.download(&slice.artifact).await?;
            let count = slice.end_idx - slice.start_idx;
            calls.extend(all.into_iter().skip(slice.start_idx).take(count));
        }
        let draft = self.drafts.write(&bincode::serialize(&calls)?)?;
        let kind = format!("{code:?}").to_lowercase();
        Ok((kind, Trace::Calls(draft, calls.len(), *code)))
    }
}
