//! Runs published state tests: bytes of the transaction in, state root and logs hash out.
use std::fmt::Write as _;
use std::path::Path;

use alloy_primitives::{keccak256, Address, B256};
use bedroll_core::profile::{Profile, Rules};
use bedroll_core::state::{Account, MemorySource, State};
use bedroll_core::stf::{ethereum_config, Charge, Runner};
use bedroll_core::transaction::decode_ethereum;
use bedroll_core::trie::EMPTY_ROOT;
use revm::context::CfgEnv;
use revm::primitives::hardfork::SpecId;
use revm_statetest_types::{SpecName, Test, TestSuite, TestUnit};

/// How many passed, and what failed.
#[derive(Debug, Default)]
pub struct Tally {
    pub passed: usize,
    pub failed: Vec<String>,
}

fn rules(spec: SpecId) -> Rules {
    Rules {
        chain_id: 1,
        network: 0,
        profile: Profile::Ethereum(spec),
        block_gas_limit: u64::MAX,
        forced_gas_limit: 0,
        forced_message_gas_limit: 0,
        forced_gas_min: 0,
        forced_size_max: 0,
        max_origin_lag: 0,
        second_blocks_max: u64::MAX,
        timestamp_lead_max: None,
        origin_blocks_max: u64::MAX,
        automatic_blocks_max: 0,
        transfer_bytes: 75,
        base_fee_vault: Address::ZERO,
        tip_vault: Address::ZERO,
        light_client: Address::ZERO,
        address_book: Address::ZERO,
    }
}

fn pre_state(unit: &TestUnit) -> Result<State<MemorySource>, String> {
    let mut state = State::new(EMPTY_ROOT, MemorySource::default());
    let text = |error: bedroll_core::state::StateError| error.to_string();
    for (address, account) in &unit.pre {
        let code_hash = state.set_code(account.code.clone()).map_err(text)?;
        let balance = account.balance;
        let filled = Account {
            nonce: account.nonce,
            balance,
            code_hash,
            ..Account::default()
        };
        state.set_account(address, Some(filled)).map_err(text)?;
        for (slot, value) in &account.storage {
            state.set_slot(address, slot, *value).map_err(text)?;
        }
    }
    let (_, set) = state.seal().map_err(text)?;
    state.source_mut().write(&set);
    Ok(state)
}

/// Runs one case.
fn run(unit: &TestUnit, spec: SpecId, test: &Test) -> Result<(), String> {
    let mut state = pre_state(unit)?;
    let rules = rules(spec);
    let mut config: CfgEnv = ethereum_config(&rules);
    let block = unit.block_env(&mut config);
    let raw = test.txbytes.as_ref().ok_or("no transaction bytes")?;
    let outcome = match decode_ethereum(raw) {
        Err(error) => Err(error.to_string()),
        Ok(transaction) => Runner::with_config(&rules, block, config, &mut state)
            .transact(transaction.env(), Charge::default())
            .map_err(|error| error.to_string()),
    };
    match (&test.expect_exception, &outcome) {
        (Some(wanted), Ok(_)) => return Err(format!("{wanted} was expected")),
        (None, Err(error)) => return Err(format!("refused: {error}")),
        _ => {}
    }
    let (root, _) = state.seal().map_err(|error| error.to_string())?;
    if root != test.hash {
        return Err(format!("state root {root} is not {}", test.hash));
    }
    let mut encoded = Vec::new();
    alloy_rlp::encode_list(
        &outcome.map(|ran| ran.logs).unwrap_or_default(),
        &mut encoded,
    );
    let logs: B256 = keccak256(&encoded);
    if logs != test.logs {
        return Err("logs differ".into());
    }
    Ok(())
}

/// Runs the Prague and Osaka cases of a file.
pub fn run_file(path: &Path, tally: &mut Tally) {
    let text = std::fs::read(path).expect("the file can be read");
    let suite: TestSuite = match serde_json::from_slice(&text) {
        Ok(suite) => suite,
        Err(error) => {
            tally.failed.push(format!("{}: {error}", path.display()));
            return;
        }
    };
    for (name, unit) in &suite.0 {
        for (fork, tests) in &unit.post {
            let spec = match fork {
                SpecName::Prague => SpecId::PRAGUE,
                SpecName::Osaka => SpecId::OSAKA,
                _ => continue,
            };
            for test in tests {
                match run(unit, spec, test) {
                    Ok(()) => tally.passed += 1,
                    Err(reason) => {
                        let mut line = String::new();
                        let _ = write!(line, "{name} {spec:?}: {reason}");
                        tally.failed.push(line);
                    }
                }
            }
        }
    }
}

/// Runs every `.json` below a folder.
pub fn run_folder(folder: &Path, tally: &mut Tally) {
    let mut entries: Vec<_> = std::fs::read_dir(folder)
        .expect("the folder can be read")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            run_folder(&path, tally);
        } else if path.extension().is_some_and(|kind| kind == "json") {
            run_file(&path, tally);
        }
    }
}
