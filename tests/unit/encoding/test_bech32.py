"""Shows that Bech32 and Base58Check come back, and that each protects against what it promises to."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bedroll.encoding.base58 import decode_base58check, encode_base58check
from bedroll.encoding.bech32 import decode_bech32, encode_bech32
from bedroll.primitives import Invalid

PROGRAMS = st.one_of(
    st.tuples(st.just(0), st.sampled_from([20, 32]).flatmap(lambda size: st.binary(min_size=size, max_size=size))),
    st.tuples(st.integers(1, 16), st.binary(min_size=2, max_size=40)),
)
CHARSET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"


@settings(derandomize=True)
@given(prefix=st.sampled_from(["bc", "tb", "bcrt"]), program=PROGRAMS, upper=st.booleans())
def test_a_program_comes_back(prefix: str, program: tuple[int, bytes], upper: bool) -> None:
    text = encode_bech32(prefix, *program)
    assert decode_bech32(text.upper() if upper else text) == (prefix, *program)


@settings(derandomize=True)
@given(program=PROGRAMS, where=st.integers(3, 89), change=st.integers(1, 31))
def test_one_wrong_character_is_found(program: tuple[int, bytes], where: int, change: int) -> None:
    text = encode_bech32("bc", *program)
    where = 3 + where % (len(text) - 3)
    wrong = CHARSET[CHARSET.index(text[where]) ^ change]
    with pytest.raises(Invalid):
        decode_bech32(text[:where] + wrong + text[where + 1 :])


@settings(derandomize=True)
@given(st.text(max_size=100))
def test_any_text_decodes_or_is_invalid(text: str) -> None:
    for decode in (decode_bech32, decode_base58check):
        try:
            decode(text)
        except Invalid:
            continue


@settings(derandomize=True)
@given(st.binary(max_size=78))
def test_base58_comes_back(payload: bytes) -> None:
    text = encode_base58check(payload)
    assert decode_base58check(text) == payload
    with pytest.raises(Invalid):
        decode_base58check(text[:-1] + ("2" if text[-1] != "2" else "3"))


@pytest.mark.parametrize(("text", "why"), [("1" * 121, "too long"), ("0abc", "not one of Base58"), ("11", "checksum")])
def test_base58_says_what_is_wrong(text: str, why: str) -> None:
    with pytest.raises(Invalid, match=why):
        decode_base58check(text)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("bc1" + "q" * 90, "too long"),
        ("bc1Qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "mixes"),
        ("bc1bw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "not one of Bech32"),
        ("qqqqqqqq", "prefix"),
    ],
)
def test_bech32_says_what_is_wrong(text: str, why: str) -> None:
    with pytest.raises(Invalid, match=why):
        decode_bech32(text)


def test_no_program_that_does_not_exist_is_encoded() -> None:
    for version, size in ((17, 32), (0, 21), (1, 1), (1, 41)):
        with pytest.raises(Invalid, match="no such witness program"):
            encode_bech32("bc", version, bytes(size))
