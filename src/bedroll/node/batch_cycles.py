"""What proving a batch takes: the proved program is run upon it in the proof system's executor, without a proof.

Reads: the engine, at or above the batch's last block.  Gives: `BatchCycles`, `ProofLimit`, `batch_input`.
Never: changes the chain.  Spec: docs/spec/prover.md#cutting
"""

import asyncio
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bedroll.da import Batch
from bedroll.execution.engine import Engine, Origin
from bedroll.execution.proof import program_input
from bedroll.primitives import Invalid, L1Height
from bedroll.prover.executor import count_cycles
from bedroll.sequencer.port import EngineThread


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofLimit:
    """How long a run one proof may cover, and what counts it.

    Attributes:
        executor: `bedroll-executor`.
        program: The proved program's file.
        cycles_max: The limit.
    """

    executor: Path
    program: Path
    cycles_max: int


class BatchCycles:
    """Counts by the executor's program."""

    def __init__(
        self, engine: Engine, thread: EngineThread, origin: Callable[[L1Height], Origin], limit: ProofLimit
    ) -> None:
        """Tie the parts together.

        Args:
            engine: The chain.
            thread: Where it is read.
            origin: L1 blocks by their height; on the engine's thread.
            limit: How long a run may be.
        """
        self._engine = engine
        self._thread = thread
        self._origin = origin
        self._limit = limit

    @property
    def limit(self) -> int:
        """Most cycles that one proof may cover."""
        return self._limit.cycles_max

    async def of(self, batch: Batch) -> int:
        """Cycles of a batch of the engine's blocks.

        Raises:
            Invalid: The state before it is not kept, a signature of it is not known, or it does not run.
        """
        given, _ = await self._thread.run(batch_input, self._engine, self._origin, batch)
        with tempfile.TemporaryDirectory(prefix="bedroll-cycles-") as folder:
            file = Path(folder) / "input.bin"
            await asyncio.to_thread(file.write_bytes, given)
            return await count_cycles(self._limit.executor, self._limit.program, file)


def batch_input(engine: Engine, origin: Callable[[L1Height], Origin], batch: Batch) -> tuple[bytes, bytes]:
    """Input of the proved program for a batch whose blocks the engine has, signatures and all; its public values.

    Raises:
        Invalid: The state before it is not kept, or a signature of it is not known.
    """
    header = batch.header
    parent = engine.block(header.first_height - 1)
    if parent is None:
        raise Invalid("the batch's parent is not here", height=header.first_height - 1)
    signatures: list[bytes] = []
    for number in range(header.first_height, header.first_height + header.block_count):
        block = engine.block(number)
        for signature in [None] if block is None else block.own_signatures():
            if signature is None:
                raise Invalid("a signature of the batch is not known", height=number)
            signatures.append(signature)
    return program_input(
        engine,
        [origin(L1Height(at)) for at in range(parent.origin_height + 1, header.last_origin + 1)],
        header=header.encode(),
        body=batch.body,
        signatures=b"".join(signatures),
        parent=header.first_height - 1,
    )
