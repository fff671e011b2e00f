//! Programs from ELF files: 32-bit, little-endian, linked, for RISC-V.
//!
//! Reads: a file from anyone. Gives: its sections and entry point, or the rule that it breaks.
//! Never: trusts a length, takes memory before checking how much.

use alloc::string::String;
use alloc::vec::Vec;

/// Longest file taken.
pub const FILE_BYTES_MAX: usize = 1 << 24;
/// Memory that all sections may take together, code included.
pub const MEMORY_BYTES_MAX: u64 = 1 << 24;
/// Sections that take memory, at most.
pub const SECTIONS_MAX: usize = 32;
/// Address of x0; x1 … x31 follow. Sections end before it, so no load or store reaches a register.
pub const REGISTER_START: u32 = 0xf000_0000;

const NAME_BYTES_MAX: usize = 64;
const SYMBOLS_MAX: usize = 1 << 16;
const HEADER_BYTES: usize = 52;
const SECTION_HEADER_BYTES: usize = 40;
const SYMBOL_BYTES: usize = 16;
const RISCV: u32 = 243;

/// What a section is for, and with that who may touch it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Instructions: fetched, never loaded or stored.
    Code,
    /// Loaded only.
    ReadOnly,
    /// Loaded and stored.
    ReadWrite,
    /// Loaded and stored, zero at first.
    Stack,
    /// Loaded only; whoever runs the program fills it.
    Input,
}

impl Kind {
    /// As the documents write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::ReadOnly => "read-only",
            Self::ReadWrite => "read-write",
            Self::Stack => "stack",
            Self::Input => "input",
        }
    }

    /// Whether stores reach it.
    #[must_use]
    pub const fn is_writable(self) -> bool {
        matches!(self, Self::ReadWrite | Self::Stack)
    }
}

/// A piece of memory: whole words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// As the file calls it.
    pub name: String,
    /// Who may touch it.
    pub kind: Kind,
    /// First address, a multiple of 4.
    pub start: u32,
    /// Length in bytes, a multiple of 4.
    pub size: u32,
    /// Declared contents, or none: zero at first.
    pub content: Option<Vec<u32>>,
}

impl Section {
    /// First address after it.
    #[must_use]
    pub const fn end(&self) -> u32 {
        self.start + self.size
    }
}

/// A function that the file names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Symbol {
    /// Its name.
    pub name: String,
    /// First address.
    pub start: u32,
    /// Length in bytes.
    pub size: u32,
}

/// A program, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// Address of the first instruction.
    pub entry: u32,
    /// By address; none overlap; exactly one is code, at most one the stack, at most one the input.
    pub sections: Vec<Section>,
}

/// Why a file or an input is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The rule, in words.
    pub reason: &'static str,
    /// What was found.
    pub value: u64,
    /// What the rule allows.
    pub limit: u64,
}

pub(crate) const fn refused(reason: &'static str, value: u64, limit: u64) -> Refused {
    Refused {
        reason,
        value,
        limit,
    }
}

/// A file with reads that cannot leave it.
#[derive(Clone, Copy)]
struct File<'a>(&'a [u8]);

impl<'a> File<'a> {
    fn bytes(self, offset: u32, length: u32) -> Result<&'a [u8], Refused> {
        let end = u64::from(offset) + u64::from(length);
        let limit = self.0.len() as u64;
        if end > limit {
            return Err(refused("the file ends before what it declares", end, limit));
        }
        Ok(&self.0[offset as usize..end as usize])
    }

    fn word(self, offset: u32) -> Result<u32, Refused> {
        let four = self.bytes(offset, 4)?;
        Ok(u32::from_le_bytes([four[0], four[1], four[2], four[3]]))
    }

    fn half(self, offset: u32) -> Result<u32, Refused> {
        let two = self.bytes(offset, 2)?;
        Ok(u32::from(u16::from_le_bytes([two[0], two[1]])))
    }
}

struct Header {
    name: u32,
    form: u32,
    flags: u32,
    address: u32,
    offset: u32,
    size: u32,
    link: u32,
}

fn expect(reason: &'static str, value: u32, allowed: u32) -> Result<(), Refused> {
    if value == allowed {
        return Ok(());
    }
    Err(refused(reason, value.into(), allowed.into()))
}

fn headers(file: File<'_>) -> Result<(Vec<Header>, usize), Refused> {
    let count = file.half(48)?;
    if count == 0 {
        return Err(refused("the file has no section headers", 0, 1));
    }
    expect(
        "a section header has another size",
        file.half(46)?,
        SECTION_HEADER_BYTES as u32,
    )?;
    let table = file.bytes(file.word(32)?, count * SECTION_HEADER_BYTES as u32)?;
    let found = table
        .chunks_exact(SECTION_HEADER_BYTES)
        .map(|raw| {
            let at = |offset: usize| {
                u32::from_le_bytes([
                    raw[offset],
                    raw[offset + 1],
                    raw[offset + 2],
                    raw[offset + 3],
                ])
            };
            Header {
                name: at(0),
                form: at(4),
                flags: at(8),
                address: at(12),
                offset: at(16),
                size: at(20),
                link: at(24),
            }
        })
        .collect::<Vec<_>>();
    let names = file.half(50)?;
    if names >= count {
        return Err(refused(
            "no section holds the names",
            names.into(),
            (count - 1).into(),
        ));
    }
    Ok((found, names as usize))
}

/// A name from a string table.
fn name(table: &[u8], offset: u32) -> Result<String, Refused> {
    let rest = table.get(offset as usize..).ok_or(refused(
        "a name lies outside its table",
        offset.into(),
        table.len() as u64,
    ))?;
    let length = rest
        .iter()
        .take(NAME_BYTES_MAX + 1)
        .position(|byte| *byte == 0)
        .ok_or(refused(
            "a section's name is too long",
            NAME_BYTES_MAX as u64 + 1,
            NAME_BYTES_MAX as u64,
        ))?;
    Ok(String::from_utf8_lossy(&rest[..length]).into_owned())
}

const WRITE: u32 = 1;
const ALLOCATE: u32 = 2;
const EXECUTE: u32 = 4;
const CONTENT: u32 = 1;
const NO_CONTENT: u32 = 8;

fn kind_of(name: &str, header: &Header) -> Result<Kind, Refused> {
    let flags = header.flags & (WRITE | EXECUTE);
    if flags == WRITE | EXECUTE {
        return Err(refused(
            "a section is writable and executable",
            flags.into(),
            EXECUTE.into(),
        ));
    }
    if header.form != CONTENT && header.form != NO_CONTENT {
        return Err(refused(
            "a section in memory has another type",
            header.form.into(),
            NO_CONTENT.into(),
        ));
    }
    let kind = match (name, flags) {
        (_, EXECUTE) => Kind::Code,
        (".stack", _) => Kind::Stack,
        (".input", _) => Kind::Input,
        (_, WRITE) => Kind::ReadWrite,
        _ => Kind::ReadOnly,
    };
    match kind {
        Kind::Code if header.form == NO_CONTENT => Err(refused(
            "the code has no content",
            header.form.into(),
            CONTENT.into(),
        )),
        Kind::Stack | Kind::Input if header.form == CONTENT => Err(refused(
            "stack and input have no content",
            header.form.into(),
            NO_CONTENT.into(),
        )),
        _ => Ok(kind),
    }
}

fn section(file: File<'_>, names: &[u8], header: &Header) -> Result<Section, Refused> {
    let name = name(names, header.name)?;
    let kind = kind_of(&name, header)?;
    if !header.address.is_multiple_of(4) {
        return Err(refused(
            "a section begins inside a word",
            header.address.into(),
            4,
        ));
    }
    if header.address == 0 {
        return Err(refused("address 0 means none", 0, 4));
    }
    if kind != Kind::ReadOnly && kind != Kind::ReadWrite && !header.size.is_multiple_of(4) {
        return Err(refused(
            "a section ends inside a word",
            header.size.into(),
            4,
        ));
    }
    let end = u64::from(header.address) + u64::from(header.size).next_multiple_of(4);
    if end > u64::from(REGISTER_START) {
        return Err(refused(
            "a section reaches the registers",
            end,
            REGISTER_START.into(),
        ));
    }
    let content = if header.form == CONTENT {
        let raw = file.bytes(header.offset, header.size)?;
        let words = raw.chunks(4).map(|part| {
            let mut four = [0; 4];
            four[..part.len()].copy_from_slice(part);
            u32::from_le_bytes(four)
        });
        Some(words.collect())
    } else {
        None
    };
    Ok(Section {
        name,
        kind,
        start: header.address,
        size: header.size.next_multiple_of(4),
        content,
    })
}

fn check_sections(sections: &[Section]) -> Result<(), Refused> {
    for pair in sections.windows(2) {
        if pair[1].start < pair[0].end() {
            return Err(refused(
                "sections overlap",
                pair[1].start.into(),
                pair[0].end().into(),
            ));
        }
    }
    let count = |kind| {
        sections
            .iter()
            .filter(|section| section.kind == kind)
            .count() as u64
    };
    if count(Kind::Code) != 1 {
        return Err(refused(
            "a program has one code section",
            count(Kind::Code),
            1,
        ));
    }
    if count(Kind::Stack) > 1 {
        return Err(refused(
            "a program has one stack at most",
            count(Kind::Stack),
            1,
        ));
    }
    if count(Kind::Input) > 1 {
        return Err(refused(
            "a program has one input at most",
            count(Kind::Input),
            1,
        ));
    }
    Ok(())
}

fn open(raw: &[u8]) -> Result<File<'_>, Refused> {
    if raw.len() > FILE_BYTES_MAX {
        return Err(refused(
            "the file is too long",
            raw.len() as u64,
            FILE_BYTES_MAX as u64,
        ));
    }
    if raw.len() < HEADER_BYTES {
        return Err(refused(
            "the file is too short",
            raw.len() as u64,
            HEADER_BYTES as u64,
        ));
    }
    let file = File(raw);
    expect(
        "not an ELF file",
        file.word(0)?,
        u32::from_le_bytes(*b"\x7fELF"),
    )?;
    expect("not a 32-bit file", raw[4].into(), 1)?;
    expect("not little-endian", raw[5].into(), 1)?;
    expect("not a linked program", file.half(16)?, 2)?;
    expect("not for RISC-V", file.half(18)?, RISCV)?;
    // Compressed instructions and floating point would show in the flags.
    expect("not for the integer machine", file.word(36)?, 0)?;
    Ok(file)
}

impl Program {
    /// The program of a file.
    ///
    /// # Errors
    /// The first rule that the file breaks.
    pub fn parse(raw: &[u8]) -> Result<Self, Refused> {
        let file = open(raw)?;
        let (headers, names) = headers(file)?;
        let names = file.bytes(headers[names].offset, headers[names].size)?;
        let present = |header: &&Header| header.flags & ALLOCATE != 0 && header.size > 0;
        let count = headers.iter().filter(present).count();
        if count > SECTIONS_MAX {
            return Err(refused(
                "too many sections",
                count as u64,
                SECTIONS_MAX as u64,
            ));
        }
        let total: u64 = headers
            .iter()
            .filter(present)
            .map(|header| u64::from(header.size))
            .sum();
        if total > MEMORY_BYTES_MAX {
            return Err(refused(
                "the sections take too much memory",
                total,
                MEMORY_BYTES_MAX,
            ));
        }
        let mut sections = headers
            .iter()
            .filter(present)
            .map(|header| section(file, names, header))
            .collect::<Result<Vec<_>, _>>()?;
        sections.sort_by_key(|section| section.start);
        check_sections(&sections)?;
        let program = Self {
            entry: file.word(24)?,
            sections,
        };
        let code = program.code();
        if !program.entry.is_multiple_of(4) || !(code.start..code.end()).contains(&program.entry) {
            return Err(refused(
                "the entry point is no instruction",
                program.entry.into(),
                code.start.into(),
            ));
        }
        Ok(program)
    }

    /// The code section.
    #[must_use]
    pub fn code(&self) -> &Section {
        let found = self
            .sections
            .iter()
            .find(|section| section.kind == Kind::Code);
        found.expect("a parsed program has code")
    }

    /// Bytes of input that it takes.
    #[must_use]
    pub fn input_size(&self) -> u32 {
        let found = self
            .sections
            .iter()
            .find(|section| section.kind == Kind::Input);
        found.map_or(0, |section| section.size)
    }
}

/// Functions that a file names, by address; a file without a symbol table has none.
///
/// # Errors
/// The table lies outside the file, or has too many entries.
pub fn symbols(raw: &[u8]) -> Result<Vec<Symbol>, Refused> {
    const TABLE: u32 = 2;
    const FUNCTION: u8 = 2;
    let file = open(raw)?;
    let (headers, _) = headers(file)?;
    let mut found = Vec::new();
    for table in headers.iter().filter(|header| header.form == TABLE) {
        let link = table.link as usize;
        let names = headers.get(link).ok_or(refused(
            "a section does not exist",
            link as u64,
            headers.len() as u64,
        ))?;
        let names = file.bytes(names.offset, names.size)?;
        let entries = file.bytes(table.offset, table.size)?;
        let total = found.len() + entries.len() / SYMBOL_BYTES;
        if total > SYMBOLS_MAX {
            return Err(refused(
                "too many symbols",
                total as u64,
                SYMBOLS_MAX as u64,
            ));
        }
        for entry in entries
            .chunks_exact(SYMBOL_BYTES)
            .filter(|entry| entry[12] & 15 == FUNCTION)
        {
            let at = |offset: usize| {
                u32::from_le_bytes([
                    entry[offset],
                    entry[offset + 1],
                    entry[offset + 2],
                    entry[offset + 3],
                ])
            };
            let text = names.get(at(0) as usize..).unwrap_or_default();
            let length = text
                .iter()
                .take(256)
                .position(|byte| *byte == 0)
                .unwrap_or(text.len().min(256));
            found.push(Symbol {
                name: String::from_utf8_lossy(&text[..length]).into_owned(),
                start: at(4),
                size: at(8),
            });
        }
    }
    found.sort_by_key(|symbol| symbol.start);
    Ok(found)
}
