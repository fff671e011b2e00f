"""OpenZeppelin's governor with a timelock: a payment is proposed, voted for, queued, and executed after its delay."""

import pytest
from eth_utils import keccak

from tests.framework.ledger import Ledger
from tests.framework.official import Official, shown

ONE = 10**18
DELAY_SECONDS = 5
ACTIVE, SUCCEEDED, QUEUED, EXECUTED = 1, 4, 5, 7
FOR = 1


@pytest.fixture
def board(tmp_path):
    ledger = Ledger.open(tmp_path)
    chair = ledger.keys[0]
    token = Official.deploy(ledger, chair, "openzeppelin/VoteToken", 1_000 * ONE)
    timelock = Official.deploy(
        ledger, chair, "openzeppelin/TimelockController", DELAY_SECONDS, [], [shown(bytes(20))], chair.address
    )
    governor = Official.deploy(ledger, chair, "openzeppelin/Board", token.hex, timelock.hex)
    timelock.send(chair, "grantRole", timelock.ask("PROPOSER_ROLE"), governor.hex)
    timelock.send(chair, "renounceRole", bytes(32), chair.address)
    yield ledger, token, timelock, governor
    ledger.engine.close()


def test_a_payment_is_decided_and_made_after_the_delay(board):
    ledger, token, timelock, governor = board
    chair, voter, *_ = ledger.keys
    token.send(chair, "transfer", voter.address, 400 * ONE)
    token.send(chair, "delegate", chair.address)
    token.send(voter, "delegate", voter.address)
    ledger.block(ledger.sign(chair, to=timelock.address, value=ONE, gas=100_000))
    receiver = b"\x88" * 20
    act = ([shown(receiver)], [ONE], [b""])
    proposed = governor.send(chair, "propose", *act, "pay")
    number = governor.events(proposed, "ProposalCreated")[0]["proposalId"]
    ledger.block()
    ledger.block()
    assert governor.ask("state", number) == ACTIVE
    cast = governor.send(voter, "castVote", number, FOR)
    assert governor.events(cast, "VoteCast")[0]["weight"] == 400 * ONE
    governor.send(chair, "castVote", number, FOR)
    for _ in range(4):
        ledger.block()
    assert governor.ask("state", number) == SUCCEEDED
    name = keccak(text="pay")
    governor.send(voter, "queue", *act, name)
    assert governor.ask("state", number) == QUEUED
    assert governor.try_send(voter, "execute", *act, name).status == 0
    for _ in range(DELAY_SECONDS):
        ledger.block()
    governor.send(voter, "execute", *act, name)
    assert governor.ask("state", number) == EXECUTED
    assert ledger.engine.view().balance(receiver) == ONE


def test_nobody_without_votes_decides(board):
    ledger, _token, _timelock, governor = board
    stranger = ledger.keys[2]
    act = ([stranger.address], [1], [b""])
    number = governor.events(governor.send(stranger, "propose", *act, "mine"), "ProposalCreated")[0]["proposalId"]
    ledger.block()
    ledger.block()
    governor.send(stranger, "castVote", number, FOR)
    for _ in range(5):
        ledger.block()
    defeated = 3
    assert governor.ask("state", number) == defeated
    assert governor.try_send(stranger, "queue", *act, keccak(text="mine")).status == 0
