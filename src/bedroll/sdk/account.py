"""An Ethereum key: its address, and what it signs.

Reads: 32 secret bytes.  Gives: `Account`.
Never: draws randomness (nonces are RFC 6979's) or shows the secret in a representation.  Spec: docs/spec/sdk.md#account
"""

from typing import Final, NoReturn

from coincurve import PrivateKey

from bedroll.crypto.keccak import keccak256
from bedroll.encoding.rlp import RlpItem, encode_integer, encode_rlp
from bedroll.primitives import Address, Gas, Wei

_NOTHING: Final = Wei(0)
_MESSAGE_PREFIX: Final = b"\x19Ethereum Signed Message:\n"


class Account:
    """A key with its address.

    Attributes:
        address: 20 bytes.
    """

    __slots__ = ("_key", "address")

    address: Address

    def __init__(self, secret: bytes) -> None:
        self._key = PrivateKey(secret)
        self.address = Address(keccak256(self._key.public_key.format(compressed=False)[1:])[12:])

    def __repr__(self) -> str:
        return f"Account({checksum_address(self.address)})"

    def __reduce__(self) -> NoReturn:
        """Refuse to be pickled."""
        raise TypeError("a key is not pickled")

    @property
    def secret(self) -> bytes:
        """The 32 secret bytes, to be shown on a devnet or stored under encryption."""
        return bytes(self._key.secret)

    def sign_hash(self, digest: bytes) -> tuple[int, int, int]:
        """Parity of the nonce point, r and s (low) over a 32-byte hash."""
        signature = self._key.sign_recoverable(digest, hasher=None)
        return signature[64], int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:64], "big")

    def sign_message(self, message: bytes) -> bytes:
        """65 bytes r ‖ s ‖ v over a message with Ethereum's prefix (EIP-191, version 0x45)."""
        return self.sign_digest(keccak256(_MESSAGE_PREFIX + str(len(message)).encode() + message))

    def sign_digest(self, digest: bytes) -> bytes:
        """65 bytes r ‖ s ‖ v over a 32-byte hash, v being 27 or 28."""
        parity, r, s = self.sign_hash(digest)
        return r.to_bytes(32, "big") + s.to_bytes(32, "big") + bytes([27 + parity])

    def sign_transaction(
        self,
        *,
        chain_id: int,
        nonce: int,
        gas_limit: Gas,
        max_fee_per_gas: Wei,
        max_priority_fee_per_gas: Wei,
        to: Address | None = None,
        value: Wei = _NOTHING,
        data: bytes = b"",
        access_list: list[tuple[bytes, list[bytes]]] | None = None,
    ) -> bytes:
        """A signed transaction of type 2 (EIP-1559), as `eth_sendRawTransaction` takes it. `to` None: a creation."""
        signed = (chain_id, nonce, gas_limit, max_fee_per_gas, max_priority_fee_per_gas, to, value, data, access_list)
        fields = _fields(*signed)
        parity, r, s = self.sign_hash(keccak256(b"\x02" + encode_rlp(fields)))
        return b"\x02" + encode_rlp([*fields, encode_integer(parity), encode_integer(r), encode_integer(s)])


def encode_transaction(
    *,
    chain_id: int,
    nonce: int,
    gas_limit: Gas,
    max_fee_per_gas: Wei,
    max_priority_fee_per_gas: Wei,
    to: Address | None = None,
    value: Wei = _NOTHING,
    data: bytes = b"",
    access_list: list[tuple[bytes, list[bytes]]] | None = None,
) -> bytes:
    """The same transaction with zeros where its signature will stand."""
    fields = _fields(
        chain_id, nonce, gas_limit, max_fee_per_gas, max_priority_fee_per_gas, to, value, data, access_list
    )
    return b"\x02" + encode_rlp([*fields, b"", b"", b""])


def _fields(
    chain_id: int,
    nonce: int,
    gas_limit: Gas,
    max_fee_per_gas: Wei,
    max_priority_fee_per_gas: Wei,
    to: Address | None,
    value: Wei,
    data: bytes,
    access_list: list[tuple[bytes, list[bytes]]] | None,
) -> list[RlpItem]:
    """Fields of EIP-1559 in their order, without the signature."""
    rows: list[RlpItem] = [[address, keys] for address, keys in access_list or []]
    return [
        *(encode_integer(n) for n in (chain_id, nonce, max_priority_fee_per_gas, max_fee_per_gas, gas_limit)),
        bytes(to or b""),
        encode_integer(value),
        data,
        rows,
    ]


def checksum_address(address: bytes) -> str:
    """Hexadecimal with the checksum in its letters (EIP-55)."""
    digits = address.hex()
    digest = keccak256(digits.encode()).hex()
    shown = (digit.upper() if int(mark, 16) >= 8 else digit for digit, mark in zip(digits, digest, strict=False))
    return "0x" + "".join(shown)
