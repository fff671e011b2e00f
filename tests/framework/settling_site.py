"""A node that also settles: the batch program is asked at each parent, the settlement program runs block by block."""

from bedroll._core._native import program_input
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


class SettlingSite(Site):
    """Runs over every L1 block that it follows."""

    def __init__(self, folder, genesis, chain):
        parameters = parameters_of(genesis, anchor_of(chain), BlockZero.of(genesis))
        tag = genesis.network.parameters.tag
        self.settlement = Settlement(parameters, tag, batch_key=BATCH_KEY, settlement_key=SETTLEMENT_KEY)
        self.asked = []
        self.steps = []
        super().__init__(folder, genesis, chain)

    def new_pipeline(self):
        pipeline = Pipeline(self.genesis, self.chain.anchor_times, self.executor, on_question=self.ask)
        self.executor.use_origins(pipeline.origin)
        return pipeline

    def ask(self, question):
        """Before anything is executed: the engine stands at the parent."""
        self.note()
        part = {} if question.batch is None else {"header": question.batch.header.encode(), "body": question.batch.body}
        _, stated = program_input(self.engine, [native_origin(origin) for origin in question.origins], **part)
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
        return

    def settle(self, blocks, verdicts, headers):
        self.steps.append(self.settlement.advance(blocks, verdicts, headers))
