"""What a proof costs with 1, 10, 100 and 1,000 workers, from the times of tasks that were done.

`STATUS` is the `status.json` of a prover that finished a job; without it the one that is kept in tests/costs. Shards of
a longer run are counted from its cycles: of each kind in proportion to that job's, at least one. The task that was
done first loaded the worker's keys: what it took beyond others of its kind is told apart.
"""

import argparse
import math
import statistics
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bedroll.prover.status import JobStatus, TaskStatus, read_status
from bedroll.prover.tree import makespan, nodes

KEPT: Final = Path(__file__).resolve().parents[1] / "tests/costs/proving/status.json"
WORKERS: Final = (1, 10, 100, 1_000)
CYCLES: Final = (10_000_000, 60_000_000, 600_000_000)


@dataclass(frozen=True)
class Times:
    """Seconds of a job's tasks: of each kind, and what keys took before the first."""

    of: dict[str, float]
    keys: float


def times(job: JobStatus) -> Times:
    """Medians by kind, without what the first task spent on keys."""
    first = min((task for task in job.tasks if task.kind != "node"), key=lambda task: task.peak_bytes)
    by_kind: dict[str, list[TaskStatus]] = {}
    for task in job.tasks:
        by_kind.setdefault(task.kind, []).append(task)
    others = [task.seconds for task in by_kind[first.kind] if task is not first]
    plain = {
        kind: statistics.median([task.seconds for task in tasks if task is not first or not others])
        for kind, tasks in by_kind.items()
    }
    return Times(plain, max(first.seconds - plain[first.kind], 0.0))


def shards_of(job: JobStatus, cycles: int) -> list[str]:
    """Kinds of the shards that a run of so many cycles would have."""
    kinds = [task.kind for task in job.tasks if task.kind != "node"]
    return [
        kind for kind in dict.fromkeys(kinds) for _ in range(max(1, math.ceil(kinds.count(kind) * cycles / job.cycles)))
    ]


def clock(seconds: float) -> str:
    """Hours and minutes, or minutes and seconds."""
    whole = round(seconds)
    hours, minutes = whole // 3600, whole // 60 % 60
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {whole % 60:02} s"


def report(job: JobStatus, sizes: list[int]) -> str:
    """Both tables, as the page has them."""
    took = times(job)
    lines = ["| task | seconds | of this job |", "| --- | --- | --- |"]
    for kind, seconds in took.of.items():
        lines.append(f"| {kind} | {seconds:,.0f} | {sum(task.kind == kind for task in job.tasks)} |")
    lines += [f"| keys, once a worker | {took.keys:,.0f} | |", ""]
    lines.append(
        "| cycles | shards | merges | worker time | " + " | ".join(f"{count:,} workers" for count in WORKERS) + " |"
    )
    lines.append("| --- | --- | --- | --- |" + " --- |" * len(WORKERS))
    for cycles in [job.cycles, *sizes]:
        shards = [took.of[kind] for kind in shards_of(job, cycles)]
        merges = len(nodes(len(shards)))
        spans = " | ".join(clock(makespan(shards, took.of["node"], count)) for count in WORKERS)
        total = clock(sum(shards) + merges * took.of["node"])
        lines.append(f"| {cycles:,} | {len(shards):,} | {merges:,} | {total} | {spans} |")
    return "\n".join(lines).replace("| 1 workers |", "| 1 worker |")


def main() -> int:
    """Print the tables."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("status", type=Path, metavar="STATUS", nargs="?", default=KEPT)
    options.add_argument("--cycles", type=int, nargs="*", default=CYCLES)
    chosen = options.parse_args()
    found = read_status(chosen.status.parent)
    jobs = [] if found is None else [job for job in found.jobs if job.state == "handed"]
    if not jobs:
        print("no finished job in this status", file=sys.stderr)
        return 1
    print(report(jobs[-1], list(chosen.cycles)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
