"""Limits of tapscript, what a script can ask of its transaction, and what a run cost.

Reads: nothing.  Gives: `Rules`, `Context`, `Cost`.  Never: runs.  Spec: docs/spec/bitvm.md#interpreter
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

ITEMS_MAX: Final = 1_000
"""Items on both stacks together, and in a witness (consensus)."""
ITEM_BYTES_MAX: Final = 520
"""Bytes of an item (consensus)."""
NUMBER_BYTES_MAX: Final = 4
"""Bytes of an operand (consensus)."""
LOCK_BYTES_MAX: Final = 5
"""Bytes of the operand of a lock (consensus)."""
POLICY_ITEM_BYTES_MAX: Final = 80
"""Bytes of a witness item that relays."""
POLICY_WEIGHT_MAX: Final = 400_000
"""Weight of a transaction that relays; a script and its items are lighter."""
SIGNATURE_COST: Final = 50
"""Of each signature check, and what every witness has to spend before its bytes (BIP-0342)."""


@dataclass(frozen=True, slots=True)
class Rules:
    """Which rules beyond consensus hold.

    Attributes:
        policy: Those of relay: small items, minimal pushes and numbers, no upgradable opcode or key.
    """

    policy: bool = True


CheckSignature = Callable[[bytes, bytes, int], bool]
"""(x-only key, signature with its hash type, position of the last code separator) → whether it is valid."""


@dataclass(frozen=True, slots=True)
class Context:
    """What a script can see of the transaction.

    Attributes:
        check_signature: Judges; the default refuses all.
        version: Of the transaction.
        lock_time: Of the transaction.
        sequence: Of the input.
        witness_bytes: Serialised witness of the input; None: the items, the script and a control block of 33 bytes.
    """

    check_signature: CheckSignature = lambda _key, _signature, _separator: False
    version: int = 2
    lock_time: int = 0
    sequence: int = 0xFFFFFFFD
    witness_bytes: int | None = None


@dataclass(slots=True)
class Cost:
    """What a run took.

    Attributes:
        peak_items: Most items on both stacks together.
        operations: Executed, pushes included.
        signatures: Checked.
    """

    peak_items: int = 0
    operations: int = 0
    signatures: int = 0
