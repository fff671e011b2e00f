//! The hash chain over a run: BLAKE3 of one block, cut to 160 bits.
//!
//! Reads: what each step writes. Gives: H_i. Never: hashes more than one block, so the code below is the compression
//! function alone: the chain is serial, and nothing of a general library would be used.

/// Bytes of a hash.
pub const HASH_BYTES: usize = 20;

/// H_i as the five words that BLAKE3 gives, little-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hash(pub [u32; 5]);

const INITIAL: [u32; 8] = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];
const PERMUTATION: [usize; 16] = [2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8];
const ROUNDS: usize = 7;
/// First block, last block and root of the tree at once.
const FLAGS: u32 = 1 | 2 | 8;

const fn schedule() -> [[usize; 16]; ROUNDS] {
    let mut rounds = [[0; 16]; ROUNDS];
    let mut index = 0;
    while index < 16 {
        rounds[0][index] = index;
        index += 1;
    }
    let mut round = 1;
    while round < ROUNDS {
        index = 0;
        while index < 16 {
            rounds[round][index] = rounds[round - 1][PERMUTATION[index]];
            index += 1;
        }
        round += 1;
    }
    rounds
}

const SCHEDULE: [[usize; 16]; ROUNDS] = schedule();

/// First 20 bytes of BLAKE3 of one block of `length` bytes.
#[inline(always)]
fn compress(m: &[u32; 16], length: u32) -> Hash {
    let i = &INITIAL;
    let mut v = [
        i[0], i[1], i[2], i[3], i[4], i[5], i[6], i[7], i[0], i[1], i[2], i[3], 0, 0, length, FLAGS,
    ];
    macro_rules! quarter {
        ($a:expr, $b:expr, $c:expr, $d:expr, $x:expr, $y:expr) => {
            v[$a] = v[$a].wrapping_add($x).wrapping_add(v[$b]);
            v[$d] = (v[$d] ^ v[$a]).rotate_right(16);
            v[$c] = v[$c].wrapping_add(v[$d]);
            v[$b] = (v[$b] ^ v[$c]).rotate_right(12);
            v[$a] = v[$a].wrapping_add($y).wrapping_add(v[$b]);
            v[$d] = (v[$d] ^ v[$a]).rotate_right(8);
            v[$c] = v[$c].wrapping_add(v[$d]);
            v[$b] = (v[$b] ^ v[$c]).rotate_right(7);
        };
    }
    macro_rules! round {
        ($number:expr) => {{
            const S: [usize; 16] = SCHEDULE[$number];
            quarter!(0, 4, 8, 12, m[S[0]], m[S[1]]);
            quarter!(1, 5, 9, 13, m[S[2]], m[S[3]]);
            quarter!(2, 6, 10, 14, m[S[4]], m[S[5]]);
            quarter!(3, 7, 11, 15, m[S[6]], m[S[7]]);
            quarter!(0, 5, 10, 15, m[S[8]], m[S[9]]);
            quarter!(1, 6, 11, 12, m[S[10]], m[S[11]]);
            quarter!(2, 7, 8, 13, m[S[12]], m[S[13]]);
            quarter!(3, 4, 9, 14, m[S[14]], m[S[15]]);
        }};
    }
    round!(0);
    round!(1);
    round!(2);
    round!(3);
    round!(4);
    round!(5);
    round!(6);
    Hash([
        v[0] ^ v[8],
        v[1] ^ v[9],
        v[2] ^ v[10],
        v[3] ^ v[11],
        v[4] ^ v[12],
    ])
}

impl Hash {
    /// H_0 = BLAKE3(0x00 ‖ instance_id)[:20].
    #[must_use]
    pub fn initial(instance_id: &[u8; 32]) -> Self {
        let mut bytes = [0; 64];
        bytes[1..33].copy_from_slice(instance_id);
        let mut block = [0; 16];
        for (word, four) in block.iter_mut().zip(bytes.chunks_exact(4)) {
            *word = u32::from_le_bytes([four[0], four[1], four[2], four[3]]);
        }
        compress(&block, 33)
    }

    /// H_i = BLAKE3(0x01 ‖ H_{i−1} ‖ write_addr ‖ write_value ‖ write_pc)[:20], numbers big-endian.
    #[inline(always)]
    #[must_use]
    pub fn next(self, write_addr: u32, write_value: u32, write_pc: u32) -> Self {
        let h = self.0;
        let (a, v, p) = (
            write_addr.swap_bytes(),
            write_value.swap_bytes(),
            write_pc.swap_bytes(),
        );
        // The leading byte shifts every word by eight bits.
        let block = [
            1 | h[0] << 8,
            h[0] >> 24 | h[1] << 8,
            h[1] >> 24 | h[2] << 8,
            h[2] >> 24 | h[3] << 8,
            h[3] >> 24 | h[4] << 8,
            h[4] >> 24 | a << 8,
            a >> 24 | v << 8,
            v >> 24 | p << 8,
            p >> 24,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
        ];
        compress(&block, 33)
    }

    /// H after a run of writes: (write_addr, write_value, write_pc) of each step.
    ///
    /// A loop of its own, because how fast the compression is depends on what the compiler finds around it.
    #[inline(never)]
    #[must_use]
    pub fn after(mut self, writes: &[[u32; 3]]) -> Self {
        for &[addr, value, pc] in writes {
            self = self.next(addr, value, pc);
        }
        self
    }

    /// The 20 bytes.
    #[must_use]
    pub fn to_bytes(self) -> [u8; HASH_BYTES] {
        let mut bytes = [0; HASH_BYTES];
        for (four, word) in bytes.chunks_exact_mut(4).zip(self.0) {
            four.copy_from_slice(&word.to_le_bytes());
        }
        bytes
    }
}
