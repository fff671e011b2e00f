"""A prover's crew whose proofs are hashes: it runs both programs as the node does, and takes what a job's folder has.

A run of the settlement program gives values only where the proofs that it verifies are there, as the real one's.
"""

import asyncio
import hashlib

from bedroll._core._native import run_settlement
from bedroll.da import ProofSystem, StatementKind
from bedroll.execution.proof import run_program
from bedroll.primitives import Invalid
from tests.framework.plain_rollup import shown

PROGRAMS = {StatementKind.BATCH: b"\x7fELF batch", StatementKind.SETTLEMENT: b"\x7fELF settlement"}
SIZE = 3_000


class SettlementCrew:
    """One worker; `done` are (job, task) as they were done, `refuses` says no to inputs."""

    width = able = 1
    resident_bytes = 0

    def __init__(self, verifier):
        self.keys = {PROGRAMS[kind]: verifier.program_digest(kind) for kind in PROGRAMS}
        self.known = {}
        self.done = []
        self.refuses = lambda given: False

    def post(self, proof):
        """Somebody else's, which stands on Bitcoin."""
        self.known[proof.proof] = (self.keys[PROGRAMS[StatementKind.BATCH]], proof.public_values)

    def values(self, folder):
        program, given = (folder / "program.elf").read_bytes(), (folder / "input.bin").read_bytes()
        if self.refuses(given):
            raise Invalid("this cannot be proved")
        if program == PROGRAMS[StatementKind.BATCH]:
            return run_program(given)
        proofs = [path.read_bytes() for path in sorted(folder.glob("given-*.proof"))]
        said = [self.known[proof] for proof in proofs]
        return run_settlement(given, said, [(*each, proof) for each, proof in zip(said, proofs, strict=True)])[0]

    async def work(self, folder, task, begun):
        begun("1")
        await asyncio.sleep(0)
        answer = {"seconds": 2.0, "peak_bytes": 1 << 20}
        if task.kind == "plan":
            values = bytes(self.values(folder))
            (folder / "values.bin").write_bytes(values)
            planned = {"cycles": 7, "values": values.hex(), "shards": ["core"], "nodes": [["shard-0000.proof"]]}
            answer["planned"] = planned
        elif task.kind == "wrap":
            (folder / "wrapped.proof").write_bytes(b"wrapped" + (folder / f"{task.parts[0]}.proof").read_bytes())
        else:
            values = (folder / "values.bin").read_bytes()
            proof = shown(values, system=ProofSystem.COMPRESSED, size=SIZE).proof
            self.known[proof] = (self.keys[(folder / "program.elf").read_bytes()], values)
            (folder / f"{task.name}.proof").write_bytes(proof)
        self.done.append((hashlib.sha256((folder / "input.bin").read_bytes()).hexdigest(), task.name))
        return answer

    async def rest(self):
        return

    async def close(self):
        return
