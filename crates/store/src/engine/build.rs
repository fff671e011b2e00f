//! `testing_buildBlockV1`: one block upon a sealed one, made exactly as the chain makes it, and not kept.
//!
//! Reads: a view and the attributes as JSON. Gives: the block. Never: changes the chain.
use std::sync::Arc;

use alloy_consensus::proofs::calculate_withdrawals_root;
use alloy_consensus::{Header, Transaction as _};
use alloy_eips::eip1559::calculate_block_gas_limit;
use alloy_eips::eip4895::Withdrawal;
use alloy_primitives::{Address, Bytes, B256, U64};
use bedroll_core::block::{Block, EthereumPart};
use bedroll_core::ethereum::{check_header, OpenEthereumBlock, Schedule};
use bedroll_core::header;
use bedroll_core::state::State;
use bedroll_core::stf::{BlockSetting, OpenBlock, Opening, Refused};
use bedroll_core::transaction::Transaction;
use revm::primitives::hardfork::SpecId;
use serde::Deserialize;

use super::simulate::SimulatedSource;
use super::writer::StoredQueue;
use super::{fork, tip_facts, EngineError, Look, TipFacts};

/// Bytes of a header that its maker may choose.
const EXTRA_SIZE_MAX: usize = 32;

/// What a consensus client would say of the block, as the engine API writes it down.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Attributes {
    timestamp: U64,
    prev_randao: B256,
    suggested_fee_recipient: Address,
    #[serde(default)]
    withdrawals: Vec<Withdrawal>,
    #[serde(default)]
    parent_beacon_block_root: B256,
    #[serde(default)]
    extra_data: Bytes,
}

/// A block that is not part of the chain.
#[derive(Debug)]
pub struct Built {
    /// As the chain would have it.
    pub block: Block,
    /// Of a chain of Ethereum's own, to the consensus layer: kind and body of each (EIP-7685).
    pub requests: Vec<Bytes>,
}

impl Look {
    /// Makes a block upon this one out of these transactions, in order.
    ///
    /// # Errors
    /// The attributes cannot be read or break a rule; a transaction cannot be executed, unless those are to be left
    /// out; the block is not sealed, or more than `changes` values changed since it was (`limit`).
    pub fn build(
        &self,
        attributes: &str,
        transactions: Vec<Transaction>,
        leaves_out: bool,
        changes: usize,
    ) -> Result<Built, EngineError> {
        if self.is_open() {
            let text = "blocks are built on top of sealed ones only";
            return Err(EngineError::invalid("height", text));
        }
        let attributes: Attributes = serde_json::from_str(attributes)
            .map_err(|error| EngineError::invalid("request", error.to_string()))?;
        let work = Work {
            look: self,
            parent: tip_facts(self.view(), self.view().height())?,
            attributes,
            leaves_out,
            changes,
        };
        match &self.schedule {
            Some(schedule) => work.ethereum(schedule, transactions),
            None => work.own(transactions),
        }
    }
}

struct Work<'a> {
    look: &'a Look,
    parent: TipFacts,
    attributes: Attributes,
    leaves_out: bool,
    changes: usize,
}

impl Work<'_> {
    fn state(&self) -> Result<State<SimulatedSource>, EngineError> {
        let view = self.look.view();
        let nodes = view.nodes(self.changes)?;
        let source = SimulatedSource::new(view.clone(), Some(nodes), self.parent.header.number);
        Ok(State::new(self.parent.header.state_root, source))
    }

    /// A block of this chain, as its leader would make it without a new origin.
    fn own(self, transactions: Vec<Transaction>) -> Result<Built, EngineError> {
        let TipFacts { header, hash, tail } = &self.parent;
        let opening = Opening {
            parent: header,
            parent_hash: *hash,
            tail,
            timestamp: self.attributes.timestamp.to(),
            origin: None,
            automatic: false,
        };
        let waiting = StoredQueue(self.look.view().clone());
        let mut state = self.state()?;
        let rules = self.look.rules.clone();
        let mut open = OpenBlock::begin(rules, &mut state, &waiting, &opening)?;
        self.check_own(open.setting(), tail.origin_hash)?;
        for outcome in open.add(&mut state, transactions)? {
            self.judge(outcome.err())?;
        }
        let (block, _) = open.seal(&mut state)?;
        Ok(Built {
            block,
            requests: vec![],
        })
    }

    /// What this chain's rules decide may be left open (zero), or given as the rules have it.
    fn check_own(&self, setting: &BlockSetting, origin_hash: B256) -> Result<(), EngineError> {
        let given = &self.attributes;
        let differs = |member: &str, given: String, own: String| {
            let text =
                format!("{member} {given}: the chain's rules make it {own} (or leave it zero)");
            Err(EngineError::invalid("attributes", text))
        };
        let (randao, root) = (given.prev_randao, given.parent_beacon_block_root);
        if !randao.is_zero() && randao != setting.prev_randao {
            return differs(
                "prevRandao",
                randao.to_string(),
                setting.prev_randao.to_string(),
            );
        }
        if !root.is_zero() && root != origin_hash {
            return differs(
                "parentBeaconBlockRoot",
                root.to_string(),
                origin_hash.to_string(),
            );
        }
        let recipient = given.suggested_fee_recipient;
        if !recipient.is_zero() && recipient != setting.coinbase {
            return differs(
                "suggestedFeeRecipient",
                recipient.to_string(),
                setting.coinbase.to_string(),
            );
        }
        let text = match (given.withdrawals.is_empty(), given.extra_data.is_empty()) {
            (true, true) => return Ok(()),
            (false, _) => "withdrawals do not exist on this chain",
            (true, false) => "extraData is empty on this chain",
        };
        Err(EngineError::invalid("attributes", text))
    }

    fn judge(&self, refused: Option<Refused>) -> Result<(), EngineError> {
        match refused {
            Some(refused) if !self.leaves_out => Err(refused.into()),
            _ => Ok(()),
        }
    }

    /// A block of Ethereum's own, run as an imported one is.
    fn ethereum(
        self,
        schedule: &Schedule,
        transactions: Vec<Transaction>,
    ) -> Result<Built, EngineError> {
        let header = self.begin_header(schedule)?;
        let withdrawals = header
            .withdrawals_root
            .map(|_| self.attributes.withdrawals.clone());
        let mut state = self.state()?;
        let mut open = OpenEthereumBlock::begin(schedule, &header, &mut state, false)?;
        let blob_room = fork::blob_room(&schedule.at(header.number, header.timestamp));
        let mut blob_gas = 0;
        for transaction in transactions {
            let fields = transaction.envelope();
            let with = blob_gas + fields.and_then(|tx| tx.blob_gas_used()).unwrap_or_default();
            if with > blob_room {
                let message = format!("block blob gas limit reached: {with}, limit {blob_room}");
                self.judge(Some(Refused {
                    reason: "block_full",
                    message,
                }))?;
                continue;
            }
            let refused = open.add(transaction, &mut state)?.err();
            if refused.is_none() {
                blob_gas = with;
            }
            self.judge(refused)?;
        }
        let paid = withdrawals.as_deref().unwrap_or_default();
        let done = open.finish(paid, &[], &mut state)?;
        let (state_root, _) = state.seal()?;
        let header = Header {
            state_root,
            transactions_root: header::ethereum_transactions_root(&done.transactions),
            receipts_root: header::receipts_root(&done.receipts),
            logs_bloom: header::logs_bloom(&done.receipts),
            gas_used: done.gas_used,
            blob_gas_used: header.blob_gas_used.map(|_| done.blob_gas_used),
            requests_hash: done.requests_hash(),
            ..header
        };
        let block = Block {
            hash: header.hash_slow(),
            header,
            tail: self.parent.tail,
            origin_step: false,
            automatic: false,
            transactions: done.transactions.into_iter().map(Arc::new).collect(),
            receipts: done.receipts,
            forced: vec![],
            forced_count: 0,
            new_addresses: vec![],
            enqueued: vec![],
            touched: vec![],
            ethereum: Some(EthereumPart {
                ommers: vec![],
                withdrawals,
            }),
        };
        Ok(Built {
            block,
            requests: done.requests.unwrap_or_default().to_vec(),
        })
    }

    /// The header as far as it is known before anything runs.
    fn begin_header(&self, schedule: &Schedule) -> Result<Header, EngineError> {
        let (parent, given) = (&self.parent.header, &self.attributes);
        let (number, timestamp) = (parent.number + 1, given.timestamp.to());
        let size = given.extra_data.len();
        if size > EXTRA_SIZE_MAX {
            let text = format!("extraData has {size} bytes, at most {EXTRA_SIZE_MAX}");
            return Err(EngineError::invalid("attributes", text));
        }
        let fork = schedule.at(number, timestamp);
        if !fork.spec.is_enabled_in(SpecId::MERGE) {
            let text = format!("block {number} needs work (it is before the merge): none is built");
            return Err(EngineError::invalid("attributes", text));
        }
        let start = fork::begin_header(&fork, parent, number, timestamp);
        if start.withdrawals_root.is_none() && !given.withdrawals.is_empty() {
            let text = format!("block {number} is before Shanghai: it has no withdrawals");
            return Err(EngineError::invalid("attributes", text));
        }
        let rules = &self.look.rules;
        let header = Header {
            parent_hash: self.parent.hash,
            beneficiary: given.suggested_fee_recipient,
            gas_limit: calculate_block_gas_limit(parent.gas_limit, rules.block_gas_limit),
            extra_data: given.extra_data.clone(),
            mix_hash: given.prev_randao,
            base_fee_per_gas: Some(fork::next_base_fee(&fork, rules, parent, 0)),
            withdrawals_root: start
                .withdrawals_root
                .map(|_| calculate_withdrawals_root(&given.withdrawals)),
            parent_beacon_block_root: start
                .parent_beacon_block_root
                .map(|_| given.parent_beacon_block_root),
            ..start
        };
        check_header(schedule, parent, self.parent.hash, &header)?;
        Ok(header)
    }
}
