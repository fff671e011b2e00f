//! Requests of the execution layer to the consensus layer (EIP-7685).
use alloc::vec::Vec;
use alloy_eips::eip7002::WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS;
use alloy_eips::eip7251::CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS;
use alloy_eips::eip7685::Requests;
use alloy_primitives::{b256, Address, Bytes, B256, U256};
use sha2::{Digest, Sha256};

use super::Fault;
use crate::receipt::Receipt;
use crate::state::StateSource;
use crate::stf::Runner;

/// `DepositEvent(bytes,bytes,bytes,bytes,bytes)`.
const DEPOSIT_TOPIC: B256 =
    b256!("649bbc62d0e31342afea4e5cd82d4049e7e1ee912fc0889aa790803be39038c5");
/// Where the five fields of a deposit begin in the log's data, each with a word that says its size: key,
/// credentials, amount, signature, index.
const DEPOSIT_FIELDS: [(usize, usize); 5] = [(160, 48), (256, 32), (320, 8), (384, 96), (512, 8)];
const DEPOSIT_SIZE: usize = 576;
/// Gas of a call to a system contract.
const SYSTEM_GAS: u64 = 30_000_000;

/// Gathers a block's requests: of each kind that has any, the kind and what it asks for.
pub(super) fn requests<S: StateSource>(
    deposit_contract: Option<Address>,
    receipts: &[Receipt],
    runner: &mut Runner<'_, S>,
) -> Result<Requests, Fault> {
    let mut gathered = Requests::default();
    gathered.push_request_with_type(0, deposits(deposit_contract, receipts)?);
    for (kind, contract) in [
        (1, WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS),
        (2, CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS),
    ] {
        if !runner.has_code(&contract)? {
            let text = alloc::format!("the system contract {contract} has no code");
            return Err(Fault::Rule(text));
        }
        let ran = runner.system(contract, Bytes::new(), SYSTEM_GAS)?;
        if !ran.success {
            let text = alloc::format!("the system contract {contract} failed: {}", ran.halt);
            return Err(Fault::Rule(text));
        }
        gathered.push_request_with_type(kind, ran.output);
    }
    Ok(gathered)
}

/// The hash over requests that a header has.
pub(super) fn requests_hash(requests: &Requests) -> B256 {
    let mut hash = Sha256::new();
    for request in requests.iter() {
        hash.update(Sha256::digest(request));
    }
    B256::new(hash.finalize().into())
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
        for (place, (start, length)) in DEPOSIT_FIELDS.into_iter().enumerate() {
            if word(fields, 32 * place) != start || word(fields, start) != length {
                let text =
                    alloc::format!("field {place} of a deposit is not {length} bytes at {start}");
                return Err(Fault::Rule(text));
            }
            let begin = start + 32;
            gathered.extend_from_slice(fields.get(begin..begin + length).unwrap_or_default());
        }
    }
    Ok(gathered)
}

/// A word of a log's data as a number.
fn word(fields: &[u8], at: usize) -> usize {
    let bytes = fields.get(at..at + 32).unwrap_or_default();
    U256::from_be_slice(bytes).saturating_to()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::{MemorySource, State};
    use crate::trie::EMPTY_ROOT;
    use alloy_primitives::Log;
    use revm::context::{BlockEnv, CfgEnv};
    use revm::primitives::hardfork::SpecId;

    const CONTRACT: Address = Address::repeat_byte(0xde);

    fn fields() -> Vec<u8> {
        let mut fields = alloc::vec![0; DEPOSIT_SIZE];
        for (place, (start, length)) in DEPOSIT_FIELDS.into_iter().enumerate() {
            fields[32 * place + 30..32 * place + 32].copy_from_slice(&(start as u16).to_be_bytes());
            fields[start + 31] = length as u8;
            fields[start + 32..start + 32 + length].fill(place as u8 + 1);
        }
        fields
    }

    fn of_log(fields: Vec<u8>) -> Result<Vec<u8>, Fault> {
        let log = Log::new_unchecked(CONTRACT, alloc::vec![DEPOSIT_TOPIC], fields.into());
        let receipt = Receipt {
            kind: 0,
            success: true,
            gas_used: 0,
            data_gas: 0,
            cumulative_gas_used: 0,
            effective_gas_price: 0,
            transaction_hash: B256::ZERO,
            logs: alloc::vec![log],
            output: Bytes::new(),
            contract: None,
            post_state: None,
        };
        deposits(Some(CONTRACT), &[receipt])
    }

    #[test]
    fn a_deposit_is_its_fields_in_a_row() {
        let gathered = of_log(fields()).unwrap();
        let wanted: Vec<u8> = DEPOSIT_FIELDS
            .iter()
            .zip(1..)
            .flat_map(|((_, length), byte)| alloc::vec![byte; *length])
            .collect();
        assert_eq!(gathered, wanted);
    }

    #[test]
    fn a_deposit_of_another_layout_makes_the_block_invalid() {
        for (place, (start, _)) in DEPOSIT_FIELDS.into_iter().enumerate() {
            for at in [32 * place, 32 * place + 31, start, start + 31] {
                let mut spoiled = fields();
                spoiled[at] ^= 1;
                assert!(matches!(of_log(spoiled), Err(Fault::Rule(_))), "byte {at}");
            }
        }
        assert!(of_log(fields()[1..].to_vec()).is_err());
    }

    #[test]
    fn a_block_whose_request_contract_has_no_code_is_invalid() {
        let mut state = State::new(EMPTY_ROOT, MemorySource::default());
        let config = CfgEnv::new_with_spec(SpecId::PRAGUE);
        let mut runner = Runner::ethereum(BlockEnv::default(), config, &mut state);
        let found = requests(None, &[], &mut runner).unwrap_err();
        assert!(alloc::format!("{found}").ends_with("has no code"));
    }
}
