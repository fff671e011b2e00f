"""Shows that the embedded node keeps chain, coins and mempool together through mining, reorganisations, restarts."""

import shutil
import subprocess
import sys

import pytest

from bedroll.bitcoin.embedded import EmbeddedClient, RejectedBlock
from bedroll.bitcoin.transaction import TxOut
from bedroll.primitives import Corrupt, Misconfigured, Satoshi, Unavailable
from tests.framework.chain import KeyHolder, open_embedded, secret_key, spend


async def test_a_funded_script_has_a_coin_until_it_is_spent(embedded_chain):
    chain, alice = embedded_chain, KeyHolder(secret_key("alice"))
    (name,) = await chain.fund(alice.script, Satoshi(50_000))
    (coin,) = await chain.client.coins([alice.script])
    assert (coin.txid, coin.index, coin.value, coin.coinbase) == (*name, 50_000, False)
    assert coin.height == await chain.height()
    payment = spend([alice.input_of(coin)], [TxOut(Satoshi(49_000), chain.miner.script)])
    await chain.client.broadcast([payment.raw])
    assert await chain.client.coin(*name) is None
    assert (await chain.client.coin(*payment.out_point(0))).height is None
    (block,) = await chain.mine()
    assert payment in (await chain.parsed(block)).transactions
    assert await chain.client.coins([alice.script]) == []


@pytest.mark.parametrize("depth", [1, 2, 5])
async def test_a_reorganisation_returns_transactions_to_the_mempool(embedded_chain, depth):
    chain, alice = embedded_chain, KeyHolder(secret_key("alice"))
    (name,) = await chain.fund(alice.script, Satoshi(50_000))
    await chain.mine(depth - 1)
    before = await chain.client.coins([chain.miner.script])
    branch = await chain.reorg(depth)
    assert (await chain.client.tip()).hash == branch[-1]
    assert await chain.client.coins([alice.script]) == []
    assert (await chain.client.mempool_entry(name.txid)).ancestors == 1
    await chain.mine()
    (coin,) = await chain.client.coins([alice.script])
    assert (coin.txid, coin.index) == name
    assert len(await chain.client.coins([chain.miner.script])) == len(before) + 2


async def test_a_branch_of_equal_work_does_not_win(embedded_chain):
    tip = await embedded_chain.client.tip()
    branch = await embedded_chain.reorg(2, extra=0)
    assert await embedded_chain.client.tip() == tip
    await embedded_chain.mine_on(branch[-1])
    assert (await embedded_chain.client.tip()).height == tip.height + 1


async def test_a_block_that_takes_too_much_is_refused_with_the_reason(embedded_chain):
    chain = embedded_chain
    tip = await chain.client.tip()
    block = await chain.build_on(tip.hash, fees=1)
    with pytest.raises(RejectedBlock) as refusal:
        await chain.client.submit_block(block.raw)
    assert refusal.value.reason == "bad-cb-amount"
    assert await chain.client.tip() == tip


async def test_a_closed_chain_opens_again_where_it_was(tmp_path):
    async with open_embedded(tmp_path) as chain:
        await chain.fund(KeyHolder(secret_key("alice")).script, Satoshi(50_000))
        tip = await chain.client.tip()
        coins = await chain.client.coins([chain.miner.script])
    async with open_embedded(tmp_path) as chain:
        assert chain.client.replayed == 0
        assert await chain.client.tip() == tip
        assert await chain.client.coins([chain.miner.script]) == coins


async def test_a_second_node_on_one_folder_is_refused_by_name(embedded_chain, tmp_path):
    with pytest.raises(Misconfigured) as refusal:
        await EmbeddedClient.open(tmp_path / "bitcoin")
    assert refusal.value.option == "bitcoin.data"
    assert "lock" in refusal.value.fields["reason"]


async def test_a_disk_that_takes_no_more_is_unavailable_and_the_chain_goes_on_later(embedded_chain):
    chain = embedded_chain
    tip = await chain.client.tip()
    journal, index = chain.client._node._chain.journal._database, chain.client._node._chain.index._database

    def limit(database, pages):
        return chain.client._run(lambda: database.execute(f"pragma max_page_count = {pages}").fetchone())

    await limit(journal, 1)
    with pytest.raises(Unavailable) as failure:
        await chain.client.mine(2_000, b"\x51")
    assert failure.value.fields["reason"] == "database or disk is full"
    await limit(journal, 1 << 30)
    held = await chain.client.tip()
    await limit(index, 1)
    with pytest.raises(Unavailable) as failure:
        await chain.client.mine(2_000, b"\x51")
    assert failure.value.message == "the coin index cannot be written"
    await limit(index, 1 << 30)
    (block,) = await chain.mine()
    assert (await chain.client.tip()).hash == block
    assert (await chain.client.tip()).height > held.height >= tip.height
    assert len(await chain.client.coins([b"\x51"])) == await chain.height() - tip.height - 1


@pytest.mark.parametrize("name", ["journal.sqlite", "coins.sqlite"])
async def test_a_damaged_file_is_corrupt_and_nothing_is_overwritten(tmp_path, name):
    async with open_embedded(tmp_path):
        pass
    (tmp_path / name).write_bytes(b"no database" * 500)
    with pytest.raises(Corrupt) as failure:
        await EmbeddedClient.open(tmp_path)
    assert failure.value.fields["folder"] == str(tmp_path)
    assert (tmp_path / name).read_bytes() == b"no database" * 500


async def test_an_index_of_a_chain_that_is_gone_is_built_anew(tmp_path):
    async with open_embedded(tmp_path) as chain:
        await chain.mine(3)
    shutil.rmtree(tmp_path / "regtest")
    async with open_embedded(tmp_path) as chain:
        assert await chain.height() == 120
        assert len(await chain.client.coins([chain.miner.script])) == 120


async def test_a_process_that_forgets_to_close_ends_cleanly_and_loses_nothing(tmp_path):
    program = (
        "import asyncio, sys; from pathlib import Path; from bedroll.bitcoin.embedded import EmbeddedClient\n"
        "async def main():\n"
        "    client = await EmbeddedClient.open(Path(sys.argv[1]))\n"
        "    await client.mine(5, b'Q')\n"
        "asyncio.run(main())\n"
    )
    done = subprocess.run([sys.executable, "-c", program, tmp_path], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    client = await EmbeddedClient.open(tmp_path)
    assert (await client.tip()).height == 5
    await client.close()
