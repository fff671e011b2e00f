//! Published block tests (EEST): a chain from its first state, and each block again from its witness alone.
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use alloy_consensus::Header;
use alloy_primitives::{Address, Bytes, B256, U256, U64};
use alloy_rlp::Decodable;
use bedroll_core::ethereum::{
    check_executed, check_header, decode_block, execute, execute_stateless, Activation, BlobLimits,
    Fault, Schedule, StatelessInput,
};
use bedroll_core::state::{Account, MemorySource, State};
use bedroll_core::trie::EMPTY_ROOT;
use revm::primitives::hardfork::SpecId;
use revm::primitives::KECCAK_EMPTY;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Case {
    network: String,
    #[serde(rename = "genesisRLP")]
    genesis: Bytes,
    pre: BTreeMap<Address, Entry>,
    blocks: Vec<Block>,
    lastblockhash: B256,
    config: Config,
}

#[derive(Deserialize)]
struct Config {
    chainid: U64,
    #[serde(default, rename = "blobSchedule")]
    blobs: BTreeMap<String, Blobs>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Blobs {
    target: U64,
    max: U64,
    base_fee_update_fraction: U64,
}

#[derive(Deserialize)]
struct Entry {
    nonce: U64,
    balance: U256,
    code: Bytes,
    storage: BTreeMap<U256, U256>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Block {
    rlp: Bytes,
    expect_exception: Option<String>,
    execution_witness: Option<Witness>,
    stateless_output_bytes: Option<Bytes>,
}

#[derive(Deserialize)]
struct Witness {
    state: Vec<Bytes>,
    codes: Vec<Bytes>,
    headers: Vec<Bytes>,
}

/// What ran.
#[derive(Default)]
pub struct Tally {
    pub passed: usize,
    pub witnesses: usize,
    pub failed: Vec<String>,
}

fn schedule(case: &Case) -> Result<Schedule, String> {
    let spec: SpecId = match case.network.as_str() {
        "Osaka" => SpecId::OSAKA,
        "Amsterdam" => SpecId::OSAKA,
        other => return Err(format!("no fork {other}")),
    };
    let blobs = case.config.blobs.get(&case.network).map(|limits| {
        let limits = BlobLimits {
            target: limits.target.to(),
            max: limits.max.to(),
            update_fraction: limits.base_fee_update_fraction.to(),
        };
        (0, limits)
    });
    Ok(Schedule {
        chain_id: case.config.chainid.to(),
        forks: vec![(Activation::Height(0), spec)],
        blobs: blobs.into_iter().collect(),
        deposit_contract: "0x00000000219ab540356cbb839cbe05303d7705fa".parse().ok(),
    })
}

fn first_state(case: &Case, wanted: B256) -> Result<State<MemorySource>, String> {
    let text = |error: bedroll_core::state::StateError| error.to_string();
    let mut state = State::new(EMPTY_ROOT, MemorySource::default());
    for (address, entry) in &case.pre {
        let code_hash = match entry.code.is_empty() {
            true => KECCAK_EMPTY,
            false => state.set_code(entry.code.clone()).map_err(text)?,
        };
        let account = Account {
            nonce: entry.nonce.to(),
            balance: entry.balance,
            code_hash,
            ..Account::default()
        };
        state.set_account(address, Some(account)).map_err(text)?;
        for (slot, value) in &entry.storage {
            state.set_slot(address, slot, *value).map_err(text)?;
        }
    }
    let (root, set) = state.seal().map_err(text)?;
    state.source_mut().write(&set);
    match root == wanted {
        true => Ok(state),
        false => Err(format!("first state root {root} is not {wanted}")),
    }
}

fn run(case: &Case, tally: &mut Tally) -> Result<(), String> {
    let schedule = schedule(case)?;
    let mut parent = Header::decode(&mut case.genesis_header()?).map_err(|e| e.to_string())?;
    let mut state = first_state(case, parent.state_root)?;
    let mut parent_hash = parent.hash_slow();
    for (place, block) in case.blocks.iter().enumerate() {
        if block.expect_exception.is_some() {
            return Err("a block that is to be refused".into());
        }
        let decoded = decode_block(&block.rlp).map_err(|error| error.to_string())?;
        let header = decoded.header.clone();
        let hash = header.hash_slow();
        state
            .source_mut()
            .block_hashes
            .insert(parent.number, parent_hash);
        let ran = check_header(&schedule, &parent, parent_hash, &header)
            .and_then(|()| execute(&schedule, &decoded, &mut state, false))
            .and_then(|done| {
                let (root, set) = state.seal()?;
                state.source_mut().write(&set);
                check_executed(&decoded, &done, root)
            });
        ran.map_err(|error: Fault| format!("block {place}: {error}"))?;
        if let Some(witness) = &block.execution_witness {
            let input = StatelessInput {
                state: witness.state.clone(),
                codes: witness.codes.clone(),
                headers: witness.headers.clone(),
            };
            let again = execute_stateless(&schedule, &decoded, input);
            let output = block.stateless_output_bytes.as_ref();
            let wanted = output.is_none_or(|output| output.get(32) == Some(&1));
            if again.is_ok() != wanted {
                let error = again
                    .err()
                    .map_or("it ran".into(), |error| error.to_string());
                return Err(format!(
                    "witness of block {place}, wanted {wanted}: {error}"
                ));
            }
            tally.witnesses += 1;
        }
        (parent, parent_hash) = (header, hash);
    }
    match parent_hash == case.lastblockhash {
        true => Ok(()),
        false => Err(format!(
            "last block {parent_hash} is not {}",
            case.lastblockhash
        )),
    }
}

impl Case {
    /// The genesis block is a list whose first item is its header.
    fn genesis_header(&self) -> Result<&[u8], String> {
        alloy_rlp::Header::decode_bytes(&mut self.genesis.as_ref(), true)
            .map_err(|error| error.to_string())
    }
}

/// Runs the cases of all files below a folder.
pub fn run_folder(folder: &Path, tally: &mut Tally) {
    let mut entries: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            run_folder(&path, tally);
        } else if path.extension().is_some_and(|kind| kind == "json") {
            let text = std::fs::read(&path).expect("a file");
            let cases: BTreeMap<String, Case> =
                serde_json::from_slice(&text).unwrap_or_else(|error| panic!("{path:?}: {error}"));
            for (name, case) in cases {
                match run(&case, tally) {
                    Ok(()) => tally.passed += 1,
                    Err(why) => tally.failed.push(format!("{name}: {why}")),
                }
            }
        }
    }
}
