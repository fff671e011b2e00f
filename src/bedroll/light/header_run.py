"""L1 headers after a block whose place is known: do they carry on Bitcoin's chain, and with how much work.

Reads: headers from anyone.  Gives: `HeaderRun`.  Never: takes a header that breaks a rule for headers.
Spec: docs/spec/light.md#headers
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from bedroll.bitcoin.header import Header
from bedroll.bitcoin.work import MIN_DIFFICULTY_GAP, RETARGET_INTERVAL, WorkRule, decode_target, retarget
from bedroll.primitives import BlockHash, L1Height

from .anchor import AnchorFacts
from .proof_file import refuse

_TIMES: Final = 11
_VERSION_LEAST: Final = 4
_TIMEWARP_SECONDS: Final = 600
_FUTURE_SECONDS: Final = 2 * 3_600
_PART: Final = "later headers"


@dataclass(frozen=True, slots=True, kw_only=True)
class HeaderRun:
    """Headers that follow a known block.

    Attributes:
        height: Of the newest one.
        hash: Its hash, internal order.
        time: Its time, seconds.
        work: Of these headers, the known block left out.
        count: How many they are: under how many blocks the known one lies.
    """

    height: L1Height
    hash: BlockHash
    time: int
    work: int
    count: int

    @classmethod
    def after(
        cls, known: AnchorFacts, rule: WorkRule, headers: Iterable[bytes], now_seconds: int | None = None
    ) -> "HeaderRun":
        """Follow headers by Bitcoin's rules.

        Args:
            known: Where they begin.
            rule: For targets of the Bitcoin network.
            headers: 80 bytes each, in order, the first a child of the known block.
            now_seconds: Clock; None leaves out the rule against times in the future.

        Raises:
            BadProofFile: One breaks a rule.
        """
        walk = _Walk(known, rule)
        work = count = 0
        for raw in headers:
            header = Header.parse(raw)
            walk.check(header, now_seconds)
            walk.add(header)
            work, count = work + header.work, count + 1
        return cls(height=L1Height(walk.height), hash=walk.hash, time=walk.times[-1], work=work, count=count)


class _Walk:
    """What the rules for the next header look at."""

    def __init__(self, known: AnchorFacts, rule: WorkRule) -> None:
        self.height = int(known.height)
        self.hash = BlockHash(known.hash)
        self.times = list(known.times)
        self._bits = known.bits
        self._period_time = known.period_time
        self._period_bits = known.period_bits
        self._regular_bits = known.regular_bits
        self._rule = rule

    @property
    def _begins(self) -> bool:
        return (self.height + 1) % RETARGET_INTERVAL == 0

    def _next_bits(self, time: int) -> int:
        rule = self._rule
        if self._begins:
            judged = self._period_bits if rule.first_of_period else self._bits
            return retarget(rule, judged, self._period_time, self.times[-1])
        if not rule.easy_blocks:
            return self._bits
        return rule.limit_bits if time > self.times[-1] + MIN_DIFFICULTY_GAP else self._regular_bits

    def check(self, header: Header, now_seconds: int | None) -> None:
        height, target = self.height + 1, decode_target(header.bits)
        if header.previous != self.hash:
            refuse(_PART, "a header does not follow the one before", height=height, block=header.hash[::-1])
        if target is None or target > self._rule.limit or not header.meets_target():
            refuse(_PART, "a header lacks the work that it names", height=height, block=header.hash[::-1])
        if header.bits != self._next_bits(header.time):
            expected = self._next_bits(header.time)
            refuse(_PART, "a header names another target than Bitcoin's rules", height=height, value=header.bits,
                   limit=expected)  # fmt: skip
        median = sorted(self.times)[len(self.times) // 2]
        if header.time <= median:
            refuse(_PART, "a header's time is not above the median of the eleven before", height=height,
                   value=header.time, limit=median)  # fmt: skip
        earliest = self.times[-1] - _TIMEWARP_SECONDS
        if self._rule.first_of_period and self._begins and header.time < earliest:
            refuse(_PART, "a period's first header lies too far back", height=height, value=header.time, limit=earliest)
        if now_seconds is not None and header.time > now_seconds + _FUTURE_SECONDS:
            latest = now_seconds + _FUTURE_SECONDS
            refuse(_PART, "a header lies in the future", height=height, value=header.time, limit=latest)
        if header.version < _VERSION_LEAST:
            refuse(_PART, "a header's version is too old", height=height, value=header.version, limit=_VERSION_LEAST)

    def add(self, header: Header) -> None:
        if self._begins:
            self._period_time, self._period_bits = header.time, header.bits
        if self._begins or header.bits != self._rule.limit_bits:
            self._regular_bits = header.bits
        self.height, self.hash, self._bits = self.height + 1, header.hash, header.bits
        self.times = [*self.times, header.time][-_TIMES:]
