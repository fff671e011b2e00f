"""The writer: brings objects to Bitcoin, whatever dies or reorganises on the way.

Reads: the queue, the wallet, a Bitcoin node.  Gives: `Writer`.
Never: believes a mempool: a posting is confirmed when a block of the best chain holds all its reveals.
Spec: docs/spec/writer.md#service

One `step` an L1 block, or sooner where something was put in: follow blocks, review every posting, build what is
due, lift what waits too long, hand everything unconfirmed to the node again. A step may die anywhere: the next one
finds in the file what was built, and goes on.
"""

import asyncio
import logging
from dataclasses import dataclass
from typing import Final

from bedroll.bitcoin.builder import InsufficientValue
from bedroll.bitcoin.client import BitcoinClient, RejectedTransaction
from bedroll.bitcoin.wallet import ClusterFull, Payment, State, Wallet, follow
from bedroll.primitives import BlockHash, FeeRate, Invalid, L1Height, L2Height, Satoshi, Txid, Unavailable
from bedroll.protocol import Network
from bedroll.storage.crash_point import crash_point

from ..envelope import Carrier
from .build import BIG_SIZE, Builder, Plan
from .queue import Attempt, Posting, PostingState, Queue
from .rate import RatePolicy

KEEP_BLOCKS: Final = 100
"""A posting this deep is buried: its bytes are dropped."""
_WAIT_SECONDS: Final = 10.0
_LOG: Final = logging.getLogger("bedroll.da.writer")


@dataclass(frozen=True, slots=True)
class WriterState:
    """The writer at a glance.

    Attributes:
        waiting: Postings of which nothing was sent.
        unconfirmed: Postings that were sent and are not in the chain.
        oldest_blocks: L1 blocks since the oldest of both was put in.
        fee_rate: Rate last paid.
        spent_sat: Fees of everything in the chain.
        reason: What the first waiting or refused one waits for.
    """

    waiting: int
    unconfirmed: int
    oldest_blocks: int
    fee_rate: FeeRate
    spent_sat: Satoshi
    reason: str


class Writer:
    """Posts objects through one wallet."""

    def __init__(
        self,
        client: BitcoinClient,
        wallet: Wallet,
        queue: Queue,
        network: Network,
        secret: bytes,
        *,
        start: L1Height,
        rates: RatePolicy | None = None,
        carrier: Carrier = Carrier.BRANCH,
    ) -> None:
        """Tie the parts together.

        Args:
            client: The node.
            wallet: Pays; nobody else changes it.
            queue: In the wallet's database.
            network: Gives tag and sizes.
            secret: 32 bytes from which keys of envelopes are derived.
            start: First L1 height of interest to an empty wallet.
            rates: The operator's choice.
            carrier: Form of the envelopes.
        """
        self._client = client
        self._wallet = wallet
        self._queue = queue
        self._network = network
        self._start = start
        self._rates = rates or RatePolicy()
        self._builder = Builder(wallet, queue, network, secret, carrier)
        self._handed: set[bytes] = set()
        self._handed_tip: bytes = b""
        self._refusals: dict[bytes, str] = {}
        self._paid_rate = FeeRate(0)
        self._wake = asyncio.Event()

    def put(
        self,
        raw: bytes,
        kind: str,
        *,
        fee_output_sat: int = 0,
        heights: tuple[L2Height, L2Height] | None = None,
        l2_tip: bytes | None = None,
        expires_l1: L1Height | None = None,
    ) -> bytes:
        """Take an object: from now on it is posted, over any restart. The same object again changes nothing.

        Args:
            raw: Object bytes.
            kind: Name of its kind.
            fee_output_sat: What it pays to the fee script.
            heights: L2 blocks it is about.
            l2_tip: Hash of the last one.
            expires_l1: After this L1 height it is given up if nothing was sent.

        Returns:
            Its object id.
        """
        tip = self._wallet.tip()
        named = self._queue.put(
            raw, kind, created_l1=tip[0] if tip else self._start, fee_output_sat=fee_output_sat, heights=heights,
            l2_tip=l2_tip, expires_l1=expires_l1,
        )  # fmt: skip
        crash_point("writer.after_enqueue")
        self._wake.set()
        return named

    def tip(self) -> tuple[L1Height, BlockHash] | None:
        """Newest L1 block the writer has seen; what it says of a posting is as of then."""
        return self._wallet.tip()

    def find(self, named: bytes) -> Posting | None:
        """A posting by its object's id."""
        return self._queue.find(named)

    def cancel(self, posting: Posting, reason: str) -> bool:
        """Give up a posting of which nothing was built; whether that is so."""
        if posting.state is not PostingState.QUEUED or self._queue.attempts(posting.id):
            return False
        self._queue.set_state(posting.id, PostingState.CANCELLED, reason)
        return True

    def last_of(self, kind: str) -> Posting | None:
        """The newest posting of a kind."""
        return self._queue.last_of(kind)

    def transactions(self, posting: Posting) -> list[Payment]:
        """What carries a posting now: commit first."""
        live = self._live(posting)
        if live is None:
            return []
        found = [self._wallet.payment(txid) for txid in (live.commit, *live.reveals.values())]
        return [payment for payment in found if payment is not None]

    def confirmed_height(self, posting: Posting) -> L1Height | None:
        """L1 height of the block that completed a posting."""
        heights = [payment.height for payment in self.transactions(posting) if payment.state is State.MINED]
        known = [height for height in heights if height is not None]
        return max(known) if posting.state is PostingState.CONFIRMED and known else None

    def state(self) -> WriterState:
        """The writer at a glance."""
        tip = self._wallet.tip()
        waiting = self._queue.postings(PostingState.QUEUED)
        sent = self._queue.postings(PostingState.SENT)
        born = min((posting.created_l1 for posting in (*waiting, *sent)), default=None)
        reasons = [posting.reason for posting in (*waiting, *sent) if posting.reason]
        return WriterState(
            len(waiting), len(sent), tip[0] - born if tip and born is not None else 0, self._paid_rate,
            self._wallet.fees_mined("posting "), reasons[0] if reasons else "",
        )  # fmt: skip

    async def run(self) -> None:
        """Step at every L1 block and whenever something is put in, until cancelled."""
        while True:
            self._wake.clear()
            try:
                await self.step()
                await self._wait()
            except Unavailable as error:
                _LOG.warning("Bitcoin does not answer", extra={"reason": str(error)})
                await asyncio.sleep(1.0)

    async def step(self) -> None:
        """Do everything that can be done now.

        Raises:
            Unavailable: The node does not answer; the next step goes on.
        """
        await follow(self._wallet, self._client, self._start)
        tip = self._wallet.tip()
        if tip is None:
            return
        crash_point("writer.after_block")
        if tip[1] != self._handed_tip:
            self._handed, self._handed_tip = set(), tip[1]
        for posting in self._queue.postings(PostingState.SENT, PostingState.CONFIRMED):
            self._review(posting, tip[0])
        estimate = await self._client.fee_rate(self._rates.target_blocks)
        for posting in self._queue.postings(PostingState.SENT):
            await self._go_on(posting, estimate, tip[0])
        for posting in self._queue.postings(PostingState.QUEUED):
            if not await self._begin(posting, self._rates.first(estimate), tip[0]):
                break
        await self._send()

    async def _wait(self) -> None:
        tip = self._wallet.tip()
        if tip is None:
            await asyncio.sleep(1.0)
            return
        woken = asyncio.ensure_future(self._wake.wait())
        moved = asyncio.ensure_future(self._client.wait_for_tip(tip[1], _WAIT_SECONDS))
        try:
            await asyncio.wait({woken, moved}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            # Cancelled itself, it leaves neither behind.
            is_moved = moved.done()
            for task in (woken, moved):
                task.cancel()
            await asyncio.gather(woken, moved, return_exceptions=True)
        if is_moved:
            moved.result()

    # --- one posting ---------------------------------------------------------------------------

    def _live(self, posting: Posting) -> Attempt | None:
        """The attempt that is in the chain, else the newest."""
        attempts = self._queue.attempts(posting.id)
        for attempt in attempts:
            payment = self._wallet.payment(attempt.commit)
            if payment is not None and payment.state is State.MINED:
                return attempt
        return attempts[-1] if attempts else None

    def _review(self, posting: Posting, l1_tip: L1Height) -> None:
        """See from the wallet's blocks where a posting stands."""
        live = self._live(posting)
        if live is None:
            self._queue.set_state(posting.id, PostingState.QUEUED)
            return
        commit = self._wallet.payment(live.commit)
        if commit is not None and commit.state is State.CONFLICTED and commit.height is not None:
            # A block spends its coin otherwise. Below finality that stays; above, it may come back.
            if l1_tip - commit.height >= self._network.parameters.finality_depth:
                self._queue.set_state(posting.id, PostingState.QUEUED, "its coins were spent otherwise")
            return
        reveals = [self._wallet.payment(txid) for txid in live.reveals.values()]
        for payment in reveals:
            # The commit that was to be replaced is in the chain after all: so are its reveals to be.
            mined = commit is not None and commit.state is State.MINED
            if mined and payment is not None and payment.state in (State.ABANDONED, State.REPLACED):
                spent = commit.transaction.outputs[payment.transaction.inputs[0].previous.index]  # type: ignore[union-attr]
                self._wallet.record(payment.transaction, [spent], posting.purpose)
        parts = self._builder.part_count(posting)
        mined_at = [payment.height for payment in reveals if payment is not None and payment.state is State.MINED]
        if len(mined_at) < parts:
            self._queue.set_state(posting.id, PostingState.SENT, posting.reason)
            return
        self._queue.set_state(posting.id, PostingState.CONFIRMED)
        if l1_tip - max(height for height in mined_at if height is not None) >= KEEP_BLOCKS:
            self._queue.bury(posting)

    async def _begin(self, posting: Posting, rate: FeeRate, l1_tip: L1Height) -> bool:
        """Build the first attempt of a posting; False where those behind it must wait too."""
        if posting.expires_l1 is not None and l1_tip > posting.expires_l1 and not self._queue.attempts(posting.id):
            self._queue.set_state(posting.id, PostingState.CANCELLED, f"expired at L1 block {posting.expires_l1}")
            return True
        plan = self._builder.plan(posting)
        try:
            attempt = self._builder.commit(plan, rate, l1_tip)
            await self._reveal(plan, attempt)
        except (InsufficientValue, ClusterFull) as wanting:
            self._queue.set_state(posting.id, PostingState.QUEUED, str(wanting))
            return False
        self._paid_rate = rate
        _LOG.info("built", extra={"kind": posting.kind, "object_id": posting.object_id.hex(), "rate": rate})
        return True

    async def _go_on(self, posting: Posting, estimate: FeeRate, l1_tip: L1Height) -> None:
        """Finish what a crash or a confirmation left to build, and pay more where it waits too long."""
        live = self._live(posting)
        if live is None:
            return
        commit = self._wallet.payment(live.commit)
        if commit is None or commit.state not in (State.PENDING, State.MINED):
            return
        plan = self._builder.plan(posting)
        try:
            await self._reveal(plan, live)
            rate = self._rates.bumped(estimate, live.fee_rate, live.bumped_l1, l1_tip)
            if rate is not None:
                await self._bump(plan, live, commit, rate, l1_tip)
            waits = l1_tip - live.created_l1 > self._rates.patience_blocks and self._rates.is_capped(live.fee_rate)
            reason = f"fee cap: {self._rates.cap} sat for 1,000 vB" if waits else ""
        except (InsufficientValue, ClusterFull) as wanting:
            reason = str(wanting)
        self._queue.set_state(posting.id, PostingState.SENT, reason)

    async def _reveal(self, plan: Plan, attempt: Attempt) -> None:
        """Build what may be built: beside an unconfirmed commit the first alone, for a cluster holds no more."""
        commit = self._wallet.payment(attempt.commit)
        mined = commit is not None and commit.state is State.MINED
        for position in range(len(plan.envelopes) if mined else 1):
            if position not in attempt.reveals:
                await asyncio.to_thread(self._builder.reveal, plan, attempt, position)

    async def _bump(self, plan: Plan, live: Attempt, commit: Payment, rate: FeeRate, l1_tip: L1Height) -> None:
        pending = commit.state is State.PENDING
        if pending and not plan.is_big and commit.transaction.vsize < BIG_SIZE and self._builder.is_replaceable(live):
            try:
                replaced = self._builder.replace(plan, live, rate, l1_tip)
            except InsufficientValue:
                # The coin itself does not hold it: others pay through a child.
                pass
            else:
                await self._reveal(plan, replaced)
                self._paid_rate = rate
                return
        for txid in live.reveals.values():
            payment = self._wallet.payment(txid)
            if payment is None or payment.state is not State.PENDING:
                continue
            try:
                self._builder.lift(plan.posting, live, txid, rate, l1_tip)
            except Invalid as refusal:
                # Its change pays for a later posting, whose own bump lifts this one with it.
                _LOG.debug("not lifted", extra={"reason": str(refusal)})
            self._paid_rate = rate

    # --- the node ------------------------------------------------------------------------------

    async def _send(self) -> None:
        """Hand in everything unconfirmed, parents first, once an L1 block."""
        parents: dict[bytes, bytes] = {}
        for payment in self._wallet.pending():
            transaction = payment.transaction
            if transaction.txid in self._handed:
                continue
            needy = parents.get(transaction.inputs[0].previous.txid)
            package = [transaction.raw] if needy is None else [needy, transaction.raw]
            try:
                await self._client.broadcast(package)
            except RejectedTransaction as refusal:
                # Not final: a child may pay for it, and what counts is whether a block takes it.
                parents[transaction.txid] = transaction.raw
                self._refusals[transaction.txid] = refusal.reason
                _LOG.info("refused", extra={"txid": transaction.txid[::-1].hex(), "reason": refusal.reason})
                continue
            self._refusals.pop(transaction.txid, None)
            self._handed.add(transaction.txid)
            crash_point(
                "writer.after_reveal_broadcast" if self._is_reveal(payment) else "writer.after_commit_broadcast"
            )

    def refusal(self, txid: Txid) -> str | None:
        """What the node said last about a transaction it refused."""
        return self._refusals.get(txid)

    @staticmethod
    def _is_reveal(payment: Payment) -> bool:
        return len(payment.transaction.inputs[0].witness) == 3
