"""Settlement goes on by itself: runs are proved upon each other, whatever ends, reorganises or cannot be proved.

The proof system is a stand-in that runs both programs; node, Bitcoin, engine and prover are real.
"""

from collections import Counter
from itertools import pairwise

import pytest

from bedroll.da import Proof, ProofSystem
from bedroll.derivation.settled import parse_settled
from bedroll.node.settlement_follower import BLOCKS_MAX, SettlementFollower
from bedroll.node.settler import Settler
from bedroll.primitives import Unavailable
from bedroll.protocol import REGTEST
from bedroll.prover import JobState, ProgramDiverged, Prover
from bedroll.prover.executor import Ran
from tests.framework.devnet import open_rollup
from tests.framework.plain_rollup import shown
from tests.framework.settlement_crew import PROGRAMS, SettlementCrew, StatementKind
from tests.unit.node.test_settlement_shelf import NodeStandIn
from tests.unit.prover.test_prover_wrapping import Shortener
from tests.unit.sequencer.test_proven_leader import begin, post_body, statement

C = REGTEST.parameters.finality_depth
BATCH, SETTLEMENT = PROGRAMS[StatementKind.BATCH], PROGRAMS[StatementKind.SETTLEMENT]


class Carrier:
    """A prover and the follower that gives it work, as one process has them; `again` is another process after it."""

    def __init__(self, rollup, folder, crew=None, shortener=None):
        self.rollup, self.folder, self.shortener = rollup, folder, shortener
        self.verifier = NodeStandIn()
        self.crew = crew or SettlementCrew(self.verifier)
        self.handed = []
        self.prover = Prover(folder / "prover", self.crew, BATCH, self.take, memory_bytes=1 << 30, shortener=shortener)
        self.follower = SettlementFollower(
            folder / "settlement", rollup.devnet.client, rollup.devnet.genesis, self.verifier, self.prover, SETTLEMENT,
            wraps=shortener is not None,
        )  # fmt: skip

    async def take(self, finished):
        self.handed.append(finished)

    async def work(self, steps=1_000):
        """Both take their turns until neither has anything to do; gives whether that was reached."""
        for _ in range(steps):
            if not (await self.follower.step()) and not (await self.prover.step()):
                return True
        return False

    async def close(self):
        self.follower.close()
        await self.prover.close()

    async def again(self):
        await self.close()
        return Carrier(self.rollup, self.folder, self.crew, self.shortener)

    @property
    def statements(self):
        """Of settlement, in the order in which they were handed over."""
        return [parse_settled(each.values) for each in self.handed if len(each.values) == 362]


@pytest.fixture
async def rollup(embedded_chain, tmp_path):
    async with open_rollup(tmp_path / "net", embedded_chain) as made:
        yield made


@pytest.fixture
async def carrier(rollup, tmp_path):
    made = Carrier(rollup, tmp_path)
    yield made
    await made.close()


async def history(rollup):
    """A batch, a forced message, silence with automatic blocks, and all of it final."""
    await rollup.send(rollup.transfer(0))
    await rollup.block()
    await rollup.settle()
    await rollup.force(rollup.transfer(2))
    await rollup.mine(REGTEST.parameters.auto_block_window + C)


async def test_runs_go_on_from_each_other_up_to_what_is_final(rollup, carrier):
    await history(rollup)
    assert await carrier.work()
    said = carrier.statements
    anchor, final = rollup.devnet.genesis.anchor_height, rollup.node.deriver.height - C
    heights = [each.l1_height for each in said]
    assert heights == [*range(anchor + BLOCKS_MAX, final, BLOCKS_MAX), final]
    assert len(said) >= 2
    await rollup.mine(C)
    assert await carrier.work()
    newest = carrier.statements[-1]
    assert newest.l1_height == final + C
    assert await rollup.devnet.client.block_hash(final + C) == newest.l1_hash
    assert newest.tip == rollup.node.engine.header(newest.height).hash
    assert newest.height > 0
    titles = [each.job.title for each in carrier.handed]
    assert any(title.startswith("verdict 0 for settlement up to") for title in titles)


@pytest.fixture
def opened(monkeypatch):
    """Settlers that were opened, and each run by its input."""
    runs, settlers, true = {}, [], Settler.run

    async def run(settler, *arguments):
        made = await true(settler, *arguments)
        runs[made.step.input] = made
        if settler not in settlers:
            settlers.append(settler)
        return made

    monkeypatch.setattr(Settler, "run", run)
    return runs, settlers


@pytest.mark.parametrize(("limit", "longest"), [(29, 2), (30, 3), (9, 1), (10_000, 8)])
async def test_a_run_is_cut_where_its_cycles_are_beyond_the_limit_and_never_below_a_block(
    rollup, carrier, opened, limit, longest
):
    await history(rollup)
    anchor, final = rollup.devnet.genesis.anchor_height, rollup.node.deriver.height - C
    dear = anchor + 5
    runs, settlers = opened

    async def execute(program, given):
        assert program.read_bytes() == SETTLEMENT
        run = runs[given.read_bytes()]
        heights = range(run.first, run.last + 1)
        return Ran(10 * len(heights) + 1_000 * (dear in heights), run.step.statement)

    carrier.follower._cycles_max, carrier.follower._execute = limit, execute
    await carrier.work()
    ends = [anchor, *(each.l1_height for each in carrier.statements)]
    spans = [range(first + 1, last + 1) for first, last in pairwise(ends)]
    assert ends[-1] == final
    assert max(map(len, spans)) == longest
    assert [span for span in spans if dear in span] == [range(dear, dear + 1)] or limit == 10_000
    assert len(settlers) == 1, "what was derived for a longer try is kept"
    carrier.follower.close()
    whole = await Settler.run(await carrier.follower._open(), rollup.devnet.client, final)
    assert carrier.statements[-1] == parse_settled(whole.step.statement)


async def test_a_program_that_states_something_else_is_seen_where_its_cycles_are_counted(rollup, carrier):
    await history(rollup)

    async def execute(_program, _given):
        return Ran(1, b"something else")

    carrier.follower._cycles_max, carrier.follower._execute = 10, execute
    with pytest.raises(ProgramDiverged):
        await carrier.work()


async def test_the_chain_being_as_before_there_is_nothing_to_do(rollup, carrier):
    await history(rollup)
    await carrier.work()
    done = len(carrier.crew.done)
    assert not await carrier.follower.step()
    assert len(carrier.crew.done) == done


@pytest.mark.parametrize("steps", [1, 2, 4, 7, 11])
async def test_a_process_that_ends_anywhere_does_nothing_twice(rollup, carrier, steps):
    await history(rollup)
    assert not await carrier.work(steps)
    await rollup.mine()
    other = await carrier.again()
    assert await other.work()
    assert other.statements[-1].l1_height == rollup.node.deriver.height - C
    assert set(Counter(carrier.crew.done).values()) == {1}
    await other.close()


async def test_an_automatic_or_signed_range_that_a_prover_follows_is_the_verdicts_job(rollup, carrier):
    await history(rollup)
    found = await rollup.node.proof_range(1)
    job = carrier.prover.add(found.given, "batch 1 to 1")
    await carrier.work()
    assert carrier.prover.queue.job(job.id).state is JobState.HANDED
    titles = Counter(each.title for each in carrier.prover.queue.jobs())
    assert titles["batch 1 to 1"] == 1
    assert max(titles.values()) == 1
    assert carrier.statements[-1].height > 0
    assert set(Counter(carrier.crew.done).values()) == {1}


@pytest.mark.parametrize("size", [387, 362], ids=["verdict", "settlement"])
async def test_a_machine_that_states_something_else_ends_it_before_anything_is_proved(
    rollup, carrier, monkeypatch, size
):
    await history(rollup)
    true = carrier.crew.values

    def flipped(folder):
        values = true(folder)
        return values[:-1] + bytes([values[-1] ^ 1]) if len(values) == size else values

    monkeypatch.setattr(carrier.crew, "values", flipped)
    with pytest.raises(ProgramDiverged):
        await carrier.work()
    assert carrier.statements == []


@pytest.mark.parametrize("steps", [5, 12, 1_000])
async def test_where_groth16_alone_is_taken_runs_are_wrapped_and_verify_what_was_not(rollup, tmp_path, steps):
    carrier = Carrier(rollup, tmp_path / "short", shortener=Shortener())
    await history(rollup)
    await carrier.work(steps)
    await rollup.mine()
    other = await carrier.again()
    assert await other.work()
    handed = [*carrier.handed, *other.handed]
    assert {(len(each.values) == 362, bool(each.groth16)) for each in handed} == {(True, True), (False, False)}
    runs = {each.job.id: each for each in handed if each.groth16}
    assert len(runs) > 1, "each but the first verifies the one before"
    assert all(each.groth16.endswith(each.proof) for each in runs.values())
    assert set(Counter(carrier.crew.done).values()) == {1}
    assert carrier.shortener.made == len(runs)
    await other.close()


async def test_after_a_reorganisation_below_it_settlement_goes_on_from_an_older_run(rollup, carrier, embedded_chain):
    await history(rollup)
    await carrier.work()
    before = carrier.statements[-1]
    await embedded_chain.reorg(C + 1, extra=2)
    await rollup.follow()
    assert await carrier.work()
    newest = carrier.statements[-1]
    assert await rollup.devnet.client.block_hash(newest.l1_height) == newest.l1_hash
    assert newest.l1_height == rollup.node.deriver.height - C
    assert await rollup.devnet.client.block_hash(before.l1_height) != before.l1_hash


async def test_a_posted_compressed_proof_is_verified_and_not_made_again(rollup, carrier):
    await begin(rollup)
    proof = shown(statement(rollup.node, await post_body(rollup)), system=ProofSystem.COMPRESSED, size=3_000)
    carrier.crew.post(proof)
    rollup.node.submit_proof(proof.encode())
    await rollup.node.writer.step()
    await rollup.mine(1 + C)
    assert await carrier.work()
    assert carrier.statements[-1].tip == rollup.node.heads().safe.hash
    assert isinstance(proof, Proof)
    assert proof.public_values not in [each.values for each in carrier.handed]


async def test_a_verdict_that_cannot_be_proved_is_told_and_tried_by_the_next_process(rollup, carrier):
    await history(rollup)
    carrier.crew.refuses = lambda _given: True
    assert await carrier.work()
    assert carrier.statements == []
    assert "cannot be proved" in carrier.prover.status().remark
    carrier.crew.refuses = lambda _given: False
    assert await carrier.work()
    assert carrier.statements == []
    other = await carrier.again()
    assert await other.work()
    assert other.statements[-1].l1_height == rollup.node.deriver.height - C
    await other.close()


async def test_a_bitcoin_that_does_not_answer_is_asked_again(rollup, carrier, monkeypatch):
    class Enough(Exception):
        """Ends the service at its second wait."""

    waits = []

    async def wait(_seconds):
        waits.append(carrier.prover.status().remark)
        monkeypatch.undo()
        if len(waits) == 2:
            raise Enough

    async def silent():
        raise Unavailable("no answer")

    monkeypatch.setattr(rollup.devnet.client, "tip", silent)
    carrier.follower._wait = wait
    with pytest.raises(Enough):
        await carrier.follower.run()
    assert "no answer" in waits[0]
    assert waits[1] == ""
