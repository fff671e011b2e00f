//! Files that records are appended to, and read from where they lie.
//!
//! A record is never changed. It begins at a multiple of 16 bytes, and lies in one page of 4,096 if it is no longer: what
//! is on the disk is fetched a page at a time.
use super::kept::{Kept, Unit};
use crate::StoreError;
use memmap2::{Advice, Mmap};
use rustix::fs::{fadvise, OFlags};
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::ops::Deref;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

/// Bytes of a segment, written or not; what is not takes no disk.
const SEGMENT_BYTES: usize = 16 << 20;
const GRAIN_BYTES: usize = 16;
/// What the system fetches at a time.
pub(crate) const PAGE_BYTES: usize = 4_096;
/// Bytes that are gathered before they are written.
const BUFFER_BYTES: usize = 1 << 20;

/// Where a record lies: whether it is a branch in bit 63, its segment's number from bit 36 on, its offset in 16 bytes from
/// bit 16 on, its length below. 0: nowhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Place(u64);

impl Place {
    pub(super) const NOWHERE: Place = Place(0);
    pub(super) const LENGTH_MAX: usize = u16::MAX as usize;

    fn new(branch: bool, segment: u32, offset: usize, length: usize) -> Self {
        let branch = u64::from(branch) << 63;
        Place(
            branch
                | u64::from(segment) << 36
                | ((offset / GRAIN_BYTES) as u64) << 16
                | length as u64,
        )
    }

    pub(super) fn from_bytes(bytes: [u8; 8]) -> Self {
        Place(u64::from_be_bytes(bytes))
    }

    pub(super) fn to_bytes(self) -> [u8; 8] {
        self.0.to_be_bytes()
    }

    pub(super) fn is_branch(self) -> bool {
        self.0 >> 63 == 1
    }

    pub(super) fn segment(self) -> u32 {
        (self.0 >> 36) as u32 & 0x7ff_ffff
    }

    pub(crate) fn offset(self) -> usize {
        (self.0 >> 16 & 0xf_ffff) as usize * GRAIN_BYTES
    }

    fn length(self) -> usize {
        (self.0 & 0xffff) as usize
    }

    /// The page that a record lies in; None: it goes beyond.
    pub(super) fn page(self) -> Option<u64> {
        let within = self.offset() % PAGE_BYTES + self.length() <= PAGE_BYTES;
        within.then(|| (self.offset() / PAGE_BYTES * PAGE_BYTES) as u64)
    }

    /// The record in its page.
    pub(super) fn within(self, page: &[u8]) -> Option<&[u8]> {
        let start = self.offset() % PAGE_BYTES;
        page.get(start..start + self.length())
    }

    /// Bytes of the disk that a record takes.
    pub(super) fn weight(self) -> u64 {
        self.length().next_multiple_of(GRAIN_BYTES) as u64
    }
}

/// One file.
#[derive(Debug)]
pub(crate) struct Segment {
    pub(crate) file: File,
    map: Mmap,
    path: PathBuf,
    direct: OnceLock<Option<File>>,
}

impl Segment {
    fn open(path: &Path, new: bool) -> std::io::Result<Self> {
        let mut options = OpenOptions::new();
        options.read(true).write(true);
        let file = options.create(new).truncate(new).open(path)?;
        if new {
            file.set_len(SEGMENT_BYTES as u64)?;
        }
        let length = file.metadata()?.len();
        if length != SEGMENT_BYTES as u64 {
            let text = format!("it has {length} of {SEGMENT_BYTES} bytes");
            return Err(std::io::Error::new(std::io::ErrorKind::InvalidData, text));
        }
        // SAFETY: the folder's lock keeps other processes away, the file keeps its length, and bytes that a place points to
        // are never written again.
        let map = unsafe { Mmap::map(&file) }?;
        map.advise(Advice::Random)?;
        Ok(Segment {
            file,
            map,
            path: path.to_owned(),
            direct: OnceLock::new(),
        })
    }

    /// The same past the page cache; None: the file system reads through it only.
    pub(super) fn direct(&self) -> Option<&File> {
        let open = || {
            let flags = OFlags::DIRECT.bits() as i32;
            let file = OpenOptions::new()
                .read(true)
                .custom_flags(flags)
                .open(&self.path);
            file.ok()
        };
        self.direct.get_or_init(open).as_ref()
    }
}

/// A record where it lies, or a unit that is kept.
#[derive(Debug)]
pub(super) enum Record<'a> {
    Lying(&'a [u8]),
    Kept(Unit),
}

impl Deref for Record<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Record::Lying(bytes) => bytes,
            Record::Kept(unit) => unit,
        }
    }
}

/// The segments of one version, by their numbers, which begin at 1, and what is kept of all.
#[derive(Clone, Debug, Default)]
pub(crate) struct Segments {
    files: Arc<BTreeMap<u32, Arc<Segment>>>,
    pub(super) kept: Arc<Kept>,
}

impl Segments {
    /// Opens those up to `last`; later ones are of a commit that did not end.
    pub(super) fn open(folder: &Path, last: u32) -> Result<Self, StoreError> {
        let mut all = BTreeMap::new();
        let io = |path: &Path, error| StoreError::Io {
            path: path.to_owned(),
            error,
        };
        let entries = match std::fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Self::default())
            }
            Err(error) => return Err(io(folder, error)),
        };
        for entry in entries {
            let path = entry.map_err(|error| io(folder, error))?.path();
            let name = path.file_name().and_then(|name| name.to_str());
            let number = name.and_then(|name| u32::from_str_radix(name, 16).ok());
            match number {
                Some(number) if number <= last => {
                    let segment = Segment::open(&path, false).map_err(|error| io(&path, error))?;
                    all.insert(number, Arc::new(segment));
                }
                Some(_) => std::fs::remove_file(&path).map_err(|error| io(&path, error))?,
                None => {}
            }
        }
        Ok(Segments {
            files: Arc::new(all),
            kept: Arc::default(),
        })
    }

    pub(crate) fn of(&self, place: Place) -> Result<&Segment, StoreError> {
        let number = place.segment();
        let missing =
            || StoreError::Corrupt(format!("segment {number:08x} of the accounts is missing"));
        Ok(self.files.get(&number).ok_or_else(missing)?)
    }

    /// The record at a place.
    pub(super) fn read(&self, place: Place) -> Result<&[u8], StoreError> {
        let map = &self.of(place)?.map;
        let bytes = map.get(place.offset()..place.offset() + place.length());
        bytes.ok_or_else(|| {
            StoreError::Corrupt("a record of accounts ends outside its segment".into())
        })
    }

    /// Has the system fetch whole segments; does not wait for them.
    pub(super) fn expect(&self, numbers: &[u32]) {
        for segment in numbers.iter().filter_map(|number| self.files.get(number)) {
            // A system that takes no advice reads the pages when they are met.
            let _ = fadvise(&segment.file, 0, None, rustix::fs::Advice::WillNeed);
        }
    }

    pub(super) fn numbers(&self) -> impl Iterator<Item = u32> + '_ {
        self.files.keys().copied()
    }
}

/// End of what is written, and how many bytes of each segment are in use.
#[derive(Clone, Debug, Default)]
pub(super) struct Log {
    pub(super) segment: u32,
    pub(super) offset: usize,
    pub(super) live: BTreeMap<u32, u64>,
}

impl Log {
    pub(super) fn count(&mut self, place: Place) {
        *self.live.entry(place.segment()).or_default() += place.weight();
    }

    pub(super) fn free(&mut self, place: Place) {
        if let Some(live) = self.live.get_mut(&place.segment()) {
            *live = live.saturating_sub(place.weight());
        }
    }

    /// Segments to be freed of what is still in use in them, where there are more than two and a half times as many as are
    /// needed: those with the least in use first, as long as no more than about `budget` bytes are to be copied.
    pub(super) fn victims(&self, budget: u64) -> Vec<u32> {
        const SPARE_SEGMENTS: usize = 4;
        let live: u64 = self.live.values().sum();
        let wanted = 5 * live / (2 * SEGMENT_BYTES as u64);
        let surplus = self
            .live
            .len()
            .saturating_sub(wanted as usize + SPARE_SEGMENTS);
        let mut by_live: Vec<(u64, u32)> = (self.live.iter())
            .filter(|(number, _)| **number != self.segment)
            .map(|(number, live)| (*live, *number))
            .collect();
        by_live.sort_unstable();
        let mut copied = 0;
        let within = |(live, _): &&(u64, u32)| {
            let first = copied == 0;
            copied += live;
            first || copied <= budget
        };
        let chosen = by_live.iter().take(surplus).take_while(within);
        chosen.map(|(_, number)| *number).collect()
    }
}

/// Writes records at the end of the log. What is written counts when a transaction of LMDB says where the log ends.
pub(super) struct Appender<'a> {
    folder: &'a Path,
    sync: bool,
    pub(super) log: Log,
    segments: Segments,
    buffer: Vec<u8>,
    /// Where the buffer begins.
    from: usize,
}

impl<'a> Appender<'a> {
    pub(super) fn new(folder: &'a Path, sync: bool, log: Log, segments: Segments) -> Self {
        let from = log.offset;
        Appender {
            folder,
            sync,
            log,
            segments,
            buffer: Vec::new(),
            from,
        }
    }

    pub(super) fn append(&mut self, branch: bool, record: &[u8]) -> Result<Place, StoreError> {
        if record.len() > Place::LENGTH_MAX {
            let text = format!("a record of accounts with {} bytes", record.len());
            return Err(StoreError::Corrupt(text));
        }
        let mut offset = self.log.offset.next_multiple_of(GRAIN_BYTES);
        let page_end = offset.next_multiple_of(PAGE_BYTES);
        if record.len() <= PAGE_BYTES && offset != page_end && offset + record.len() > page_end {
            offset = page_end;
        }
        if self.log.segment == 0 || offset + record.len() > SEGMENT_BYTES {
            self.end_segment()?;
            offset = 0;
        }
        if self.buffer.len() >= BUFFER_BYTES {
            self.flush()?;
        }
        self.buffer.resize(offset - self.from, 0);
        self.buffer.extend_from_slice(record);
        self.log.offset = offset + record.len();
        let place = Place::new(branch, self.log.segment, offset, record.len());
        self.log.count(place);
        Ok(place)
    }

    fn path(&self, number: u32) -> PathBuf {
        self.folder.join(format!("{number:08x}"))
    }

    fn io<T>(&self, result: std::io::Result<T>) -> Result<T, StoreError> {
        result.map_err(|error| StoreError::Io {
            path: self.path(self.log.segment),
            error,
        })
    }

    fn flush(&mut self) -> Result<(), StoreError> {
        if let Some(segment) = self.segments.files.get(&self.log.segment) {
            self.io(segment.file.write_all_at(&self.buffer, self.from as u64))?;
        }
        self.from += self.buffer.len();
        self.buffer.clear();
        Ok(())
    }

    fn sync(&self) -> Result<(), StoreError> {
        match self.segments.files.get(&self.log.segment) {
            Some(segment) if self.sync => self.io(segment.file.sync_data()),
            _ => Ok(()),
        }
    }

    fn end_segment(&mut self) -> Result<(), StoreError> {
        self.flush()?;
        self.sync()?;
        self.log.segment += 1;
        self.from = 0;
        let path = self.path(self.log.segment);
        self.io(std::fs::create_dir_all(self.folder))?;
        let segment = self.io(Segment::open(&path, true))?;
        if self.sync {
            // A new file is durable when its folder's entry is.
            self.io(File::open(self.folder).and_then(|folder| folder.sync_all()))?;
        }
        let segments = Arc::make_mut(&mut self.segments.files);
        segments.insert(self.log.segment, Arc::new(segment));
        self.log.live.insert(self.log.segment, 0);
        Ok(())
    }

    /// All is on the disk. Gives also the numbers of segments in which nothing is in use any more.
    pub(super) fn finish(mut self) -> Result<(Log, Segments, Vec<u32>), StoreError> {
        self.flush()?;
        self.sync()?;
        let (tail, live) = (self.log.segment, &mut self.log.live);
        let unused = live
            .iter()
            .filter(|(number, live)| **live == 0 && **number != tail);
        let unused: Vec<u32> = unused.map(|(number, _)| *number).collect();
        for number in &unused {
            live.remove(number);
            Arc::make_mut(&mut self.segments.files).remove(number);
        }
        Ok((self.log, self.segments, unused))
    }
}
