"""Taproot outputs: leaves, trees of many leaves, control blocks, output keys (BIP-0341).

Reads: keys, scripts, control blocks from anyone.  Gives: output keys and proofs that a leaf belongs to one.
Never: signs.  Spec: docs/spec/bitcoin.md#taproot
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bedroll.crypto import tagged_hash
from bedroll.crypto.secp256k1 import BadKey, SecretKey, tweak_x_only
from bedroll.encoding import encode_bytes
from bedroll.primitives import Hash32, Invalid

from .script import taproot_script

TAPSCRIPT: Final = 0xC0
"""Leaf version of BIP-0342."""
DEPTH_MAX: Final = 128
"""Deepest leaf (consensus)."""


class BadControlBlock(Invalid):
    """A control block has no valid form, or does not lead to the output key."""


def leaf_hash(script: bytes, version: int = TAPSCRIPT) -> Hash32:
    """Hash of a leaf."""
    return tagged_hash("TapLeaf", bytes((version,)), encode_bytes(script))


def branch_hash(left: bytes, right: bytes) -> Hash32:
    """Hash of a branch; the order of the two does not matter."""
    return tagged_hash("TapBranch", left, right) if left < right else tagged_hash("TapBranch", right, left)


class TapTree:
    """A tree over leaf hashes, as shallow as it can be, kept level by level.

    Building costs one hash a leaf; a path is a walk of log2(leaves) steps.

    Attributes:
        root: Merkle root, 32 bytes.
    """

    __slots__ = ("_levels", "root")

    def __init__(self, leaves: Sequence[bytes]) -> None:
        if not leaves:
            raise Invalid("a tree has at least one leaf")
        levels = [list(leaves)]
        while len(levels[-1]) > 1:
            below = levels[-1]
            level: list[bytes] = [branch_hash(below[at], below[at + 1]) for at in range(0, len(below) - 1, 2)]
            if len(below) & 1:
                level.append(below[-1])
            levels.append(level)
        self._levels = levels
        self.root = levels[-1][0]

    def __len__(self) -> int:
        return len(self._levels[0])

    def path(self, index: int) -> tuple[bytes, ...]:
        """Siblings of a leaf, from the bottom up.

        Raises:
            Invalid: There is no such leaf.
        """
        if not 0 <= index < len(self):
            raise Invalid("no such leaf", index=index, leaves=len(self))
        path = []
        for level in self._levels[:-1]:
            if index ^ 1 < len(level):
                path.append(level[index ^ 1])
            index >>= 1
        return tuple(path)


@dataclass(frozen=True, slots=True)
class ControlBlock:
    """What a script-path spend shows: the internal key and the way from leaf to root.

    Attributes:
        version: Of the leaf; even.
        parity: Of the output key's y.
        internal_key: x only, 32 bytes.
        path: Siblings from the bottom up.
    """

    version: int
    parity: int
    internal_key: bytes
    path: tuple[bytes, ...]

    @staticmethod
    def parse(raw: bytes) -> "ControlBlock":
        """Parse the last item of a script-path witness.

        Raises:
            BadControlBlock: Its length is not 33 + 32 × m with m ≤ 128.
        """
        if len(raw) < 33 or len(raw) > 33 + 32 * DEPTH_MAX or (len(raw) - 33) % 32:
            raise BadControlBlock("control block has an impossible length", size=len(raw))
        path = tuple([raw[at : at + 32] for at in range(33, len(raw), 32)])
        return ControlBlock(raw[0] & 0xFE, raw[0] & 1, raw[1:33], path)

    def serialize(self) -> bytes:
        """As in a witness."""
        return bytes((self.version | self.parity,)) + self.internal_key + b"".join(self.path)

    def root(self, script: bytes) -> Hash32:
        """Merkle root that the path leads to from a script."""
        node = leaf_hash(script, self.version)
        for sibling in self.path:
            node = branch_hash(node, sibling)
        return node

    def verify(self, output_key: bytes, script: bytes) -> None:
        """Verify that an output key commits to a script.

        Raises:
            BadControlBlock: It does not.
        """
        try:
            key, parity = tweak_output_key(self.internal_key, self.root(script))
        except BadKey as error:
            raise BadControlBlock("internal key is not on the curve", key=self.internal_key) from error
        if key != output_key or parity != self.parity:
            raise BadControlBlock("control block does not lead to the output key", key=output_key)


@dataclass(frozen=True, slots=True)
class TaprootOutput:
    """An output key with all that is needed to spend it.

    Attributes:
        internal_key: x only, 32 bytes.
        tree: None where there is only the key path.
        output_key: x only, 32 bytes.
        parity: Of the output key's y.
    """

    internal_key: bytes
    tree: TapTree | None
    output_key: bytes
    parity: int

    @staticmethod
    def build(internal_key: bytes, scripts: Sequence[bytes] = ()) -> "TaprootOutput":
        """Output of an internal key and tapscript leaves.

        Raises:
            BadKey: The internal key is not on the curve.
        """
        tree = TapTree([leaf_hash(script) for script in scripts]) if scripts else None
        key, parity = tweak_output_key(internal_key, tree.root if tree else b"")
        return TaprootOutput(internal_key, tree, key, parity)

    @property
    def script(self) -> bytes:
        """Output script."""
        return taproot_script(self.output_key)

    def control_block(self, index: int = 0) -> bytes:
        """Serialised control block of one leaf.

        Raises:
            Invalid: There is no such leaf.
        """
        if self.tree is None:
            raise Invalid("output has no leaves", index=index)
        return ControlBlock(TAPSCRIPT, self.parity, self.internal_key, self.tree.path(index)).serialize()


def tweak_output_key(internal_key: bytes, root: bytes = b"") -> tuple[bytes, int]:
    """Output key of an internal key and a Merkle root (empty: no scripts).

    Returns:
        x coordinate, 32 bytes, and parity of y.

    Raises:
        BadKey: The internal key is not on the curve.
    """
    return tweak_x_only(internal_key, tagged_hash("TapTweak", internal_key, root))


def tweak_secret_key(key: SecretKey, root: bytes = b"") -> SecretKey:
    """Secret key of the output key."""
    return key.tweak_x_only(tagged_hash("TapTweak", key.x_only, root))
