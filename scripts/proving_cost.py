"""What a proof costs with 1, 10, 100 and 1,000 workers, from the times of tasks that were done.

`STATUS` is the `status.json` of a prover that finished a job. Shards of a larger batch are counted from its cycles: of
each kind in proportion to that job's, at least one.
"""

import argparse
import math
import sys
from pathlib import Path
from typing import Final

from bedroll.prover.status import JobStatus, read_status
from bedroll.prover.tree import makespan, nodes

WORKERS: Final = (1, 10, 100, 1_000)


def mean(job: JobStatus) -> dict[str, float]:
    """Seconds by kind."""
    kinds = dict.fromkeys(task.kind for task in job.tasks)
    times = {kind: [task.seconds for task in job.tasks if task.kind == kind and task.seconds > 1] for kind in kinds}
    return {kind: sum(seconds) / len(seconds) for kind, seconds in times.items() if seconds}


def shards_of(job: JobStatus, cycles: int) -> list[str]:
    """Kinds of the shards that a run of so many cycles would have."""
    kinds = [task.kind for task in job.tasks if task.kind != "node"]
    return [
        kind for kind in dict.fromkeys(kinds) for _ in range(max(1, math.ceil(kinds.count(kind) * cycles / job.cycles)))
    ]


def main() -> int:
    """Print the table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("status", type=Path, metavar="STATUS")
    options.add_argument("--cycles", type=int, nargs="*", default=[])
    chosen = options.parse_args()
    found = read_status(chosen.status.parent)
    jobs = [] if found is None else [job for job in found.jobs if job.state == "handed"]
    if not jobs:
        print("no finished job in this status", file=sys.stderr)
        return 1
    job = jobs[-1]
    seconds = mean(job)
    for kind, time in seconds.items():
        print(f"{kind:<20} {time:7.1f} s")
    print(
        "| cycles | shards | nodes | worker seconds | " + " | ".join(f"{count:,} workers" for count in WORKERS) + " |"
    )
    print("| --- | --- | --- | --- |" + " --- |" * len(WORKERS))
    for cycles in [job.cycles, *chosen.cycles]:
        times = [seconds[kind] for kind in shards_of(job, cycles)]
        merges = len(nodes(len(times)))
        spans = [makespan(times, seconds["node"], count) for count in WORKERS]
        total = sum(times) + merges * seconds["node"]
        shown = " | ".join(f"{span:,.0f} s" for span in spans)
        print(f"| {cycles:,} | {len(times):,} | {merges:,} | {total:,.0f} | {shown} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
