//! Fees: mostly what wallets compute from the base fee of a recent block, so only which block and which tip.
//!
//! Reads and gives: fee fields through a [`Coder`]. Never: needs base fees to read; they resolve afterwards.

use super::model::{Repeated, Symbol};
use super::range::Coder;
use super::row::{Fee, Kind};
use crate::compact::Invalid;

/// Base fees that a fee can refer to: the block's own and those of ten before it.
pub const BASE_FEES_MAX: usize = 11;

/// Fee fields before base fees are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quote {
    /// `base × numerator / 10 + tip`, base that of the block `age` blocks before.
    Relative {
        /// 0 (20 / 10), 1 (10 / 10) or 2 (12 / 10).
        formula: u8,
        /// 0 to 10.
        age: u8,
        /// Also the tip of a dynamic fee.
        tip: u128,
    },
    /// As they are.
    Absolute(Fee),
}

const NUMERATORS: [u128; 3] = [20, 10, 12];
const ABSOLUTE: u32 = 3;

fn relative(formula: u8, base: u64, tip: u128) -> Option<u128> {
    (u128::from(base) * NUMERATORS[usize::from(formula)] / 10).checked_add(tip)
}

impl Quote {
    /// The fields, given base fees, newest first.
    ///
    /// # Errors
    /// A block that there is not, or a fee above 2^128 − 1.
    pub fn resolve(self, kind: Kind, base_fees: &[u64]) -> Result<Fee, Invalid> {
        match self {
            Self::Absolute(fee) => Ok(fee),
            Self::Relative { formula, age, tip } => {
                let base = base_fees
                    .get(usize::from(age))
                    .ok_or(Invalid("fee refers to a block before the first"))?;
                let cap = relative(formula, *base, tip).ok_or(Invalid("fee is above 2^128 - 1"))?;
                let tip = if kind.is_dynamic() { tip } else { cap };
                Ok(Fee { cap, tip })
            }
        }
    }
}

/// The columns of fees.
pub struct Fees {
    formula: [Symbol<2>; 2],
    age: [Symbol<4>; 2],
    tip: [Repeated; 2],
    cap: [Repeated; 2],
}

impl Fees {
    /// Nothing known.
    pub fn new() -> Self {
        Self {
            formula: [Symbol::new(), Symbol::new()],
            age: [Symbol::new(), Symbol::new()],
            tip: [Repeated::new(), Repeated::new()],
            cap: [Repeated::new(), Repeated::new()],
        }
    }

    /// The shortest way to say a fee; writers only.
    pub fn quote(&self, kind: Kind, fee: Fee, base_fees: &[u64]) -> Quote {
        let dynamic = kind.is_dynamic();
        for formula in 0..3_u8 {
            for (age, base) in (0_u8..).zip(base_fees.iter().take(BASE_FEES_MAX)) {
                let tip = if dynamic {
                    fee.tip
                } else {
                    let Some(tip) =
                        relative(formula, *base, 0).and_then(|cap| fee.cap.checked_sub(cap))
                    else {
                        continue;
                    };
                    tip
                };
                let usual = dynamic || tip == 0 || self.tip[0].knows(tip);
                if usual && relative(formula, *base, tip) == Some(fee.cap) {
                    return Quote::Relative { formula, age, tip };
                }
            }
        }
        Quote::Absolute(fee)
    }

    /// Code one.
    ///
    /// # Errors
    /// An age above 10, or an amount that does not fit.
    pub fn code<C: Coder>(
        &mut self,
        coder: &mut C,
        kind: Kind,
        quote: Quote,
    ) -> Result<Quote, Invalid> {
        let column = usize::from(kind.is_dynamic());
        let (formula, age, fee) = match quote {
            Quote::Relative { formula, age, tip } => (u32::from(formula), age, Fee { cap: 0, tip }),
            Quote::Absolute(fee) => (ABSOLUTE, 0, fee),
        };
        let formula = self.formula[column].code(coder, formula);
        if formula != ABSOLUTE {
            let age = self.age[column].code(coder, u32::from(age)) as u8;
            if usize::from(age) >= BASE_FEES_MAX {
                return Err(Invalid("fee refers to a block too old"));
            }
            let tip = self.tip[column].code_u128(coder, fee.tip)?;
            return Ok(Quote::Relative {
                formula: formula as u8,
                age,
                tip,
            });
        }
        let cap = self.cap[column].code_u128(coder, fee.cap)?;
        let tip = if kind.is_dynamic() {
            self.tip[column].code_u128(coder, fee.tip)?
        } else {
            cap
        };
        Ok(Quote::Absolute(Fee { cap, tip }))
    }
}
