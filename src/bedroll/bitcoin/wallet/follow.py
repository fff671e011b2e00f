"""Keeping a wallet at the node's tip.

Reads: the best chain of a node.  Gives: the wallet's blocks, connected and disconnected in order; payments, sent again.
Never: retries; the service that calls it does.  Spec: docs/spec/bitcoin.md#wallet
"""

from bedroll.primitives import L1Height

from ..block import Block
from ..client import BitcoinClient, RejectedTransaction
from .wallet import Wallet


async def follow(wallet: Wallet, client: BitcoinClient, start: L1Height) -> int:
    """Bring the wallet to the node's tip.

    Args:
        wallet: To bring there.
        client: The node.
        start: First height of interest to an empty wallet.

    Returns:
        How many blocks were disconnected.

    Raises:
        Unavailable: The node does not answer; the wallet stands at a block, and a later call goes on from there.
    """
    undone = 0
    while True:
        tip = wallet.tip()
        if tip is not None and await client.block_hash(tip[0]) != tip[1]:
            wallet.disconnect()
            undone += 1
            continue
        height = L1Height(tip[0] + 1 if tip is not None else start)
        found = await client.block_hash(height)
        if found is None:
            return undone
        block = Block.parse(await client.block(found))
        # Where the best chain changed between the two questions, the next round walks back to the fork.
        if tip is None or block.header.previous == tip[1]:
            wallet.connect(block, height)


async def broadcast_pending(wallet: Wallet, client: BitcoinClient) -> list[RejectedTransaction]:
    """Hand every pending payment to the node again, parents first.

    Returns:
        Refusals. None of them is final: what counts is whether a block takes the payment or its inputs.
    """
    refused = []
    for payment in wallet.pending():
        try:
            await client.broadcast([payment.transaction.raw])
        except RejectedTransaction as rejection:
            refused.append(rejection)
    return refused
