//! What is asked of the process, and what it answers.
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::plan::Summary;
use crate::program::Key;

/// One line of standard input.
#[derive(Debug, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum Request {
    /// The key that proofs of a program are verified under.
    Key {
        /// File of the program.
        program: PathBuf,
    },
    /// Run a job's program on its input and cut the run into shards.
    Plan {
        /// Folder of the job.
        job: PathBuf,
    },
    /// Prove a shard of a planned job.
    Shard {
        /// Folder of the job.
        job: PathBuf,
        /// Place in the plan.
        index: usize,
    },
    /// Merge proofs into one, as the plan says.
    Node {
        /// Folder of the job.
        job: PathBuf,
        /// Place in the plan.
        index: usize,
    },
    /// Prove the last node's proof again in the form that a pairing circuit checks.
    Wrap {
        /// Folder of the job.
        job: PathBuf,
    },
    /// Judge a compressed proof.
    Verify {
        /// File of the proof.
        proof: PathBuf,
        /// File of the public values.
        values: PathBuf,
        /// The program's key or its digest, hexadecimal.
        program: String,
    },
}

/// What a request came to.
#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// A program's key.
    Key(Key),
    /// The plan is in the job's folder.
    Planned(Summary),
    /// The task's file is in the job's folder: always true.
    Made(bool),
    /// Whether a proof holds: nothing, or why not.
    Verdict(Option<String>),
    /// Why there is no answer.
    Failed(String),
}

/// One line of standard output.
#[derive(Debug, Serialize)]
pub struct Answer {
    /// What the request came to.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// Wall time.
    pub seconds: f64,
    /// Most memory that the process has held so far.
    pub peak_bytes: u64,
}
