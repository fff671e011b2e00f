"""Load: accounts with prepared transactions, the generator in C, and what the server's process used meanwhile."""

import http.client
import json
import os
import statistics
import struct
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bedroll.crypto.keccak import keccak256
from bedroll.execution.genesis import artifact
from bedroll.primitives import Address, Gas, Wei
from bedroll.sdk import DEVNET_MNEMONIC, Account
from bedroll.sdk.mnemonic import accounts_of

GWEI = 10**9
SENDERS = 100
RECIPIENTS = 1_000
CONNECTIONS = 16
MAX_FEE_WEI = Wei(500 * GWEI)
TIP_WEI = Wei(GWEI)
FUND_WEI = Wei(40 * 10**18)
TOKEN_GAS = Gas(100_000)
TICKS = os.sysconf("SC_CLK_TCK")
SOURCE = Path(__file__).with_name("blast.c")


class Rpc:
    """One keep-alive connection for everything that is not measured."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.host, self.port = parts.hostname or "127.0.0.1", parts.port or 80
        self._connection = http.client.HTTPConnection(self.host, self.port, timeout=300)

    def send(self, body: object) -> Any:
        self._connection.request("POST", "/", json.dumps(body), {"Content-Type": "application/json"})
        return json.loads(self._connection.getresponse().read())

    def __call__(self, method: str, *params: object) -> Any:
        answer = self.send({"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)})
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        return answer["result"]

    def many(self, calls: list[tuple[str, list[object]]]) -> list[Any]:
        bodies = [
            {"jsonrpc": "2.0", "id": index, "method": name, "params": params}
            for index, (name, params) in enumerate(calls)
        ]
        return [each["result"] for each in sorted(self.send(bodies), key=lambda each: each["id"])]


def cpu_seconds(pid: int) -> float:
    """CPU time of a process and all its threads, user and system."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


@dataclass
class Blast:
    """What the generator saw, and what the server spent."""

    seconds: float
    answers: int
    errors: int
    first_error: str
    server_cpu_seconds: float
    client_cpu_seconds: float
    latencies_us: list[int] = field(repr=False)

    @property
    def p50_ms(self) -> float:
        return statistics.median(self.latencies_us) / 1_000

    @property
    def p99_ms(self) -> float:
        return sorted(self.latencies_us)[int(len(self.latencies_us) * 0.99)] / 1_000


def generator() -> Path:
    """The generator, compiled if it is not or is older than its source."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "bedroll"
    program = cache / "blast"
    if not program.exists() or program.stat().st_mtime < SOURCE.stat().st_mtime:
        cache.mkdir(parents=True, exist_ok=True)
        subprocess.run(["cc", "-O2", "-o", program, SOURCE], check=True)
    return program


def blast(
    rpc: Rpc, pid: int, requests: list[tuple[int, bytes]], connections: int = CONNECTIONS, *, repeat: bool = False
) -> Blast:
    """Send bodies, each on its connection; with `repeat` every second one again until its answer is not null."""
    with tempfile.TemporaryDirectory(prefix="bench-evm-") as folder:
        bodies, latencies = Path(folder) / "bodies", Path(folder) / "latencies"
        with bodies.open("wb") as file:
            for connection, body in requests:
                file.write(struct.pack("=II", connection, len(body)) + body)
        before = cpu_seconds(pid)
        words = [
            generator(),
            rpc.host,
            str(rpc.port),
            str(connections),
            bodies,
            latencies,
            *(["repeat"] if repeat else []),
        ]
        done = subprocess.run(words, capture_output=True, text=True)
        used = cpu_seconds(pid) - before
        if done.returncode:
            raise RuntimeError(done.stderr)
        said = json.loads(done.stdout)
        raw = latencies.read_bytes()
    return Blast(
        said["seconds"], said["answers"], said["errors"], said["first_error"], used, said["cpu_seconds"],
        list(struct.unpack(f"={len(raw) // 4}I", raw)),
    )  # fmt: skip


class Crowd:
    """Senders with money, and tokens where wanted; they sign ahead."""

    def __init__(self, rpc: Rpc, seed: str, mine: Any, faucet: int = 0) -> None:
        self.rpc = rpc
        self.chain_id = int(rpc("eth_chainId"), 16)
        self.faucet = accounts_of(DEVNET_MNEMONIC, 10)[faucet]
        self.senders = [Account(keccak256(f"{seed}/{number}".encode())) for number in range(SENDERS)]
        self.recipients = [Address(keccak256(f"to/{number}".encode())[12:]) for number in range(RECIPIENTS)]
        self.nonces = [0] * SENDERS
        self._mine = mine
        self._faucet_nonce = int(rpc("eth_getTransactionCount", show(self.faucet.address), "latest"), 16)
        self._pay([(account.address, FUND_WEI, b"") for account in self.senders])
        self.token: Address | None = None

    def deploy(self) -> None:
        """Deploy a token and give every sender of it."""
        code = bytes.fromhex(str(artifact("demo_token")["creation"])[2:]) + (10**30).to_bytes(32, "big")
        self.token = self.create(code)
        self._pay([(self.token, Wei(0), transfer(account.address, 10**24)) for account in self.senders])

    def create(self, code: bytes) -> Address:
        """A contract of the faucet's."""
        (receipt,) = self._pay([(None, Wei(0), code)])
        return Address(bytes.fromhex(receipt["contractAddress"][2:]))

    def pay(self, account: Account, to: Address | None, value: Wei, data: bytes, gas: Gas) -> None:
        """Send one transaction of a sender and wait for it."""
        who = self.senders.index(account)
        raw = self._sign(account, self.nonces[who], to, value, data, gas)
        self.nonces[who] += 1
        self.rpc("eth_sendRawTransaction", show(raw))
        self.wait_included(self._mine)

    def _pay(self, payments: list[tuple[Address | None, Wei, bytes]]) -> list[Any]:
        hashes = []
        for to, value, data in payments:
            gas = Gas(21_000 if not data else TOKEN_GAS if to is not None else 3_000_000)
            raw = self._sign(self.faucet, self._faucet_nonce, to, value, data, gas)
            self._faucet_nonce += 1
            hashes.append(self.rpc("eth_sendRawTransaction", show(raw)))
        receipts: list[Any] = [None]
        deadline = time.monotonic() + 60
        while None in receipts:
            self._mine()
            receipts = self.rpc.many([("eth_getTransactionReceipt", [each]) for each in hashes])
            if time.monotonic() > deadline:
                raise TimeoutError("payments are not included")
        if any(each["status"] != "0x1" for each in receipts):
            raise RuntimeError("a payment failed")
        return receipts

    def _sign(self, account: Account, nonce: int, to: Address | None, value: Wei, data: bytes, gas: Gas) -> bytes:
        return account.sign_transaction(
            chain_id=self.chain_id, nonce=nonce, gas_limit=gas, max_fee_per_gas=MAX_FEE_WEI,
            max_priority_fee_per_gas=TIP_WEI, to=to, value=value, data=data,
        )  # fmt: skip

    def prepare(self, count: int) -> list[tuple[int, bytes]]:
        """Signed transactions, one sender after the other: (sender's number, transaction)."""
        made = []
        for number in range(count):
            who, to = number % SENDERS, self.recipients[number % RECIPIENTS]
            value = 1 + number % 7
            if self.token is None:
                raw = self._sign(self.senders[who], self.nonces[who], to, Wei(value), b"", Gas(21_000))
            else:
                call = transfer(to, value)
                raw = self._sign(self.senders[who], self.nonces[who], self.token, Wei(0), call, TOKEN_GAS)
            self.nonces[who] += 1
            made.append((who, raw))
        return made

    def wait_included(self, step: Any, seconds: float = 120) -> None:
        """Until every sender's newest transaction is in a block."""
        missing = list(range(SENDERS))
        deadline = time.monotonic() + seconds
        while missing:
            step()
            calls: list[tuple[str, list[object]]] = [
                ("eth_getTransactionCount", [show(self.senders[who].address), "latest"]) for who in missing
            ]
            found = self.rpc.many(calls)
            missing = [who for who, nonce in zip(missing, found, strict=True) if int(nonce, 16) < self.nonces[who]]
            if time.monotonic() > deadline:
                raise TimeoutError(f"transactions of {len(missing)} senders are not included")


def bodies(transactions: list[tuple[int, bytes]], batch: int) -> list[tuple[int, bytes]]:
    """JSON-RPC bodies: a sender always on the same connection, so that its nonces arrive in order."""
    calls = [
        (who % CONNECTIONS, b'{"jsonrpc":"2.0","id":%d,"method":"eth_sendRawTransaction","params":["%s"]}' % (
            number, show(raw).encode()))
        for number, (who, raw) in enumerate(transactions)
    ]  # fmt: skip
    if batch == 1:
        return calls
    rows: list[tuple[int, bytes]] = []
    for connection in range(CONNECTIONS):
        own = [body for at, body in calls if at == connection]
        rows += [(connection, b"[" + b",".join(own[at : at + batch]) + b"]") for at in range(0, len(own), batch)]
    return rows


def transfer(to: bytes, amount: int) -> bytes:
    """Call data of `transfer(address,uint256)`."""
    return bytes.fromhex("a9059cbb") + bytes(12) + to + amount.to_bytes(32, "big")


def show(raw: bytes) -> str:
    return "0x" + raw.hex()
