//! The machine's own parts of the proved programs: keccak, signatures over secp256k1 and BN254 by its
//! instructions.
mod bn254;
mod curve;
mod field;
mod keccak;
mod memory;
mod provider;

pub use curve::verify_schnorr;
pub use provider::Precompiles;
