"""The two nodes that are compared, each as its own process."""

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

from load import Rpc

CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "bedroll"
ANVIL_VERSION = "1.7.1"
BLOCK_SECONDS = 0.25
"""Between blocks, where they flow."""


class Peer:
    """A running node.

    Attributes:
        name: In tables.
        pid: Its process.
        is_held: Whether it makes blocks when told, and not otherwise.
    """

    name = ""
    is_held = False

    def __init__(self, words: list[str]) -> None:
        self._process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.pid = self._process.pid

    def step(self) -> None:
        """Let blocks come."""

    def settle(self, rpc: Rpc) -> None:
        """Wait until what is in blocks survives a loss of power, where the node promises that."""

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(60)

    def __enter__(self) -> "Peer":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _wait(self, url: str) -> Rpc:
        deadline = time.monotonic() + 60
        while True:
            try:
                rpc = Rpc(url)
                rpc("eth_chainId")
                return rpc
            except OSError:
                if time.monotonic() > deadline or self._process.poll() is not None:
                    raise
                time.sleep(0.05)


class Anvil(Peer):
    """Foundry's development node.

    Args:
        block_seconds: Between blocks; 0: one after every transaction; None: when told.
    """

    name = "anvil"

    def __init__(self, block_seconds: float | None = None) -> None:
        port = free_port()
        self.is_held = block_seconds is None
        pace = ["--no-mining"] if self.is_held else ["--block-time", str(block_seconds)] if block_seconds else []
        mode = [*pace, "--order", "fifo"] if pace else []
        super().__init__([str(install_anvil()), "--port", str(port), "--silent", *mode])
        self.rpc = self._wait(f"http://127.0.0.1:{port}")

    def step(self) -> None:
        if self.is_held:
            self.rpc("evm_mine")
        else:
            time.sleep(0.002)


class Bedroll(Peer):
    """`bedroll devnet`: durable, with its own Bitcoin.

    Args:
        block_seconds: Between blocks; 0: one after every transaction; None: when told.
    """

    name = "bedroll"

    def __init__(self, block_seconds: float | None = None) -> None:
        self.is_held = block_seconds is None
        pace = ["--no-mining", "true"] if self.is_held else ["--block-time", str(block_seconds)]
        words = ["devnet", "--json", "--silent", "--port", "0", *pace, *EXTRA]
        super().__init__([sys.executable, "-m", "bedroll", *words])
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        self.rpc = self._wait(json.loads(line)["rpc"])

    def step(self) -> None:
        if self.is_held:
            self.rpc("bedroll_makeBlock")
        else:
            time.sleep(0.002)

    def settle(self, rpc: Rpc) -> None:
        height = int(rpc("eth_blockNumber"), 16)
        while int(rpc("bedroll_status")["heads"]["durable"]["number"], 16) < height:
            time.sleep(0.002)


EXTRA: list[str] = []


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def install_anvil() -> Path:
    """anvil from npm, once; the program itself, not its wrapper in JavaScript."""
    folder = CACHE / f"anvil-{ANVIL_VERSION}"
    program = folder / "node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil"
    if not program.exists():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "package.json").write_text('{"private": true}')
        words = ["npm", "install", "--silent", "--no-audit", "--no-fund", f"@foundry-rs/anvil@{ANVIL_VERSION}"]
        subprocess.run(words, cwd=folder, check=True)
    return program
