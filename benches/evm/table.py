"""The rows that are measured, their targets, and the table."""

import statistics
from collections import defaultdict
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes:
        target: Ratio to the peer that is wanted.
        more: Whether more is better.
        bound: Value that is wanted, whatever the peer's is.
    """

    name: str
    unit: str
    target: float | None
    more: bool = True
    bound: float | None = None

    def wanted(self) -> str:
        """The target's cell."""
        sign = "≥" if self.more else "≤"
        shown = [f"{sign} {self.target}×"] if self.target is not None else []
        if self.bound is not None:
            shown.append(f"{sign} {self.bound:,g} {self.unit}")
        return ", ".join(shown)


Figures = dict[str, dict[str, list[float]]]
"""By row and peer, one of each round."""

ROWS: dict[str, Row] = {}


def new_figures() -> Figures:
    return defaultdict(lambda: defaultdict(list))


def row(key: str, name: str, unit: str, target: float | None = None, **more: object) -> None:
    ROWS[key] = Row(name, unit, target, **more)


for kind in ("transfer", "erc20"):
    for mode, cpu, wall, included in (("single", 3.2, 2.5, 2.5), ("batch-100", 4.0, 3.0, 3.0)):
        row(f"{kind} {mode} cpu", f"accepted, {kind}, {mode}", "tx per CPU s", cpu)
        row(f"{kind} {mode} wall", f"accepted, {kind}, {mode}", "tx/s wall", wall)
        row(f"{kind} {mode} incl", f"included (ours durable), {kind}, {mode}, blocks at the end", "tx/s wall", included)
        row(f"{kind} {mode} flow", f"included (ours durable), {kind}, {mode}, a block every 0.25 s", "tx/s wall")
        row(f"{kind} {mode} all", f"sent to included, {kind}, {mode}, blocks at the end", "tx per CPU s")
    row(f"{kind} mined", f"full blocks of waiting {kind}s (ours durable)", "tx per CPU s", 1.0)
row("loop", "send to receipt, closed loop", "per s", bound=1_000)
for name, target in (("eth_blockNumber", None), ("eth_getBalance", 1.0), ("eth_call", 1.0)):
    row(f"{name} p50", f"{name}, 1 connection, p50", "ms", target, more=False)
    row(f"{name} cpu", f"{name}, 16 connections", "per CPU s")
row("logs sparse", "eth_getLogs, 10,000 blocks, 5 hits, p50", "ms", more=False, bound=0.5)
row("logs dense", "eth_getLogs, 10,000 blocks, 9,900 hits, p50", "ms", more=False, bound=60)
for name in ("arithmetic", "keccak"):
    row(name, f"eth_call, loop of {name}", "M gas/s wall", 1.0)
    row(f"{name} cpu", f"eth_call, loop of {name}", "M gas per CPU s", 1.0)


def table(figures: Figures) -> str:
    lines = ["| what | unit | bedroll | anvil | ratio | target |", "| --- | --- | ---: | ---: | ---: | ---: |"]
    for key, row in ROWS.items():
        ours, theirs = figures[key]["bedroll"], figures[key]["anvil"]
        if not ours and not theirs:
            continue
        digits = 3 if row.unit == "ms" else 0
        shown = [f"{statistics.median(each):,.{digits}f}" if each else "" for each in (ours, theirs)]
        ratio = f"{statistics.median(ours) / statistics.median(theirs):.2f}" if ours and theirs else ""
        lines.append(f"| {row.name} | {row.unit} | {shown[0]} | {shown[1]} | {ratio} | {row.wanted()} |")
    return "\n".join(lines)
