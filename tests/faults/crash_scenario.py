"""A leader's day as a process of its own, made to die at a crash point and to go on when it is started again.

    BEDROLL_CRASH_POINT=sequencer.after_commit:2 python -m tests.faults.crash_scenario FOLDER

It sends transfers, makes blocks, posts, mines, lives through a reorganisation and a fee bump, and ends when everything
that was ever acknowledged is derived from Bitcoin. Then it holds the chain against a node from an empty disk and
prints what it found. The file `acknowledged` in the folder is what its user was promised.
"""

import asyncio
import json
import os
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

from bedroll.da import object_id, scan_block
from bedroll.da.writer import RatePolicy
from bedroll.primitives import L1Height
from bedroll.protocol import REGTEST
from bedroll.storage.crash_point import passages
from tests.framework.chain import open_embedded
from tests.framework.devnet import OPTION, Clock, Rollup, assert_same_chain, open_rollup

ROUNDS = 4
PER_ROUND = 5


async def live(folder: Path) -> dict[str, object]:
    promised = folder / "acknowledged"
    folder.mkdir(parents=True, exist_ok=True)
    promised.touch()
    option = replace(OPTION, sync=True, rates=RatePolicy(patience_blocks=1))
    async with open_embedded(folder / "bitcoin") as chain:
        # The leader's clock goes on over restarts as a real one does.
        clock = Clock()
        clock.now += 10_000 * len(list(folder.glob("run.*")))
        (folder / f"run.{len(list(folder.glob('run.*')))}").touch()
        async with open_rollup(folder / "net", chain, option, clock) as rollup:
            while (done := len(promised.read_text().split())) < ROUNDS * PER_ROUND:
                await work(rollup, promised, done)
                if done == PER_ROUND:
                    await chain.reorg(2)
                    await rollup.follow()
                if done == 2 * PER_ROUND:
                    await rollup.post()
                    await chain.mine_on((await chain.client.tip()).hash)
                    await rollup.follow()
            return await judge(rollup, folder, promised.read_text().split())


async def work(rollup: Rollup, promised: Path, done: int) -> None:
    for _ in range(PER_ROUND):
        (hash,) = await rollup.send(rollup.transfer(done % 3, to=10))
        with promised.open("a") as file:
            file.write(hash.hex() + "\n")
    await rollup.block(2)
    await rollup.post()
    await rollup.mine()


async def judge(rollup: Rollup, folder: Path, promised: list[str]) -> dict[str, object]:
    engine = rollup.node.engine
    for _ in range(12):
        if all(engine.find_transaction(bytes.fromhex(each)) for each in promised):
            break
        await rollup.block()
    for _ in range(6):
        await rollup.post()
        await rollup.mine()
        heads = rollup.node.heads()
        if heads.safe == heads.latest:
            break
    heads = rollup.node.heads()
    lost = [each for each in promised if engine.find_transaction(bytes.fromhex(each)) is None]
    async with rollup.fresh_node(folder / f"fresh.{os.getpid()}") as fresh:
        assert_same_chain(engine, fresh.engine, heads.safe.height)
    objects = Counter(await objects_of(rollup))
    return {
        "promised": len(promised),
        "lost": lost,
        "settled": heads.safe == heads.latest,
        "twice": [named.hex() for named, count in objects.items() if count > 1],
        "objects": len(objects),
        "signed": rollup.leader.finisher.signed_height,
        "passages": passages(),
    }


async def objects_of(rollup: Rollup) -> list[bytes]:
    found = []
    for height in range(1, await rollup.chain.height() + 1):
        block = await rollup.chain.client.block_hash(L1Height(height))
        assert block is not None
        scan = scan_block(await rollup.chain.client.block(block), REGTEST.parameters.tag)
        found += [object_id(raw) for each in scan.relevant for _, raw, _ in each.objects if raw is not None]
    return found


if __name__ == "__main__":
    print(json.dumps(asyncio.run(live(Path(sys.argv[1])))))
