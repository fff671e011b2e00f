"""Fair shares: clients take turns at the engine, and nobody has all places of anything."""

import asyncio
import threading

import pytest

from bedroll.api import Limits, RpcError
from bedroll.api.filter import Filters
from bedroll.api.share import CLIENT, Shares, Turns, network_of
from bedroll.api.worker import Worker


async def settle():
    for _ in range(5):
        await asyncio.sleep(0)


class Crowd:
    """Clients that enter and stay until they are told to leave."""

    def __init__(self, turns):
        self.turns = turns
        self.inside = []
        self.tasks = []

    def enter(self, client):
        async def go():
            await self.turns.enter(client)
            self.inside.append(client)

        self.tasks.append(asyncio.create_task(go()))

    def leave(self, client):
        self.turns.leave(client)


async def test_one_place_is_left_for_others():
    crowd = Crowd(Turns(3, 100, 100))
    for _ in range(10):
        crowd.enter("greedy")
    await settle()
    assert crowd.inside == ["greedy", "greedy"]
    crowd.enter("modest")
    await settle()
    assert crowd.inside[-1] == "modest"
    for task in crowd.tasks:
        task.cancel()


async def test_who_waits_takes_turns_however_much_others_have_waiting():
    crowd = Crowd(Turns(2, 100, 100))
    for _ in range(2):
        crowd.enter("a")
    crowd.enter("b")
    for _ in range(8):
        crowd.enter("a")
    crowd.enter("c")
    crowd.enter("b")
    await settle()
    assert crowd.inside == ["a", "b"]
    order = []
    for _ in range(4):
        leaving = crowd.inside.pop(0)
        crowd.leave(leaving)
        await settle()
        order.append(crowd.inside[-1])
    assert sorted(order) == ["a", "a", "b", "c"]
    for task in crowd.tasks:
        task.cancel()


async def test_more_than_may_wait_are_refused_of_one_client_and_of_all():
    crowd = Crowd(Turns(1, 3, 2))
    crowd.enter("x")
    for _ in range(2):
        crowd.enter("a")
    await settle()
    with pytest.raises(RpcError, match="at most 2 of one client"):
        await crowd.turns.enter("a")
    crowd.enter("b")
    await settle()
    with pytest.raises(RpcError, match="at most 3 on this server"):
        await crowd.turns.enter("c")
    for task in crowd.tasks:
        task.cancel()


async def test_who_gives_up_waiting_keeps_nobody_s_place():
    crowd = Crowd(Turns(1, 10, 10))
    for client in ("a", "b", "c"):
        crowd.enter(client)
    await settle()
    crowd.tasks[1].cancel()
    await settle()
    crowd.leave("a")
    await settle()
    assert crowd.inside == ["a", "c"]
    crowd.leave("c")
    await crowd.turns.enter("d")


async def test_a_turn_that_comes_with_the_end_of_its_waiter_goes_on_to_the_next():
    crowd = Crowd(Turns(1, 10, 10))
    for client in ("a", "b", "c"):
        crowd.enter(client)
    await settle()
    crowd.leave("a")
    crowd.tasks[1].cancel()
    await settle()
    assert crowd.inside == ["a", "c"]


async def test_a_call_that_nobody_waits_for_keeps_its_thread_s_turn_until_it_ends():
    worker = Worker(Limits(heavy_running=1, heavy_waiting=10))
    begun, end = threading.Event(), threading.Event()

    def block():
        begun.set()
        end.wait(10)

    first = asyncio.create_task(worker.run(block))
    await asyncio.to_thread(begun.wait, 10)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    second = asyncio.create_task(worker.run(lambda: "ran"))
    await settle()
    assert not second.done()
    end.set()
    assert await asyncio.wait_for(second, 10) == "ran"
    worker.close()


async def test_a_client_s_hour_of_work_does_not_keep_another_waiting():
    worker = Worker(Limits(heavy_running=2, heavy_waiting=100))
    end = threading.Event()
    CLIENT.set("greedy")
    waiting = [asyncio.create_task(worker.run(end.wait, 10)) for _ in range(20)]
    await settle()
    CLIENT.set("modest")
    assert await asyncio.wait_for(worker.run(lambda: "ran"), 10) == "ran"
    end.set()
    await asyncio.gather(*waiting)
    worker.close()


def test_filters_of_one_client_leave_room_for_others():
    filters = Filters(Limits(filters=10, filters_each=4))
    CLIENT.set("greedy")
    names = [filters.add("newHeads") for _ in range(4)]
    with pytest.raises(RpcError, match="at most 4 of one client"):
        filters.add("newHeads")
    CLIENT.set("modest")
    filters.add("newHeads")
    CLIENT.set("greedy")
    assert filters.remove(names[0])
    filters.add("newHeads")
    assert len(filters) == 5
    filters.clear()
    for _ in range(4):
        filters.add("newHeads")


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("::1", "::1"),
        ("", ""),
        ("no address", "no address"),
    ],
)
def test_all_addresses_of_one_network_are_one_client(address, network):
    assert network_of(address) == network


def test_a_place_given_back_can_be_taken_again():
    shares = Shares("things", 2, 1)
    shares.take("a")
    shares.take("b")
    with pytest.raises(RpcError, match="too many things, at most 2"):
        shares.take("c")
    shares.give_back("a")
    shares.take("c")
    assert len(shares) == 2
