"""Makes validity proofs: a queue of jobs, each a tree of tasks that a process of the proof system does one at a time.

Reads: inputs of the proved program.  Gives: `Prover`, `Queue`: compressed proofs in a folder.
Never: does finished work twice, holds a rule, or needs a key of anybody.  Spec: docs/spec/prover.md
"""

from .budget import MEMORY_BYTES_MIN
from .contradiction import ProgramDiverged
from .core import Core, CoreLost
from .follower import Follower, Range, Source
from .job import Job, JobState, Plan, Task, TaskState
from .queue import Queue
from .service import Finished, Prover
from .status import Status, read_status

__all__ = [
    "MEMORY_BYTES_MIN",
    "Core",
    "CoreLost",
    "Finished",
    "Follower",
    "Job",
    "JobState",
    "Plan",
    "ProgramDiverged",
    "Prover",
    "Queue",
    "Range",
    "Source",
    "Status",
    "Task",
    "TaskState",
    "read_status",
]
