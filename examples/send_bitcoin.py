"""Send bitcoin on the chain with nothing but this project's SDK.

python examples/send_bitcoin.py http://127.0.0.1:8545 0xKEY 0xTO WEI
"""

import asyncio
import sys

from bedroll.primitives import Address, Gas, Wei
from bedroll.sdk import Account, RpcClient


async def main(url: str, key: str, to: str, amount: str) -> None:
    """Fill in, sign, send, and wait for the receipt."""
    account = Account(bytes.fromhex(key.removeprefix("0x")))
    sender = "0x" + account.address.hex()
    async with RpcClient(url) as client:
        chain_id, nonce, tip, block = await client.batch(
            [
                ("eth_chainId", ()),
                ("eth_getTransactionCount", (sender, "pending")),
                ("eth_maxPriorityFeePerGas", ()),
                ("eth_getBlockByNumber", ("latest", False)),
            ]
        )
        raw = account.sign_transaction(
            chain_id=int(chain_id, 16),
            nonce=int(nonce, 16),
            gas_limit=Gas(21_000),
            max_fee_per_gas=Wei(2 * int(block["baseFeePerGas"], 16) + int(tip, 16)),
            max_priority_fee_per_gas=Wei(int(tip, 16)),
            to=Address(bytes.fromhex(to.removeprefix("0x"))),
            value=Wei(int(amount)),
        )
        sent = await client.call("eth_sendRawTransaction", "0x" + raw.hex())
        while (receipt := await client.call("eth_getTransactionReceipt", sent)) is None:
            await asyncio.sleep(0.2)
        paid = int(receipt["gasUsed"], 16) * int(receipt["effectiveGasPrice"], 16)
        print(f"{sent} in block {int(receipt['blockNumber'], 16)}, fee {paid} wei, {receipt['class']}")


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:5]))
