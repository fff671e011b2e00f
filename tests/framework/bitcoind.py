"""A real bitcoind for tests: started on regtest in a folder of its own, stopped at the end.

`scripts/build_bitcoind.sh` makes the program; BEDROLL_BITCOIND names another one.
"""

import asyncio
import os
import socket
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bedroll.bitcoin.rpc import Access, RpcClient

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
    started: int

    async def wait(self) -> None:
        """Return when it answers: it writes into a pipe then."""
        loop, heard = asyncio.get_running_loop(), asyncio.Event()
        loop.add_reader(self.started, heard.set)
        try:
            async with asyncio.timeout(START_SECONDS):
                await heard.wait()
        finally:
            loop.remove_reader(self.started)
            os.close(self.started)

    def stop(self) -> None:
        """End it as an operator would."""
        self.process.terminate()
        self.process.wait(30)


def start_bitcoind(folder: Path, port: int, zmq_port: int, *options: str) -> Bitcoind:
    """Start without waiting."""
    folder.mkdir(parents=True, exist_ok=True)
    pipe = folder / "started"
    pipe.unlink(missing_ok=True)
    os.mkfifo(pipe)
    started = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    command = [
        str(bitcoind_path()), "-regtest", f"-datadir={folder}", "-server", "-listen=0", "-dnsseed=0", "-fixedseeds=0",
        "-discover=0", "-natpmp=0", "-listenonion=0", "-checkblockindex=0", "-rpcbind=127.0.0.1",
        "-rpcallowip=127.0.0.1", f"-rpcport={port}", f"-zmqpubsequence=tcp://127.0.0.1:{zmq_port}",
        f"-startupnotify=echo started > '{pipe}'", *options,
    ]  # fmt: skip
    with (folder / "output.log").open("ab") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
    access = Access(f"http://127.0.0.1:{port}", cookie=folder / "regtest/.cookie")
    return Bitcoind(process, access, f"tcp://127.0.0.1:{zmq_port}", started)


async def connect(node: Bitcoind, *, zmq: bool = True) -> RpcClient:
    """A client, as soon as the node answers."""
    await node.wait()
    return await RpcClient.open(node.access, "regtest", zmq_address=node.zmq_address if zmq else "")


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
