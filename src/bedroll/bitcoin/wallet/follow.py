"""Keeping a wallet at the node's tip.

Reads: the best chain of a node.  Gives: the wallet's blocks, connected and disconnected in order; payments, sent again.
Never: retries; the service that calls it does.  Spec: docs/spec/bitcoin.md#wallet
"""

from typing import Final

from bedroll.primitives import BlockHash, L1Height

from ..block import Block
from ..client import BitcoinClient, RejectedTransaction
from .wallet import Wallet

BATCH_BLOCKS: Final = 100
"""Most blocks that one durable write takes in: far from the tip a write a block would be most of the time."""
BATCH_BYTES: Final = 16 << 20
"""Bytes of blocks after which a write is due."""


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
        blocks = await _fetch(client, height, tip[1] if tip is not None else None)
        if wallet.tip() != tip:
            # Another task moved the wallet meanwhile.
            continue
        if blocks:
            wallet.connect_many(blocks, height)
        elif await client.block_hash(height) is None:
            return undone


async def _fetch(client: BitcoinClient, height: L1Height, previous: BlockHash | None) -> list[Block]:
    """Blocks from a height on that follow each other, as many as one write takes."""
    blocks: list[Block] = []
    size = 0
    while len(blocks) < BATCH_BLOCKS and size < BATCH_BYTES:
        found = await client.block_hash(L1Height(height + len(blocks)))
        if found is None:
            break
        raw = await client.block(found)
        block = Block.parse(raw)
        if previous is not None and block.header.previous != previous:
            # The best chain changed between two questions; the next round walks back to the fork.
            break
        blocks.append(block)
        previous, size = found, size + len(raw)
    return blocks


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
