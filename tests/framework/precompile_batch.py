"""A batch of calls of precompiles, by a contract that makes each and logs what came of it."""

from dataclasses import dataclass
from pathlib import Path

from bedroll._core._native import program_input
from tests.framework.scene import Scene

CODE = bytes.fromhex(
    # The input of this size after three words, zeros behind it; how often to call with it.
    "604035 60603603 60606000 37 602035"
    # 15: what came of it, and one time less.
    "5b 60006000 83 6000 600035 5a fa 906001900390"
    # Again, unless that was the last time.
    "81 15 602b 57 50 600f 56"
    # 43: the log is whether it went well, and what it gave.
    "5b 600052 3d 6000 6020 3e 3d602001 6000 a0 00"
)
CREATION = bytes.fromhex(f"60{len(CODE):02x}600c60003960{len(CODE):02x}6000f3") + CODE
GAS = 1_200_000
BLOCK_GAS = 24_000_000
"""Of a block's limit, so that it never runs into it."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a precompile; zeros follow `data` up to `size`, 0 for its own."""

    precompile: int
    data: bytes = b""
    size: int = 0
    times: int = 1
    gas: int = GAS

    @property
    def calldata(self) -> bytes:
        """What the contract is called with."""
        numbers = self.precompile, self.times, self.size or len(self.data)
        return b"".join(number.to_bytes(32, "big") for number in numbers) + self.data


@dataclass(frozen=True, slots=True)
class Ran:
    """The program's input for the batch, what the node states of it, and what each call gave; None: it failed."""

    given: bytes
    stated: bytes
    gave: list[bytes | None]


def ran(folder: Path, calls: list[Call]) -> Ran:
    """The batch of these calls, executed by the node."""
    scene = Scene(folder)
    ledger, key = scene.leader, scene.leader.keys[0]
    ledger.block(origin=scene.origin())
    contract = ledger.block(ledger.sign(key, to=None, data=CREATION)).receipts[-1].contract
    scene.catch_up()
    gave: list[bytes | None] = []
    nonce = first = ledger.engine.view().nonce(bytes.fromhex(key.address[2:]))
    while nonce - first < len(calls):
        raws, gas = [], 0
        while nonce - first < len(calls) and gas + calls[nonce - first].gas <= BLOCK_GAS:
            call = calls[nonce - first]
            raws.append(ledger.sign(key, to=contract, data=call.calldata, gas=call.gas, nonce=nonce))
            nonce, gas = nonce + 1, gas + call.gas
        for receipt in ledger.block(*raws).receipts:
            assert receipt.status == 1
            said = receipt.logs[0].data
            gave.append(said[32:] if said[31] else None)
    header, body = scene.header()
    given, stated = program_input(scene.prover.engine, scene.origins, header=header.encode(), body=body)
    return Ran(given, stated, gave)
