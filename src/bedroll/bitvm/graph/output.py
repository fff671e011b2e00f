"""Game outputs: the bond between two moves, with every leaf that may take it.

Reads: leaves.  Gives: `GameOutput`.  Never: keeps scripts, which are megabytes; it keeps their hashes.
Spec: docs/spec/dispute.md#outputs
"""

from collections.abc import Mapping
from dataclasses import dataclass

from bedroll.bitcoin.opcode import Opcode
from bedroll.bitcoin.script import build_script
from bedroll.bitcoin.taproot import TaprootOutput, TapTree, tweak_output_key
from bedroll.primitives import Invalid

TIMEOUT: str = "timeout"
"""Name of the leaf by which the challenger takes the output of a silent prover."""


def timeout_script(blocks: int, challenger: bytes) -> bytes:
    """The leaf: `<blocks> CSV DROP <challenger> CHECKSIG`.

    Args:
        blocks: The window.
        challenger: x only, 32 bytes.
    """
    return build_script(blocks, Opcode.OP_CHECKSEQUENCEVERIFY, Opcode.OP_DROP, challenger, Opcode.OP_CHECKSIG)


@dataclass(frozen=True)
class GameOutput:
    """A taproot output whose leaves have names.

    Attributes:
        names: Of the leaves, in the tree's order.
        hashes: Of the leaves.
        taproot: Key and tree; the internal key is both parties'.
    """

    names: tuple[str, ...]
    hashes: tuple[bytes, ...]
    taproot: TaprootOutput

    @staticmethod
    def build(both: bytes, leaves: Mapping[str, bytes]) -> "GameOutput":
        """Output of leaves, by name.

        Args:
            both: Aggregate key of the parties, x only.
            leaves: Leaf hash by name; may be empty.
        """
        hashes = tuple(leaves.values())
        tree = TapTree(hashes) if hashes else None
        key, parity = tweak_output_key(both, tree.root if tree else b"")
        return GameOutput(tuple(leaves), hashes, TaprootOutput(both, tree, key, parity))

    @property
    def script(self) -> bytes:
        """Output script."""
        return self.taproot.script

    def hash_of(self, name: str) -> bytes:
        """Hash of a leaf."""
        return self.hashes[self._index(name)]

    def control_block(self, name: str) -> bytes:
        """Of a leaf."""
        return self.taproot.control_block(self._index(name))

    def name_of(self, digest: bytes) -> str | None:
        """Name of the leaf with a hash."""
        return self.names[self.hashes.index(digest)] if digest in self.hashes else None

    def _index(self, name: str) -> int:
        if name not in self.names:
            raise Invalid("output has no such leaf", leaf=name, leaves=len(self.names))
        return self.names.index(name)
