"""A Bitcoin client over L1 blocks made by hand: what following them asks for, and nothing else."""

from bedroll.bitcoin.client import BlockRef
from bedroll.primitives import Invalid

from .l1_block import double_sha256


class HandmadeClient:
    """Serves a chain of raw blocks above an anchor block; `switch` makes another chain the best one."""

    def __init__(self, anchor_height, anchor, blocks):
        self._anchor_height = anchor_height
        self._known = {}
        self.switch([anchor, *blocks])

    def switch(self, blocks):
        self._best = [double_sha256(raw[:80]) for raw in blocks]
        for height, (block, raw) in enumerate(zip(self._best, blocks, strict=True), self._anchor_height):
            self._known[block] = (height, raw)

    async def tip(self):
        return BlockRef(self._anchor_height + len(self._best) - 1, self._best[-1])

    async def block_hash(self, height):
        index = height - self._anchor_height
        return self._best[index] if 0 <= index < len(self._best) else None

    async def header(self, block):
        if block not in self._known:
            raise Invalid("unknown block", block=block)
        height, raw = self._known[block]
        return raw[:80], height

    async def block(self, block):
        if block not in self._known:
            raise Invalid("unknown block", block=block)
        return self._known[block][1]
