"""Keys from words, as wallets derive them.

Reads: a mnemonic of BIP-0039.  Gives: `accounts_of`, the words every development node uses.
Never: makes new words.  Spec: docs/spec/sdk.md#mnemonic

Sources: BIP-0039 (seed), BIP-0032 (derivation), BIP-0044 with coin type 60, path m/44'/60'/0'/0/n.
"""

import hashlib
import hmac
import unicodedata
from typing import Final

from coincurve import PrivateKey

from .account import Account

DEVNET_MNEMONIC: Final = "test test test test test test test test test test test junk"
"""The words of anvil, Hardhat and Foundry; everybody knows their keys."""

_HARDENED: Final = 1 << 31
_PATH: Final = (44 + _HARDENED, 60 + _HARDENED, _HARDENED, 0)


def accounts_of(mnemonic: str, count: int) -> list[Account]:
    """The first `count` accounts of a mnemonic without passphrase."""
    words = unicodedata.normalize("NFKD", " ".join(mnemonic.split())).encode()
    seed = hashlib.pbkdf2_hmac("sha512", words, b"mnemonic", 2048)
    node = hmac.digest(b"Bitcoin seed", seed, "sha512")
    for index in _PATH:
        node = _child(node, index)
    return [Account(_child(node, index)[:32]) for index in range(count)]


def _child(node: bytes, index: int) -> bytes:
    """Private child key (BIP-0032): 32 bytes of key, 32 of chain code."""
    secret, chain_code = node[:32], node[32:]
    key = PrivateKey(secret)
    start = b"\0" + secret if index >= _HARDENED else key.public_key.format()
    digest = hmac.digest(chain_code, start + index.to_bytes(4, "big"), "sha512")
    return bytes(key.add(digest[:32]).secret) + digest[32:]
