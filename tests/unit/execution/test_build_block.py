"""Shows that a block that is built and not kept is the one that the chain makes, forced messages included."""

import json

import pytest

from bedroll.execution.engine import decode_transaction
from bedroll.primitives import Invalid
from bedroll.protocol import REGTEST
from tests.framework.ledger import Ledger

TO = b"\x77" * 20
NOBODY = "0x" + "00" * 20
ZERO = "0x" + "00" * 32
BURN_ALL = bytes.fromhex("5b5f56")


def attributes(timestamp: int, **given: str) -> str:
    """Attributes that leave all to the chain but the time."""
    told = {"timestamp": hex(timestamp), "prevRandao": ZERO, "suggestedFeeRecipient": NOBODY}
    return json.dumps(told | given)


def burners(ledger: Ledger) -> list[tuple[bytes, bytes, bool]]:
    """Forced messages that burn more gas than a block's forced part has, so that some wait for the next one."""
    limit = REGTEST.parameters.forced_message_gas_limit
    count = REGTEST.parameters.forced_gas_limit // limit + 2
    rows = []
    for nonce in range(count):
        raw = ledger.sign(ledger.keys[0], nonce=nonce, to=None, data=BURN_ALL, gas=limit, maxFeePerGas=10**9)
        rows.append((nonce.to_bytes(32, "big"), raw, True))
    return rows


def test_what_waits_in_the_queue_runs_in_a_built_block_as_in_the_chains(ledger):
    ledger.block(origin=ledger.next_origin(burners(ledger)))
    parent = ledger.engine.tip()
    assert ledger.engine.forced_pending()
    raw = ledger.sign(ledger.keys[1], nonce=0, to=TO)
    view, time = ledger.engine.view(parent.number), parent.timestamp + 1
    built, requests = view.build_block(attributes(time), [decode_transaction(raw)], leaves_out=False)
    assert ledger.engine.tip().hash == parent.hash
    assert ledger.engine.forced_pending()
    ledger.engine.begin(time)
    ledger.engine.add(raw)
    made = ledger.engine.seal()
    assert made.forced
    assert (built.header.hash, requests) == (made.header.hash, [])
    ledger.block()
    view = ledger.engine.view(parent.number)
    again, _ = view.build_block(attributes(time), [decode_transaction(raw)], leaves_out=False)
    assert again.header.hash == made.header.hash


def test_a_parent_that_lies_too_far_back_is_refused(ledger):
    parent = ledger.block(origin=ledger.next_origin()).header
    for nonce in range(2):
        ledger.block(ledger.sign(ledger.keys[0], nonce=nonce, to=TO))
    view = ledger.engine.view(parent.number)
    view.build_block(attributes(parent.timestamp + 1), [], leaves_out=False)
    with pytest.raises(Invalid) as caught:
        view.build_block(attributes(parent.timestamp + 1), [], leaves_out=False, changes_max=1)
    assert caught.value.fields["reason"] == "limit"


def test_no_block_is_built_inside_an_open_one(ledger):
    ledger.engine.begin(ledger.engine.tip().timestamp + 1, ledger.next_origin())
    with pytest.raises(Invalid, match="on top of sealed ones only"):
        ledger.engine.pending().build_block(attributes(1), [], leaves_out=False)


@pytest.mark.parametrize("given", ["", "[]", "{}", attributes(1, more="0x1"), attributes(1 << 64)])
def test_attributes_that_cannot_be_read_are_refused(ledger, given):
    with pytest.raises(Invalid) as caught:
        ledger.engine.view().build_block(given, [], leaves_out=False)
    assert caught.value.fields["reason"] == "request"
