//! The program upon this machine, for whoever makes an input or checks one.
use alloc::vec::Vec;

use alloy_primitives::B256;
use secp256k1::{schnorr::Signature, XOnlyPublicKey, SECP256K1};

use super::run::{Posted, Verifier};

/// Takes for proved what its maker verified.
#[derive(Debug, Clone, Default)]
pub struct Proved {
    /// (verification key, statement)
    pub statements: Vec<(B256, Vec<u8>)>,
    /// (verification key, statement, posted proof)
    pub shown: Vec<(B256, Vec<u8>, Vec<u8>)>,
}

impl Verifier for Proved {
    fn schnorr(&self, key: &[u8; 32], message: &[u8; 32], signature: &[u8; 64]) -> bool {
        let signature = Signature::from_byte_array(*signature);
        XOnlyPublicKey::from_byte_array(*key)
            .is_ok_and(|key| SECP256K1.verify_schnorr(&signature, message, &key).is_ok())
    }

    fn is_proved(&mut self, key: &B256, statement: &[u8]) -> bool {
        self.statements
            .iter()
            .any(|(known, said)| known == key && said == statement)
    }

    fn is_shown(&mut self, posted: &Posted<'_>) -> bool {
        let mut known = self.shown.iter();
        known.any(|(key, said, proof)| {
            key == posted.key && said == posted.statement && proof == posted.proof
        })
    }
}
