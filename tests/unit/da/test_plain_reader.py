"""The core and the plain readers of tests/reference judge alike: seeds, workloads, full tables, mutations."""

import random

import pytest

from bedroll._core import _native
from tests.costs import workload
from tests.reference import codec_reader
from tests.reference.da_fuzz import SHARES, Fuzzer, run

CHAIN_ID = workload.CHAIN_ID
TIME = workload.PARENT_TIMESTAMP
BASE_FEES = [1_000]


def assert_alike(blocks, book=b"", nonces=(), form=codec_reader.SIGNED):
    chain = {
        "chain_id": CHAIN_ID,
        "timestamp": TIME,
        "book": [book[at : at + 20] for at in range(0, len(book), 20)],
        "nonces": dict(nonces),
    }
    table = _native.ChainTable(chain_id=CHAIN_ID, parent_timestamp=TIME, book=book, nonces=list(nonces))
    body = _native.encode_body(table, blocks, form=form)
    core = _native.decode_body(table, len(blocks), body, form=form)
    frames, rows, gas = codec_reader.decode(chain, len(blocks), body, form)
    assert (frames, gas) == (core.blocks, core.gas_limit)
    for index, (_, _, base_fees, transactions) in enumerate(blocks):
        plain = [codec_reader.raw(chain, row, base_fees) for row in rows[index]]
        assert core.transactions(index, base_fees) == plain
        if form == codec_reader.SIGNED:
            assert plain == [raw for _, raw in transactions]
        else:
            assert [raw[1:21] for raw in plain] == [sender for sender, _ in transactions]
    return body


def test_every_seed_is_valid():
    fuzzer = Fuzzer()
    for kind in SHARES:
        assert all(fuzzer.judge(kind, raw) for raw in fuzzer.seeds[kind])


@pytest.mark.parametrize(("kind", "transactions"), [("w1", 300), ("w2", 300), ("w3", 200), ("w4", 25)])
def test_workloads_are_read_alike(kind, transactions):
    made = workload.make(kind, seed=5, transactions=transactions, blocks=20, accounts=2_000)
    assert_alike(made.blocks, made.book, made.nonces)


@pytest.mark.parametrize(("kind", "transactions"), [("w1", 300), ("w2", 300), ("w3", 200), ("w4", 25)])
def test_workloads_without_signatures_are_read_alike(kind, transactions):
    made = workload.make(kind, seed=6, transactions=transactions, blocks=20, accounts=2_000)
    proven = assert_alike(made.blocks, made.book, made.nonces, codec_reader.PROVEN)
    signed = assert_alike(made.blocks, made.book, made.nonces)
    assert len(signed) - len(proven) == transactions * 64 + -(-transactions // 8)


def dynamic(source, sender, to, *, nonce=0, gas=21_000, value=0, data=b"", tip=5, cap=2_005):
    fields = [CHAIN_ID, nonce, tip, cap, gas, to, value, data, []]
    return sender, b"\x02" + workload.rlp(
        [*fields, source.getrandbits(1), source.getrandbits(256), source.getrandbits(250)]
    )


def test_full_tables_replace_alike():
    """More selectors, gas limits, tips and words than are remembered, each met again later."""
    source = random.Random(9)
    sender, contracts = b"\x01" * 20, [bytes([number]) * 20 for number in range(2, 6)]
    selectors = [source.randbytes(4) for _ in range(300)]
    words = [source.randbytes(32) for _ in range(80)]
    made = []
    for nonce in range(900):
        data = selectors[nonce * 7 % 300] + words[nonce * 11 % 80] if nonce < 60 else selectors[nonce * 7 % 300]
        fees = {"tip": nonce * 3 % 40, "cap": 2_000 + nonce * 3 % 40} if nonce % 2 else {"cap": 5_000 + nonce % 50}
        made.append(
            dynamic(source, sender, contracts[nonce % 4], nonce=nonce, gas=30_000 + nonce % 45, data=data, **fees)
        )
    assert_alike([(TIME + 1, True, BASE_FEES, made)])


def test_many_appearances_halve_the_weights_alike():
    """Frequencies are halved at a sum of 2^16: here after 32,768 appearances of a few addresses."""
    source = random.Random(10)
    crowd = [bytes([number]) * 20 for number in range(1, 7)]
    made = [dynamic(source, crowd[number % 3], source.choice(crowd), nonce=number // 3) for number in range(17_000)]
    assert len(assert_alike([(TIME, False, BASE_FEES, made)])) < 67 * 17_000


def test_mutations_are_judged_alike():
    judged, valid, _ = run(0, 2_500)
    print(f"mutations 0 to 2,499: judged {dict(judged)}, valid {dict(valid)}")
    assert all(valid[kind] > 0 for kind in SHARES)


@pytest.mark.slow
def test_many_mutations_are_judged_alike():
    run(1_000_000, 100_000)
