"""An embedded chain that works until it is killed: mines, pays, forks, writes its state; says each block that it took.

    python -m tests.framework.bitcoin_worker FOLDER SEED [PLACE PASSAGE]

With a place it kills itself there, at that passage. Each line it prints is a block that must never be lost.
"""

import asyncio
import os
import random
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bedroll.bitcoin.client import Coin
from bedroll.bitcoin.embedded.chain import Chain
from bedroll.bitcoin.embedded.index import CoinIndex
from bedroll.bitcoin.embedded.journal import Journal
from bedroll.bitcoin.embedded.kernel import Kernel
from bedroll.bitcoin.transaction import TxOut
from bedroll.primitives import Satoshi
from tests.framework.chain import MATURITY, KeyHolder, RegtestChain, open_embedded, secret_key, spend

PLACES: dict[str, tuple[type, str, bool]] = {
    "before_journal": (Journal, "append", False),
    "after_journal": (Journal, "append", True),
    "after_kernel": (Kernel, "submit", True),
    "in_index_disconnect": (CoinIndex, "disconnect", True),
    "in_index_connect": (CoinIndex, "connect", True),
    "before_index_commit": (CoinIndex, "commit", False),
    "after_index_commit": (CoinIndex, "commit", True),
    "before_checkpoint_write": (Kernel, "close", False),
    "after_checkpoint_write": (Kernel, "close", True),
    "before_journal_clear": (Journal, "clear", False),
    "after_journal_clear": (Journal, "clear", True),
    "after_open": (Chain, "__init__", True),
}
"""Where it can die: a method, and whether after it."""


def arm(place: str, passage: int, act: Callable[[], None]) -> Callable[[], None]:
    """Do something at the `passage`-th time that a place is reached; gives the way to undo the preparation."""
    owner, name, after = PLACES[place]
    original: Callable[..., Any] = getattr(owner, name)
    left = passage

    def armed(*args: Any, **options: Any) -> Any:
        nonlocal left
        left -= 1
        if left == 0 and not after:
            act()
        result = original(*args, **options)
        if left == 0 and after:
            act()
        return result

    setattr(owner, name, armed)
    return lambda: setattr(owner, name, original)


async def work(folder: Path, seed: int, say: Callable[[bytes], None], rounds: int = 1 << 62) -> None:
    """Work for so many rounds, and say each block that the chain took."""
    source = random.Random(seed)
    alice = KeyHolder(secret_key("alice"))
    async with open_embedded(folder, mature=5) as chain:
        say((await chain.client.tip()).hash)
        chain._forks = source.getrandbits(24)
        for _ in range(rounds):
            kind = source.random()
            if kind < 0.25 and await chain.height() > 110:
                for block in await chain.reorg(source.randint(1, 4)):
                    say(block)
                continue
            if kind < 0.3:
                await chain.client.checkpoint()
                continue
            coins = await _ready_coins(chain, alice)
            for coin in source.sample(coins, min(len(coins), 3)):
                half = (coin.value - 500) // 2
                if half > 1_000:
                    payment = spend([alice.input_of(coin)], [TxOut(Satoshi(half), alice.script)] * 2)
                    await chain.client.broadcast([payment.raw])
            script = alice.script if source.random() < 0.5 else chain.miner.script
            for block in await chain.mine(source.randint(1, 5), script):
                say(block)


async def _ready_coins(chain: RegtestChain, holder: KeyHolder) -> list[Coin]:
    height = await chain.height()
    return [
        coin
        for coin in await chain.client.coins([holder.script])
        if (not coin.coinbase or height + 1 - coin.height >= MATURITY)
        and await chain.client.coin(coin.txid, coin.index) is not None
    ]


def _print(block: bytes) -> None:
    print(block.hex(), flush=True)


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    if len(sys.argv) > 3:
        arm(sys.argv[3], int(sys.argv[4]), _die)
    asyncio.run(work(Path(sys.argv[1]), int(sys.argv[2]), _print))
