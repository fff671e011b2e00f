//! Keccak-256 of many messages, eight at a time where the processor has AVX-512.
//!
//! Eight states lie side by side in the lanes of 512-bit registers, so that one permutation serves eight messages. A
//! batch is of messages that take equally many blocks; a few that are left over are hashed one by one.
use alloc::vec::Vec;
use alloy_primitives::{keccak256, B256};

/// Hashes of all messages, in order.
pub fn hash_all(messages: &[&[u8]]) -> Vec<B256> {
    #[cfg(all(feature = "std", target_arch = "x86_64"))]
    if messages.len() >= lanes::WORTH && std::arch::is_x86_feature_detected!("avx512f") {
        return lanes::hash_all(messages);
    }
    messages.iter().map(keccak256).collect()
}

#[cfg(all(feature = "std", target_arch = "x86_64"))]
mod lanes {
    use super::{keccak256, Vec, B256};
    use core::arch::x86_64::{
        __m512i, _mm512_rolv_epi64, _mm512_set1_epi64, _mm512_set_epi64, _mm512_setzero_si512,
        _mm512_ternarylogic_epi64, _mm512_xor_si512,
    };

    pub(super) const LANES: usize = 8;
    /// Messages that cost as much one by one as eight at a time.
    pub(super) const WORTH: usize = 4;
    /// Bytes that a block takes in.
    const RATE: usize = 136;

    const ROUNDS: [u64; 24] = [
        0x0000_0000_0000_0001,
        0x0000_0000_0000_8082,
        0x8000_0000_0000_808a,
        0x8000_0000_8000_8000,
        0x0000_0000_0000_808b,
        0x0000_0000_8000_0001,
        0x8000_0000_8000_8081,
        0x8000_0000_0000_8009,
        0x0000_0000_0000_008a,
        0x0000_0000_0000_0088,
        0x0000_0000_8000_8009,
        0x0000_0000_8000_000a,
        0x0000_0000_8000_808b,
        0x8000_0000_0000_008b,
        0x8000_0000_0000_8089,
        0x8000_0000_0000_8003,
        0x8000_0000_0000_8002,
        0x8000_0000_0000_0080,
        0x0000_0000_0000_800a,
        0x8000_0000_8000_000a,
        0x8000_0000_8000_8081,
        0x8000_0000_0000_8080,
        0x0000_0000_8000_0001,
        0x8000_0000_8000_8008,
    ];
    /// Where each lane goes in ρ and π, and by how much it turns on the way.
    const TURNS: [(usize, i64); 24] = [
        (10, 1),
        (7, 3),
        (11, 6),
        (17, 10),
        (18, 15),
        (3, 21),
        (5, 28),
        (16, 36),
        (8, 45),
        (21, 55),
        (24, 2),
        (4, 14),
        (15, 27),
        (23, 41),
        (19, 56),
        (13, 8),
        (12, 25),
        (2, 43),
        (20, 62),
        (14, 18),
        (22, 39),
        (9, 61),
        (6, 20),
        (1, 44),
    ];
    /// Of three operands: their sum without carry.
    const XOR3: i32 = 0x96;
    /// a ⊕ (¬b ∧ c).
    const CHI: i32 = 0xd2;

    /// The caller has seen that the processor has AVX-512.
    pub(super) fn hash_all(messages: &[&[u8]]) -> Vec<B256> {
        let mut hashes = Vec::with_capacity(messages.len());
        hashes.resize(messages.len(), B256::ZERO);
        // By count of blocks: a batch runs as long as its longest message.
        let mut order: Vec<(u32, u32)> = (0u32..)
            .zip(messages)
            .map(|(at, message)| ((message.len() / RATE) as u32, at))
            .collect();
        order.sort_unstable();
        for equal in order.chunk_by(|one, next| one.0 == next.0) {
            for some in equal.chunks(LANES) {
                if some.len() < WORTH {
                    for (_, at) in some {
                        hashes[*at as usize] = keccak256(messages[*at as usize]);
                    }
                    continue;
                }
                // Lanes that are left over take the first message again.
                let of_lane = |lane: usize| messages[some.get(lane).unwrap_or(&some[0]).1 as usize];
                let of_eight = core::array::from_fn(of_lane);
                // SAFETY: the caller has seen that the processor has AVX-512.
                let found = unsafe { hash_eight(&of_eight, some[0].0 as usize) };
                for (hash, (_, at)) in found.iter().zip(some) {
                    hashes[*at as usize] = *hash;
                }
            }
        }
        hashes
    }

    /// Hashes eight messages of `full` whole blocks and a last one each.
    #[target_feature(enable = "avx512f")]
    fn hash_eight(messages: &[&[u8]; LANES], full: usize) -> [B256; LANES] {
        let mut state = [_mm512_setzero_si512(); 25];
        for block in 0..full {
            let part = |lane: usize| &messages[lane][block * RATE..(block + 1) * RATE];
            absorb(&mut state, core::array::from_fn(part));
        }
        let mut last = [[0u8; RATE]; LANES];
        for (padded, message) in last.iter_mut().zip(messages) {
            let rest = &message[full * RATE..];
            padded[..rest.len()].copy_from_slice(rest);
            padded[rest.len()] = 0x01;
            padded[RATE - 1] |= 0x80;
        }
        absorb(&mut state, core::array::from_fn(|lane| &last[lane][..]));
        let mut hashes = [B256::ZERO; LANES];
        for (word, lanes) in state[..4].iter().enumerate() {
            // SAFETY: both are 64 bytes, and every pattern of bits is eight numbers.
            let numbers: [u64; LANES] = unsafe { core::mem::transmute(*lanes) };
            for (hash, number) in hashes.iter_mut().zip(numbers) {
                hash[word * 8..word * 8 + 8].copy_from_slice(&number.to_le_bytes());
            }
        }
        hashes
    }

    /// Takes a block of each message in and permutes.
    #[target_feature(enable = "avx512f")]
    fn absorb(state: &mut [__m512i; 25], blocks: [&[u8]; LANES]) {
        for (word, lanes) in state[..RATE / 8].iter_mut().enumerate() {
            let number = |lane: usize| {
                let mut bytes = [0u8; 8];
                bytes.copy_from_slice(&blocks[lane][word * 8..word * 8 + 8]);
                i64::from_le_bytes(bytes)
            };
            let numbers = _mm512_set_epi64(
                number(7),
                number(6),
                number(5),
                number(4),
                number(3),
                number(2),
                number(1),
                number(0),
            );
            *lanes = _mm512_xor_si512(*lanes, numbers);
        }
        permute(state);
    }

    #[target_feature(enable = "avx512f")]
    fn permute(a: &mut [__m512i; 25]) {
        for round in ROUNDS {
            let mut sums = [_mm512_setzero_si512(); 5];
            for (x, sum) in sums.iter_mut().enumerate() {
                let three = _mm512_ternarylogic_epi64::<XOR3>(a[x], a[x + 5], a[x + 10]);
                *sum = _mm512_ternarylogic_epi64::<XOR3>(three, a[x + 15], a[x + 20]);
            }
            for x in 0..5 {
                let turned = _mm512_rolv_epi64(sums[(x + 1) % 5], _mm512_set1_epi64(1));
                for y in [0, 5, 10, 15, 20] {
                    let left = sums[(x + 4) % 5];
                    a[x + y] = _mm512_ternarylogic_epi64::<XOR3>(a[x + y], left, turned);
                }
            }
            let mut moved = a[1];
            for (place, turn) in TURNS {
                let next = a[place];
                a[place] = _mm512_rolv_epi64(moved, _mm512_set1_epi64(turn));
                moved = next;
            }
            for y in [0, 5, 10, 15, 20] {
                let row = [a[y], a[y + 1], a[y + 2], a[y + 3], a[y + 4]];
                for x in 0..5 {
                    let (next, after) = (row[(x + 1) % 5], row[(x + 2) % 5]);
                    a[y + x] = _mm512_ternarylogic_epi64::<CHI>(row[x], next, after);
                }
            }
            a[0] = _mm512_xor_si512(a[0], _mm512_set1_epi64(round as i64));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    #[test]
    fn hashes_of_many_are_those_of_each() {
        let mut messages: Vec<Vec<u8>> = Vec::new();
        for length in 0..700 {
            for copy in 0..(length % 11) {
                messages.push(vec![(length * 7 + copy) as u8; length]);
            }
        }
        let slices: Vec<&[u8]> = messages.iter().map(Vec::as_slice).collect();
        let wanted: Vec<B256> = slices.iter().map(keccak256).collect();
        for count in [0, 1, 7, 8, 9, 64, 100, slices.len()] {
            assert_eq!(hash_all(&slices[..count]), wanted[..count]);
        }
    }
}
