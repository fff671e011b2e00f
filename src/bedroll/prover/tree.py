"""The tree in which proofs of shards are merged, as the worker builds it, and how long it takes with many workers.

Reads: nothing.  Gives: `nodes`, `makespan`, `span`.
Never: decides anything: the worker's plan does.  Spec: docs/spec/prover.md#jobs
"""

import heapq
from collections.abc import Collection, Mapping, Sequence
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


def span(work: Mapping[str, tuple[float, Sequence[str]]], workers: int, begun: Collection[str] = ()) -> float:
    """Seconds until all of this is done by this many workers that each do one task at a time.

    A worker takes a task that stands on others before one that does not, and the longest first: as the prover does.

    Args:
        work: By name, seconds and what must be done before; names that are not in it are done.
        workers: At least 1.
        begun: What is being done already.
    """
    waits = {name: sum(part in work for part in parts) for name, (_, parts) in work.items()}
    above: dict[str, list[str]] = {}
    for name, (_, parts) in work.items():
        for part in parts:
            above.setdefault(part, []).append(name)

    def rank(name: str) -> tuple[bool, bool, float, str]:
        seconds, parts = work[name]
        return name not in begun, not parts, -seconds, name

    todo = [rank(name) for name, count in waits.items() if not count]
    heapq.heapify(todo)
    running: list[tuple[float, str]] = []
    now = 0.0
    while todo or running:
        while todo and len(running) < workers:
            name = heapq.heappop(todo)[-1]
            heapq.heappush(running, (now + work[name][0], name))
        now, done = heapq.heappop(running)
        for name in above.get(done, ()):
            waits[name] -= 1
            if not waits[name]:
                heapq.heappush(todo, rank(name))
    return now


def makespan(shards: Sequence[float], node_seconds: float, workers: int) -> float:
    """Seconds from the plan to the proof with this many workers.

    Args:
        shards: Seconds of each shard.
        node_seconds: Of each merge.
        workers: At least 1.
    """

    def name(part: Part) -> str:
        return f"{part[0]}-{part[1]}"

    work: dict[str, tuple[float, Sequence[str]]] = {
        name(("shard", place)): (seconds, ()) for place, seconds in enumerate(shards)
    }
    for place, parts in enumerate(nodes(len(shards))):
        work[name(("node", place))] = (node_seconds, [name(part) for part in parts])
    return span(work, workers)
