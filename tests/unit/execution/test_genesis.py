"""A chain that begins with another's state: what is taken over, what begins anew, and the file that says so."""

from dataclasses import replace

import pytest
from eth_utils import keccak

from bedroll._core._native import Engine
from bedroll.execution.genesis import Genesis, GenesisAccount
from bedroll.primitives import Address, Invalid, Wei
from bedroll.protocol import ADDRESS_BOOK, BASE_FEE_VAULT, LIGHT_CLIENT, MULTICALL, WRAPPED_BITCOIN
from tests.framework.ledger import FUNDS, MAP_SIZE_BYTES, Ledger, accounts, address_of, genesis_for

CODE = bytes.fromhex("5f545f5260205ff3")
"""Answers what slot 0 holds."""
PLACE = Address(b"\x44" * 20)


def begun(folder, state, holders=2):
    """A ledger whose genesis has a state."""
    keys = accounts(holders)
    genesis = replace(genesis_for(keys), accounts=state)
    again = Genesis.from_json(genesis.to_json())
    assert again == genesis
    return Ledger(Engine.open(str(folder), again.core_json(), map_size_bytes=MAP_SIZE_BYTES, sync=False), keys)


def test_contracts_begin_with_their_code_storage_and_bitcoin(tmp_path):
    state = {PLACE: GenesisAccount(balance=Wei(5), nonce=3, code=CODE, storage={0: 42, 7: 2**255})}
    ledger = begun(tmp_path, state)
    view = ledger.engine.view()
    assert (view.balance(PLACE), view.nonce(PLACE), view.code(PLACE)) == (5, 3, CODE)
    assert view.storage(PLACE, 7) == (2**255).to_bytes(32, "big")
    ledger.block()
    assert ledger.read(PLACE, "anything()", gives="uint256") == 42
    ledger.engine.close()


def test_funded_accounts_keep_their_nonce_and_get_their_funds(tmp_path):
    holder = accounts(1)[0]
    ledger = begun(tmp_path, {Address(address_of(holder)): GenesisAccount(balance=Wei(1), nonce=9)})
    assert ledger.engine.view().balance(address_of(holder)) == FUNDS
    assert ledger.block(ledger.sign(holder, to=b"\x55" * 20, value=1)).receipts[-1].status == 1
    assert ledger.engine.view().nonce(address_of(holder)) == 10
    ledger.engine.close()


def test_what_belongs_to_another_chains_bitcoin_begins_anew_and_tokens_are_kept(tmp_path):
    before = Ledger.open(tmp_path / "before")
    alice = before.keys[0]
    assert before.send(alice, WRAPPED_BITCOIN, "deposit()", value=10**18).status == 1
    view = before.engine.view()
    slot = int.from_bytes(before_slot(before, alice), "big")
    state = {
        Address(WRAPPED_BITCOIN): GenesisAccount(
            balance=Wei(view.balance(WRAPPED_BITCOIN)), nonce=1, code=b"\x00", storage={slot: 10**18}
        ),
        Address(LIGHT_CLIENT): GenesisAccount(nonce=1, code=b"\x00", storage={1: 1}),
        Address(ADDRESS_BOOK): GenesisAccount(nonce=1, code=b"\x00", storage={1: 1}),
        Address(BASE_FEE_VAULT): GenesisAccount(balance=Wei(77), nonce=1, code=b"\x00", storage={5: 1}),
    }
    before.engine.close()
    ledger = begun(tmp_path / "after", state)
    fresh = Ledger.open(tmp_path / "fresh", 2)
    for place in (LIGHT_CLIENT, ADDRESS_BOOK, BASE_FEE_VAULT, WRAPPED_BITCOIN, MULTICALL):
        assert ledger.engine.view().code(place) == fresh.engine.view().code(place)
    assert ledger.engine.view().storage(LIGHT_CLIENT, 1) == bytes(32)
    assert ledger.engine.view().storage(BASE_FEE_VAULT, 5) == bytes(32)
    assert ledger.engine.view().balance(BASE_FEE_VAULT) == 77
    ledger.block()
    assert ledger.read(WRAPPED_BITCOIN, "balanceOf(address)", alice.address, gives="uint256") == 10**18
    ledger.engine.close()
    fresh.engine.close()


def before_slot(ledger, holder):
    """Where the token keeps a balance: found by trying, for the compiler chooses it."""
    wanted = (10**18).to_bytes(32, "big")
    for number in range(64):
        slot = keccak(number.to_bytes(32, "big") + address_of(holder).rjust(32, b"\0"))
        if ledger.engine.view().storage(WRAPPED_BITCOIN, int.from_bytes(slot, "big")) == wanted:
            return slot
    raise AssertionError("no slot holds the balance")


@pytest.mark.parametrize("change", [('"nonce": 3', '"nonce": "x"'), ('"0x5"', '"five"'), ('"storage"', '"stores"')])
def test_a_file_that_cannot_be_read_is_refused(change):
    state = {PLACE: GenesisAccount(balance=Wei(5), nonce=3, code=CODE, storage={0: 42})}
    text = replace(genesis_for(accounts(1)), accounts=state).to_json()
    assert change[0] in text
    with pytest.raises(Invalid, match="cannot be read"):
        Genesis.from_json(text.replace(change[0], change[1], 1))


def test_a_genesis_without_a_state_is_written_as_before():
    assert '"accounts"' not in genesis_for(accounts(1)).to_json()
