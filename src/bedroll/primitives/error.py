r"""The tree of errors, by who must act.

```text
BedrollError
├── Invalid        input breaks a rule: refuse it and go on. Deterministic, part of consensus.
├── Unavailable    a peer, disk or node did not answer: try again with back-off.
├── Reorg          our view left the best chain: unwind to `.height`, then go on.
├── Misconfigured  the operator must change something: option, value, allowed range.
└── Corrupt        an invariant of ours broke: stop and keep the data.
```

Reads: nothing.  Gives: five branches; every error of the project is a leaf of one.
Never: carries its facts in text alone: the facts are fields.  Spec: docs/spec/primitives.md#errors
"""

from typing import Any


class BedrollError(Exception):
    """Root of the tree. Fields are keyword arguments and become attributes and the message."""

    def __init__(self, message: str, **fields: Any) -> None:
        self.message = message
        self.fields = fields
        for name, value in fields.items():
            setattr(self, name, value)
        super().__init__(message)

    def __str__(self) -> str:
        if not self.fields:
            return self.message
        shown = ", ".join(f"{name}={_show(value)}" for name, value in self.fields.items())
        return f"{self.message} ({shown})"


class Invalid(BedrollError):
    """Input breaks a rule. The caller refuses it and goes on; the same input fails everywhere."""


class Unavailable(BedrollError):
    """Something outside did not answer. The caller tries again with back-off."""


class Reorg(BedrollError):
    """Our view left the best chain.

    Attributes:
        height: Last L1 height that is common to the old view and the new one.
    """

    height: int

    def __init__(self, message: str, *, height: int, **fields: Any) -> None:
        super().__init__(message, height=height, **fields)


class Misconfigured(BedrollError):
    """The operator must change something.

    Attributes:
        option: Name of the option, as the operator writes it.
        value: What was given.
        allowed: What would be accepted.
    """

    option: str
    value: object
    allowed: str

    def __init__(self, message: str, *, option: str, value: object, allowed: str, **fields: Any) -> None:
        super().__init__(message, option=option, value=value, allowed=allowed, **fields)


class Corrupt(BedrollError):
    """An invariant of ours broke. The process stops and keeps its data."""


def _show(value: object) -> str:
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).hex()
    return str(value)
