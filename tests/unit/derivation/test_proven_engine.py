"""With the real engine: a node that never saw the signatures of a proven batch makes the same blocks, says where a
signature is missing, and completes itself from what others know.
"""

import pytest

from bedroll.crypto import sha256
from bedroll.da import BatchForm
from bedroll.derivation.divergence import Diverged
from bedroll.derivation.verdict import Accepted, Pending
from bedroll.primitives import Invalid
from bedroll.protocol import REGTEST
from tests.framework.plain_rollup import PlainVerifier, shown
from tests.framework.site import HOLDERS, Site, Wallet, new_rollup
from tests.unit.derivation.test_engine_chain import busy, last_verdict

FEE = REGTEST.parameters.proof_fee


@pytest.fixture
def leader(tmp_path):
    made = new_rollup(tmp_path / "leader", verifier=PlainVerifier())
    yield made
    made.close()


def fresh(leader, tmp_path, name="fresh"):
    site = Site(tmp_path / name, leader.genesis, leader.chain, verifier=PlainVerifier())
    site.follow()
    return site


def carry(leader, raw, fee=0):
    leader.chain.mine(leader.grinder.carry(raw, fee=fee))
    leader.follow()


def post_proven(leader, blocks=3):
    keys = [Wallet(holder) for holder in HOLDERS]
    busy(leader, keys, blocks)
    batch = leader.batch(form=BatchForm.PROVEN)
    said = leader.statement(batch)
    carry(leader, batch.encode())
    assert isinstance(last_verdict(leader), Pending)
    carry(leader, shown(said).encode(), FEE)
    assert isinstance(last_verdict(leader), Accepted)
    return batch


def test_a_node_without_signatures_makes_the_same_blocks(leader, tmp_path):
    post_proven(leader)
    other = fresh(leader, tmp_path)
    assert other.pipeline.safe == leader.pipeline.safe
    assert other.pipeline.proven.height == other.pipeline.safe.height > 0
    missing = 0
    for mine, theirs in zip(leader.blocks(), other.blocks(), strict=True):
        assert mine.header.rlp == theirs.header.rlp
        assert mine.own_attested() == theirs.own_attested() == theirs.own_raws()
        assert None not in mine.own_signatures(), "the leader's own blocks stay as they are"
        missing += theirs.own_signatures().count(None)
        for one, two in zip(mine.receipts, theirs.receipts, strict=True):
            assert (one.status, one.gas_used, one.cumulative_gas_used) == (
                two.status,
                two.gas_used,
                two.cumulative_gas_used,
            )
    assert missing == sum(len(block.own_raws()) for block in leader.blocks()) > 0
    other.close()


def test_signatures_are_learned_checked_and_kept(leader, tmp_path):
    post_proven(leader)
    other = fresh(leader, tmp_path)
    for mine in leader.blocks():
        height, signatures = mine.header.number, mine.own_signatures()
        if not signatures:
            continue
        stand_ins = [each.hash for each in other.engine.block(height).own_transactions()]
        with pytest.raises(Invalid):
            other.engine.sign_block(height, [signatures[-1], *signatures[1:]])
        with pytest.raises(Invalid):
            other.engine.sign_block(height, signatures[:-1])
        assert other.engine.sign_block(height, [None] * len(signatures)) == 0
        assert other.engine.sign_block(height, [signatures[0], *[None] * (len(signatures) - 1)]) == 1
        assert other.engine.sign_block(height, signatures) == len(signatures) - 1
        assert other.engine.sign_block(height, signatures) == 0
        learned = other.engine.block(height)
        assert learned.own_raws() == mine.own_raws()
        assert learned.header.hash == mine.header.hash
        for index, (transaction, stand_in) in enumerate(zip(learned.own_transactions(), stand_ins, strict=True)):
            place = (height, learned.forced_count + index)
            assert other.engine.find_transaction(transaction.hash) == place
            assert other.engine.find_transaction(stand_in) == place
            again, receipt = other.engine.transaction(*place)
            assert again.hash == receipt.transaction_hash == transaction.hash
    other.close()


def test_learned_signatures_outlive_a_restart_and_go_with_their_block(leader, tmp_path):
    post_proven(leader)
    other = fresh(leader, tmp_path)
    block = leader.blocks()[-1]
    other.engine.sign_block(block.header.number, block.own_signatures())
    hashes = [each.hash for each in block.own_transactions()]
    other.close()
    other = fresh(leader, tmp_path)
    assert other.engine.block(block.header.number).own_raws() == block.own_raws()
    other.engine.unwind_to(block.header.number - 1)
    assert [other.engine.find_transaction(each) for each in hashes] == [None] * len(hashes)
    other.close()


def test_a_leader_s_own_blocks_are_found_to_be_the_batch_s(leader):
    before = [block.header.hash for block in leader.blocks()]
    post_proven(leader)
    assert [block.header.hash for block in leader.blocks()][: len(before)] == before
    assert leader.changes == []


def test_a_body_whose_senders_are_others_is_another_chain(leader):
    """The tip's hash names the senders: a body that names others gives another tip; no true proof says otherwise."""
    keys = [Wallet(holder) for holder in HOLDERS]
    busy(leader, keys, 2)
    batch = leader.batch(form=BatchForm.PROVEN)
    changed = bytearray(batch.body)
    changed[len(changed) // 2] ^= 1
    forged = leader.batch(body=bytes(changed), form=BatchForm.PROVEN)
    said = leader.statement(forged)
    carry(leader, forged.encode())
    before = leader.pipeline.safe
    with pytest.raises(Diverged):
        carry(leader, shown(said).encode(), FEE)
    assert leader.pipeline.safe == before
    assert sha256(bytes(changed)) != batch.header.body_hash
