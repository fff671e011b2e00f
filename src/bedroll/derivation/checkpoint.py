"""All stages after one L1 block, as bytes: a node restarts from there.

Reads: states of stages.  Gives: `Checkpoint`.  Never: holds objects' bytes, only their references.
Spec: docs/spec/derivation.md#checkpoints
"""

import msgspec

from bedroll.primitives import Corrupt

from .batch_selector import SelectorState
from .chunk_assembler import AssemblerState
from .commitment import CommitmentState
from .forced_queue import QueueState
from .head import Head
from .l1_traversal import L1Record
from .object_source import KeyState
from .proof_desk import DeskState
from .proven_head import ProvenState
from .settlement_desk import SettledState


class PipelineState(msgspec.Struct, frozen=True, array_like=True):
    """State of every stage after one L1 block."""

    record: L1Record
    keys: KeyState
    series: AssemblerState
    queue: QueueState
    selector: SelectorState
    commitments: CommitmentState
    head: Head
    desk: DeskState
    proven: ProvenState
    settled: SettledState = SettledState()


class Checkpoint(msgspec.Struct, frozen=True):
    """What a node stores for one L1 block.

    Attributes:
        height: L1 height.
        hash: Of the L1 block, internal order.
        state: `PipelineState`, encoded.
        references: SHA-256 of every byte string the state refers to; the node stores those beside it.
    """

    height: int
    hash: bytes
    state: bytes
    references: tuple[bytes, ...]


def encode_state(state: PipelineState) -> bytes:
    """Bytes of a state."""
    return msgspec.msgpack.encode(state)


def decode_state(raw: bytes) -> PipelineState:
    """State of bytes that `encode_state` gave.

    Raises:
        Corrupt: They are others.
    """
    try:
        return msgspec.msgpack.decode(raw, type=PipelineState)
    except msgspec.DecodeError as error:
        raise Corrupt("a checkpoint cannot be read", reason=str(error)) from error
