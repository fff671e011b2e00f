//! Keccak-256 by the machine's permutation, behind the symbol that alloy calls.
use sp1_zkvm::syscalls::syscall_keccak_permute;

/// Bytes that one permutation takes in.
const RATE: usize = 136;
const RATE_WORDS: usize = RATE / 8;

/// A block where the machine reads whole words: it has no loads that cross them.
#[repr(align(8))]
struct Block([u8; RATE]);

impl Block {
    /// The bytes where they stand, if they stand at whole words.
    fn at(bytes: &[u8; RATE]) -> Option<&Self> {
        let place = core::ptr::from_ref(bytes).cast::<Self>();
        // SAFETY: a block is these bytes and an alignment, which is looked at before.
        place.is_aligned().then(|| unsafe { &*place })
    }
}

fn absorb(state: &mut [u64; 25], block: &Block) {
    for (word, bytes) in state.iter_mut().zip(block.0.as_chunks::<8>().0) {
        *word ^= u64::from_le_bytes(*bytes);
    }
    syscall_keccak_permute(state);
}

/// Keccak-256 with Ethereum's padding.
pub fn keccak256(bytes: &[u8]) -> [u8; 32] {
    let mut state = [0u64; 25];
    let (blocks, rest) = bytes.as_chunks::<RATE>();
    for block in blocks {
        match Block::at(block) {
            Some(block) => absorb(&mut state, block),
            None => absorb(&mut state, &Block(*block)),
        }
    }
    let mut last = Block([0; RATE]);
    last.0[..rest.len()].copy_from_slice(rest);
    last.0[rest.len()] = 0x01;
    last.0[RATE - 1] |= 0x80;
    absorb(&mut state, &last);
    let mut digest = [0; 32];
    for (bytes, word) in digest.chunks_exact_mut(8).zip(&state[..RATE_WORDS]) {
        bytes.copy_from_slice(&word.to_le_bytes());
    }
    digest
}

/// What `alloy-primitives` calls under its feature `native-keccak`.
///
/// # Safety
/// `bytes` is readable for `len` bytes, `output` writable for 32.
#[no_mangle]
pub unsafe extern "C" fn native_keccak256(bytes: *const u8, len: usize, output: *mut u8) {
    // SAFETY: the caller's promise; an empty slice may come with any pointer.
    let input = if len == 0 {
        &[]
    } else {
        unsafe { core::slice::from_raw_parts(bytes, len) }
    };
    // SAFETY: the caller's promise.
    unsafe { core::ptr::copy_nonoverlapping(keccak256(input).as_ptr(), output, 32) };
}
