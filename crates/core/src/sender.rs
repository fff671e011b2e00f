//! Who signed: recovery of senders and of EIP-7702 authorities.
//!
//! One path for node and guest: revm's provider, which is libsecp256k1 where it is linked and pure Rust elsewhere.
use alloy_eips::eip7702::SignedAuthorization;
use alloy_primitives::{Address, Signature, B256, U256};

/// Half the order of secp256k1 (EIP-2): the largest `s` of a canonical signature.
const HALF_ORDER: U256 = U256::from_be_bytes([
    0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0x5d, 0x57, 0x6e, 0x73, 0x57, 0xa4, 0x50, 0x1d, 0xdf, 0xe9, 0x2f, 0x46, 0x68, 0x1b, 0x20, 0xa0,
]);

/// Recovers the address behind a signature over `hash`; None where `s` is high or nobody signed so.
pub fn recover(hash: B256, signature: &Signature) -> Option<Address> {
    if signature.s() > HALF_ORDER {
        return None;
    }
    let mut bytes = [0u8; 64];
    bytes[..32].copy_from_slice(&signature.r().to_be_bytes::<32>());
    bytes[32..].copy_from_slice(&signature.s().to_be_bytes::<32>());
    let word = revm::precompile::interface::crypto()
        .secp256k1_ecrecover(&bytes, signature.v() as u8, &hash.0)
        .ok()?;
    Some(Address::from_slice(&word[12..]))
}

/// Recovers the authority of an EIP-7702 authorisation; None where its signature is invalid.
pub fn recover_authority(authorization: &SignedAuthorization) -> Option<Address> {
    let signature = authorization.signature().ok()?;
    recover(authorization.inner().signature_hash(), &signature)
}

/// Recovers the addresses behind many signatures, each as [`recover`] does; eight at a time where the processor can.
#[cfg(feature = "std")]
pub fn recover_all(signed: &[(B256, Signature)]) -> alloc::vec::Vec<Option<Address>> {
    use alloc::vec::Vec;

    let given = signed.iter().map(|(hash, own)| bedroll_recover::Signature {
        hash: hash.0,
        r: own.r().to_be_bytes(),
        s: own.s().to_be_bytes(),
        recovery: u8::from(own.v()),
    });
    let keys = bedroll_recover::recover(&given.collect::<Vec<_>>());
    let found: Vec<&[u8]> = keys.iter().flatten().map(|key| &key[..]).collect();
    let mut words = crate::trie::hash_all(&found).into_iter();
    let address = |(key, (hash, own)): (&Option<_>, &(B256, Signature))| match key
        .and_then(|_| words.next())
    {
        Some(word) => (own.s() <= HALF_ORDER).then(|| Address::from_slice(&word[12..])),
        None => recover(*hash, own),
    };
    keys.iter().zip(signed).map(address).collect()
}
