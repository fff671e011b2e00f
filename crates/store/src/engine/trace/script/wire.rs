//! What the two processes say to each other: frames of a length (4 bytes, big-endian), a mark and a body.
use std::collections::BTreeMap;
use std::io::{self, Read, Write};

use alloy_primitives::{Address, B256, U256};
use bedroll_core::stf::Subject;
#[cfg(feature = "scripts")]
use bedroll_core::stf::{Charge, PrecompileMoves};
use revm::context::{BlockEnv, CfgEnv, TxEnv};
use serde::{Deserialize, Serialize};

/// A task, which is JSON; the helper answers with `TOLD` or `FAILED`.
pub const TASK: u8 = b't';
/// The script's result, which is JSON.
pub const TOLD: u8 = b'r';
/// Why there is none.
pub const FAILED: u8 = b'e';
/// Asks for an account; answered with its flat form, or nothing.
pub const ACCOUNT: u8 = b'a';
/// Asks for a slot: address and number.
pub const SLOT: u8 = b's';
/// Asks for a code by its hash.
pub const CODE: u8 = b'c';
/// Asks for the hash of the block at a height.
pub const BLOCK_HASH: u8 = b'h';
/// What was asked for.
pub const ANSWER: u8 = b'=';

/// One transaction to trace, and by what.
#[derive(Serialize, Deserialize)]
pub struct Task {
    pub code: String,
    pub config: String,
    pub result_bytes: usize,
    pub block_hash: Option<B256>,
    pub index: Option<usize>,
    pub hash: Option<B256>,
    subject: PlainSubject,
}

/// A [`Subject`] as it is written.
#[derive(Serialize, Deserialize)]
struct PlainSubject {
    block: BlockEnv,
    env: TxEnv,
    config: CfgEnv,
    data_gas: u64,
    max_cost: Option<U256>,
    base_fee_vault: Option<Address>,
    gone: Vec<Address>,
    moved: BTreeMap<Address, Address>,
    system: bool,
}

impl Task {
    pub fn of(code: &str, config: &str, result_bytes: usize, subject: &Subject) -> Self {
        Self {
            code: code.into(),
            config: config.into(),
            result_bytes,
            block_hash: None,
            index: None,
            hash: None,
            subject: PlainSubject {
                block: subject.block.clone(),
                env: subject.env.clone(),
                config: subject.config.clone(),
                data_gas: subject.charge.data_gas,
                max_cost: subject.charge.max_cost,
                base_fee_vault: subject.charge.base_fee_vault,
                gone: subject.precompiles.gone().copied().collect(),
                moved: subject.precompiles.moved().clone(),
                system: subject.system,
            },
        }
    }

    /// What the EVM is to run.
    #[cfg(feature = "scripts")]
    pub fn subject(&self) -> Subject {
        let plain = &self.subject;
        let mut precompiles = PrecompileMoves::default();
        for address in &plain.gone {
            precompiles.take_away(*address);
        }
        for (to, of) in &plain.moved {
            precompiles.put(*to, *of);
        }
        Subject {
            block: plain.block.clone(),
            env: plain.env.clone(),
            config: plain.config.clone(),
            charge: Charge {
                data_gas: plain.data_gas,
                max_cost: plain.max_cost,
                base_fee_vault: plain.base_fee_vault,
            },
            precompiles,
            system: plain.system,
        }
    }
}

/// Writes one frame, at once.
pub fn put(output: &mut impl Write, mark: u8, parts: &[&[u8]]) -> io::Result<()> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let told = u32::try_from(length + 1).map_err(|_| io::ErrorKind::InvalidInput)?;
    let mut frame = Vec::with_capacity(length + 5);
    frame.extend_from_slice(&told.to_be_bytes());
    frame.push(mark);
    for part in parts {
        frame.extend_from_slice(part);
    }
    output.write_all(&frame)?;
    output.flush()
}

/// Reads one frame; its body has at most `most` bytes.
pub fn take(input: &mut impl Read, most: usize) -> io::Result<(u8, Vec<u8>)> {
    let mut head = [0; 5];
    input.read_exact(&mut head)?;
    let length = u32::from_be_bytes([head[0], head[1], head[2], head[3]]) as usize;
    let length = length.checked_sub(1).filter(|length| *length <= most);
    let mut body = vec![0; length.ok_or(io::ErrorKind::InvalidData)?];
    input.read_exact(&mut body)?;
    Ok((head[4], body))
}
