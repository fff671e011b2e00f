//! Roots of ordered lists: transactions and receipts of a block.
use alloc::vec::Vec;
use alloy_primitives::B256;

/// Root of the trie that maps RLP(index) to each item, which `encode` writes.
pub fn ordered_root<T>(items: &[T], encode: impl FnMut(&T, &mut Vec<u8>)) -> B256 {
    #[cfg(feature = "std")]
    return super::ordered::root(items, encode);
    // A proved program has an instruction for keccak and one lane.
    #[cfg(not(feature = "std"))]
    alloy_trie::root::ordered_trie_root_with_encoder(items, encode)
}

/// Root of the trie that maps RLP(index) to each item.
pub fn ordered_root_encoded<T: AsRef<[u8]>>(items: &[T]) -> B256 {
    ordered_root(items, |item, out| out.extend_from_slice(item.as_ref()))
}
