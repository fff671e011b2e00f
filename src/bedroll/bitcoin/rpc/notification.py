"""Hears from bitcoind's ZMQ `sequence` topic that its chain changed.

Reads: messages that may be lost.  Gives: a wake-up.  Never: learns a block from a message: the tip is asked for anew,
so a gap costs nothing but that question.  Spec: docs/spec/bitcoin.md#client
"""

import asyncio
from typing import Final

import zmq
import zmq.asyncio

TOPIC: Final = b"sequence"
_CONNECTED, _DISCONNECTED = b"C", b"D"
_BODY_SIZE: Final = 33
"""Hash and label of a block event; mempool events are longer."""


class Notification:
    """A subscription; `wait` returns when something about blocks was heard or messages are missing."""

    def __init__(self, address: str) -> None:
        self._context = zmq.asyncio.Context()
        self._socket = self._context.socket(zmq.SUB)
        self._socket.setsockopt(zmq.LINGER, 0)
        self._socket.setsockopt(zmq.SUBSCRIBE, TOPIC)
        self._socket.connect(address)
        self._heard = asyncio.Event()
        self._next: int | None = None
        self.gaps = 0
        self._task = asyncio.create_task(self._listen(), name="bitcoin-zmq")

    async def wait(self, seconds: float) -> bool:
        """Wait for news; whether there was any in that time."""
        try:
            async with asyncio.timeout(seconds):
                await self._heard.wait()
        except TimeoutError:
            return False
        self._heard.clear()
        return True

    async def close(self) -> None:
        """End the subscription."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self._socket.close()
        self._context.term()

    async def _listen(self) -> None:
        while True:
            self._hear(await self._socket.recv_multipart())

    def _hear(self, parts: list[bytes]) -> None:
        if len(parts) != 3 or parts[0] != TOPIC or len(parts[2]) != 4:
            return
        number = int.from_bytes(parts[2], "little")
        if self._next is not None and number != self._next:
            self.gaps += 1
            self._heard.set()
        self._next = (number + 1) % (1 << 32)
        if len(parts[1]) == _BODY_SIZE and parts[1][32:] in (_CONNECTED, _DISCONNECTED):
            self._heard.set()
