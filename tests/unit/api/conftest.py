"""A server over a chain of its own, and a client for it."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import aiohttp
import pytest
import uvloop

from bedroll.api import Limits, Server, ServerOptions, Service
from bedroll.execution.genesis import artifact
from bedroll.sdk import RpcClient
from tests.framework.seal_chain import SealChain

LIMITS = Limits(batch_calls=50, body_bytes=200_000, log_results=20, log_range_blocks=100, subscriptions=8)


def pytest_asyncio_loop_factories(item):
    """The loop that the server runs on; what HTTP is tested with runs on the other one too."""
    loops = {"uvloop": uvloop.new_event_loop}
    return loops | {"asyncio": asyncio.new_event_loop} if item.path.name == "test_http.py" else loops


@pytest.fixture
def chain(tmp_path) -> Iterator[SealChain]:
    made = SealChain.open(tmp_path / "chain")
    yield made
    made.engine.close()


@pytest.fixture
def service(chain) -> Iterator[Service]:
    made = Service(chain, LIMITS, {account.address: account for account in chain.accounts})
    yield made
    made.worker.close()


@pytest.fixture
async def server(service) -> AsyncIterator[Server]:
    made = Server(service, ServerOptions(port=0, devnet=True))
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
async def rpc(server) -> AsyncIterator[RpcClient]:
    async with RpcClient(server.url) as client:
        yield client


@dataclass
class Socket:
    """A WebSocket client: calls and notifications apart."""

    connection: aiohttp.ClientWebSocketResponse
    told: asyncio.Queue

    async def call(self, method, *params):
        await self.connection.send_json({"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)})
        while True:
            message = await asyncio.wait_for(self.connection.receive_json(), 10)
            if "id" in message:
                return message
            self.told.put_nowait(message["params"])

    async def next(self):
        """The next notification."""
        if self.told.empty():
            message = await asyncio.wait_for(self.connection.receive_json(), 10)
            return message["params"]
        return self.told.get_nowait()


@pytest.fixture
async def socket(server) -> AsyncIterator[Socket]:
    async with aiohttp.ClientSession() as session, session.ws_connect(server.url) as connection:
        yield Socket(connection, asyncio.Queue())


@pytest.fixture(scope="session")
def token():
    """The demo token's artifact."""
    return artifact("demo_token")
