"""Budgets and keys: who is heard, who is told to come again and when, and who may call what."""

import hashlib
import json
import logging

import pytest

from bedroll.api import Dispatcher, Limits, Service, method_table
from bedroll.api.budget import Budget
from bedroll.api.cost import COSTS
from bedroll.api.guard import make_guard
from bedroll.api.key import ApiKeys, hash_key, make_key, read_keys, write_keys
from bedroll.primitives import Misconfigured


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def make_service(chain, tmp_path, *, units=0, keyed=()):
    key = make_key()
    write_keys(tmp_path / "api_keys", {"ops": hash_key(key)})
    limits = Limits(budget_units=units, budget_burst_seconds=2.0)
    return Service(chain, limits, keys=ApiKeys(tmp_path / "api_keys"), keyed=keyed), key


async def ask(dispatcher, client, method, *params):
    body = json.dumps({"jsonrpc": "2.0", "id": 7, "method": method, "params": params})
    answer = json.loads(await dispatcher.answer(body.encode(), client=client))
    assert answer["id"] == 7
    return answer.get("error", answer.get("result"))


# --- budgets ----------------------------------------------------------------------------------------


def test_units_come_back_with_time_and_no_more_than_the_burst_is_saved(clock):
    budget = Budget(100, 2.0, clock=clock)
    assert budget.take("a", 200) == 0
    assert budget.take("a", 50) == pytest.approx(0.5)
    clock.now += 0.25
    assert budget.take("a", 50) == pytest.approx(0.25)
    clock.now += 0.25
    assert budget.take("a", 50) == 0
    clock.now += 1_000
    assert budget.take("a", 200) == 0
    assert budget.take("a", 1) > 0


def test_one_client_s_units_are_not_another_s(clock):
    budget = Budget(100, 2.0, clock=clock)
    assert budget.take("a", 200) == budget.take("b", 200) == 0


def test_what_costs_more_than_can_be_saved_is_let_through_once_and_owed(clock):
    budget = Budget(100, 2.0, clock=clock)
    assert budget.take("a", 1_000) == 0
    assert budget.take("a", 1) == pytest.approx(2.01)
    clock.now += 2.01
    assert budget.take("a", 1) == 0


def test_nobody_waits_longer_than_burst_and_debt_last(clock):
    budget = Budget(100, 2.0, clock=clock)
    budget.charge("a", 10**9)
    assert budget.take("a", 10**9) == pytest.approx(4.0)
    assert budget.wait("a") == pytest.approx(2.0)
    clock.now += 0.5
    assert budget.wait("a") == pytest.approx(1.5)
    assert budget.wait("a") == 0.0
    assert budget.wait("b") == 0.0


def test_no_rate_is_no_limit_and_calls_are_counted_all_the_same(clock):
    budget = Budget(0, 2.0, clock=clock)
    budget.charge("a", 10**9)
    assert [budget.take("a", 10**9) for _ in range(3)] == [0.0] * 3
    assert budget.wait("a") == 0.0
    assert budget.accounts()["a"].calls == 3


def test_the_longest_unseen_client_is_forgotten(clock):
    budget = Budget(100, 2.0, clock=clock, most=2)
    for client in ("a", "b", "a", "c"):
        budget.take(client, 150)
    assert list(budget.accounts()) == ["a", "c"]


def test_every_priced_method_is_served_and_costs_something():
    served = {*method_table(devnet=True).methods, "rpc.discover"}
    coming = {"debug_executionWitness"}
    assert set(COSTS) - served <= coming
    assert all(1 < cost <= 1_000 for cost in COSTS.values())


async def test_a_refusal_says_the_limit_and_when_to_come_again(chain, tmp_path):
    service, _ = make_service(chain, tmp_path, units=10)
    dispatcher = Dispatcher(service)
    calls = [await ask(dispatcher, "1.2.3.4", "eth_chainId") for _ in range(25)]
    refused = [answer for answer in calls if not isinstance(answer, str)]
    assert 3 <= len(refused) <= 5
    assert refused[0]["code"] == -32005
    assert refused[0]["message"].startswith(
        "budget exceeded: 1.2.3.4 has 10 units a second; eth_chainId, which costs 1"
    )
    assert 0 < refused[0]["data"]["retryAfterSeconds"] <= 0.1
    assert await ask(dispatcher, "1.2.3.5", "eth_chainId") == hex(chain.network.chain_id)
    service.worker.close()


async def test_time_on_a_thread_is_paid_afterwards(chain, tmp_path):
    service, _ = make_service(chain, tmp_path, units=1_000)
    dispatcher = Dispatcher(service)
    loop = {"0x" + "42" * 20: {"code": "0x5b5f56"}}
    await ask(dispatcher, "1.2.3.4", "eth_call", {"to": "0x" + "42" * 20, "gas": hex(50_000_000)}, "latest", loop)
    assert service.guard.budget.accounts()["1.2.3.4"].units < 2_000 - 500
    service.worker.close()


async def test_each_call_of_a_batch_pays(chain, tmp_path):
    service, _ = make_service(chain, tmp_path, units=10)
    dispatcher = Dispatcher(service)
    for method, params in (("eth_chainId", []), ("eth_sendRawTransaction", ["0x"])):
        call = {"jsonrpc": "2.0", "method": method, "params": params}
        body = json.dumps([call | {"id": number} for number in range(30)]).encode()
        answers = json.loads(await dispatcher.answer(body, client=method))
        over = [one for one in answers if one.get("error", {}).get("code") == -32005]
        assert [one["id"] for one in answers] == list(range(30))
        assert 9 <= len(over) <= 10, method
    service.worker.close()


def test_who_owes_all_that_can_be_owed_is_not_read_at_all():
    guard = make_guard(Limits(budget_units=100, budget_burst_seconds=1.0), ApiKeys())
    assert guard.refuse("1.2.3.4", 10) is None
    guard.charge("1.2.3.4", {"trace_filter": 10})
    error = guard.refuse("1.2.3.4", 10)
    assert error.code == -32005
    assert "this body can run in" in error.message
    assert guard.refuse("1.2.3.5", 10) is None


# --- keys -------------------------------------------------------------------------------------------


async def test_an_admin_method_needs_a_key(chain, tmp_path):
    service, key = make_service(chain, tmp_path)
    dispatcher = Dispatcher(service)
    for client in ("1.2.3.4", "1.2.3.4 Basic dXNlcjpwYXNz"):
        refused = await ask(dispatcher, client, "admin_clients")
        assert (refused["code"], "needs an API key" in refused["message"]) == (4100, True)
    for shown in (f"Bearer {key}", f"bearer {key}", key):
        rows = await ask(dispatcher, f"1.2.3.4 {shown}", "admin_clients")
        assert rows[0]["client"] == "key ops"
    service.worker.close()


async def test_a_wrong_key_is_refused_whatever_is_asked(chain, tmp_path):
    service, key = make_service(chain, tmp_path)
    dispatcher = Dispatcher(service)
    for shown in (f"Bearer {key}x", f"Bearer {key[:-1]}", "Bearer ", "Bearer " + "x" * 10_000):
        refused = await ask(dispatcher, f"1.2.3.4 {shown}", "eth_chainId")
        assert refused == {"code": 4100, "message": "this API key is not known here"}
    service.worker.close()


async def test_a_node_without_keys_says_how_to_make_one_and_minds_no_header(chain):
    service = Service(chain)
    dispatcher = Dispatcher(service)
    refused = await ask(dispatcher, "1.2.3.4", "admin_clients")
    assert "`bedroll key new` makes one" in refused["message"]
    assert await ask(dispatcher, "1.2.3.4 Bearer whatever", "eth_chainId") == hex(chain.network.chain_id)
    service.worker.close()


async def test_the_operator_can_put_any_method_behind_a_key_and_holders_have_no_budget(chain, tmp_path):
    service, key = make_service(chain, tmp_path, units=10, keyed=("debug_", "eth_chainId"))
    dispatcher = Dispatcher(service)
    assert (await ask(dispatcher, "a", "debug_getRawHeader", "0x1"))["code"] == 4100
    assert (await ask(dispatcher, "a", "eth_chainId"))["code"] == 4100
    assert await ask(dispatcher, "a", "eth_blockNumber") == "0x1"
    for _ in range(50):
        assert isinstance(await ask(dispatcher, f"a {key}", "debug_getRawHeader", "0x1"), str)
    service.worker.close()


def test_calls_may_be_run_without_asking_only_where_no_common_method_needs_a_key(tmp_path):
    key = make_key()
    write_keys(tmp_path / "api_keys", {"ops": hash_key(key)})
    keys = ApiKeys(tmp_path / "api_keys")
    open_guard, closed_guard = make_guard(Limits(), keys), make_guard(Limits(), keys, ("eth_call",))
    assert open_guard.is_direct("a")
    assert not closed_guard.is_direct("a")
    for guard in (open_guard, closed_guard):
        assert guard.is_direct(f"a {key}")
        assert not guard.is_direct("a Bearer wrong")


async def test_the_log_level_changes_while_the_node_runs(chain, tmp_path):
    service, key = make_service(chain, tmp_path)
    dispatcher = Dispatcher(service)
    logger = logging.getLogger("bedroll")
    before = logger.level
    try:
        logger.setLevel(logging.INFO)
        assert await ask(dispatcher, f"a {key}", "admin_setLogLevel", "debug") == "info"
        assert logger.level == logging.DEBUG
        assert (await ask(dispatcher, f"a {key}", "admin_setLogLevel", "loud"))["code"] == -32602
    finally:
        logger.setLevel(before)
    service.worker.close()


def test_the_file_holds_hashes_alone_and_only_its_owner_reads_it(tmp_path):
    path, key = tmp_path / "folder" / "api_keys", make_key()
    write_keys(path, {"ops": hash_key(key)})
    assert key not in path.read_text()
    assert read_keys(path) == {"ops": hashlib.sha256(key.encode()).hexdigest()}
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_changed_file_counts_at_once_and_a_broken_one_does_not(tmp_path, caplog):
    path, first, second = tmp_path / "api_keys", make_key(), make_key()
    keys = ApiKeys(path)
    assert (bool(keys), keys.name_of(first)) == (False, None)
    write_keys(path, {"one": hash_key(first)})
    assert keys.name_of(first) == "one"
    write_keys(path, {"one": hash_key(first), "two": hash_key(second)})
    assert keys.name_of(second) == "two"
    path.write_text("two words and more\n")
    assert keys.name_of(second) == "two"
    assert "stay as they were" in caplog.text
    path.unlink()
    assert keys.name_of(second) is None


@pytest.mark.parametrize("text", ["name\n", f"name {'g' * 64}\n", f"a {'0' * 64}\na {'1' * 64}\n", "ä " + "0" * 64])
def test_a_broken_file_is_refused_at_start(tmp_path, text):
    (tmp_path / "api_keys").write_text(text)
    with pytest.raises(Misconfigured, match="no new name"):
        ApiKeys(tmp_path / "api_keys")


def test_keys_differ_and_are_long():
    keys = {make_key() for _ in range(100)}
    assert len(keys) == 100
    assert all(key.startswith("bedroll_") and len(key) == 51 for key in keys)
