//! SHA-256 (FIPS 180-4) for the proved programs, by the machine's instructions for one block.
//!
//! It stands in the place of the crate `sha2` 0.10, so that all that is proved hashes alike: the rules, the EVM, the
//! proof system's own parts (docs/design/proving.md says what that costs).
#![no_std]

pub use digest::{self, Digest};

use core::slice::from_ref;

use digest::block_buffer::Eager;
use digest::core_api::{
    AlgorithmName, Block, BlockSizeUser, Buffer, BufferKindUser, CoreWrapper, FixedOutputCore,
    OutputSizeUser, Reset, UpdateCore,
};
use digest::typenum::{U32, U64};
use digest::{HashMarker, Output};

extern "C" {
    /// Words 16 to 63 of a block's schedule from the first 16.
    fn syscall_sha256_extend(schedule: *mut [u64; 64]);
    /// Takes a block's schedule into the state.
    fn syscall_sha256_compress(schedule: *mut [u64; 64], state: *mut [u64; 8]);
}

/// First 32 bits of the fractional parts of the square roots of the first eight primes.
const START: [u64; 8] = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];

/// A message's digest under construction.
pub type Sha256 = CoreWrapper<Core>;

/// What whole blocks have come to; each word of 32 bits in one of the machine's.
#[derive(Clone)]
pub struct Core {
    state: [u64; 8],
    blocks: u64,
}

fn compress(state: &mut [u64; 8], blocks: &[Block<Core>]) {
    let mut schedule = [0; 64];
    for block in blocks {
        for (word, bytes) in schedule.iter_mut().zip(block.as_chunks::<4>().0) {
            *word = u32::from_be_bytes(*bytes).into();
        }
        // SAFETY: both are whole words of the machine, and nobody else's meanwhile.
        unsafe {
            syscall_sha256_extend(&raw mut schedule);
            syscall_sha256_compress(&raw mut schedule, state);
        }
    }
}

impl Default for Core {
    fn default() -> Self {
        Self {
            state: START,
            blocks: 0,
        }
    }
}

impl UpdateCore for Core {
    fn update_blocks(&mut self, blocks: &[Block<Self>]) {
        self.blocks += blocks.len() as u64;
        compress(&mut self.state, blocks);
    }
}

impl FixedOutputCore for Core {
    fn finalize_fixed_core(&mut self, buffer: &mut Buffer<Self>, out: &mut Output<Self>) {
        let bits = 8 * (buffer.get_pos() as u64 + 64 * self.blocks);
        buffer.len64_padding_be(bits, |block| compress(&mut self.state, from_ref(block)));
        for (bytes, word) in out.chunks_exact_mut(4).zip(self.state) {
            bytes.copy_from_slice(&(word as u32).to_be_bytes());
        }
    }
}

impl BlockSizeUser for Core {
    type BlockSize = U64;
}

impl BufferKindUser for Core {
    type BufferKind = Eager;
}

impl OutputSizeUser for Core {
    type OutputSize = U32;
}

impl HashMarker for Core {}

impl Reset for Core {
    fn reset(&mut self) {
        *self = Self::default();
    }
}

impl AlgorithmName for Core {
    fn write_alg_name(name: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        name.write_str("Sha256")
    }
}
