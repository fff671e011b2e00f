"""The inbox: each body is answered once, in place, whatever goes wrong with it; faults of the node are counted."""

import asyncio
import json

import pytest

from bedroll.api import Limits
from bedroll.api.dispatch import Dispatcher
from bedroll.api.guard import make_guard
from bedroll.api.inbox import Inbox
from bedroll.api.key import ApiKeys

CHAIN_ID = json.dumps({"jsonrpc": "2.0", "id": 7, "method": "eth_chainId", "params": []}).encode()
NOTE = json.dumps({"jsonrpc": "2.0", "method": "eth_chainId", "params": []}).encode()
INTERNAL = {"code": -32603, "message": "internal error"}


class Client:
    """A connection that keeps what it is told."""

    intercept = None

    def __init__(self, client=""):
        self.client = client
        self.told = []
        self.is_told = asyncio.Event()

    def answered(self, answer, by_core=False):
        self.told.append(json.loads(answer) if answer else None)
        self.is_told.set()


class Core:
    """Answers bodies that it knows, and fails where it is told to."""

    def __init__(self, known):
        self.known = known
        self.turns = []

    def answer(self, bodies):
        self.turns.append(len(bodies))
        return [self.known.get(body) for body in bodies]


@pytest.fixture
def dispatcher(service):
    return Dispatcher(service)


@pytest.fixture
def inbox(dispatcher, service):
    """Made in the test's loop."""

    async def make(fast=None):
        return Inbox(dispatcher, service.guard, fast)

    return make


async def told(*clients):
    async with asyncio.timeout(5):
        await asyncio.gather(*(client.is_told.wait() for client in clients))


def faults(dispatcher, place):
    return dispatcher.registry.get_sample_value("bedroll_api_faults_total", {"place": place})


async def test_bodies_of_one_turn_go_to_the_core_together_and_the_rest_to_the_dispatcher(inbox):
    core = Core({b"known": (b'{"of":"core"}', {"eth_chainId": 1}, {})})
    box = await inbox(core)
    clients = [Client(), Client(), Client()]
    for client, body in zip(clients, (b"known", CHAIN_ID, NOTE), strict=True):
        box.put(client, body)
    await told(*clients)
    assert core.turns == [3]
    assert clients[0].told == [{"of": "core"}]
    assert clients[1].told[0]["id"] == 7
    assert clients[2].told == [None]


async def test_a_lone_body_is_answered_before_put_returns(inbox):
    box, client = await inbox(Core({b"known": (b"1", {"eth_chainId": 1}, {})})), Client()
    box.put(client, b"known", is_alone=True)
    assert client.told == [1]


async def test_what_the_core_answered_is_counted_when_it_is_settled(inbox, dispatcher):
    box, client = await inbox(Core({b"known": (b"1", {"eth_chainId": 2}, {"eth_call": 1})})), Client()
    box.put(client, b"known", is_alone=True)
    box.settle()
    counted = [
        dispatcher.registry.get_sample_value("bedroll_api_calls_total", {"method": method, "result": result})
        for method, result in (("eth_chainId", "answered"), ("eth_call", "refused"))
    ]
    assert counted == [2, 1]


async def test_a_fault_in_one_call_is_answered_in_its_place_and_counted(inbox, dispatcher, monkeypatch, caplog):
    def fail(*_):
        raise RuntimeError("the secret reason")

    monkeypatch.setattr(type(dispatcher.service.backend), "heads", fail)
    box, client = await inbox(), Client()
    calls = [
        json.loads(CHAIN_ID) | {"id": place, "method": name}
        for place, name in enumerate(("eth_blockNumber", "eth_chainId"))
    ]
    box.put(client, json.dumps(calls).encode())
    await told(client)
    first, second = client.told[0]
    assert (first["error"], first["id"]) == (INTERNAL, 0)
    assert "result" in second
    assert (faults(dispatcher, "call"), faults(dispatcher, "body")) == (1, None)
    assert "the secret reason" in caplog.text


async def test_a_fault_of_the_dispatcher_itself_is_answered_and_counted_and_others_go_on(
    inbox, dispatcher, monkeypatch
):
    run = dispatcher.answer

    async def fail_once(raw, intercept=None, client=""):
        if raw == b"bad":
            raise RuntimeError("no call's fault")
        return await run(raw, intercept, client)

    monkeypatch.setattr(dispatcher, "answer", fail_once)
    box, bad, good = await inbox(), Client(), Client()
    box.put(bad, b"bad")
    box.put(good, CHAIN_ID)
    await told(bad, good)
    assert bad.told == [{"jsonrpc": "2.0", "id": None, "error": INTERNAL}]
    assert good.told[0]["result"]
    assert faults(dispatcher, "body") == 1


async def test_who_is_forgotten_is_not_answered(inbox, dispatcher, monkeypatch):
    begun, ended = asyncio.Event(), asyncio.Event()

    async def wait_for_ever(raw, intercept=None, client=""):
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    monkeypatch.setattr(dispatcher, "answer", wait_for_ever)
    box, running, waiting = await inbox(), Client(), Client()
    box.put(running, CHAIN_ID)
    async with asyncio.timeout(5):
        await begun.wait()
    box.put(waiting, CHAIN_ID)
    box.forget(waiting)
    box.forget(running)
    async with asyncio.timeout(5):
        await ended.wait()
    await asyncio.sleep(0)
    assert running.told == waiting.told == []


async def test_who_owes_too_much_is_refused_before_his_body_is_read(dispatcher, tmp_path):
    guard = make_guard(Limits(budget_units=1_000, budget_burst_seconds=1.0), ApiKeys(tmp_path / "none"))
    box = Inbox(dispatcher, guard)
    guard.spend("10.0.0.1", 60.0)
    client, other = Client("10.0.0.1"), Client("10.0.0.2")
    box.put(client, b"\xff no JSON")
    box.put(other, CHAIN_ID)
    await told(client, other)
    assert client.told[0]["error"]["code"] == -32005
    assert "result" in other.told[0]
