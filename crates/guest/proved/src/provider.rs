//! The machine's cryptography as revm calls it. What is not here runs as plain instructions.
use revm::precompile::{Crypto, PrecompileHalt};

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
}
