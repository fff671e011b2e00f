//! The equation e(A, B) = e(α, β) · e(L, γ) · e(C, δ).

use crate::field::{Field, Flag};
use crate::pairing::{final_power, Lines, Pairs, Side};
use crate::root::{point, twist_point};
use crate::twelfth::Twelfth;

/// Words of a proof.
pub const PROOF_WORDS: usize = 32;

/// A verification key as the equation needs it.
#[repr(C)]
pub struct Key<F> {
    /// Lines of −γ.
    pub gamma: Lines<F>,
    /// Lines of −δ.
    pub delta: Lines<F>,
    /// e(α, β), after the final exponentiation.
    pub target: Twelfth<F>,
}

/// The public input's point L as the equation needs it.
#[repr(C)]
pub struct Statement<F> {
    /// x / y.
    pub ratio: F,
    /// 1 / y.
    pub inverse: F,
}

/// Whether the words are a valid proof of the statement.
pub fn verify<F: Field>(proof: &[[u32; 8]; 4], key: &Key<F>, statement: &Statement<F>) -> Flag {
    let (a, is_a) = point::<F>(&proof[0]);
    let (x, y, is_b) = twist_point::<F>(&[proof[1], proof[2]]);
    let (c, is_c) = point::<F>(&proof[3]);
    let pairs = Pairs {
        left: (&a.x, &a.y),
        right: (&x, &y),
        fixed: [
            (
                &key.gamma,
                Side {
                    ratio: statement.ratio,
                    inverse: statement.inverse,
                },
            ),
            (
                &key.delta,
                Side {
                    ratio: c.x.mul(&c.inverse),
                    inverse: c.inverse,
                },
            ),
        ],
    };
    let (f, has_order) = pairs.miller();
    let holds = final_power(&f).is_equal(&key.target);
    is_a.and(is_b).and(is_c).and(has_order).and(holds)
}
