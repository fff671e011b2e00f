"""Signatures of blocks that were taken on the word of a proof, asked of other nodes.

Reads: blocks of this node, other nodes by JSON-RPC.  Gives: `SignatureExchange`.
Never: keeps a signature that sender and payload do not bear out; needs one to go on.
Spec: docs/spec/node.md#signatures
"""

import asyncio
import logging
from collections.abc import Sequence
from typing import Final

import aiohttp

from bedroll.execution.engine import Block, Engine
from bedroll.primitives import Invalid

from .engine_thread import EngineThread

ASK_SECONDS: Final = 30.0
"""Between rounds over blocks whose signatures nobody had."""
TIMEOUT_SECONDS: Final = 20.0
ANSWER_BYTES_MAX: Final = 32 << 20
WAITING_MAX: Final = 20_000
"""Blocks that are remembered as incomplete; the oldest are forgotten first, and asked for after a restart."""
SCAN_BLOCKS: Final = 5_000
"""Newest blocks that are looked through at the start."""
_LOG: Final = logging.getLogger("bedroll.node.signatures")


class SignatureExchange:
    """Completes blocks of one node from others.

    Attributes:
        urls: JSON-RPC addresses of the nodes that are asked, in order.
        learned: Signatures that were kept, since the start.
        refused: Signatures that were another's, since the start.
    """

    def __init__(self, engine: Engine, thread: EngineThread, urls: Sequence[str]) -> None:
        self.urls = tuple(urls)
        self.learned = 0
        self.refused = 0
        self._engine = engine
        self._thread = thread
        self._waiting: dict[int, None] = {}
        self._wake = asyncio.Event()

    def added(self, block: Block) -> None:
        """A block came; remembered where a signature is missing."""
        if is_incomplete(block):
            self._waiting[block.header.number] = None
            while len(self._waiting) > WAITING_MAX:
                del self._waiting[next(iter(self._waiting))]
            self._wake.set()

    async def run(self) -> None:
        """Ask whenever a block came without signatures, and again in a while; until cancelled."""
        tip = self._engine.tip().number
        for height in range(max(1, tip - SCAN_BLOCKS + 1), tip + 1):
            block = self._engine.block(height)
            if block is not None:
                self.added(block)
            if height % 100 == 0:
                await asyncio.sleep(0)
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            while True:
                await self.step(session)
                self._wake.clear()
                try:
                    async with asyncio.timeout(ASK_SECONDS):
                        await self._wake.wait()
                except TimeoutError:
                    pass

    async def step(self, session: aiohttp.ClientSession) -> None:
        """Ask each node for every incomplete block, until one has what is missing."""
        for height in list(self._waiting):
            for url in self.urls:
                block = self._engine.block(height)
                if block is None or not is_incomplete(block):
                    self._waiting.pop(height, None)
                    break
                answer = await _ask(session, url, block.header.hash)
                if answer is not None:
                    await self._take(block, answer, url)

    async def _take(self, block: Block, answer: Sequence[bytes | None], url: str) -> None:
        """Keep what fits; one that does not is left out, the others are taken."""
        own = block.own_transactions()
        if len(answer) != len(own):
            return
        good: list[bytes | None] = []
        for transaction, signature in zip(own, answer, strict=True):
            try:
                if signature is not None and transaction.is_attested:
                    transaction.with_signatures(signature)
                good.append(signature if transaction.is_attested else None)
            except Invalid:
                self.refused += 1
                good.append(None)
        if self.refused:
            _LOG.warning("a node gave signatures that are another's", extra={"url": url, "refused": self.refused})
        try:
            self.learned += await self._thread.run(self._engine.sign_block, block.header.number, good)
        except Invalid as error:
            # The block left the chain meanwhile.
            _LOG.debug("signatures do not fit any more", extra={"reason": str(error)})


def is_incomplete(block: Block) -> bool:
    """Whether a signature of the leader's transactions is not known here."""
    return any(signature is None for signature in block.own_signatures())


async def _ask(session: aiohttp.ClientSession, url: str, block_hash: bytes) -> list[bytes | None] | None:
    """What a node knows of a block's signatures; None where it does not answer, or not in form."""
    call = {"jsonrpc": "2.0", "id": 1, "method": "bedroll_getSignatures", "params": ["0x" + block_hash.hex()]}
    try:
        async with session.post(url, json=call) as response:
            if (response.content_length or 0) > ANSWER_BYTES_MAX:
                return None
            answer = await response.json(content_type=None)
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        _LOG.debug("a node does not answer", extra={"url": url, "reason": str(error)})
        return None
    result = answer.get("result") if isinstance(answer, dict) else None
    listed = result.get("signatures") if isinstance(result, dict) else None
    if not isinstance(listed, list):
        return None
    try:
        return [None if each is None else bytes.fromhex(str(each).removeprefix("0x")) for each in listed]
    except ValueError:
        return None
