//! Simulated blocks as JSON.
use alloy_consensus::{Header, Transaction as _};
use alloy_primitives::{hex, Address, Bytes, Log, B256, U256, U64};
use alloy_rlp::Encodable;
use bedroll_core::receipt::Receipt;
use bedroll_core::transaction::Transaction;
use revm::context::result::{ExecutionResult, HaltReason};
use serde_json::{json, Value};

use super::watch::Watch;

/// The call reverted.
const REVERTED: i32 = 3;
/// The call halted.
const HALTED: i32 = -32_015;

/// A block with what its calls did.
pub struct SimulatedBlock {
    pub header: Header,
    pub hash: B256,
    pub transactions: Vec<Transaction>,
    pub receipts: Vec<Receipt>,
    pub calls: Vec<CallShown>,
}

/// What a call did.
pub struct CallShown {
    success: bool,
    output: Bytes,
    gas_used: u64,
    gas_peak: u64,
    error: Option<Value>,
    /// With their places in the block.
    logs: Vec<(u64, Log)>,
}

impl CallShown {
    /// What a result says, and who looked on while it came about.
    pub fn new(result: &ExecutionResult, watch: Watch) -> Self {
        let success = result.is_success();
        Self {
            success,
            // What a revert returns is its error's.
            output: result
                .output()
                .filter(|_| success)
                .cloned()
                .unwrap_or_default(),
            gas_used: result.tx_gas_used(),
            gas_peak: result.gas().total_gas_spent().max(result.gas().floor_gas()),
            error: match result {
                ExecutionResult::Success { .. } => None,
                ExecutionResult::Revert { output, .. } => Some(json!({
                    "code": REVERTED,
                    "message": revert_text(output),
                    "data": output,
                })),
                ExecutionResult::Halt { reason, .. } => Some(json!({
                    "code": HALTED,
                    "message": halt_text(reason),
                })),
            },
            logs: watch.into_logs(),
        }
    }

    fn shown(&self, block: &SimulatedBlock, index: usize) -> Value {
        let header = &block.header;
        let hash = block.transactions.get(index).map(|one| one.hash);
        let logs: Vec<Value> = (self.logs.iter())
            .map(|(place, log)| {
                json!({
                    "address": log.address,
                    "topics": log.topics(),
                    "data": log.data.data,
                    "blockNumber": U64::from(header.number),
                    "blockHash": block.hash,
                    "blockTimestamp": U64::from(header.timestamp),
                    "transactionHash": hash,
                    "transactionIndex": U64::from(index),
                    "logIndex": U64::from(*place),
                    "removed": false,
                })
            })
            .collect();
        let mut shown = json!({
            "returnData": self.output,
            "logs": logs,
            "gasUsed": U64::from(self.gas_used),
            "maxUsedGas": U64::from(self.gas_peak),
            "status": U64::from(self.success),
        });
        if let Some(error) = &self.error {
            shown["error"] = error.clone();
        }
        shown
    }
}

impl SimulatedBlock {
    /// As `eth_getBlockByNumber` shows a block, with `calls`.
    pub fn shown(&self, full: bool) -> Value {
        let header = &self.header;
        let transactions: Vec<Value> = (self.transactions.iter().enumerate())
            .map(|(index, transaction)| match full {
                true => self.transaction(index, transaction),
                false => json!(transaction.hash),
            })
            .collect();
        let calls: Vec<Value> = (self.calls.iter().enumerate())
            .map(|(index, call)| call.shown(self, index))
            .collect();
        let mut shown = json!({
            "number": U64::from(header.number),
            "hash": self.hash,
            "parentHash": header.parent_hash,
            "nonce": header.nonce,
            "sha3Uncles": header.ommers_hash,
            "logsBloom": header.logs_bloom,
            "transactionsRoot": header.transactions_root,
            "stateRoot": header.state_root,
            "receiptsRoot": header.receipts_root,
            "miner": header.beneficiary,
            "difficulty": header.difficulty,
            "extraData": header.extra_data,
            "gasLimit": U64::from(header.gas_limit),
            "gasUsed": U64::from(header.gas_used),
            "timestamp": U64::from(header.timestamp),
            "mixHash": header.mix_hash,
            "size": U64::from(self.size()),
            "transactions": transactions,
            "uncles": [],
            "calls": calls,
        });
        if let Some(fee) = header.base_fee_per_gas {
            shown["baseFeePerGas"] = json!(U64::from(fee));
        }
        if let Some(root) = header.withdrawals_root {
            shown["withdrawalsRoot"] = json!(root);
            shown["withdrawals"] = json!([]);
        }
        if let Some((used, excess)) = header.blob_gas_used.zip(header.excess_blob_gas) {
            shown["blobGasUsed"] = json!(U64::from(used));
            shown["excessBlobGas"] = json!(U64::from(excess));
        }
        if let Some(root) = header.parent_beacon_block_root {
            shown["parentBeaconBlockRoot"] = json!(root);
        }
        if let Some(hash) = header.requests_hash {
            shown["requestsHash"] = json!(hash);
        }
        shown
    }

    /// Bytes of the block in RLP: header, transactions, no uncles and, where its fork knows any, no withdrawals.
    fn size(&self) -> usize {
        let listed: usize = self
            .transactions
            .iter()
            .map(Transaction::listed_length)
            .sum();
        let list = |payload_length| alloy_rlp::Header {
            list: true,
            payload_length,
        };
        let empty = 1 + usize::from(self.header.withdrawals_root.is_some());
        let payload = self.header.length() + list(listed).length() + listed + empty;
        list(payload).length() + payload
    }

    fn transaction(&self, index: usize, transaction: &Transaction) -> Value {
        let Some(tx) = transaction.envelope() else {
            return json!(transaction.hash);
        };
        let kind = transaction.kind();
        let price = self.receipts.get(index).map(|one| one.effective_gas_price);
        let to: Option<Address> = transaction.to();
        let mut shown = json!({
            "blockHash": self.hash,
            "blockNumber": U64::from(self.header.number),
            "blockTimestamp": U64::from(self.header.timestamp),
            "transactionIndex": U64::from(index),
            "type": U64::from(kind),
            "hash": transaction.hash,
            "from": transaction.sender,
            "to": to,
            "nonce": U64::from(tx.nonce()),
            "gas": U64::from(tx.gas_limit()),
            "gasPrice": U256::from(price.unwrap_or_default()),
            "value": tx.value(),
            "input": tx.input(),
            "v": "0x0",
            "r": "0x0",
            "s": "0x0",
        });
        if kind > 0 {
            shown["chainId"] = json!(tx.chain_id().map(U64::from));
            shown["yParity"] = json!("0x0");
            shown["accessList"] = json!(tx.access_list());
        }
        if kind > 1 {
            let tip = tx.max_priority_fee_per_gas().unwrap_or_default();
            shown["maxFeePerGas"] = json!(U256::from(tx.max_fee_per_gas()));
            shown["maxPriorityFeePerGas"] = json!(U256::from(tip));
        }
        if let Some(hashes) = tx.blob_versioned_hashes() {
            let most = tx.max_fee_per_blob_gas().unwrap_or_default();
            shown["maxFeePerBlobGas"] = json!(U256::from(most));
            shown["blobVersionedHashes"] = json!(hashes);
        }
        if let Some(grants) = tx.authorization_list() {
            shown["authorizationList"] = json!(grants);
        }
        shown
    }
}

/// In the words that geth uses.
fn halt_text(reason: &HaltReason) -> String {
    use HaltReason as H;
    match reason {
        H::OutOfGas(_) => "out of gas".into(),
        H::OpcodeNotFound | H::NotActivated => "invalid opcode".into(),
        H::InvalidFEOpcode => "invalid opcode: INVALID".into(),
        H::StackOverflow => "stack limit reached 1024".into(),
        H::OutOfOffset => "return data out of bounds".into(),
        H::CreateCollision => "contract address collision".into(),
        H::NonceOverflow => "nonce uint64 overflow".into(),
        H::CreateContractSizeLimit => "max code size exceeded".into(),
        H::CreateContractStartingWithEF => "invalid code: must not begin with 0xef".into(),
        H::CreateInitCodeSizeLimit => "max initcode size exceeded".into(),
        H::StateChangeDuringStaticCall | H::CallNotAllowedInsideStatic => "write protection".into(),
        H::OutOfFunds => "insufficient balance for transfer".into(),
        H::CallTooDeep => "max call depth exceeded".into(),
        other => other.to_string(),
    }
}

/// `Error(string)`.
const ERROR_SELECTOR: [u8; 4] = hex!("08c379a0");
/// `Panic(uint256)`.
const PANIC_SELECTOR: [u8; 4] = hex!("4e487b71");

/// What a reverted call says of itself, in the words that geth uses.
fn revert_text(output: &[u8]) -> String {
    match revert_reason(output) {
        Some(reason) => format!("execution reverted: {reason}"),
        None => "execution reverted".into(),
    }
}

fn revert_reason(output: &[u8]) -> Option<String> {
    let (selector, body) = output.split_first_chunk::<4>()?;
    if *selector == PANIC_SELECTOR && body.len() == 32 {
        let code = U256::from_be_slice(body);
        return Some(match panic_text(code.saturating_to()) {
            Some(text) => text.into(),
            None => format!("unknown panic code: {code:#x}"),
        });
    }
    if *selector != ERROR_SELECTOR {
        return None;
    }
    let (start, rest) = body.split_first_chunk::<32>()?;
    let (length, text) = rest.split_first_chunk::<32>()?;
    let length = usize::try_from(U256::from_be_bytes(*length)).ok()?;
    if U256::from_be_bytes(*start) != U256::from(32) {
        return None;
    }
    String::from_utf8(text.get(..length)?.to_vec()).ok()
}

fn panic_text(code: u64) -> Option<&'static str> {
    Some(match code {
        0x00 => "generic panic",
        0x01 => "assert(false)",
        0x11 => "arithmetic underflow or overflow",
        0x12 => "division or modulo by zero",
        0x21 => "enum overflow",
        0x22 => "invalid encoded storage byte array accessed",
        0x31 => "out-of-bounds array access; popping on an empty array",
        0x32 => "out-of-bounds access of an array or bytesN",
        0x41 => "out of memory",
        0x51 => "uninitialized function",
        _ => return None,
    })
}
