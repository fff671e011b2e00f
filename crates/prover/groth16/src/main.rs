//! Between the proof system and the pairing circuit.
//!
//! Reads: a wrapped proof; a Groth16 proof with its verifying key. Gives: the circuit's constraints and a witness, as the
//! driver in `crates/prover/gnark` takes them; a verdict. Never: takes a wrapped proof of another wrap circuit, and never panics
//! on what it reads, though some of the decoders below do.
//!
//! Who calls it: `bedroll prover setup-local` and `bedroll prover groth16` (docs/spec/groth16.md).
mod describe;
mod judge;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{bail, ensure, Context, Result};
use serde::Serialize;

const USAGE: &str =
    "usage: bedroll-groth16 describe WRAPPED [WRAP_KEY] CONSTRAINTS WITNESS\n       \
                     bedroll-groth16 judge VERIFYING PROOF VALUES PROGRAM";

/// One line of standard output.
#[derive(Serialize)]
#[serde(untagged)]
enum Answer {
    Described(describe::Described),
    Judged {
        verdict: Option<String>,
        seconds: f64,
    },
}

fn answer(arguments: &[String]) -> Result<Answer> {
    let (command, rest) = arguments.split_first().context(USAGE)?;
    let paths: Vec<PathBuf> = rest.iter().map(PathBuf::from).collect();
    match (command.as_str(), paths.as_slice()) {
        ("describe", [wrapped, constraints, witness]) => Ok(Answer::Described(describe::describe(
            wrapped,
            None,
            constraints,
            witness,
        )?)),
        ("describe", [wrapped, key, constraints, witness]) => Ok(Answer::Described(
            describe::describe(wrapped, Some(key), constraints, witness)?,
        )),
        ("judge", [verifying, proof, values, _]) => {
            let program = &rest[3];
            ensure!(
                program.len() == 64,
                "a program's key is 64 hexadecimal digits"
            );
            let begun = std::time::Instant::now();
            let verdict = judge::judge(verifying, proof, values, program)?;
            Ok(Answer::Judged {
                verdict,
                seconds: begun.elapsed().as_secs_f64(),
            })
        }
        _ => bail!(USAGE),
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match answer(&arguments).and_then(|found| Ok(serde_json::to_string(&found)?)) {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
