"""A job and its tasks: names, states, and what a plan says.

Reads: nothing.  Gives: `Job`, `Task`, `Plan`, their states, `job_id`, `files_of`, `is_made`.  Never: touches a file.
Spec: docs/spec/prover.md#jobs
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Any, Final

PLAN: Final = "plan"
"""Name of a job's first task."""
NODE: Final = "node"
WRAP: Final = "wrap"
GROTH16: Final = "groth16"
NO_SHARDS: Final = (PLAN, NODE, WRAP, GROTH16)
"""Kinds of tasks; any other one is the kind of a shard."""
PROGRAM_FILE: Final = "program.elf"
WRAPPED_FILE: Final = "wrapped.proof"
GROTH16_FILE: Final = "groth16.proof"
INPUT_FILE: Final = "input.bin"
STATED_FILE: Final = "stated.bin"
KEY_FILE: Final = "program.key"
PLAN_FILE: Final = "plan.json"
_MADE: Final = re.compile(
    r"plan\.json|values\.bin|program\.key|wrapped\.proof|shard-\d{4,9}\.(proof|trace|calls)|node-\d{4,9}\.proof"
)


class JobState(StrEnum):
    """How far a job is."""

    WAITING = "waiting"
    PLANNED = "planned"
    PROVED = "proved"
    HANDED = "handed"
    FAILED = "failed"


OPEN: Final = (JobState.WAITING, JobState.PLANNED, JobState.PROVED)
ENDED: Final = (JobState.HANDED, JobState.FAILED)


class TaskState(StrEnum):
    """How far a task is. What runs is known to the process that runs it only."""

    WAITING = "waiting"
    DONE = "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One piece of work with one file as its result.

    Attributes:
        name: Of the task in its job: `plan`, `shard-0003`, `node-0000`, `wrap`, `groth16`.
        kind: `plan`, `node`, `wrap`, `groth16`, or what the shard holds: `core`, `memory`, a precompile.
        index: Place among the shards or nodes.
        parts: Names of the tasks whose proofs it takes.
        state: Whether it is done.
        seconds: Wall time that it took.
        peak_bytes: Most memory that its process had held when it ended.
    """

    name: str
    kind: str
    index: int
    parts: tuple[str, ...] = ()
    state: TaskState = TaskState.WAITING
    seconds: float = 0.0
    peak_bytes: int = 0

    @property
    def what(self) -> str:
        """As the worker is asked for it: `plan`, `shard`, `node` or `wrap`."""
        return self.kind if self.kind in NO_SHARDS else "shard"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A program's input to be proved.

    Attributes:
        id: `job_id` of program and input, hexadecimal.
        title: For people: which blocks.
        state: How far it is.
        cycles: Instructions of the run, once planned.
        values: Public values, once planned.
        reason: Why it failed.
        added: When it was queued, Unix seconds.
        wraps: Whether its proof is also made short, for a network that takes Groth16 alone.
    """

    id: str
    title: str
    state: JobState
    cycles: int = 0
    values: bytes = b""
    reason: str = ""
    added: int = 0
    wraps: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A run as the worker has cut it.

    Attributes:
        cycles: Instructions.
        values: What the program gave.
        shards: Kind of each shard.
        nodes: Names of the tasks whose proofs each merge takes; the last one gives the job's proof.
    """

    cycles: int
    values: bytes
    shards: tuple[str, ...]
    nodes: tuple[tuple[str, ...], ...]

    @classmethod
    def of(cls, answer: Mapping[str, Any]) -> "Plan":
        """From the worker's answer."""
        return cls(
            cycles=int(answer["cycles"]),
            values=bytes.fromhex(answer["values"]),
            shards=tuple(map(str, answer["shards"])),
            nodes=tuple(tuple(str(file).removesuffix(".proof") for file in node) for node in answer["nodes"]),
        )

    def tasks(self) -> list[Task]:
        """All that is to be done after planning, in order."""
        shards = [Task(name=f"shard-{place:04}", kind=kind, index=place) for place, kind in enumerate(self.shards)]
        nodes = [
            Task(name=f"node-{place:04}", kind=NODE, index=place, parts=parts) for place, parts in enumerate(self.nodes)
        ]
        return shards + nodes


def wrapping(compressed: str) -> list[Task]:
    """What makes a job's proof short, after the task of this name has made it."""
    return [
        Task(name=WRAP, kind=WRAP, index=0, parts=(compressed,)),
        Task(name=GROTH16, kind=GROTH16, index=0, parts=(WRAP,)),
    ]


def job_id(program: bytes, given: bytes, proofs: Sequence[bytes] = ()) -> str:
    """SHA-256 over program, input and hashes of verified proofs: the same work has one name, whoever asks for it."""
    return sha256(program + given + b"".join(sha256(proof).digest() for proof in proofs)).hexdigest()


def given_name(place: int) -> str:
    """File of a proof that a run verifies, by its place among them."""
    return f"given-{place:04}.proof"


def files_of(task: Task) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Files of a job's folder that a task reads: those that must be there, and those that spare work where they are."""
    if task.kind == PLAN:
        return (PROGRAM_FILE, INPUT_FILE), (PLAN_FILE,)
    spare = (KEY_FILE, f"{task.name}.proof")
    if task.kind == WRAP:
        return (PROGRAM_FILE, PLAN_FILE, *(f"{part}.proof" for part in task.parts)), (KEY_FILE, WRAPPED_FILE)
    if task.kind == NODE:
        return (PROGRAM_FILE, PLAN_FILE, *(f"{part}.proof" for part in task.parts)), spare
    return (PROGRAM_FILE, PLAN_FILE, f"{task.name}.trace"), (*spare, f"{task.name}.calls")


def is_made(name: str) -> bool:
    """Whether a task makes a file of this name."""
    return _MADE.fullmatch(name) is not None
