"""Shows how forced messages end, what they pay, how much of a block they may take, and what the queue commits to."""

import hashlib
from dataclasses import dataclass, field

import pytest
from eth_account import Account

from bedroll.protocol import LIGHT_CLIENT, REGTEST
from tests.framework.ledger import Ledger, address_of

TO = b"\x77" * 20
NUMBERS = REGTEST.parameters
BURN_ALL = bytes.fromhex("5b5f56")
STATUS = {"executed": 1, "reverted": 2, "skipped": 3, "ineligible": 4}


@dataclass
class Forcer:
    """Makes messages with ids in order, and follows the queue's two chains by the rule in the spec."""

    ledger: Ledger
    count: int = 0
    enqueued: list[tuple[bytes, bytes, bool]] = field(default_factory=list)

    def message(self, payload: bytes, paid: bool = True) -> tuple[bytes, bytes, bool]:
        self.count += 1
        made = (hashlib.sha256(bytes([self.count])).digest(), payload, paid)
        self.enqueued.append(made)
        return made

    def transfer(self, key: int = 0, nonce: int = 0, **fields: object) -> tuple[bytes, bytes, bool]:
        fields = {"gas": 21_000, "maxFeePerGas": 10**9} | fields
        return self.message(self.ledger.sign(self.ledger.keys[key], nonce=nonce, **({"to": TO} | fields)))

    def burner(self, key: int, nonce: int, gas: int = 1_000_000) -> tuple[bytes, bytes, bool]:
        return self.transfer(key, nonce, to=None, data=BURN_ALL, gas=gas)

    def acc(self, heights: list[int]) -> bytes:
        chain = bytes(32)
        for index, ((identity, payload, paid), height) in enumerate(zip(self.enqueued, heights, strict=True)):
            tail = hashlib.sha256(payload).digest() + bytes([paid]) + height.to_bytes(8, "big")
            chain = hashlib.sha256(chain + index.to_bytes(8, "big") + identity + tail).digest()
        return chain


def done_acc(ends):
    chain = bytes(32)
    for index, identity, status, _ in ends:
        chain = hashlib.sha256(chain + index.to_bytes(8, "big") + identity + bytes([STATUS[status]])).digest()
    return chain


def queue_words(ledger):
    return [ledger.engine.view().storage(LIGHT_CLIENT, slot) for slot in range(4)]


@pytest.fixture
def forcer(ledger):
    return Forcer(ledger)


def test_a_message_runs_at_the_base_fee_without_tip_or_data_gas(ledger, forcer):
    key = ledger.keys[0]
    before = ledger.engine.view().balance(address_of(key))
    message = forcer.transfer(value=9, maxPriorityFeePerGas=10**8, data=b"\x01" * 2_000, gas=200_000)
    block = ledger.block(origin=ledger.next_origin([message]))
    receipt = block.receipts[1]
    assert [(end[0], end[2]) for end in block.forced] == [(0, "executed")]
    assert block.forced[0][3] == block.transactions[1].hash
    assert (receipt.effective_gas_price, receipt.data_gas) == (block.header.base_fee_per_gas, 0)
    assert receipt.gas_used == 21_000 + 40 * 2_000
    paid = receipt.gas_used * receipt.effective_gas_price
    assert ledger.engine.view().balance(address_of(key)) == before - 9 - paid
    assert block.forced_count == 2


def test_a_low_max_fee_is_the_price(ledger, forcer):
    block = ledger.block(origin=ledger.next_origin([forcer.transfer(maxFeePerGas=3)]))
    assert block.forced[0][2] == "executed"
    assert block.receipts[1].effective_gas_price == 3 < block.header.base_fee_per_gas


def test_a_revert_is_recorded_as_one(ledger, forcer):
    block = ledger.block(origin=ledger.next_origin([forcer.burner(0, 0, gas=100_000)]))
    assert [end[2] for end in block.forced] == ["reverted"]
    assert block.receipts[1].gas_used == 100_000
    assert "OutOfGas" in block.forced_reasons[0]


INELIGIBLE = {
    "no transaction": lambda forcer: forcer.message(b"junk"),
    "empty": lambda forcer: forcer.message(b""),
    "fee output missing": lambda forcer: forcer.message(forcer.ledger.sign(forcer.ledger.keys[0], to=TO), paid=False),
    "another chain": lambda forcer: forcer.transfer(chainId=1),
    "gas limit": lambda forcer: forcer.transfer(gas=NUMBERS.forced_message_gas_limit + 1),
    "intrinsic gas": lambda forcer: forcer.transfer(gas=20_999),
    "calldata floor": lambda forcer: forcer.transfer(gas=21_000 + 16 * 100, data=b"\x01" * 100),
    "tip above max fee": lambda forcer: forcer.transfer(maxFeePerGas=5, maxPriorityFeePerGas=6),
    "nonce at the end": lambda forcer: forcer.transfer(nonce=2**64 - 1),
    "size": lambda forcer: forcer.transfer(data=b"\0" * NUMBERS.forced_size_max, gas=900_000),
    "blob type": lambda forcer: forcer.message(b"\x03" + forcer.ledger.sign(forcer.ledger.keys[0], to=TO)[1:]),
}


@pytest.mark.parametrize("reason", INELIGIBLE)
def test_what_the_message_alone_decides_makes_it_ineligible(ledger, forcer, reason):
    before = ledger.engine.view().balance(address_of(ledger.keys[0]))
    block = ledger.block(origin=ledger.next_origin([INELIGIBLE[reason](forcer)]))
    assert [end[2:] for end in block.forced] == [("ineligible", None)]
    assert block.forced_reasons[0]
    assert len(block.transactions) == 1
    view = ledger.engine.view()
    assert (view.nonce(address_of(ledger.keys[0])), view.balance(address_of(ledger.keys[0]))) == (0, before)


def test_a_legacy_message_needs_a_chain_id(ledger, forcer):
    fields = {"nonce": 0, "gas": 21_000, "gasPrice": 10**9, "value": 0, "data": b"", "to": "0x" + TO.hex()}
    key = ledger.keys[0]
    without = bytes(key.sign_transaction(fields).raw_transaction)
    within = bytes(key.sign_transaction(fields | {"chainId": REGTEST.chain_id}).raw_transaction)
    block = ledger.block(origin=ledger.next_origin([forcer.message(without), forcer.message(within)]))
    assert [end[2] for end in block.forced] == ["ineligible", "executed"]


SKIPPED = {
    "nonce above": lambda forcer: forcer.transfer(nonce=1),
    "balance at max fee": lambda forcer: forcer.transfer(maxFeePerGas=10**18, gas=1_000_000),
    "balance for value": lambda forcer: forcer.transfer(value=10**24),
    "a sum beyond 256 bits": lambda forcer: forcer.transfer(value=2**256 - 1, maxFeePerGas=2**127),
    "no money at all": lambda forcer: forcer.message(
        forcer.ledger.sign(Account.from_key(b"\x99" * 32), to=TO, gas=21_000)
    ),
}


@pytest.mark.parametrize("reason", SKIPPED)
def test_what_needs_state_skips_the_message(ledger, forcer, reason):
    message = SKIPPED[reason](forcer)
    block = ledger.block(origin=ledger.next_origin([message]))
    assert [end[2] for end in block.forced] == ["skipped"]
    assert "nonce" in block.forced_reasons[0] or "funds" in block.forced_reasons[0]
    assert block.forced[0][3] is not None
    assert len(block.transactions) == 1
    assert ledger.engine.view().nonce(address_of(ledger.keys[0])) == 0


def test_a_message_whose_transaction_is_in_the_chain_is_skipped(ledger, forcer):
    raw = ledger.sign(ledger.keys[0], to=TO, gas=21_000)
    ledger.block(raw)
    block = ledger.block(origin=ledger.next_origin([forcer.message(raw)]))
    assert [end[2] for end in block.forced] == ["skipped"]


def test_a_contract_cannot_be_a_sender(tmp_path, forcer):
    # EIP-3607 cannot be reached by a key of one's own; a delegated account (EIP-7702) may go on sending.
    ledger = forcer.ledger
    owner = ledger.keys[0]
    grant = owner.sign_authorization({"chainId": REGTEST.chain_id, "address": TO, "nonce": 1})
    raw = ledger.sign(owner, to=TO, type=4, authorizationList=[grant], gas=100_000)
    block = ledger.block(origin=ledger.next_origin([forcer.message(raw), forcer.transfer(nonce=2)]))
    assert [end[2] for end in block.forced] == ["executed", "executed"]


def test_the_part_is_bounded_and_the_rest_carries_over_in_order(ledger, forcer):
    """Five messages of a million gas fill G_f; what is left runs ahead of the leader's next transactions."""
    messages = [forcer.burner(key, nonce) for nonce in range(2) for key in range(4)]
    first = ledger.block(ledger.sign(ledger.keys[3], to=TO, nonce=1), origin=ledger.next_origin(messages))
    assert [end[0] for end in first.forced] == [0, 1, 2, 3, 4]
    assert [row[0] for row in ledger.engine.forced_pending()] == [5, 6, 7]
    assert [row[1:] for row in ledger.engine.forced_pending()] == [message[:2] for message in messages[5:]]
    assert (first.queue_enqueued, first.queue_done) == (8, 5)
    second = ledger.block(ledger.sign(ledger.keys[0], to=TO, nonce=2))
    assert [end[:3] for end in second.forced] == [
        (5, messages[5][0], "reverted"), (6, messages[6][0], "reverted"), (7, messages[7][0], "skipped"),
    ]  # fmt: skip
    assert [tx.sender for tx in second.transactions][-1] == address_of(ledger.keys[0])
    assert ledger.engine.forced_pending() == []


def test_every_message_is_charged_the_least(ledger, forcer):
    """5 M at 50,000 each: a hundred cheap or ineligible messages a block."""
    junk = [forcer.message(b"junk") for _ in range(60)]
    cheap = [forcer.transfer(nonce=nonce) for nonce in range(60)]
    block = ledger.block(origin=ledger.next_origin(junk + cheap))
    assert len(block.forced) == NUMBERS.forced_gas_limit // NUMBERS.forced_gas_min == 100
    assert [len(ledger.block().forced), len(ledger.block().forced)] == [20, 0]


def test_a_head_that_does_not_fit_stops_the_part(ledger, forcer):
    """It waits although a smaller one behind it would fit."""
    ahead = [forcer.burner(0, nonce) for nonce in range(4)]
    ahead.append(forcer.transfer(1, 0))
    late = [forcer.burner(0, 4), forcer.transfer(1, 1)]
    block = ledger.block(origin=ledger.next_origin(ahead + late))
    assert len(block.forced) == 5
    assert [end[2] for end in ledger.block().forced] == ["reverted", "executed"]


def test_an_old_head_has_the_whole_block(ledger, forcer):
    """Where the leader lets origins pass without room for the queue, the queue gets the block."""
    messages = [forcer.burner(key, nonce) for nonce in range(10) for key in range(4)]
    ledger.block(origin=ledger.next_origin(messages))
    for _ in range(NUMBERS.max_origin_lag):
        ledger.block(origin=ledger.next_origin())
    waiting = len(ledger.engine.forced_pending())
    assert waiting == 40 - 5 * (1 + NUMBERS.max_origin_lag)
    assert len(ledger.block(origin=ledger.next_origin()).forced) == waiting


def test_an_automatic_block_gives_the_queue_the_whole_block(ledger, forcer):
    messages = [forcer.burner(key, nonce) for nonce in range(5) for key in range(4)]
    ledger.engine.begin(ledger.engine.tip().timestamp, ledger.next_origin(messages), automatic=True)
    block = ledger.engine.seal()
    assert block.automatic
    assert len(block.forced) == 20


def test_the_light_client_commits_to_the_queue(ledger, forcer):
    batches = [
        [forcer.transfer(nonce=0), forcer.message(b"junk")],
        [forcer.burner(1, 0), forcer.transfer(nonce=5)],
        [forcer.transfer(nonce=1)],
    ]
    ends, first = [], ledger.origin_height + 1
    for messages in batches:
        ends += ledger.block(origin=ledger.next_origin(messages)).forced
    words = queue_words(ledger)
    assert words[0] == forcer.acc([first, first, first + 1, first + 1, first + 2])
    assert words[2] == done_acc(ends)
    assert [int.from_bytes(words[1], "big"), int.from_bytes(words[3], "big")] == [5, 5]
    assert [end[2] for end in ends] == ["executed", "ineligible", "reverted", "skipped", "executed"]
    assert ledger.read(LIGHT_CLIENT, "queue_done()", gives="uint256") == 5
