"""Carries settlement on: run after run, each proved upon the one before, as far as Bitcoin is final.

Reads: Bitcoin, finished jobs of a prover.  Gives: `SettlementFollower`.
Never: proves; begins a run before the one before it is proved and kept.  Spec: docs/spec/settlement.md#carrying-on
"""

import asyncio
import logging
import shutil
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bedroll.bitcoin.client import BitcoinClient
from bedroll.da import Proof, StatementKind
from bedroll.derivation.settled import SettledStatement, parse_settled
from bedroll.execution.genesis import Genesis
from bedroll.light import SettlementStep, SettlementVerifier
from bedroll.primitives import Invalid, L1Height, Unavailable
from bedroll.prover import Job, JobState, Prover
from bedroll.prover.contradiction import check_statement
from bedroll.prover.service import Execute
from bedroll.sequencer.proof_size import longest_within
from bedroll.storage.durable_file import write_durably

from .header_walk import anchor_headers
from .settler import SettlementRun, Settler

BLOCKS_MAX: Final = 8
"""L1 blocks of one run at most; cycles cut it shorter."""
_KEPT_RUNS: Final = 3
_WAIT_SECONDS: Final = 5.0
_NAME: Final = "settlement"
_LOG: Final = logging.getLogger("bedroll.prover")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    """A run that is proved."""

    said: SettledStatement
    step: SettlementStep
    proof: bytes


class SettlementFollower:
    """Queues the verdicts that the next run verifies, then the run, and keeps its proof.

    Nothing but the proved runs has to survive: what the next one is given follows from Bitcoin, and the prover knows
    the same input for the same job.
    """

    def __init__(
        self,
        folder: Path,
        client: BitcoinClient,
        genesis: Genesis,
        verifier: SettlementVerifier,
        prover: Prover,
        program: bytes,
        *,
        wraps: bool = False,
        cycles_max: int | None = None,
        execute: Execute | None = None,
        wait: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Go on from the newest run in the folder, or begin at the anchor.

        Args:
            folder: Of this follower alone: `<L1 height>/settlement.proof`, `.values`, `.state`.
            client: Bitcoin.
            genesis: Of the chain.
            verifier: As `Settler` takes it.
            prover: Takes the jobs.
            program: ELF file of the settlement program; verdicts are of the prover's own.
            wraps: Whether the network takes Groth16 alone; runs verify compressed proofs all the same.
            cycles_max: Runs of several L1 blocks are cut to it; one of a single block is as long as it is.
            execute: Counts the cycles of a run; without it none is cut.
            wait: Passes the seconds between looks.
        """
        self._folder = folder
        self._client = client
        self._genesis = genesis
        self._verifier = verifier
        self._prover = prover
        self._program = program
        self._wraps = wraps
        self._cycles_max = cycles_max
        self._execute = execute
        self._wait = wait
        self._settler: Settler | None = None
        self._before: bytes | None = None
        self._run: SettlementRun | None = None
        self._job: Job | None = None
        self._tried: set[str] = set()

    async def run(self) -> None:
        """Carry on until cancelled; where Bitcoin does not answer or reorganises, it is asked again."""
        try:
            while True:
                try:
                    more = await self.step()
                except (Unavailable, Invalid) as error:
                    # The chain of before may be gone: the next step begins with what is kept.
                    self.close()
                    _LOG.warning("settlement cannot go on now", extra={"reason": str(error)})
                    self._remark(str(error))
                    more = False
                if not more:
                    await self._wait(_WAIT_SECONDS)
        finally:
            self.close()

    async def step(self) -> bool:
        """Do what can be done; False where there is nothing to do now.

        Raises:
            Unavailable: Bitcoin does not answer, or reorganised meanwhile.
            Invalid: A kept run is not of Bitcoin's best chain any more.
        """
        if self._run is None:
            self._run = await self._next()
            return self._run is not None
        if self._job is None:
            self._job = self._queued(self._run)
        proof = None if self._job is None else self._proved(self._job)
        if proof is None:
            return False
        self._keep(self._run, proof)
        self._run = self._job = None
        return True

    def close(self) -> None:
        """Let go of what was derived; the next step derives it again."""
        self._run = self._job = None
        if self._settler is not None:
            self._settler.close()
            self._settler = None

    def _queued(self, run: SettlementRun) -> Job | None:
        """The job of a run; None while a proof that it verifies is missing."""
        upto = f"settlement up to L1 block {run.last}"
        proofs = [] if self._before is None else [self._before]
        for place, each in enumerate(run.verified):
            if isinstance(each, Proof):
                proofs.append(each.proof)
                continue
            proof = self._proved(self._added(each.given, f"verdict {place} for {upto}", each.stated))
            if proof is not None:
                proofs.append(proof)
        if len(proofs) < len(run.verified) + (self._before is not None):
            return None
        return self._added(run.step.input, upto, run.step.statement, proofs, self._program, wraps=self._wraps)

    def _added(
        self,
        given: bytes,
        title: str,
        stated: bytes,
        proofs: Sequence[bytes] = (),
        program: bytes | None = None,
        *,
        wraps: bool = False,
    ) -> Job:
        """A job; one that an earlier process gave up is tried once more."""
        job = self._prover.add(given, title, proofs, program, stated, wraps)
        if job.state is JobState.FAILED and job.id not in self._tried:
            job = self._prover.reopen(job)
        self._tried.add(job.id)
        return job

    def _proved(self, job: Job) -> bytes | None:
        """The proof of a job; None while there is none."""
        now = self._prover.queue.job(job.id) or job
        if now.state is JobState.FAILED:
            self._remark(f"{now.title} cannot be proved: {now.reason}")
        return self._prover.proof_of(now) if now.state is JobState.HANDED else None

    def _remark(self, text: str) -> None:
        self._prover.remark(text, _NAME)

    async def _next(self) -> SettlementRun | None:
        """What the next run is given; None before another L1 block is final."""
        kept = await self._newest()
        begins = self._genesis.anchor_height if kept is None else kept.said.l1_height
        final = (await self._client.tip()).height - self._genesis.network.parameters.finality_depth
        if final <= begins:
            return None
        if self._settler is not None and not await self._settler.goes_on_from(self._client, begins):
            self.close()
        if self._settler is None:
            self._settler = await self._open()
        previous = None if kept is None else kept.step
        last = self._begun(begins, final) or await self._longest(self._settler, begins, final, previous)
        run = await self._settler.run(self._client, L1Height(last), previous)
        self._before = None if kept is None else kept.proof
        self._place(last).mkdir(parents=True, exist_ok=True)
        self._remark("")
        _LOG.info("settlement run", extra={"first": run.first, "last": run.last, "verified": len(run.verified)})
        return run

    async def _longest(self, settler: Settler, begins: int, final: int, previous: SettlementStep | None) -> int:
        """Where the longest run ends that is within the limit; one L1 block at least, which cannot be cut.

        Raises:
            ProgramDiverged: The program states something else than was derived.
        """
        last, execute = min(final, begins + BLOCKS_MAX), self._execute
        if execute is None or self._cycles_max is None or last == begins + 1:
            return last

        async def count(tried: int) -> int:
            run = await settler.run(self._client, L1Height(tried), previous)
            with tempfile.TemporaryDirectory(prefix="bedroll-cycles-") as folder:
                program, given = Path(folder) / "program.elf", Path(folder) / "input.bin"
                await asyncio.to_thread(program.write_bytes, self._program)
                await asyncio.to_thread(given.write_bytes, run.step.input)
                ran = await execute(program, given)
            check_statement(f"settlement up to L1 block {tried}", run.step.statement, ran.values)
            return ran.cycles

        return await longest_within(begins + 1, last, self._cycles_max, count) or begins + 1

    async def _open(self) -> Settler:
        derived = self._folder / "derived"
        shutil.rmtree(derived, ignore_errors=True)
        derived.mkdir(parents=True)
        headers = await anchor_headers(self._client, self._genesis, self._folder / "anchor.headers")
        return Settler(derived, self._genesis, headers, self._verifier)

    # --- what is kept ------------------------------------------------------------------------------

    def _place(self, height: int) -> Path:
        return self._folder / f"{height:09}"

    def _heights(self) -> list[int]:
        """L1 heights at which runs end that were begun, newest first."""
        return sorted((int(path.name) for path in self._folder.glob("[0-9]" * 9)), reverse=True)

    def _begun(self, begins: int, final: int) -> int | None:
        """Where a run ends that an earlier process began: it is made again as it was, so that its tasks count."""
        found = [height for height in self._heights() if begins < height <= min(final, begins + BLOCKS_MAX)]
        return max(found, default=None)

    async def _newest(self) -> _Kept | None:
        """The newest proved run of Bitcoin's best chain and of these programs."""
        for height in self._heights():
            base = self._place(height) / _NAME
            if not base.with_suffix(".proof").is_file():
                continue
            values, state, proof = (base.with_suffix(end).read_bytes() for end in (".values", ".state", ".proof"))
            said = parse_settled(values)
            keys = [self._verifier.program_digest(kind) for kind in (StatementKind.BATCH, StatementKind.SETTLEMENT)]
            if [said.batch_key, said.settlement_key] != keys:
                continue
            if await self._client.block_hash(L1Height(said.l1_height)) == said.l1_hash:
                return _Kept(said=said, step=SettlementStep(statement=values, state=state, input=b""), proof=proof)
        return None

    def _keep(self, run: SettlementRun, proof: bytes) -> None:
        """Write a proved run down, its proof last; the oldest ones go."""
        base = self._place(run.last) / _NAME
        for end, content in ((".values", run.step.statement), (".state", run.step.state), (".proof", proof)):
            write_durably(base.with_suffix(end), content)
        _LOG.info("settled", extra={"l1_height": run.last})
        for height in self._heights()[_KEPT_RUNS:]:
            shutil.rmtree(self._place(height))
