"""Witnesses of taproot inputs: which items are stack, script, control block and annex.

Reads: witness items from anyone.  Gives: `KeySpend` or `ScriptSpend`.
Never: checks a signature or the control block's path.  Spec: docs/spec/bitcoin.md#witness
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bedroll.primitives import Invalid

from .taproot import ControlBlock

ANNEX_TAG: Final = 0x50
"""First byte of an annex (BIP-0341)."""


@dataclass(frozen=True, slots=True)
class KeySpend:
    """A spend by the output key."""

    signature: bytes
    annex: bytes | None


@dataclass(frozen=True, slots=True)
class ScriptSpend:
    """A spend by a leaf.

    Attributes:
        stack: Inputs of the script, bottom first.
        script: The leaf.
        control: Its parsed control block.
        annex: With its 0x50 prefix, or None.
    """

    stack: tuple[bytes, ...]
    script: bytes
    control: ControlBlock
    annex: bytes | None


def parse_taproot_witness(witness: Sequence[bytes]) -> KeySpend | ScriptSpend:
    """Split the witness of a taproot input (BIP-0341, script validation rules).

    Raises:
        Invalid: The witness is empty.
        BadControlBlock: Its control block has an impossible length.
    """
    items = tuple(witness)
    annex = None
    if len(items) >= 2 and items[-1][:1] == bytes((ANNEX_TAG,)):
        annex, items = items[-1], items[:-1]
    if not items:
        raise Invalid("taproot input has no witness")
    if len(items) == 1:
        return KeySpend(items[0], annex)
    return ScriptSpend(items[:-2], items[-2], ControlBlock.parse(items[-1]), annex)
