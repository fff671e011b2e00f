"""Rust's mangled names become readable, everything else stays."""

import random

import pytest

from bedroll.riscv.symbol import readable


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("_start", "_start"),
        ("_ZN4core3fmtE", "core::fmt"),
        ("_ZN8verifier6sextic15Sextic$LT$F$GT$3mul17h3cee3b318762b783E", "verifier::sextic::Sextic<F>::mul"),
        ("_ZN8verifier1a28_$u7b$$u7b$closure$u7d$$u7d$17ha205e24b662a51fdE", "verifier::a::{{closure}}"),
        ("_ZN4a..b4testE", "a::b::test"),
        ("_ZN99shortE", "_ZN99shortE"),
        ("_ZNE", "_ZNE"),
        ("_ZN", "_ZN"),
        ("_ZN3abcX", "_ZN3abcX"),
    ],
)
def test_names_are_readable(name, expected):

    assert readable(name) == expected


def test_no_name_breaks_it():
    rng = random.Random(9)
    print("seed 9")
    for _ in range(2_000):
        name = "_ZN" + "".join(rng.choice("0123459abE$uLT.{") for _ in range(rng.randrange(40)))
        assert isinstance(readable(name), str)
