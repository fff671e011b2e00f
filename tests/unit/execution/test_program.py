"""The proved program says of a batch what the node made of it, from a witness alone, and nothing where the witness
does not fit.
"""

from dataclasses import replace
from hashlib import sha256

import pytest

from bedroll._core._native import Statement, program_input, run_program
from bedroll.primitives import Invalid
from bedroll.protocol import REGTEST
from tests.framework.ledger import address_of
from tests.framework.scene import TO, Scene, busy

BODY, ORIGINS, BLOCK, TRANSACTION, TIP = 1, 2, 3, 4, 5


@pytest.fixture
def scene(tmp_path):
    made = Scene(tmp_path)
    made.leader.block(origin=made.origin())
    return made


def test_the_witness_alone_gives_the_tip_that_the_node_has(scene):
    scene.catch_up()
    busy(scene)
    header, body = scene.header()
    said = scene.statement(header, body)
    assert said.tip == scene.leader.engine.tip().hash
    assert (said.parent, said.header_id) == (scene.prover.engine.tip().hash, header.signing_hash())
    assert (said.network, said.rejection) == (REGTEST.number, None)


def test_the_witness_of_a_batch_upon_a_batch_holds_what_the_first_changed(scene):
    token = busy(scene)
    scene.catch_up()
    ledger = scene.leader
    ledger.send(ledger.keys[1], token, "transfer(address,uint256)", TO, 1)
    assert scene.statement(*scene.header()).tip == ledger.engine.tip().hash


def test_forced_messages_that_wait_are_run_from_the_witness(scene):
    ledger = scene.leader
    heavy = [
        scene.forced(ledger.sign(ledger.keys[3], to=TO, nonce=nonce, gas=REGTEST.parameters.forced_message_gas_limit))
        for nonce in range(6)
    ]
    burn = ledger.sign(ledger.keys[2], to=None, data=b"\x5b\x60\x00\x56", nonce=0, gas=3_000_000)
    unpaid = scene.forced(ledger.sign(ledger.keys[2], to=TO, nonce=0), paid=False)
    ledger.block(origin=scene.origin([scene.forced(burn), unpaid, *heavy]))
    scene.catch_up()
    ledger.block(origin=scene.origin([scene.forced(b"no transaction at all")]))
    ledger.block()
    said = scene.statement(*scene.header())
    assert said.tip == ledger.engine.tip().hash
    block = ledger.engine.block(ledger.engine.tip().number)
    assert said.queue_after == (block.queue_enqueued, block.queue_done)


def test_an_automatic_range_has_the_tip_that_derivation_makes(scene):
    scene.catch_up()
    ledger = scene.leader
    message = scene.forced(ledger.sign(ledger.keys[0], to=TO, value=1))
    for forced in ([message], []):
        origin = scene.origin(forced)
        ledger.engine.begin(max(ledger.engine.tip().timestamp, origin.median_time), origin, automatic=True)
        ledger.engine.seal()
    given, stated = program_input(scene.prover.engine, scene.origins)
    assert run_program(given) == stated
    assert Statement.decode(stated).tip == ledger.engine.tip().hash


def test_a_batch_that_names_another_tip_is_rejected(scene):
    scene.catch_up()
    busy(scene)
    header, body = scene.header(tip_l2_hash=bytes(32))
    said = scene.statement(header, body)
    assert (said.rejection, said.tip, said.queue_after) == (TIP, None, said.queue_before)


def test_a_body_that_does_not_decode_is_rejected(scene):
    scene.catch_up()
    busy(scene)
    _, body = scene.header()
    broken = body[:-1]
    assert scene.statement(scene.header(body_hash=sha256(broken).digest())[0], broken).rejection == BODY


def test_a_transaction_that_the_state_does_not_allow_is_rejected(scene):
    scene.catch_up()
    leader, prover = scene.leader, scene.prover
    leader.block(leader.sign(leader.keys[0], to=TO, value=9 * 10**20))
    header, body = scene.header()
    prover.block(prover.sign(prover.keys[1], to=address_of(prover.keys[1]), value=0))
    prover.block(prover.sign(prover.keys[0], to=TO, value=5 * 10**20, nonce=0))
    upon = prover.engine.tip()
    again = replace(header, parent_l2_hash=upon.hash, first_height=upon.number + 1)
    assert scene.statement(again, body).rejection in (TRANSACTION, BLOCK)


@pytest.mark.parametrize("field", ["parent_l2_hash", "body_hash"])
def test_there_is_no_statement_about_another_batch(scene, field):
    scene.catch_up()
    busy(scene)
    header, body = scene.header(**{field: b"\x01" * 32})
    with pytest.raises(Invalid):
        program_input(scene.prover.engine, scene.origins, header=header.encode(), body=body)


def test_no_changed_byte_of_the_input_gives_another_statement_about_the_same_batch(scene):
    scene.catch_up()
    busy(scene)
    header, body = scene.header()
    given, stated = program_input(scene.prover.engine, scene.origins, header=header.encode(), body=body)
    true = Statement.decode(stated)
    for place in range(0, len(given), 61):
        changed = given[:place] + bytes([given[place] ^ 1]) + given[place + 1 :]
        try:
            said = Statement.decode(run_program(changed))
        except Invalid:
            continue
        about = (said.rules, said.header_id, said.parent, said.parent_facts, said.l1)
        if about == (true.rules, true.header_id, true.parent, true.parent_facts, true.l1):
            assert said.tip == true.tip


def test_a_parent_below_the_tip_gives_the_same_input(scene):
    """The leader's own engine, which is at the tip, gives what one that stands at the parent gives."""
    busy(scene)
    header, body = scene.header()
    there = program_input(scene.prover.engine, scene.origins, header=header.encode(), body=body)
    parent = scene.prover.engine.tip().number
    assert program_input(scene.leader.engine, scene.origins, header=header.encode(), body=body, parent=parent) == there


def test_a_parent_whose_state_is_too_far_back_is_refused(scene):
    busy(scene)
    header, body = scene.header()
    parent = scene.prover.engine.tip().number
    with pytest.raises(Invalid):
        program_input(
            scene.leader.engine, scene.origins, header=header.encode(), body=body, parent=parent, changes_max=0
        )
