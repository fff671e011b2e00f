"""Shows that the real game, T = 26, is played to its verdict on a real bitcoind with default policy.

Every transaction goes to it as it is sent: a move with its fee child by `submitpackage`, a claim or a deciding leaf
alone, after `testmempoolaccept`. None is refused, and the bytes on the chain stay within what a dispute may cost. The
program is the sample, and the verifier of Groth16 proofs with a published proof of SP1, shown for another statement.
"""

from dataclasses import replace

import pytest

from bedroll.bitvm.game.run import OwnRun
from bedroll.bitvm.graph import BURN, Party
from bedroll.bitvm.lie.catalogue import lies
from bedroll.bitvm.lie.claimant import Claimant
from bedroll.bitvm.lie.replay import replay
from bedroll.bitvm.lie.run import LyingRun
from bedroll.bitvm.lie.scene import Scene
from bedroll.bitvm.player.strategy import HonestChallenger
from bedroll.riscv.verifier import instance
from tests.framework.bitcoind import run_bitcoind
from tests.framework.chain import ManualClock, RegtestChain
from tests.framework.dispute_game import INSTANCE, begin
from tests.framework.groth16 import sp1

pytestmark = [pytest.mark.bitcoind, pytest.mark.timeout(1_800)]

EXPONENT = 26
WORST_VB, NO_READ_VB = 159_000, 98_500


def sample(name):
    """The sample program and a lie of the catalogue."""
    scene = Scene.sample(INSTANCE, EXPONENT)
    lie = lies(9)[name]
    return scene, lie.make(scene), lie.ends_by


def verifier():
    """The verifier, told that a real proof of other public values is one of these."""
    proof = sp1()
    scene = Scene(instance(proof.key, (proof.inputs[0], proof.inputs[1] ^ 1, *proof.inputs[2:])), INSTANCE, EXPONENT)
    true = OwnRun(scene.program, proof.proof, instance_id=INSTANCE, exponent=EXPONENT)
    last = 1 << EXPONENT
    row = true.trace.row_at(last)
    assert (row.read_1.value, row.read_2.value) == (93, 0)
    false = replay(replace(row, read_2=replace(row.read_2, value=1)))
    return scene, Claimant(LyingRun(true, last, false), proof.proof), "opened_wrong_value"


class Judged:
    """A node that notes what it was handed, and asks before it sends what goes alone."""

    def __init__(self, client):
        self._client = client
        self.alone, self.packages = 0, 0

    def __getattr__(self, name):
        return getattr(self._client, name)

    async def broadcast(self, package):
        if len(package) == 1:
            (answer,) = await self._client.test_accept(package)
            assert answer.accepted, answer.reason
            self.alone += 1
        else:
            self.packages += 1
        await self._client.broadcast(package)


@pytest.mark.parametrize(("stage", "limit_vb", "moves"), [
    pytest.param(lambda: sample("wrong_result"), WORST_VB, 38, id="worst"),
    pytest.param(lambda: sample("wrong_hash_9"), NO_READ_VB, 20, id="no_read"),
    pytest.param(verifier, WORST_VB, 38, id="verifier"),
])  # fmt: skip
async def test_the_real_game_relays_by_default_policy(tmp_path, stage, limit_vb, moves):
    scene, liar, ends_by = stage()
    async with run_bitcoind(tmp_path / "bitcoind") as client:
        node = Judged(client)
        chain = await RegtestChain.start(node, ManualClock())
        game = await begin(chain, tmp_path / "duel", scene, liar, HonestChallenger(scene.program))
        try:
            position = await game.play()
            assert position.winner is Party.CHALLENGER
            assert position.by.startswith(ends_by)
            assert len(position.played) == moves
            await chain.mine(position.start + game.duel.terms.burn_blocks - await chain.height() - 1)
            await game.duel.step()
            await chain.mine()
            await game.duel.step()
            assert game.duel.position().gate == BURN
            assert [side.alarms for side in game.duel.sides.values()] == [[], []]
        finally:
            game.duel.close()
    assert node.packages == moves + 1
    assert node.alone >= 2
    on_chain = [played.spend.transaction for played in position.played] + [position.ended.transaction]
    total = sum(each.vsize for each in on_chain)
    children = sum(event.child.vsize for event in game.events if event.child is not None)
    for event in game.events:
        print(
            f"{event.party:<10} {event.name:<12} {event.transaction.vsize:>7,} vB {event.fee_sat:>7,} sat {event.leaf}"
        )
    print(f"{node.packages} packages, {node.alone} alone")
    print(f"{total:,} vB in {len(on_chain)} transactions, fee children {children:,} vB")
    assert total <= limit_vb
