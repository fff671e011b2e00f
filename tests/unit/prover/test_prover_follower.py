"""Each range that a node derives becomes one job, in order, whatever the node does meanwhile."""

from dataclasses import replace

import pytest

from bedroll.primitives import Unavailable
from bedroll.prover import Follower, ProgramDiverged, Range
from tests.unit.prover.conftest import given


class Node:
    """Derives ranges of three blocks up to a height; does not answer `silent` times first."""

    def __init__(self, last, silent=0):
        self.last, self.silent, self.asked = last, silent, []

    async def range_of(self, height):
        self.asked.append(height)
        if self.silent:
            self.silent -= 1
            raise Unavailable("no answer")
        first = (height - 1) // 3 * 3 + 1
        if first + 2 > self.last:
            return None
        return Range(first=first, last=first + 2, kind="batch", given=given(first=first))


class Enough(Exception):
    """Ends a run after its waits."""


async def followed(node, prover, waits):
    left = [None] * waits

    async def wait(_seconds):
        if not left:
            raise Enough
        left.pop()

    follower = Follower(node, prover, 1, wait=wait)
    with pytest.raises(Enough):
        await follower.run()
    return follower


async def test_every_range_is_queued_once_and_in_order(opened):
    prover = opened()
    follower = await followed(Node(9), prover, waits=2)
    assert [job.title for job in prover.queue.jobs()] == ["batch 1 to 3", "batch 4 to 6", "batch 7 to 9"]
    assert follower.next == 10


async def test_what_the_node_states_of_a_range_goes_with_it(opened):
    class Stating(Node):
        async def range_of(self, height):
            found = await super().range_of(height)
            return found and replace(found, stated=b"what the node states")

    prover = opened()
    await followed(Stating(3), prover, waits=1)
    with pytest.raises(ProgramDiverged):
        await prover.run()
    await prover.close()


async def test_a_node_that_does_not_answer_is_asked_again(opened):
    prover = opened()
    node = Node(3, silent=2)
    await followed(node, prover, waits=3)
    assert node.asked[:3] == [1, 1, 1]
    assert len(prover.queue.jobs()) == 1


async def test_a_prover_that_starts_again_finds_its_jobs_queued(opened):
    prover = opened()
    await followed(Node(6), prover, waits=0)
    await followed(Node(6), prover, waits=0)
    assert len(prover.queue.jobs()) == 2


async def test_the_status_says_what_a_follower_waits_for(opened):
    prover = opened()
    await followed(Node(3, silent=5), prover, waits=0)
    assert "does not answer" in prover.status().remark
    await followed(Node(3), prover, waits=0)
    assert prover.status().remark == "block 4 is in nothing that can be proved yet"
