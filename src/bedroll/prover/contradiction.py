"""The proved program and the node's own code are one text; where they state different things, one of both is broken.

Reads: two statements about one input.  Gives: `ProgramDiverged`, `check_statement`.
Never: decides which of the two is right: people do.  Spec: docs/spec/prover.md#contradiction
"""

from bedroll.primitives import Corrupt


class ProgramDiverged(Corrupt):
    """The machine that is proved states something else than the node did: nothing of it is proved or posted.

    Attributes:
        about: Which input.
        stated: Public values by the node.
        found: Public values by the machine.
    """

    about: str
    stated: bytes
    found: bytes


def check_statement(about: str, stated: bytes | None, found: bytes) -> None:
    """Make sure that the machine stated what the node did, if it is known what that was.

    Raises:
        ProgramDiverged: It stated something else.
    """
    if stated is not None and stated != found:
        raise ProgramDiverged(
            "the proved program states something else than the node about the same input",
            about=about,
            stated=stated,
            found=found,
        )
