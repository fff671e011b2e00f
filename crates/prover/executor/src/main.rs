//! Runs guest programs in the proof system's executor: the same machine that is proved, without proofs.
//!
//! `bedroll-executor ELF INPUT...` prints a line for each input: cycles, exit code and the public values in hexadecimal.
//! Tests compare the public values with the node's.
use std::process::ExitCode;
use std::sync::Arc;

use sp1_core_executor::{MinimalExecutor, Program, SupervisorMode};

fn run(program: &Arc<Program>, input: &[u8]) -> String {
    let mut executor = MinimalExecutor::<SupervisorMode>::simple(program.clone());
    executor.with_input(input);
    while !executor.is_done() {
        executor.execute_chunk();
    }
    let cycles = executor.global_clk();
    let exit_code = executor.exit_code();
    let values = executor.into_public_values_stream();
    let hex: String = values.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{cycles} {exit_code} {hex}")
}

fn main() -> ExitCode {
    let mut paths = std::env::args_os().skip(1);
    let Some(elf) = paths.next() else {
        eprintln!("usage: bedroll-executor ELF INPUT...");
        return ExitCode::from(2);
    };
    let read = |path: &std::ffi::OsStr| {
        std::fs::read(path).map_err(|error| format!("{}: {error}", path.to_string_lossy()))
    };
    let ran = read(&elf).and_then(|bytes| {
        let program = Program::from(&bytes).map_err(|error| format!("no program: {error}"))?;
        let program = Arc::new(program);
        for path in paths {
            println!("{}", run(&program, &read(&path)?));
        }
        Ok(())
    });
    match ran {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
