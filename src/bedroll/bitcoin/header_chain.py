"""The chain of headers with the most work, and what changes when another one has more.

Reads: headers from anyone, parents first.  Gives: the best chain, median times, reorganisations.
Never: looks at transactions, or switches at equal work: the first seen stays.  Spec: docs/spec/bitcoin.md#header-chain
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NoReturn

from bedroll.primitives import BlockHash, Invalid, L1Height

from .header import Header
from .work import MIN_DIFFICULTY_GAP, RETARGET_INTERVAL, WORK_RULES, WorkRule, decode_target, retarget

MEDIAN_SPAN: Final = 11
"""Headers whose middle time is the median time past (BIP-0113)."""
FUTURE_MAX: Final = 2 * 3_600
"""How far a header's time may lie ahead of the clock, seconds."""
TIMEWARP_MAX: Final = 600
"""How far a period's first header may lie before its parent under BIP-0094, seconds."""
FORK_DEPTH_MAX: Final = 2_016
"""Headers that fork off deeper below the tip are refused, so that cheap ones cannot fill the memory."""

GENESIS: Final = {
    "main": Header.parse(
        bytes.fromhex("01000000" + "00" * 32)
        + bytes.fromhex("4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b")[::-1]
        + bytes.fromhex("29ab5f49ffff001d1dac2b7c")
    ),
    "testnet4": Header.parse(
        bytes.fromhex("01000000" + "00" * 32)
        + bytes.fromhex("7aa0a7ae1e223414cb807e40cd57e667b718e42aaf9306db9102fe28912b7b4e")[::-1]
        + (1_714_777_860).to_bytes(4, "little")
        + bytes.fromhex("ffff001d")
        + (393_743_547).to_bytes(4, "little")
    ),
    "regtest": Header.parse(
        bytes.fromhex("01000000" + "00" * 32)
        + bytes.fromhex("4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b")[::-1]
        + (1_296_688_602).to_bytes(4, "little")
        + bytes.fromhex("ffff7f2002000000")
    ),
}
"""First header of each network, by the name that `getblockchaininfo` gives it."""


class BadHeader(Invalid):
    """A header breaks a rule; `.reason` is Bitcoin Core's word."""

    reason: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A header in its place.

    Attributes:
        header: Itself.
        height: Its height.
        work: Of the whole chain up to it, counted from the anchor.
    """

    header: Header
    height: L1Height
    work: int


@dataclass(frozen=True, slots=True)
class Change:
    """What one header did to the best chain.

    Attributes:
        disconnected: Headers that left it, newest first.
        connected: Headers that joined it, oldest first; none if the header lies on a side chain.
    """

    disconnected: tuple[Entry, ...] = ()
    connected: tuple[Entry, ...] = ()


class HeaderChain:
    """All known headers above an anchor."""

    def __init__(self, rule: WorkRule, anchor: Header, height: L1Height) -> None:
        """Begin at a header that is taken on trust.

        Args:
            rule: Of the network.
            anchor: Genesis, or a checkpoint.
            height: Of the anchor: a multiple of 2,016, as a retarget needs its period's first header.

        Raises:
            Invalid: The height is not.
        """
        if height % RETARGET_INTERVAL and not rule.fixed:
            raise Invalid("anchor is not the first header of a period", height=height, period=RETARGET_INTERVAL)
        entry = Entry(anchor, height, anchor.work)
        self._rule = rule
        self._anchor_height = height
        self._entries = {anchor.hash: entry}
        self._best = [entry]

    @staticmethod
    def genesis(network: str) -> "HeaderChain":
        """Begin at a network's genesis; the name is Bitcoin's: main, testnet4, regtest."""
        return HeaderChain(WORK_RULES[network], GENESIS[network], L1Height(0))

    @property
    def tip(self) -> Entry:
        """Newest header of the chain with the most work."""
        return self._best[-1]

    def at(self, height: L1Height) -> Entry | None:
        """Header of the best chain at a height; None below the anchor and above the tip."""
        position = height - self._anchor_height
        return self._best[position] if 0 <= position < len(self._best) else None

    def entry(self, block: BlockHash) -> Entry | None:
        """Any known header by its hash."""
        return self._entries.get(block)

    def is_best(self, block: BlockHash) -> bool:
        """Whether a header lies on the best chain."""
        entry = self._entries.get(block)
        return entry is not None and self.at(entry.height) is entry

    def median_time(self, entry: Entry) -> int:
        """Median time past: the middle of the times of a header and the ten before it, down to the anchor, seconds."""
        times = [entry.header.time]
        while len(times) < MEDIAN_SPAN and entry.height > self._anchor_height:
            entry = self._entries[entry.header.previous]
            times.append(entry.header.time)
        return sorted(times)[len(times) // 2]

    def next_bits(self, parent: Entry, time: int) -> int:
        """Compact target that a header after `parent` must have.

        Args:
            parent: Known header.
            time: Of the new header, seconds: testnets make an exception for late ones.
        """
        rule = self._rule
        if (parent.height + 1) % RETARGET_INTERVAL == 0:
            first = self._ancestor(parent, L1Height(parent.height - RETARGET_INTERVAL + 1))
            judged = first if rule.first_of_period else parent
            return retarget(rule, judged.header.bits, first.header.time, parent.header.time)
        if not rule.easy_blocks:
            return parent.header.bits
        if time > parent.header.time + MIN_DIFFICULTY_GAP:
            return rule.limit_bits
        here = parent
        while (
            here.height > self._anchor_height
            and here.height % RETARGET_INTERVAL
            and here.header.bits == rule.limit_bits
        ):
            here = self._entries[here.header.previous]
        return here.header.bits

    def add(self, header: Header, now: int | None = None) -> Change:
        """Take in a header whose parent is known.

        Args:
            header: From anyone.
            now: Clock, seconds; None leaves the rule against times in the future out.

        Returns:
            What it changed; nothing where it is known already or has no more work than the tip.

        Raises:
            BadHeader: It breaks a rule, or its parent is unknown or too far below the tip.
        """
        if header.hash in self._entries:
            return Change()
        parent = self._entries.get(header.previous)
        if parent is None:
            _refuse("prev-blk-not-found", header, previous=header.previous)
        if self.tip.height - parent.height > FORK_DEPTH_MAX:
            _refuse("fork-too-deep", header, depth=self.tip.height - parent.height, limit=FORK_DEPTH_MAX)
        self._check(header, parent, now)
        entry = Entry(header, L1Height(parent.height + 1), parent.work + header.work)
        self._entries[header.hash] = entry
        return self._switch_to(entry) if entry.work > self.tip.work else Change()

    def add_many(self, headers: Sequence[Header], now: int | None = None) -> Change:
        """Take in headers in order; the change is the sum of all."""
        old = self.tip
        for header in headers:
            self.add(header, now)
        disconnected = []
        while self.at(old.height) is not old:
            disconnected.append(old)
            old = self._entries[old.header.previous]
        return Change(tuple(disconnected), tuple(self._best[old.height - self._anchor_height + 1 :]))

    def _check(self, header: Header, parent: Entry, now: int | None) -> None:
        target = decode_target(header.bits)
        if target is None or target > self._rule.limit or not header.meets_target():
            _refuse("high-hash", header, bits=header.bits)
        expected = self.next_bits(parent, header.time)
        if header.bits != expected:
            _refuse("bad-diffbits", header, bits=header.bits, expected=expected)
        median = self.median_time(parent)
        if header.time <= median:
            _refuse("time-too-old", header, time=header.time, limit=median)
        first = (parent.height + 1) % RETARGET_INTERVAL == 0
        if self._rule.first_of_period and first and header.time < parent.header.time - TIMEWARP_MAX:
            _refuse("time-timewarp-attack", header, time=header.time, limit=parent.header.time - TIMEWARP_MAX)
        if now is not None and header.time > now + FUTURE_MAX:
            _refuse("time-too-new", header, time=header.time, limit=now + FUTURE_MAX)
        least = 1 + sum(parent.height + 1 >= height for height in self._rule.version_heights)
        if header.version < least:
            _refuse("bad-version", header, version=header.version, limit=least)

    def _ancestor(self, entry: Entry, height: L1Height) -> Entry:
        here = entry
        while here.height > height:
            if self.at(here.height) is here:
                found = self.at(height)
                assert found is not None  # between the anchor and a header of the best chain
                return found
            here = self._entries[here.header.previous]
        return here

    def _switch_to(self, entry: Entry) -> Change:
        connected = [entry]
        while self.at(L1Height(connected[-1].height - 1)) is not self._entries[connected[-1].header.previous]:
            connected.append(self._entries[connected[-1].header.previous])
        keep = connected[-1].height - self._anchor_height
        disconnected = tuple(reversed(self._best[keep:]))
        connected.reverse()
        self._best[keep:] = connected
        return Change(disconnected, tuple(connected))


def _refuse(reason: str, header: Header, **fields: object) -> NoReturn:
    raise BadHeader("header breaks a rule", reason=reason, block=header.hash, **fields)
