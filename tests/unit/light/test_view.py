"""From one header: accounts, slots, older blocks and receipts of a real engine are shown, and nothing false is."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bedroll.api.raw_method import encode_receipt
from bedroll.crypto.keccak import keccak256
from bedroll.light.ordered_root import ordered_root
from bedroll.light.trie_proof import Unproved, proved_value
from bedroll.light.view import HISTORY, HISTORY_BLOCKS, TrustedBlock
from tests.framework.ledger import Ledger, address_of
from tests.reference.merkle_patricia import list_root

TO = b"\x77" * 20


@pytest.fixture(scope="module")
def ledger(tmp_path_factory):
    made = Ledger.open(tmp_path_factory.mktemp("light") / "ledger")
    made.block(made.sign(made.keys[0], to=TO, value=5), origin=made.next_origin())
    for number in range(3):
        made.block(made.sign(made.keys[number % 2], to=TO, value=number + 1))
    return made


@pytest.fixture
def tip(ledger):
    header = ledger.engine.tip()
    return TrustedBlock.of_header(header.rlp, header.hash)


def asked(ledger, address, *slots):
    """As `eth_getProof` answers."""
    proof, _, _, _, _, storage = ledger.engine.view().proof(address, list(slots))
    return {
        "accountProof": ["0x" + node.hex() for node in proof],
        "storageProof": [{"proof": ["0x" + node.hex() for node in nodes]} for _, _, nodes in storage],
    }


def test_a_balance_and_a_nonce_are_shown(ledger, tip):
    account = tip.account(TO, asked(ledger, TO))
    assert (account.balance, account.nonce) == (5 + 1 + 2 + 3, 0)
    sender = address_of(ledger.keys[0])
    assert tip.account(sender, asked(ledger, sender)).nonce == 3


def test_an_account_that_nobody_touched_is_shown_to_be_empty(ledger, tip):
    account = tip.account(b"\x99" * 20, asked(ledger, b"\x99" * 20))
    assert (account.balance, account.nonce) == (0, 0)


def test_an_answer_about_another_account_shows_nothing(ledger, tip):
    with pytest.raises(Unproved):
        tip.account(TO, asked(ledger, address_of(ledger.keys[0])))


def test_an_older_block_and_its_receipts_are_shown(ledger, tip):
    header = ledger.engine.header(2)
    block = tip.ancestor(2, asked(ledger, HISTORY, 2), header.rlp)
    assert block.hash == header.hash
    stored = ledger.engine.block(2)
    pairs = zip(stored.transactions, stored.receipts, strict=True)
    receipts = [encode_receipt(transaction.kind, receipt) for transaction, receipt in pairs]
    assert block.receipts(receipts) == receipts
    with pytest.raises(Unproved, match="receipts"):
        block.receipts(receipts[:-1])


def test_another_header_for_an_older_block_is_refused(ledger, tip):
    with pytest.raises(Unproved, match="header"):
        tip.ancestor(2, asked(ledger, HISTORY, 2), ledger.engine.header(3).rlp)
    with pytest.raises(Unproved):
        tip.ancestor(2, asked(ledger, HISTORY, 3), ledger.engine.header(3).rlp)


@pytest.mark.parametrize("number", [-1, 4, 5, -HISTORY_BLOCKS])
def test_blocks_beyond_the_history_are_refused_at_the_door(tip, ledger, number):
    with pytest.raises(Unproved, match="hashes"):
        tip.ancestor(number, {}, b"")


def test_no_change_of_a_proof_shows_another_balance(ledger, tip):
    honest = asked(ledger, TO)
    true = tip.account(TO, honest)
    chance = random.Random(1)
    for _ in range(2_000):
        nodes = [bytearray.fromhex(node[2:]) for node in honest["accountProof"]]
        node = chance.choice(nodes)
        node[chance.randrange(len(node))] ^= 1 << chance.randrange(8)
        with pytest.raises(Unproved):
            assert tip.account(TO, {"accountProof": [each.hex() for each in nodes]}) != true


@pytest.mark.parametrize(
    "nodes", [[], [b""], [b"\xc0"], [bytes(2_000)], [b"\x80"] * 66], ids=["none", "empty", "list", "long", "many"]
)
def test_nodes_that_are_none_are_refused(nodes):
    with pytest.raises(Unproved):
        proved_value(keccak256(b"root"), bytes(32), nodes)


@given(st.lists(st.binary(min_size=1, max_size=60), max_size=300))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_the_root_over_a_list_is_the_plain_tries(values):
    assert ordered_root(values) == list_root(values)
