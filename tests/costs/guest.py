"""What a transaction costs in the proved program: cycles of a batch of 1,000, its witness, counted by the executor.

Accounts are known to the AddressBook and chosen as workload W1 chooses them (Zipf 1.0, amounts of 1 to 4 significant
digits), of 100,000: each account more than that adds a sixteenth of a trie node to a path.
"""

import json
import random
import subprocess
import tempfile
from itertools import accumulate
from pathlib import Path

from eth_utils import keccak

from bedroll._core._native import Engine, Statement, program_input
from tests.framework.ledger import Ledger, accounts, address_of, genesis_for
from tests.framework.scene import Scene

PROGRAM = Path(__file__).parents[2] / "crates/guest/elf/batch.elf"
SETTLEMENT = Path(__file__).parents[2] / "crates/guest/elf/settlement.elf"
ACCOUNTS = 100_000
SIGNERS = 200
TRANSACTIONS = 1_000
BLOCKS = 10
MAP_SIZE_BYTES = 4 << 30
BOOK_ENTRIES = 1
"""Slot of the AddressBook's map in Vyper's layout."""


def executed(executor: Path, given: bytes, program: Path = PROGRAM) -> tuple[int, int, bytes]:
    """Cycles, exit code and public values of a program upon an input."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(given)
        file.flush()
        asked = [str(executor), str(program), file.name]
        said = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.split()
    cycles, code, *values = said
    return int(cycles), int(code), bytes.fromhex(values[0] if values else "")


def known_accounts(source: random.Random) -> list[bytes]:
    """Addresses that are funded and in the book from genesis on."""
    return [source.randbytes(20) for _ in range(ACCOUNTS)]


def genesis(known: list[bytes]) -> str:
    """Genesis with these accounts in state and AddressBook."""
    core = json.loads(genesis_for(accounts(SIGNERS)).core_json())
    named = [*map(address_of, accounts(SIGNERS)), *known]
    for address in known:
        core["alloc"]["0x" + address.hex()] = {"balance": hex(10**18)}
    book = core["alloc"][core["config"]["address_book"]].setdefault("storage", {})
    book["0x" + bytes(32).hex()] = hex(len(named))
    for index, address in enumerate(named):
        slot = keccak(BOOK_ENTRIES.to_bytes(32, "big") + bytes(12) + address)
        book["0x" + slot.hex()] = hex(index + 1)
    return json.dumps(core)


class Crowd:
    """A scene among many accounts, and draws of who pays whom."""

    def __init__(self, folder: Path) -> None:
        self.source = random.Random(1)
        self.known = known_accounts(self.source)
        self.weights = list(accumulate(1 / rank for rank in range(1, ACCOUNTS + 1)))
        self.nonces = [0] * SIGNERS
        self.scene = Scene(folder)
        core = genesis(self.known)
        for name in ("leader", "prover"):
            engine = Engine.open(str(folder / f"crowd-{name}"), core, map_size_bytes=MAP_SIZE_BYTES, sync=False)
            setattr(self.scene, name, Ledger(engine, accounts(SIGNERS)))
        self.scene.leader.block(origin=self.scene.origin())

    def draw(self) -> bytes:
        """Somebody."""
        return self.source.choices(self.known, cum_weights=self.weights)[0]

    def amount(self) -> int:
        """As people write amounts."""
        return self.source.randrange(1, 10 ** self.source.randrange(1, 5)) * 10 ** self.source.randrange(10, 14)

    def signed(self, to: bytes, data: bytes = b"", value: int = 0, gas: int = 21_000) -> bytes:
        """By the next signer."""
        signer = self.source.randrange(SIGNERS)
        nonce, self.nonces[signer] = self.nonces[signer], self.nonces[signer] + 1
        ledger = self.scene.leader
        return ledger.sign(ledger.keys[signer], to=to, data=data, value=value, nonce=nonce, gas=gas)

    def transfer(self) -> bytes:
        """A plain one."""
        return self.signed(self.draw(), value=self.amount())

    def measured(self, executor: Path, raws: list[bytes]) -> tuple[int, int]:
        """Cycles of a batch of these, and bytes of what the program is given beyond the batch."""
        self.scene.catch_up()
        for place in range(0, len(raws), len(raws) // BLOCKS):
            self.scene.leader.block(*raws[place : place + len(raws) // BLOCKS])
        header, body = self.scene.header()
        prover = self.scene.prover.engine
        given, stated = program_input(prover, self.scene.origins, header=header.encode(), body=body)
        cycles, code, values = executed(executor, given)
        assert (code, values) == (0, stated)
        assert Statement.decode(values).tip == self.scene.leader.engine.tip().hash
        return cycles, len(given) - len(body)


def guest_costs(executor: Path) -> dict[str, int]:
    """Each figure by its name in costs.toml."""
    with tempfile.TemporaryDirectory() as folder:
        crowd = Crowd(Path(folder))
        transfers = crowd.measured(executor, [crowd.transfer() for _ in range(TRANSACTIONS)])
    return {
        "transfer_cycles": round(transfers[0] / TRANSACTIONS),
        "transfer_witness_bytes": round(transfers[1] / TRANSACTIONS),
        "program_bytes": PROGRAM.stat().st_size,
    }
