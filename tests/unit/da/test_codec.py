"""A body gives back every block byte for byte, and no bytes do more than a body is allowed to."""

import random

import pytest
from eth_account import Account
from eth_keys import keys
from eth_utils import keccak

from bedroll._core._native import decode_transaction
from bedroll.da.codec import ChainTable, decode_batch, decode_body, encode_batch, encode_body
from bedroll.primitives import Invalid
from bedroll.protocol import MAINNET, REGTEST
from tests.costs import workload
from tests.framework.ledger import Ledger

CHAIN_ID = REGTEST.chain_id
KEYS = [Account.from_key(number.to_bytes(32, "big")) for number in range(1, 9)]
CONTRACT = b"\xc0" * 20
BASE_FEES = [1_000, 1_100, 900, 1_050]
PARENT_TIME = 1_800_000_000
HEADER_SIZE = 26


def address(key):
    return bytes.fromhex(key.address[2:])


def signed(key, **fields):
    """(sender, raw)."""
    fields = {"chainId": CHAIN_ID, "nonce": 0, "gas": 21_000, "to": CONTRACT, "value": 0, "data": b""} | fields
    fields = {name: value for name, value in fields.items() if value is not None}
    if not {"gasPrice", "maxFeePerGas"} & set(fields):
        fields |= {"type": 2, "maxFeePerGas": 2_100, "maxPriorityFeePerGas": 100}
    return address(key), bytes(key.sign_transaction(fields).raw_transaction)


def unprotected(key, nonce):
    """A legacy creation without chain id."""
    fields = [nonce, 10**9, 300_000, b"", 0, b"\x60\x00\x60\x00\xf3"]
    found = keys.PrivateKey(bytes(key.key)).sign_msg_hash(keccak(workload.rlp(fields)))
    return address(key), workload.rlp([*fields, 27 + found.v, found.r, found.s])


def authorization(key, **fields):
    return key.sign_authorization({"chainId": CHAIN_ID, "address": CONTRACT, "nonce": 0} | fields)


def every_kind():
    """Transactions of all types with every field that one can have."""
    words = b"".join(
        value.to_bytes(32, "big")
        for value in (5, int.from_bytes(CONTRACT, "big"), 2**256 - 1, 10**30, 1 << 97, PARENT_TIME + 9)
    )
    call = {"to": b"\x70" * 20, "gas": 90_000, "data": b"\xa9\x05\x9c\xbb" + words}
    access = [
        {"address": CONTRACT, "storageKeys": ["0x" + "11" * 32, "0x" + "00" * 31 + "07"]},
        {"address": b"\x01" * 20, "storageKeys": []},
    ]
    return [
        signed(KEYS[0], value=12_300),
        signed(KEYS[0], value=10**18, nonce=1),
        signed(KEYS[0], nonce=7),
        signed(KEYS[1], gasPrice=1_000),
        signed(KEYS[1], gasPrice=123_456_789, nonce=1),
        signed(KEYS[1], gasPrice=1_250, nonce=(1 << 64) - 2, to=None, data=bytes(range(256)) * 3),
        signed(KEYS[2], gasPrice=2_000, type=1, accessList=access),
        signed(KEYS[2], type=1, gasPrice=0, nonce=1, accessList=[], to=None, data=b"\xfe"),
        signed(KEYS[3], type=2, maxFeePerGas=2_200, maxPriorityFeePerGas=0, accessList=access, **call),
        signed(KEYS[3], type=2, maxFeePerGas=1 << 120, maxPriorityFeePerGas=3, nonce=1, **call),
        signed(KEYS[3], nonce=2, **(call | {"data": call["data"][:-1]})),
        signed(KEYS[3], nonce=3, **(call | {"data": b"\x01\x02\x03"})),
        signed(KEYS[3], nonce=4, **(call | {"data": b"\xa9\x05\x9c\xbb"})),
        signed(KEYS[3], nonce=5, **(call | {"data": b"\xa9\x05\x9c\xbb" + b"\x00" * 12 + address(KEYS[3]) + words})),
        signed(KEYS[4], type=4, maxFeePerGas=2_100, maxPriorityFeePerGas=100, authorizationList=[
            authorization(KEYS[5]), authorization(KEYS[6], chainId=0, nonce=9), authorization(KEYS[7], chainId=5)
        ]),
        unprotected(KEYS[5], 3),
        signed(KEYS[6], value=2**256 - 1, gas=2**63, to=KEYS[6].address),
    ]  # fmt: skip


def table(book=b"", nonces=()):
    return ChainTable(chain_id=CHAIN_ID, parent_timestamp=PARENT_TIME, book=book, nonces=list(nonces))


def spread(transactions, blocks):
    """Blocks with the transactions dealt out among them, some without any."""
    dealt = [[] for _ in range(blocks)]
    for number, each in enumerate(transactions):
        dealt[number * blocks // len(transactions)].append(each)
    return [
        (PARENT_TIME + 2 * number, number % 3 == 0, BASE_FEES[: number + 1], each) for number, each in enumerate(dealt)
    ]


def assert_same(chain, blocks, body):
    decoded = decode_body(chain, len(blocks), body)
    assert decoded.blocks == [(time, step, len(each)) for time, step, _, each in blocks]
    for index, (_, _, base_fees, each) in enumerate(blocks):
        assert decoded.transactions(index, base_fees) == [raw for _, raw in each]
    return decoded


@pytest.mark.parametrize("blocks", [1, 2, 5, 40])
def test_every_kind_of_transaction_comes_back(blocks):
    chain, made = table(), spread(every_kind(), blocks)
    body = encode_body(chain, made)
    decoded = assert_same(chain, made, body)
    assert decoded.gas_limit == sum(min(gas, 1 << 24) for gas in gas_limits(made))
    assert encode_body(chain, made) == body


def gas_limits(blocks):
    return [decode_transaction(raw).gas_limit for block in blocks for _, raw in block[3]]


def test_the_book_and_nonces_of_the_parent_make_it_shorter_and_must_be_the_same():
    made = spread(every_kind(), 3)
    book = bytes.fromhex("c0" * 20) + b"".join(map(address, KEYS))
    chain = table(book, [(address(KEYS[2]), 0)])
    body = encode_body(chain, made)
    assert_same(chain, made, body)
    assert len(body) < len(encode_body(table(), made)) - 100
    with pytest.raises(Invalid, match="beyond the book"):
        decode_body(table(book[:20]), 3, body)


@pytest.mark.parametrize("kind", ["w1", "w2", "w3", "w4"])
def test_workloads_come_back(kind):
    made = workload.make(kind, seed=3, transactions=600, blocks=60, accounts=5_000)
    chain = ChainTable(
        chain_id=workload.CHAIN_ID, parent_timestamp=workload.PARENT_TIMESTAMP, book=made.book, nonces=made.nonces
    )
    assert_same(chain, made.blocks, encode_body(chain, made.blocks))


def test_an_engines_blocks_come_back(tmp_path):
    ledger = Ledger.open(tmp_path)
    one, two = ledger.keys[:2]
    ledger.block()
    token = ledger.deploy(one, "demo_token")
    for number in range(12):
        ledger.send(one, token, "transfer(address,uint256)", two.address, 10**18 * (number + 1))
        ledger.block(
            ledger.sign(two, to=b"\x77" * 20, value=number), origin=ledger.next_origin() if number == 5 else None
        )
    engine = ledger.engine
    tip = engine.tip().number
    engine.commit()
    for first, last in [(1, tip), (2, 2), (5, tip), (tip, tip)]:
        body = encode_batch(engine, first, last)
        decoded = decode_batch(engine, first - 1, last - first + 1, body)
        for index, height in enumerate(range(first, last + 1)):
            block = engine.block(height)
            fees = [engine.header(at).base_fee_per_gas for at in range(height, max(-1, height - 11), -1)]
            raws = [transaction.raw for transaction in block.transactions[block.forced_count :]]
            assert decoded.blocks[index] == (block.header.timestamp, block.origin_step, len(raws))
            assert decoded.transactions(index, fees) == raws
    with pytest.raises(Invalid):
        encode_batch(engine, 0, 1)
    with pytest.raises(Invalid):
        encode_batch(engine, tip, tip + 1)
    with pytest.raises(Invalid):
        decode_batch(engine, tip + 5, 1, body)


def test_a_transaction_of_another_chain_is_not_encoded():
    with pytest.raises(Invalid, match="another chain"):
        encode_body(table(), spread([signed(KEYS[0], chainId=1)], 1))
    with pytest.raises(Invalid, match="does not decode"):
        encode_body(table(), spread([(bytes(20), b"\x02\xc0")], 1))


def test_time_does_not_go_back():
    with pytest.raises(Invalid, match="timestamp"):
        encode_body(table(), [(PARENT_TIME - 1, True, BASE_FEES, [])])


def test_a_fee_that_refers_to_a_missing_base_fee_is_refused():
    made = [(PARENT_TIME, True, BASE_FEES, [signed(KEYS[0], maxFeePerGas=1_800 + 7, maxPriorityFeePerGas=7)])]
    decoded = decode_body(table(), 1, encode_body(table(), made))
    assert decoded.transactions(0, BASE_FEES) == [made[0][3][0][1]]
    with pytest.raises(Invalid, match="before the first"):
        decoded.transactions(0, BASE_FEES[:2])
    with pytest.raises(Invalid, match="no such block"):
        decoded.transactions(1, BASE_FEES)


BODY = encode_body(table(), spread(every_kind(), 4))


def with_number(at, size, value):
    return BODY[:at] + value.to_bytes(size, "little") + BODY[at + size :]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "truncated"),
        (b"\x02" + BODY[1:], "version"),
        (BODY[:1] + b"\x02" + BODY[2:], "flags"),
        (with_number(2, 4, 0), "1 to 10,000 blocks"),
        (with_number(2, 4, 100_000), "1 to 10,000 blocks"),
        (with_number(2, 4, 5), "another count of blocks"),
        (with_number(6, 4, 2**32 - 1), "declares"),
        (with_number(6, 4, 18), "truncated|parity|trailing"),
        (with_number(10, 4, (32 << 20) + 1), "32 MiB"),
        (with_number(10, 4, 100), "declares"),
        (with_number(14, 8, 10_000_000_001), "10 G"),
        (with_number(14, 8, 10_000_000_000), "declares"),
        (with_number(22, 4, 2**32 - 1), "truncated"),
        (BODY[:-1], "truncated"),
        (BODY + b"\x00", "trailing"),
        (BODY[:-1] + b"\x80", "parity"),
    ],
)
def test_totals_come_first(body, reason):
    with pytest.raises(Invalid, match=reason):
        decode_body(table(), 4, body)


def test_flipped_bytes_end_in_a_verdict():
    for index in range(0, len(BODY), 5):
        try:
            decoded = decode_body(table(), 4, BODY[:index] + bytes([BODY[index] ^ 0xFF]) + BODY[index + 1 :])
        except Invalid:
            continue
        assert len(decoded.blocks) == 4
        for block in range(4):
            try:
                decoded.transactions(block, BASE_FEES)
            except Invalid:
                continue


def forge(entropy, *, blocks=1, transactions=1, expanded=32 << 20, gas=10**10):
    head = bytes([1, 0]) + blocks.to_bytes(4, "little") + transactions.to_bytes(4, "little")
    head += expanded.to_bytes(4, "little") + gas.to_bytes(8, "little") + len(entropy).to_bytes(4, "little")
    return head + entropy + bytes(64 * transactions) + bytes((transactions + 7) // 8)


def test_noise_ends_in_a_verdict():
    source = random.Random(11)
    refused = 0
    for _ in range(500):
        body = forge(source.randbytes(source.randrange(200)), transactions=source.randrange(1, 40))
        try:
            decode_body(table(source.randbytes(200)), 1, body)
        except Invalid:
            refused += 1
    assert refused == 500


def test_a_bomb_is_refused_before_it_expands():
    with pytest.raises(Invalid, match="32 MiB"):
        decode_body(table(), 1, forge(bytes(1_000), expanded=(1 << 32) - 1))
    data = [
        (bytes(20), b"\x02" + workload.rlp([CHAIN_ID, 0, 0, 0, 21_000, b"\x01" * 20, 0, bytes(33 << 20), [], 0, 1, 1]))
    ]
    with pytest.raises(Invalid, match="declares"):
        encode_body(table(), [(PARENT_TIME, True, BASE_FEES, data)])


def test_a_bomb_within_the_limits_stops_when_nothing_is_left_of_it():
    """Zero bytes read as the likeliest decisions for ever: without the check this would make 32 MiB of calldata."""
    lead = encode_body(
        table(), [(PARENT_TIME, True, BASE_FEES, [signed(KEYS[0], to=None, data=bytes(50_000), gas=10**6)])]
    )
    size = int.from_bytes(lead[22:26], "little")
    assert size < 300
    for cut in range(1, size, 60):
        with pytest.raises(Invalid):
            decode_body(table(), 1, forge(lead[26 : 26 + cut] + bytes(3)))


def test_a_body_that_declares_less_than_it_holds_is_refused():
    expanded = int.from_bytes(BODY[10:14], "little")
    for less in (1, 100, expanded - 32 * 4 - 200 * 17):
        with pytest.raises(Invalid, match="declares"):
            decode_body(table(), 4, with_number(10, 4, expanded - less))


def test_the_limits_are_the_networks():
    for network in (MAINNET, REGTEST):
        assert network.parameters.expanded_size_max == 32 << 20
        assert network.parameters.batch_gas_limit == 10_000_000_000
        assert network.parameters.batch_blocks_max == 10_000
