"""A devnet whose own loop runs while a test talks to it as wallets do."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bedroll.api import Server, ServerOptions, Service
from bedroll.bitcoin.embedded import EmbeddedClient
from bedroll.node.devnet import Devnet, DevnetOption, open_devnet
from bedroll.primitives import Address, Gas, Wei
from bedroll.sdk import RpcClient
from bedroll.sequencer.service import SequencerOption

MANUAL = SequencerOption(manual=True, stream_port=None)
"""Blocks are made when the test asks for one."""


@asynccontextmanager
async def running_devnet(folder: Path, sequencer: SequencerOption = MANUAL) -> AsyncIterator[Devnet]:
    """Three funded accounts on a chain of their own, until the block ends; nothing is mined by itself."""
    client = await EmbeddedClient.open(folder / "bitcoin")
    option = DevnetOption(accounts=3, mine_seconds=0.0, sync=False, sequencer=sequencer)
    async with open_devnet(folder, option, client=client) as devnet:
        running = asyncio.create_task(devnet.run())
        async with asyncio.timeout(20):
            while devnet.node.condition != "running":
                await asyncio.sleep(0.01)
        yield devnet
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    await client.close()


@asynccontextmanager
async def rpc_of(devnet: Devnet) -> AsyncIterator[RpcClient]:
    """A client of a server of this devnet."""
    server = Server(Service(devnet.node), ServerOptions(port=0, devnet=True))
    await server.start()
    async with RpcClient(server.url) as client:
        yield client
    await server.stop()


def signed(devnet: Devnet, nonce: int, value: int = 1, *, sender: int = 0) -> str:
    """A transfer by one of the accounts, as `eth_sendRawTransaction` takes it."""
    raw = devnet.accounts[sender].sign_transaction(
        chain_id=devnet.node.network.chain_id, nonce=nonce, gas_limit=Gas(21_000), max_fee_per_gas=Wei(10**12),
        max_priority_fee_per_gas=Wei(1), to=Address(b"\x99" * 20), value=Wei(value),
    )  # fmt: skip
    return "0x" + raw.hex()
