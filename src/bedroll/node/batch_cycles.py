"""What proving a batch takes: the proved program is run upon it in the proof system's executor, without a proof.

Reads: the engine, at or above the batch's last block.  Gives: `BatchCycles`, `ProofLimit`.
Never: changes the chain.  Spec: docs/spec/prover.md#cutting
"""

import asyncio
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bedroll.da import Batch
from bedroll.execution.engine import Engine, Origin
from bedroll.primitives import Invalid, L1Height
from bedroll.prover.contradiction import check_statement
from bedroll.prover.executor import execute
from bedroll.sequencer.port import EngineThread

from .proof_source import batch_input


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
            ProgramDiverged: The program states something else about it than this node: it must not be posted.
        """
        made = await self._thread.run(batch_input, self._engine, self._origin, batch)
        if made is None:
            raise Invalid("blocks or signatures of the batch are not here", first=batch.header.first_height)
        with tempfile.TemporaryDirectory(prefix="bedroll-cycles-") as folder:
            file = Path(folder) / "input.bin"
            await asyncio.to_thread(file.write_bytes, made[0])
            ran = await execute(self._limit.executor, self._limit.program, file)
        check_statement(f"the batch from block {batch.header.first_height} on", made[1], ran.values)
        return ran.cycles
