"""What is asked of a chain that has been there for a while, and of its virtual machine: logs, loops."""

import json
import time

from load import TOKEN_GAS, Crowd, Rpc, blast, bodies, show, transfer
from measure import check, progress
from table import Figures

from bedroll.crypto.keccak import keccak256
from bedroll.primitives import Address, Gas, Wei
from peer import Peer

BLOCKS = 10_000
HITS = 9_900
"""A little less than the blocks: some of ours only begin a new origin."""
RARE_HITS = 5
TRANSFER = keccak256(b"Transfer(address,address,uint256)")
RARE = Address(b"\x5e" * 20)
CALL_GAS = 25_000_000
ARITHMETIC = bytes.fromhex("8080028101600718" + "50")
"""Duplicate twice, multiply, add, xor, drop."""
KECCAK = bytes.fromhex("60205f205f52")
"""Hash the first word of memory into itself."""
LOOPS = {"arithmetic": (ARITHMETIC, 300_000), "keccak": (KECCAK, 200_000)}


def measure_logs(node: Peer, figures: Figures, seed: str) -> None:
    """A sparse and a dense query over as many blocks, a transfer of a token in each."""
    crowd = Crowd(node.rpc, f"{seed}/logs", lambda: None)
    crowd.deploy()
    first = height(node.rpc) + 1
    for part in range(RARE_HITS):
        # The rare ones lie between thousands of others, not together.
        mine(node, crowd, (HITS - RARE_HITS) // RARE_HITS)
        crowd.pay(crowd.senders[part], crowd.token, Wei(0), transfer(RARE, 1), TOKEN_GAS)
    last = first + BLOCKS - 1
    if node.name == "anvil" and height(node.rpc) < last:
        # It puts several transactions into a block where they come fast.
        node.rpc("anvil_mine", hex(last - height(node.rpc)))
    while height(node.rpc) < last:
        crowd.pay(crowd.senders[9], crowd.recipients[0], Wei(1), b"", Gas(21_000))
    node.settle(node.rpc)
    asked = {"fromBlock": hex(first), "toBlock": hex(last), "address": show(crowd.token or b"")}
    rare = show(bytes(12) + RARE)
    for key, topics, hits, repeat in (
        ("logs sparse", [show(TRANSFER), None, rare], RARE_HITS, 200),
        ("logs dense", [show(TRANSFER)], HITS, 15),
    ):
        found = node.rpc("eth_getLogs", {**asked, "topics": topics})
        if len(found) != hits:
            raise RuntimeError(f"{node.name}: {len(found)} logs instead of {hits}")
        body = call_body("eth_getLogs", {**asked, "topics": topics})
        note(node, figures, key, blast(node.rpc, node.pid, [(0, body)] * repeat, 1).p50_ms, "ms p50")


def mine(node: Peer, crowd: Crowd, count: int) -> None:
    done = blast(node.rpc, node.pid, bodies(crowd.prepare(count), 1), 1)
    check(done)
    # It takes a while: what is asked meanwhile counts against the client's budget.
    crowd.wait_included(lambda: time.sleep(0.05), 900)


def height(rpc: Rpc) -> int:
    return int(rpc("eth_blockNumber"), 16)


def measure_loops(node: Peer, figures: Figures, seed: str) -> None:
    """Calls that run for tens of milliseconds: the virtual machine's own speed, as a client has it."""
    crowd = Crowd(node.rpc, f"{seed}/loops", node.step)
    for key, (work, rounds) in LOOPS.items():
        contract = crowd.create(initcode(loop(work, rounds)))
        call = {"to": show(contract), "gas": hex(CALL_GAS)}
        used = int(node.rpc("eth_estimateGas", {"to": show(contract)}), 16) - 21_000
        body = call_body("eth_call", call, "latest")
        done = blast(node.rpc, node.pid, [(0, body)] * 30, 1)
        check(done)
        note(node, figures, key, used / 1e3 / done.p50_ms, f"M gas/s ({used:,} gas)")
        note(node, figures, f"{key} cpu", 30 * used / 1e6 / done.server_cpu_seconds, "M gas/CPU s")


def loop(work: bytes, rounds: int) -> bytes:
    """Code that does `work` so many times and returns a word."""
    begin = b"\x62" + rounds.to_bytes(3, "big") + b"\x5b"
    # Count down, go back behind the counter while it is not zero.
    step = bytes.fromhex("60019003") + b"\x80\x60" + bytes([len(begin) - 1]) + b"\x57"
    return begin + work + step + bytes.fromhex("5f5260205ff3")


def initcode(code: bytes) -> bytes:
    """Code that creates a contract of `code`."""
    return bytes([0x60, len(code), 0x80, 0x60, 0x0A, 0x5F, 0x39, 0x5F, 0xF3, 0x00]) + code


def call_body(method: str, *params: object) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()


def note(node: Peer, figures: Figures, key: str, value: float, unit: str) -> None:
    figures[key][node.name].append(value)
    progress(f"{node.name:8} {key:20} {value:.3f} {unit}")
