"""The Bitcoin node that the options name, and the first thing people see when it is not there.

Reads: options, cookie files.  Gives: `open_bitcoin`, `check_bitcoin`.
Never: goes on with a node of another network.  Spec: docs/spec/cli.md#bitcoin
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from bedroll.bitcoin.client import BitcoinClient
from bedroll.bitcoin.embedded import EmbeddedClient
from bedroll.bitcoin.rpc import Access, RpcClient
from bedroll.bitcoin.server import RpcServer
from bedroll.config import BitcoinConfig, Config
from bedroll.primitives import Misconfigured, Unavailable
from bedroll.protocol import network_named

_USUAL: Final = {
    "main": (8332, ".bitcoin/.cookie"),
    "testnet4": (48332, ".bitcoin/testnet4/.cookie"),
    "regtest": (18443, ".bitcoin/regtest/.cookie"),
}
"""Port and cookie file of a bitcoind with default options, by network."""
HELP: Final = (
    "start bitcoind, or say where it is (bitcoin.url, bitcoin.cookie); `bedroll devnet` brings its own Bitcoin"
)


@asynccontextmanager
async def open_bitcoin(config: Config, *, serve: bool = False) -> AsyncIterator[BitcoinClient]:
    """Connect to the Bitcoin node of the options, or open the embedded chain in the folder.

    Args:
        config: The options.
        serve: Let other processes follow an embedded chain, by the cookie `bitcoin.cookie` in the folder.

    Raises:
        Unavailable: It does not answer; the message says what to do.
        Misconfigured: It is on another network, or an option is wrong.
    """
    client = await _open(config)
    try:
        if serve and isinstance(client, EmbeddedClient):
            server = RpcServer(client, config.folder / "bitcoin.cookie")
            await server.start(port=config.bitcoin.serve_port)
            try:
                yield client
            finally:
                await server.stop()
        else:
            yield client
    finally:
        await client.close()


async def _open(config: Config) -> BitcoinClient:
    network = network_named(config.network)
    if config.bitcoin.source == "embedded":
        if network.bitcoin != "regtest":
            text = "the embedded Bitcoin is a regtest chain"
            raise Misconfigured(text, option="bitcoin.source", value="embedded", allowed="rpc, or network = regtest")
        return await EmbeddedClient.open(config.folder / "bitcoin")
    access = access_of(config.bitcoin, network.bitcoin)
    try:
        return await RpcClient.open(
            access, network.bitcoin, zmq_address=config.bitcoin.zmq, call_seconds=config.bitcoin.timeout_seconds
        )
    except Unavailable as error:
        raise Unavailable(f"no Bitcoin at {access.url}: {error.message}", **error.fields, help=HELP) from error


def access_of(config: BitcoinConfig, network: str) -> Access:
    """Where bitcoind listens and how it knows us, with bitcoind's own defaults."""
    port, cookie = _USUAL[network]
    return Access(
        url=config.url or f"http://127.0.0.1:{port}",
        cookie=config.cookie or (None if config.user else Path.home() / cookie),
        user=config.user,
        password=config.password,
    )


async def check_bitcoin(config: Config) -> str:
    """Say what Bitcoin node there is.

    Raises:
        Unavailable: There is none.
        Misconfigured: It is the wrong one.
    """
    if config.bitcoin.source == "embedded":
        return "embedded chain, opened by the service that owns the folder"
    async with open_bitcoin(config) as client:
        tip = await client.tip()
        return f"{network_named(config.network).bitcoin} at height {tip.height}"
