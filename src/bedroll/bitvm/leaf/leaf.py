"""A leaf: which signatures it verifies, what it decides, its script once keys are known.

Reads: templates, signatures, witness items from anyone.  Gives: `Leaf`, `build_leaf`.
Never: chooses what to sign.  Spec: docs/spec/bitvm.md#leaves

Script: the mover's key and `OP_CHECKSIGVERIFY`; each message's verification; then the body, which finds the digits of
revealed messages on the stack and hints below them. Items, bottom first: hints, signatures of the messages in reverse
order, the Schnorr signature.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from bedroll.bitcoin.opcode import Opcode
from bedroll.bitcoin.script import build_script, encode_number
from bedroll.primitives import Hash32, Invalid

from ..message import Field, Message
from ..script.template import BOTH, CHALLENGER, KEY_BYTES, Keys, Template, join_segments
from ..winternitz import (
    Mode,
    Signature,
    extraction,
    parse_items,
    public_key_bytes,
    verification,
    witness_items,
    witness_size,
)

_SIGNER_PUSH: Final = bytes((KEY_BYTES,))
_SIGNER_CHECK: Final = build_script(Opcode.OP_CHECKSIGVERIFY)


Derive = Callable[[Mapping[str, Mapping[str, int]]], dict[str, int]]


@dataclass(frozen=True)
class Leaf:
    """A leaf of a game output.

    Attributes:
        name: Unique in its output.
        decides: What is true if a spend by it succeeds, in words.
        signer: `BOTH` for pre-signed moves, `CHALLENGER` for facts.
        messages: Verified, in order.
        hints: Numbers that the spender supplies unsigned, bottom first; each digit is an item.
        template: Script without keys.
        revealed: Those messages whose digits the body finds, the first one deepest, above the hints.
        body: What follows the signatures.
        derive: Hints that follow from the messages' values.
    """

    name: str
    decides: str
    signer: str
    messages: tuple[Message, ...]
    hints: tuple[Field, ...]
    template: Template
    revealed: tuple[Message, ...]
    body: bytes
    derive: Derive | None = None

    @property
    def size_bytes(self) -> int:
        """Of the script; as many weight units in a witness."""
        return self.template.size_bytes

    @property
    def items(self) -> int:
        """Items that a spend puts on the stack, with the Schnorr signature."""
        hints = sum(len(hint.radices) for hint in self.hints)
        return hints + sum(witness_size(message) for message in self.messages) + 1

    def script(self, keys: Keys) -> bytes:
        """The script in a game."""
        return self.template.fill(keys)

    def hash(self, keys: Keys) -> Hash32:
        """Hash of the leaf in a game."""
        return self.template.leaf_hash(keys)

    def values(self, signatures: Mapping[str, Signature]) -> dict[str, dict[str, int]]:
        """Fields of the messages, by label.

        Raises:
            Invalid: A signature is missing, or its message is no such message.
        """
        found = {}
        for message in self.messages:
            if message.label not in signatures:
                raise Invalid("a signature is missing", leaf=self.name, label=message.label)
            found[message.label] = message.decode(signatures[message.label].message)
        return found

    def witness(self, signatures: Mapping[str, Signature], hints: Mapping[str, int] | None = None) -> tuple[bytes, ...]:
        """Items below the Schnorr signature, bottom first.

        Args:
            signatures: By label, at least those of `messages`.
            hints: By name, exactly those of `hints`; None: derived from the messages.

        Raises:
            Invalid: A signature or hint is missing, or a value does not fit.
        """
        values = self.values(signatures)
        given = hints if hints is not None else self.derive(values) if self.derive else {}
        if set(given) != {hint.name for hint in self.hints}:
            raise Invalid("hints are not those of the leaf", leaf=self.name, hints=sorted(given))
        items: list[bytes] = []
        for hint in self.hints:
            items += (encode_number(digit) for digit in hint.digits(given[hint.name]))
        for message in reversed(self.messages):
            items += witness_items(message, signatures[message.label])
        return tuple(items)

    def read(self, items: Sequence[bytes]) -> dict[str, Signature]:
        """Signatures, by label, in the items of a confirmed spend (without Schnorr signature, script, control block).

        Raises:
            Invalid: The items are not those of the leaf.
        """
        if len(items) != self.items - 1:
            raise Invalid("items are not those of the leaf", leaf=self.name, items=len(items), limit=self.items - 1)
        found, end = {}, len(items)
        for message in self.messages:
            start = end - witness_size(message)
            found[message.label] = parse_items(message, items[start:end])
            end = start
        return found


def build_leaf(
    name: str,
    decides: str,
    signer: str,
    *,
    verified: Sequence[Message] = (),
    revealed: Sequence[Message] = (),
    hints: Sequence[Field] = (),
    body: bytes = bytes((Opcode.OP_1,)),
    derive: Derive | None = None,
) -> Leaf:
    """Put a leaf together.

    Args:
        name: Unique in its output.
        decides: What a successful spend shows.
        signer: `BOTH` or `CHALLENGER`.
        verified: Messages whose digits the body does not need; verified first.
        revealed: Messages whose digits it needs: first message deepest, first digit deepest.
        hints: Numbers below them.
        body: Ends with one true item and nothing else.
        derive: Hints that follow from the messages' values.
    """
    parts: list[tuple[bytes, ...]] = [(_SIGNER_PUSH, _SIGNER_CHECK)]
    parts += (verification(message.radices, Mode.VERIFY) for message in verified)
    # The alternative stack turns the order around: what is verified last comes back first.
    order = (*verified, *reversed(revealed))
    parts += (verification(message.radices, Mode.REVEAL) for message in reversed(revealed))
    parts.append((b"".join(extraction(message.radices) for message in revealed) + body,))
    key_bytes = KEY_BYTES + sum(public_key_bytes(message) for message in order)
    template = Template(join_segments(parts), (signer, *(message.label for message in order)), key_bytes)
    return Leaf(name, decides, signer, order, tuple(hints), template, tuple(revealed), body, derive)


__all__ = ["BOTH", "CHALLENGER", "Keys", "Leaf", "build_leaf"]
