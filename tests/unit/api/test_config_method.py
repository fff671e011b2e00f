"""`eth_config`, `eth_capabilities`, and many storage words at once: what routers and other tools ask first."""

import zlib

import pytest

from bedroll.protocol import ADDRESS_BOOK
from bedroll.sdk import RpcFailure

BOOK = "0x" + ADDRESS_BOOK.hex()


async def test_the_rules_are_those_of_eip_7910(rpc, chain):
    told = await rpc.call("eth_config")
    assert (told["next"], told["last"]) == (None, None)
    current = told["current"]
    assert list(current) == [
        "activationTime", "blobSchedule", "chainId", "forkId", "precompiles", "systemContracts"
    ]  # fmt: skip
    assert current["chainId"] == hex(chain.network.chain_id)
    assert current["forkId"] == f"0x{zlib.crc32(chain.engine.header(0).hash):08x}"
    assert current["precompiles"] == dict(sorted(current["precompiles"].items()))


async def test_every_precompile_that_is_named_runs_and_no_other(rpc):
    named = {int(address, 16) for address in (await rpc.call("eth_config"))["current"]["precompiles"].values()}
    runs = set()
    for number in (*range(1, 0x16), 0xFF, 0x100, 0x101):
        call = {"to": f"0x{number:040x}", "gas": "0xf4240"}
        frame = await rpc.call("debug_traceCall", call, "latest", {"tracer": "callTracer"})
        if frame["gasUsed"] != hex(21_000):
            runs.add(number)
    assert runs == named


async def test_every_system_contract_that_is_named_has_code(rpc):
    for name, address in (await rpc.call("eth_config"))["current"]["systemContracts"].items():
        assert len(await rpc.call("eth_getCode", address)) > 2, name


async def test_capabilities_name_the_head_and_the_oldest_state(rpc, chain):
    told = await rpc.call("eth_capabilities")
    assert told["head"] == {"number": "0x1", "hash": "0x" + chain.engine.tip().hash.hex()}
    assert told["state"]["oldestBlock"] == hex(chain.engine.oldest_state())
    assert set(told) == {"head", "state", "tx", "logs", "receipts", "blocks", "stateproofs"}


async def test_capabilities_name_a_window_where_state_is_deleted_and_no_strategy_where_nothing_is(
    rpc, chain, monkeypatch
):
    told = await rpc.call("eth_capabilities")
    assert not any("deleteStrategy" in told[part] for part in told)
    monkeypatch.setattr(type(chain), "keeps_all_state", False)
    chain.seal()
    told = await rpc.call("eth_capabilities")
    window = {"type": "window", "retentionBlocks": hex(chain.engine.tip().number - chain.engine.oldest_state() + 1)}
    assert told["state"]["deleteStrategy"] == told["stateproofs"]["deleteStrategy"] == window
    assert all("deleteStrategy" not in told[part] for part in ("tx", "logs", "receipts", "blocks"))


async def test_storage_words_of_many_contracts_come_at_once(rpc):
    slots = ["0x0", "0x" + "00" * 32]
    told = await rpc.call("eth_getStorageValues", {BOOK: slots, "0x" + "99" * 20: ["0x1"]}, "latest")
    word = await rpc.call("eth_getStorageAt", BOOK, "0x0", "latest")
    assert told == {BOOK: [word, word], "0x" + "99" * 20: ["0x" + "00" * 32]}


@pytest.mark.parametrize(
    ("rows", "text"),
    [
        ({}, "empty request"),
        ({BOOK: []}, "empty request"),
        ({BOOK: ["0x0"] * 1_025}, "too many slots: 1025, at most 1024"),
        ({BOOK: "0x0"}, "an array of storage slots"),
        ([], "an object"),
        ({"0x12": ["0x0"]}, "20 bytes"),
    ],
)
async def test_slots_that_cannot_be_read_are_refused(rpc, rows, text):
    with pytest.raises(RpcFailure, match=text) as refused:
        await rpc.call("eth_getStorageValues", rows)
    assert refused.value.code == -32602


async def test_the_base_fee_is_the_next_blocks(rpc, chain):
    assert await rpc.call("eth_baseFee") == hex(chain.engine.next_base_fee())
