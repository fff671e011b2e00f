"""Keys, signatures and structured data equal those of eth-account, the library that Python's wallets use."""

import random

import pytest
from eth_account import Account as Reference
from eth_account.messages import encode_defunct, encode_typed_data

from bedroll.primitives import Address, Invalid
from bedroll.sdk import DEVNET_MNEMONIC, Account, accounts_of, checksum_address
from bedroll.sdk.typed_data import BadTypedData, hash_typed_data

SEED = 20_260_101


def test_the_mnemonic_of_development_gives_the_keys_everybody_knows():
    first, second = accounts_of(DEVNET_MNEMONIC, 2)
    assert checksum_address(first.address) == "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
    assert first.secret.hex() == "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
    assert checksum_address(second.address) == "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"


def test_signed_transactions_equal_the_reference():
    draw = random.Random(SEED)
    for _ in range(50):
        secret = draw.randbytes(32)
        account = Account(secret)
        to = draw.choice([None, Address(draw.randbytes(20))])
        fields = {
            "nonce": draw.choice([0, 1, 127, 128, 2**32]),
            "value": draw.choice([0, 1, 10**18, 2**200]),
            "data": draw.randbytes(draw.choice([0, 1, 55, 56, 300])),
            "cap": draw.randrange(1, 2**64),
        }
        access = [(draw.randbytes(20), [draw.randbytes(32) for _ in range(draw.randrange(3))])] * draw.randrange(2)
        raw = account.sign_transaction(
            chain_id=21_000_102,
            nonce=fields["nonce"],
            gas_limit=100_000,
            max_fee_per_gas=fields["cap"],
            max_priority_fee_per_gas=1,
            to=to,
            value=fields["value"],
            data=fields["data"],
            access_list=access,
        )
        expected = Reference.sign_transaction(
            {
                "type": 2,
                "chainId": 21_000_102,
                "nonce": fields["nonce"],
                "gas": 100_000,
                "maxFeePerGas": fields["cap"],
                "maxPriorityFeePerGas": 1,
                "to": b"" if to is None else checksum_address(to),
                "value": fields["value"],
                "data": fields["data"],
                "accessList": [
                    {"address": checksum_address(address), "storageKeys": ["0x" + key.hex() for key in keys]}
                    for address, keys in access
                ],
            },
            secret,
        )
        assert raw == bytes(expected.raw_transaction), f"seed {SEED}"
        assert checksum_address(account.address) == Reference.from_key(secret).address


def test_signed_messages_equal_the_reference():
    account = accounts_of(DEVNET_MNEMONIC, 1)[0]
    for message in (b"", b"hello", b"\x00" * 1000):
        expected = Reference.sign_message(encode_defunct(message), account.secret).signature
        assert account.sign_message(message) == bytes(expected)


PERMIT = {
    "types": {
        "EIP712Domain": [
            {"name": "name", "type": "string"},
            {"name": "chainId", "type": "uint256"},
            {"name": "verifyingContract", "type": "address"},
        ],
        "Person": [{"name": "name", "type": "string"}, {"name": "wallets", "type": "address[]"}],
        "Mail": [
            {"name": "from", "type": "Person"},
            {"name": "to", "type": "Person[]"},
            {"name": "contents", "type": "bytes"},
            {"name": "flag", "type": "bool"},
            {"name": "delta", "type": "int16"},
            {"name": "mark", "type": "bytes4"},
        ],
    },
    "primaryType": "Mail",
    "domain": {"name": "Ether Mail", "chainId": 1, "verifyingContract": "0x" + "cc" * 20},
    "message": {
        "from": {"name": "Cow", "wallets": ["0x" + "cd" * 20, "0x" + "de" * 20]},
        "to": [{"name": "Bob", "wallets": []}],
        "contents": "0x1234",
        "flag": True,
        "delta": -5,
        "mark": "0xdeadbeef",
    },
}


def test_structured_data_equals_the_reference():
    account = accounts_of(DEVNET_MNEMONIC, 1)[0]
    expected = Reference.sign_message(encode_typed_data(full_message=PERMIT), account.secret).signature
    assert account.sign_digest(hash_typed_data(PERMIT)) == bytes(expected)


@pytest.mark.parametrize(
    "change",
    [
        {"types": None},
        {"types": {"EIP712Domain": "x"}},
        {"primaryType": "Nothing"},
        {"message": {}},
        {"message": PERMIT["message"] | {"delta": 2**15}},
        {"message": PERMIT["message"] | {"mark": "0xdeadbeef00"}},
        {"message": PERMIT["message"] | {"contents": "0xz"}},
        {"message": PERMIT["message"] | {"from": []}},
        {"types": PERMIT["types"] | {"Mail": [{"name": "from", "type": "uint7777"}]}},
        {"types": PERMIT["types"] | {"Person": [{"name": "name", "type": 1}]}},
    ],
)
def test_structured_data_that_breaks_eip_712_is_refused(change):
    with pytest.raises(BadTypedData):
        hash_typed_data(PERMIT | change)


def test_structured_data_that_contains_itself_is_refused():
    value: dict[str, object] = {}
    document = {
        "types": {"EIP712Domain": [], "A": [{"name": "a", "type": "A"}]},
        "primaryType": "A",
        "domain": {},
        "message": value,
    }
    value["a"] = value
    with pytest.raises(Invalid, match="too deep"):
        hash_typed_data(document)


def test_a_key_is_not_shown_or_pickled():
    account = Account(bytes(31) + b"\x01")
    assert account.secret.hex() not in repr(account)
    with pytest.raises(TypeError):
        account.__reduce__()
