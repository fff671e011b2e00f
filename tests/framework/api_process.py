"""A sequencer behind its API, as a process: `python -m tests.framework.api_process FOLDER` prints where it is.

A block comes every 0.2 s, with transfers of a token in it. Limits and budgets are those of a public node.
"""

import asyncio
import json
import sys
from pathlib import Path

import uvloop

from bedroll.api import Limits, Server, ServerOptions, Service
from bedroll.cli.serve import allow_files
from bedroll.execution.genesis import artifact
from bedroll.node.devnet import Devnet, DevnetOption, open_devnet
from bedroll.primitives import Address, Gas, Wei
from bedroll.sequencer.service import SequencerOption

BLOCK_SECONDS = 0.2
LOOP_CODE = bytes.fromhex("625b5f565f526003601df3")
"""Makes a contract that loops until its gas is gone."""
_HASH_ONCE = bytes.fromhex("620200005f2050")
_CALL_ITSELF = bytes.fromhex("5f5f60015f305afa50")
HASH_CODE = b"\x36\x61" + (5 + 48 * 9).to_bytes(2, "big") + b"\x57" + 48 * _CALL_ITSELF + b"\x00"
HASH_CODE = HASH_CODE[:2] + (len(HASH_CODE)).to_bytes(2, "big") + HASH_CODE[4:] + b"\x5b" + 38 * _HASH_ONCE + b"\x00"
"""Calls itself 48 times, and called with data hashes 128 KiB 38 times: few instructions, all the gas of a call."""


class Sender:
    """The first account."""

    def __init__(self, devnet: Devnet) -> None:
        self._devnet = devnet
        self._nonce = 0

    async def send(self, to: Address | None, data: bytes) -> bytes:
        """Hand in a transaction; its hash."""
        raw = self._devnet.accounts[0].sign_transaction(
            chain_id=self._devnet.node.network.chain_id,
            nonce=self._nonce,
            gas_limit=Gas(2_000_000),
            max_fee_per_gas=Wei(10**11),
            max_priority_fee_per_gas=Wei(1),
            to=to,
            value=Wei(0),
            data=data,
        )
        self._nonce += 1
        return await self._devnet.node.send_transaction(raw)

    async def deploy(self, creation: bytes) -> Address:
        """Make a contract."""
        sent = await self.send(None, creation)
        engine = self._devnet.node.engine
        while (place := engine.find_transaction(sent)) is None:
            await asyncio.sleep(0.05)
        found = engine.transaction(*place)
        assert found is not None
        assert found[1].contract is not None
        return Address(found[1].contract)


async def serve(folder: Path) -> None:
    """Serve until the process is killed."""
    option = DevnetOption(accounts=4, sequencer=SequencerOption(block_time_seconds=BLOCK_SECONDS, stream_port=None))
    limits = Limits(trace_scripts=True)
    allow_files(limits.connections + 512)
    async with open_devnet(folder, option) as devnet:
        running = asyncio.create_task(devnet.run())
        server = Server(Service(devnet.node, limits), ServerOptions(port=0))
        await server.start()
        sender = Sender(devnet)
        supply = (10**24).to_bytes(32, "big")
        token = await sender.deploy(bytes.fromhex(artifact("demo_token")["creation"][2:]) + supply)
        loop = await sender.deploy(LOOP_CODE)
        size = len(HASH_CODE).to_bytes(2, "big").hex()
        hashing = await sender.deploy(bytes.fromhex(f"61{size}600e60003961{size}6000f3") + HASH_CODE)
        contracts = {"token": token, "loop": loop, "hash": hashing}
        facts = {"url": server.url} | {name: "0x" + address.hex() for name, address in contracts.items()}
        sys.stdout.write(json.dumps(facts) + "\n")
        sys.stdout.flush()
        transfer = bytes.fromhex("a9059cbb") + bytes(12) + devnet.accounts[1].address + (1).to_bytes(32, "big")
        while not running.done():
            await sender.send(token, transfer)
            await asyncio.sleep(BLOCK_SECONDS / 4)


if __name__ == "__main__":
    uvloop.run(serve(Path(sys.argv[1])))
