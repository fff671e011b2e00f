"""A chain of L1 blocks made by hand that carries objects: what derivation reads, without a node.

Every hash is in its place, relevance and regtest's work are ground, nothing is signed. Reorganisations are `fork`.
"""

import hashlib
from dataclasses import dataclass, field

from bedroll.da import build_leaf
from bedroll.derivation.l1_traversal import subsidy_sat
from bedroll.protocol import REGTEST
from bedroll.protocol.fee_output import FEE_SCRIPT

from .l1_block import CONTROL_BLOCK, SIGNATURE, block, double_sha256, output, transaction

ANCHOR_HEIGHT = 200
ANCHOR_TIME = 1_800_000_000
L1_INTERVAL = 600
_LEAF_KEY = bytes.fromhex("79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798")


class Grinder:
    """Makes transactions, no two alike; grinds the lock time, the last bytes hashed."""

    def __init__(self, tag=REGTEST.parameters.tag):
        self._tag = tag
        self._salt = 0

    def carry(self, *bodies, fee=0, leaves=None):
        """A relevant transaction with one envelope an input; `leaves` in place of `bodies` for raw scripts."""
        leaves = [build_leaf(_LEAF_KEY, body) for body in bodies] if leaves is None else leaves
        witnesses = [[SIGNATURE, leaf, CONTROL_BLOCK] for leaf in leaves]
        outputs = [output(330)] + ([output(fee, FEE_SCRIPT)] if fee else [])
        self._salt += 1
        full, bare = transaction(witnesses, outputs=outputs, salt=self._salt)
        before = hashlib.sha256(full[:-4])
        for lock_time in range(1 << 32):
            tail = lock_time.to_bytes(4, "little")
            attempt = before.copy()
            attempt.update(tail)
            if hashlib.sha256(attempt.digest()).digest().startswith(self._tag):
                return full[:-4] + tail, bare[:-4] + tail
        raise AssertionError("no lock time fits")


@dataclass
class L1Chain:
    """Raw blocks above an anchor. `nonce` tells branches apart."""

    anchor_height: int = ANCHOR_HEIGHT
    blocks: list = field(default_factory=list)
    hashes: list = field(default_factory=list)
    nonce: int = 0

    def __post_init__(self):
        self.anchor = block([], time=ANCHOR_TIME)
        self.anchor_hash = double_sha256(self.anchor[:80])
        self.anchor_times = (ANCHOR_TIME,)

    @property
    def height(self):
        return self.anchor_height + len(self.blocks)

    @property
    def tip(self):
        return self.hashes[-1] if self.hashes else self.anchor_hash

    def mine(self, *transactions, time=None, fees=400_000):
        """Append a block; returns its raw bytes. Its coinbase takes the subsidy and `fees`, satoshi."""
        self.nonce += 1
        when = max(ANCHOR_TIME + L1_INTERVAL * (len(self.blocks) + 1), self._earliest()) if time is None else time
        marker = transaction([[b"\x01" * 64]], salt=(1 << 200) + self.nonce)
        coinbase = [output(subsidy_sat("regtest", self.height + 1) + fees), None]
        raw = block([*transactions, marker], previous=self.tip, time=when, coinbase_outputs=coinbase)
        self.blocks.append(raw)
        self.hashes.append(double_sha256(raw[:80]))
        return raw

    def _earliest(self):
        """The first second above the median of the newest eleven blocks."""
        times = [int.from_bytes(raw[68:72], "little") for raw in [self.anchor, *self.blocks][-11:]]
        return sorted(times)[len(times) // 2] + 1

    def fork(self, height):
        """Drop blocks above `height`."""
        del self.blocks[height - self.anchor_height :]
        del self.hashes[height - self.anchor_height :]

    def hash_at(self, height):
        return self.anchor_hash if height == self.anchor_height else self.hashes[height - self.anchor_height - 1]
