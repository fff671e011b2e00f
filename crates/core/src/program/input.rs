//! What the program is given: RLP, so that one byte string has one meaning.
use alloc::vec::Vec;

use alloy_consensus::Header;
use alloy_primitives::{Address, Bytes, B256};
use alloy_rlp::{Decodable, Encodable, RlpDecodable, RlpEncodable};
use sha2::{Digest, Sha256};

use super::witness::Witness;
use crate::block::{Origin, Tail};
use crate::forced::Message;
use crate::profile::{Profile, Rules};

/// An origin without what follows from the rest.
#[derive(Debug, Clone, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub struct OriginPart {
    /// The 80 bytes.
    pub header: Bytes,
    /// Root under the witness commitment; zero where there is none.
    pub witness_root: B256,
    /// Median time past, seconds.
    pub median_time: u64,
    /// Wei a witness byte.
    pub l1_rate: u128,
    /// Its forced messages in L1 order.
    pub forced: Vec<ForcedPart>,
}

/// A forced message of an origin.
#[derive(Debug, Clone, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub struct ForcedPart {
    /// SHA-256("forced" ‖ network ‖ wtxid).
    pub id: B256,
    /// Anything.
    pub payload: Bytes,
    /// Whether its Bitcoin transaction paid `forced_fee`.
    pub paid: bool,
}

impl OriginPart {
    /// Of an origin as the node has it.
    pub fn of(origin: &Origin) -> Self {
        let forced = origin.forced.iter().map(|message| ForcedPart {
            id: message.id,
            payload: message.payload.clone(),
            paid: message.paid,
        });
        Self {
            header: Bytes::copy_from_slice(&origin.header),
            witness_root: origin.witness_root,
            median_time: origin.median_time,
            l1_rate: origin.l1_rate,
            forced: forced.collect(),
        }
    }

    /// The origin at this height; None where its header has not 80 bytes.
    pub fn origin(&self, height: u64) -> Option<Origin> {
        let header: [u8; 80] = self.header.as_ref().try_into().ok()?;
        let forced = self.forced.iter().map(|part| Message {
            id: part.id,
            payload: part.payload.clone(),
            paid: part.paid,
            origin_height: height,
        });
        Some(Origin {
            height,
            hash: B256::new(Sha256::digest(Sha256::digest(header)).into()),
            header,
            witness_root: self.witness_root,
            median_time: self.median_time,
            l1_rate: self.l1_rate,
            forced: forced.collect(),
        })
    }
}

/// What is run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Job {
    /// A batch as it was posted.
    Batch(BatchPart),
    /// Automatic blocks for all origins given.
    Automatic,
}

/// A batch as it was posted.
#[derive(Debug, Clone, Default, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub struct BatchPart {
    /// The 118 bytes that the leader signs.
    pub header: Bytes,
    /// What the codec decodes.
    pub body: Bytes,
    /// Of the proven form, what its body leaves out: r ‖ s ‖ parity of each transaction and, after it, of each of its
    /// authorisations, in order. Empty in the signed form.
    pub signatures: Bytes,
}

/// All that the program reads.
#[derive(Debug, Clone)]
pub struct Input {
    /// Of the network.
    pub rules: Rules,
    /// Headers of the parent and of up to ten blocks before it, newest first.
    pub ancestors: Vec<Header>,
    /// Facts of the parent.
    pub tail: Tail,
    /// What is run.
    pub job: Job,
    /// Origins that it takes in, in order.
    pub origins: Vec<OriginPart>,
    /// The queue's chain before the first message that waits.
    pub waiting_acc: B256,
    /// Messages that wait at the parent.
    pub waiting: Vec<Message>,
    /// What it reads of the state.
    pub witness: Witness,
}

/// The form of [`Input`] in bytes.
#[derive(RlpEncodable, RlpDecodable)]
struct Wire {
    numbers: Vec<u64>,
    addresses: Vec<Address>,
    ancestors: Vec<Header>,
    tail: Tail,
    batch: Vec<BatchPart>,
    origins: Vec<OriginPart>,
    waiting_acc: B256,
    waiting: Vec<Message>,
    witness: Witness,
}

impl Input {
    /// Its bytes.
    pub fn encode(&self) -> Vec<u8> {
        let wire = Wire {
            numbers: self.rules.numbers().to_vec(),
            addresses: self.rules.addresses().to_vec(),
            ancestors: self.ancestors.clone(),
            tail: self.tail.clone(),
            batch: match &self.job {
                Job::Batch(part) => alloc::vec![part.clone()],
                Job::Automatic => Vec::new(),
            },
            origins: self.origins.clone(),
            waiting_acc: self.waiting_acc,
            waiting: self.waiting.clone(),
            witness: self.witness.clone(),
        };
        let mut out = Vec::with_capacity(wire.length() + 4);
        wire.encode(&mut out);
        out
    }

    /// Reads what [`Self::encode`] wrote.
    ///
    /// # Errors
    /// It is no input.
    pub fn decode(mut bytes: &[u8]) -> alloy_rlp::Result<Self> {
        let wire = Wire::decode(&mut bytes)?;
        if !bytes.is_empty() {
            return Err(alloy_rlp::Error::Custom("bytes follow the input"));
        }
        let rules = rules(&wire.numbers, &wire.addresses)
            .ok_or(alloy_rlp::Error::Custom("rules have other numbers"))?;
        let mut batch = wire.batch.into_iter();
        let job = batch.next().map_or(Job::Automatic, Job::Batch);
        if batch.next().is_some() {
            return Err(alloy_rlp::Error::Custom("more than one batch"));
        }
        Ok(Self {
            rules,
            ancestors: wire.ancestors,
            tail: wire.tail,
            job,
            origins: wire.origins,
            waiting_acc: wire.waiting_acc,
            waiting: wire.waiting,
            witness: wire.witness,
        })
    }
}

fn rules(numbers: &[u64], addresses: &[Address]) -> Option<Rules> {
    let &[network, chain_id, block_gas_limit, forced_gas_limit, forced_message_gas_limit, forced_gas_min, forced_size_max, max_origin_lag, second_blocks_max, lead, origin_blocks_max, automatic_blocks_max, transfer_bytes] =
        numbers
    else {
        return None;
    };
    let &[base_fee_vault, tip_vault, light_client, address_book] = addresses else {
        return None;
    };
    Some(Rules {
        chain_id,
        network: u8::try_from(network).ok()?,
        profile: Profile::Bedroll,
        block_gas_limit,
        forced_gas_limit,
        forced_message_gas_limit,
        forced_gas_min,
        forced_size_max: usize::try_from(forced_size_max).ok()?,
        max_origin_lag,
        second_blocks_max,
        timestamp_lead_max: (lead != u64::MAX).then_some(lead),
        origin_blocks_max,
        automatic_blocks_max,
        transfer_bytes,
        base_fee_vault,
        tip_vault,
        light_client,
        address_book,
    })
}
