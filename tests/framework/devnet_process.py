"""`bedroll devnet` as a process of its own, as people start it."""

import json
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from bedroll.sdk import RpcClient


@dataclass(frozen=True)
class Devnet:
    """A running devnet and what it said when it was ready."""

    process: subprocess.Popen[str]
    ready: dict[str, object]

    @property
    def url(self) -> str:
        """Of HTTP."""
        return str(self.ready["rpc"])

    @property
    def socket_url(self) -> str:
        """Of WebSocket."""
        return self.url.replace("http://", "ws://")

    @property
    def chain_id(self) -> int:
        """EIP-155."""
        return int(str(self.ready["chainId"]))


@contextmanager
def running_devnet(folder: Path, *options: str) -> Iterator[Devnet]:
    """Start one on a free port and stop it by SIGTERM; its exit code must be 0."""
    command = [
        sys.executable,
        "-m",
        "bedroll",
        "devnet",
        "--json",
        "--silent",
        "--rpc-port",
        "0",
        "--folder",
        str(folder),
        *options,
    ]
    with (folder.parent / "devnet.log").open("w") as log:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            assert line, (folder.parent / "devnet.log").read_text()
            yield Devnet(process, json.loads(line))
        finally:
            process.send_signal(signal.SIGTERM)
            process.stdout.close()
            code = process.wait(30)
    assert code == 0, (folder.parent / "devnet.log").read_text()


@asynccontextmanager
async def new_heads(url: str) -> AsyncIterator[Callable[[], Awaitable[object]]]:
    """A leader's blocks as the clock of a test: what may have changed has changed with a block. Call it to wait."""
    async with aiohttp.ClientSession() as session, session.ws_connect(url) as socket:
        await socket.send_json({"jsonrpc": "2.0", "id": 1, "method": "eth_subscribe", "params": ["newHeads"]})
        await socket.receive_json()
        yield socket.receive_json


async def ask_until(
    leader: str, client: RpcClient, method: str, *params: object, wanted: Callable[[Any], bool] = bool
) -> Any:
    """Ask a node, with every block of the leader, until the answer is as wanted."""
    async with new_heads(leader) as next_head:
        while not wanted(answer := await client.call(method, *params)):
            await next_head()
    return answer
