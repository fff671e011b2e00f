//! Which calls are answered here, and of which block.
use alloy_primitives::{Address, B256};

use crate::body::{params, text, Call};
use crate::call::{parse_call, Message};
use crate::show::{read_data, read_fixed, read_quantity};

/// Raw bytes of a transaction that are looked at.
const RAW_BYTES_MAX: usize = 1 << 20;

/// The block that is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum At {
    Latest,
    Pending,
    Safe,
    Finalized,
    Height(u64),
}

/// A call that is answered here.
#[derive(Debug)]
pub(crate) enum Ask {
    ChainId,
    NetVersion,
    ClientVersion,
    BlockNumber,
    GasPrice,
    Tip,
    Balance(Address, At),
    Nonce(Address, At),
    Receipt(B256),
    Call(Box<Message>, At),
    Send(Vec<u8>),
}

impl Ask {
    /// Reads a call; None where it is another's matter, a wrong one too.
    pub fn read(call: &Call<'_>) -> Option<(&'static str, Self)> {
        let none = |name: &'static str, ask: Self| params(call.params, 0).map(|_| (name, ask));
        match call.method {
            "eth_chainId" => none("eth_chainId", Self::ChainId),
            "net_version" => none("net_version", Self::NetVersion),
            "web3_clientVersion" => none("web3_clientVersion", Self::ClientVersion),
            "eth_blockNumber" => none("eth_blockNumber", Self::BlockNumber),
            "eth_gasPrice" => none("eth_gasPrice", Self::GasPrice),
            "eth_maxPriorityFeePerGas" => none("eth_maxPriorityFeePerGas", Self::Tip),
            "eth_getBalance" => {
                let (who, at) = account(call.params)?;
                Some(("eth_getBalance", Self::Balance(who, at)))
            }
            "eth_getTransactionCount" => {
                let (who, at) = account(call.params)?;
                Some(("eth_getTransactionCount", Self::Nonce(who, at)))
            }
            "eth_getTransactionReceipt" => {
                let given = params(call.params, 1)?;
                let hash = read_fixed::<32>(text(given.first()?)?)?;
                Some(("eth_getTransactionReceipt", Self::Receipt(hash.into())))
            }
            "eth_call" => {
                let given = params(call.params, 2)?;
                let message = parse_call(given.first()?)?;
                let at = block(given.get(1).copied())?;
                Some(("eth_call", Self::Call(Box::new(message), at)))
            }
            "eth_sendRawTransaction" => {
                let given = params(call.params, 1)?;
                let raw = read_data(text(given.first()?)?, RAW_BYTES_MAX)?;
                Some(("eth_sendRawTransaction", Self::Send(raw)))
            }
            _ => None,
        }
    }

    /// Whether its answer is short and certain: such calls may stand beside transactions in a batch.
    pub fn is_short(&self) -> bool {
        matches!(
            self,
            Self::ChainId
                | Self::NetVersion
                | Self::ClientVersion
                | Self::BlockNumber
                | Self::Send(_)
        )
    }
}

fn account(json: &str) -> Option<(Address, At)> {
    let given = params(json, 2)?;
    let who = read_fixed::<20>(text(given.first()?)?)?;
    Some((who.into(), block(given.get(1).copied())?))
}

fn block(json: Option<&str>) -> Option<At> {
    let Some(json) = json.filter(|json| *json != "null") else {
        return Some(At::Latest);
    };
    Some(match text(json)? {
        "latest" => At::Latest,
        "pending" => At::Pending,
        "safe" => At::Safe,
        "finalized" => At::Finalized,
        "earliest" => At::Height(0),
        // A hash is as long as that: whose block it is must be looked up first.
        long if long.len() == 66 => return None,
        other => At::Height(u64::try_from(read_quantity(other)?).ok()?),
    })
}
