"""What is measured on one node: transactions on their way into blocks, reads, a lone sender."""

import json
import sys
import time

from load import Blast, Crowd, blast, bodies, cpu_seconds, show
from table import Figures

from bedroll.crypto.keccak import keccak256
from peer import Peer


def measure_load(node: Peer, figures: Figures, kind: str, batch: int, count: int, seed: str) -> None:
    """Send prepared transactions; the time ends when the last is in a block that survives, where that is promised."""
    crowd = Crowd(node.rpc, f"{seed}/{kind}/{batch}", node.step)
    if kind == "erc20":
        crowd.deploy()
    ready = bodies(crowd.prepare(count), batch)
    node.settle(node.rpc)
    before = cpu_seconds(node.pid)
    done = blast(node.rpc, node.pid, ready)
    check(done)
    waited, accepted = time.monotonic(), cpu_seconds(node.pid)
    crowd.wait_included(node.step)
    node.settle(node.rpc)
    seconds = done.seconds + time.monotonic() - waited
    mined, spent = cpu_seconds(node.pid) - accepted, cpu_seconds(node.pid) - before
    key = f"{kind} {'single' if batch == 1 else f'batch-{batch}'}"
    note = figures_of(figures, node)
    if node.is_held:
        note(f"{key} cpu", count / max(done.server_cpu_seconds, 0.01))
        note(f"{key} wall", count / done.seconds)
        note(f"{key} incl", count / seconds)
        note(f"{key} all", count / spent)
        note(f"{kind} mined", count / max(mined, 0.01))
    else:
        note(f"{key} flow", count / seconds)
    progress(f"{node.name:8} {key:20} {'held' if node.is_held else '':5} {count / done.seconds:8.0f}/s "
             f"{count / done.server_cpu_seconds:8.0f}/CPU s {count / seconds:8.0f} incl/s {count / spent:8.0f}/CPU s "
             f"p50 {done.p50_ms:.2f} p99 {done.p99_ms:.2f} ms  client {done.client_cpu_seconds:.2f} s")  # fmt: skip


def measure_reads(node: Peer, figures: Figures, count: int, seed: str) -> None:
    """Calls of a client that is alone, and of sixteen."""
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
    figures_of(figures, node)("loop", count / done.seconds)
    each_ms = done.server_cpu_seconds / count * 1e3
    progress(f"{node.name:8} closed loop          {count / done.seconds:.0f}/s  {each_ms:.2f} CPU ms each")


def figures_of(figures: Figures, node: Peer):
    return lambda key, value: figures[key][node.name].append(value)


def check(done: Blast) -> None:
    if done.errors:
        raise RuntimeError(f"{done.errors} of {done.answers} refused: {done.first_error}")


def progress(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
