"""The proven form in the proved program: signatures are private input, each is checked against the sender and the
authorities that the body names, and a missing or foreign one gives no statement at all.
"""

from hashlib import sha256

import pytest

from bedroll._core._native import decode_batch, decode_transaction, program_input, run_program
from bedroll.da import BatchForm
from bedroll.primitives import Invalid
from tests.framework.ledger import address_of
from tests.framework.scene import TO, Scene, busy


def set_code(ledger, key, authority, *, spoiled=False):
    """A type 4 with one authorisation; `spoiled`: of which the signature is nobody's."""
    signed = authority.sign_authorization(
        {"chainId": 0, "address": "0x" + TO.hex(), "nonce": ledger.engine.view().nonce(address_of(authority))}
    )
    listed = signed.model_dump() if hasattr(signed, "model_dump") else dict(signed)
    authorization = {
        "chainId": 0,
        "address": bytes(TO),
        "nonce": listed["nonce"],
        "yParity": listed["yParity"] if "yParity" in listed else listed["y_parity"],
        "r": listed["r"],
        "s": 2**256 - 1 if spoiled else listed["s"],
    }
    return ledger.sign(key, to=TO, type=4, authorizationList=[authorization], gas=200_000)


@pytest.fixture
def scene(tmp_path):
    made = Scene(tmp_path)
    made.leader.block(origin=made.origin())
    made.catch_up()
    busy(made)
    ledger = made.leader
    carol, dave = ledger.keys[2:4]
    ledger.block(set_code(ledger, carol, dave))
    ledger.block(set_code(ledger, carol, dave, spoiled=True))
    ledger.block(ledger.sign(carol, to=TO, value=3, gas=60_000))
    return made


def proven(scene):
    header, body = scene.header(form=BatchForm.PROVEN)
    return header, body, scene.signatures()


def test_the_proven_form_has_the_statement_of_the_blocks_that_the_leader_made(scene):
    header, body, signatures = proven(scene)
    said = scene.statement(header, body, b"".join(signatures))
    assert (said.tip, said.rejection) == (scene.leader.engine.tip().hash, None)
    assert said.header_id == header.signing_hash()
    signed, with_signatures = scene.header()
    assert scene.statement(signed, with_signatures).tip == said.tip
    assert len(with_signatures) - len(body) >= 64 * len(signatures)


def refused(scene, header, body, signatures):
    with pytest.raises(Invalid, match="signature"):
        program_input(
            scene.prover.engine, scene.origins, header=header.encode(), body=body, signatures=b"".join(signatures)
        )


def test_a_missing_signature_gives_no_statement(scene):
    header, body, signatures = proven(scene)
    for place in range(len(signatures)):
        refused(scene, header, body, signatures[:place] + signatures[place + 1 :])
    refused(scene, header, body, [])
    refused(scene, header, body, [*signatures, signatures[0]])


def test_a_false_signature_gives_no_statement(scene):
    header, body, signatures = proven(scene)
    for place, signature in enumerate(signatures):
        for at in {0, 31, 40, 63, 64, len(signature) - 1}:
            false = signature[:at] + bytes([signature[at] ^ 1]) + signature[at + 1 :]
            refused(scene, header, body, [*signatures[:place], false, *signatures[place + 1 :]])


def test_signatures_of_two_transactions_do_not_change_places(scene):
    header, body, signatures = proven(scene)
    refused(scene, header, body, [signatures[1], signatures[0], *signatures[2:]])


def test_the_witness_alone_refuses_other_signatures_too(scene):
    """The input of an honest prover with one bit of a signature changed: the program itself aborts."""
    header, body, signatures = proven(scene)
    given, _ = program_input(
        scene.prover.engine, scene.origins, header=header.encode(), body=body, signatures=b"".join(signatures)
    )
    for signature in signatures:
        at = given.index(signature[:64])
        with pytest.raises(Invalid):
            run_program(given[: at + 5] + bytes([given[at + 5] ^ 1]) + given[at + 6 :])


def test_a_signed_body_under_a_proven_header_is_rejected(scene):
    _, body = scene.header()
    header, _ = scene.header(form=BatchForm.PROVEN, body_hash=sha256(body).digest())
    assert scene.statement(header, body).rejection == 1


def test_a_node_executes_what_a_body_attests_to_the_same_blocks(scene):
    """Senders given, no signature known: the same hashes; afterwards signatures fit only where they belong."""
    header, body = scene.header(form=BatchForm.PROVEN)
    engine = scene.prover.engine
    decoded = decode_batch(engine, engine.tip().number, header.block_count, body, form=1)
    fees = [engine.tip().base_fee_per_gas]
    origins = iter(scene.origins)
    for index, (timestamp, step, _) in enumerate(decoded.blocks):
        origin = next(origins) if step else None
        base_fees = [engine.next_base_fee(None if origin is None else origin.l1_rate), *fees]
        transactions = decoded.attested(index, base_fees)
        assert [each.raw for each in transactions] == decoded.transactions(index, base_fees)
        engine.begin(timestamp, origin)
        assert not any(isinstance(receipt, str) for receipt in engine.add_many(transactions))
        block = engine.seal()
        true = scene.leader.engine.block(block.header.number)
        assert block.header.hash == true.header.hash
        assert block.own_attested() == true.own_attested() == [each.raw for each in transactions]
        stored = engine.block(block.header.number)
        assert stored.own_signatures() == [None] * len(transactions)
        for each, signature, other in zip(
            stored.own_transactions(), true.own_signatures(), reversed(true.own_signatures()), strict=True
        ):
            assert each.is_attested
            assert each.hash != each.with_signatures(signature).hash
            assert each.with_signatures(signature).signatures == signature
            if other != signature:
                with pytest.raises(Invalid):
                    each.with_signatures(other)
        fees = [block.header.base_fee_per_gas, *fees]
    assert engine.tip().hash == scene.leader.engine.tip().hash


def test_bytes_without_a_signature_are_no_transaction_for_anybody_else(scene):
    """What stands for a transaction whose signature is unknown is never taken from outside."""
    raw = scene.leader.engine.block(scene.leader.engine.tip().number).own_attested()[0]
    with pytest.raises(Invalid):
        decode_transaction(raw)
    scene.leader.engine.begin(scene.leader.engine.tip().timestamp + 1, None)
    with pytest.raises(Invalid):
        scene.leader.engine.add(raw)
