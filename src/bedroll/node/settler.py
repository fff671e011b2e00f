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
    """What the program is given beside its state, as derivation comes to it."""

    blocks: list[bytes] = field(default_factory=list)
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
        self._taken: _Taken | None = None
        self._opened = False

    def close(self) -> None:
        """Let go of the folder."""
        self._engine.close()

    @property
    def height(self) -> int:
        """L1 block up to which it has derived."""
        return self._pipeline.height

    async def run(self, client: BitcoinClient, last: L1Height, previous: SettlementStep | None = None) -> SettlementRun:
        """Derive up to an L1 block and make the input of one run that ends there.

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
        await self._derive(client, L1Height(begins))
        if self._pipeline.height != begins or (said is not None and said.l1_hash != self._pipeline.hash):
            raise Invalid("the run before is not of Bitcoin's best chain", l1_height=begins)
        self._taken = taken = _Taken()
        await self._derive(client, last)
        self._close_range()
        self._taken = None
        step = self._settlement(previous).advance(
            taken.blocks,
            [each.stated for each in taken.verified if isinstance(each, Verdict)],
            [*taken.headers, self._tip_header()],
            [(each.public_values, each.proof) for each in taken.shown],
        )
        return SettlementRun(first=L1Height(begins + 1), last=last, step=step, verified=tuple(taken.verified))

    def _settlement(self, previous: SettlementStep | None) -> Settlement:
        batch = self._verifier.program_digest(StatementKind.BATCH)
        settlement = self._verifier.program_digest(StatementKind.SETTLEMENT)
        if batch is None or settlement is None:
            raise Corrupt("the keys of the programs are not there")
        tag = self._genesis.network.parameters.tag
        return Settlement(self._parameters, tag, batch_key=batch, settlement_key=settlement, last=previous)

    async def _derive(self, client: BitcoinClient, last: L1Height) -> None:
        pipeline = self._pipeline
        if pipeline.height >= last:
            return
        if await client.block_hash(last) is None:
            raise Invalid("Bitcoin has no such block yet", value=last)
        reader = Reader(client, pipeline.height, BlockHash(pipeline.hash), pipeline.hash_at)
        async for event in reader.caught_up():
            if not isinstance(event, Connect):
                raise Unavailable("Bitcoin reorganised meanwhile: try again", height=event.height)
            pipeline.advance(event.raw)
            if self._taken is not None:
                self._taken.blocks.append(event.raw)
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
