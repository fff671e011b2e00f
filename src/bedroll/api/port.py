"""What a running node offers to whoever serves or drives it: JSON-RPC, command line, demo, tests.

Reads: nothing.  Gives: the port `Backend` and the values it speaks in.
Never: opens, derives or sends anything itself.  Spec: docs/spec/node.md#backend

A port belongs to its consumer: this one to the API, and the node satisfies it.
"""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from bedroll.execution.desk import DeskOption, TransactionList
from bedroll.execution.engine import Block, Engine, Sidecar, Transaction, View
from bedroll.primitives import Address, BlockHash, FeeRate, Hash32, Invalid, L1Height, L2Height, Satoshi
from bedroll.protocol import Network


@dataclass(frozen=True, slots=True)
class Head:
    """A block of this chain by height and hash."""

    height: L2Height
    hash: Hash32


@dataclass(frozen=True, slots=True)
class Heads:
    """The three classes of blocks (protocol.md 4.1).

    Attributes:
        latest: Newest block the node holds: the leader's signed one, or the derived tip where no stream is followed.
        committed: Newest block that a commitment of the leader on Bitcoin names; never above `latest`.
        safe: Newest block derived from Bitcoin.
        finalized: Newest block derived from Bitcoin at finality depth.
        durable: Newest block that survives a power loss here.
    """

    latest: Head
    committed: Head
    safe: Head
    finalized: Head
    durable: Head


class Condition(StrEnum):
    """State of the node in one word; `/healthz` is green for the first two."""

    STARTING = "starting"
    RUNNING = "running"
    SYNCING = "syncing"
    L1_UNAVAILABLE = "l1_unavailable"
    L1_STALLED = "l1_stalled"
    THROTTLED = "throttled"
    UPGRADE_REQUIRED = "upgrade_required"
    DIVERGED = "diverged"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class L1Status:
    """What the node knows of Bitcoin.

    Attributes:
        reachable: Whether the last call was answered; `reason` says why not.
        tip_height, tip_hash: Newest block seen (internal order).
        derived_height: Up to which derivation has read.
        finalized_height: tip_height − C, not below the anchor.
        seconds_since_block: Since the tip changed, by the node's monotonic clock.
    """

    reachable: bool
    reason: str
    tip_height: L1Height
    tip_hash: BlockHash
    derived_height: L1Height
    finalized_height: L1Height
    seconds_since_block: float


@dataclass(frozen=True, slots=True)
class SyncStatus:
    """How far a node that is behind has come; None is given where it is not behind.

    Attributes:
        starting_l1, current_l1, highest_l1: L1 heights: where this run began, where it is, where it must go.
        current_block: L2 height derived so far.
    """

    starting_l1: L1Height
    current_l1: L1Height
    highest_l1: L1Height
    current_block: L2Height


@dataclass(frozen=True, slots=True)
class PoolStatus:
    """Counts of the mempool: executable or executed in the open block, waiting for a nonce, bytes of both."""

    pending: int
    queued: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class ObjectStatus:
    """What became of an object on Bitcoin, or of one on its way there.

    Attributes:
        id: SHA-256 of the object.
        kind: "batch", "commitment", "forced", "chunk", "rotate", …
        state: "queued", "broadcast", "confirmed" (writer's view); "accepted", "pending", "rejected" (derivation's).
        reason: Why it was rejected, or what it waits for; empty otherwise.
        l1_height: Of the block that holds it.
        txids: Transactions that carry it, internal order (commit and reveal for own ones).
        first_height, last_height: L2 blocks of a batch or commitment.
    """

    id: Hash32
    kind: str
    state: str
    reason: str
    l1_height: L1Height | None
    txids: tuple[bytes, ...]
    first_height: L2Height | None
    last_height: L2Height | None


@dataclass(frozen=True, slots=True)
class Carriage:
    """The transaction on Bitcoin that brought a block into the derived chain.

    Attributes:
        object_id: SHA-256 of the batch.
        txid: Of the (last) transaction that carries it, internal order.
        l1_height: Of its block.
    """

    object_id: Hash32
    txid: bytes
    l1_height: L1Height


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofRange:
    """Blocks that one proof covers: of a batch that is derived or waits for its proof, or automatic ones.

    Attributes:
        first, last: Heights of the blocks.
        object_id: Of the batch; None of automatic blocks.
        given: Input of the proved program; None where the batch was judged by its proof.
        stated: Its public values; None likewise.
        waits: Whether it is a batch that waits for its proof.
    """

    first: L2Height
    last: L2Height
    object_id: Hash32 | None
    given: bytes | None = None
    stated: bytes | None = None
    waits: bool = False


@dataclass(frozen=True, slots=True)
class Evidence:
    """Two words of one leader on Bitcoin that contradict each other; a slashing contract's matter.

    Attributes:
        l1_height: At which it came to light.
        leader: x-only key.
        first, second: Object ids of a commitment, and of another commitment or a batch.
        promised, other: The two L2 hashes for one position.
    """

    l1_height: L1Height
    leader: bytes
    first: bytes
    second: bytes
    promised: bytes
    other: bytes


@dataclass(frozen=True, slots=True)
class ForcedStatus:
    """What became of a forced message.

    Attributes:
        id: SHA-256("forced" ‖ network ‖ wtxid).
        state: "unknown", "seen" (not yet an origin), "waiting" (in the queue), "executed", "reverted", "skipped",
            "superseded" (skipped, its transaction is in the chain already), "ineligible".
        l1_height: Of the block that holds it.
        queue_index: Its place in the queue once it is there.
        l2_height: Block in which it ended.
        transaction_hash: Ethereum hash of its payload where that decodes.
        deadline_l1_height: By this L1 height it has ended, whatever the leader does.
    """

    id: Hash32
    state: str
    l1_height: L1Height | None
    queue_index: int | None
    l2_height: L2Height | None
    transaction_hash: Hash32 | None
    deadline_l1_height: L1Height | None


@dataclass(frozen=True, slots=True)
class WriterStatus:
    """The sequencer's queue to Bitcoin.

    Attributes:
        waiting, unconfirmed: Objects not yet sent, and sent but not in a block.
        oldest_seconds: Age of the oldest of both.
        fee_rate: Last rate used, sat a 1,000 vB.
        spent_sat: Fees of confirmed transactions since the store was made.
        reason: What it waits for ("", "no coins", "fee cap", …).
    """

    waiting: int
    unconfirmed: int
    oldest_seconds: float
    fee_rate: FeeRate
    spent_sat: Satoshi
    reason: str


@dataclass(frozen=True, slots=True)
class BlockAdded:
    """A block became the tip. Blocks come in order, each after its parent."""

    block: Block


@dataclass(frozen=True, slots=True)
class BlockRemoved:
    """The tip left the chain: its logs are to be sent again with `removed`. Newest first."""

    block: Block


@dataclass(frozen=True, slots=True)
class TransactionsPending:
    """The mempool took transactions; they are looked at only where somebody wants to know."""

    transactions: Iterable[Transaction]


@dataclass(frozen=True, slots=True)
class HeadsMoved:
    """`committed`, `safe`, `finalized` or `durable` changed."""

    heads: Heads


@dataclass(frozen=True, slots=True)
class SyncChanged:
    """The node fell behind (a status) or caught up (None)."""

    sync: SyncStatus | None


ChainEvent = BlockAdded | BlockRemoved | TransactionsPending | HeadsMoved | SyncChanged


@dataclass(frozen=True, slots=True, kw_only=True)
class SettlementProof:
    """The newest proof of what Bitcoin settles, for light clients.

    Attributes:
        l1_height, l1_hash: L1 block up to which it speaks.
        l2_height, l2_hash: The L2 tip there.
        object_id: Of the proof on Bitcoin; None where this node was given it for light clients alone.
        file: Proof file (docs/spec/light.md#proof-file), with all headers that this node knows.
    """

    l1_height: L1Height
    l1_hash: BlockHash
    l2_height: L2Height
    l2_hash: Hash32
    object_id: Hash32 | None
    file: bytes


Counted = tuple[str, Mapping[str, int], Mapping[str, int]]
"""A client, how often each method was answered to it, and how often refused."""


class Lane(Protocol):
    """A thread of the core that answers plain requests; it reads connections that are lent to it."""

    def take(self, token: int, descriptor: int, client: str) -> None:
        """Lend a connection."""
        ...

    def drop(self, token: int) -> None:
        """Forget a connection that was cut."""
        ...

    def shut(self, client: str) -> None:
        """Give this client's connections back at their next requests, until one is lent again."""
        ...

    def collect(self, gathers: bool) -> tuple[list[tuple[int, bytes, bytes, bool, bool]], TransactionList]:
        """Connections that come back (number, unread, unsent, declined, idle), and what the mempool took.

        Args:
            gathers: Whether whoever calls comes again for transactions without being told.
        """
        ...

    def count(self) -> tuple[Sequence[Counted], float]:
        """What was answered, and the seconds that went into it."""
        ...

    def stop(self) -> None:
        """Give everything back and end."""
        ...


class FastPath(Protocol):
    """The core's way from body to answer."""

    @property
    def gather_seconds(self) -> float:
        """How long what the lane takes may wait to be told."""
        ...

    def open_lane(self, bell: int, idle_seconds: float) -> Lane:
        """Start a lane; it writes a byte to the descriptor `bell` when there is news."""
        ...

    def close_lane(self, lane: Lane) -> None:
        """It has ended."""
        ...

    def took(self, taken: TransactionList) -> None:
        """A lane put these into the mempool and its log."""
        ...

    def answer(self, bodies: Sequence[bytes]) -> Sequence[tuple[bytes, Mapping[str, int], Mapping[str, int]] | None]:
        """Answer, with how often each method was answered, and how often refused; None: the dispatcher must."""
        ...


class Backend(Protocol):
    """A running node. Calls without `async` answer from memory or the engine within microseconds to milliseconds."""

    @property
    def network(self) -> Network:
        """The network this node is of."""
        ...

    @property
    def role(self) -> str:
        """What this node does: `node` or `sequencer`."""
        ...

    @property
    def condition(self) -> Condition:
        """State in one word."""
        ...

    @property
    def engine(self) -> Engine:
        """The chain. A consumer reads only: headers, blocks, views, logs, calls."""
        ...

    @property
    def keeps_all_state(self) -> bool:
        """Whether the state of every block from now on is kept."""
        ...

    def fast_path(self, option: DeskOption) -> FastPath | None:
        """The core's way to answers, for a server with these bounds; None: there is none."""
        ...

    def heads(self) -> Heads:
        """The classes of blocks now."""
        ...

    def pending_view(self) -> View:
        """State inside the open block (tag `pending`), the tip's where none is open."""
        ...

    async def send_transaction(self, raw: bytes) -> Hash32:
        """Take a signed transaction. When this returns, it is acknowledged: handed to the kernel, survives kill -9.

        Raises:
            Invalid: With Ethereum's words ("nonce too low", "already known", …).
            Unavailable: A plain node with no sequencer to forward to, or the pool is throttled.
        """
        ...

    async def send_transactions(self, raws: Sequence[bytes]) -> list[Hash32 | Invalid]:
        """The same for many at once, recovered on all cores: one answer each, in order."""
        ...

    def pending_nonce(self, sender: Address) -> int:
        """Next nonce after the executable transactions of the mempool."""
        ...

    def pool_status(self) -> PoolStatus:
        """Counts of the mempool."""
        ...

    def pool_transaction(self, hash: Hash32) -> Transaction | None:
        """A transaction that waits in the mempool."""
        ...

    def pool_sidecar(self, hash: Hash32) -> Sidecar | None:
        """What stands beside a transaction with blobs that waits in the mempool."""
        ...

    def pool_account(self, sender: Address) -> tuple[list[Transaction], list[Transaction]]:
        """Of one sender: executable or executed in the open block, and those that wait for a nonce, each by nonce."""
        ...

    def pool_senders(self, first: Address, count: int) -> list[Address]:
        """Senders of whom there is something, the lowest `count` of those not below `first`, in order."""
        ...

    def pool_content(self) -> dict[Address, tuple[list[Transaction], list[Transaction]]]:
        """Per sender: executable or executed in the open block, and those that wait for a nonce, each by nonce."""
        ...

    def l1_status(self) -> L1Status:
        """Bitcoin as the node sees it."""
        ...

    def sync_status(self) -> SyncStatus | None:
        """None where the node is not behind."""
        ...

    def writer_status(self) -> WriterStatus | None:
        """None where this node writes nothing to Bitcoin."""
        ...

    def object_status(self, id: Hash32) -> ObjectStatus | None:
        """An object on Bitcoin by its id; a batch by its object id or by the hash of its last block."""
        ...

    def batch_of(self, height: L2Height) -> ObjectStatus | None:
        """The batch that holds a block, once there is one."""
        ...

    async def proof_range(self, height: L2Height) -> ProofRange | None:
        """What a proof of the blocks around one is made of; None where no batch on Bitcoin holds the block yet.

        Raises:
            Invalid: The state before them is not kept.
        """
        ...

    def carriage_of(self, height: L2Height) -> Carriage | None:
        """What carries a derived block on Bitcoin; None before that, and for blocks that derivation made in silence."""
        ...

    def forced_status(self, id: Hash32) -> ForcedStatus:
        """A forced message by its id."""
        ...

    def evidence(self, leader: bytes | None = None) -> list[Evidence]:
        """Contradictions of a leader on Bitcoin, oldest first; None: of the present one."""
        ...

    def submit_proof(self, raw: bytes, posts: bool = True) -> Hash32:
        """Take a proof, given as the bytes of its object; its id.

        Args:
            raw: The object.
            posts: Whether it goes to Bitcoin; else a settlement proof is kept for light clients.

        Raises:
            Invalid: It would not count on Bitcoin now, or this node posts nothing.
        """
        ...

    async def settlement_proof(self) -> SettlementProof | None:
        """The newest settlement proof; None where this node has none.

        Raises:
            Unavailable: Bitcoin does not give the headers.
        """
        ...

    def health(self) -> dict[str, object]:
        """What `/healthz` shows: condition, heads, L1, writer. Plain JSON values."""
        ...

    def metrics_text(self) -> bytes:
        """What `/metrics` shows (Prometheus text format)."""
        ...

    def subscribe(self) -> AsyncIterator[ChainEvent]:
        """All events from now on; raises `Unavailable` where the reader lags more than `SUBSCRIBER_LAG_MAX` events."""
        ...

    async def make_block(self) -> None:
        """Make an L2 block of what waits. Invalid where blocks come by themselves."""
        ...

    async def mine(self, count: int) -> list[BlockHash]:
        """Mine L1 blocks. Misconfigured except on a devnet."""
        ...


SUBSCRIBER_LAG_MAX = 10_000
"""Events that wait for one subscriber before it is dropped."""
