//! The machine's cryptography as revm calls it. What is not here runs as plain instructions.
use revm::precompile::{Crypto, PrecompileHalt};
use sha2::{Digest, Sha256};

use crate::bn254::{add, is_one, multiply};
use crate::curve::recover;
use crate::keccak::keccak256;

/// Precompiles of the machine.
#[derive(Debug)]
pub struct Precompiles;

impl Crypto for Precompiles {
    fn secp256k1_ecrecover(
        &self,
        signature: &[u8; 64],
        recovery_id: u8,
        message: &[u8; 32],
    ) -> Result<[u8; 32], PrecompileHalt> {
        let (mut r, mut s) = ([0; 32], [0; 32]);
        r.copy_from_slice(&signature[..32]);
        s.copy_from_slice(&signature[32..]);
        // An id above 1 would mean r + n, which no curve point of Ethereum's rules has.
        let key = (recovery_id < 2)
            .then(|| recover(message, &r, &s, recovery_id == 1))
            .flatten()
            .ok_or(PrecompileHalt::Secp256k1RecoverFailed)?;
        let mut word = [0; 32];
        word[12..].copy_from_slice(&keccak256(&key)[12..]);
        Ok(word)
    }

    fn bn254_g1_add(&self, one: &[u8], other: &[u8]) -> Result<[u8; 64], PrecompileHalt> {
        add(one, other)
    }

    fn bn254_g1_mul(&self, point: &[u8], scalar: &[u8]) -> Result<[u8; 64], PrecompileHalt> {
        multiply(point, scalar)
    }

    fn bn254_pairing_check(&self, pairs: &[(&[u8], &[u8])]) -> Result<bool, PrecompileHalt> {
        is_one(pairs)
    }

    fn sha256(&self, input: &[u8]) -> [u8; 32] {
        Sha256::digest(input).into()
    }
}
