"""Shows that keccak is Ethereum's, with the original padding."""

import pytest
from eth_hash.auto import keccak as other_keccak

from bedroll.crypto.keccak import keccak256


@pytest.mark.parametrize(
    ("raw", "digest"),
    [
        (b"", "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"),
        (b"abc", "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45"),
    ],
)
def test_known_digests(raw: bytes, digest: str) -> None:
    assert keccak256(raw).hex() == digest


@pytest.mark.parametrize("size", [1, 31, 135, 136, 137, 271, 272, 273, 10_000])
def test_every_way_the_padding_can_fall(size: int) -> None:
    raw = bytes(at % 251 for at in range(size))
    assert keccak256(raw) == other_keccak(raw)
