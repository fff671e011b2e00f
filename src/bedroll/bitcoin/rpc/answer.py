"""What bitcoind's answers look like, as far as they are used.

Reads: decoded JSON.  Gives: typed answers; amounts in satoshi.  Never: a float.
Spec: docs/spec/bitcoin.md#client
"""

from decimal import Decimal
from typing import Final

import msgspec

from bedroll.primitives import COIN, BlockHash, Satoshi, Txid, Unavailable

from ..header import Header

BITCOIN_MAX: Final = Decimal(21_000_000)


class ChainAnswer(msgspec.Struct):
    """`getblockchaininfo`."""

    chain: str
    blocks: int
    bestblockhash: str
    initialblockdownload: bool = False


class HeaderAnswer(msgspec.Struct):
    """`getblockheader` with details."""

    height: int
    version: int
    merkleroot: str
    time: int
    nonce: int
    bits: str
    previousblockhash: str = "00" * 32

    def header(self) -> Header:
        """The header itself."""
        return Header(
            version=self.version,
            previous=BlockHash(hash_of(self.previousblockhash)),
            merkle_root=hash_of(self.merkleroot),
            time=self.time,
            bits=int.from_bytes(bytes_of(self.bits, 4), "big"),
            nonce=self.nonce,
        )


class ScriptAnswer(msgspec.Struct):
    """Script of an output."""

    hex: str


class OutputAnswer(msgspec.Struct):
    """`gettxout`."""

    bestblock: str
    confirmations: int
    value: Decimal
    script: ScriptAnswer = msgspec.field(name="scriptPubKey")
    coinbase: bool = False


class UnspentAnswer(msgspec.Struct):
    """One output of `scantxoutset`."""

    txid: str
    vout: int
    script: str = msgspec.field(name="scriptPubKey")
    amount: Decimal
    height: int
    coinbase: bool = False


class ScanAnswer(msgspec.Struct):
    """`scantxoutset`."""

    success: bool
    unspents: list[UnspentAnswer]


class FeesAnswer(msgspec.Struct):
    """Fees of a transaction."""

    base: Decimal


class EntryAnswer(msgspec.Struct):
    """`getmempoolentry`."""

    vsize: int
    fees: FeesAnswer
    ancestorcount: int
    descendantcount: int


class AcceptAnswer(msgspec.Struct):
    """One transaction of `testmempoolaccept`."""

    txid: str
    allowed: bool | None = None
    vsize: int | None = None
    fees: FeesAnswer | None = None
    reason: str = msgspec.field(name="reject-reason", default="")
    package_error: str = msgspec.field(name="package-error", default="")


class SubmittedAnswer(msgspec.Struct):
    """One transaction of `submitpackage`."""

    txid: str
    error: str | None = None


class PackageAnswer(msgspec.Struct):
    """`submitpackage`."""

    message: str = msgspec.field(name="package_msg")
    transactions: dict[str, SubmittedAnswer] = msgspec.field(name="tx-results")


class EstimateAnswer(msgspec.Struct):
    """`estimatesmartfee`; without a rate where there is too little to judge by."""

    feerate: Decimal | None = None


class PoolAnswer(msgspec.Struct):
    """`getmempoolinfo`."""

    mempoolminfee: Decimal
    minrelaytxfee: Decimal


class TipAnswer(msgspec.Struct):
    """`waitfornewblock`."""

    hash: str
    height: int


def bytes_of(text: str, size: int | None = None) -> bytes:
    """Bytes of hex, of a length if one is given.

    Raises:
        Unavailable: It is not.
    """
    try:
        raw = bytes.fromhex(text)
    except ValueError as failure:
        raise Unavailable("bitcoind's answer is not hex", reason=str(failure)) from failure
    if size is not None and len(raw) != size:
        raise Unavailable("bitcoind's answer has another length", size=len(raw), expected=size)
    return raw


def hash_of(text: str) -> bytes:
    """Hash in internal order from the order that is displayed."""
    return bytes_of(text, 32)[::-1]


def txid_of(text: str) -> Txid:
    """Txid in internal order from the order that is displayed."""
    return Txid(hash_of(text))


def satoshi_of(amount: Decimal) -> Satoshi:
    """Satoshi of an amount in bitcoin.

    Raises:
        Unavailable: It is no amount that can exist.
    """
    if not amount.is_finite() or not 0 <= amount <= BITCOIN_MAX:
        raise Unavailable("bitcoind's answer names an impossible amount", amount=str(amount)[:40], limit=BITCOIN_MAX)
    value = amount * COIN
    if value != int(value):
        raise Unavailable("bitcoind's answer names a fraction of a satoshi", amount=str(amount)[:40])
    return Satoshi(int(value))
