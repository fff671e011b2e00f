"""Which transaction on Bitcoin carries a block: asked of the node once for each, not for each receipt.

Reads: the node's records of derivation.  Gives: `Carriages`.
Never: keeps an answer beyond the Bitcoin block it was true at.  Spec: docs/spec/api-chain.md#objects
"""

from bedroll.primitives import L2Height

from .port import Backend, Carriage

_KEPT_MAX = 4_096


class Carriages:
    """Answers for the newest asked blocks."""

    def __init__(self, backend: Backend) -> None:
        """Begin empty."""
        self._backend = backend
        self._state: object = None
        self._kept: dict[int, Carriage | None] = {}

    def of(self, height: int, state: object) -> Carriage | None:
        """What carries a block; `state` changes whenever an older answer may have become wrong."""
        if state != self._state or len(self._kept) >= _KEPT_MAX:
            self._state = state
            self._kept.clear()
        if height not in self._kept:
            self._kept[height] = self._backend.carriage_of(L2Height(height))
        return self._kept[height]
