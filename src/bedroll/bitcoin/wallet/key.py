"""Keys of a wallet: taproot key-path outputs from one seed, or from one key.

Reads: a seed or a secret key.  Gives: output scripts by number, and the secret that spends each.
Never: stores or draws anything.  Spec: docs/spec/bitcoin.md#wallet

Sources: BIP-0032 (derivation), BIP-0086 (path and tweak).
"""

import hmac
from enum import IntEnum
from typing import Final, Protocol

from bedroll.crypto.secp256k1 import SecretKey
from bedroll.primitives import Invalid
from bedroll.protocol import Network

from ..script import taproot_script
from ..taproot import tweak_secret_key

HARDENED: Final = 0x80000000
"""Added to the number of a child that only the secret key derives."""
SEED_SIZE_MIN: Final = 16
SEED_SIZE_MAX: Final = 64


class Branch(IntEnum):
    """Chains of BIP-0044 below an account: what others pay to, and our own change."""

    RECEIVE = 0
    CHANGE = 1


class ExtendedKey:
    """A secret key with the chain code that derives its children (BIP-0032)."""

    __slots__ = ("chain_code", "key")

    def __init__(self, key: SecretKey, chain_code: bytes) -> None:
        self.key = key
        self.chain_code = chain_code

    @staticmethod
    def from_seed(seed: bytes) -> "ExtendedKey":
        """Master key of a seed.

        Raises:
            Invalid: The seed is not 16 to 64 bytes.
        """
        if not SEED_SIZE_MIN <= len(seed) <= SEED_SIZE_MAX:
            raise Invalid("seed has a wrong length", size=len(seed), limit=f"{SEED_SIZE_MIN} to {SEED_SIZE_MAX}")
        digest = hmac.digest(b"Bitcoin seed", seed, "sha512")
        return ExtendedKey(SecretKey(digest[:32]), digest[32:])

    def child(self, number: int) -> "ExtendedKey":
        """One step of derivation; add `HARDENED` for a hardened child.

        Raises:
            BadKey: The one number in 2^127 that has no key.
        """
        front = b"\x00" + self.key.secret if number >= HARDENED else self.key.public
        digest = hmac.digest(self.chain_code, front + number.to_bytes(4, "big"), "sha512")
        return ExtendedKey(self.key.tweak_add(digest[:32]), digest[32:])

    def derive(self, path: str) -> "ExtendedKey":
        """Several steps, written as in `m/86h/0h/0h`, or with apostrophes; `m` is this key itself.

        Raises:
            Invalid: The path is malformed.
        """
        here = self
        for part in path.removeprefix("m/").split("/") if path != "m" else ():
            number = part.removesuffix("h").removesuffix("'")
            plain = number.isascii() and number.isdecimal() and len(number) <= 10 and len(part) - len(number) <= 1
            if not plain or int(number) >= HARDENED:
                raise Invalid("derivation path is malformed", path=path, part=part)
            here = here.child(int(number) + (HARDENED if number != part else 0))
        return here


class Keyring(Protocol):
    """What a wallet asks for keys."""

    def key(self, branch: Branch, index: int) -> SecretKey:
        """Secret of the output key."""
        ...

    def is_endless(self) -> bool:
        """Whether each index is another key."""
        ...


class SeedKeyring:
    """Keys of BIP-0086 under one account."""

    def __init__(self, seed: bytes, network: Network, account: int = 0) -> None:
        coin = 0 if network.bitcoin == "main" else 1
        self._branches = [
            ExtendedKey.from_seed(seed).derive(f"86h/{coin}h/{account}h/{branch.value}") for branch in Branch
        ]

    def key(self, branch: Branch, index: int) -> SecretKey:
        """Secret of the output key."""
        return tweak_secret_key(self._branches[branch].child(index).key)

    def is_endless(self) -> bool:
        """Each index is another key."""
        return True


class SingleKeyring:
    """One key for everything: simple, and everyone sees that the coins belong together."""

    def __init__(self, key: SecretKey) -> None:
        self._key = tweak_secret_key(key)

    def key(self, branch: Branch, index: int) -> SecretKey:  # noqa: ARG002 (the port has them)
        """Secret of the output key."""
        return self._key

    def is_endless(self) -> bool:
        """There is one."""
        return False


def script_of(key: SecretKey) -> bytes:
    """Output script that an output key's secret spends."""
    return taproot_script(key.x_only)
