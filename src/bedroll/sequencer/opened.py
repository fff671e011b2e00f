"""What the open block holds already, by sender: it is pending to everybody else until the block is sealed.

Reads: steps of the producer.  Gives: `Opened`.
Never: looks into a step before somebody asks: executing must not wait for it.  Spec: docs/spec/sequencer.md#producer
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Protocol

from bedroll.execution.engine import Transaction
from bedroll.primitives import Address


class Transactions(Protocol):
    """The transactions of one step, made when they are looked at."""

    def __len__(self) -> int:
        """How many."""
        ...

    def __iter__(self) -> Iterator[Transaction]:
        """Each, in order."""
        ...


class Opened:
    """Transactions of the open block, step by step."""

    def __init__(self) -> None:
        self._steps: list[Transactions] = []
        self._seen = 0
        self._by_sender: defaultdict[Address, list[Transaction]] = defaultdict(list)
        self._size_bytes = 0

    def append(self, step: Transactions) -> None:
        """These were executed."""
        self._steps.append(step)

    def __len__(self) -> int:
        """How many transactions."""
        return sum(len(step) for step in self._steps)

    def __iter__(self) -> Iterator[Transaction]:
        """All, as they were executed."""
        for step in self._steps:
            yield from step

    @property
    def size_bytes(self) -> int:
        """As they were sent."""
        self._look()
        return self._size_bytes

    def of(self, sender: Address) -> Sequence[Transaction]:
        """One sender's, by nonce."""
        self._look()
        return self._by_sender.get(sender, ())

    def senders(self, first: Address) -> set[Address]:
        """Who sent something, not below `first`."""
        self._look()
        return {sender for sender in self._by_sender if sender >= first}

    def _look(self) -> None:
        """Take in the steps since the last question."""
        for step in self._steps[self._seen :]:
            for transaction in step:
                self._by_sender[Address(transaction.sender)].append(transaction)
                self._size_bytes += len(transaction.raw)
        self._seen = len(self._steps)
