"""Every recorded rpc-compat conversation, replayed on its own chain, which is imported block by block through the core.

Results are compared whole; error texts are free and codes compared; `speconly` compares the shape alone. Members that
are this chain's own (docs/spec/api.md) are left out of the comparison. Nothing else is.
"""

import asyncio
import json

import pytest

from bedroll.api.dispatch import Dispatcher
from bedroll.api.service import Service
from tests.framework.ethereum_chain import EthereumChain, Vectors

VECTORS = Vectors.read()
TALKS = {talk.name: talk for talk in VECTORS.conversations()}
OWN = {"class", "bedrollBitcoin", "originHeight", "originHash", "automatic", "evmGasUsed", "dataGasUsed", "forcedId"}
OPTIONAL = {"deleteStrategy"}
"""Members that the published schema lets be left out (`src/schemas/capabilities.yaml`: nothing is deleted then)."""


@pytest.fixture(scope="module")
def dispatcher(tmp_path_factory):
    chain = EthereumChain.of(VECTORS, tmp_path_factory.mktemp("ethereum"))
    service = Service(chain)
    yield Dispatcher(service, devnet=True)
    service.worker.close()
    chain.engine.close()


def stripped(value):
    """A value without the members that are this chain's own."""
    if isinstance(value, dict):
        return {key: stripped(item) for key, item in value.items() if key not in OWN}
    return [stripped(item) for item in value] if isinstance(value, list) else value


def kind(value):
    """What a schema sees of a value: a quantity and data are strings alike."""
    if isinstance(value, bool) or value is None:
        return type(value)
    return (int, float) if isinstance(value, int | float) else type(value)


def shape_differs(ours, recorded, place="result"):
    """Where the shapes of two answers differ; empty if they do not."""
    if isinstance(ours, dict) and isinstance(recorded, dict):
        if all(key[:1].isdigit() for key in recorded):  # a map: by address, slot or nonce
            return shape_differs([*ours.values()], [*recorded.values()], place)
        missing = [f"{place}.{key} is missing" for key in recorded.keys() - ours.keys() - OPTIONAL]
        return missing + [
            found
            for key in recorded.keys() & ours.keys()
            for found in shape_differs(ours[key], recorded[key], f"{place}.{key}")
        ]
    if isinstance(ours, list) and isinstance(recorded, list):
        return shape_differs(ours[0], recorded[0], f"{place}[0]") if ours and recorded else []
    return [] if kind(ours) == kind(recorded) else [f"{place}: {ours!r:.80} and {recorded!r:.80}"]


def test_the_chain_is_imported_to_its_recorded_tip(dispatcher):
    tip = json.loads(VECTORS.files["tests/headfcu.json"])["params"][0]["headBlockHash"]
    assert "0x" + dispatcher.service.backend.engine.tip().hash.hex() == tip


@pytest.mark.parametrize("height", range(1, 55))
def test_a_block_of_any_fork_runs_again_as_it_ran(dispatcher, height):
    """Traces hold what runs against the receipts, and a witness holds the state's root against the header's."""
    for method, *more in (("trace_block",), ("debug_traceBlockByNumber", {"tracer": "callTracer"})):
        told = result_of(dispatcher, method, hex(height), *more)
        assert len(told) >= len(result_of(dispatcher, "eth_getBlockByNumber", hex(height), False)["transactions"])
    assert result_of(dispatcher, "debug_executionWitness", hex(height))["state"]


@pytest.mark.parametrize("height", range(0, 55, 3))
def test_a_call_on_a_block_of_any_fork_sees_its_difficulty_or_its_randomness(dispatcher, height):
    block = result_of(dispatcher, "eth_getBlockByNumber", hex(height), False)
    difficulty_returned = {"code": "0x4460005260206000f3"}
    who = "0x" + "77" * 20
    seen = result_of(dispatcher, "eth_call", {"to": who}, hex(height), {who: difficulty_returned})
    assert int(seen, 16) == (int(block["difficulty"], 16) or int(block["mixHash"], 16))


@pytest.mark.parametrize("height", range(0, 55, 6))
def test_a_block_may_be_simulated_upon_one_of_any_fork(dispatcher, height):
    call = {"to": "0x" + "77" * 20, "input": "0x00"}
    [block] = result_of(dispatcher, "eth_simulateV1", {"blockStateCalls": [{"calls": [call]}]}, hex(height))
    assert (int(block["number"], 16), block["calls"][0]["status"]) == (height + 1, "0x1")


def test_an_uncle_is_found_by_the_place_that_its_block_names(dispatcher):
    block = result_of(dispatcher, "eth_getBlockByNumber", "0x3", False)
    assert result_of(dispatcher, "eth_getUncleCountByBlockNumber", "0x3") == "0x1"
    assert result_of(dispatcher, "eth_getUncleCountByBlockHash", block["hash"]) == "0x1"
    uncle = result_of(dispatcher, "eth_getUncleByBlockNumberAndIndex", "0x3", "0x0")
    assert uncle["hash"] == block["uncles"][0]
    assert int(uncle["number"], 16) < 3
    assert result_of(dispatcher, "eth_getUncleByBlockHashAndIndex", block["hash"], "0x0") == uncle
    assert result_of(dispatcher, "eth_getUncleByBlockNumberAndIndex", "0x3", "0x1") is None


def result_of(dispatcher, method, *params):
    request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    answer = json.loads(asyncio.run(dispatcher.answer(json.dumps(request).encode())))
    assert "result" in answer, answer
    return answer["result"]


def test_all_conversations_are_there():
    assert len(TALKS) == 232


def differs(dispatcher, talk):
    for exchange in talk.exchanges:
        answer = asyncio.run(dispatcher.answer(json.dumps(exchange.request).encode()))
        ours, recorded = json.loads(answer), exchange.response
        if "error" in recorded:
            if ours.get("error", {}).get("code") != recorded["error"]["code"]:
                return f"{str(ours)[:300]} and not {str(recorded['error'])[:200]}"
        elif "result" not in ours:
            return f"{ours['error']} and not a result"
        elif talk.schema_only:
            if wrong := shape_differs(stripped(ours["result"]), recorded["result"]):
                return "; ".join(wrong)
        elif stripped(ours["result"]) != recorded["result"]:
            return "\n".join(shown(stripped(ours["result"]), recorded["result"], "result"))
    return ""


def shown(ours, recorded, place):
    """What differs between two values, for a person."""
    if isinstance(ours, dict) and isinstance(recorded, dict):
        for key in sorted(ours.keys() | recorded.keys()):
            if key not in ours or key not in recorded:
                yield f"{place}.{key}: only {'recorded' if key not in ours else 'ours'}"
            else:
                yield from shown(ours[key], recorded[key], f"{place}.{key}")
    elif isinstance(ours, list) and isinstance(recorded, list) and len(ours) == len(recorded):
        for at, (one, other) in enumerate(zip(ours, recorded, strict=True)):
            yield from shown(one, other, f"{place}[{at}]")
    elif ours != recorded:
        yield f"{place}: {ours!r:.120} and not {recorded!r:.120}"


@pytest.mark.parametrize("name", sorted(TALKS))
def test_a_recorded_conversation_goes_the_same_way(dispatcher, name):
    found = differs(dispatcher, TALKS[name])
    assert not found, found
