//! Objects: the messages of the protocol, each with one byte string for one meaning (docs/spec/da.md#objects).
//!
//! Reads: the body of an envelope or of a complete series. Gives: a typed object and its bytes.
//! Never: checks a signature, knows a key or a height.

use alloc::vec::Vec;

use sha2::{Digest, Sha256};

use crate::chunk::{path_length, root_of_path, tagged_hash, CHUNKS_MAX};
use crate::compact::{Invalid, Reader};

/// First byte of every object.
pub const OBJECT_VERSION: u8 = 1;
/// Bytes of one object, at most.
pub const OBJECT_SIZE_MAX: usize = 4 << 20;
/// L2 blocks of one batch, at most.
pub const BATCH_BLOCKS_MAX: u32 = 10_000;
/// Bytes of a batch's header.
pub const BATCH_HEADER_SIZE: usize = 118;

const KIND_BATCH: u8 = 1;
const KIND_COMMITMENT: u8 = 2;
const KIND_FORCED: u8 = 3;
const KIND_CHUNK: u8 = 4;
const KIND_PROOF: u8 = 5;
const KIND_ROTATE: u8 = 6;
const KIND_UPGRADE: u8 = 7;
const KIND_EXODUS: u8 = 8;

/// Bytes of the public values of a proof, at most.
pub const PUBLIC_VALUES_MAX: usize = 1024;
/// Bytes of a Groth16 proof: 4 of its key's SHA-256, exit code, root of recursion keys, nonce, two points of G1 and one of G2.
pub const GROTH16_PROOF_SIZE: usize = 4 + 3 * 32 + 256;
/// Bytes of a compressed proof, at most.
pub const COMPRESSED_PROOF_MAX: usize = 2 << 20;

/// 32 bytes of a hash or an x-only key.
pub type Bytes32 = [u8; 32];
/// A BIP-0340 signature.
pub type Signature = [u8; 64];

/// How a batch shows that its transactions were signed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum Form {
    /// The body holds the signatures.
    #[default]
    Signed = 0,
    /// A proof attests them.
    Proven = 1,
}

impl Form {
    /// The form of a number.
    ///
    /// # Errors
    /// There is none.
    pub const fn of(number: u8) -> Result<Self, Invalid> {
        match number {
            0 => Ok(Self::Signed),
            1 => Ok(Self::Proven),
            _ => Err(Invalid("unknown form of batch")),
        }
    }
}

/// What a leader says about a run of L2 blocks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchHeader {
    /// Number of the network.
    pub network: u8,
    /// Hash of the L2 block before the first.
    pub parent_l2_hash: Bytes32,
    /// L2 height of the first block.
    pub first_height: u64,
    /// L2 blocks, 1 to [`BATCH_BLOCKS_MAX`].
    pub block_count: u32,
    /// L1 height of the first block's origin.
    pub first_origin: u32,
    /// L1 height of the last block's origin.
    pub last_origin: u32,
    /// Hash of the last block.
    pub tip_l2_hash: Bytes32,
    /// SHA-256 of the body.
    pub body_hash: Bytes32,
    /// What the body leaves out.
    pub form: Form,
}

impl BatchHeader {
    /// The bytes that are signed, [`BATCH_HEADER_SIZE`] of them.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(BATCH_HEADER_SIZE);
        out.push(self.network);
        out.extend_from_slice(&self.parent_l2_hash);
        out.extend_from_slice(&self.first_height.to_le_bytes());
        out.extend_from_slice(&self.block_count.to_le_bytes());
        out.extend_from_slice(&self.first_origin.to_le_bytes());
        out.extend_from_slice(&self.last_origin.to_le_bytes());
        out.extend_from_slice(&self.tip_l2_hash);
        out.extend_from_slice(&self.body_hash);
        out.push(self.form as u8);
        out
    }

    /// What the leader signs.
    #[must_use]
    pub fn signing_hash(&self) -> Bytes32 {
        tagged_hash("bedroll/batch", &[&self.encode()])
    }

    /// Parse a header that stands alone.
    ///
    /// # Errors
    /// The first rule that the bytes break.
    pub fn decode(bytes: &[u8]) -> Result<Self, Invalid> {
        let mut reader = Reader::new(bytes);
        let header = Self::parse(&mut reader)?;
        reader.end()?;
        Ok(header)
    }

    fn parse(reader: &mut Reader<'_>) -> Result<Self, Invalid> {
        let mut header = Self {
            network: reader.u8()?,
            parent_l2_hash: reader.array()?,
            first_height: reader.u64()?,
            block_count: reader.u32()?,
            first_origin: reader.u32()?,
            last_origin: reader.u32()?,
            tip_l2_hash: reader.array()?,
            body_hash: reader.array()?,
            form: Form::Signed,
        };
        let form = reader.u8()?;
        header.check()?;
        header.form = Form::of(form)?;
        Ok(header)
    }

    /// Rules that need nothing but the header.
    ///
    /// # Errors
    /// The first one that it breaks.
    pub fn check(&self) -> Result<(), Invalid> {
        if self.block_count == 0 || self.block_count > BATCH_BLOCKS_MAX {
            return Err(Invalid("a batch has 1 to 10,000 blocks"));
        }
        let last_height = self.first_height.checked_add(u64::from(self.block_count));
        if self.first_height == 0 || last_height.is_none() {
            return Err(Invalid("first height is out of range"));
        }
        let steps = self.last_origin.checked_sub(self.first_origin);
        if steps.is_none_or(|steps| steps >= self.block_count) {
            return Err(Invalid("origins do not fit the count of blocks"));
        }
        Ok(())
    }
}

/// A protocol message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Object {
    /// A run of L2 blocks.
    Batch {
        /// What is signed.
        header: BatchHeader,
        /// x-only key of the signer.
        leader_key: Bytes32,
        /// Over [`BatchHeader::signing_hash`].
        signature: Signature,
        /// What the codec decodes.
        body: Vec<u8>,
    },
    /// A leader's promise of blocks.
    Commitment {
        /// L2 block before the first promised one.
        parent_tip: Bytes32,
        /// Last promised L2 block.
        new_tip: Bytes32,
        /// Promised blocks, at least 1.
        block_count: u32,
        /// L1 height of the last block's origin.
        last_origin: u32,
        /// A recent L1 block: the promise is void in a chain without it.
        anchor_hash: Bytes32,
        /// Over the tagged hash `bedroll/commitment` of the fields before.
        signature: Signature,
    },
    /// A message that derivation must include.
    Forced {
        /// Number of the network.
        network: u8,
        /// A raw signed L2 transaction.
        payload: Vec<u8>,
    },
    /// A part of an object that is larger than one envelope. Its path was checked.
    Chunk {
        /// Names the series.
        root: Bytes32,
        /// From 0.
        index: u8,
        /// 2 to 16.
        count: u8,
        /// Neighbours from the leaf up.
        path: Vec<Bytes32>,
        /// At least one.
        bytes: Vec<u8>,
    },
    /// A validity proof. Anyone may post one.
    Proof {
        /// What it is about: 1 a batch or an automatic range, 2 a settlement.
        statement: u8,
        /// By which system: 1 Groth16, 2 compressed.
        system: u8,
        /// What it says.
        public_values: Vec<u8>,
        /// What shows it.
        proof: Vec<u8>,
    },
    /// A new leader key, signed by the rotation key.
    Rotate {
        /// Number of the network.
        network: u8,
        /// Above the highest included one.
        n: u32,
        /// x-only key of the new leader.
        key: Bytes32,
        /// Over the tagged hash `bedroll/rotate` of the fields before.
        signature: Signature,
    },
    /// New rules from an L1 height on, signed by rotation key and upgrade key.
    Upgrade {
        /// Number of the network.
        network: u8,
        /// Above the highest included one.
        n: u32,
        /// SHA-256 of the document that states the rules.
        rules: Bytes32,
        /// First L1 height under the new rules.
        activation_height: u32,
        /// Of the rotation key, over the tagged hash `bedroll/upgrade` of the fields before.
        rotation_signature: Signature,
        /// Of the upgrade key, over the same.
        upgrade_signature: Signature,
    },
}

/// SHA-256 of an object: its name everywhere.
#[must_use]
pub fn object_id(object: &[u8]) -> Bytes32 {
    Sha256::digest(object).into()
}

/// Name of a forced message: `SHA-256("forced" ‖ network ‖ wtxid)`.
#[must_use]
pub fn forced_id(network: u8, wtxid: &Bytes32) -> Bytes32 {
    let mut engine = Sha256::new();
    engine.update(b"forced");
    engine.update([network]);
    engine.update(wtxid);
    engine.finalize().into()
}

/// Parse an object; what [`Object::encode`] gives for the result is the input.
///
/// # Errors
/// The first rule that the bytes break.
pub fn parse(object: &[u8]) -> Result<Object, Invalid> {
    if object.len() > OBJECT_SIZE_MAX {
        return Err(Invalid("object is above 4 MiB"));
    }
    let mut reader = Reader::new(object);
    if reader.u8()? != OBJECT_VERSION {
        return Err(Invalid("unknown version of object"));
    }
    let kind = reader.u8()?;
    let parsed = match kind {
        KIND_BATCH => batch(&mut reader)?,
        KIND_COMMITMENT => commitment(&mut reader)?,
        KIND_FORCED => Object::Forced {
            network: reader.u8()?,
            payload: reader.rest().to_vec(),
        },
        KIND_CHUNK => chunk(&mut reader)?,
        KIND_ROTATE => Object::Rotate {
            network: reader.u8()?,
            n: reader.u32()?,
            key: reader.array()?,
            signature: reader.array()?,
        },
        KIND_UPGRADE => Object::Upgrade {
            network: reader.u8()?,
            n: reader.u32()?,
            rules: reader.array()?,
            activation_height: reader.u32()?,
            rotation_signature: reader.array()?,
            upgrade_signature: reader.array()?,
        },
        KIND_PROOF => proof(&mut reader)?,
        KIND_EXODUS => return Err(Invalid("this kind of object is not valid yet")),
        _ => return Err(Invalid("unknown kind of object")),
    };
    reader.end()?;
    Ok(parsed)
}

fn batch(reader: &mut Reader<'_>) -> Result<Object, Invalid> {
    let header = BatchHeader::parse(reader)?;
    let leader_key = reader.array()?;
    let signature = reader.array()?;
    let body = reader.rest();
    if Bytes32::from(Sha256::digest(body)) != header.body_hash {
        return Err(Invalid("body does not hash to the header's body hash"));
    }
    Ok(Object::Batch {
        header,
        leader_key,
        signature,
        body: body.to_vec(),
    })
}

fn proof(reader: &mut Reader<'_>) -> Result<Object, Invalid> {
    let statement = reader.u8()?;
    if statement == 0 || statement > 2 {
        return Err(Invalid("unknown kind of statement"));
    }
    let system = reader.u8()?;
    let size = usize::from(u16::from_le_bytes(reader.array()?));
    if size == 0 || size > PUBLIC_VALUES_MAX {
        return Err(Invalid("public values have 1 to 1,024 bytes"));
    }
    let public_values = reader.take(size)?.to_vec();
    let proof = reader.rest();
    let fits = match system {
        1 => proof.len() == GROTH16_PROOF_SIZE,
        2 => !proof.is_empty() && proof.len() <= COMPRESSED_PROOF_MAX,
        _ => return Err(Invalid("unknown proof system")),
    };
    if !fits {
        return Err(Invalid("proof has another size than its system's"));
    }
    Ok(Object::Proof {
        statement,
        system,
        public_values,
        proof: proof.to_vec(),
    })
}

fn commitment(reader: &mut Reader<'_>) -> Result<Object, Invalid> {
    let parent_tip = reader.array()?;
    let new_tip = reader.array()?;
    let block_count = reader.u32()?;
    if block_count == 0 {
        return Err(Invalid("a commitment promises at least one block"));
    }
    Ok(Object::Commitment {
        parent_tip,
        new_tip,
        block_count,
        last_origin: reader.u32()?,
        anchor_hash: reader.array()?,
        signature: reader.array()?,
    })
}

fn chunk(reader: &mut Reader<'_>) -> Result<Object, Invalid> {
    let root: Bytes32 = reader.array()?;
    let index = reader.u8()?;
    let count = reader.u8()?;
    if count < 2 || usize::from(count) > CHUNKS_MAX {
        return Err(Invalid("a series has 2 to 16 chunks"));
    }
    if index >= count {
        return Err(Invalid("index is not below the count of chunks"));
    }
    let mut path = Vec::new();
    for _ in 0..path_length(usize::from(index), usize::from(count)) {
        path.push(reader.array()?);
    }
    let bytes = reader.rest();
    if bytes.is_empty() {
        return Err(Invalid("chunk is empty"));
    }
    if root_of_path(usize::from(index), usize::from(count), &path, bytes) != root {
        return Err(Invalid("chunk does not belong to its root"));
    }
    Ok(Object::Chunk {
        root,
        index,
        count,
        path,
        bytes: bytes.to_vec(),
    })
}

impl Object {
    /// Number of the kind.
    #[must_use]
    pub const fn kind(&self) -> u8 {
        match self {
            Self::Batch { .. } => KIND_BATCH,
            Self::Commitment { .. } => KIND_COMMITMENT,
            Self::Forced { .. } => KIND_FORCED,
            Self::Chunk { .. } => KIND_CHUNK,
            Self::Proof { .. } => KIND_PROOF,
            Self::Rotate { .. } => KIND_ROTATE,
            Self::Upgrade { .. } => KIND_UPGRADE,
        }
    }

    /// The bytes of the object.
    ///
    /// # Errors
    /// What [`parse`] would say about them: no object is written that would not be read.
    pub fn encode(&self) -> Result<Vec<u8>, Invalid> {
        let mut out = Vec::new();
        out.extend_from_slice(&[OBJECT_VERSION, self.kind()]);
        out.extend_from_slice(&self.signed_part());
        match self {
            Self::Batch {
                leader_key,
                signature,
                body,
                ..
            } => {
                out.extend_from_slice(leader_key);
                out.extend_from_slice(signature);
                out.extend_from_slice(body);
            }
            Self::Commitment { signature, .. } | Self::Rotate { signature, .. } => {
                out.extend_from_slice(signature);
            }
            Self::Upgrade {
                rotation_signature,
                upgrade_signature,
                ..
            } => {
                out.extend_from_slice(rotation_signature);
                out.extend_from_slice(upgrade_signature);
            }
            Self::Forced { .. } | Self::Chunk { .. } | Self::Proof { .. } => {}
        }
        parse(&out)?;
        Ok(out)
    }

    /// Hash that the object's signatures are over; `None` for kinds without.
    #[must_use]
    pub fn signing_hash(&self) -> Option<Bytes32> {
        let tag = match self {
            Self::Batch { .. } => "bedroll/batch",
            Self::Commitment { .. } => "bedroll/commitment",
            Self::Rotate { .. } => "bedroll/rotate",
            Self::Upgrade { .. } => "bedroll/upgrade",
            Self::Forced { .. } | Self::Chunk { .. } | Self::Proof { .. } => return None,
        };
        Some(tagged_hash(tag, &[&self.signed_part()]))
    }

    /// Fields before the signatures (all fields where there are none).
    fn signed_part(&self) -> Vec<u8> {
        let mut out = Vec::new();
        match self {
            Self::Batch { header, .. } => out = header.encode(),
            Self::Commitment {
                parent_tip,
                new_tip,
                block_count,
                last_origin,
                anchor_hash,
                ..
            } => {
                out.extend_from_slice(parent_tip);
                out.extend_from_slice(new_tip);
                out.extend_from_slice(&block_count.to_le_bytes());
                out.extend_from_slice(&last_origin.to_le_bytes());
                out.extend_from_slice(anchor_hash);
            }
            Self::Forced { network, payload } => {
                out.push(*network);
                out.extend_from_slice(payload);
            }
            Self::Chunk {
                root,
                index,
                count,
                path,
                bytes,
            } => {
                out.extend_from_slice(root);
                out.extend_from_slice(&[*index, *count]);
                for hash in path {
                    out.extend_from_slice(hash);
                }
                out.extend_from_slice(bytes);
            }
            Self::Proof {
                statement,
                system,
                public_values,
                proof,
            } => {
                // Longer ones do not parse.
                let size = public_values.len().min(usize::from(u16::MAX)) as u16;
                out.extend_from_slice(&[*statement, *system]);
                out.extend_from_slice(&size.to_le_bytes());
                out.extend_from_slice(public_values);
                out.extend_from_slice(proof);
            }
            Self::Rotate {
                network, n, key, ..
            } => {
                out.push(*network);
                out.extend_from_slice(&n.to_le_bytes());
                out.extend_from_slice(key);
            }
            Self::Upgrade {
                network,
                n,
                rules,
                activation_height,
                ..
            } => {
                out.push(*network);
                out.extend_from_slice(&n.to_le_bytes());
                out.extend_from_slice(rules);
                out.extend_from_slice(&activation_height.to_le_bytes());
            }
        }
        out
    }
}
