"""Keys on secp256k1, through the libsecp256k1 that coincurve brings.

Reads: secret and public keys as bytes.  Gives: `SecretKey`, tweaks, keys of either serialisation.
Never: shows a secret in a representation, pickles it, or draws randomness.  Spec: docs/spec/crypto.md#keys
"""

from typing import Any, Final, NoReturn

from coincurve._libsecp256k1 import ffi, lib
from coincurve.context import GLOBAL_CONTEXT

from bedroll.primitives import Invalid

CONTEXT: Final = GLOBAL_CONTEXT.ctx
"""Blinded against side channels by coincurve at import; read only afterwards, so that threads may share it."""
ORDER: Final = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
"""Order n of the group."""

_COMPRESSED: Final = 258


class BadKey(Invalid):
    """Bytes are not a key: zero, not below the order, or not on the curve."""


class SecretKey:
    """A secret key with its public half.

    Attributes:
        x_only: Public key of BIP-0340, 32 bytes.
        public: Compressed public key, 33 bytes.
    """

    __slots__ = ("_pair", "public", "x_only")

    public: bytes
    x_only: bytes

    def __init__(self, secret: bytes) -> None:
        if len(secret) != 32:
            raise BadKey("secret key is not 32 bytes", size=len(secret))
        pair = ffi.new("secp256k1_keypair *")
        if not lib.secp256k1_keypair_create(CONTEXT, pair, secret):
            raise BadKey("secret key is zero or not below the order")
        self._pair = pair
        key = ffi.new("secp256k1_pubkey *")
        lib.secp256k1_keypair_pub(CONTEXT, key, pair)
        self.public = serialize_public(key)
        self.x_only = self.public[1:]

    @property
    def secret(self) -> bytes:
        """The 32 secret bytes, for storage under encryption."""
        out = ffi.new("unsigned char[32]")
        lib.secp256k1_keypair_sec(CONTEXT, out, self._pair)
        return bytes(out)

    @property
    def pair(self) -> Any:
        """The library's key pair."""
        return self._pair

    def tweak_x_only(self, tweak: bytes) -> "SecretKey":
        """Secret key of `x_only` + tweak × G (BIP-0341): negated first where the public key is odd.

        Raises:
            BadKey: The tweak is not below the order, or the sum is zero.
        """
        pair = ffi.new("secp256k1_keypair *")
        ffi.memmove(pair, self._pair, ffi.sizeof("secp256k1_keypair"))
        if len(tweak) != 32 or not lib.secp256k1_keypair_xonly_tweak_add(CONTEXT, pair, tweak):
            raise BadKey("tweak is not below the order, or cancels the key", tweak=tweak)
        out = ffi.new("unsigned char[32]")
        lib.secp256k1_keypair_sec(CONTEXT, out, pair)
        return SecretKey(bytes(out))

    def tweak_add(self, tweak: bytes) -> "SecretKey":
        """Secret key + tweak, modulo the order (BIP-0032).

        Raises:
            BadKey: The tweak is not below the order, or the sum is zero.
        """
        out = ffi.new("unsigned char[32]", self.secret)
        if len(tweak) != 32 or not lib.secp256k1_ec_seckey_tweak_add(CONTEXT, out, tweak):
            raise BadKey("tweak is not below the order, or cancels the key")
        return SecretKey(bytes(out))

    def __repr__(self) -> str:
        return f"SecretKey(public={self.public.hex()})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret key is not pickled")


def parse_public(raw: bytes) -> Any:
    """Read a compressed (33) or uncompressed (65) public key into the library's form.

    Raises:
        BadKey: It is not on the curve or of another length.
    """
    key = ffi.new("secp256k1_pubkey *")
    if len(raw) not in (33, 65) or not lib.secp256k1_ec_pubkey_parse(CONTEXT, key, raw, len(raw)):
        raise BadKey("public key is not on the curve", key=raw)
    return key


def serialize_public(key: Any) -> bytes:
    """Compressed form, 33 bytes, of the library's public key."""
    out = ffi.new("unsigned char[33]")
    size = ffi.new("size_t *", 33)
    lib.secp256k1_ec_pubkey_serialize(CONTEXT, out, size, key, _COMPRESSED)
    return bytes(out)


def parse_x_only(raw: bytes) -> Any:
    """Read an x-only public key (BIP-0340), 32 bytes, into the library's form.

    Raises:
        BadKey: No point of the curve has this x.
    """
    key = ffi.new("secp256k1_xonly_pubkey *")
    if len(raw) != 32 or not lib.secp256k1_xonly_pubkey_parse(CONTEXT, key, raw):
        raise BadKey("x-only public key is not on the curve", key=raw)
    return key


def is_x_only(raw: bytes) -> bool:
    """Whether 32 bytes are the x coordinate of a point."""
    key = ffi.new("secp256k1_xonly_pubkey *")
    return len(raw) == 32 and bool(lib.secp256k1_xonly_pubkey_parse(CONTEXT, key, raw))


def tweak_x_only(raw: bytes, tweak: bytes) -> tuple[bytes, int]:
    """Public key + tweak × G (BIP-0341).

    Returns:
        x coordinate, 32 bytes, and parity of y.

    Raises:
        BadKey: The key is not on the curve, the tweak not below the order, or they cancel.
    """
    key = ffi.new("secp256k1_pubkey *")
    if len(tweak) != 32 or not lib.secp256k1_xonly_pubkey_tweak_add(CONTEXT, key, parse_x_only(raw), tweak):
        raise BadKey("tweak is not below the order, or cancels the key", tweak=tweak)
    public = serialize_public(key)
    return public[1:], public[0] & 1
