//! Who may speak (docs/spec/derivation.md, "Object source").
use alloy_primitives::B256;

use super::parameter::Parameters;
use super::run::Verifier;
use super::state::{KeyState, Rotation};
use crate::object::{Object, Signature};

impl KeyState {
    /// Begins an L1 block: rotations whose height has come take effect.
    ///
    /// # Errors
    /// An upgrade is active: its rules are another program's.
    pub fn open_block(&mut self, height: u64) -> Result<(), &'static str> {
        if self.upgrade_height <= height {
            return Err("an upgrade is active that this program does not know");
        }
        if let Some(newest) = self
            .rotations
            .iter()
            .rev()
            .find(|rotation| rotation.active_from <= height)
        {
            self.leader = newest.key;
        }
        self.rotations
            .retain(|rotation| rotation.active_from > height);
        Ok(())
    }

    /// Takes a `Rotate` or an `Upgrade` that counts; passes over any other object.
    pub fn take(
        &mut self,
        parameters: &Parameters,
        object: &Object,
        height: u64,
        verifier: &impl Verifier,
    ) {
        let signed = |key: &B256, signature: &Signature| {
            object
                .signing_hash()
                .is_some_and(|hash| verifier.schnorr(&key.0, &hash, signature))
        };
        match object {
            Object::Rotate {
                network,
                n,
                key,
                signature,
            } => {
                let counts = *network == parameters.network
                    && *n > self.rotation_number
                    && signed(&parameters.rotation_key, signature);
                if counts {
                    self.rotation_number = *n;
                    self.rotations.push(Rotation {
                        active_from: height + parameters.finality_depth,
                        key: B256::new(*key),
                    });
                }
            }
            Object::Upgrade {
                network,
                n,
                activation_height,
                rotation_signature,
                upgrade_signature,
                ..
            } => {
                let active_from = u64::from(*activation_height);
                let counts = *network == parameters.network
                    && *n > self.upgrade_number
                    && active_from >= height + parameters.upgrade_delay
                    && signed(&parameters.rotation_key, rotation_signature)
                    && signed(&parameters.upgrade_key, upgrade_signature);
                if counts {
                    self.upgrade_number = *n;
                    self.upgrade_height = self.upgrade_height.min(active_from);
                }
            }
            _ => {}
        }
    }
}
