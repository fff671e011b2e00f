"""Every lie by name.

Reads: nothing.  Gives: `Lie`, `lies`.  Never: depends on keys or chains.  Spec: docs/spec/dispute.md#lies
"""

from collections.abc import Mapping
from dataclasses import dataclass

from ..graph import Party
from .challenger import challenger_lies
from .prover import Make, prover_lies


@dataclass(frozen=True)
class Lie:
    """A way to cheat.

    Attributes:
        name: Unique.
        party: Who cheats.
        text: What he says.
        ends_by: How the name of the leaf begins that decides; "timeout" and "close": by silence.
        make: His strategy for a scene.
    """

    name: str
    party: Party
    text: str
    ends_by: str
    make: Make


def lies(rounds: int) -> Mapping[str, Lie]:
    """All lies in a game of so many rounds."""
    found = [Lie(name, Party.PROVER, text, ends, make) for name, text, ends, make in prover_lies(rounds)]
    found += [Lie(name, Party.CHALLENGER, text, "close", make) for name, text, make in challenger_lies(rounds)]
    return {lie.name: lie for lie in found}
