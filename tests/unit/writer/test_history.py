"""Shows that over any history of kills, fees, empty blocks and reorganisations each object is on Bitcoin exactly once.

A history is drawn from a printed seed: objects come, the writer steps or dies at a drawn crash point, blocks are mined
with or without what waits, with the parents alone, and branches of drawn depth replace the newest blocks.
"""

import random

import pytest

from bedroll.bitcoin.transaction import Transaction
from bedroll.bitcoin.wallet import State
from bedroll.da import object_id
from bedroll.da.writer import PostingState, RatePolicy
from bedroll.storage.crash_point import arm, disarm
from tests.framework.chain import RegtestChain
from tests.unit.writer.test_writer import (
    COMMITMENT,
    POINTS,
    Killed,
    _kill,
    batch_object,
    fund,
    open_writer,
    posted,
    settle,
)

STEPS = 40


class Seen:
    """What a history did: a test that kills nothing and reorganises nothing shows nothing."""

    def __init__(self) -> None:
        self.kills = self.reorganisations = self.bare_blocks = self.replaced = 0


async def live(chain: RegtestChain, folder, dice: random.Random, seen: Seen) -> list[bytes]:
    objects: list[bytes] = []
    for step in range(STEPS):
        action = dice.choice(["put", "put", "big", "step", "step", "mine", "mine", "bare", "parent", "reorg"])
        arm(dice.choice([*POINTS, "writer.after_bump_build"]), _kill, passage=dice.randint(1, 12))
        try:
            with open_writer(folder, chain, RatePolicy(patience_blocks=1, cap=8_000)) as writer:
                if action in ("put", "big"):
                    raw = COMMITMENT[:-2] + step.to_bytes(2, "big")
                    objects.append(batch_object(60_000 + step) if action == "big" else raw)
                    writer.put(objects[-1], "batch" if action == "big" else "commitment")
                await writer.step()
                if action == "mine":
                    await chain.mine()
                elif action in ("bare", "parent"):
                    seen.bare_blocks += 1
                    await chain.mine_on((await chain.client.tip()).hash, commits(writer) if action == "parent" else ())
                elif action == "reorg":
                    seen.reorganisations += 1
                    await chain.reorg(dice.randint(1, 5))
                await writer.step()
        except Killed:
            seen.kills += 1
        disarm()
    return objects


def commits(writer) -> list[Transaction]:
    """A commit that waits for a block and whose coins are in one."""
    pending = writer._wallet.payments(state=State.PENDING)
    unconfirmed = {each.transaction.txid for each in pending}
    return [
        each.transaction
        for each in pending
        if len(each.transaction.inputs[0].witness) == 1
        and not any(one.previous.txid in unconfirmed for one in each.transaction.inputs)
    ][:1]


async def check(chain: RegtestChain, folder, seed: int) -> Seen:
    print(f"seed {seed}")
    disarm()
    dice, seen = random.Random(seed), Seen()
    await fund(chain, folder, count=4, value=3_000_000)
    # The wallet's money must outlive the deepest reorganisation.
    await chain.mine(6)
    objects = await live(chain, folder, dice, seen)
    with open_writer(folder, chain) as writer:
        for raw in objects:
            writer.put(raw, "batch")
        for _ in range(40):
            await settle(writer, chain, 1)
            states = [writer.find(object_id(raw)).state for raw in objects]
            if all(state is PostingState.CONFIRMED for state in states):
                break
        numbers = [len(writer._queue.attempts(writer.find(object_id(raw)).id)) for raw in objects]
        seen.replaced = sum(number > 1 for number in numbers)
    assert all(state is PostingState.CONFIRMED for state in states), states
    assert sorted(raw for raw, _ in await posted(chain)) == sorted(objects)
    return seen


@pytest.mark.parametrize("seed", [1, 2])
async def test_each_object_is_posted_exactly_once(embedded_chain, tmp_path, seed):
    seen = await check(embedded_chain, tmp_path, seed)
    assert seen.kills >= 2
    assert seen.reorganisations >= 1
    assert seen.bare_blocks >= 1


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 140))
async def test_each_object_is_posted_exactly_once_over_many_histories(embedded_chain, tmp_path, seed):
    await check(embedded_chain, tmp_path, seed)
