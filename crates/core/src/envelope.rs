//! Envelopes: bytes in a tapscript leaf, in two carriers that mean the same (docs/spec/da.md#envelopes).
//!
//! Reads: the witness of one input. Gives: the body, or the reason why there is none.
//! Never: looks at the output that is spent, checks a signature.

use alloc::vec::Vec;

use crate::compact::{Invalid, Reader, TRUNCATED};

/// Bytes of one envelope's body, at most.
pub const REVEAL_BODY_MAX: usize = 390_000;

const LEAF_VERSION: u8 = 0xc0;
const ANNEX: u8 = 0x50;
const CONTROL_MIN: usize = 33;
const CONTROL_DEPTH_MAX: usize = 128;

const OP_0: u8 = 0x00;
const OP_PUSH_32: u8 = 0x20;
const OP_DIRECT_MAX: u8 = 0x4b;
const OP_PUSHDATA1: u8 = 0x4c;
const OP_PUSHDATA2: u8 = 0x4d;
const OP_1NEGATE: u8 = 0x4f;
const OP_1: u8 = 0x51;
const OP_16: u8 = 0x60;
const OP_IF: u8 = 0x63;
const OP_ENDIF: u8 = 0x68;
const OP_DROP: u8 = 0x75;
const OP_CHECKSIGVERIFY: u8 = 0xad;

/// Longest push of the branch form: the consensus limit of a stack element.
const BRANCH_PUSH_MAX: usize = 520;
/// Longest push of the drop form: what `OP_PUSHDATA1` can say.
const DROP_PUSH_MAX: usize = 255;

/// The tapscript of a script-path spend, if the stack has that shape.
///
/// `None` where the input is anything else: fewer than two elements beside the annex, a control block of another
/// size, another leaf version.
#[must_use]
pub fn tapscript<'a>(stack: &[&'a [u8]]) -> Option<&'a [u8]> {
    let elements = match stack {
        [rest @ .., annex] if !rest.is_empty() && annex.first() == Some(&ANNEX) => rest,
        all => all,
    };
    let [.., script, control] = elements else {
        return None;
    };
    let path = control.len().checked_sub(CONTROL_MIN)?;
    let shaped = path % 32 == 0 && path / 32 <= CONTROL_DEPTH_MAX;
    (shaped && control[0] & 0xfe == LEAF_VERSION).then_some(*script)
}

/// The body of an envelope, from its leaf script.
///
/// # Errors
/// The first rule of the grammar that the script breaks.
pub fn parse(script: &[u8]) -> Result<Vec<u8>, Invalid> {
    let mut reader = Reader::new(script);
    if reader.u8()? != OP_PUSH_32 {
        return Err(Invalid("leaf does not begin with a 32-byte key"));
    }
    reader.take(32)?;
    if reader.u8()? != OP_CHECKSIGVERIFY {
        return Err(Invalid("key is not followed by OP_CHECKSIGVERIFY"));
    }
    let mut body = Vec::new();
    if script[reader.position()..].starts_with(&[OP_0, OP_IF]) {
        reader.take(2)?;
        branch(&mut reader, &mut body)?;
    } else {
        drops(&mut reader, &mut body)?;
    }
    reader.end()?;
    Ok(body)
}

/// `<pushes> OP_ENDIF <nonce> OP_DROP OP_1`
fn branch(reader: &mut Reader<'_>, body: &mut Vec<u8>) -> Result<(), Invalid> {
    loop {
        let opcode = reader.u8()?;
        if opcode == OP_ENDIF {
            break;
        }
        append(body, &push(reader, opcode, BRANCH_PUSH_MAX)?)?;
    }
    let opcode = reader.u8()?;
    push(reader, opcode, BRANCH_PUSH_MAX)?;
    if reader.take(2)? != [OP_DROP, OP_1] {
        return Err(Invalid("nonce is not followed by OP_DROP OP_1"));
    }
    Ok(())
}

/// `(<push> OP_DROP)* <nonce> OP_DROP OP_1`
fn drops(reader: &mut Reader<'_>, body: &mut Vec<u8>) -> Result<(), Invalid> {
    let mut last: Option<Push<'_>> = None;
    loop {
        let opcode = reader.u8()?;
        // Only the last push is the nonce: the one before it is body as soon as another follows.
        if let Some(complete) = last.take() {
            if opcode == OP_1 && reader.left() == 0 {
                return Ok(());
            }
            append(body, &complete)?;
        }
        last = Some(push(reader, opcode, DROP_PUSH_MAX)?);
        if reader.u8()? != OP_DROP {
            return Err(Invalid("push is not followed by OP_DROP"));
        }
    }
}

fn append(body: &mut Vec<u8>, push: &Push<'_>) -> Result<(), Invalid> {
    let bytes = push.bytes();
    if body.len() + bytes.len() > REVEAL_BODY_MAX {
        return Err(Invalid("body is above 390,000 bytes"));
    }
    body.extend_from_slice(bytes);
    Ok(())
}

/// What a push puts on the stack.
enum Push<'a> {
    Slice(&'a [u8]),
    Byte([u8; 1]),
}

impl Push<'_> {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Slice(slice) => slice,
            Self::Byte(byte) => byte,
        }
    }
}

/// One push in the only form that Bitcoin calls minimal (Core's `CheckMinimalPush`).
fn push<'a>(reader: &mut Reader<'a>, opcode: u8, size_max: usize) -> Result<Push<'a>, Invalid> {
    const NOT_MINIMAL: Invalid = Invalid("push is not minimal");
    let size = match opcode {
        OP_0..=OP_DIRECT_MAX => usize::from(opcode),
        OP_PUSHDATA1 => usize::from(reader.u8()?),
        OP_PUSHDATA2 => usize::from(reader.u16()?),
        OP_1NEGATE => return Ok(Push::Byte([0x81])),
        OP_1..=OP_16 => return Ok(Push::Byte([opcode - OP_1 + 1])),
        _ => return Err(Invalid("opcode is not a push")),
    };
    if size > size_max {
        return Err(Invalid("push is too long"));
    }
    let least = match opcode {
        OP_PUSHDATA1 => usize::from(OP_DIRECT_MAX) + 1,
        OP_PUSHDATA2 => 256,
        _ => 0,
    };
    if size < least {
        return Err(NOT_MINIMAL);
    }
    if size > reader.left() {
        return Err(TRUNCATED);
    }
    let bytes = reader.take(size)?;
    match bytes {
        [1..=16 | 0x81] => Err(NOT_MINIMAL),
        _ => Ok(Push::Slice(bytes)),
    }
}
