"""The tree in which proofs of shards are merged, as the worker builds it, and how long it takes with many workers.

Reads: nothing.  Gives: `nodes`, `makespan`.
Never: decides anything: the worker's plan does.  Spec: docs/spec/prover.md#jobs
"""

import heapq
from collections.abc import Sequence
from typing import Final

ARITY: Final = 4
Part = tuple[str, int]
"""`shard` or `node`, and its place."""


def nodes(shards: int) -> list[list[Part]]:
    """What each node merges, the root last: each level is brought to the next lower power of four."""
    made: list[list[Part]] = []
    level: list[Part] = [("shard", place) for place in range(shards)]
    while len(level) > ARITY:
        excess = len(level) - _lower_power(len(level))
        above: list[Part] = []
        while excess > 0:
            merged, level = level[: min(ARITY, excess + 1)], level[min(ARITY, excess + 1) :]
            above.append(("node", len(made)))
            made.append(merged)
            excess -= len(merged) - 1
        level = above + level
    made.append(level)
    return made


def _lower_power(count: int) -> int:
    power = ARITY
    while power * ARITY < count:
        power *= ARITY
    return power


def makespan(shards: Sequence[float], node_seconds: float, workers: int) -> float:
    """Seconds from the plan to the proof with this many workers that each do one task at a time.

    A worker takes a node that can be merged before a shard, else the longest shard that is left.

    Args:
        shards: Seconds of each shard.
        node_seconds: Of each merge.
        workers: At least 1.
    """
    tree = nodes(len(shards))
    waits = {place: len(parts) for place, parts in enumerate(tree)}
    above = {part: place for place, parts in enumerate(tree) for part in parts}
    todo: list[tuple[int, float, Part]] = [(1, -seconds, ("shard", place)) for place, seconds in enumerate(shards)]
    heapq.heapify(todo)
    running: list[tuple[float, Part]] = []
    now = 0.0
    while todo or running:
        while todo and len(running) < workers:
            _, seconds, part = heapq.heappop(todo)
            heapq.heappush(running, (now - seconds, part))
        now, done = heapq.heappop(running)
        parent = above.get(done)
        if parent is not None:
            waits[parent] -= 1
            if not waits[parent]:
                heapq.heappush(todo, (0, -node_seconds, ("node", parent)))
    return now
