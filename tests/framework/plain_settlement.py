"""The settlement program beside a plain rollup's pipeline, with verdicts made up from what that derived."""

import hashlib

import rlp

from bedroll._core import _native
from bedroll.da import BatchForm
from bedroll.derivation.record import Place
from bedroll.derivation.statement import l1_digest
from bedroll.light import AnchorFacts, BlockZero, Settlement, parameters_of
from bedroll.light.settlement import LIMIT_BITS

from .plain_chain import RULES

NO_QUEUE = bytes(80)
BATCH_KEY = hashlib.sha256(b"batch key").digest()
SETTLEMENT_KEY = hashlib.sha256(b"settlement key").digest()
TIP = 1
"""Code of the reason for which a batch that does not hold is refused; which one is of no matter here."""


def facts_of(block_hash):
    return hashlib.sha256(b"facts" + block_hash).digest()


def is_proven(batch):
    return batch is not None and batch.header.form == BatchForm.PROVEN


def place_of(waiting):
    return Place(*(int.from_bytes(number, "big") for number in waiting[0]))


class PlainSettlement:
    """Follows every L1 block by one run, reorganisations by going on from an older one."""

    def __init__(self, rollup):
        self.rollup = rollup
        chain, zero = rollup.chain, rollup.first_block
        anchor = chain.anchor[:80]
        limit = LIMIT_BITS["regtest"]
        facts = AnchorFacts(
            height=chain.anchor_height,
            hash=chain.anchor_hash,
            times=chain.anchor_times,
            bits=int.from_bytes(anchor[72:76], "little"),
            period_time=chain.anchor_times[0],
            period_bits=limit,
            regular_bits=limit,
        )
        self.parameters = parameters_of(rollup.genesis, facts, BlockZero(zero.header, facts_of(zero.hash), RULES))
        self.steps = {chain.anchor_height: None}
        self.asked = []
        self.shown = []

    def ask(self, question):
        """What the pipeline is about to execute; what became of the question before is known now."""
        self.answer()
        self.asked.append((question, self.rollup.pipeline.safe, None))

    def answer(self):
        if self.asked and self.asked[-1][2] is None:
            question, before, _ = self.asked[-1]
            self.asked[-1] = (question, before, self.rollup.pipeline.safe)

    def verdict(self, question, before, after):
        """Bytes of a statement (docs/spec/proof.md)."""
        header_id = bytes(32) if question.batch is None else question.batch.header.id()
        code, tip, facts = 0, after.hash, facts_of(after.hash)
        if after.hash == before.hash:
            code, tip, facts = TIP, bytes(32), bytes(32)
        hashes = [RULES, header_id, before.hash, facts_of(before.hash), l1_digest(question.origins)]
        end = [NO_QUEUE, NO_QUEUE, bytes([code]), tip, facts]
        return b"".join([bytes([1, self.rollup.network.number]), *hashes, *end])

    def block_header(self, head):
        return self.rollup.executor.blocks[head.height].header

    def given(self):
        """(verdicts, headers) for the L1 block that the pipeline took last."""
        self.answer()
        asked, self.asked = self.asked, []
        verdicts = [self.verdict(*each) for each in asked if not is_proven(each[0].batch)]
        headers = [self.block_header(after) for question, _, after in asked if question.batch is None]
        return verdicts, [*headers, self.block_header(self.rollup.pipeline.safe)]

    def at(self, height):
        """The program after L1 block `height`."""
        tag = self.rollup.network.parameters.tag
        keys = {"batch_key": BATCH_KEY, "settlement_key": SETTLEMENT_KEY}
        return Settlement(self.parameters, tag, **keys, last=self.steps[height])

    def advance(self, raw):
        height = self.rollup.chain.height
        verdicts, headers = self.given()
        shown, self.shown = self.shown, []
        self.steps[height] = self.at(height - 1).advance([raw], verdicts, headers, shown)

    def compare(self):
        """The program stands where the pipeline stands, and remembers what it remembers."""
        rollup, step = self.rollup, self.steps[self.rollup.chain.height]
        if step is None:
            return
        pipeline, said = rollup.pipeline, _native.Settled.decode(step.statement)
        safe = pipeline.safe
        assert (said.tip, said.height, said.origin_height) == (safe.hash, safe.height, safe.origin_height)
        assert (said.l1_hash, said.l1_height) == (rollup.chain.tip, rollup.chain.height)
        _, keys, series, selector, _, desk, proven = rlp.decode(step.state)
        assert keys[0] == pipeline.leader
        assert int.from_bytes(selector[0], "big") == pipeline.silent_since
        held = pipeline._selector.state.held
        assert [place_of(batch) for batch, _ in selector[1]] == [each.place for each in held]
        assert [len(proof) for _, proof in selector[1]] == [each.proof is not None for each in held]
        assert [place_of(body) for body in desk] == [each.place for each in pipeline._desk.state.bodies]
        covered = pipeline._proven.state
        assert proven[1] == covered.head.hash
        numbers = [int.from_bytes(proven[at], "big") for at in (0, 3, 4)]
        assert numbers == [covered.head.height, covered.idle, covered.ended or 0]
        muted = pipeline._selector.state.muted
        assert [(key, int.from_bytes(until, "big")) for key, until in selector[2]] == list(muted)
        assert selector[3] == list(pipeline._selector.state.refused)
        assert [each[0] for each in series] == list(pipeline._assembler.state.series)
