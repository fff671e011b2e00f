"""`BitcoinClient` over the embedded node.

Reads: calls on the event loop.  Gives: answers from the node's own thread.
Never: blocks the loop while a block is checked.  Spec: docs/spec/bitcoin.md#client
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar, TypeVarTuple

from bedroll.primitives import BlockHash, FeeRate, L1Height, Txid, Unavailable

from ..client import Acceptance, BlockRef, Coin, MempoolEntry
from ..refusal import choose_refusal
from .node import Node
from .package import PackageOutcome

Arguments = TypeVarTuple("Arguments")
T = TypeVar("T")


class EmbeddedClient:
    """A regtest chain in this process, durable under one folder; `open` makes one."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._thread: ThreadPoolExecutor | None = ThreadPoolExecutor(1, thread_name_prefix="bitcoin")
        self._moved = asyncio.Event()
        self._node: Node
        self._tip: BlockRef

    @staticmethod
    async def open(folder: Path, clock: Callable[[], int] | None = None) -> "EmbeddedClient":
        """Open the chain in a folder, or start one there.

        Args:
            folder: Locked against other processes while open.
            clock: Seconds that mined blocks carry, if later than the chain allows at least. The real clock by default;
                another must not run two hours ahead of it.

        Raises:
            Misconfigured: The folder is in use.
        """
        client = EmbeddedClient(asyncio.get_running_loop())
        try:
            client._node = await client._run(Node, folder, clock or _now, client._note_move)
        except BaseException:
            client._stop()
            raise
        client._publish(client._node.tip())
        return client

    @property
    def replayed(self) -> int:
        """Blocks that the journal gave back when the chain was opened."""
        return self._node.replayed

    async def tip(self) -> BlockRef:
        """Newest block of the best chain."""
        self._require_open()
        return self._tip

    async def block_hash(self, height: L1Height) -> BlockHash | None:
        """Hash at a height of the best chain; None above the tip."""
        return await self._ask(self._node.block_hash, height)

    async def header(self, block: BlockHash) -> tuple[bytes, L1Height]:
        """80-byte header and height of any known block. Invalid if unknown."""
        return await self._ask(self._node.header, block)

    async def block(self, block: BlockHash) -> bytes:
        """Serialised block with witnesses. Invalid if unknown."""
        return await self._ask(self._node.block, block)

    async def wait_for_tip(self, known: BlockHash, timeout_seconds: float) -> BlockRef:
        """Return when the tip differs from `known`, or after the timeout."""
        deadline = self._loop.time() + timeout_seconds
        while self._tip.hash == known and self._thread is not None:
            try:
                async with asyncio.timeout_at(deadline):
                    await self._moved.wait()
            except TimeoutError:
                break
        return await self.tip()

    async def broadcast(self, package: Sequence[bytes]) -> None:
        """Hand in one transaction, or parents with their child. Known already is success."""
        if len(package) == 1:
            await self.submit(package[0])
            return
        outcome = await self.submit_package(package)
        errors = [(each.txid, each.error or None) for each in outcome.transactions]
        if (refusal := choose_refusal(outcome.message, errors)) is not None:
            raise refusal

    async def submit(self, raw: bytes) -> Txid:
        """Hand in one transaction."""
        return await self._ask(self._node.submit, raw)

    async def submit_package(self, package: Sequence[bytes]) -> PackageOutcome:
        """The same, told transaction by transaction."""
        return await self._ask(self._node.submit_package, package)

    async def test_accept(self, transactions: Sequence[bytes]) -> list[Acceptance]:
        """Ask what `broadcast` would say, in order, changing nothing."""
        return await self._ask(self._node.test_accept, transactions)

    async def test_package(self, transactions: Sequence[bytes]) -> PackageOutcome:
        """The same with Bitcoin Core's details."""
        return await self._ask(self._node.test, transactions)

    async def mempool_entry(self, txid: Txid) -> MempoolEntry | None:
        """The unconfirmed transaction, if the node has it."""
        return await self._ask(self._node.mempool_entry, txid)

    async def mempool(self) -> list[Txid]:
        """All unconfirmed transactions, in no order."""
        return await self._ask(self._node.mempool)

    async def mempool_size(self) -> tuple[int, int]:
        """How many there are, and their virtual bytes."""
        return await self._ask(self._node.mempool_size)

    async def coin(self, txid: Txid, index: int) -> Coin | None:
        """An unspent output, unconfirmed ones and spends by the mempool taken into account."""
        return await self._ask(self._node.coin, txid, index)

    async def coins(self, scripts: Sequence[bytes]) -> list[Coin]:
        """All confirmed unspent outputs with one of these scripts, by height, transaction, position."""
        return await self._ask(self._node.coins, scripts)

    async def fee_rate(self, blocks: int) -> FeeRate:
        """Rate at which a transaction gets into the next `blocks` blocks as the mempool is now."""
        return await self._ask(self._node.fee_rate, blocks)

    async def mine(self, count: int, script: bytes) -> list[BlockHash]:
        """Mine blocks, coinbase to `script`; they are durable on return."""
        return await self._ask(self._node.mine, count, script)

    async def submit_block(self, raw: bytes) -> None:
        """Hand in a block from elsewhere, on any parent.

        Raises:
            RejectedBlock: With Bitcoin Core's reason.
            Invalid: It does not parse.
        """
        await self._ask(self._node.submit_blocks, [raw])

    async def checkpoint(self) -> None:
        """Make Bitcoin Core's code write its state now, so that nothing has to be replayed."""
        await self._ask(self._node.checkpoint)

    async def close(self) -> None:
        """Let go of the folder; the chain is durable afterwards. A second call does nothing."""
        if self._thread is None:
            return
        try:
            await self._run(self._node.close)
        finally:
            self._stop()

    def _stop(self) -> None:
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.shutdown()
        self._moved.set()

    def _require_open(self) -> ThreadPoolExecutor:
        if self._thread is None:
            raise Unavailable("the embedded Bitcoin chain is closed")
        return self._thread

    async def _ask(self, call: Callable[[*Arguments], T], *args: *Arguments) -> T:
        return await self._run(self._node.ask, call, *args)

    async def _run(self, call: Callable[[*Arguments], T], *args: *Arguments) -> T:
        return await self._loop.run_in_executor(self._require_open(), call, *args)

    def _note_move(self) -> None:
        # On the node's thread. What is scheduled here runs before the call that moved the tip returns.
        self._loop.call_soon_threadsafe(self._publish, self._node.tip())

    def _publish(self, tip: tuple[L1Height, BlockHash]) -> None:
        self._tip = BlockRef(*tip)
        self._moved.set()
        self._moved = asyncio.Event()


def _now() -> int:
    return int(time.time())
