//! Shows: what was committed survives the death of the process at any moment, and the store stands at a block whose
//! state is whole. The test runs its own binary as the writer, kills it (SIGKILL) and checks what is there.
mod workload;

use alloy_primitives::B256;
use bedroll_core::state::State;
use bedroll_store::{Store, StoreOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use workload::{check_view, Chain, Rng};

const FOLDER: &str = "BEDROLL_STORE_CRASH_FOLDER";
const SEED: &str = "BEDROLL_STORE_CRASH_SEED";

fn open(folder: &Path) -> Store {
    // A small map, so that some deaths fall into its growth.
    let options = StoreOptions {
        map_size_bytes: 1 << 19,
        sync: true,
    };
    Store::open(folder, B256::ZERO, options).unwrap()
}

/// What the writer does next: the same for the same seed, so that the parent knows what each height must hold.
enum Step {
    Grow,
    Commit,
    Unwind(u64),
}

impl Step {
    fn choose(chain: &mut Chain) -> Self {
        match chain.rng.below(8) {
            0 if chain.models.len() > 5 => Step::Unwind(chain.tip() - chain.rng.below(5)),
            1..=3 => Step::Commit,
            _ => Step::Grow,
        }
    }

    /// What the writer says before it does this; growing touches no disk and goes without a word.
    fn announcement(&self) -> Option<String> {
        match self {
            Step::Grow => None,
            Step::Commit => Some("commit".into()),
            Step::Unwind(height) => Some(format!("unwind {height}")),
        }
    }

    fn perform(&self, chain: &mut Chain) {
        match self {
            Step::Grow => chain.grow(),
            Step::Commit => chain.store.commit().unwrap(),
            Step::Unwind(height) => chain.unwind(*height),
        }
    }
}

/// Not a test of its own: the writer that the test below starts and kills.
#[test]
fn writer_that_the_crash_test_kills() {
    let (Ok(folder), Ok(seed)) = (std::env::var(FOLDER), std::env::var(SEED)) else {
        return;
    };
    let mut chain = Chain::new(open(Path::new(&folder)), Rng::new(seed.parse().unwrap()));
    chain.grow();
    let say = |word: &str| {
        let mut out = std::io::stdout().lock();
        writeln!(out, "\n> {word}").unwrap();
        out.flush().unwrap();
    };
    loop {
        let step = Step::choose(&mut chain);
        let announcement = step.announcement();
        announcement.as_deref().inspect(|word| say(word));
        step.perform(&mut chain);
        announcement.inspect(|_| say("durable"));
    }
}

/// Starts the writer, kills it right after it said its line number `lines`, and gives what it said.
fn run_and_kill(folder: &Path, seed: u64, lines: usize) -> Vec<String> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "writer_that_the_crash_test_kills", "--nocapture"])
        .env(FOLDER, folder)
        .env(SEED, seed.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    let mut said: Vec<String> = Vec::new();
    let mut output = output.lines().map_while(Result::ok);
    while said.len() < lines {
        let Some(line) = output.next() else { break };
        said.extend(line.strip_prefix("> ").map(str::to_owned));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    // It may have said more before it died.
    said.extend(output.filter_map(|line| line.strip_prefix("> ").map(str::to_owned)));
    assert!(said.len() >= lines, "the writer ended by itself: {said:?}");
    said
}

/// Repeats the writer's steps up to the last one that it announced, which it may or may not have done.
///
/// Gives that chain as it was before the step, then with all its blocks durable, then after the step.
fn repeat(seed: u64, said: &[String], folder: &Path) -> [Chain; 3] {
    let announced = said.iter().filter(|word| *word != "durable").count();
    let replay = |name: &str| {
        let options = StoreOptions {
            map_size_bytes: 1 << 26,
            sync: false,
        };
        let store = Store::open(&folder.join(name), B256::ZERO, options).unwrap();
        let mut chain = Chain::new(store, Rng::new(seed));
        chain.grow();
        let mut count = 0;
        loop {
            let step = Step::choose(&mut chain);
            count += usize::from(step.announcement().is_some());
            if count == announced && step.announcement().is_some() {
                let word = said.iter().rfind(|word| *word != "durable");
                assert_eq!(step.announcement().as_ref(), word, "seed {seed}");
                return (chain, step);
            }
            step.perform(&mut chain);
        }
    };
    let (before, _) = replay("before");
    // An unwinding makes pending blocks durable first.
    let (flushed, _) = replay("flushed");
    flushed.store.commit().unwrap();
    let (mut after, last) = replay("after");
    last.perform(&mut after);
    [before, flushed, after]
}

#[test]
fn a_killed_writer_leaves_a_whole_chain_with_all_that_it_called_durable() {
    let mut torn = 0;
    for seed in 1..=24 {
        let folder = tempfile::tempdir().unwrap();
        let said = run_and_kill(folder.path(), seed, 1 + (seed as usize * 7) % 23);
        let store = open(folder.path());
        let finished = said.last().is_some_and(|word| word == "durable");
        torn += usize::from(!finished);
        let replays = tempfile::tempdir().unwrap();
        let candidates = repeat(seed, &said, replays.path());
        let allowed = if finished {
            &candidates[2..]
        } else {
            &candidates
        };
        let tip = store.durable_tip();
        let chain = allowed
            .iter()
            .find(|chain| chain.store.durable_tip() == tip)
            .unwrap_or_else(|| panic!("seed {seed}: {tip:?} is durable after {said:?}"));
        let Some((height, _)) = tip else {
            assert!(!said.iter().any(|word| word == "durable"));
            continue;
        };
        let top = height as usize;
        let oldest = store.oldest_state().unwrap();
        for height in oldest..=height {
            check_view(&store, &chain.models, &chain.hashes[..=top], height);
        }
        // It goes on from here, and back.
        let models = chain.models[..=top].to_vec();
        let state = State::new(models.last().unwrap().root(), store.tip_source());
        let hashes = chain.hashes[..=top].to_vec();
        let mut chain = Chain {
            store,
            state,
            models,
            hashes,
            rng: Rng::new(seed + 1000),
        };
        chain.grow();
        chain.store.commit().unwrap();
        chain.unwind(oldest);
        check_view(&chain.store, &chain.models, &chain.hashes, oldest);
    }
    println!("{torn} of 24 writers died within a commit or an unwinding");
}
