//! Many pages of files at once, past the system's page cache, by `io_uring`.
//!
//! For pages that are met at random places and held elsewhere the cache costs more than the disk: a page of it is found, filled,
//! mapped, met by a fault, and taken away again.
use super::segment::PAGE_BYTES;
use io_uring::{opcode, types, IoUring};
use memmap2::MmapMut;
use std::fs::File;
use std::os::fd::AsRawFd;

/// Reads on their way at a time.
const DEPTH: usize = 128;

/// A page of a file.
pub(super) struct Page<'a> {
    /// Opened with `O_DIRECT`.
    pub(super) file: &'a File,
    /// A multiple of [`PAGE_BYTES`].
    pub(super) offset: u64,
}

/// Reads pages. There is one only where the system has the means.
pub(super) struct Fetcher {
    ring: IoUring,
    /// For each read on its way one, that the system writes into.
    pages: MmapMut,
}

impl std::fmt::Debug for Fetcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Fetcher")
    }
}

impl Fetcher {
    /// None: the system has no rings, or none for us.
    pub(super) fn new() -> Option<Self> {
        let ring = IoUring::new(DEPTH as u32).ok()?;
        let pages = MmapMut::map_anon(DEPTH * PAGE_BYTES).ok()?;
        Some(Fetcher { ring, pages })
    }

    /// Reads pages and hands each over with its number, in any order; those that cannot be read are left out. False: the
    /// system does not take reads any more, and may still write into the pages: this must be leaked.
    pub(super) fn fetch(
        &mut self,
        wanted: &[Page<'_>],
        mut take: impl FnMut(usize, &[u8]),
    ) -> bool {
        let base = self.pages.as_mut_ptr();
        let page_of = |at: usize| base.wrapping_add(at * PAGE_BYTES);
        let mut free: Vec<usize> = (0..DEPTH).collect();
        let mut next = 0;
        // Pages are the system's until it gives them back: this ends with all of them free.
        while free.len() < DEPTH || next < wanted.len() {
            while let (Some(&at), Some(page)) = (free.last(), wanted.get(next)) {
                let read = opcode::Read::new(
                    types::Fd(page.file.as_raw_fd()),
                    page_of(at),
                    PAGE_BYTES as u32,
                );
                let read = read.offset(page.offset).build();
                let read = read.user_data((next * DEPTH + at) as u64);
                // SAFETY: the file is open, and the page this read's own, until it has ended.
                if unsafe { self.ring.submission().push(&read) }.is_err() {
                    break;
                }
                free.pop();
                next += 1;
            }
            let due = (DEPTH - free.len()).min(DEPTH / 2);
            if let Err(error) = self.ring.submit_and_wait(due) {
                if error.kind() != std::io::ErrorKind::Interrupted {
                    return false;
                }
            }
            for done in self.ring.completion() {
                let (number, at) = (
                    done.user_data() as usize / DEPTH,
                    done.user_data() as usize % DEPTH,
                );
                if done.result() == PAGE_BYTES as i32 {
                    // SAFETY: the read into this page has ended.
                    take(number, unsafe {
                        std::slice::from_raw_parts(page_of(at), PAGE_BYTES)
                    });
                }
                free.push(at);
            }
        }
        true
    }
}
