"""Shows that keys are checked on entry, tweak alike on both sides, and do not leak."""

import copy
import pickle

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bedroll.crypto import sha256, tagged_hash
from bedroll.crypto.secp256k1 import ORDER, BadKey, SecretKey, is_x_only, parse_public, parse_x_only, tweak_x_only

SECRETS = st.integers(1, ORDER - 1).map(lambda number: number.to_bytes(32, "big"))
GENERATOR_X = bytes.fromhex("79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798")


def test_the_generator_is_the_key_of_one() -> None:
    key = SecretKey((1).to_bytes(32, "big"))
    assert (key.x_only, key.public) == (GENERATOR_X, b"\x02" + GENERATOR_X)


@pytest.mark.parametrize(
    "secret", [bytes(32), ORDER.to_bytes(32, "big"), b"\xff" * 32, b"", b"\x01" * 31, b"\x01" * 33]
)
def test_what_is_no_secret_key_is_refused(secret: bytes) -> None:
    with pytest.raises(BadKey):
        SecretKey(secret)


@pytest.mark.parametrize("raw", [b"", bytes(32), b"\xff" * 32, GENERATOR_X + b"\x00", b"\x05".rjust(32, b"\0")])
def test_what_is_no_x_coordinate_is_refused(raw: bytes) -> None:
    assert not is_x_only(raw)
    with pytest.raises(BadKey):
        parse_x_only(raw)
    for first in (b"\x02", b"\x05"):
        with pytest.raises(BadKey):
            parse_public(first + raw)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(secret=SECRETS, tweak=SECRETS)
def test_secret_and_public_tweak_meet(secret: bytes, tweak: bytes) -> None:
    key = SecretKey(secret)
    assume((ORDER - int.from_bytes(secret, "big")) != int.from_bytes(tweak, "big") and secret != tweak)
    tweaked = key.tweak_x_only(tweak)
    x, parity = tweak_x_only(key.x_only, tweak)
    assert (tweaked.x_only, tweaked.public[0] & 1) == (x, parity)
    assert key.secret == secret
    summed = key.tweak_add(tweak)
    assert (
        int.from_bytes(summed.secret, "big") == (int.from_bytes(secret, "big") + int.from_bytes(tweak, "big")) % ORDER
    )


def test_a_tweak_that_cancels_or_is_too_large_is_refused() -> None:
    key = SecretKey((5).to_bytes(32, "big"))
    cancel = (ORDER - 5).to_bytes(32, "big")
    even = key if key.public[0] == 2 else SecretKey(cancel)
    opposite = (ORDER - int.from_bytes(even.secret, "big")).to_bytes(32, "big")
    for tweak in (opposite, ORDER.to_bytes(32, "big"), b"\x01"):
        with pytest.raises(BadKey):
            key.tweak_x_only(tweak)
        with pytest.raises(BadKey):
            tweak_x_only(key.x_only, tweak)
    with pytest.raises(BadKey):
        key.tweak_add(cancel)


def test_a_secret_is_neither_shown_nor_pickled() -> None:
    key = SecretKey(sha256(b"secret"))
    assert key.secret.hex() not in repr(key)
    assert key.public.hex() in repr(key)
    for leak in (pickle.dumps, copy.deepcopy):
        with pytest.raises(TypeError, match="not pickled"):
            leak(key)


def test_a_tagged_hash_is_that_of_bip_0340() -> None:
    prefix = sha256(b"BIP0340/challenge")
    assert tagged_hash("BIP0340/challenge", b"a", b"bc") == sha256(prefix + prefix + b"abc")
