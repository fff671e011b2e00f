"""A wallet that trusts no node: a balance and a receipt from a proof file, Bitcoin's headers and any RPC.

python examples/light_wallet.py newest.proof genesis.json http://127.0.0.1:8545 0xADDRESS 0xTRANSACTION
"""

import asyncio
import sys
import time
from pathlib import Path

from bedroll.execution.genesis import Genesis
from bedroll.light import SettlementVerifier, Unproved, view_of_proof
from bedroll.node.proof_verifier import Sp1Verifier
from bedroll.primitives import Address, Hash32
from bedroll.sdk import RpcClient
from bedroll.sdk.light_client import LightClient


async def main(
    proof: Path, genesis: Genesis, verifier: SettlementVerifier, url: str, address: bytes, transaction: bytes
) -> None:
    """Check the proof, then ask the node; nothing is printed that does not follow from the proof."""
    view = view_of_proof(proof.read_bytes(), genesis, verifier, now_seconds=int(time.time()))
    print(
        f"Bitcoin block {view.statement.l1_height} settles block {view.block.number}; {view.depth} blocks lie upon it"
    )
    async with RpcClient(url, answer_bytes_max=64 << 20) as node:
        wallet = LightClient(view, node)
        account = await wallet.account(Address(address))
        print(f"0x{address.hex()} has {account.balance} wei and sent {account.nonce} transactions")
        try:
            receipt = await wallet.receipt(Hash32(transaction))
        except Unproved as error:
            print(f"no receipt: {error}")
            return
    if receipt is None:
        print("the node does not know the transaction")
        return
    outcome = "succeeded" if receipt.succeeded else "was reverted"
    print(f"0x{transaction.hex()} {outcome} in block {receipt.block.number}, with {len(receipt.logs)} logs")


if __name__ == "__main__":
    file, genesis_file, url, *names = sys.argv[1:6]
    chain = Genesis.from_json(Path(genesis_file).read_bytes())
    who, what = (bytes.fromhex(name.removeprefix("0x")) for name in names)
    asyncio.run(main(Path(file), chain, Sp1Verifier.of_network(chain.network), url, who, what))
