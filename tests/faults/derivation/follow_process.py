"""A process that derives a chain from files, to be killed: python -m tests.faults.derivation.follow_process FOLDER."""

import asyncio
import pickle
import sys
from pathlib import Path

from bedroll.execution.engine import Engine
from bedroll.execution.genesis import Genesis
from bedroll.metrics import Metrics
from bedroll.node.deriver import Deriver
from bedroll.node.engine_thread import EngineThread
from bedroll.node.store import NodeStore
from tests.framework.handmade_client import HandmadeClient

MAP_SIZE_BYTES = 1 << 30


async def follow(folder):
    """Derive the first branch, then the second; print the tip and the checkpoint's hash."""
    genesis = Genesis.from_json((folder / "genesis.json").read_text())
    anchor, branches = pickle.loads((folder / "l1").read_bytes())
    client = HandmadeClient(genesis.anchor_height, anchor, branches[0])
    engine = Engine.open(str(folder / "engine"), genesis.core_json(), map_size_bytes=MAP_SIZE_BYTES)
    store = NodeStore(folder / "node.sqlite")
    thread = EngineThread()
    deriver = Deriver(engine, thread, asyncio.Lock(), client, genesis, store, Metrics(), keep_unsafe=False)
    if (folder / "second").exists():
        client.switch([anchor, *branches[1]])
    await deriver.check_anchor()
    await deriver.open([anchor[:80]])
    await deriver.catch_up()
    if not (folder / "second").exists():
        (folder / "second").touch()
        client.switch([anchor, *branches[1]])
        await deriver.catch_up()
    print(engine.tip().hash.hex(), deriver.height)
    thread.close()
    store.close()
    engine.close()


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    (folder / "engine").mkdir(exist_ok=True)
    asyncio.run(follow(folder))
