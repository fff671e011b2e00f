"""A running node: derivation, and where told a sequencer or the stream of one; the `Backend` of all who ask.

Reads: a Bitcoin client, a folder, a genesis.  Gives: `Node`.
Never: lets two processes have one folder.  Spec: docs/spec/node.md#service
"""

import asyncio
import contextlib
import heapq
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from bedroll.api.port import (
    BlockAdded,
    BlockRemoved,
    Carriage,
    ChainEvent,
    Condition,
    Evidence,
    ForcedStatus,
    Head,
    Heads,
    HeadsMoved,
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
from bedroll.bitcoin.client import BitcoinClient
from bedroll.bitcoin.wallet import Branch, Keyring, Wallet
from bedroll.crypto import tagged_hash
from bedroll.crypto.secp256k1 import SecretKey
from bedroll.da import BatchForm, Carrier, Proof, StatementKind, object_id, parse_object
from bedroll.da.codec import encode_batch
from bedroll.da.writer import SCHEMA, Queue, RatePolicy, Writer
from bedroll.derivation import Diverged, UnknownUpgrade
from bedroll.derivation.record import CommitmentSeen, ObjectJudged, ObjectSeen
from bedroll.execution.desk import Desk, DeskOption
from bedroll.execution.engine import Block, Engine, Header, Sidecar, Transaction, View
from bedroll.execution.genesis import Genesis
from bedroll.light import SettlementVerifier
from bedroll.metrics import Metrics
from bedroll.primitives import (
    Address,
    BlockHash,
    FeeRate,
    Hash32,
    Invalid,
    L1Height,
    L2Height,
    Misconfigured,
    Reorg,
    Unavailable,
)
from bedroll.protocol import Network
from bedroll.sequencer.service import Sequencer, SequencerOption, signed_raws
from bedroll.storage import Database
from bedroll.storage.folder import DataFolder

from .batch_cycles import BatchCycles, ProofLimit
from .deriver import Derived, Deriver
from .engine_thread import EngineThread
from .fast_path import FastPath
from .follower import Follower
from .header_walk import anchor_headers
from .history import History
from .hub import Hub
from .proof_source import ProofSource
from .proof_verifier import Sp1Verifier
from .settlement_shelf import SettlementShelf, terms_of
from .signature_exchange import SignatureExchange
from .store import NodeStore

SYNC_LAG_BLOCKS: Final = 2
"""A node that is further behind Bitcoin's tip says that it is syncing."""
REBUILD_MARK: Final = "rebuild"
"""File that says: the chain is to be derived from the anchor again."""
L1_BLOCK_SECONDS: Final = 600.0
"""L1 blocks are about so far apart: makes an age of a count of blocks."""
STALE_SECONDS: Final = 3 * 3_600.0
"""A silence of Bitcoin that happens about once in 1,250 years by chance (e^-18 a block)."""
_LOG: Final = logging.getLogger("bedroll.node")


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaderSetup:
    """What makes a node the sequencer.

    Attributes:
        key: The leader's.
        keyring: Of the wallet that pays on Bitcoin.
        option: The operator's choice.
        rates: What to pay.
        wallet_start: First L1 height of interest to an empty wallet.
        carrier: Form of the envelopes; `DROP` where nodes around do not relay the other.
        proof_limit: What a batch without signatures may be; without it their cycles are not counted.
    """

    key: SecretKey
    keyring: Keyring
    option: SequencerOption = field(default_factory=SequencerOption)
    rates: RatePolicy = field(default_factory=RatePolicy)
    wallet_start: L1Height
    carrier: Carrier = Carrier.BRANCH
    proof_limit: ProofLimit | None = None


class Node:
    """One node. `open`, then `run` until it is cancelled, then `close`."""

    def __init__(
        self, folder: DataFolder, engine: Engine, store: NodeStore, genesis: Genesis, client: BitcoinClient
    ) -> None:
        self.metrics = Metrics()
        self.sequencer: Sequencer | None = None
        self.writer: Writer | None = None
        self.wallet: Wallet | None = None
        self.deriver: Deriver
        self._folder = folder
        self._engine = engine
        self._store = store
        self._genesis = genesis
        self._client = client
        self._thread = EngineThread()
        self._disk = EngineThread("bedroll-disk")
        self._gate = asyncio.Lock()
        self._hub = Hub()
        self._history = History(engine, store, genesis.network)
        self._follower: Follower | None = None
        self._verifier: SettlementVerifier
        self._shelf: SettlementShelf
        self._exchange: SignatureExchange
        self._wallet_file: Database | None = None
        self._leader_key = b""
        self._stop_reason = ""
        self._condition = Condition.STARTING
        self._sync: SyncStatus | None = None
        self._announced = L2Height(engine.tip().number)
        self._committed = L2Height(0)
        self._heads: Heads
        self._fast: list[FastPath] = []

    @classmethod
    async def open(
        cls,
        folder: Path,
        genesis: Genesis,
        client: BitcoinClient,
        *,
        leader: LeaderSetup | None = None,
        follow_url: str = "",
        signature_urls: Sequence[str] = (),
        circuit: bytes = b"",
        sync: bool = True,
        archive: bool = False,
        keep_blocks: int = 0,
        clock: Callable[[], float] = time.time,
    ) -> "Node":
        """Take a data folder and everything in it, and find where the last run ended.

        Args:
            folder: Of this node alone.
            genesis: Names the chain.
            client: Bitcoin.
            leader: Given where this node is the sequencer.
            follow_url: Stream of a sequencer to follow for `latest`; empty: Bitcoin alone.
            signature_urls: JSON-RPC addresses of nodes that are asked for signatures which batches leave out.
            circuit: Key of a Groth16 circuit of one's own, on regtest; empty: the published ceremony's.
            sync: Whether the chain's store waits for the disk (tests say no).
            archive: Whether state is kept of every block; else as far back as a reorganisation may go.
            keep_blocks: Newest blocks whose state is kept anyway.
            clock: Seconds; the sequencer's timestamps come from it.

        Raises:
            Misconfigured: The folder is in use, or holds another chain, or Bitcoin does not have the anchor.
            Unavailable: Bitcoin does not answer.
        """
        held = DataFolder(folder, "the sequencer" if leader is not None else "a node")
        try:
            _set_aside(folder)
            engine = Engine.open(str(folder / "chain"), genesis.core_json(), sync=sync)
            store = NodeStore(folder / "node.sqlite")
        except BaseException:
            held.close()
            raise
        node = cls(held, engine, store, genesis, client)
        try:
            node._verifier = Sp1Verifier.of_network(genesis.network, circuit)
            node._exchange = SignatureExchange(engine, node._thread, signature_urls)
            await node._open(folder, leader, follow_url, clock, archive=archive, keep_blocks=keep_blocks)
        except BaseException:
            await node.close()
            raise
        return node

    async def _open(
        self,
        folder: Path,
        leader: LeaderSetup | None,
        follow_url: str,
        clock: Callable[[], float],
        *,
        archive: bool,
        keep_blocks: int,
    ) -> None:
        keeps = leader is not None or bool(follow_url)
        self._archive = archive
        self.deriver = Deriver(
            self._engine, self._thread, self._gate, self._client, self._genesis, self._store, self.metrics,
            keep_unsafe=keeps, archive=archive, keep_blocks=keep_blocks, verifier=self._verifier,
        )  # fmt: skip
        self.deriver.on_step = self._derived
        await self.deriver.check_anchor()
        anchor = await anchor_headers(self._client, self._genesis, folder / "anchor.headers")
        await self.deriver.open(anchor, terms_of(self._genesis, anchor, self._verifier))
        self._shelf = SettlementShelf(
            folder, self._genesis, anchor, self._client, self._engine, self._thread, self.deriver
        )
        await self._thread.run(self._shelf.load, self._verifier)
        if leader is not None:
            self._make_leader(folder, leader, clock)
        elif follow_url:
            self._follower = Follower(
                follow_url, self._engine, self._thread, self._gate, self.deriver, self._store, self.network, self
            )
        self._heads = self._read_heads()
        self._note_heads()

    def _make_leader(self, folder: Path, leader: LeaderSetup, clock: Callable[[], float]) -> None:
        self._leader_key = leader.key.x_only
        self._require_lead()
        self._wallet_file = Database.open(folder / "wallet.sqlite", SCHEMA)
        self.wallet = Wallet(self._wallet_file, leader.keyring)
        self.writer = self._history.writer = Writer(
            self._client,
            self.wallet,
            Queue(self._wallet_file),
            self.network,
            envelope_secret(leader.keyring),
            start=leader.wallet_start,
            rates=leader.rates,
            carrier=leader.carrier,
        )
        limit, origin = leader.proof_limit, self.deriver.native_origin
        self.sequencer = Sequencer(
            self._engine, self._thread, self._disk, self.deriver, self, self._store, self.writer, self._client,
            self.network, leader.key, folder, leader.option,
            gate=self._gate, native_origin=origin, encode=_encode_body, clock=clock,
            cycles=None if limit is None else BatchCycles(self._engine, self._thread, origin, limit),
        )  # fmt: skip
        self.deriver.warn_before_change(self.sequencer.unsafe_may_change)

    async def run(self) -> None:
        """Serve until cancelled, or until something ends it that only an operator can mend.

        Raises:
            Reorg: L1 reorganised deeper than what is kept. The next start derives from the anchor.
            UnknownUpgrade: This version does not know the rules that are active now.
        """
        try:
            await self._run()
        except* Diverged:
            pass
        except* Reorg as errors:
            self._prepare_rebuild()
            self._stopped(errors)
            raise
        except* Exception as errors:
            self._stopped(errors)
            raise
        # A node that ended here would be started again, and be healthy until it comes to the same proof.
        await asyncio.Event().wait()

    async def _run(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self.deriver.run(), name="deriver")
            if self._exchange.urls:
                group.create_task(self._exchange.run(), name="signatures")
            part = self.sequencer or self._follower
            if part is not None:
                # A leader that made blocks before it knew of its own batches would make them twice.
                await self.deriver.synced.wait()
            self._condition = Condition.RUNNING
            if part is not None:
                group.create_task(part.run(), name=type(part).__name__.lower())

    def _prepare_rebuild(self) -> None:
        """The next start derives from the anchor; what users were promised goes back into the mempool's log first."""
        if self.sequencer is not None:
            first = self._engine.oldest_state()
            blocks = [self._engine.block(height) for height in range(first + 1, self._engine.tip().number + 1)]
            self.sequencer.write_down(signed_raws(blocks))
        (self._folder.path / REBUILD_MARK).touch()

    def _stopped(self, errors: BaseExceptionGroup) -> None:
        first: BaseException = errors
        while isinstance(first, BaseExceptionGroup):
            first = first.exceptions[0]
        upgrade = isinstance(first, UnknownUpgrade)
        self._condition = Condition.UPGRADE_REQUIRED if upgrade else Condition.STOPPED
        self._stop_reason = str(first)

    async def close(self) -> None:
        """End cleanly: everything durable, every file closed. The client is the caller's."""
        self._hub.close()
        with contextlib.suppress(Invalid):
            await self._thread.run(self._engine.commit)
        self._disk.close()
        self._thread.close()
        if self.sequencer is not None:
            self.sequencer.close()
        self._engine.close()
        self._store.close()
        if self._wallet_file is not None:
            self._wallet_file.close()
        self._folder.close()

    # --- events ------------------------------------------------------------------------------------

    def sealed(self, block: Block) -> None:
        """A block became the tip: the sequencer's or a follower's."""
        self._announced = L2Height(block.header.number)
        self._exchange.added(block)
        self._history.added(block)
        self.metrics.l2_blocks.inc()
        self.metrics.l2_transactions.inc(block.transaction_count - block.origin_step)
        self.metrics.l2_gas.inc(block.header.gas_used)
        # Nothing but the newest has moved: the others are read where something else has.
        self._heads = replace(self._heads, latest=_head(block.header))
        self._tell_fast()
        self._hub.publish(BlockAdded(block))

    def removed(self, blocks: Sequence[Block]) -> None:
        """Blocks left the chain, newest first."""
        for block in blocks:
            self._announced = L2Height(block.header.number - 1)
            self._history.removed(block)
            self._hub.publish(BlockRemoved(block))
        self.metrics.l2_removed.inc(len(blocks))

    def durable(self) -> None:
        """All sealed blocks survive loss of power."""
        self._note_heads()

    def pending(self, transactions: Iterable[Transaction]) -> None:
        """The mempool took these."""
        self._hub.publish(TransactionsPending(transactions))

    def _derived(self, derived: Derived) -> None:
        """Derivation made a step; the gate is held."""
        for change in derived.changes:
            self.removed(change.removed)
        added: list[Block] = []
        for height in range(self._announced + 1, self._engine.tip().number + 1):
            block = self._engine.block(height)
            if block is not None:
                added.append(block)
        if self.sequencer is not None and derived.is_disturbed:
            gone = [block for change in derived.changes for block in change.removed]
            fork = min((change.fork for change in derived.changes), default=self._announced)
            self.sequencer.disturbed(fork, gone)
            self.sequencer.derived(added)
        for block in added:
            self.sealed(block)
        self._note_records(derived)
        if self.sequencer is not None:
            self._require_lead()
            self.sequencer.l1_changed()
        if self._follower is not None:
            self._follower.l1_changed(derived.is_disturbed)
        self._note_heads()
        self._note_sync()
        if derived.divergence is not None:
            self._alarm(derived.divergence)

    def _alarm(self, divergence: Diverged) -> None:
        """Nothing that comes after can be believed: the node stays where it is, and says so wherever it is asked."""
        _LOG.error("a proof contradicts this node: it goes no further", extra={"reason": str(divergence)})
        self.metrics.divergences.inc()
        self._condition, self._stop_reason = Condition.DIVERGED, str(divergence)
        if self.sequencer is not None:
            self.sequencer.intake.throttled = self._stop_reason

    def _require_lead(self) -> None:
        """A rotated key leads no more: whatever it signed from now on would be ignored.

        Raises:
            Misconfigured: Another key leads.
        """
        if self._leader_key != self.deriver.leader:
            raise Misconfigured(
                "another key leads now: this sequencer ends",
                option="leader key",
                value=self._leader_key.hex(),
                allowed=self.deriver.leader.hex(),
            )

    def _note_records(self, derived: Derived) -> None:
        if derived.unwound_blocks:
            self._committed = min(self._committed, L2Height(self._engine.tip().number))
        kinds = {each.object_id: each.kind for each in derived.step.records if isinstance(each, ObjectSeen)}
        for record in derived.step.records:
            if isinstance(record, CommitmentSeen):
                height = self._engine.height_of(record.tip)
                self._committed = max(self._committed, L2Height(height or 0))
            elif isinstance(record, ObjectJudged):
                kind = kinds.get(record.object_id, "batch")
                self.metrics.objects.labels(kind, type(record.verdict).__name__.lower()).inc()

    def _read_heads(self) -> Heads:
        engine, deriver = self._engine, self.deriver
        tip = engine.tip()
        latest = _head(tip)
        safe = Head(L2Height(deriver.safe.height), Hash32(deriver.safe.hash))
        final = deriver.finalized
        finalized = Head(L2Height(final.height), Hash32(final.hash)) if final is not None else self._at(L2Height(0))
        committed = self._at(min(latest.height, max(safe.height, self._committed)))
        durable = self._at(min(latest.height, L2Height(engine.durable_height())))
        return Heads(latest, committed, safe, finalized, durable)

    def _at(self, height: L2Height) -> Head:
        header = self._engine.header(height)
        if header is None:
            raise Invalid("there is no block at this height", height=height)
        return _head(header)

    def _note_heads(self) -> None:
        heads = self._read_heads()
        if heads != getattr(self, "_heads", None) or self._condition is Condition.STARTING:
            self._heads = heads
            self._tell_fast()
            self._hub.publish(HeadsMoved(heads))
        for name in ("latest", "committed", "safe", "finalized", "durable"):
            self.metrics.head.labels(name).set(getattr(heads, name).height)

    def _note_sync(self) -> None:
        status = self.deriver.status()
        behind = status.tip_height - status.derived_height
        was = self._sync
        self._sync = None
        if behind > SYNC_LAG_BLOCKS:
            tip = L2Height(self._engine.tip().number)
            self._sync = SyncStatus(self.deriver.started_height, status.derived_height, status.tip_height, tip)
        if (was is None) != (self._sync is None):
            self._hub.publish(SyncChanged(self._sync))

    # --- Backend -----------------------------------------------------------------------------------

    @property
    def network(self) -> Network:
        """The network this node is of."""
        return self._genesis.network

    @property
    def genesis(self) -> Genesis:
        """What names the chain."""
        return self._genesis

    @property
    def role(self) -> str:
        """What it does: "node" or "sequencer"."""
        return "node" if self.sequencer is None else "sequencer"

    @property
    def condition(self) -> Condition:
        """State in one word."""
        if self._condition is not Condition.RUNNING:
            return self._condition
        if not self.deriver.status().reachable:
            return Condition.L1_UNAVAILABLE
        if self._sync is not None:
            return Condition.SYNCING
        if is_stale(self.network, self.deriver.status().seconds_since_block):
            return Condition.L1_STALLED
        if self.sequencer is not None:
            if self.sequencer.producer.stalled:
                return Condition.L1_STALLED
            if self.sequencer.intake.throttled:
                return Condition.THROTTLED
        return Condition.RUNNING

    @property
    def engine(self) -> Engine:
        """The chain."""
        return self._engine

    @property
    def keeps_all_state(self) -> bool:
        """Whether the state of every block from now on is kept."""
        return self._archive

    def fast_path(self, option: DeskOption) -> FastPath:
        """The core's way to answers."""
        intake = None if self.sequencer is None else self.sequencer.intake
        desk = Desk(self._engine, None) if intake is None else intake.desk
        desk.serve(self.network.chain_id, option)
        path = FastPath(desk, self.heads, intake)
        self._fast.append(path)
        if intake is not None:
            intake.on_throttle = self._tell_fast
        return path

    def _tell_fast(self) -> None:
        for path in self._fast:
            path.announce()

    def heads(self) -> Heads:
        """The classes of blocks now."""
        return self._heads

    def pending_view(self) -> View:
        """State inside the open block."""
        return self._engine.view() if self.sequencer is None else self.sequencer.intake.pending.view

    async def send_transaction(self, raw: bytes) -> Hash32:
        """Take a signed transaction; see `Backend`."""
        (answer,) = await self.send_transactions([raw])
        if isinstance(answer, Invalid):
            raise answer
        return answer

    async def send_transactions(self, raws: Sequence[bytes]) -> list[Hash32 | Invalid]:
        """The same for many at once."""
        if self.sequencer is None:
            raise Unavailable("this node takes no transactions: send to the sequencer, or force one through Bitcoin")
        return await self.sequencer.intake.submit(raws)

    def pending_nonce(self, sender: Address) -> int:
        """Next nonce after the executable transactions of the mempool."""
        view = self.pending_view()
        return view.nonce(sender) if self.sequencer is None else self.sequencer.intake.pool.next_nonce(sender, view)

    def pool_status(self) -> PoolStatus:
        """Counts of the mempool and of the open block."""
        if self.sequencer is None:
            return PoolStatus(0, 0, 0)
        pool, opened = self.sequencer.intake.pool, self.sequencer.producer.opened
        pending, queued = pool.count()
        return PoolStatus(pending + len(opened), queued, pool.size_bytes + opened.size_bytes)

    def pool_transaction(self, hash: Hash32) -> Transaction | None:
        """A transaction that waits in the mempool."""
        return None if self.sequencer is None else self.sequencer.intake.find(hash)

    def pool_sidecar(self, hash: Hash32) -> Sidecar | None:
        """None: no transaction of this chain has blobs."""
        del hash
        return None

    def pool_account(self, sender: Address) -> tuple[list[Transaction], list[Transaction]]:
        """Of one sender: executed in the open block or executable, and those that wait for a nonce."""
        if self.sequencer is None:
            return [], []
        pending, queued = self.sequencer.intake.pool.account(sender)
        return [*self.sequencer.producer.opened.of(sender), *pending], queued

    def pool_senders(self, first: Address, count: int) -> list[Address]:
        """Senders of whom something is in the open block or waits, not below `first`, in order."""
        if self.sequencer is None:
            return []
        opened = self.sequencer.producer.opened.senders(first)
        return heapq.nsmallest(count, opened.union(self.sequencer.intake.pool.senders(first, count)))

    def pool_content(self) -> dict[Address, tuple[list[Transaction], list[Transaction]]]:
        """Per sender: executed in the open block or executable, and those that wait for a nonce."""
        status = self.pool_status()
        senders = self.pool_senders(Address(bytes(20)), status.pending + status.queued)
        return {sender: self.pool_account(sender) for sender in senders}

    def l1_status(self) -> L1Status:
        """Bitcoin as the node sees it."""
        return self.deriver.status()

    def sync_status(self) -> SyncStatus | None:
        """None where the node is not behind."""
        return self._sync

    def writer_status(self) -> WriterStatus | None:
        """None where this node writes nothing to Bitcoin."""
        if self.writer is None:
            return None
        state = self.writer.state()
        return WriterStatus(
            state.waiting, state.unconfirmed, state.oldest_blocks * L1_BLOCK_SECONDS, FeeRate(state.fee_rate),
            state.spent_sat, state.reason,
        )  # fmt: skip

    def object_status(self, id: Hash32) -> ObjectStatus | None:
        """An object on Bitcoin by its id."""
        return self._history.object_status(id)

    def batch_of(self, height: L2Height) -> ObjectStatus | None:
        """The batch that holds a block."""
        return self._history.batch_of(height)

    async def proof_range(self, height: L2Height) -> ProofRange | None:
        """What a proof of the blocks around one is made of."""
        source = ProofSource(
            self._engine, self._store, self.network, self.deriver.native_origin, self.deriver.waiting_batch
        )
        return await self._thread.run(source.range_of, height)

    def carriage_of(self, height: L2Height) -> Carriage | None:
        """What carries a derived block on Bitcoin."""
        return self._history.carriage_of(height)

    def forced_status(self, id: Hash32) -> ForcedStatus:
        """A forced message by its id."""
        return self._history.forced_status(id)

    def evidence(self, leader: bytes | None = None) -> list[Evidence]:
        """Contradictions of a leader on Bitcoin."""
        return self._history.evidence(self.deriver.leader if leader is None else leader)

    def submit_proof(self, raw: bytes, posts: bool = True) -> Hash32:
        """Take a proof that would count on Bitcoin now; its id.

        Raises:
            Invalid: It is no proof, shows nothing, would not count, or this node posts nothing.
        """
        proof = parse_object(raw)
        if not isinstance(proof, Proof):
            raise Invalid("the object is no proof", kind=type(proof).__name__.lower())
        is_settlement = proof.statement == StatementKind.SETTLEMENT
        if not posts:
            if not is_settlement:
                raise Invalid("only a settlement proof is kept for light clients", statement=int(proof.statement))
            self.deriver.need_settlement(proof, self._verifier)
            self._shelf.keep(proof)
            return object_id(raw)
        if self.writer is None:
            raise Invalid("this node posts nothing to Bitcoin", role=self.role)
        if self.writer.find(object_id(raw)) is None:
            need = self.deriver.need_settlement if is_settlement else self.deriver.need_proof
            need(proof, self._verifier)
            self.writer.put(raw, "proof", fee_output_sat=self.network.parameters.proof_fee)
        return object_id(raw)

    async def settlement_proof(self) -> SettlementProof | None:
        """The newest settlement proof that this node has."""
        return await self._shelf.newest()

    def health(self) -> dict[str, object]:
        """What `/healthz` shows."""
        condition, heads, l1 = self.condition, self._heads, self.deriver.status()
        shown: dict[str, object] = {
            "condition": str(condition),
            "healthy": condition in (Condition.STARTING, Condition.RUNNING, Condition.SYNCING),
            "role": self.role,
            "reason": self._reason(l1),
            "heads": {
                name: {"height": getattr(heads, name).height, "hash": "0x" + getattr(heads, name).hash.hex()}
                for name in ("latest", "committed", "safe", "finalized", "durable")
            },
            "l1": {
                "reachable": l1.reachable,
                "tip_height": l1.tip_height,
                "derived_height": l1.derived_height,
                "seconds_since_block": round(l1.seconds_since_block, 1),
            },
        }
        if self.writer is not None:
            state = self.writer.state()
            shown["writer"] = {"waiting": state.waiting, "unconfirmed": state.unconfirmed, "reason": state.reason}
        return shown

    def _reason(self, l1: L1Status) -> str:
        if self._stop_reason or l1.reason:
            return self._stop_reason or l1.reason
        if is_stale(self.network, l1.seconds_since_block):
            return f"no Bitcoin block for {l1.seconds_since_block:.0f} s: compare with another Bitcoin node"
        if self.sequencer is not None:
            return self.sequencer.producer.stalled or self.sequencer.intake.throttled
        return self._follower.reason if self._follower is not None else ""

    def metrics_text(self) -> bytes:
        """What `/metrics` shows."""
        metrics, l1 = self.metrics, self.deriver.status()
        metrics.l1_tip.set(l1.tip_height)
        metrics.l1_derived.set(l1.derived_height)
        metrics.subscribers.set(len(self._hub))
        pool = self.pool_status()
        metrics.pool_pending.set(pool.pending)
        metrics.pool_queued.set(pool.queued)
        metrics.pool_bytes.set(pool.size_bytes)
        if self.sequencer is not None:
            metrics.backlog_bytes.set(self.sequencer.backlog.size_bytes)
            metrics.followers.set(self.sequencer.stream.followers)
            metrics.followers_dropped.set(self.sequencer.stream.dropped)
        if self.writer is not None:
            state = self.writer.state()
            metrics.writer_waiting.set(state.waiting)
            metrics.writer_unconfirmed.set(state.unconfirmed)
            metrics.writer_rate.set(state.fee_rate)
            metrics.writer_spent.set(state.spent_sat)
        return metrics.text()

    def subscribe(self) -> AsyncIterator[ChainEvent]:
        """All events from now on."""
        return self._hub.subscribe()

    def origin_blocks(self) -> int:
        """L2 blocks with the tip's origin so far; 0 where this node makes none."""
        return 0 if self.sequencer is None else self.sequencer.producer.origin_blocks

    async def make_block(self) -> None:
        """Make an L2 block of what waits.

        Raises:
            Invalid: Blocks come by themselves here.
            Unavailable: The node has not reached Bitcoin's tip yet.
        """
        if self.sequencer is None or not self.sequencer.is_manual:
            raise Invalid("blocks come by themselves here: `devnet --no-mining true` leaves them to bedroll_makeBlock")
        if self._condition is Condition.STARTING:
            raise Unavailable("the node is starting: it reads Bitcoin first")
        await self.sequencer.producer.make_block()

    async def mine(self, count: int) -> list[BlockHash]:
        """Mine L1 blocks to the writer's wallet. Misconfigured except on regtest."""
        script = b"\x51" if self.wallet is None else self.wallet.receive_script()
        return await self._client.mine(count, script)


def is_stale(network: Network, seconds_since_block: float) -> bool:
    """Whether Bitcoin has given no block for so long that the node asked may be cut off or on a dead branch."""
    return network.bitcoin != "regtest" and seconds_since_block > STALE_SECONDS


def envelope_secret(keyring: Keyring) -> bytes:
    """Secret that keys of envelopes are derived from: of a key of the wallet that holds no coins."""
    return tagged_hash("bedroll/writer", keyring.key(Branch.CHANGE, 0x7FFFFFFF).secret)


def _head(header: Header) -> Head:
    return Head(L2Height(header.number), Hash32(header.hash))


def _set_aside(folder: Path) -> None:
    """After a reorganisation deeper than what was kept: begin with an empty chain, keep the old one beside it."""
    mark = folder / REBUILD_MARK
    if not mark.exists():
        return
    number = 0
    while (aside := folder / f"chain.{number}").exists():
        number += 1
    if (folder / "chain").exists():
        (folder / "chain").rename(aside)
    store = NodeStore(folder / "node.sqlite")
    store.clear()
    store.close()
    mark.unlink()


def _encode_body(engine: Engine, first: int, last: int, form: BatchForm) -> bytes:
    """Body of a batch of the engine's blocks."""
    return encode_batch(engine, first, last, form=int(form))
