"""L1 headers that light clients need, from Bitcoin, each asked for once.

Reads: a Bitcoin client.  Gives: `HeaderWalk`.  Never: gives a run of headers that is no chain.
Spec: docs/spec/node.md#settlement-proofs
"""

from pathlib import Path
from typing import Final

from bedroll.bitcoin.client import BitcoinClient
from bedroll.bitcoin.work import RETARGET_INTERVAL
from bedroll.crypto import double_sha256
from bedroll.execution.genesis import Genesis
from bedroll.light import AnchorFacts
from bedroll.light.settlement import LIMIT_BITS
from bedroll.primitives import BlockHash, Invalid
from bedroll.storage.durable_file import write_durably

_TIMES: Final = 11


def first_of(height: int) -> int:
    """Height from which headers lead to a block: its period's first, or the tenth before it."""
    return max(0, min(height - height % RETARGET_INTERVAL, height - _TIMES + 1))


class HeaderWalk:
    """Headers by their hash; kept are those of the last walk."""

    def __init__(self, client: BitcoinClient) -> None:
        self._client = client
        self._known: dict[bytes, bytes] = {}

    async def back(self, block: bytes, count: int) -> list[bytes]:
        """So many headers that end with a block, oldest first.

        Raises:
            Unavailable: Bitcoin does not answer.
            Invalid: Bitcoin knows no such block, or gives another header.
        """
        seen: dict[bytes, bytes] = {}
        headers: list[bytes] = []
        while len(headers) < count:
            raw = self._known.get(block)
            if raw is None:
                raw, _ = await self._client.header(BlockHash(block))
                if double_sha256(raw) != block:
                    raise Invalid("Bitcoin gives another header than it was asked for", block=block[::-1])
            seen[block] = raw
            headers.append(raw)
            block = raw[4:36]
        self._known = seen
        return headers[::-1]


async def anchor_headers(client: BitcoinClient, genesis: Genesis, file: Path) -> tuple[bytes, ...]:
    """Headers that lead to the anchor: kept in a file, as Bitcoin is asked for each of up to 2,016.

    Raises:
        Unavailable: Bitcoin does not answer.
    """
    height = genesis.anchor_height
    count = height - first_of(height) + 1
    if file.exists():
        with file.open("rb") as opened:
            raw = opened.read(80 * count + 1)
        headers = [raw[at : at + 80] for at in range(0, len(raw), 80)]
        if len(raw) == 80 * count and BlockHash(double_sha256(headers[-1])) == genesis.anchor_hash:
            return tuple(headers)
    found = await HeaderWalk(client).back(genesis.anchor_hash, count)
    write_durably(file, b"".join(found))
    return tuple(found)


def anchor_facts(genesis: Genesis, headers: tuple[bytes, ...]) -> AnchorFacts:
    """What the rules for L1 headers need to know of them.

    Raises:
        Invalid: They do not lead to the anchor.
    """
    return AnchorFacts.of_headers(genesis.anchor_height, headers, LIMIT_BITS[genesis.network.bitcoin])
