"""Attempts: commit and reveals for a posting, recorded in the wallet and the queue by one transaction.

Reads: a posting, the wallet's coins, a rate.  Gives: recorded attempts, replacements and children.
Never: sends.  Spec: docs/spec/writer.md#attempts
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bedroll.bitcoin.builder import InsufficientValue
from bedroll.bitcoin.fee import INCREMENTAL_RATE, MIN_RELAY_RATE, fee_of, vsize_of
from bedroll.bitcoin.transaction import TxOut
from bedroll.bitcoin.wallet import Payment, State, Wallet, WalletCoin
from bedroll.crypto import tagged_hash
from bedroll.crypto.secp256k1 import SecretKey
from bedroll.primitives import FeeRate, Invalid, L1Height, Satoshi, Txid, VSize, Weight
from bedroll.protocol import Network
from bedroll.storage.crash_point import crash_point

from ..chunk import CHUNK_OVERHEAD_MAX, split
from ..envelope import BODY_MAX, Carrier
from .envelope import REVEAL_CHANGE_MIN, Envelope, build_reveal, commit_size
from .queue import Attempt, Posting, PostingState, Queue

BIG_SIZE: Final = VSize(10_000)
"""From here on a reveal is big: one in a cluster, and lifted by a child, since a replacement would pay for it twice."""
PART_MAX: Final = BODY_MAX - CHUNK_OVERHEAD_MAX
"""Bytes of an object in one chunk, at most (`split`'s own default)."""
_ROUNDING_SAT: Final = 8
"""Fees of parts, each rounded up, exceed the fee of the whole by less."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A posting cut into envelopes."""

    posting: Posting
    envelopes: tuple[Envelope, ...]

    @property
    def is_big(self) -> bool:
        """Whether a reveal of it fills a cluster."""
        return len(self.envelopes) > 1 or vsize_of(Weight(len(self.envelopes[0].leaf))) >= BIG_SIZE


class Builder:
    """Builds attempts for one wallet."""

    def __init__(self, wallet: Wallet, queue: Queue, network: Network, secret: bytes, carrier: Carrier) -> None:
        """Tie the parts together.

        Args:
            wallet: Pays, and takes what reveals leave.
            queue: In the wallet's database.
            network: Gives tag and sizes.
            secret: 32 bytes; envelope keys are derived from it, so that an attempt can be finished after a crash.
            carrier: Form of the envelopes.
        """
        self._wallet = wallet
        self._queue = queue
        self._network = network
        self._secret = secret
        self._carrier = carrier

    def plan(self, posting: Posting) -> Plan:
        """Cut an object into envelopes. The same object gives the same envelopes, always."""
        raw = self._queue.object_of(posting)
        parts = [raw] if self.part_count(posting) == 1 else [chunk.encode() for chunk in split(raw)]
        last = len(parts) - 1
        return Plan(
            posting,
            tuple(
                Envelope.build(
                    SecretKey(tagged_hash("bedroll/envelope", self._secret, posting.object_id, bytes([position]))),
                    part,
                    posting.fee_output_sat if position == last else 0,
                    self._carrier,
                )
                for position, part in enumerate(parts)
            ),
        )

    def part_count(self, posting: Posting) -> int:
        """How many envelopes an object takes."""
        if posting.size_bytes <= self._network.parameters.reveal_body_max:
            return 1
        return -(-posting.size_bytes // PART_MAX)

    def commit(self, plan: Plan, rate: FeeRate, l1_tip: L1Height) -> Attempt:
        """Build and record a first commit.

        Raises:
            InsufficientValue: The wallet's coins do not suffice.
            ClusterFull: Too much is unconfirmed: a block has to come first.
        """
        with self._queue.transaction():
            change = self._wallet.change_script()
            if len(plan.envelopes) == 1:
                coins = self._choose(plan, change, rate)
                payment = self._pay_all(plan, coins, rate, 0)
            else:
                outputs = [
                    TxOut(Satoshi(_needed_sat(envelope, change, rate) + REVEAL_CHANGE_MIN), envelope.output.script)
                    for envelope in plan.envelopes
                ]
                payment = self._wallet.pay(outputs, rate, plan.posting.purpose, confirmed_only=True)
            attempt = self._record(plan.posting, payment.transaction.txid, rate, l1_tip)
        crash_point("writer.after_commit_build")
        return attempt

    def reveal(self, plan: Plan, attempt: Attempt, position: int) -> None:
        """Grind and record one reveal of a commit; what it pays less than its share the commit has paid."""
        commit = self._payment(attempt.commit)
        envelope = plan.envelopes[position]
        change = self._wallet.change_script()
        size = envelope.reveal_size(change)
        fee_sat = fee_of(size, attempt.fee_rate)
        if len(plan.envelopes) == 1:
            package_sat = fee_of(VSize(size + commit.transaction.vsize), attempt.fee_rate)
            fee_sat = max(Satoshi(package_sat - commit.fee), fee_of(size, MIN_RELAY_RATE))
        built = build_reveal(commit.transaction, position, envelope, change, fee_sat, self._network.parameters.tag)
        with self._queue.transaction():
            self._wallet.record(built, [commit.transaction.outputs[position]], plan.posting.purpose)
            self._queue.put_reveal(plan.posting.id, attempt.number, position, built.txid)
        crash_point("writer.after_build")

    def replace(self, plan: Plan, attempt: Attempt, rate: FeeRate, l1_tip: L1Height) -> Attempt:
        """Replace an unconfirmed commit by one that pays more; its reveal must be built anew.

        Raises:
            InsufficientValue: Its coins do not hold that much more.
        """
        with self._queue.transaction():
            old = self._payment(attempt.commit)
            evicted_sat = old.fee + sum(self._payment(txid).fee for txid in attempt.reveals.values())
            self._wallet.abandon(attempt.commit)
            spent = {each.previous for each in old.transaction.inputs}
            coins = [coin for coin in self._wallet.coins() if coin.out_point in spent]
            least_sat = evicted_sat + fee_of(commit_size(len(coins), 1), INCREMENTAL_RATE)
            payment = self._pay_all(plan, coins, rate, least_sat)
            replaced = self._record(plan.posting, payment.transaction.txid, rate, l1_tip)
        crash_point("writer.after_bump_build")
        return replaced

    def lift(self, posting: Posting, attempt: Attempt, parent: Txid, rate: FeeRate, l1_tip: L1Height) -> None:
        """Make a child of a reveal that lifts it and its ancestors to a rate, in place of an older child.

        Raises:
            InsufficientValue: The wallet's coins do not suffice.
            ClusterFull: No room for a child: a block has to come first.
            Invalid: The reveal's change is spent already.
        """
        purpose = f"{posting.purpose} child"
        with self._queue.transaction():
            for child in self._wallet.payments(purpose=purpose, state=State.PENDING):
                if child.transaction.inputs[0].previous.txid != parent:
                    continue
                if not self._is_last({child.transaction.txid}):
                    # Replacing it would take the later posting that hangs on it along.
                    raise Invalid("a child's change pays for a later posting", child=child.transaction.txid)
                self._wallet.abandon(child.transaction.txid)
            self._wallet.pay_for(parent, rate, purpose)
            self._queue.set_rate(posting.id, attempt.number, rate, l1_tip)
        crash_point("writer.after_bump_build")

    def is_replaceable(self, attempt: Attempt) -> bool:
        """Whether a commit stands alone: it spends confirmed coins, and nothing but its own reveals hangs on it.

        A replacement lifts nothing but itself, and takes along what hangs on it; everything else is lifted by a child.
        """
        commit = self._payment(attempt.commit)
        parents = {each.previous.txid for each in commit.transaction.inputs}
        unconfirmed = {payment.transaction.txid for payment in self._wallet.payments(state=State.PENDING)}
        return not parents & unconfirmed and self._is_last({attempt.commit, *attempt.reveals.values()})

    def _is_last(self, own: set[Txid]) -> bool:
        """Whether no unconfirmed transaction but these spends from them."""
        return not any(
            each.previous.txid in own
            for payment in self._wallet.payments(state=State.PENDING)
            if payment.transaction.txid not in own
            for each in payment.transaction.inputs
        )

    def _choose(self, plan: Plan, change: bytes, rate: FeeRate) -> list[WalletCoin]:
        """The smallest confirmed coin that suffices, else several, else our own change."""
        needed_sat = _needed_sat(plan.envelopes[0], change, rate) + REVEAL_CHANGE_MIN + _ROUNDING_SAT

        def short(coins: Sequence[WalletCoin]) -> int:
            held_sat = sum(coin.value for coin in coins)
            return needed_sat + fee_of(commit_size(len(coins), 1), rate) - held_sat

        free = [coin for coin in self._wallet.coins() if coin.purpose is None]
        confirmed = [coin for coin in free if coin.height is not None]
        for usable in (confirmed,) if plan.is_big else (confirmed, free):
            usable.sort(key=lambda coin: (coin.value, coin.out_point))
            for coin in usable:
                if short([coin]) <= 0:
                    return [coin]
            for count in range(2, len(usable) + 1):
                if short(usable[-count:]) <= 0:
                    return usable[-count:]
        missing_sat = short(confirmed if plan.is_big else free)
        raise InsufficientValue("coins do not suffice", missing_sat=missing_sat, coins=len(free))

    def _pay_all(self, plan: Plan, coins: Sequence[WalletCoin], rate: FeeRate, least_sat: int) -> Payment:
        """A commit of one output that takes everything: the change comes back from the reveal."""
        size = commit_size(len(coins), 1)
        fee_sat = max(fee_of(size, rate), least_sat) + _ROUNDING_SAT
        value = Satoshi(sum(coin.value for coin in coins) - fee_sat)
        envelope = plan.envelopes[0]
        floor_sat = fee_of(envelope.reveal_size(envelope.output.script), MIN_RELAY_RATE)
        short_sat = floor_sat + envelope.fee_output_sat + REVEAL_CHANGE_MIN - value
        if short_sat > 0:
            raise InsufficientValue("coins do not hold this fee", missing_sat=short_sat, fee_sat=fee_sat)
        # At this rate change would cost more than there is, so that none is made; a little below the true one, since
        # the wallet rounds each input up when it looks whether these coins suffice.
        paid = FeeRate((fee_sat - _ROUNDING_SAT) * 1_000 // (size + len(coins) + 1))
        return self._wallet.pay(
            [TxOut(value, envelope.output.script)], paid, plan.posting.purpose, coins=[coin.out_point for coin in coins]
        )

    def _record(self, posting: Posting, commit: Txid, rate: FeeRate, l1_tip: L1Height) -> Attempt:
        number = len(self._queue.attempts(posting.id)) + 1
        attempt = Attempt(posting.id, number, commit, rate, l1_tip, l1_tip, {})
        self._queue.put_attempt(attempt)
        self._queue.set_state(posting.id, PostingState.SENT)
        return attempt

    def _payment(self, txid: Txid) -> Payment:
        payment = self._wallet.payment(txid)
        if payment is None:
            raise KeyError(txid.hex())
        return payment


def _needed_sat(envelope: Envelope, change_script: bytes, rate: FeeRate) -> int:
    """What a reveal costs, without its change."""
    return fee_of(envelope.reveal_size(change_script), rate) + envelope.fee_output_sat
