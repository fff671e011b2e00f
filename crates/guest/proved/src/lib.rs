//! The machine's own parts of the proved programs: keccak and signatures over secp256k1 by its precompiles.
mod curve;
mod field;
mod keccak;
mod memory;
mod provider;

pub use curve::verify_schnorr;
pub use provider::Precompiles;
