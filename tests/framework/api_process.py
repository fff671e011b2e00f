"""A server over a chain of its own, as a process: `python -m tests.framework.api_process FOLDER` prints its address.

A block with a transaction and its event comes every 0.1 s. Limits are the default ones, budgets too.
"""

import asyncio
import json
import resource
import sys
from pathlib import Path

import uvloop

from bedroll.api import Limits, Server, ServerOptions, Service
from bedroll.execution.genesis import artifact
from bedroll.primitives import Gas, Wei
from tests.framework.seal_chain import SealChain

BLOCK_SECONDS = 0.1
LOOP_CODE = bytes.fromhex("625b5f565f526003601df3")
"""Makes a contract that loops until its gas is gone."""


def sign(chain: SealChain, nonce: int, to: bytes | None, data: bytes) -> bytes:
    """A transaction of the first account."""
    return chain.accounts[0].sign_transaction(
        chain_id=chain.network.chain_id,
        nonce=nonce,
        gas_limit=Gas(1_000_000),
        max_fee_per_gas=Wei(10**10),
        max_priority_fee_per_gas=Wei(1),
        to=to,  # type: ignore[arg-type]
        value=Wei(0),
        data=data,
    )


async def serve(folder: Path) -> None:
    """Serve until the process is killed."""
    chain = SealChain.open(folder / "chain")
    chain.seal(
        sign(chain, 0, None, bytes.fromhex(artifact("demo_token")["creation"][2:]) + (10**24).to_bytes(32, "big"))
    )
    chain.seal(sign(chain, 1, None, LOOP_CODE))
    token, loop = (chain.engine.block(height).receipts[0].contract for height in (2, 3))  # type: ignore[union-attr]
    server = Server(Service(chain, Limits()), ServerOptions(port=0, host="127.0.0.1"))
    await server.start()
    facts = {"url": server.url, "token": "0x" + token.hex(), "loop": "0x" + loop.hex()}
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()
    transfer = bytes.fromhex("a9059cbb") + bytes(12) + chain.accounts[1].address + (1).to_bytes(32, "big")
    nonce = 2
    while True:
        await asyncio.sleep(BLOCK_SECONDS)
        await chain.send_transaction(sign(chain, nonce, token, transfer))
        nonce += 1


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    uvloop.run(serve(Path(sys.argv[1])))
