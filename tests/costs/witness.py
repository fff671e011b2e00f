"""What a transfer's witness takes on workload W1's whole batch, as the design counts it.

20,000 transfers among a million accounts, one hour of blocks; the account trie and all else, and apart the AddressBook.

The book's trie has an entry for each of the million; those that the batch names came in by transfers before it.
"""

import json
import random
import tempfile
from dataclasses import dataclass
from pathlib import Path

import rlp
from eth_utils import keccak

from bedroll._core._native import Engine, program_input
from bedroll.da import BatchForm
from bedroll.primitives import Gas, Wei
from bedroll.protocol import REGTEST
from bedroll.sdk.account import Account
from tests.framework.ledger import Ledger, accounts, genesis_for
from tests.framework.scene import Scene

from .guest import BOOK_ENTRIES, MAP_SIZE_BYTES, map_slot, word
from .workload import ACCOUNTS, BLOCKS, TRANSACTIONS, Zipf

FEE = Wei(10**12)
BALANCE = hex(10**24)
INTRODUCED_A_BLOCK = 500


@dataclass(frozen=True, slots=True)
class Witness:
    """Bytes a transfer, of the proven form: signatures are among them."""

    book_bytes: int
    other_bytes: int


class Payer(Account):
    """An account that remembers its nonce."""

    nonce = 0

    def pay(self, to: bytes, value: int) -> bytes:
        """A signed transfer."""
        nonce, self.nonce = self.nonce, self.nonce + 1
        return self.sign_transaction(
            chain_id=REGTEST.chain_id, nonce=nonce, gas_limit=Gas(21_000), max_fee_per_gas=FEE,
            max_priority_fee_per_gas=Wei(0), to=to, value=Wei(value), data=b"",
        )  # fmt: skip


def opened(folder: Path, core: str) -> Ledger:
    """An engine at block 0."""
    return Ledger(Engine.open(str(folder), core, map_size_bytes=MAP_SIZE_BYTES, sync=False), [])


def hour_witness() -> Witness:
    """Make the batch upon its million accounts and count what the program is given."""
    source, crowd = random.Random(1), Zipf(ACCOUNTS, 1.0)
    drawn = [(crowd.draw(source), crowd.draw(source)) for _ in range(TRANSACTIONS)]
    payers = {sender: Payer(word(1 + sender)) for sender, _ in drawn}
    people = [payers[rank].address if rank in payers else source.randbytes(20) for rank in range(ACCOUNTS)]
    named = sorted({rank for pair in drawn for rank in pair})
    core = json.loads(genesis_for(accounts(1)).core_json())
    host = Payer(word(1 << 128))
    core["alloc"] |= {"0x" + address.hex(): {"balance": BALANCE} for address in [*people, host.address]}
    book_address = core["config"]["address_book"]
    strangers = set(range(ACCOUNTS)).difference(named)
    entries = {map_slot(BOOK_ENTRIES, people[rank]): hex(ACCOUNTS + rank) for rank in strangers}
    core["alloc"][book_address].setdefault("storage", {}).update(entries)
    text = json.dumps(core)
    with tempfile.TemporaryDirectory() as folder:
        scene = Scene(Path(folder))
        scene.leader, scene.prover = (opened(Path(folder) / name, text) for name in ("hour-leader", "hour-prover"))
        scene.leader.block(origin=scene.origin())
        for start in range(0, len(named), INTRODUCED_A_BLOCK):
            ranks = named[start : start + INTRODUCED_A_BLOCK]
            scene.leader.block(*(host.pay(people[rank], 1) for rank in ranks))
        scene.catch_up()
        raws = [payers[sender].pay(people[to], source.randrange(1, 10_000) * 10**12) for sender, to in drawn]
        for number in range(BLOCKS):
            begin, end = ((number + at) * TRANSACTIONS // BLOCKS for at in (0, 1))
            scene.leader.block(*raws[begin:end])
        header, body = scene.header(form=BatchForm.PROVEN)
        given, _ = program_input(
            scene.prover.engine, scene.origins, header=header.encode(), body=body,
            signatures=b"".join(scene.signatures()),
        )  # fmt: skip
    return counted(given, len(body), bytes.fromhex(book_address[2:]))


def counted(given: bytes, body_bytes: int, book: bytes) -> Witness:
    """Split an input of the program (docs/spec/proof.md#input)."""
    *_, witness = rlp.decode(given)
    _, storages, _, _, entries = witness
    of_book = sum(len(rlp.encode(part)) for part in storages if part[0] == keccak(book)) + len(rlp.encode(entries))
    whole = len(given) - body_bytes
    return Witness(book_bytes=round(of_book / TRANSACTIONS), other_bytes=round((whole - of_book) / TRANSACTIONS))
