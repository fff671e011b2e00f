"""Shows that a kill at any place loses no block that was taken, and leaves an index equal to one built anew."""

import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bedroll.primitives import BlockHash
from tests.framework.bitcoin_worker import PLACES, arm, work
from tests.framework.chain import open_embedded

ROOT = Path(__file__).resolve().parents[3]
SEED = 20_261_121
START_SECONDS = 60


def start(folder, seed, *options):
    command = [sys.executable, "-m", "tests.framework.bitcoin_worker", str(folder), str(seed), *map(str, options)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish(process):
    """Blocks that a killed worker had said; its end must have been the kill."""
    try:
        said, complaint = process.communicate(timeout=START_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise
    assert process.returncode == -9, complaint
    return {BlockHash(bytes.fromhex(line)) for line in said.split("\n")[:-1] if len(line) == 64}


def contents(index):
    blocks = index._database.execute("select * from block order by height").fetchall()
    coins = "select txid, position, value, script, height, coinbase, spent from coin order by txid, position"
    return blocks, index._database.execute(coins).fetchall()


def build_anew(chain):
    """What the index holds, and what it holds when it is built from the chain alone."""
    kept = contents(chain.index)
    chain.index.clear()
    chain._catch_up()
    return kept, contents(chain.index)


async def check(folder, taken):
    """Everything taken is there; the index is what an index built from the chain alone would be."""
    async with open_embedded(folder) as chain:
        tip = await chain.client.tip()
        heights = [(await chain.client.header(block))[1] for block in taken]
        assert tip.height >= max(heights, default=0)
        for block in taken:
            await chain.client.block(block)
        kept, anew = await chain.client._run(build_anew, chain.client._node._chain)
        assert kept == anew
        return chain.client.replayed


async def test_what_is_on_disk_at_any_named_place_is_enough(tmp_path):
    """A kill keeps what was written to files and loses the rest: a copy of the files is what it leaves."""
    folder, taken, copies = tmp_path / "bitcoin", set(), {}

    def copy(place):
        copies[place] = (tmp_path / place, set(taken))
        shutil.copytree(folder, tmp_path / place)

    undo = [arm(place, 1 if place == "after_open" else 6, lambda place=place: copy(place)) for place in PLACES]
    await work(folder, SEED, lambda block: taken.add(BlockHash(block)), rounds=120)
    for each in reversed(undo):
        each()
    assert copies.keys() == PLACES.keys(), f"the work of seed {SEED} does not pass everywhere"
    replayed = {place: await check(*copies[place]) for place in PLACES}
    assert replayed["after_journal"] > 0
    assert replayed["before_journal_clear"] == 0


async def test_a_killed_process_loses_nothing(tmp_path):
    folder = tmp_path / "bitcoin"
    process = start(folder, SEED)
    taken = {BlockHash(bytes.fromhex(process.stdout.readline().strip())) for _ in range(40)}
    process.kill()
    taken |= finish(process)
    assert len(taken) >= 40
    assert await check(folder, taken) > 0


@pytest.mark.faults
@pytest.mark.timeout(900)
async def test_kills_at_random_moments_lose_nothing(tmp_path):
    folder = tmp_path / "bitcoin"
    source = random.Random(SEED)
    taken, replayed = set(), 0
    for turn in range(25):
        if source.random() < 0.5:
            place = source.choice(list(PLACES))
            seldom = 1 if place == "after_open" else 4 if "checkpoint" in place or "clear" in place else 40
            process = start(folder, SEED + turn, place, source.randint(1, seldom))
        else:
            process = start(folder, SEED + turn)
            for _ in range(source.randint(1, 200)):
                taken.add(BlockHash(bytes.fromhex(process.stdout.readline().strip())))
            process.kill()
        taken |= finish(process)
        replayed += await check(folder, taken)
    assert len(taken) > 1_000
    assert replayed > 500
