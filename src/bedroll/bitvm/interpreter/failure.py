"""How a script fails.

Reads: nothing.  Gives: `ScriptFailure`.  Never: anything else.  Spec: docs/spec/bitvm.md#interpreter
"""

from bedroll.primitives import Invalid


class ScriptFailure(Invalid):
    """A script does not succeed.

    Attributes:
        reason: Bitcoin Core's name of the error, `SCRIPT_ERR_…`, without that prefix.
        operation: Number of the operation, from 0; -1 before the first or after the last.
    """

    reason: str
    operation: int

    def __init__(self, reason: str, *, operation: int = -1, **fields: object) -> None:
        super().__init__("script fails", reason=reason, operation=operation, **fields)
