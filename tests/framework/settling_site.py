"""A node that also settles: the batch program is asked at each parent, the settlement program runs block by block.

What the batch program was asked, and what it said, stays in `inputs` and `verdicts`.
"""

from bedroll._core._native import program_input
from bedroll.da import BatchForm, StatementKind
from bedroll.derivation import Pipeline
from bedroll.light import AnchorFacts, BlockZero, Settlement, parameters_of
from bedroll.light.settlement import LIMIT_BITS
from bedroll.node.executor import native_origin

from .plain_settlement import BATCH_KEY, SETTLEMENT_KEY
from .site import Site


def anchor_of(chain):
    """Facts of a handmade chain's anchor, whose period it begins."""
    limit = LIMIT_BITS["regtest"]
    return AnchorFacts(
        height=chain.anchor_height,
        hash=chain.anchor_hash,
        times=chain.anchor_times,
        bits=limit,
        period_time=chain.anchor_times[0],
        period_bits=limit,
        regular_bits=limit,
    )


class Noting:
    """A verifier, and a note of the posted proofs that it says yes to."""

    def __init__(self, verifier):
        self.verifier = verifier
        self.valid = []

    def is_valid(self, proof):
        valid = self.verifier.is_valid(proof)
        if valid:
            self.valid.append(proof)
        return valid


def settlement_of(genesis, chain, verifier=None):
    """Runs of the settlement program from the anchor on, under the verifier's keys or made up ones."""
    circuit = b"" if verifier is None else verifier.circuit
    keys = {"batch_key": BATCH_KEY, "settlement_key": SETTLEMENT_KEY}
    if verifier is not None:
        keys["batch_key"] = verifier.program_digest(StatementKind.BATCH)
        keys["settlement_key"] = verifier.program_digest(StatementKind.SETTLEMENT)
    parameters = parameters_of(genesis, anchor_of(chain), BlockZero.of(genesis), circuit)
    return Settlement(parameters, genesis.network.parameters.tag, **keys)


class SettlingSite(Site):
    """Runs over every L1 block that it follows."""

    def __init__(self, folder, genesis, chain, *, verifier=None):
        self.settlement = settlement_of(genesis, chain, verifier)
        self.noting = None if verifier is None else Noting(verifier)
        self.asked = []
        self.steps = []
        self.inputs, self.verdicts = [], []
        super().__init__(folder, genesis, chain, verifier=self.noting)

    def new_pipeline(self):
        pipeline = Pipeline(
            self.genesis, self.chain.anchor_times, self.executor, verifier=self.verifier, on_question=self.ask
        )
        self.executor.use_origins(pipeline.origin)
        return pipeline

    def ask(self, question):
        """Before anything is executed: the engine stands at the parent."""
        self.note()
        if question.batch is not None and question.batch.header.form == BatchForm.PROVEN:
            return
        part = {} if question.batch is None else {"header": question.batch.header.encode(), "body": question.batch.body}
        given, stated = program_input(self.engine, [native_origin(origin) for origin in question.origins], **part)
        self.inputs.append(given)
        self.asked.append([stated, question.batch is None, None])

    def note(self):
        if self.asked and self.asked[-1][2] is None:
            self.asked[-1][2] = self.engine.header(self.pipeline.safe.height).rlp

    def given(self):
        """(blocks, verdicts, headers) for the L1 block that the pipeline took last."""
        self.note()
        asked, self.asked = self.asked, []
        raw = self.chain.blocks[self.pipeline.height - self.chain.anchor_height - 1]
        headers = [header for _, automatic, header in asked if automatic]
        return [raw], [stated for stated, _, _ in asked], [*headers, self.engine.header(self.pipeline.safe.height).rlp]

    def follow(self):
        while self.pipeline.height < self.chain.height:
            step = self.pipeline.advance(self.chain.blocks[self.pipeline.height - self.chain.anchor_height])
            self.records.extend(step.records)
            self.settle(*self.given())

    def settle(self, blocks, verdicts, headers):
        self.verdicts += verdicts
        valid = [] if self.noting is None else self.noting.valid
        shown = [(proof.public_values, proof.proof) for proof in valid]
        self.steps.append(self.settlement.advance(blocks, verdicts, headers, shown))
        valid.clear()
