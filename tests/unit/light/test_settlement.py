"""With a real engine and real statements: the settlement program follows the node, and cannot be fooled."""

import pytest

from bedroll._core._native import Settled
from bedroll.da import Forced
from bedroll.derivation.record import AutomaticBlocks, ObjectJudged
from bedroll.derivation.verdict import Rejected
from bedroll.light import Settlement
from bedroll.primitives import Invalid
from tests.framework.plain_settlement import BATCH_KEY, SETTLEMENT_KEY
from tests.framework.settling_site import SettlingSite
from tests.framework.site import HOLDERS, Wallet, new_rollup

REGTEST_NUMBER = 3


@pytest.fixture
def leader(tmp_path):
    made = new_rollup(tmp_path / "leader")
    yield made
    made.close()


@pytest.fixture
def settling(leader, tmp_path):
    made = SettlingSite(tmp_path / "settling", leader.genesis, leader.chain)
    yield made
    made.close()


def wallets():
    return [Wallet(holder) for holder in HOLDERS]


def said(site):
    return Settled.decode(site.steps[-1].statement)


def assert_settled(site):
    safe, statement = site.pipeline.safe, said(site)
    assert (statement.tip, statement.height, statement.origin_height) == (safe.hash, safe.height, safe.origin_height)
    assert statement.state_root == site.engine.header(safe.height).state_root
    assert (statement.l1_hash, statement.l1_height) == (site.chain.tip, site.chain.height)


def history(leader):
    """Batches, a lie, forced messages good and bad, a silence."""
    keys = wallets()
    leader.seal([keys[0].sign(value=1), keys[1].sign(value=2)])
    leader.seal([keys[0].sign(value=3)], step=False)
    leader.post(leader.batch())
    forced = Forced(network=REGTEST_NUMBER, payload=keys[2].sign(value=4))
    leader.post(forced, fee=1_000)
    leader.post(Forced(network=REGTEST_NUMBER, payload=b"junk"), fee=1_000)
    for _ in range(2):
        leader.seal([keys[0].sign(value=5)])
    leader.post(leader.batch())
    leader.seal([keys[1].sign(value=6)])
    leader.post(leader.batch(tip_l2_hash=bytes(32)))
    for _ in range(14):
        leader.chain.mine()
    leader.follow()


def test_the_program_stands_where_the_node_stands_after_every_block(leader, settling):
    history(leader)
    settling.follow()
    assert_settled(settling)
    assert any(isinstance(record, AutomaticBlocks) for record in settling.records)
    judged = [record.verdict for record in settling.records if isinstance(record, ObjectJudged)]
    assert any(isinstance(verdict, Rejected) for verdict in judged)
    assert said(settling).queue == (2, 2)
    works = [Settled.decode(step.statement).l1_work for step in settling.steps]
    assert works == [2 * (number + 1) for number in range(len(works))]


def test_one_run_over_many_blocks_says_what_many_runs_say(leader, settling):
    parts = []
    settling.settle = lambda *given: parts.append(given)
    history(leader)
    settling.follow()
    blocks = [block for given in parts for block in given[0]]
    verdicts = [verdict for given in parts for verdict in given[1]]
    headers = [header for given in parts for header in given[2][:-1]] + [parts[-1][2][-1]]
    settling.steps.append(settling.settlement.advance(blocks, verdicts, headers))
    at_once = settling.steps[-1]
    settling.settlement.last = None
    for given in parts:
        one_by_one = settling.settlement.advance(*given)
    assert one_by_one.statement == at_once.statement
    assert one_by_one.state == at_once.state
    assert_settled(settling)


@pytest.fixture
def at_batch(leader, settling):
    """The settlement before an L1 block that holds a batch, and what the honest run over it is given."""
    keys = wallets()
    settling.follow()
    leader.seal([keys[0].sign(value=1)])
    leader.post(leader.batch())
    settling.pipeline.advance(leader.chain.blocks[-1])
    return settling, settling.given()


def changed(raw, place):
    return raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :]


def test_a_verdict_about_anything_else_is_refused(at_batch):
    settling, (blocks, verdicts, headers) = at_batch
    (verdict,) = verdicts
    # All before the verdict itself is about what was asked; version and network lie in front.
    for place in range(2 + 5 * 32 + 80):
        with pytest.raises(Invalid):
            settling.settlement.advance(blocks, [changed(verdict, place)], headers)
    settling.settlement.advance(blocks, verdicts, headers)


@pytest.mark.parametrize(
    "forge",
    [
        lambda blocks, verdicts, headers: (blocks, [], headers),
        lambda blocks, verdicts, headers: (blocks, verdicts * 2, headers),
        lambda blocks, verdicts, headers: (blocks, verdicts, []),
        lambda blocks, verdicts, headers: (blocks, verdicts, headers * 2),
        lambda blocks, verdicts, headers: (blocks, verdicts, [changed(headers[0], 40)]),
        lambda blocks, verdicts, headers: (blocks * 2, verdicts, headers),
        lambda blocks, verdicts, headers: ([], verdicts, headers),
    ],
    ids=["no verdict", "two verdicts", "no header", "two headers", "another header", "a block twice", "no block"],
)
def test_what_is_missing_or_too_much_ends_the_run(at_batch, forge):
    settling, given = at_batch
    with pytest.raises(Invalid):
        settling.settlement.advance(*forge(*given))


def test_a_state_that_the_statement_before_does_not_name_is_refused(at_batch):
    settling, given = at_batch
    last = settling.settlement.last
    other = settling.steps[0]
    settling.settlement.last = type(last)(last.statement, other.state, b"")
    with pytest.raises(Invalid, match="state"):
        settling.settlement.advance(*given)


def test_a_statement_that_nobody_proved_is_not_gone_on_from(at_batch, leader):
    settling, given = at_batch
    last = settling.settlement.last
    stranger = Settlement(
        settling.settlement._parameters, leader.genesis.network.parameters.tag, batch_key=BATCH_KEY,
        settlement_key=BATCH_KEY, last=last,
    )  # fmt: skip
    with pytest.raises(Invalid, match="another program"):
        stranger.advance(*given)
    assert Settled.decode(last.statement).settlement_key == SETTLEMENT_KEY
