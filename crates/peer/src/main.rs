//! Runs blocks through ethrex's EVM: a case a line comes in, what it did goes out as a line.
//!
//! Reads: cases (`tests/framework/evm_case.py` makes them). Gives: status, gas and logs of each transaction, and
//! the roots. Never: shares code with the core.
mod case;
mod run;
mod world;

use std::io::{BufRead, Write};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let case: case::Case = serde_json::from_str(&line?)?;
        let answer = match run::run(&case) {
            Ok(answer) => serde_json::to_string(&answer)?,
            Err(error) => serde_json::json!({ "refused": error.to_string() }).to_string(),
        };
        writeln!(out, "{answer}")?;
        out.flush()?;
    }
    Ok(())
}
