"""Shows that the embedded node keeps chain, coins and mempool together through mining, reorganisations, restarts."""

import pytest

from bedroll.bitcoin.embedded import EmbeddedClient, RejectedBlock
from bedroll.bitcoin.transaction import TxOut
from bedroll.primitives import Misconfigured, Satoshi
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
