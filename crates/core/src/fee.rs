//! Fees (docs/spec/execution.md, "Fee"): the L1 rate, the base fee with its floor, data gas.
//!
//! All divisions round down but that of data gas, which rounds up.
mod size;

use alloc::vec::Vec;
use alloy_eips::eip1559::{calc_next_block_base_fee, BaseFeeParams};
use alloy_primitives::U256;

pub use size::lz_length;

/// Wei in a satoshi.
pub const WEI_PER_SAT: u128 = 10_000_000_000;
/// EVM gas of a plain transfer, which pays for `transfer_bytes`.
pub const TRANSFER_GAS: u128 = 21_000;
/// What 21,000 gas pays for on every network so far, bytes.
pub const TRANSFER_BYTES: u64 = 75;
/// EIP-7825: no transaction has more EVM gas.
pub const EVM_GAS_MAX: u64 = 1 << 24;
/// Witness bytes (weight units) of a Bitcoin block.
const WITNESS_BYTES: u128 = 4_000_000;
/// Lowest L1 rate: 1 sat/vB, in wei a witness byte.
pub const L1_RATE_MIN: u128 = WEI_PER_SAT / 4;
/// Highest L1 rate: 200 sat/vB, in wei a witness byte.
pub const L1_RATE_MAX: u128 = 200 * WEI_PER_SAT / 4;

/// L1 rate of an origin, wei a witness byte.
///
/// `fees_sat`: what the coinbases of the newest origins, this one included, took beyond the subsidy.
/// `previous`: rate of the origin before. Without any origin the rate is the lowest.
pub fn l1_rate(fees_sat: &[u64], previous: Option<u128>) -> u128 {
    let mut sorted: Vec<u64> = fees_sat.to_vec();
    sorted.sort_unstable();
    let median = sorted
        .get(sorted.len().saturating_sub(1) / 2)
        .copied()
        .unwrap_or(0);
    let rate = (u128::from(median) * WEI_PER_SAT / WITNESS_BYTES).clamp(L1_RATE_MIN, L1_RATE_MAX);
    match previous {
        None => rate,
        Some(before) => {
            let step = before / 8;
            rate.clamp(before - step, before.saturating_add(step))
        }
    }
}

/// Lowest base fee at which a plain transfer pays for its bytes, wei a gas.
pub fn base_fee_floor(l1_rate: u128, transfer_bytes: u64) -> u64 {
    let floor = l1_rate.saturating_mul(u128::from(transfer_bytes)) / TRANSFER_GAS;
    u64::try_from(floor).unwrap_or(u64::MAX)
}

/// Base fee of the block after one with these figures (EIP-1559), not below `floor`.
pub fn next_base_fee(gas_used: u64, gas_limit: u64, base_fee: u64, floor: u64) -> u64 {
    calc_next_block_base_fee(gas_used, gas_limit, base_fee, BaseFeeParams::ethereum()).max(floor)
}

/// Bytes that a transaction counts for whose `sender ‖ payload` has this LZ length.
///
/// Two fifths of `transfer_bytes` stand for the signature, which the LZ length leaves out: with less
/// of it fees would not cover the cost of posting within 5 % against every attack tried (docs/design/fees.md).
pub const fn size(lz_length: u64, transfer_bytes: u64) -> u64 {
    lz_length + transfer_bytes * 2 / 5
}

/// Data gas of a transaction of `size` bytes: what its bytes beyond `transfer_bytes` cost, in gas at the base fee.
pub fn data_gas(l1_rate: u128, size: u64, transfer_bytes: u64, base_fee: u64) -> u64 {
    let beyond = size.saturating_sub(transfer_bytes);
    if beyond == 0 {
        return 0;
    }
    let cost = U256::from(l1_rate) * U256::from(beyond);
    let gas = cost.div_ceil(U256::from(base_fee.max(1)));
    u64::try_from(gas).unwrap_or(u64::MAX)
}

/// EVM gas that a limit leaves after its data gas; None where it does not cover the data gas.
pub fn evm_gas(gas_limit: u64, data_gas: u64) -> Option<u64> {
    gas_limit
        .checked_sub(data_gas)
        .map(|left| left.min(EVM_GAS_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rate_is_the_lower_median_inside_its_bounds() {
        // 0.1 BTC of fees over 4 MB: 10^7 sat x 2,500 wei
        assert_eq!(l1_rate(&[10_000_000], None), 25_000_000_000);
        assert_eq!(
            l1_rate(&[40_000_000, 10_000_000], None),
            25_000_000_000,
            "of two, the lower"
        );
        assert_eq!(l1_rate(&[], None), L1_RATE_MIN);
        assert_eq!(l1_rate(&[u64::MAX], None), L1_RATE_MAX);
        assert_eq!(
            l1_rate(&[u64::MAX], Some(8_000_000_000)),
            9_000_000_000,
            "an eighth at most"
        );
        assert_eq!(l1_rate(&[0], Some(8_000_000_000)), 7_000_000_000);
    }

    #[test]
    fn a_plain_transfer_pays_for_its_bytes() {
        for rate in [L1_RATE_MIN, 25_000_000_001, L1_RATE_MAX] {
            let floor = u128::from(base_fee_floor(rate, 75));
            let cost = rate * 75;
            assert!(floor * TRANSFER_GAS <= cost && cost - floor * TRANSFER_GAS < TRANSFER_GAS);
        }
    }

    #[test]
    fn data_gas_covers_the_bytes_and_not_a_gas_more() {
        assert_eq!(data_gas(L1_RATE_MAX, 75, 75, 1), 0);
        for (rate, size, fee) in [
            (L1_RATE_MIN, 76, 7u64),
            (3_333_333_333, 16_000, 11_904_761),
            (L1_RATE_MAX, 131_072, 1_785_714_285),
        ] {
            let gas = u128::from(data_gas(rate, size, 75, fee));
            let cost = rate * u128::from(size - 75);
            assert!(gas * u128::from(fee) >= cost && (gas - 1) * u128::from(fee) < cost);
        }
    }

    #[test]
    fn evm_gas_is_what_is_left_and_capped() {
        assert_eq!(evm_gas(21_000, 0), Some(21_000));
        assert_eq!(evm_gas(20_999, 21_000), None);
        assert_eq!(evm_gas(u64::MAX, 5), Some(EVM_GAS_MAX));
    }
}
