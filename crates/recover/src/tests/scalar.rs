use num_bigint::{BigInt, BigUint, Sign};

use super::{big, numbers, small};
use crate::inverse::Modulus;
use crate::lanes::field::PRIME;
use crate::number::{add, from_bytes, is_below, subtract, to_bytes};
use crate::scalar::{halves, invert_all, multiply, negate, reduce, ORDER};

const LAMBDA: [u64; 4] = [
    0xdf02_967c_1b23_bd72,
    0x122e_22ea_2081_6678,
    0xa526_1c02_8812_645a,
    0x5363_ad4c_c05c_30e0,
];

#[test]
fn sums_and_differences_are_those_of_integers() {
    let whole = BigUint::from(1u32) << 256;
    for a in numbers(&ORDER) {
        assert_eq!(from_bytes(&to_bytes(&a)), a);
        for b in numbers(&ORDER) {
            let (sum, is_over) = add(&a, &b);
            let wanted = big(&a) + big(&b);
            assert_eq!((big(&sum), is_over), (&wanted % &whole, wanted >= whole));
            assert_eq!(
                big(&subtract(&a, &b)),
                (&whole + big(&a) - big(&b)) % &whole
            );
            assert_eq!(is_below(&a, &b), big(&a) < big(&b));
        }
    }
}

#[test]
fn products_are_those_of_integers_modulo_the_order() {
    let order = big(&ORDER);
    for a in numbers(&ORDER) {
        let a = reduce(&a);
        assert!(big(&a) < order);
        assert_eq!(big(&negate(&a)), (&order - big(&a)) % &order);
        for b in numbers(&ORDER) {
            let b = reduce(&b);
            assert_eq!(big(&multiply(&a, &b)), big(&a) * big(&b) % &order);
        }
    }
}

#[test]
fn inverses_are_inverses() {
    for modulus in [ORDER, PRIME] {
        let order = big(&modulus);
        let of = Modulus::new(&modulus);
        assert_eq!(of.invert(&[0; 4]), [0; 4]);
        for number in numbers(&modulus) {
            let number = small(&(big(&number) % &order));
            let inverse = of.invert(&number);
            assert!(is_below(&inverse, &modulus));
            let one = BigUint::from(u32::from(number != [0; 4]));
            assert_eq!(big(&number) * big(&inverse) % &order, one);
        }
    }
}

#[test]
fn inverses_of_many_are_those_of_each() {
    let mut many: Vec<_> = numbers(&ORDER).iter().map(reduce).collect();
    many.retain(|number| *number != [0; 4]);
    for count in [0, 1, 2, many.len()] {
        let mut inverses = many[..count].to_vec();
        invert_all(&mut inverses);
        for (number, inverse) in many.iter().zip(inverses) {
            assert_eq!(multiply(number, &inverse), [1, 0, 0, 0]);
        }
    }
}

#[test]
fn halves_are_short_and_make_the_factor() {
    let order = BigInt::from(big(&ORDER));
    let lambda = BigInt::from(big(&LAMBDA));
    let mut factors = numbers(&ORDER);
    // Where c₁ and c₂ are rounded the other way: near multiples of n / 2^k.
    for part in 1..200u32 {
        let near = big(&ORDER) * part / 200u32;
        factors.push(small(&near));
        factors.push(small(&(near + 1u32)));
        factors.push(small(&(big(&LAMBDA) * part % big(&ORDER))));
    }
    for factor in factors {
        let factor = reduce(&factor);
        let [first, second] = halves(&factor).map(|half| {
            let sign = if half.is_negative {
                Sign::Minus
            } else {
                Sign::Plus
            };
            BigInt::from_biguint(sign, half.magnitude.into())
        });
        let sum: BigInt = (first + second * &lambda - BigInt::from(big(&factor))) % &order;
        assert_eq!(sum, BigInt::from(0));
    }
}
