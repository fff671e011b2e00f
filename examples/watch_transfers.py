"""Print every transfer of a token as it happens, over a WebSocket.

python examples/watch_transfers.py ws://127.0.0.1:8545 0xTOKEN
"""

import asyncio
import sys

from web3 import AsyncWeb3, Web3, WebSocketProvider

TRANSFER = Web3.keccak(text="Transfer(address,address,uint256)")


async def main(url: str, token: str) -> None:
    """Subscribe and print until the connection ends."""
    async with AsyncWeb3(WebSocketProvider(url)) as web3:
        await web3.eth.subscribe("logs", {"address": Web3.to_checksum_address(token), "topics": [TRANSFER]})
        async for message in web3.socket.process_subscriptions():
            log = message["result"]
            sender, receiver = (Web3.to_checksum_address(topic[-20:]) for topic in log["topics"][1:3])
            sign = "taken back" if log["removed"] else "paid"
            print(f"block {log['blockNumber']}: {sender} {sign} {int.from_bytes(log['data'], 'big')} to {receiver}")


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:3]))
