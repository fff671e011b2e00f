"""A chain of L2 alone for tests of what serves it: the real engine, a block after each transaction, no Bitcoin.

It satisfies `bedroll.api.port.Backend`; origins are made up, one every call of `step`.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from bedroll.api.port import (
    BlockAdded,
    BlockRemoved,
    Carriage,
    ChainEvent,
    Condition,
    Evidence,
    FastPath,
    ForcedStatus,
    Head,
    Heads,
    L1Status,
    ObjectStatus,
    PoolStatus,
    ProofRange,
    SettlementProof,
    SyncChanged,
    SyncStatus,
    TransactionsPending,
    WriterStatus,
)
from bedroll.execution.desk import DeskOption
from bedroll.execution.engine import Engine, Origin, Sidecar, Transaction, View, decode_transaction
from bedroll.execution.genesis import Genesis
from bedroll.primitives import (
    Address,
    BlockHash,
    FeeRate,
    Hash32,
    Invalid,
    L1Height,
    L2Height,
    Satoshi,
    Unavailable,
    Wei,
)
from bedroll.protocol import REGTEST
from bedroll.sdk import DEVNET_MNEMONIC, Account, accounts_of

START = 1_700_000_000
FUNDS = Wei(10_000 * 10**18)
ANCHOR = 100


@dataclass
class SealChain:
    """A backend whose `send_transaction` seals a block at once unless `manual`."""

    engine: Engine
    accounts: list[Account]
    network = REGTEST
    role = "sequencer"
    condition = Condition.RUNNING
    manual: bool = False
    safe: int = 0
    finalized: int = 0
    sync: SyncStatus | None = None
    waiting: dict[bytes, Transaction] = field(default_factory=dict)
    origin: int = ANCHOR
    origin_hash: bytes = sha256(b"anchor").digest()
    readers: list[asyncio.Queue[ChainEvent | Unavailable]] = field(default_factory=list)

    @staticmethod
    def open(folder: Path, count: int = 4) -> "SealChain":
        """Start a chain whose first accounts of the development mnemonic are funded."""
        accounts = accounts_of(DEVNET_MNEMONIC, count)
        genesis = Genesis(
            network=REGTEST,
            anchor_height=L1Height(ANCHOR),
            anchor_hash=BlockHash(sha256(b"anchor").digest()),
            timestamp=START,
            leader_key=bytes.fromhex("79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"),
            rotation_key=bytes.fromhex("79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"),
            upgrade_key=bytes.fromhex("79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"),
            fee_recipient=Address(bytes(19) + b"\x01"),
            balances={account.address: FUNDS for account in accounts},
        )
        chain = SealChain(Engine.open(str(folder), genesis.core_json(), sync=False), accounts)
        chain.seal(step=True)
        return chain

    def next_origin(self) -> Origin:
        """A made-up L1 block on the one before: no work in it, but its hash is its header's."""
        self.origin += 1
        header = b"\0\0\0\x20" + self.origin_hash + bytes(32) + self.origin.to_bytes(12, "little")
        self.origin_hash = sha256(sha256(header).digest()).digest()
        return Origin(
            height=self.origin,
            hash=self.origin_hash,
            header=header,
            witness_root=bytes(32),
            median_time=START,
            l1_rate=2_500_000_000,
            forced=[],
        )

    def seal(self, *transactions: bytes, step: bool = False) -> None:
        """Make a block; a refused transaction raises and no block is made."""
        self.engine.begin(self.engine.tip().timestamp + 1, self.next_origin() if step else None)
        try:
            for raw in transactions:
                self.engine.add(raw)
        except Invalid:
            self.engine.abandon()
            raise
        block = self.engine.seal()
        for transaction in block.transactions:
            self.waiting.pop(transaction.hash, None)
        self.tell(BlockAdded(block))

    def unwind(self, height: int) -> None:
        """Take blocks away, as a reorganisation does."""
        gone = [self.engine.block(at) for at in range(self.engine.tip().number, height, -1)]
        self.engine.unwind_to(height)
        for block in gone:
            assert block is not None
            self.tell(BlockRemoved(block))

    def tell(self, event: ChainEvent) -> None:
        """Send an event to every subscriber."""
        for reader in self.readers:
            reader.put_nowait(event)

    # --- the port -----------------------------------------------------------------------------------

    async def make_block(self) -> None:
        """Make a block."""
        self.seal()

    def fast_path(self, option: DeskOption) -> FastPath | None:
        """None: the node has one."""
        return None

    @property
    def keeps_all_state(self) -> bool:
        """Nothing is ever pruned."""
        return True

    def heads(self) -> Heads:
        """The classes of blocks now."""
        tip = self.engine.tip()
        latest, safe, finalized = (
            Head(L2Height(height), Hash32(self.engine.header(height).hash))
            for height in (tip.number, self.safe, self.finalized)
        )
        return Heads(latest=latest, committed=safe, safe=safe, finalized=finalized, durable=safe)

    def pending_view(self) -> View:
        """State inside the open block."""
        return self.engine.pending()

    async def send_transaction(self, raw: bytes) -> Hash32:
        """Take a signed transaction."""
        transaction = decode_transaction(raw)
        self.waiting[transaction.hash] = transaction
        self.tell(TransactionsPending([transaction]))
        if not self.manual:
            try:
                self.seal(raw)
            finally:
                self.waiting.pop(transaction.hash, None)
        return Hash32(transaction.hash)

    async def send_transactions(self, raws: Sequence[bytes]) -> list[Hash32 | Invalid]:
        """The same for many."""
        answers: list[Hash32 | Invalid] = []
        for raw in raws:
            try:
                answers.append(await self.send_transaction(raw))
            except Invalid as error:
                answers.append(error)
        return answers

    def pending_nonce(self, sender: Address) -> int:
        """Next nonce after what waits."""
        nonce = self.engine.view().nonce(sender)
        return max([nonce, *(one.nonce + 1 for one in self.waiting.values() if one.sender == sender)])

    def pool_status(self) -> PoolStatus:
        """Counts of what waits."""
        return PoolStatus(len(self.waiting), 0, sum(len(one.raw) for one in self.waiting.values()))

    def pool_transaction(self, hash: Hash32) -> Transaction | None:
        """A transaction that waits."""
        return self.waiting.get(hash)

    def pool_sidecar(self, hash: Hash32) -> Sidecar | None:
        """None: no transaction of this chain has blobs."""
        del hash
        return None

    def pool_account(self, sender: Address) -> tuple[list[Transaction], list[Transaction]]:
        """What waits of one sender: a run of nonces, and what lies beyond a gap."""
        rows = sorted((one for one in self.waiting.values() if one.sender == sender), key=lambda one: one.nonce)
        start = self.engine.view().nonce(sender)
        pending = [one for place, one in enumerate(rows) if one.nonce == start + place]
        return pending, rows[len(pending) :]

    def pool_senders(self, first: Address, count: int) -> list[Address]:
        """Senders of what waits, in order."""
        return sorted({Address(one.sender) for one in self.waiting.values() if one.sender >= first})[:count]

    def pool_content(self) -> dict[Address, tuple[list[Transaction], list[Transaction]]]:
        """What waits, by sender."""
        content: dict[Address, tuple[list[Transaction], list[Transaction]]] = {}
        for one in self.waiting.values():
            content.setdefault(Address(one.sender), ([], []))[0].append(one)
        return content

    def l1_status(self) -> L1Status:
        """A made-up Bitcoin."""
        tip = L1Height(self.origin)
        return L1Status(True, "", tip, BlockHash(bytes(range(32))), tip, tip, 1.25)

    def sync_status(self) -> SyncStatus | None:
        """What the test set."""
        return self.sync

    def writer_status(self) -> WriterStatus | None:
        """An idle writer."""
        return WriterStatus(0, 0, 0.0, FeeRate(1_000), Satoshi(0), "")

    def object_status(self, id: Hash32) -> ObjectStatus | None:
        """One rejected batch."""
        if id != bytes(32):
            return None
        return ObjectStatus(id, "batch", "rejected", "wrong parent", L1Height(7), (bytes(range(32)),), None, None)

    def batch_of(self, height: L2Height) -> ObjectStatus | None:
        """One batch over all safe blocks."""
        if height > self.safe:
            return None
        name = Hash32(bytes(31) + b"\x01")
        return ObjectStatus(name, "batch", "accepted", "", L1Height(9), (), L2Height(1), L2Height(self.safe))

    async def proof_range(self, height: L2Height) -> ProofRange | None:
        del height
        return None

    def carriage_of(self, height: L2Height) -> Carriage | None:
        """One transaction carries all safe blocks but the first."""
        if not 0 < height <= self.safe:
            return None
        return Carriage(Hash32(bytes(31) + b"\x01"), bytes(range(32)), L1Height(9))

    def forced_status(self, id: Hash32) -> ForcedStatus:
        """Nothing is known."""
        return ForcedStatus(id, "unknown", None, None, None, None, None)

    def submit_proof(self, raw: bytes, posts: bool = True) -> Hash32:
        del posts
        return Hash32(sha256(raw).digest())

    async def settlement_proof(self) -> SettlementProof | None:
        """A short one."""
        return SettlementProof(
            l1_height=L1Height(ANCHOR + 1),
            l1_hash=BlockHash(bytes(31) + b"\x01"),
            l2_height=L2Height(0),
            l2_hash=Hash32(bytes(31) + b"\x02"),
            object_id=None,
            file=b"BEDROLL",
        )

    def evidence(self, leader: bytes | None = None) -> list[Evidence]:
        """One contradiction of one leader."""
        if leader != bytes(32):
            return []
        return [Evidence(L1Height(5), bytes(32), b"\x01" * 32, b"\x02" * 32, b"\x03" * 32, b"\x04" * 32)]

    def health(self) -> dict[str, object]:
        """Plain values."""
        return {"condition": str(self.condition), "healthy": self.condition is Condition.RUNNING}

    def metrics_text(self) -> bytes:
        """One metric."""
        return b"bedroll_test_up 1\n"

    async def subscribe(self) -> AsyncIterator[ChainEvent]:
        """All events from now on."""
        events: asyncio.Queue[ChainEvent | Unavailable] = asyncio.Queue()
        self.readers.append(events)
        try:
            while True:
                event = await events.get()
                if isinstance(event, Unavailable):
                    raise event
                yield event
        finally:
            self.readers.remove(events)

    def lose_events(self) -> None:
        """Tell every reader that it was too slow."""
        for reader in self.readers:
            reader.put_nowait(Unavailable("the subscriber is too slow"))

    async def mine(self, count: int) -> list[BlockHash]:
        """Take new origins."""
        for _ in range(count):
            self.seal(step=True)
        return [BlockHash(bytes(32))] * count

    def change_sync(self, sync: SyncStatus | None) -> None:
        """Fall behind, or catch up."""
        self.sync = sync
        self.tell(SyncChanged(sync))
