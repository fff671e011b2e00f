"""What a transaction costs in the proved program: cycles of a batch of 1,000, its witness, counted by the executor.

Accounts are chosen as workload W1 chooses them (Zipf 1.0, amounts of 1 to 4 significant digits), of 100,000: each
account more than that adds a sixteenth of a trie node to a path. Those that a batch names are known to the AddressBook,
whose trie has as many entries; an account has a balance of the token. Both forms of a batch are counted: of the signed
one the program hashes the signatures with the body, of the proven one they are private input and part of the witness.
"""

import json
import random
import subprocess
import tempfile
from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import Path

from eth_utils import keccak

from bedroll._core._native import Engine, Statement, program_input
from bedroll.da import BatchForm
from bedroll.execution.genesis import runtime_code
from tests.framework.ledger import Ledger, accounts, address_of, genesis_for, selector
from tests.framework.scene import Scene
from tests.framework.settled_groth16 import TRUE, Groth16Settlement

PROGRAM = Path(__file__).parents[2] / "crates/guest/elf/batch.elf"
SETTLEMENT = Path(__file__).parents[2] / "crates/guest/elf/settlement.elf"
ACCOUNTS = 100_000
SIGNERS = 200
TRANSACTIONS = 1_000
BLOCKS = 10
MAP_SIZE_BYTES = 4 << 30
BOOK_ENTRIES = 1
"""Slot of the AddressBook's map in Vyper's layout."""
TOKEN = b"\x70" * 20
TOKEN_BALANCES = 1
"""Slot of the token's balances."""
TRANSFER = selector("transfer(address,uint256)")
TOKEN_GAS = 100_000


def executed(executor: Path, given: bytes, program: Path = PROGRAM) -> tuple[int, int, bytes]:
    """Cycles, exit code and public values of a program upon an input."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(given)
        file.flush()
        asked = [str(executor), str(program), file.name]
        said = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.split()
    cycles, code, *values = said
    return int(cycles), int(code), bytes.fromhex(values[0] if values else "")


def map_slot(place: int, key: bytes) -> str:
    """Slot of an address in a map of Vyper's layout, as hexadecimal."""
    return "0x" + keccak(place.to_bytes(32, "big") + bytes(12) + key).hex()


def word(value: bytes | int) -> bytes:
    """32 bytes of an address or a number."""
    return value.to_bytes(32, "big") if isinstance(value, int) else value.rjust(32, b"\0")


def genesis(known: list[bytes], strangers: list[bytes]) -> str:
    """Genesis with these accounts, who hold coins and tokens, and a book with entries of others beyond its length."""
    core = json.loads(genesis_for(accounts(SIGNERS)).core_json())
    alloc = core["alloc"]
    holders = [*map(address_of, accounts(SIGNERS)), *known]
    for address in known:
        alloc["0x" + address.hex()] = {"balance": hex(10**18)}
    book = alloc[core["config"]["address_book"]].setdefault("storage", {})
    for index, address in enumerate(strangers):
        book[map_slot(BOOK_ENTRIES, address)] = hex(len(holders) + index)
    balances = {map_slot(TOKEN_BALANCES, address): hex(10**24) for address in holders}
    alloc["0x" + TOKEN.hex()] = {"balance": "0x0", "code": runtime_code("demo_token"), "storage": balances}
    return json.dumps(core)


@dataclass(frozen=True, slots=True)
class Price:
    """Means over a batch's transactions."""

    cycles: int
    witness_bytes: int


class Crowd:
    """A scene among many accounts, and draws of who pays whom."""

    def __init__(self, folder: Path) -> None:
        self.source = random.Random(1)
        self.known = [self.source.randbytes(20) for _ in range(ACCOUNTS)]
        self.weights = list(accumulate(1 / rank for rank in range(1, ACCOUNTS + 1)))
        self.nonces = [0] * SIGNERS
        self.scene = Scene(folder)
        core = genesis(self.known, [self.source.randbytes(20) for _ in range(ACCOUNTS)])
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

    def signed(self, signer: int, to: bytes, data: bytes = b"", value: int = 0, gas: int = 21_000) -> bytes:
        """A transaction of one of the signers."""
        nonce, self.nonces[signer] = self.nonces[signer], self.nonces[signer] + 1
        ledger = self.scene.leader
        return ledger.sign(ledger.keys[signer], to=to, data=data, value=value, nonce=nonce, gas=gas)

    def introduce(self, others: set[bytes]) -> None:
        """Let the AddressBook take in these and every signer."""
        named = sorted(others)
        raws = [self.signed(at % SIGNERS, address, value=1) for at, address in enumerate(named)]
        self.blocks(raws)

    def blocks(self, raws: list[bytes]) -> None:
        """Ten blocks of these."""
        size = -(-len(raws) // BLOCKS)
        for place in range(0, len(raws), size):
            self.scene.leader.block(*raws[place : place + size])

    def transfers(self, tokens: bool = False) -> list[bytes]:
        """Plain ones, or of the token."""
        drawn = [(self.source.randrange(SIGNERS), self.draw(), self.amount()) for _ in range(TRANSACTIONS)]
        self.introduce({to for _, to, _ in drawn} | ({TOKEN} if tokens else set()))
        if not tokens:
            return [self.signed(signer, to, value=amount) for signer, to, amount in drawn]
        return [
            self.signed(signer, TOKEN, data=TRANSFER + word(to) + word(amount), gas=TOKEN_GAS)
            for signer, to, amount in drawn
        ]

    def batch(self, tokens: bool = False) -> None:
        """A batch of transfers upon the state that the scene's prover has."""
        raws = self.transfers(tokens)
        self.scene.catch_up()
        self.blocks(raws)

    def given(self, form: BatchForm) -> tuple[bytes, bytes, int]:
        """The program's input for the batch in a form, what it states, and bytes of the batch's body."""
        header, body = self.scene.header(form=form)
        signatures = b"".join(self.scene.signatures()) if form is BatchForm.PROVEN else b""
        prover = self.scene.prover.engine
        given, stated = program_input(
            prover, self.scene.origins, header=header.encode(), body=body, signatures=signatures
        )
        return given, stated, len(body)

    def measured(self, executor: Path) -> dict[str, Price]:
        """Cycles of the batch by its form, and bytes of what the program is given beyond the batch as posted."""
        found = {}
        for form in BatchForm:
            given, stated, body_bytes = self.given(form)
            cycles, code, values = executed(executor, given)
            assert (code, values) == (0, stated)
            assert Statement.decode(values).tip == self.scene.leader.engine.tip().hash
            found[form.name.lower()] = Price(
                cycles=round(cycles / TRANSACTIONS),
                witness_bytes=round((len(given) - body_bytes) / TRANSACTIONS),
            )
        return found


def sample(form: BatchForm = BatchForm.PROVEN) -> bytes:
    """The program's input for the batch of plain transfers that the costs are of."""
    with tempfile.TemporaryDirectory() as folder:
        crowd = Crowd(Path(folder))
        crowd.batch()
        return crowd.given(form)[0]


def settlement_costs(executor: Path) -> dict[str, int]:
    """Cycles of the settlement program for a posted Groth16 proof that holds, and for one that proves nothing."""
    a, c = TRUE.proof[100:164], TRUE.proof[292:]
    posted = {
        # Refused by its first four bytes.
        "nothing": replace(TRUE, proof=bytes(4) + TRUE.proof[4:]),
        "groth16": TRUE,
        "junk_groth16": replace(TRUE, proof=TRUE.proof[:100] + c + TRUE.proof[164:292] + a),
    }
    cycles = {}
    with tempfile.TemporaryDirectory() as folder:
        settlement = Groth16Settlement(Path(folder))
        for name, proof in posted.items():
            step, _ = settlement.run(proof)
            cycles[name], code, values = executed(executor, step.input, SETTLEMENT)
            assert (code, values) == (0, step.statement)
        settlement.close()
    least = cycles.pop("nothing")
    return {f"settlement_{name}_cycles": took - least for name, took in cycles.items()}


def guest_costs(executor: Path) -> dict[str, int]:
    """Each figure by its name in costs.toml."""
    found = {}
    for name in ("transfer", "token"):
        with tempfile.TemporaryDirectory() as folder:
            crowd = Crowd(Path(folder))
            crowd.batch(tokens=name == "token")
            priced = crowd.measured(executor)
        for form, price in priced.items():
            found[f"{name}_{form}_cycles"] = price.cycles
            found[f"{name}_{form}_witness_bytes"] = price.witness_bytes
    return found | {"program_bytes": PROGRAM.stat().st_size} | settlement_costs(executor)
