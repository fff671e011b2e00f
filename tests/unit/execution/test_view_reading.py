"""Shows what views answer: old state, calls, estimates, overrides, proofs, logs; and that they never wait."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from bedroll.crypto.keccak import keccak256
from bedroll.encoding.rlp import decode_rlp
from bedroll.primitives import Invalid
from bedroll.protocol import WRAPPED_BITCOIN
from tests.framework.ledger import FUNDS, address_of, selector

TO = b"\x77" * 20
CALL = {"value": 0, "gas_limit": 10**6, "gas_price": 0, "access_list": [], "overrides": ""}
ESTIMATE = {"value": 0, "gas_limit": None, "max_fee_per_gas": None, "access_list": [], "overrides": ""}
COUNTER = bytes.fromhex("5f546001015f555f545f5260205ff3")
DEPLOY_COUNTER = bytes.fromhex("60") + bytes([len(COUNTER)]) + bytes.fromhex("80600b6000396000f3") + COUNTER
LOGGER = bytes.fromhex("5f355f5fa1")
DEPLOY_LOGGER = bytes.fromhex("60") + bytes([len(LOGGER)]) + bytes.fromhex("80600b6000396000f3") + LOGGER


def deployed(ledger, code):
    return ledger.block(ledger.sign(ledger.keys[0], to=None, data=code)).receipts[-1].contract


def override(address, **fields):
    return json.dumps({"0x" + address.hex(): fields})


def test_old_views_keep_their_state(ledger):
    counter = deployed(ledger, DEPLOY_COUNTER)
    first = ledger.engine.view()
    for _ in range(3):
        ledger.block(ledger.sign(ledger.keys[0], to=counter))
    ledger.engine.commit()
    ledger.block(ledger.sign(ledger.keys[0], to=counter))
    values = [int.from_bytes(ledger.engine.view(height).storage(counter, 0), "big") for height in range(1, 6)]
    assert values == [0, 1, 2, 3, 4]
    assert int.from_bytes(first.storage(counter, 0), "big") == 0
    assert ledger.engine.view(0).code(counter) == b""
    with pytest.raises(Invalid):
        ledger.engine.view(6)
    ledger.engine.prune(3)
    assert ledger.engine.oldest_state() == 3
    with pytest.raises(Invalid):
        ledger.engine.view(2)


def test_a_call_returns_and_changes_nothing(ledger):
    counter = deployed(ledger, DEPLOY_COUNTER)
    view = ledger.engine.view()
    for _ in range(2):
        outcome = view.call(sender=bytes(20), to=counter, data=b"", **CALL)
        assert (outcome.status, int.from_bytes(outcome.output, "big")) == ("success", 1)
    halted = view.call(sender=bytes(20), to=None, data=b"\xfe", **CALL)
    assert (halted.status, bool(halted.reason)) == ("halt", True)


def test_a_call_with_more_value_than_balance_is_invalid(ledger):
    with pytest.raises(Invalid, match="insufficient funds"):
        ledger.engine.view().call(sender=b"\x98" * 20, to=TO, data=b"", **(CALL | {"value": 1}))


def test_overrides_change_balance_nonce_code_and_slots(ledger):
    counter = deployed(ledger, DEPLOY_COUNTER)
    ledger.block(ledger.sign(ledger.keys[0], to=counter))
    view = ledger.engine.view()

    def ask(**fields):
        called = view.call(
            sender=bytes(20), to=counter, data=b"", **(CALL | {"overrides": override(counter, **fields)})
        )
        return int.from_bytes(called.output, "big")

    slot, nine = "0x" + "00" * 32, "0x" + "09".rjust(64, "0")
    other = "0x" + "01".rjust(64, "0")
    assert ask() == 2
    assert ask(stateDiff={slot: nine}) == 10
    assert ask(state={other: nine}) == 1
    assert ask(code="0x4760005260206000f3", balance="0x7") == 7
    poor = override(b"\x98" * 20, balance="0x5")
    moved = view.call(sender=b"\x98" * 20, to=TO, data=b"", **(CALL | {"value": 5, "overrides": poor}))
    assert moved.status == "success"


@pytest.mark.parametrize("text", ["[]", "{", '{"0x01": {}}', '{"0x' + "00" * 20 + '": {"colour": "0x1"}}'])
def test_broken_overrides_are_invalid(ledger, text):
    with pytest.raises(Invalid):
        ledger.engine.view().call(sender=bytes(20), to=TO, data=b"", **(CALL | {"overrides": text}))


def test_an_estimate_is_the_least_limit(ledger):
    counter = deployed(ledger, DEPLOY_COUNTER)
    key = ledger.keys[0]
    view = ledger.engine.view()
    gas = view.estimate_gas(sender=address_of(key), to=counter, data=b"", **ESTIMATE)
    assert ledger.block(ledger.sign(key, to=counter, gas=gas)).receipts[-1].status == 1
    view = ledger.engine.view()
    gas = view.estimate_gas(sender=address_of(key), to=counter, data=b"", **ESTIMATE)
    assert ledger.block(ledger.sign(key, to=counter, gas=gas - 1)).receipts[-1].status == 0
    assert view.estimate_gas(sender=address_of(key), to=TO, data=b"", **(ESTIMATE | {"value": 1})) == 21_000


def test_an_estimate_of_what_fails_says_how(ledger):
    failing = bytes.fromhex("63deadbeef5f526004601cfd")
    outcome = ledger.engine.view().estimate_gas(sender=address_of(ledger.keys[0]), to=None, data=failing, **ESTIMATE)
    assert (outcome.status, outcome.output) == ("revert", b"\xde\xad\xbe\xef")


def test_an_access_list_makes_slots_warm(ledger):
    counter = deployed(ledger, DEPLOY_COUNTER)
    view = ledger.engine.view()
    listed = [(counter, [bytes(32)])]
    cold = view.call(sender=bytes(20), to=counter, data=b"", **CALL).gas_used
    warm = view.call(sender=bytes(20), to=counter, data=b"", **(CALL | {"access_list": listed})).gas_used
    assert warm - cold == 2_400 + 1_900 - 2_000


def test_the_pending_view_shows_the_open_block(ledger):
    key = ledger.keys[0]
    counter = deployed(ledger, DEPLOY_COUNTER)
    assert ledger.engine.pending().height == 1
    ledger.engine.begin(ledger.engine.tip().timestamp + 1)
    ledger.engine.add(ledger.sign(key, to=counter))
    fresh = ledger.engine.add(ledger.sign(key, to=None, data=DEPLOY_COUNTER, nonce=2)).contract
    ledger.engine.add(ledger.sign(key, to=fresh, nonce=3))
    pending = ledger.engine.pending()
    assert (pending.height, pending.nonce(address_of(key))) == (2, 4)
    assert ledger.engine.view().nonce(address_of(key)) == 1
    outputs = [pending.call(sender=bytes(20), to=to, data=b"", **CALL).output for to in (counter, fresh)]
    assert [int.from_bytes(output, "big") for output in outputs] == [2, 2]
    with pytest.raises(Invalid):
        pending.proof(counter, [])
    ledger.engine.abandon()
    assert ledger.engine.pending().nonce(address_of(key)) == 1
    assert pending.nonce(address_of(key)) == 4


def test_a_proof_leads_from_the_state_root_to_the_account(ledger):
    counter = deployed(ledger, DEPLOY_COUNTER)
    ledger.block(ledger.sign(ledger.keys[0], to=counter))
    nodes, balance, nonce, code_hash, storage_root, slots = ledger.engine.view().proof(counter, [0, 7])
    assert keccak256(nodes[0]) == ledger.engine.tip().state_root
    leaf = decode_rlp(decode_rlp(nodes[-1])[1])
    assert leaf == [b"\x01", b"", storage_root, code_hash]
    assert (balance, nonce, code_hash) == (0, 1, keccak256(COUNTER))
    assert [(slot, value) for slot, value, _ in slots] == [(0, 1), (7, 0)]
    assert keccak256(slots[0][2][0]) == storage_root
    absent = ledger.engine.view().proof(b"\x98" * 20, [])
    assert absent[1:4] == (0, 0, keccak256(b""))


@pytest.mark.parametrize("durable", [False, True])
def test_proofs_of_old_states_are_those_that_were_given_then(ledger, durable):
    counter = deployed(ledger, DEPLOY_COUNTER)
    people = [address_of(key) for key in ledger.keys] + [counter, b"\x98" * 20]
    given = []
    for number in range(6):
        given.append([ledger.engine.view().proof(who, [0, 7]) for who in people])
        ledger.block(
            ledger.sign(ledger.keys[number % 3], to=counter),
            ledger.sign(ledger.keys[3], to=bytes([number + 1]) * 20, value=1),
        )
    if durable:
        ledger.engine.commit()
    first = ledger.engine.tip().number - 6
    for back, rows in enumerate(given):
        view = ledger.engine.view(first + back)
        assert [view.proof(who, [0, 7]) for who in people] == rows
    with pytest.raises(Invalid, match="more than 2 values") as caught:
        ledger.engine.view(first).proof(counter, [0], changes_max=2)
    assert caught.value.reason == "limit"


def test_logs_are_found_by_address_and_topic_and_place(ledger):
    one, two = deployed(ledger, DEPLOY_LOGGER), deployed(ledger, DEPLOY_LOGGER)
    topics = [bytes([n]) * 32 for n in range(3)]
    for number in range(6):
        raws = [
            ledger.sign(ledger.keys[0], to=one, data=topics[number % 3]),
            ledger.sign(ledger.keys[1], to=two, data=topics[(number + 1) % 3]),
        ]
        ledger.block(*raws)
        if number == 2:
            ledger.engine.commit()
    engine = ledger.engine
    places = [(height, index, number) for height, index, number, *_ in engine.logs(0, 100, [], [], 100)]
    assert places == [(height, index, index) for height in range(3, 9) for index in (0, 1)]
    assert [row[3].address for row in engine.logs(3, 4, [two], [], 9)] == [two, two]
    assert [row[0] for row in engine.logs(0, 100, [], [[topics[0]]], 9)] == [3, 5, 6, 8]
    assert [row[0] for row in engine.logs(0, 100, [one, two], [[topics[1], topics[2]]], 9)] == [3, 4, 4, 5, 6, 7, 7, 8]
    assert engine.logs(0, 100, [one], [[], [topics[0]]], 9) == []
    assert engine.logs(9, 3, [], [], 9) == []
    with pytest.raises(Invalid):
        engine.logs(0, 100, [], [], 11)


def test_blocks_and_transactions_are_found_by_hash(ledger):
    block = ledger.block(ledger.sign(ledger.keys[0], to=TO))
    engine = ledger.engine
    assert engine.height_of(block.header.hash) == 1
    assert engine.find_transaction(block.transactions[1].hash) == (1, 1)
    assert engine.height_of(bytes(32)) is None
    assert engine.find_transaction(bytes(32)) is None
    assert engine.header(2) is None
    assert engine.block(2) is None


def test_the_wrapped_coin_works_by_calls_and_transactions(ledger):
    key = ledger.keys[0]
    ledger.send(key, WRAPPED_BITCOIN, "deposit()", value=10**9)
    asked = ledger.engine.view().call(
        sender=bytes(20), to=WRAPPED_BITCOIN, data=selector("balanceOf(address)") + address_of(key).rjust(32, b"\0"),
        **CALL,
    )  # fmt: skip
    assert int.from_bytes(asked.output, "big") == 10**9


def test_views_read_while_blocks_are_made(ledger):
    """Several threads read a fixed height and the moving tip while one writes."""
    key = ledger.keys[0]
    ledger.block()
    fixed = ledger.engine.view(1)
    done = False

    def read() -> int:
        seen = 0
        while not done:
            assert fixed.balance(TO) == 0
            assert fixed.balance(address_of(key)) == FUNDS
            newest = ledger.engine.view()
            assert newest.balance(TO) == newest.nonce(address_of(key))
            pending = ledger.engine.pending()
            assert pending.balance(TO) == pending.nonce(address_of(key))
            seen += 1
        return seen

    raws = [ledger.sign(key, to=TO, value=1, nonce=nonce, maxFeePerGas=10**12) for nonce in range(40)]
    with ThreadPoolExecutor(3) as pool:
        readers = [pool.submit(read) for _ in range(3)]
        try:
            for number, raw in enumerate(raws):
                ledger.block(raw)
                if number % 8 == 0:
                    ledger.engine.commit()
        finally:
            done = True
        assert all(reader.result() > 0 for reader in readers)
    assert ledger.engine.view().balance(TO) == 40
