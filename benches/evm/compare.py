"""`make bench-evm`: this node against anvil, interleaved in one run, as a table of ratios.

Each round starts both nodes anew and runs every row on both, so that what else the machine does meets both alike.
Medians of the rounds. `per CPU s`: per second of CPU time of the server's process, all threads; `wall`: as the client
sees it, with the generator on the same machine. `accepted`: both hold their blocks (`--no-mining`). `included and
durable`: anvil mines when everything was accepted, its fastest mode, and keeps nothing; Bedroll makes blocks meanwhile,
every 0.25 s, and the time ends when the last one is on the disk. Both check every signature, nonce and balance.
"""

import argparse
import json
import os
import platform
import statistics
import sys
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import peer as peers
from load import Blast, Crowd, blast, bodies, cpu_seconds, show
from peer import Anvil, Bedroll, Peer

from bedroll.crypto.keccak import keccak256


@dataclass(frozen=True)
class Row:
    """One line of the table. `more`: whether more is better."""

    name: str
    unit: str
    target: float | None
    more: bool = True


ROWS: dict[str, Row] = {}


def row(key: str, name: str, unit: str, target: float | None, *, more: bool = True) -> None:
    ROWS[key] = Row(name, unit, target, more)


for kind in ("transfer", "erc20"):
    for mode, cpu, wall, included in (("single", 3.2, 2.5, 2.5), ("batch-100", 4.0, 3.0, 3.0)):
        row(f"{kind} {mode} cpu", f"accepted, {kind}, {mode}", "tx per CPU s", cpu)
        row(f"{kind} {mode} wall", f"accepted, {kind}, {mode}", "tx/s wall", wall)
        row(f"{kind} {mode} incl", f"included and durable, {kind}, {mode}", "tx/s wall", included)
        row(f"{kind} {mode} all", f"accepted to durable, {kind}, {mode}", "tx per CPU s", None)
row("loop", "send to receipt, closed loop", "per s", None)
for name, target in (("eth_blockNumber", None), ("eth_getBalance", 1.0), ("eth_call", 1.0)):
    row(f"{name} p50", f"{name}, 1 connection, p50", "ms", target, more=False)
    row(f"{name} cpu", f"{name}, 16 connections", "per CPU s", None)

Figures = dict[str, dict[str, list[float]]]


def measure_load(node: Peer, figures: Figures, kind: str, batch: int, count: int, seed: str, held: bool) -> None:
    crowd = Crowd(node.rpc, f"{seed}/{kind}/{batch}", node.step)
    if kind == "erc20":
        crowd.deploy()
    ready = bodies(crowd.prepare(count), batch)
    before, start = cpu_seconds(node.pid), time.monotonic()
    done = blast(node.rpc, node.pid, ready)
    check(done)
    waited = time.monotonic()
    crowd.wait_included(node.step)
    node.settle(node.rpc)
    seconds = done.seconds + time.monotonic() - waited
    key = f"{kind} {'single' if batch == 1 else f'batch-{batch}'}"
    note = figures_of(figures, node)
    if held:
        note(f"{key} cpu", count / max(done.server_cpu_seconds, 0.01))
        note(f"{key} wall", count / done.seconds)
    if not held or node.name == "anvil":
        note(f"{key} incl", count / seconds)
        note(f"{key} all", count / (cpu_seconds(node.pid) - before))
    mode = "held" if held else ""
    progress(f"{node.name:8} {key:20} {mode:5} {count / done.seconds:8.0f}/s "
             f"{count / done.server_cpu_seconds:8.0f}/CPU s {count / seconds:8.0f} incl/s  "
             f"p50 {done.p50_ms:.2f} p99 {done.p99_ms:.2f} ms  client {done.client_cpu_seconds:.2f} s  "
             f"wall {time.monotonic() - start:.1f} s")  # fmt: skip


def measure_reads(node: Peer, figures: Figures, count: int, seed: str) -> None:
    crowd = Crowd(node.rpc, f"{seed}/reads", node.step)
    crowd.deploy()
    who = show(crowd.senders[3].address)
    call = {
        "to": show(crowd.token or b""),
        "data": show(bytes.fromhex("70a08231") + bytes(12) + crowd.senders[3].address),
    }
    questions: dict[str, list[object]] = {
        "eth_blockNumber": [], "eth_getBalance": [who, "latest"], "eth_call": [call, "latest"],
    }  # fmt: skip
    note = figures_of(figures, node)
    for name, params in questions.items():
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": name, "params": params}).encode()
        blast(node.rpc, node.pid, [(0, body)] * 200, 1)
        alone = blast(node.rpc, node.pid, [(0, body)] * count, 1)
        check(alone)
        many = blast(node.rpc, node.pid, [(number, body) for number in range(10 * count)])
        check(many)
        note(f"{name} p50", alone.p50_ms)
        many_cpu = many.answers / max(many.server_cpu_seconds, 0.01)
        note(f"{name} cpu", many_cpu)
        progress(f"{node.name:8} {name:20} p50 {alone.p50_ms:.3f} p99 {alone.p99_ms:.3f} ms, "
                 f"{many_cpu:.0f}/CPU s, {many.answers / many.seconds:.0f}/s")  # fmt: skip


def measure_loop(node: Peer, figures: Figures, count: int, seed: str) -> None:
    """Send one ERC-20 transfer, ask for its receipt until it is there, send the next."""
    crowd = Crowd(node.rpc, f"{seed}/loop", lambda: None)
    crowd.deploy()
    requests: list[tuple[int, bytes]] = []
    for _, raw in crowd.prepare(count):
        for name, given in (("eth_sendRawTransaction", raw), ("eth_getTransactionReceipt", keccak256(raw))):
            call = {"jsonrpc": "2.0", "id": 1, "method": name, "params": [show(given)]}
            requests.append((0, json.dumps(call).encode()))
    done = blast(node.rpc, node.pid, requests, 1, repeat=True)
    check(done)
    seconds = done.seconds
    figures_of(figures, node)("loop", count / seconds)
    each_ms = done.server_cpu_seconds / count * 1e3
    progress(f"{node.name:8} closed loop          {count / seconds:.0f}/s  {each_ms:.2f} CPU ms each")


def figures_of(figures: Figures, node: Peer):
    return lambda key, value: figures[key][node.name].append(value)


def check(done: Blast) -> None:
    if done.errors:
        raise RuntimeError(f"{done.errors} of {done.answers} refused: {done.first_error}")


def progress(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def table(figures: Figures) -> str:
    lines = ["| what | unit | bedroll | anvil | ratio | target |", "| --- | --- | ---: | ---: | ---: | ---: |"]
    for key, row in ROWS.items():
        ours, theirs = figures[key]["bedroll"], figures[key]["anvil"]
        if not ours:
            continue
        digits = 3 if row.unit == "ms" else 0
        shown = [f"{statistics.median(each):,.{digits}f}" if each else "" for each in (ours, theirs)]
        ratio = f"{statistics.median(ours) / statistics.median(theirs):.2f}" if theirs else ""
        sign = "≥" if row.more else "≤"
        target = f"{sign} {row.target}" if row.target is not None else ""
        lines.append(f"| {row.name} | {row.unit} | {shown[0]} | {shown[1]} | {ratio} | {target} |")
    return "\n".join(lines)


def show_median(figures: list[float], digits: int) -> str:
    return f"{statistics.median(figures):,.{digits}f}" if figures else ""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--count", type=int, default=10_000, help="transactions a row")
    parser.add_argument("--quick", action="store_true", help="2 rounds of 4,000 transactions, at least")
    parser.add_argument("--only", default="load,reads,loop", help="which parts: load, reads, loop")
    parser.add_argument("--kind", default="transfer,erc20")
    parser.add_argument("--peer", default="bedroll,anvil")
    parser.add_argument("--bedroll", default="", help="further words for `bedroll devnet`")
    options = parser.parse_args()
    rounds, count = (2, 4_000) if options.quick else (options.rounds, options.count)
    parts, names = options.only.split(","), options.peer.split(",")
    peers.EXTRA = options.bedroll.split()
    figures: Figures = defaultdict(lambda: defaultdict(list))
    for number in range(rounds):
        for make, instant in ((Bedroll, lambda: Bedroll(block_time=0)), (Anvil, lambda: Anvil(instant=True))):
            if make.name not in names:
                continue
            seed = f"{number}/{time.time()}"
            for kind in options.kind.split(",") if "load" in parts else ():
                for batch in (1, 100):
                    # Each on a node of its own: what one row leaves behind is not the next one's burden.
                    for held in (True, False) if make is Bedroll else (True,):
                        with Bedroll(held=held) if make is Bedroll else Anvil() as node:
                            measure_load(node, figures, kind, batch, count, seed, held)
            if "reads" in parts:
                with make() as node:
                    measure_reads(node, figures, count // 10, seed)
            if "loop" in parts:
                with instant() as node:
                    measure_loop(node, figures, count // 20, seed)
    load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    print(f"{platform.machine()}, {os.cpu_count()} cores, load {load}; {rounds} rounds of {count:,} transactions; "
          f"anvil {peers.ANVIL_VERSION}\n")  # fmt: skip
    print(table(figures))


if __name__ == "__main__":
    main()
