"""Shows that no transaction, block or script upsets the embedded node: it is taken or refused with a reason."""

import random

import pytest

from bedroll.bitcoin.builder import Input, LeafPath
from bedroll.bitcoin.client import RejectedBlock, RejectedTransaction
from bedroll.bitcoin.taproot import TaprootOutput
from bedroll.bitcoin.transaction import TxOut
from bedroll.primitives import Invalid, Satoshi, Txid
from tests.framework.chain import KeyHolder, secret_key, spend

SEED = 20_261_121
ALICE = KeyHolder(secret_key("alice"))
VALUE = Satoshi(100_000)
EASY = (0x00, 0x51, 0x52, 0x61, 0x74, 0x75, 0x75, 0x75, 0x76, 0x77, 0x7C, 0x82, 0x87, 0x91, 0x93, 0x9C, 0xA8)
"""Opcodes that rarely fail: numbers, stack, equality, arithmetic, hashes."""
INTERESTING = (0, 1, 2, 3, 0x50, 0x51, 0x7F, 0x80, 0xC0, 0xC1, 0xFD, 0xFE, 0xFF)


def mutate(source, raw):
    """One to three bytes changed, taken away, doubled or put in."""
    mutated = bytearray(raw)
    for _ in range(source.randint(1, 3)):
        at = source.randrange(len(mutated))
        kind = source.randrange(4)
        if kind == 0:
            mutated[at] = source.choice((source.randrange(256), source.choice(INTERESTING)))
        elif kind == 1:
            del mutated[at : at + source.randint(1, 4)]
        elif kind == 2:
            mutated[at:at] = mutated[at : at + source.randint(1, 40)]
        else:
            mutated[at:at] = source.randbytes(source.randint(1, 4))
        mutated = mutated or bytearray(b"\x00")
    return bytes(mutated)


async def try_out(client, raw):
    """Reason of the refusal; empty if it was taken."""
    try:
        await client.broadcast([raw])
    except RejectedTransaction as refusal:
        return refusal.reason
    return ""


@pytest.mark.parametrize("count", [400, pytest.param(20_000, marks=[pytest.mark.slow, pytest.mark.timeout(1_200)])])
async def test_mutated_transactions_are_taken_or_refused(embedded_chain, count):
    chain, source = embedded_chain, random.Random(SEED)
    leaf = b"\x75\x51"
    output = TaprootOutput.build(ALICE.key.x_only, [leaf])
    (key_coin,) = await chain.fund(ALICE.script, VALUE)
    (leaf_coin,) = await chain.fund(output.script, VALUE)
    path = LeafPath(leaf, output.control_block(), None, (b"item",))
    inputs = [ALICE.input(key_coin, VALUE), Input(leaf_coin, TxOut(VALUE, output.script), path)]
    raw = spend(inputs, [TxOut(Satoshi(150_000), ALICE.script), TxOut(Satoshi(0), b"\x6a\x04data")]).raw
    tip = await chain.client.tip()
    reasons = {await try_out(chain.client, mutate(source, raw)) for _ in range(count)}
    assert len(reasons) >= 5, f"seed {SEED}: {reasons}"
    assert await chain.client.tip() == tip
    await chain.mine()


@pytest.mark.parametrize("count", [60, pytest.param(2_000, marks=[pytest.mark.slow, pytest.mark.timeout(1_200)])])
async def test_random_scripts_are_judged_alike_by_policy_and_consensus(embedded_chain, count):
    """What policy lets through, a block may hold: the miner would stop if the two differed."""
    chain, source = embedded_chain, random.Random(SEED)
    taken = 0
    for _ in range(count):
        opcodes = source.choice((EASY, EASY, (*range(0x4F, 0x62), *range(0x69, 0xBB))))
        leaf = bytes(source.choice(opcodes) for _ in range(source.randint(1, 8)))
        output = TaprootOutput.build(ALICE.key.x_only, [leaf])
        items = tuple(source.choice((b"", b"\x01", b"\x02", source.randbytes(3))) for _ in range(source.randint(0, 4)))
        payment = await chain.pay([TxOut(VALUE, output.script)])
        path = LeafPath(leaf, output.control_block(), None, items)
        given = Input(payment.out_point(0), TxOut(VALUE, output.script), path)
        child = spend([given], [TxOut(Satoshi(90_000), ALICE.script)])
        await chain.client.broadcast([payment.raw])
        taken += not await try_out(chain.client, child.raw)
        await chain.mine(1)
        assert await chain.client.mempool() == []
    assert taken > count // 50, f"seed {SEED}"


async def test_mutated_blocks_are_taken_or_refused(embedded_chain):
    chain, source = embedded_chain, random.Random(SEED)
    payment = await chain.pay([TxOut(VALUE, ALICE.script)])
    reasons = set()
    for _ in range(200):
        block = await chain.build_on((await chain.client.tip()).hash, [payment])
        try:
            await chain.client.submit_block(mutate(source, block.raw))
        except RejectedBlock as refusal:
            reasons.add(refusal.reason)
        except Invalid as refusal:
            reasons.add(refusal.message)
    assert {"bad-txnmrklroot", "high-hash"} < reasons, f"seed {SEED}: {reasons}"


async def test_questions_about_nothing_are_answered_with_nothing(embedded_chain):
    client = embedded_chain.client
    for index in (0, 1, 0xFFFFFFFF):
        assert await client.coin(Txid(b"\x07" * 32), index) is None
    assert await client.mempool_entry(Txid(b"")) is None
    assert await client.coins([b"", b"\x00" * 20_000]) == []
    for package in ([], [b"\x00"] * 26):
        with pytest.raises(Invalid):
            await client.broadcast(package)
    with pytest.raises(Invalid):
        await client.mine(-1, b"\x51")
    with pytest.raises(Invalid):
        await client.mine(100_001, b"\x51")
    with pytest.raises(RejectedTransaction):
        await client.broadcast([bytes(4_000_001)])
