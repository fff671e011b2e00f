"""BIP-0340 signatures.

Reads: messages, keys, signatures from anyone, auxiliary entropy from the caller.  Gives: 64-byte signatures, verdicts.
Never: draws randomness.  Spec: docs/spec/crypto.md#schnorr
"""

from typing import Final

from coincurve._libsecp256k1 import ffi, lib

from bedroll.primitives import Invalid

from .secp256k1 import CONTEXT, SecretKey

SIGNATURE_SIZE: Final = 64


class BadSignature(Invalid):
    """A signature does not verify under its key."""


def sign(key: SecretKey, digest: bytes, entropy: bytes = bytes(32)) -> bytes:
    """Sign a 32-byte digest.

    Args:
        key: Whose signature it is.
        digest: 32 bytes.
        entropy: 32 bytes; protects against fault attacks. The default makes signatures deterministic.
    """
    if len(digest) != 32 or len(entropy) != 32:
        raise Invalid("digest and entropy are 32 bytes", digest=len(digest), entropy=len(entropy))
    out = ffi.new("unsigned char[64]")
    lib.secp256k1_schnorrsig_sign32(CONTEXT, out, digest, key.pair, entropy)
    return bytes(out)


def is_valid(x_only: bytes, message: bytes, signature: bytes) -> bool:
    """Whether a signature verifies; false for malformed keys and signatures.

    Args:
        x_only: Public key, 32 bytes.
        message: Of any length.
        signature: 64 bytes.
    """
    if len(signature) != SIGNATURE_SIZE or len(x_only) != 32:
        return False
    key = ffi.new("secp256k1_xonly_pubkey *")
    if not lib.secp256k1_xonly_pubkey_parse(CONTEXT, key, x_only):
        return False
    return bool(lib.secp256k1_schnorrsig_verify(CONTEXT, signature, message, len(message), key))


def verify(x_only: bytes, message: bytes, signature: bytes) -> None:
    """Verify a signature.

    Raises:
        BadSignature: It does not verify.
    """
    if not is_valid(x_only, message, signature):
        raise BadSignature("signature does not verify", key=x_only)
