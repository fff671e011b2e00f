"""A real bitcoind for tests: started on regtest in a folder of its own, stopped at the end.

`scripts/build_bitcoind.sh` makes the program; BEDROLL_BITCOIND names another one.
"""

import asyncio
import os
import socket
import subprocess
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bedroll.bitcoin.rpc import Access, RpcClient
from bedroll.primitives import Unavailable

START_SECONDS = 30


def bitcoind_path() -> Path:
    """The program; an error that says how to get it if there is none."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    path = Path(os.environ.get("BEDROLL_BITCOIND") or cache / "bedroll/bitcoind/bitcoind")
    if not path.is_file():
        raise FileNotFoundError(f"no bitcoind at {path}: run scripts/build_bitcoind.sh")
    return path


def free_port() -> int:
    """A port that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Bitcoind:
    """A running bitcoind."""

    process: subprocess.Popen[bytes]
    access: Access
    zmq_address: str

    def stop(self) -> None:
        """End it as an operator would."""
        self.process.terminate()
        self.process.wait(30)


def start_bitcoind(folder: Path, port: int, zmq_port: int, *options: str) -> Bitcoind:
    """Start without waiting."""
    folder.mkdir(parents=True, exist_ok=True)
    command = [
        str(bitcoind_path()), "-regtest", f"-datadir={folder}", "-server", "-listen=0", "-dnsseed=0", "-fixedseeds=0",
        "-discover=0", "-natpmp=0", "-listenonion=0", "-checkblockindex=0", "-rpcbind=127.0.0.1",
        "-rpcallowip=127.0.0.1", f"-rpcport={port}", f"-zmqpubsequence=tcp://127.0.0.1:{zmq_port}", *options,
    ]  # fmt: skip
    with (folder / "output.log").open("ab") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
    access = Access(f"http://127.0.0.1:{port}", cookie=folder / "regtest/.cookie")
    return Bitcoind(process, access, f"tcp://127.0.0.1:{zmq_port}")


async def connect(node: Bitcoind, *, zmq: bool = True) -> RpcClient:
    """A client, as soon as the node answers."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            return await RpcClient.open(node.access, "regtest", zmq_address=node.zmq_address if zmq else "")
        except Unavailable:
            if time.monotonic() > deadline or node.process.poll() is not None:
                raise
            await asyncio.sleep(0.05)


@asynccontextmanager
async def run_bitcoind(folder: Path, *options: str, zmq: bool = True) -> AsyncIterator[RpcClient]:
    """A client of a fresh bitcoind."""
    node = start_bitcoind(folder, free_port(), free_port(), *options)
    try:
        client = await connect(node, zmq=zmq)
        try:
            yield client
        finally:
            await client.close()
    finally:
        node.stop()
