"""Shows that every `BitcoinClient` answers the same: embedded, the embedded one served by RPC, and a real bitcoind.

Each test runs on all of them (`make test-bitcoind` adds the real one), so a rule or a reason in which our mempool
differs from Bitcoin Core's fails here.
"""

import asyncio
import time
from contextlib import AsyncExitStack
from dataclasses import replace

import pytest

from bedroll.bitcoin.block import Block
from bedroll.bitcoin.builder import Input, LeafPath
from bedroll.bitcoin.client import RejectedBlock, RejectedTransaction
from bedroll.bitcoin.embedded import EmbeddedClient
from bedroll.bitcoin.opcode import Opcode
from bedroll.bitcoin.rpc import Access, RpcClient
from bedroll.bitcoin.script import ANCHOR_SCRIPT, build_script, data_script
from bedroll.bitcoin.server import RpcServer
from bedroll.bitcoin.taproot import TaprootOutput
from bedroll.bitcoin.transaction import OutPoint, Transaction, TxIn, TxOut
from bedroll.primitives import BlockHash, Invalid, L1Height, Satoshi, Txid
from tests.framework.bitcoind import run_bitcoind
from tests.framework.chain import FEE, KeyHolder, ManualClock, RegtestChain, secret_key, spend

ALICE = KeyHolder(secret_key("alice"))
BOB = KeyHolder(secret_key("bob"))
VALUE = Satoshi(1_000_000)


@pytest.fixture(params=["embedded", "served", pytest.param("bitcoind", marks=pytest.mark.bitcoind)])
async def chain(request, tmp_path):
    """A funded chain behind each kind of client."""
    async with AsyncExitStack() as stack:
        if request.param == "bitcoind":
            client = await stack.enter_async_context(run_bitcoind(tmp_path / "bitcoind"))
            yield await RegtestChain.start(client, lambda: int(time.time()))
            return
        clock = ManualClock()
        node = await EmbeddedClient.open(tmp_path / "bitcoin", clock)
        stack.push_async_callback(node.close)
        client = node
        if request.param == "served":
            server = RpcServer(node, tmp_path / "cookie")
            await server.start()
            stack.push_async_callback(server.stop)
            client = await RpcClient.open(Access(server.url, cookie=server.cookie), "regtest")
            stack.push_async_callback(client.close)
        yield await RegtestChain.start(client, clock)


async def refusal_of(chain, *package):
    """Reason with which handing in is refused; also that testing a single one says the same."""
    with pytest.raises(RejectedTransaction) as refusal:
        await chain.client.broadcast([each.raw for each in package])
    if len(package) == 1:
        (tested,) = await chain.client.test_accept([package[0].raw])
        assert (tested.accepted, tested.reason) == (False, refusal.value.reason)
    return refusal.value.reason


async def funded(chain, count=1, *, value=VALUE):
    """Confirmed outputs of Alice's as inputs."""
    return [ALICE.input(name, value) for name in await chain.fund(ALICE.script, value, count)]


def pay(inputs, *outputs, fee=FEE, version=2, lock_time=0):
    """A transaction whose last output, to Bob, takes what outputs and fee leave."""
    rest = sum(each.output.value for each in inputs) - sum(each.value for each in outputs) - fee
    return spend(inputs, [*outputs, TxOut(Satoshi(rest), BOB.script)], version=version, lock_time=lock_time)


def padded(inputs, size, *, fee, version=2):
    """The same with a data output of `size` bytes."""
    return pay(inputs, TxOut(Satoshi(0), data_script(bytes(size))), fee=fee, version=version)


async def test_the_chain_begins_with_its_genesis(chain):
    genesis = await chain.client.block_hash(L1Height(0))
    raw, height = await chain.client.header(genesis)
    assert (len(raw), height) == (80, 0)
    assert Block.parse(await chain.client.block(genesis)).hash == genesis
    assert await chain.client.block_hash(L1Height(await chain.height() + 1)) is None


async def test_an_unknown_block_is_invalid(chain):
    for ask in (chain.client.header, chain.client.block):
        with pytest.raises(Invalid) as failure:
            await ask(BlockHash(bytes(31) + b"\x01"))
        assert failure.value.message == "unknown block"
        with pytest.raises(Invalid):
            await ask(BlockHash(b"short"))


async def test_mined_blocks_are_on_the_chain_and_conform(chain):
    before = await chain.height()
    mined = await chain.mine(3)
    for height, expected in enumerate(mined, before + 1):
        assert await chain.client.block_hash(L1Height(height)) == expected
        block = await chain.parsed(expected)
        block.check()
        assert await chain.client.header(expected) == (block.header.raw, height)
        coinbase = block.transactions[0]
        assert coinbase.lock_time == height - 1
        assert coinbase.inputs[0].sequence != 0xFFFFFFFF
    tip = await chain.client.tip()
    assert (tip.height, tip.hash) == (before + 3, mined[-1])


async def test_waiting_for_a_tip_ends_when_one_comes(chain):
    known = (await chain.client.tip()).hash
    assert (await chain.client.wait_for_tip(known, 0.05)).hash == known
    waiting = asyncio.create_task(chain.client.wait_for_tip(known, 20))
    (mined,) = await chain.mine()
    assert (await waiting).hash == mined
    assert (await chain.client.wait_for_tip(known, 20)).hash == mined


async def test_a_coin_is_followed_from_mempool_to_chain_to_spend(chain):
    payment = await chain.pay([TxOut(VALUE, ALICE.script)])
    await chain.client.broadcast([payment.raw])
    coin = await chain.client.coin(payment.txid, 0)
    assert (coin.value, coin.script, coin.height, coin.coinbase) == (VALUE, ALICE.script, None, False)
    assert await chain.client.coins([ALICE.script]) == []
    entry = await chain.client.mempool_entry(payment.txid)
    assert (entry.fee, entry.size, entry.ancestors, entry.descendants) == (FEE, payment.vsize, 1, 1)
    await chain.mine()
    height = await chain.height()
    assert await chain.client.mempool_entry(payment.txid) is None
    (confirmed,) = await chain.client.coins([ALICE.script, BOB.script])
    assert confirmed == await chain.client.coin(payment.txid, 0) == replace(coin, height=height)
    await chain.client.broadcast([pay([ALICE.input_of(confirmed)]).raw])
    assert await chain.client.coin(payment.txid, 0) is None
    assert await chain.client.coins([ALICE.script]) == [confirmed]
    await chain.mine()
    assert await chain.client.coins([ALICE.script]) == []
    assert await chain.client.coin(Txid(bytes(32)), 0) is None
    assert await chain.client.coins([]) == []


async def test_a_coinbase_is_told_from_other_coins_and_waits(chain):
    await chain.mine(1, ALICE.script)
    (coin,) = await chain.client.coins([ALICE.script])
    assert (coin.coinbase, coin.height) == (True, await chain.height())
    early = pay([ALICE.input_of(coin)])
    assert await refusal_of(chain, early) == "bad-txns-premature-spend-of-coinbase"
    await chain.mine(98)
    assert await refusal_of(chain, early) == "bad-txns-premature-spend-of-coinbase"
    await chain.mine(1)
    await chain.client.broadcast([early.raw])


async def test_broadcasting_again_is_success(chain):
    payment = pay(await funded(chain))
    for _ in range(2):
        await chain.client.broadcast([payment.raw])
    other = payment.with_witness(0, (bytes(64),))
    await chain.client.broadcast([other.raw])
    tested = [await chain.client.test_accept([each.raw]) for each in (payment, other)]
    assert [(each.accepted, each.reason) for (each,) in tested] == [
        (False, "txn-already-in-mempool"),
        (False, "txn-same-nonwitness-data-in-mempool"),
    ]
    (block,) = await chain.mine()
    assert payment in (await chain.parsed(block)).transactions
    await chain.client.broadcast([payment.raw])
    (tested_again,) = await chain.client.test_accept([payment.raw])
    assert (tested_again.accepted, tested_again.reason) == (False, "txn-already-known")
    parent = pay(await funded(chain))
    child = pay([BOB.input(parent.out_point(0), parent.outputs[0].value)])
    for _ in range(2):
        await chain.client.broadcast([parent.raw, child.raw])
    assert (await chain.client.mempool_entry(child.txid)).ancestors == 2
    assert (await chain.client.mempool_entry(parent.txid)).descendants == 2


async def test_bytes_that_are_no_transaction_are_refused(chain):
    for raw in (b"", b"\x02", pay(await funded(chain)).raw[:-1]):
        with pytest.raises(RejectedTransaction) as refusal:
            await chain.client.broadcast([raw])
        assert refusal.value.reason == "TX decode failed"


async def test_refusals_name_bitcoin_cores_reason(chain):
    inputs = await funded(chain)
    good = pay(inputs)
    flipped = bytearray(good.inputs[0].witness[0])
    flipped[5] ^= 1
    unknown = [ALICE.input(OutPoint(Txid(b"\x07" * 32), 0), VALUE)]
    script_error = "mempool-script-verify-flag-failed (Invalid Schnorr signature)"
    assert await refusal_of(chain, good.with_witness(0, (bytes(flipped),))) == script_error
    assert await refusal_of(chain, pay(unknown)) == "missing-inputs"
    assert await refusal_of(chain, pay(inputs, lock_time=await chain.height() + 1)) == "non-final"
    assert await refusal_of(chain, pay(inputs, version=4)) == "version"
    assert await refusal_of(chain, pay(inputs, fee=10)) == "min relay fee not met"
    assert await refusal_of(chain, pay(inputs, TxOut(Satoshi(0), b"\x51\x51"))) == "scriptpubkey"
    assert await refusal_of(chain, pay([*inputs, *inputs])) == "bad-txns-inputs-duplicate"
    over = replace(good, outputs=(TxOut(Satoshi(VALUE + 1), BOB.script),))
    assert await refusal_of(chain, over) == "bad-txns-in-belowout"
    bare = replace(good, inputs=tuple(each._replace(script_sig=b"\x51", witness=()) for each in good.inputs))
    assert (await refusal_of(chain, bare)).startswith("mempool-script-verify-flag-failed (")
    coinbase = (await chain.parsed((await chain.client.tip()).hash)).transactions[0]
    assert await refusal_of(chain, replace(coinbase, lock_time=1)) == "coinbase"


async def test_the_least_fee_is_a_tenth_of_a_satoshi_a_virtual_byte(chain):
    inputs = await funded(chain)
    size = pay(inputs).vsize
    least = -(-size // 10)
    assert await refusal_of(chain, pay(inputs, fee=least - 1)) == "min relay fee not met"
    (tested,) = await chain.client.test_accept([pay(inputs, fee=least).raw])
    assert (tested.accepted, tested.reason, tested.fee, tested.size) == (True, "", least, size)
    assert await chain.client.fee_rate(1) == 100
    with pytest.raises(Invalid):
        await chain.client.fee_rate(0)


@pytest.mark.parametrize(("script", "least"), [(BOB.script, 330), (ANCHOR_SCRIPT, 240)])
async def test_dust_is_refused_just_below_its_limit(chain, script, least):
    inputs = await funded(chain)
    assert await refusal_of(chain, pay(inputs, TxOut(Satoshi(least - 1), script))) == "dust"
    await chain.client.broadcast([pay(inputs, TxOut(Satoshi(least), script)).raw])


async def test_a_transaction_may_have_400000_weight_units(chain):
    inputs = await funded(chain)
    overhead = padded(inputs, 90_000, fee=20_000).weight - 4 * 90_000
    room = (400_000 - overhead) // 4
    assert await refusal_of(chain, padded(inputs, room + 1, fee=20_000)) == "tx-size"
    await chain.client.broadcast([padded(inputs, room, fee=20_000).raw])


async def test_relative_locks_open_at_the_exact_block(chain):
    (name,) = await chain.fund(ALICE.script, VALUE)
    early = pay([ALICE.input(name, VALUE, sequence=5)])
    for _ in range(4):
        assert await refusal_of(chain, early) == "non-BIP68-final"
        await chain.mine()
    await chain.client.broadcast([early.raw])
    (block,) = await chain.mine()
    assert early in (await chain.parsed(block)).transactions


async def test_absolute_locks_open_at_the_exact_block(chain):
    inputs = await funded(chain)
    later = pay(inputs, lock_time=await chain.height() + 2)
    for _ in range(2):
        assert await refusal_of(chain, later) == "non-final"
        await chain.mine()
    await chain.client.broadcast([later.raw])


async def test_locks_by_time_are_judged_by_the_median_of_eleven_blocks(chain):
    (name,) = await chain.fund(ALICE.script, VALUE)
    far = pay([ALICE.input(name, VALUE, sequence=1 << 22 | 0xFFFF)])
    assert await refusal_of(chain, far) == "non-BIP68-final"
    assert await refusal_of(chain, pay([ALICE.input(name, VALUE)], lock_time=0xFFFFFFFF)) == "non-final"
    await chain.client.broadcast([pay([ALICE.input(name, VALUE, sequence=1 << 22)], lock_time=1_500_000_000).raw])


def leaf_input(name, value, *items, script, annex=()):
    """An output guarded by a leaf, spent with items; an annex is added by hand."""
    output = TaprootOutput.build(ALICE.key.x_only, [script])
    return Input(name, TxOut(Satoshi(value), output.script), LeafPath(script, output.control_block(), None, items))


@pytest.mark.parametrize(("size", "refused"), [(80, False), (81, True)])
async def test_a_tapscript_item_has_80_bytes_at_most(chain, size, refused):
    leaf = build_script(Opcode.OP_DROP, Opcode.OP_1)
    (name,) = await chain.fund(TaprootOutput.build(ALICE.key.x_only, [leaf]).script, VALUE)
    payment = pay([leaf_input(name, VALUE, bytes(size), script=leaf)])
    if refused:
        assert await refusal_of(chain, payment) == "bad-witness-nonstandard"
    else:
        await chain.client.broadcast([payment.raw])


async def test_an_annex_and_unknown_opcodes_are_not_relayed_but_mined(chain):
    leaf = build_script(Opcode.OP_DROP, Opcode.OP_1)
    (name,) = await chain.fund(TaprootOutput.build(ALICE.key.x_only, [leaf]).script, VALUE)
    payment = pay([leaf_input(name, VALUE, b"x", script=leaf)])
    annexed = payment.with_witness(0, (*payment.inputs[0].witness, b"\x50annex"))
    assert await refusal_of(chain, annexed) == "bad-witness-nonstandard"
    success = b"\x50"
    (other,) = await chain.fund(TaprootOutput.build(ALICE.key.x_only, [success]).script, VALUE)
    unknown = pay([leaf_input(other, VALUE, script=success)])
    reason = "mempool-script-verify-flag-failed (OP_SUCCESSx reserved for soft-fork upgrades)"
    assert await refusal_of(chain, unknown) == reason
    block = await chain.mine_on((await chain.client.tip()).hash, [annexed, unknown])
    assert (await chain.client.tip()).hash == block


async def test_old_kinds_of_outputs_are_spent_and_refused(chain):
    scripts = {
        "bare": b"\x51",
        "unknown witness": b"\x52\x02\x4e\x73",
        "script hash": b"\xa9\x14" + bytes(20) + b"\x87",
        "key hash": b"\x76\xa9\x14" + bytes(20) + b"\x88\xac",
        "witness key hash": b"\x00\x14" + b"\x01" * 20,
        "witness script hash": b"\x00\x20" + b"\x01" * 32,
        "zero witness hash": b"\x00\x20" + bytes(32),
    }
    reasons = {}
    for name, script in scripts.items():
        payment = await chain.pay([TxOut(VALUE, script)])
        await chain.mine_on((await chain.client.tip()).hash, [payment])
        output = TxOut(Satoshi(VALUE - FEE), BOB.script)
        reasons[name] = await refusal_of(chain, Transaction((TxIn(payment.out_point(0)),), (output,)))
    failed = "mempool-script-verify-flag-failed ({})".format
    assert reasons == {
        "bare": "bad-txns-nonstandard-inputs",
        "unknown witness": "bad-txns-nonstandard-inputs",
        "script hash": "bad-txns-nonstandard-inputs",
        "key hash": failed("Operation not valid with the current stack size"),
        "witness key hash": failed("Witness program hash mismatch"),
        "witness script hash": failed("Witness program was passed an empty witness"),
        "zero witness hash": failed("Script evaluated without error but finished with a false/empty top stack element"),
    }


async def test_a_replacement_pays_for_what_it_evicts_and_its_own_relay(chain):
    inputs = await funded(chain)
    first = pay(inputs, fee=1_000)
    await chain.client.broadcast([first.raw])
    child = pay([BOB.input(first.out_point(0), first.outputs[0].value)], fee=5_000)
    await chain.client.broadcast([child.raw])
    bandwidth = -(-first.vsize // 10)
    assert await refusal_of(chain, pay(inputs, fee=5_999)) == "insufficient fee"
    assert await refusal_of(chain, pay(inputs, fee=6_000 + bandwidth - 1)) == "insufficient fee"
    winner = pay(inputs, fee=6_000 + bandwidth)
    await chain.client.broadcast([winner.raw])
    assert await chain.client.mempool_entry(first.txid) is None
    assert await chain.client.mempool_entry(child.txid) is None
    assert (await chain.client.mempool_entry(winner.txid)).fee == 6_000 + bandwidth


async def test_a_replacement_must_leave_miners_better_off(chain):
    inputs = await funded(chain)
    first = pay(inputs, fee=10_000)
    await chain.client.broadcast([first.raw])
    larger = padded(inputs, 20_000, fee=13_000)
    assert await refusal_of(chain, larger) == "replacement-failed"


async def test_a_replacement_cannot_spend_what_it_replaces(chain):
    one, two = await funded(chain, 2)
    first = pay([one])
    await chain.client.broadcast([first.raw])
    own = BOB.input(first.out_point(0), first.outputs[0].value)
    assert await refusal_of(chain, pay([one, own, two], fee=50_000)) == "bad-txns-spends-conflicting-tx"


async def test_a_cluster_has_64_transactions_at_most(chain):
    (given,) = await funded(chain)
    parent = pay([given])
    for _ in range(64):
        await chain.client.broadcast([parent.raw])
        parent = pay([BOB.input(parent.out_point(0), parent.outputs[0].value)])
    assert await refusal_of(chain, parent) == "too-large-cluster"
    await chain.mine()
    await chain.client.broadcast([parent.raw])


async def test_a_cluster_has_101000_virtual_bytes_at_most(chain):
    (given,) = await funded(chain)
    outputs = [TxOut(Satoshi(300_000), ALICE.script)] * 3
    commit = pay([given], *outputs)
    reveals = [padded([ALICE.input(commit.out_point(at), 300_000)], 50_000, fee=10_000) for at in range(3)]
    await chain.client.broadcast([commit.raw])
    await chain.client.broadcast([reveals[0].raw])
    await chain.client.broadcast([reveals[1].raw])
    assert await refusal_of(chain, reveals[2]) == "too-large-cluster"
    await chain.mine()
    await chain.client.broadcast([reveals[2].raw])


def anchored(inputs, *, fee=0, anchor=0, version=3):
    """A parent with an anchor first and Bob's output last."""
    return pay(inputs, TxOut(Satoshi(anchor), ANCHOR_SCRIPT), fee=fee, version=version)


def bump(parent, given, *, fee, version=3, pad=0):
    """A child that spends a parent's anchor and a coin of Alice's."""
    anchor = Input(parent.out_point(0), parent.outputs[0], None)
    return (padded if pad else pay)([anchor, given], *([pad] if pad else []), fee=fee, version=version)


async def test_a_parent_without_fee_comes_in_with_its_child(chain):
    one, two = await funded(chain, 2)
    parent = anchored([one])
    child = bump(parent, two, fee=1_500)
    assert await refusal_of(chain, parent) == "min relay fee not met"
    assert await refusal_of(chain, child) == "missing-inputs"
    await chain.client.broadcast([parent.raw, child.raw])
    entry = await chain.client.mempool_entry(child.txid)
    assert (entry.fee, entry.ancestors) == (1_500, 2)
    (block,) = await chain.mine()
    assert {parent.txid, child.txid} < set((await chain.parsed(block)).txids)


async def test_a_package_that_pays_too_little_is_refused(chain):
    one, two = await funded(chain, 2)
    parent = anchored([one])
    assert await refusal_of(chain, parent, bump(parent, two, fee=20)) == "min relay fee not met"
    assert await chain.client.mempool_entry(parent.txid) is None


async def test_dust_lives_only_in_a_package_that_spends_it(chain):
    one, two = await funded(chain, 2)
    parent = anchored([one])
    beside = pay([BOB.input(parent.out_point(1), parent.outputs[1].value), two], fee=5_000, version=3)
    assert await refusal_of(chain, parent, beside) == "missing-ephemeral-spends"
    assert await refusal_of(chain, anchored([one], fee=1_000)) == "dust"
    await chain.client.broadcast([parent.raw, bump(parent, two, fee=5_000).raw])


async def test_dust_packages_need_no_version_3(chain):
    one, two = await funded(chain, 2)
    parent = anchored([one], version=2)
    await chain.client.broadcast([parent.raw, bump(parent, two, fee=5_000, version=2).raw])


async def test_a_version_3_child_is_replaced_by_a_better_sibling(chain):
    one, two, three = await funded(chain, 3)
    parent = anchored([one], fee=500, anchor=240)
    await chain.client.broadcast([parent.raw])
    first = bump(parent, two, fee=1_500)
    await chain.client.broadcast([first.raw])
    output = BOB.input(parent.out_point(1), parent.outputs[1].value)
    poor = pay([output, three], fee=1_501, version=3)
    assert await refusal_of(chain, poor) == "insufficient fee (including sibling eviction)"
    sibling = pay([output, three], fee=5_000, version=3)
    await chain.client.broadcast([sibling.raw])
    assert await chain.client.mempool_entry(first.txid) is None
    assert (await chain.client.mempool_entry(parent.txid)).descendants == 2


async def test_version_3_keeps_to_its_shape(chain):
    one, two, three = await funded(chain, 3)
    assert await refusal_of(chain, padded([one], 9_900, fee=5_000, version=3)) == "TRUC-violation"
    parent = anchored([one], fee=500, anchor=240)
    await chain.client.broadcast([parent.raw])
    assert await refusal_of(chain, bump(parent, two, fee=5_000, pad=900)) == "TRUC-violation"
    assert await refusal_of(chain, bump(parent, two, fee=5_000, version=2)) == "TRUC-violation"
    child = bump(parent, two, fee=5_000)
    await chain.client.broadcast([child.raw])
    grandchild = pay([BOB.input(child.out_point(0), child.outputs[0].value)], version=3)
    assert await refusal_of(chain, grandchild) == "TRUC-violation"
    plain = pay([three])
    await chain.client.broadcast([plain.raw])
    below = pay([BOB.input(plain.out_point(0), plain.outputs[0].value)], version=3)
    assert await refusal_of(chain, below) == "TRUC-violation"


async def test_a_version_3_package_keeps_to_its_shape(chain):
    one, two = await funded(chain, 2)
    parent = anchored([one])
    assert await refusal_of(chain, parent, bump(parent, two, fee=20_000, pad=1_000)) == "TRUC-violation"
    assert await refusal_of(chain, parent, bump(parent, two, fee=20_000, version=2)) == "TRUC-violation"


async def test_the_anchor_child_of_a_package_is_replaced_with_the_package(chain):
    one, two, three = await funded(chain, 3)
    parent = anchored([one])
    first, second = bump(parent, two, fee=1_500), bump(parent, three, fee=4_000)
    await chain.client.broadcast([parent.raw, first.raw])
    await chain.client.broadcast([parent.raw, second.raw])
    assert await chain.client.mempool_entry(first.txid) is None
    assert (await chain.client.mempool_entry(second.txid)).ancestors == 2


async def test_a_package_replaces_a_package(chain):
    one, two, three = await funded(chain, 3)
    old, new = anchored([one]), anchored([one], version=3)
    new = replace(new, outputs=(new.outputs[0], TxOut(new.outputs[1].value, ALICE.script)))
    new = spend([one], new.outputs, version=3)
    await chain.client.broadcast([old.raw, bump(old, two, fee=1_500).raw])
    poor = "package RBF failed: insufficient anti-DoS fees"
    assert await refusal_of(chain, new, bump(new, three, fee=1_510)) == poor
    await chain.client.broadcast([new.raw, bump(new, three, fee=5_000).raw])
    assert await chain.client.mempool_entry(old.txid) is None


async def test_what_is_no_child_with_parents_is_no_package(chain):
    one, two = await funded(chain, 2)
    reason = "package topology disallowed. not child-with-parents or parents depend on each other."
    assert await refusal_of(chain, pay([one]), pay([two])) == reason


async def test_a_package_names_the_transaction_at_fault(chain):
    one, two = await funded(chain, 2)
    parent = pay([one])
    bad_parent = parent.with_witness(0, (bytes(64),))
    child = pay([BOB.input(parent.out_point(0), parent.outputs[0].value), two])
    for package, at_fault in (((bad_parent, child), 0), ((parent, child.with_witness(1, (bytes(64),))), 1)):
        with pytest.raises(RejectedTransaction) as refusal:
            await chain.client.broadcast([each.raw for each in package])
        assert refusal.value.reason == "mempool-script-verify-flag-failed (Invalid Schnorr signature)"
        assert refusal.value.txid == package[at_fault].txid


async def test_testing_several_judges_each_by_its_own_fee(chain):
    one, two = await funded(chain, 2)
    parent = pay([one])
    child = pay([BOB.input(parent.out_point(0), parent.outputs[0].value), two])
    answers = await chain.client.test_accept([parent.raw, child.raw])
    assert [(each.txid, each.accepted, each.fee) for each in answers] == [
        (parent.txid, True, FEE),
        (child.txid, True, FEE),
    ]
    assert await chain.client.mempool_entry(parent.txid) is None
    poor = anchored([one])
    first, second = await chain.client.test_accept([poor.raw, bump(poor, two, fee=5_000).raw])
    assert (first.accepted, first.reason) == (False, "min relay fee not met")
    assert (second.accepted, second.reason) == (False, "package-not-validated")
    conflict = await chain.client.test_accept([parent.raw, pay([one], fee=9_000).raw])
    assert [each.reason for each in conflict] == ["conflict-in-package"] * 2


@pytest.mark.parametrize("depth", [1, 2, 6])
async def test_a_reorganisation_takes_coins_back_and_returns_transactions(chain, depth):
    (given,) = await funded(chain)
    payment = pay([given])
    await chain.client.broadcast([payment.raw])
    await chain.mine(depth)
    height = await chain.height()
    (coin,) = await chain.client.coins([BOB.script])
    assert coin.height == height - depth + 1
    old = await chain.client.block_hash(L1Height(height))
    branch = await chain.reorg(depth)
    assert (await chain.client.tip()).hash == branch[-1]
    assert await chain.client.block_hash(L1Height(height)) == branch[-2]
    assert (await chain.client.header(old))[1] == height
    assert await chain.client.coins([BOB.script]) == []
    assert (await chain.client.mempool_entry(payment.txid)).fee == FEE
    assert (await chain.client.coin(payment.txid, 0)).height is None
    await chain.mine()
    assert (await chain.client.coin(payment.txid, 0)).height == height + 2


async def test_a_reorganisation_that_spends_otherwise_evicts_the_loser_and_its_children(chain):
    (given,) = await funded(chain)
    loser = pay([given])
    child = pay([BOB.input(loser.out_point(0), loser.outputs[0].value)], fee=2_000)
    await chain.client.broadcast([loser.raw])
    await chain.mine()
    await chain.client.broadcast([child.raw])
    winner = pay([given], fee=3_000)
    await chain.reorg(1, transactions=[[winner]])
    assert await chain.client.mempool_entry(loser.txid) is None
    assert await chain.client.mempool_entry(child.txid) is None
    assert await refusal_of(chain, loser) == "missing-inputs"


async def test_a_reorganisation_makes_locks_close_again(chain):
    (name,) = await chain.fund(ALICE.script, VALUE)
    funding = next(
        each for each in (await chain.parsed((await chain.client.tip()).hash)).transactions if each.txid == name.txid
    )
    await chain.mine(2)
    payment = pay([ALICE.input(name, VALUE, sequence=3)])
    await chain.client.broadcast([payment.raw])
    await chain.reorg(3, transactions=[[], [], [], [funding]])
    assert (await chain.client.coin(*name)).height == await chain.height()
    assert await chain.client.mempool_entry(payment.txid) is None
    assert await refusal_of(chain, payment) == "non-BIP68-final"


async def test_a_reorganisation_that_joins_clusters_keeps_the_best(chain):
    (given,) = await funded(chain)
    outputs = [TxOut(Satoshi(200_000), ALICE.script)] * 2
    parent = pay([given], *outputs, TxOut(Satoshi(0), data_script(bytes(50_000))), fee=20_000)
    await chain.client.broadcast([parent.raw])
    await chain.mine()
    inputs = [ALICE.input(parent.out_point(at), 200_000) for at in range(2)]
    poor, rich = padded(inputs[:1], 40_000, fee=10_000), padded(inputs[1:], 40_000, fee=15_000)
    for each in (poor, rich):
        await chain.client.broadcast([each.raw])
    await chain.reorg(1)
    assert (await chain.client.mempool_entry(parent.txid)).descendants == 2
    assert (await chain.client.mempool_entry(rich.txid)).ancestors == 2
    assert await chain.client.mempool_entry(poor.txid) is None


async def test_a_reorganisation_of_a_wide_payment_ends_soon(chain):
    inputs = await funded(chain, 300, value=Satoshi(2_000))
    children = [pay([given], fee=200) for given in inputs]
    for child in children:
        await chain.client.broadcast([child.raw])
    await chain.reorg(1)
    held = [await chain.client.mempool_entry(child.txid) for child in children]
    assert sum(entry is not None for entry in held) == 63
    await chain.mine()


async def test_a_branch_of_equal_work_does_not_win(chain):
    tip = await chain.client.tip()
    branch = await chain.reorg(2, extra=0)
    assert await chain.client.tip() == tip
    await chain.mine_on(branch[-1])
    assert (await chain.client.tip()).height == tip.height + 1


async def test_a_bad_block_is_refused_with_the_reason_and_changes_nothing(chain):
    tip = await chain.client.tip()
    given = await funded(chain)
    tip = await chain.client.tip()
    payment = pay(given)
    forged = payment.with_witness(0, (bytes(64),))
    cases = {
        "bad-cb-amount": await chain.build_on(tip.hash, fees=1),
        "block-script-verify-flag-failed (Invalid Schnorr signature)": await chain.build_on(tip.hash, [forged]),
        "bad-txns-inputs-missingorspent": await chain.build_on(tip.hash, [payment, pay(given, fee=2_000)]),
    }
    for reason, block in cases.items():
        with pytest.raises(RejectedBlock) as refusal:
            await chain.client.submit_block(block.raw)
        assert refusal.value.reason == reason
        assert refusal.value.block == block.hash
        assert await chain.client.tip() == tip
    good = await chain.build_on(tip.hash, [payment])
    with pytest.raises(Invalid):
        await chain.client.submit_block(good.raw[:-1])
    await chain.client.submit_block(good.raw)
    await chain.client.submit_block(good.raw)
    assert (await chain.client.tip()).hash == good.hash


async def test_a_block_without_its_parent_is_refused(chain):
    tip = await chain.client.tip()
    first = await chain.build_on(tip.hash)
    orphan = replace(first.header, previous=BlockHash(b"\x07" * 32))
    while not orphan.meets_target():
        orphan = replace(orphan, nonce=orphan.nonce + 1)
    with pytest.raises(RejectedBlock) as refusal:
        await chain.client.submit_block(Block(orphan, first.transactions).raw)
    assert refusal.value.reason == "prev-blk-not-found"


async def test_a_full_block_goes_through(chain):
    inputs = await funded(chain, 10)
    payments = [padded([given], 95_000, fee=20_000) for given in inputs]
    block = await chain.build_on((await chain.client.tip()).hash, payments)
    assert block.weight > 3_800_000
    await chain.client.submit_block(block.raw)
    assert await chain.client.block(block.hash) == block.raw


async def test_the_miner_takes_what_pays_best(chain):
    inputs = await funded(chain, 12)
    fees = [10_000 - 500 * at for at in range(6)]
    payments = [padded([given], 90_000, fee=30_000 + fee) for given, fee in zip(inputs, fees, strict=False)]
    payments += [padded([given], 90_000, fee=20_000) for given in inputs[6:]]
    for payment in payments:
        await chain.client.broadcast([payment.raw])
    assert await chain.client.fee_rate(1) >= 100
    (block,) = await chain.mine()
    mined = (await chain.parsed(block)).txids[1:]
    assert set(mined[:6]) == {payment.txid for payment in payments[:6]}
    assert len(mined) == 11
    (left,) = [payment for payment in payments if payment.txid not in mined]
    assert await chain.client.mempool_entry(left.txid) is not None


def test_inputs_of_tests_are_what_they_seem():
    assert TxIn(OutPoint(Txid(bytes(32)), 0)).sequence == ALICE.input(OutPoint(Txid(bytes(32)), 0), 1).sequence
