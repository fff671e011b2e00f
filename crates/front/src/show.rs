//! Ethereum's two encodings in JSON, written straight into the answer.
use alloy_primitives::{hex, U256};

/// Writes a string of `0x` and two digits a byte.
pub(crate) fn data(out: &mut Vec<u8>, value: &[u8]) {
    out.extend_from_slice(b"\"0x");
    let start = out.len();
    out.resize(start + 2 * value.len(), 0);
    // The room is twice the value's length, which is all that can be wrong.
    let _ = hex::encode_to_slice(value, &mut out[start..]);
    out.push(b'"');
}

/// Writes a string of `0x` and digits without leading zeros.
pub(crate) fn quantity(out: &mut Vec<u8>, value: &U256) {
    match u128::try_from(value) {
        Ok(small) => number(out, small),
        Err(_) => out.extend_from_slice(format!("\"{value:#x}\"").as_bytes()),
    }
}

/// The same of a smaller number.
pub(crate) fn number(out: &mut Vec<u8>, value: impl Into<u128>) {
    out.extend_from_slice(format!("\"{:#x}\"", value.into()).as_bytes());
}

/// Reads bytes as clients write them: `0x` and two digits a byte.
pub(crate) fn read_data(text: &str, most: usize) -> Option<Vec<u8>> {
    let digits = text.strip_prefix("0x")?;
    if digits.len() > 2 * most || digits.starts_with("0x") {
        return None;
    }
    hex::decode(digits).ok()
}

/// Reads exactly as many bytes.
pub(crate) fn read_fixed<const N: usize>(text: &str) -> Option<[u8; N]> {
    if text.len() != 2 + 2 * N {
        return None;
    }
    read_data(text, N)?.try_into().ok()
}

/// Reads a quantity.
pub(crate) fn read_quantity(text: &str) -> Option<U256> {
    let digits = text.strip_prefix("0x")?;
    let plain = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    let leading = digits.starts_with('0') && digits.len() > 1;
    if digits.is_empty() || digits.len() > 64 || leading || !plain {
        return None;
    }
    U256::from_str_radix(digits, 16).ok()
}
