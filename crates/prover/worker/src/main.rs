//! Makes validity proofs, one task at a time: a thin face over the proof system.
//!
//! Reads: requests on standard input, one JSON object a line ([`request::Request`]), and the files of a job's folder.
//! Gives: one answer a request on standard output, and each finished task's file, written durably. Never: keeps
//! anything that a finished task needs in memory only, so a kill loses the running task and nothing else.
//!
//! Who runs it cuts the work and keeps the queue (`bedroll prover`, docs/spec/prover.md).
mod engine;
mod folder;
mod given;
mod machine;
mod plan;
mod program;
mod request;
mod tree;
mod verify;

use std::fs::File;
use std::io::{self, BufRead, Write};
use std::os::fd::FromRawFd;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result};

use engine::Engine;
use request::{Answer, Outcome, Request};

/// What a process keeps between requests: proving keys, once a task wanted them.
#[derive(Default)]
struct Worker {
    engine: Option<Engine>,
}

impl Worker {
    /// The engine for a job's program; its keys are made at the first call.
    async fn engine(&mut self, job: &Path) -> Result<&Engine> {
        if self.engine.is_none() {
            self.engine = Some(Engine::new(job).await?);
        }
        let engine = self.engine.as_ref().context("the engine was just made")?;
        engine.open(job).await?;
        Ok(engine)
    }

    async fn answer(&mut self, request: Request) -> Result<Outcome> {
        Ok(match request {
            Request::Key { program } => Outcome::Key(program::key(&program).await?),
            Request::Plan { job } => Outcome::Planned(plan::plan(&job).await?.summary()),
            Request::Shard { job, index } => {
                self.engine(&job).await?.shard(&job, index).await?;
                Outcome::Made(true)
            }
            Request::Node { job, index } => {
                self.engine(&job).await?.node(&job, index).await?;
                Outcome::Made(true)
            }
            Request::Wrap { job } => {
                self.engine(&job).await?.wrap(&job).await?;
                Outcome::Made(true)
            }
            Request::Verify {
                proof,
                values,
                program,
            } => Outcome::Verdict(verify::verify(&proof, &values, &program)?),
        })
    }
}

/// What a piece of work came to; a panic of the proof system is a failure like others.
fn contained(work: impl FnOnce() -> Result<Outcome>) -> Outcome {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(error)) => Outcome::Failed(format!("{error:#}")),
        Err(_) => Outcome::Failed("the proof system panicked".to_owned()),
    }
}

/// Standard output for answers alone: what libraries and guests print goes to standard error from here on.
fn take_output() -> Result<File> {
    // SAFETY: plain calls on descriptors that every process has; the new one is owned by the file alone.
    let own = unsafe {
        let own = libc::dup(1);
        if own < 0 || libc::dup2(2, 1) < 0 {
            return Err(io::Error::last_os_error()).context("standard output");
        }
        File::from_raw_fd(own)
    };
    Ok(own)
}

/// Most memory that this process has held, bytes.
fn peak_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kibibytes = line.and_then(|rest| rest.trim().strip_suffix(" kB")?.trim().parse().ok());
    kibibytes.unwrap_or(0u64) * 1024
}

fn main() -> Result<()> {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("error"));
    let mut output = take_output()?;
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .init();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let mut worker = Worker::default();
    for line in io::stdin().lock().lines() {
        let line = line?;
        let begun = Instant::now();
        let outcome = match serde_json::from_str::<Request>(&line) {
            Ok(request) => contained(|| runtime.block_on(worker.answer(request))),
            Err(error) => Outcome::Failed(format!("no request: {error}")),
        };
        let answer = Answer {
            outcome,
            seconds: begun.elapsed().as_secs_f64(),
            peak_bytes: peak_bytes(),
        };
        serde_json::to_writer(&mut output, &answer)?;
        writeln!(output)?;
    }
    Ok(())
}
