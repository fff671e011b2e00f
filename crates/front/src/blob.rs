//! Transactions with blobs as wallets hand them in, the blobs beside them (EIP-4844, EIP-7594).
//!
//! Network form: `0x03 ‖ rlp([transaction, blobs, commitments, proofs])`, from Osaka on `0x03 ‖ rlp([transaction, 1,
//! blobs, commitments, cell proofs])`. Every length follows from how many hashes the transaction names, so it is
//! compared before anything is copied; proofs are looked at last, since nothing costs as much.
use std::fmt;

use alloy_consensus::Transaction as _;
use alloy_primitives::B256;
use alloy_rlp::Header;
use bedroll_core::transaction::{decode_ethereum, Transaction, TransactionError};
use bedroll_store::engine::BlobRule;
use c_kzg::{Blob, Bytes48, BYTES_PER_BLOB, BYTES_PER_COMMITMENT, CELLS_PER_EXT_BLOB};
use sha2::{Digest, Sha256};

use crate::refusal::Refusal;

/// EIP-2718 type.
pub const BLOB_TYPE: u8 = 3;
/// The only version that the network form has beside the first, which names none.
const CELL_PROOFS_VERSION: u8 = 1;
/// First byte of a hash that stands for a KZG commitment.
const HASH_VERSION: u8 = 1;
/// From here on a byte begins a list.
const LIST: u8 = 0xc0;
/// Bytes of the header before a blob, and before a commitment or proof, in RLP.
const BLOB_HEADER: usize = 4;
const POINT_HEADER: usize = 1;

/// What stands beside a transaction with blobs until it is in a block.
pub struct Sidecar {
    has_cell_proofs: bool,
    blobs: Vec<Blob>,
    commitments: Vec<Bytes48>,
    proofs: Vec<Bytes48>,
}

impl fmt::Debug for Sidecar {
    /// Without the bytes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (blobs, proofs) = (self.blobs.len(), self.proofs.len());
        write!(f, "Sidecar of {blobs} blobs and {proofs} proofs")
    }
}

impl Sidecar {
    /// Bytes that it holds.
    pub fn size_bytes(&self) -> usize {
        let points = self.commitments.len() + self.proofs.len();
        self.blobs.len() * BYTES_PER_BLOB + points * BYTES_PER_COMMITMENT
    }

    /// The blobs, in the order of the hashes that the transaction names.
    pub fn blobs(&self) -> impl Iterator<Item = &[u8]> {
        self.blobs.iter().map(|blob| &blob[..])
    }

    /// Of each blob its commitment.
    pub fn commitments(&self) -> impl Iterator<Item = &[u8]> {
        self.commitments.iter().map(|point| &point[..])
    }

    /// Of each blob its proof, or from Osaka on those of its 128 cells.
    pub fn proofs(&self) -> impl Iterator<Item = &[u8]> {
        self.proofs.iter().map(|point| &point[..])
    }

    /// Looks whether the blobs are what the commitments say. A blob costs milliseconds: ask nothing of it under a lock.
    ///
    /// # Errors
    /// A blob, a commitment or a proof is none, or they do not belong together.
    pub fn verify(&self) -> Result<(), Refusal> {
        let verified = match self.has_cell_proofs {
            true => self.verify_cells(),
            false => c_kzg::ethereum_kzg_settings(0).verify_blob_kzg_proof_batch(
                &self.blobs,
                &self.commitments,
                &self.proofs,
            ),
        };
        match verified {
            Ok(true) => Ok(()),
            Ok(false) => Err(Refusal::new(
                "KZG verification error: the proofs do not fit",
            )),
            Err(error) => {
                let text = format!("KZG verification error: {error:?}");
                Err(Refusal::new(text))
            }
        }
    }

    fn verify_cells(&self) -> Result<bool, c_kzg::Error> {
        let settings = c_kzg::ethereum_kzg_settings(0);
        let count = self.blobs.len() * CELLS_PER_EXT_BLOB;
        let mut cells = Vec::with_capacity(count);
        let mut commitments = Vec::with_capacity(count);
        for (blob, commitment) in self.blobs.iter().zip(&self.commitments) {
            cells.extend_from_slice(&settings.compute_cells(blob)?[..]);
            commitments.extend([*commitment; CELLS_PER_EXT_BLOB]);
        }
        let places: Vec<u64> = (0..CELLS_PER_EXT_BLOB as u64).collect();
        let places = places.repeat(self.blobs.len());
        settings.verify_cell_kzg_proof_batch(&commitments, &places, &cells, &self.proofs)
    }
}

/// Reads the network form of a transaction with blobs; the proofs are left to [`Sidecar::verify`].
///
/// # Errors
/// It is not in that form, is larger than `transaction_bytes` without its blobs, or breaks a rule of its fork.
pub fn read_blobs(
    raw: &[u8],
    rule: &BlobRule,
    transaction_bytes: usize,
) -> Result<(Transaction, Sidecar), Refusal> {
    let form = Form::split(raw)?;
    let (size, limit) = (1 + form.transaction.len(), transaction_bytes);
    if size > limit {
        return Err(Refusal::new(format!(
            "oversized data: transaction size {size}, limit {limit}"
        )));
    }
    let transaction = decode_ethereum(&[&[BLOB_TYPE], form.transaction].concat());
    let transaction = transaction.map_err(|error| match error {
        TransactionError::Encoding => malformed("its transaction is not canonical"),
        other => Refusal::new(other.to_string()),
    })?;
    let fields = transaction.envelope();
    let hashes = fields.and_then(|tx| tx.blob_versioned_hashes());
    let hashes = hashes.unwrap_or_default();
    check_rule(&form, hashes, transaction_gas(&transaction), rule)?;
    let sidecar = form.sidecar(hashes.len())?;
    for (place, (wanted, commitment)) in hashes.iter().zip(&sidecar.commitments).enumerate() {
        let computed = versioned_hash(commitment);
        if computed != *wanted {
            return Err(Refusal::new(format!(
                "blob {place}: computed hash {computed} mismatches transaction one {wanted}"
            )));
        }
    }
    Ok((transaction, sidecar))
}

/// What a transaction names a commitment by.
fn versioned_hash(commitment: &Bytes48) -> B256 {
    let mut hash = B256::new(Sha256::digest(&commitment[..]).into());
    hash[0] = HASH_VERSION;
    hash
}

fn transaction_gas(transaction: &Transaction) -> u64 {
    transaction.envelope().map_or(0, |tx| tx.gas_limit())
}

fn check_rule(form: &Form, hashes: &[B256], gas: u64, rule: &BlobRule) -> Result<(), Refusal> {
    let (count, most) = (hashes.len(), rule.blobs_max);
    if count == 0 {
        return Err(Refusal::new("blobless blob transaction"));
    }
    if count as u64 > most {
        return Err(Refusal::new(format!(
            "transaction blob limit exceeded: blob count {count}, limit {most}"
        )));
    }
    if form.has_cell_proofs != rule.has_cell_proofs {
        let (want, got) = (
            u8::from(rule.has_cell_proofs),
            u8::from(form.has_cell_proofs),
        );
        return Err(Refusal::new(format!(
            "unexpected sidecar version, want: {want}, got: {got}"
        )));
    }
    if gas > rule.gas_max {
        return Err(Refusal::new(format!(
            "transaction gas limit too high (cap: {}, tx: {gas})",
            rule.gas_max
        )));
    }
    Ok(())
}

/// The network form in its parts, each still RLP.
struct Form<'a> {
    /// The signed fields as a list, header and all.
    transaction: &'a [u8],
    has_cell_proofs: bool,
    blobs: &'a [u8],
    commitments: &'a [u8],
    proofs: &'a [u8],
}

impl<'a> Form<'a> {
    fn split(raw: &'a [u8]) -> Result<Self, Refusal> {
        let Some((&BLOB_TYPE, mut rest)) = raw.split_first() else {
            return Err(malformed("it is not of type 3"));
        };
        let mut items = list(&mut rest)?;
        if !rest.is_empty() {
            return Err(malformed(&format!("{} bytes follow it", rest.len())));
        }
        if items.first().is_some_and(|first| *first < LIST) {
            return Err(Refusal::new("missing sidecar in blob transaction"));
        }
        let whole = items;
        list(&mut items)?;
        let transaction = &whole[..whole.len() - items.len()];
        let has_cell_proofs = items.first().is_some_and(|first| *first < LIST);
        if has_cell_proofs {
            let version = Header::decode_bytes(&mut items, false).map_err(rlp)?;
            if version != [CELL_PROOFS_VERSION] {
                let text = format!(
                    "its version is 0x{}",
                    alloy_primitives::hex::encode(version)
                );
                return Err(malformed(&format!("{text:.40}")));
            }
        }
        let (blobs, commitments, proofs) =
            (list(&mut items)?, list(&mut items)?, list(&mut items)?);
        if !items.is_empty() {
            return Err(malformed("it has more lists than three beside"));
        }
        Ok(Self {
            transaction,
            has_cell_proofs,
            blobs,
            commitments,
            proofs,
        })
    }

    /// Copies what stands beside a transaction that names so many hashes.
    fn sidecar(&self, count: usize) -> Result<Sidecar, Refusal> {
        let proofs = match self.has_cell_proofs {
            true => count * CELLS_PER_EXT_BLOB,
            false => count,
        };
        let blob = |bytes: &[u8]| Blob::from_bytes(bytes).ok();
        let point = |bytes: &[u8]| Bytes48::from_bytes(bytes).ok();
        let blob_bytes = BLOB_HEADER + BYTES_PER_BLOB;
        let point_bytes = POINT_HEADER + BYTES_PER_COMMITMENT;
        // All are compared before any is copied.
        fits(self.blobs, count, blob_bytes, "blobs")?;
        fits(self.commitments, count, point_bytes, "commitments")?;
        fits(self.proofs, proofs, point_bytes, "proofs")?;
        Ok(Sidecar {
            has_cell_proofs: self.has_cell_proofs,
            blobs: strings(self.blobs, count, blob)?,
            commitments: strings(self.commitments, count, point)?,
            proofs: strings(self.proofs, proofs, point)?,
        })
    }
}

fn malformed(why: &str) -> Refusal {
    Refusal::new(format!(
        "not a blob transaction with its blobs beside it: {why}"
    ))
}

fn rlp(error: alloy_rlp::Error) -> Refusal {
    malformed(&error.to_string())
}

fn list<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], Refusal> {
    Header::decode_bytes(rest, true).map_err(rlp)
}

/// Whether a list's payload has room for so many strings of one length, and for nothing else.
fn fits(payload: &[u8], count: usize, each: usize, what: &str) -> Result<(), Refusal> {
    if payload.len() == count * each {
        return Ok(());
    }
    let (is, wanted) = (payload.len(), count * each);
    let text = format!("{is} bytes of {what}, where {count} have {wanted}");
    Err(malformed(&text))
}

/// Strings of one length each.
fn strings<T>(
    mut payload: &[u8],
    count: usize,
    of: impl Fn(&[u8]) -> Option<T>,
) -> Result<Vec<T>, Refusal> {
    let mut found = Vec::with_capacity(count);
    while !payload.is_empty() {
        let bytes = Header::decode_bytes(&mut payload, false).map_err(rlp)?;
        let Some(one) = of(bytes) else {
            return Err(malformed(&format!("a string of {} bytes", bytes.len())));
        };
        found.push(one);
    }
    Ok(found)
}
