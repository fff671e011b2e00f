"""Named places where a process may die, so that a test can make it die exactly there.

Reads: the environment variable `BEDROLL_CRASH_POINT`, once.  Gives: `crash_point`, the list of names.
Never: does anything unless armed.  Spec: docs/spec/storage-services.md#crash-points
"""

import os
import signal
from collections.abc import Callable
from typing import Final

VARIABLE: Final = "BEDROLL_CRASH_POINT"
"""`name` or `name:n`: die at the n-th passage (1 is the first)."""

CRASH_POINTS: Final = {
    "writer.after_enqueue": "an object is in the queue, nothing is built",
    "writer.after_commit_build": "the commit is signed and recorded, its reveal is not",
    "writer.after_build": "commit and reveal are signed and recorded, nothing is sent",
    "writer.after_commit_broadcast": "the commit is at a node, the reveal is not",
    "writer.after_reveal_broadcast": "the reveal is at a node, nobody was told",
    "writer.after_bump_build": "a replacement or a child is recorded, not sent",
    "writer.after_block": "the queue has taken in an L1 block",
    "mempool.after_append": "transactions are in the log, nobody was told",
    "log.in_rewrite": "the new log is written, the old one stands",
    "sequencer.after_seal": "a block is sealed, not durable",
    "sequencer.after_commit": "a block is durable, not signed",
    "sequencer.after_signer_record": "the signer recorded a height, the signature is not made",
    "sequencer.after_sign": "a block is signed, nobody has it",
    "sequencer.after_publish": "followers have a signed block",
    "sequencer.after_batch_build": "a batch is encoded and signed, not in the writer's queue",
    "node.after_l1_block": "an L1 block is derived, not recorded",
    "node.after_checkpoint": "an L1 block is derived and recorded",
    "node.in_unwind": "the pipeline is unwound, the record is not",
    "node.after_recovery": "a restart has come to its old state",
    "prover.after_job_files": "a job's files are there, the queue does not know it",
    "prover.after_plan": "a plan is in its file, the queue does not know it",
    "prover.after_task": "a task's proof is in its file, the queue does not know it",
    "prover.after_hand_over": "a proof is handed over, the queue does not know it",
    "dispute.before_message_commit": "a one-time message is written, not durable",
    "dispute.after_message_commit": "a one-time message is durable, nothing is signed",
    "dispute.after_sign": "a move of a game is signed, not sent",
    "dispute.after_broadcast": "a move of a game is at a node",
    "dispute.after_offer": "the setup of a game has the other side's keys",
    "dispute.after_nonce": "the setup of a game has nonces, in memory only",
    "dispute.after_partial": "our parts of a game's signatures may have left",
    "dispute.after_setup": "a game's signatures are stored",
}
"""Every name with what has happened when it is reached."""

_count: dict[str, int] = {}
_armed: dict[str, tuple[int, Callable[[str], None]]] = {}


def crash_point(name: str) -> None:
    """Pass a named place: count it, and die if it is armed for this passage."""
    passage = _count[name] = _count.get(name, 0) + 1
    if name in _armed:
        wanted, action = _armed[name]
        if passage == wanted:
            action(name)


def arm(name: str, action: Callable[[str], None], passage: int = 1) -> None:
    """Make the `passage`-th passage from now on call `action`; tests only.

    Raises:
        KeyError: There is no such crash point.
    """
    CRASH_POINTS[name]
    _count[name] = 0
    _armed[name] = (passage, action)


def disarm() -> None:
    """Forget every armed point and every count."""
    _armed.clear()
    _count.clear()


def passages() -> dict[str, int]:
    """How often each point was passed: a test proves by it that its fault happened."""
    return dict(_count)


def _die(_name: str) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _arm_from_environment() -> None:
    text = os.environ.get(VARIABLE, "")
    if text:
        name, _, passage = text.partition(":")
        arm(name, _die, int(passage or "1"))


_arm_from_environment()
