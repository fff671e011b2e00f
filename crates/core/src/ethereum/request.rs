//! Requests of the execution layer to the consensus layer (EIP-7685).
use alloc::vec::Vec;
use alloy_eips::eip7002::WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS;
use alloy_eips::eip7251::CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS;
use alloy_primitives::{b256, Address, Bytes, B256};
use sha2::{Digest, Sha256};

use super::Fault;
use crate::receipt::Receipt;
use crate::state::StateSource;
use crate::stf::Runner;

/// `DepositEvent(bytes,bytes,bytes,bytes,bytes)`.
const DEPOSIT_TOPIC: B256 =
    b256!("649bbc62d0e31342afea4e5cd82d4049e7e1ee912fc0889aa790803be39038c5");
/// Where the five fields of a deposit stand in the log's data: key, credentials, amount, signature, index.
const DEPOSIT_FIELDS: [(usize, usize); 5] = [(192, 48), (288, 32), (352, 8), (416, 96), (544, 8)];
const DEPOSIT_SIZE: usize = 576;
/// Gas of a call to a system contract.
const SYSTEM_GAS: u64 = 30_000_000;

/// Gathers a block's requests; gives the hash over them.
pub(super) fn requests_hash<S: StateSource>(
    deposit_contract: Option<Address>,
    receipts: &[Receipt],
    runner: &mut Runner<'_, S>,
) -> Result<B256, Fault> {
    let mut hash = Sha256::new();
    let mut add = |kind: u8, body: &[u8]| {
        if !body.is_empty() {
            hash.update(
                Sha256::new()
                    .chain_update([kind])
                    .chain_update(body)
                    .finalize(),
            );
        }
    };
    add(0, &deposits(deposit_contract, receipts)?);
    for (kind, contract) in [
        (1, WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS),
        (2, CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS),
    ] {
        let ran = runner.system(contract, Bytes::new(), SYSTEM_GAS)?;
        if !ran.success {
            let text = alloc::format!("the system contract {contract} failed: {}", ran.halt);
            return Err(Fault::Rule(text));
        }
        add(kind, &ran.output);
    }
    Ok(B256::new(hash.finalize().into()))
}

fn deposits(contract: Option<Address>, receipts: &[Receipt]) -> Result<Vec<u8>, Fault> {
    let mut gathered = Vec::new();
    let logs = receipts.iter().flat_map(|receipt| &receipt.logs);
    for log in logs.filter(|log| Some(log.address) == contract) {
        if log.topics().first() != Some(&DEPOSIT_TOPIC) {
            continue;
        }
        let fields = &log.data.data;
        if fields.len() != DEPOSIT_SIZE {
            return Err(Fault::Rule(alloc::format!(
                "a deposit has {} bytes, not {DEPOSIT_SIZE}",
                fields.len()
            )));
        }
        for (start, length) in DEPOSIT_FIELDS {
            gathered.extend_from_slice(fields.get(start..start + length).unwrap_or_default());
        }
    }
    Ok(gathered)
}
