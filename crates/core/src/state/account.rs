//! An account and a slot as the trie holds them and as the flat tables do.
use crate::trie::EMPTY_ROOT;
use alloc::vec::Vec;
use alloy_primitives::{B256, U256};
use alloy_rlp::{Decodable, Encodable, RlpDecodable, RlpEncodable};
use revm::{primitives::KECCAK_EMPTY, state::AccountInfo};

/// An account, with what the account trie holds of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub struct Account {
    /// Transactions sent, or 1 and contracts created by a contract.
    pub nonce: u64,
    /// In wei.
    pub balance: U256,
    /// Root of its storage trie.
    pub storage_root: B256,
    /// Keccak of its code.
    pub code_hash: B256,
}

impl Default for Account {
    fn default() -> Self {
        Account {
            nonce: 0,
            balance: U256::ZERO,
            storage_root: EMPTY_ROOT,
            code_hash: KECCAK_EMPTY,
        }
    }
}

/// In the flat form: a storage root, or a code hash, follows.
const HAS_STORAGE: u8 = 0x40;
const HAS_CODE: u8 = 0x80;

impl Account {
    /// The form in the account trie: RLP (Yellow Paper, 4.1).
    pub fn to_rlp(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.length());
        self.encode(&mut out);
        out
    }

    /// Reads the form in the account trie; None if it is not canonical.
    pub fn from_rlp(rlp: &[u8]) -> Option<Self> {
        let mut rest = rlp;
        let account = Account::decode(&mut rest).ok()?;
        rest.is_empty().then_some(account)
    }

    /// The form in flat tables: one byte (bit 7: code hash follows; bit 6: storage root follows; rest: bytes of the
    /// nonce), nonce, code hash, storage root, balance; numbers big-endian without leading zeros.
    pub fn to_flat(&self) -> Vec<u8> {
        let nonce = self.nonce.to_be_bytes();
        let nonce = trimmed(&nonce);
        let mut out = Vec::with_capacity(96);
        out.push(nonce.len() as u8);
        out.extend_from_slice(nonce);
        if self.code_hash != KECCAK_EMPTY {
            out[0] |= HAS_CODE;
            out.extend_from_slice(self.code_hash.as_slice());
        }
        if self.storage_root != EMPTY_ROOT {
            out[0] |= HAS_STORAGE;
            out.extend_from_slice(self.storage_root.as_slice());
        }
        out.extend_from_slice(trimmed(&self.balance.to_be_bytes::<32>()));
        out
    }

    /// Reads the form in flat tables; None if it is not one.
    pub fn from_flat(flat: &[u8]) -> Option<Self> {
        let (&first, mut rest) = flat.split_first()?;
        let mut take = |count: usize| -> Option<&[u8]> {
            let (taken, after) = rest.split_at_checked(count)?;
            rest = after;
            Some(taken)
        };
        let mut nonce = [0; 8];
        let bytes = usize::from(first & 0x3f);
        nonce
            .get_mut(8usize.checked_sub(bytes)?..)?
            .copy_from_slice(take(bytes)?);
        let mut account = Account {
            nonce: u64::from_be_bytes(nonce),
            ..Account::default()
        };
        if first & HAS_CODE != 0 {
            account.code_hash = B256::from_slice(take(32)?);
        }
        if first & HAS_STORAGE != 0 {
            account.storage_root = B256::from_slice(take(32)?);
        }
        account.balance = U256::try_from_be_slice(rest)?;
        Some(account)
    }

    /// As revm wants it; it asks for the code by its hash when it needs it.
    pub fn to_info(&self) -> AccountInfo {
        AccountInfo {
            nonce: self.nonce,
            balance: self.balance,
            code_hash: self.code_hash,
            ..AccountInfo::default()
        }
        .without_code()
    }
}

/// A slot's value as its storage trie holds it.
pub(super) fn slot_to_rlp(value: &U256) -> Vec<u8> {
    let mut out = Vec::with_capacity(33);
    value.encode(&mut out);
    out
}

/// Reads a slot's value as its storage trie holds it.
pub(super) fn slot_from_rlp(rlp: &[u8]) -> Option<U256> {
    let mut rest = rlp;
    let value = U256::decode(&mut rest).ok()?;
    rest.is_empty().then_some(value)
}

fn trimmed(bytes: &[u8]) -> &[u8] {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    &bytes[zeros..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_survive_both_stored_forms() {
        let hash = B256::repeat_byte(3);
        for nonce in [0, 1, 255, 256, u64::MAX] {
            for balance in [U256::ZERO, U256::from(1), U256::MAX] {
                for (storage_root, code_hash) in [
                    (EMPTY_ROOT, KECCAK_EMPTY),
                    (hash, KECCAK_EMPTY),
                    (EMPTY_ROOT, hash),
                    (hash, hash),
                ] {
                    let account = Account {
                        nonce,
                        balance,
                        storage_root,
                        code_hash,
                    };
                    assert_eq!(Account::from_rlp(&account.to_rlp()), Some(account));
                    assert_eq!(Account::from_flat(&account.to_flat()), Some(account));
                    let flat = account.to_flat();
                    assert_eq!(Account::from_flat(&flat[..0]), None);
                    for at in 0..flat.len() {
                        // A cut form may be another account's; it never panics.
                        let _ = Account::from_flat(&flat[..at]);
                    }
                }
            }
        }
        assert_eq!(Account::from_flat(&[9, 1, 1, 1, 1, 1, 1, 1, 1, 1]), None);
        assert_eq!(Account::from_flat(&[0; 34]), None);
    }
}
