"""Inputs of the settlement program for L1 blocks, with those of every verdict that it asks for.

Reads: Bitcoin, the genesis, an earlier run.  Gives: `Settler`, `SettlementRun`.
Never: proves; trusts a node's chain: it derives its own, so that batches which do not hold have their verdicts too.
Spec: docs/spec/settlement.md#making-inputs
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bedroll.bitcoin.client import BitcoinClient
from bedroll.bitcoin.header import Header
from bedroll.da import BatchForm, Proof, ProofSystem, StatementKind
from bedroll.da.reader import Connect, Reader
from bedroll.derivation import Pipeline
from bedroll.derivation.l1_traversal import MEDIAN_TIME_SPAN
from bedroll.derivation.pipeline import Question
from bedroll.derivation.settled import parse_settled
from bedroll.execution.engine import Engine
from bedroll.execution.genesis import Genesis
from bedroll.execution.proof import program_input
from bedroll.light import BlockZero, Settlement, SettlementStep, SettlementVerifier, parameters_of
from bedroll.primitives import BlockHash, Corrupt, Invalid, L1Height, Unavailable

from .executor import EngineExecutor, native_origin
from .header_walk import anchor_facts


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the batch program is to be run over: a candidate, or automatic blocks.

    Attributes:
        given: Its input.
        stated: Its public values.
    """

    given: bytes
    stated: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class SettlementRun:
    """One run of the settlement program.

    Attributes:
        first, last: L1 blocks that it takes.
        step: Input, statement, and the state that the next run is given.
        verified: What it verifies by recursion after the run before, in its order: verdicts whose proofs are to be
            made, and compressed proofs that were posted.
    """

    first: L1Height
    last: L1Height
    step: SettlementStep
    verified: Sequence[Verdict | Proof]


@dataclass
class _Taken:
    """What the program is given of one L1 block beside its state, as derivation comes to it.

    Attributes:
        height, hash, raw: The block.
        headers: Of the last block of each automatic range in it.
        tip: Header of the L2 tip after it.
        verified, shown: As derivation asks; proofs that hold.
    """

    height: int = 0
    hash: bytes = b""
    raw: bytes = b""
    tip: bytes = b""
    headers: list[bytes] = field(default_factory=list)
    verified: list[Verdict | Proof] = field(default_factory=list)
    shown: list[Proof] = field(default_factory=list)


class _Noting:
    """The verifier, and a note of the posted proofs that hold."""

    def __init__(self, verifier: SettlementVerifier, settler: "Settler") -> None:
        self._verifier = verifier
        self._settler = settler

    def is_valid(self, proof: Proof) -> bool:
        """Whether it holds."""
        valid = self._verifier.is_valid(proof)
        if valid:
            self._settler.note_posted(proof)
        return valid


class Settler:
    """Derives a chain of its own in a folder, block by block, from the anchor."""

    def __init__(self, folder: Path, genesis: Genesis, anchor: Sequence[bytes], verifier: SettlementVerifier) -> None:
        """Begin at the anchor.

        Args:
            folder: Empty; the chain that is derived lies in it.
            genesis: Of the chain.
            anchor: L1 headers that lead to the anchor (`anchor_headers`).
            verifier: Under whose keys posted proofs hold, and by whose names statements name programs.
        """
        self._genesis = genesis
        self._verifier = verifier
        self._parameters = parameters_of(
            genesis, anchor_facts(genesis, tuple(anchor)), BlockZero.of(genesis), verifier.circuit
        )
        self._engine = Engine.open(str(folder / "chain"), genesis.core_json(), sync=False)
        executor = EngineExecutor(self._engine)
        times = [Header.parse(header).time for header in anchor[-MEDIAN_TIME_SPAN:]]
        self._pipeline = Pipeline(genesis, times, executor, verifier=_Noting(verifier, self), on_question=self._asked)
        executor.use_origins(self._pipeline.origin)
        self._before: tuple[int, bytes] | None = None
        self._blocks: list[_Taken] = []
        self._taken: _Taken | None = None
        self._opened = False

    def close(self) -> None:
        """Let go of the folder."""
        self._engine.close()

    async def goes_on_from(self, client: BitcoinClient, height: int) -> bool:
        """Whether a run may begin after this L1 block.

        What comes after it must be still to be derived, or be kept; what was derived, of Bitcoin's best chain.
        """
        if height < (self._pipeline.height if self._before is None else self._before[0]):
            return False
        return await client.block_hash(self._pipeline.height) == self._pipeline.hash

    async def run(self, client: BitcoinClient, last: L1Height, previous: SettlementStep | None = None) -> SettlementRun:
        """Derive up to an L1 block and make the input of one run that ends there.

        What was derived beyond it for an earlier call is kept for the next run, so that a run may be tried shorter.

        Args:
            client: Bitcoin.
            last: L1 block; one that is final, as a run cannot be taken back.
            previous: Statement and state of the run to go on from; None: from the anchor.

        Raises:
            Invalid: That run is not of this chain, or ends no earlier; Bitcoin has no such block yet.
            Unavailable: Bitcoin does not answer, or reorganised meanwhile.
        """
        said = None if previous is None else parse_settled(previous.statement)
        begins = self._genesis.anchor_height if said is None else said.l1_height
        if last <= begins:
            raise Invalid("a run ends after it begins", value=last, limit=begins + 1)
        if not await self._begin(client, begins, None if said is None else said.l1_hash):
            raise Invalid("the run before is not of Bitcoin's best chain", l1_height=begins)
        await self._derive(client, last, takes=True)
        blocks = [each for each in self._blocks if each.height <= last]
        verified = [each for block in blocks for each in block.verified]
        step = self._settlement(previous).advance(
            [block.raw for block in blocks],
            [each.stated for each in verified if isinstance(each, Verdict)],
            [*(header for block in blocks for header in block.headers), blocks[-1].tip],
            [(each.public_values, each.proof) for block in blocks for each in block.shown],
        )
        return SettlementRun(first=L1Height(begins + 1), last=last, step=step, verified=tuple(verified))

    async def _begin(self, client: BitcoinClient, begins: int, expected: bytes | None) -> bool:
        """Have what is kept begin after an L1 block; whether that is the expected one."""
        if not await self.goes_on_from(client, begins):
            return False
        while self._blocks and self._blocks[0].height <= begins:
            block = self._blocks.pop(0)
            self._before = (block.height, block.hash)
        if begins >= self._pipeline.height:
            await self._derive(client, L1Height(begins), takes=False)
            self._before = (begins, self._pipeline.hash)
        return self._before is not None and self._before[0] == begins and expected in (None, self._before[1])

    def _settlement(self, previous: SettlementStep | None) -> Settlement:
        batch = self._verifier.program_digest(StatementKind.BATCH)
        settlement = self._verifier.program_digest(StatementKind.SETTLEMENT)
        if batch is None or settlement is None:
            raise Corrupt("the keys of the programs are not there")
        tag = self._genesis.network.parameters.tag
        return Settlement(self._parameters, tag, batch_key=batch, settlement_key=settlement, last=previous)

    async def _derive(self, client: BitcoinClient, last: L1Height, *, takes: bool) -> None:
        pipeline = self._pipeline
        if pipeline.height >= last:
            return
        if await client.block_hash(last) is None:
            raise Invalid("Bitcoin has no such block yet", value=last)
        reader = Reader(client, pipeline.height, BlockHash(pipeline.hash), pipeline.hash_at)
        async for event in reader.caught_up():
            if not isinstance(event, Connect):
                raise Unavailable("Bitcoin reorganised meanwhile: try again", height=event.height)
            self._taken = taken = _Taken() if takes else None
            pipeline.advance(event.raw)
            self._close_range()
            if taken is not None:
                taken.height, taken.hash, taken.raw = pipeline.height, pipeline.hash, event.raw
                taken.tip = self._tip_header()
                self._blocks.append(taken)
            if pipeline.height == last:
                return

    def note_posted(self, proof: Proof) -> None:
        """A posted proof holds; a compressed one is verified by recursion."""
        if self._taken is not None:
            self._taken.shown.append(proof)
            if proof.system == ProofSystem.COMPRESSED:
                self._taken.verified.append(proof)

    def _asked(self, question: Question) -> None:
        """Before anything is executed: the engine stands at the parent."""
        self._close_range()
        taken, batch = self._taken, question.batch
        if taken is None or (batch is not None and batch.header.form == BatchForm.PROVEN):
            return
        header, body = (None, None) if batch is None else (batch.header.encode(), batch.body)
        origins = [native_origin(origin) for origin in question.origins]
        given, stated = program_input(self._engine, origins, header=header, body=body)
        taken.verified.append(Verdict(given=given, stated=stated))
        self._opened = batch is None

    def _close_range(self) -> None:
        """What was asked last is done: automatic blocks are named by the header of their last one."""
        if self._opened and self._taken is not None:
            self._taken.headers.append(self._tip_header())
        self._opened = False

    def _tip_header(self) -> bytes:
        header = self._engine.header(self._pipeline.safe.height)
        if header is None:
            raise Corrupt("the derived tip is missing", height=self._pipeline.safe.height)
        return header.rlp
