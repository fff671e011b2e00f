"""Leaves in play: bodies over bare digits, and whole scripts with real signatures."""

from bedroll.bitcoin.script import encode_number
from bedroll.bitvm.interpreter import Cost, Rules, ScriptFailure, execute
from bedroll.bitvm.leaf import Keys, Leaf
from bedroll.bitvm.message import Layout
from bedroll.bitvm.winternitz import Signature, derive_public_key, sign
from bedroll.crypto import sha256
from tests.framework.tapscript import SECRET, Spend


def run_body(leaf: Leaf, messages: dict[str, bytes], hints: dict[str, list[int]] | None = None) -> Cost | None:
    """Cost of a body that succeeds over these messages; None where it fails.

    Args:
        leaf: Whose.
        messages: By label.
        hints: Raw items by name, whatever they are; None: derived.
    """
    if hints is None:
        hints = {}
        if leaf.derive is not None:
            values = {each.label: each.decode(messages[each.label]) for each in leaf.messages if each.label in messages}
            given = leaf.derive(values)
            hints = {hint.name: list(hint.digits(given[hint.name])) for hint in leaf.hints}
    items = [encode_number(number) for hint in leaf.hints for number in hints[hint.name]]
    for message in leaf.revealed:
        items += (encode_number(digit) for digit in message.digits(messages[message.label]))
    try:
        return execute(leaf.body, items)
    except ScriptFailure:
        return None


def digits_of(leaf: Leaf, values: dict[str, int]) -> dict[str, list[int]]:
    """Hints as items."""
    return {hint.name: list(hint.digits(values[hint.name])) for hint in leaf.hints}


class Signer:
    """All one-time keys of a game, and the signer of tests as both parties.

    Args:
        layout: Of the game.
    """

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self._secrets = {label: bytes(sha256(label.encode())) for label in layout.messages}
        public = {label: derive_public_key(self._secrets[label], each) for label, each in layout.messages.items()}
        self.keys = Keys(layout, both=SECRET.x_only, challenger=SECRET.x_only, one_time=public)

    def sign(self, label: str, raw: bytes) -> Signature:
        """A message's signature."""
        return sign(self._secrets[label], self.layout.messages[label], raw)

    def spend(
        self, leaf: Leaf, messages: dict[str, bytes], hints: dict[str, int] | None = None
    ) -> tuple[Spend, tuple[bytes, ...]]:
        """A spend of a leaf, and its items."""
        signatures = {each.label: self.sign(each.label, messages[each.label]) for each in leaf.messages}
        spend = Spend(leaf.script(self.keys))
        return spend, (*leaf.witness(signatures, hints), spend.signature())


def judged(spend: Spend, items: tuple[bytes, ...], *, policy: bool = True) -> Cost | str:
    """The interpreter's verdict."""
    try:
        return execute(spend.script, items, rules=Rules(policy=policy), context=spend.context(items))
    except ScriptFailure as failure:
        return failure.reason
