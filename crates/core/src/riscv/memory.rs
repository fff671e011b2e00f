//! Memory of a run: the sections' words, dense, and who may touch them.
//!
//! Reads: a program, its input. Gives: indices of words by address. Never: lets a store reach what is not writable.

use alloc::vec;
use alloc::vec::Vec;

use super::elf::{refused, Kind, Program, Refused};

#[derive(Clone, Copy, Debug)]
struct Region {
    start: u32,
    size: u32,
    first: u32,
}

/// Words of all sections but the code, writable ones first.
#[derive(Clone, Debug)]
pub struct Memory {
    regions: Vec<Region>,
    /// Their values.
    pub words: Vec<u32>,
    writable: usize,
}

impl Memory {
    /// Memory before the first step.
    ///
    /// # Errors
    /// The input has another length than the program's input section.
    pub fn new(program: &Program, input: &[u8]) -> Result<Self, Refused> {
        if input.len() as u64 != u64::from(program.input_size()) {
            return Err(refused(
                "the input has another length than the program takes",
                input.len() as u64,
                program.input_size().into(),
            ));
        }
        let mut memory = Self {
            regions: Vec::new(),
            words: Vec::new(),
            writable: 0,
        };
        // Programs touch the stack most: its region is looked at first.
        for kind in [Kind::Stack, Kind::ReadWrite, Kind::ReadOnly, Kind::Input] {
            for section in program
                .sections
                .iter()
                .filter(|section| section.kind == kind)
            {
                memory.regions.push(Region {
                    start: section.start,
                    size: section.size,
                    first: memory.words.len() as u32,
                });
                let count = section.size as usize / 4;
                match (&section.content, kind) {
                    (Some(words), _) => memory.words.extend_from_slice(words),
                    (None, Kind::Input) => memory.words.extend(
                        input
                            .chunks_exact(4)
                            .map(|four| u32::from_le_bytes([four[0], four[1], four[2], four[3]])),
                    ),
                    (None, _) => memory.words.extend(vec![0; count]),
                }
            }
            if kind == Kind::ReadWrite {
                memory.writable = memory.words.len();
            }
        }
        Ok(memory)
    }

    /// Index of the word that holds an address, for a load.
    #[inline(always)]
    #[must_use]
    pub fn index(&self, address: u32) -> Option<usize> {
        for region in &self.regions {
            let offset = address.wrapping_sub(region.start);
            if offset < region.size {
                return Some((region.first + offset / 4) as usize);
            }
        }
        None
    }

    /// Index of the word that holds an address, for a store.
    #[inline(always)]
    #[must_use]
    pub fn writable_index(&self, address: u32) -> Option<usize> {
        self.index(address).filter(|index| *index < self.writable)
    }

    /// How many words are writable; they come first.
    #[must_use]
    pub const fn writable(&self) -> usize {
        self.writable
    }
}
