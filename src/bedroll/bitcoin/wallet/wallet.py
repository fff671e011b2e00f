"""The wallet: keys and coins, payments with change, replacement and children, and what blocks make of them.

Reads: blocks in order, orders to pay.  Gives: signed transactions; its own state, durable before it is returned.
Never: talks to a node (`follow` does), spends another's unconfirmed output, or forgets a lock over a restart.
Spec: docs/spec/bitcoin.md#wallet
"""

from collections.abc import Iterable, Sequence
from typing import Final

from bedroll.primitives import BlockHash, FeeRate, Invalid, L1Height, Reorg, Satoshi, Txid, Unavailable, VSize

from ..block import Block
from ..builder import (
    Input,
    InsufficientValue,
    KeyPath,
    add_change,
    build_transaction,
    estimate_weight,
    sign_transaction,
)
from ..fee import INCREMENTAL_RATE, child_fee, dust_limit, fee_of, rate_of, replacement_fee, vsize_of
from ..policy import CLUSTER_SIZE_MAX, TRUC_VERSION, NonStandard, check_standard, check_topology
from ..transaction import OutPoint, Transaction, TxOut
from .cluster import Graph, fees, size
from .coin import Balance, Payment, State, WalletCoin
from .key import Branch, Keyring, script_of
from .selection import INPUT_WEIGHT, select
from .store import Ledger, Store

COINBASE_MATURITY: Final = 100
"""Blocks until a coinbase output can be spent (consensus)."""
LOOKAHEAD: Final = 20
"""Keys watched beyond the last one seen (BIP-0044's gap limit)."""
CLUSTER_COUNT_MAX: Final = 25
"""Most unconfirmed transactions of ours that hang together: what nodes older than Bitcoin Core 31 take."""


class ClusterFull(Unavailable):
    """More unconfirmed transactions would hang together than nodes relay: a block has to come first."""


class Wallet:
    """Keys, coins and payments of one owner. Every method is one database transaction."""

    def __init__(self, store: Store, keyring: Keyring) -> None:
        """Open over a database with `store.MIGRATIONS`."""
        self._ledger = Ledger(store)
        self._keyring = keyring
        self._watched: dict[bytes, tuple[Branch, int]] = {}
        self._derived = dict.fromkeys(Branch, 0)
        for branch in Branch:
            self._watch(branch)

    # --- asking

    def tip(self) -> tuple[L1Height, BlockHash] | None:
        """Newest connected block; None before the first."""
        return self._ledger.tip()

    def hash_at(self, height: L1Height) -> BlockHash | None:
        """Hash of a connected block."""
        return self._ledger.hash_at(height)

    def receive_script(self) -> bytes:
        """Output script for others to pay to; a new one each time where the keys allow it."""
        with self._ledger.transaction():
            return self._next_script(Branch.RECEIVE)

    def change_script(self) -> bytes:
        """The same for outputs of our own transactions, such as what a reveal leaves."""
        with self._ledger.transaction():
            return self._next_script(Branch.CHANGE)

    def scripts(self) -> list[bytes]:
        """Every script that is watched."""
        return list(self._watched)

    def coins(self, *, confirmed_only: bool = False) -> list[WalletCoin]:
        """Coins that can be spent now, locked ones included."""
        live = set() if confirmed_only else self._ledger.pending_txids()
        next_height = self._next_height()
        return [
            coin
            for coin in self._ledger.unspent()
            if _is_mature(coin, next_height) and (coin.height is not None or coin.out_point.txid in live)
        ]

    def balance(self) -> Balance:
        """What the coins are worth."""
        live, next_height = self._ledger.pending_txids(), self._next_height()
        available = locked = immature = unconfirmed = 0
        for coin in self._ledger.unspent():
            if coin.height is None and coin.out_point.txid not in live:
                unconfirmed += 0 if coin.coinbase or self._ledger.payment(coin.out_point.txid) else coin.value
            elif not _is_mature(coin, next_height):
                immature += coin.value
            elif coin.purpose is not None:
                locked += coin.value
            else:
                available += coin.value
        return Balance(Satoshi(available), Satoshi(locked), Satoshi(immature), Satoshi(unconfirmed))

    def payment(self, txid: Txid) -> Payment | None:
        """One transaction of ours."""
        return self._ledger.payment(txid)

    def payments(self, *, purpose: str | None = None, state: State | None = None) -> list[Payment]:
        """Transactions of ours, oldest first."""
        return self._ledger.payments(purpose=purpose, state=state)

    def fees_mined(self, prefix: str = "") -> Satoshi:
        """What mined transactions have cost whose purpose begins with `prefix`."""
        return self._ledger.fees_mined(prefix)

    def pending(self) -> list[Payment]:
        """What is to be broadcast again, parents first."""
        return self._graph().in_order()

    # --- locks

    def lock(self, out_points: Iterable[OutPoint], purpose: str) -> None:
        """Keep coins for a purpose; `pay` for that purpose may use them, nothing else does.

        Raises:
            Invalid: A coin is unknown, spent, or locked for another purpose.
        """
        names = list(out_points)
        with self._ledger.transaction():
            for name in names:
                coin = self._ledger.coin(name)
                if coin is None or not self._ledger.is_unspent(name):
                    raise Invalid("no such unspent coin", coin=str(name))
                if coin.purpose not in (None, purpose):
                    raise Invalid("coin is locked for another purpose", coin=str(name), purpose=coin.purpose)
            self._ledger.set_purpose(names, purpose)

    def free(self, purpose: str) -> None:
        """Let go of every coin that is locked for a purpose."""
        self._ledger.free_purpose(purpose)

    # --- paying

    def pay(
        self,
        outputs: Sequence[TxOut],
        rate: FeeRate,
        purpose: str,
        *,
        version: int = 2,
        confirmed_only: bool = False,
        coins: Sequence[OutPoint] = (),
    ) -> Payment:
        """Build, sign and record a payment; it is pending from now on, whether or not a node has seen it.

        Args:
            outputs: Without change.
            rate: Fee rate.
            purpose: What for; coins locked for it are spent first.
            version: Of the transaction.
            confirmed_only: Whether to leave our own unconfirmed change alone.
            coins: Coins that must be spent.

        Raises:
            InsufficientValue: The coins do not suffice.
            NonStandard: The transaction would not relay.
            ClusterFull: Too much of ours is unconfirmed.
            Invalid: A coin of `coins` cannot be spent.
        """
        with self._ledger.transaction():
            confirmed_only = confirmed_only or version == TRUC_VERSION
            usable = {coin.out_point: coin for coin in self._spendable_beside_restricted(confirmed_only)}
            fixed = [usable[name] for name in coins if name in usable]
            if len(fixed) != len(coins):
                raise Invalid(
                    "coin cannot be spent", coins=", ".join(str(each) for each in coins if each not in usable)
                )
            fixed += [each for each in usable.values() if each.purpose == purpose and each not in fixed]
            if any(each.purpose not in (None, purpose) for each in fixed):
                raise Invalid("coin is locked for another purpose", purpose=purpose)
            free = [each for each in usable.values() if each.purpose is None and each not in fixed]
            chosen = self._choose(free, fixed, outputs, rate)
            return self._build(chosen, outputs, rate, purpose, version=version)

    def record(self, transaction: Transaction, spent: Sequence[TxOut], purpose: str) -> Payment:
        """Take in a transaction that was signed elsewhere; what it pays to us counts as our own change.

        Pending payments that spend the same outputs, and their descendants, are replaced.

        Args:
            transaction: Signed, all inputs ours to spend.
            spent: The outputs its inputs spend.
            purpose: What for.

        Raises:
            NonStandard: It would not relay even with a child that pays for it, or pays too little to replace another.
            ClusterFull: Too much of ours is unconfirmed.
        """
        fee = check_standard(transaction, spent, in_package=True)
        with self._ledger.transaction():
            known = self._ledger.payment(transaction.txid)
            if known is not None and known.state in (State.PENDING, State.MINED):
                return known
            rivals = [Txid(spender) for each in transaction.inputs for spender in self._ledger.spenders(each.previous)]
            evicted = self._graph().descendants(rivals)
            least = replacement_fee((each.fee for each in evicted), transaction.vsize)
            if evicted and fee < least:
                raise NonStandard("replacement pays too little", reason="insufficient fee", fee=fee, limit=least)
            for each in evicted:
                self._ledger.set_state(each.transaction.txid, State.REPLACED)
            replaces = evicted[0].transaction.txid if evicted else None
            return self._put(Payment(transaction, fee, purpose, State.PENDING, None, replaces), None)

    def bump(self, txid: Txid, rate: FeeRate) -> Payment:
        """Replace a pending payment by one that pays more (BIP-0125, and pays no less a rate than before).

        Its pending descendants are gone with it; their purposes find them under `State.REPLACED`.

        Raises:
            Invalid: It is not pending, or not all of its inputs are the wallet's to sign.
            InsufficientValue: The coins do not suffice.
        """
        with self._ledger.transaction():
            old = self._pending(txid)
            evicted = self._graph().descendants([txid])
            inputs = [self._ledger.coin(each.previous) for each in old.transaction.inputs]
            fixed = [coin for coin in inputs if coin is not None]
            if len(fixed) != len(inputs):
                raise Invalid("payment has inputs that are not the wallet's to sign", txid=txid)
            change = self._ledger.change_of(txid)
            outputs = [each for at, each in enumerate(old.transaction.outputs) if at != change]
            change_script = old.transaction.outputs[change].script if change is not None else None
            # What is replaced cannot pay for its replacement, and BIP-0125 allows no new unconfirmed input.
            gone = {each.transaction.txid for each in evicted}
            free = [
                coin
                for coin in self.coins(confirmed_only=True)
                if coin.purpose is None and coin not in fixed and coin.out_point.txid not in gone
            ]
            rate = FeeRate(max(rate, rate_of(old.fee, old.transaction.vsize) + 1))
            chosen, least = self._cover(free, fixed, outputs, rate, evicted)
            for each in evicted:
                self._ledger.set_state(each.transaction.txid, State.REPLACED)
            return self._build(
                chosen, outputs, rate, old.purpose,
                version=old.transaction.version, least_fee_sat=least, change_script=change_script, replaces=txid,
            )  # fmt: skip

    def pay_for(self, txid: Txid, rate: FeeRate, purpose: str) -> Payment:
        """Make a child that lifts a pending payment, its ancestors and itself to a rate (CPFP).

        Raises:
            Invalid: It is not pending, or none of its outputs is ours and unspent.
            InsufficientValue: The coins do not suffice.
            ClusterFull: The child would not fit beside its ancestors.
        """
        with self._ledger.transaction():
            parent = self._pending(txid)
            mine = [coin for coin in self.coins() if coin.out_point.txid == txid and coin.purpose in (None, purpose)]
            if not mine:
                raise Invalid("payment has no output that the wallet can spend", txid=txid)
            ancestors = self._graph().ancestors([txid])
            free = [coin for coin in self.coins(confirmed_only=True) if coin.purpose is None and coin not in mine]
            free.sort(key=lambda coin: (-coin.value, coin.out_point))
            change = self._next_script(Branch.CHANGE)
            chosen = list(mine)
            while True:
                inputs = [self._input(coin) for coin in chosen]
                own = vsize_of(estimate_weight(inputs, [TxOut(Satoshi(0), change)]))
                fee = child_fee(fees(ancestors), size(ancestors), own, rate)
                left = sum(coin.value for coin in chosen) - fee
                if left >= dust_limit(change):
                    break
                if not free:
                    raise InsufficientValue("coins do not suffice", missing_sat=dust_limit(change) - left)
                chosen.append(free.pop(0))
            return self._build(
                chosen, [], rate, purpose, version=parent.transaction.version, least_fee_sat=fee, change_script=change
            )

    def abandon(self, txid: Txid) -> None:
        """Give up a pending payment and its descendants; their coins are free again.

        Raises:
            Invalid: It is not pending.
        """
        with self._ledger.transaction():
            self._pending(txid)
            for each in self._graph().descendants([txid]):
                self._ledger.set_state(each.transaction.txid, State.ABANDONED)

    # --- following

    def connect(self, block: Block, height: L1Height) -> None:
        """Take in the next block of the best chain; of the first, any height is good.

        Raises:
            Reorg: The block does not follow the wallet's tip.
        """
        with self._ledger.transaction():
            tip = self._ledger.tip()
            if tip is not None and (height != tip[0] + 1 or block.header.previous != tip[1]):
                raise Reorg("block does not follow the wallet's tip", height=tip[0], given=height, block=block.hash)
            self._ledger.put_block(height, block.hash)
            for transaction in block.transactions:
                self._connect(transaction, height)

    def connect_many(self, blocks: Sequence[Block], first: L1Height) -> None:
        """Take in several blocks by one durable write; all or none.

        Raises:
            Reorg: A block does not follow the one before.
        """
        with self._ledger.transaction():
            for offset, block in enumerate(blocks):
                self.connect(block, L1Height(first + offset))

    def disconnect(self) -> None:
        """Undo the newest block.

        Raises:
            Invalid: There is none.
        """
        with self._ledger.transaction():
            tip = self._ledger.tip()
            if tip is None:
                raise Invalid("wallet has no block to disconnect")
            self._ledger.drop_block(tip[0])

    # --- inside

    def _connect(self, transaction: Transaction, height: L1Height) -> None:
        txid = transaction.txid
        for each in transaction.inputs:
            rivals = [spender for spender in self._ledger.spenders(each.previous) if spender != txid]
            if rivals or self._ledger.coin(each.previous) is not None:
                self._ledger.put_spend(each.previous, txid, height)
            for rival in rivals:
                self._conflict(Txid(rival), height)
        if self._ledger.payment(txid) is not None:
            self._ledger.set_state_by_block(txid, State.MINED, height)
        self._put_coins(transaction, height)

    def _conflict(self, txid: Txid, height: L1Height) -> None:
        for each in self._graph().descendants([txid]):
            self._ledger.set_state_by_block(each.transaction.txid, State.CONFLICTED, height)

    def _put_coins(self, transaction: Transaction, height: L1Height | None) -> None:
        for at, output in enumerate(transaction.outputs):
            key = self._watched.get(output.script)
            if key is None:
                continue
            coinbase = transaction.is_coinbase
            self._ledger.put_coin(
                WalletCoin(transaction.out_point(at), output.value, output.script, *key, height, coinbase, None)
            )
            branch, index = key
            if index >= self._ledger.next_index(branch):
                self._ledger.put_next_index(branch, index + 1)
                self._watch(branch)

    def _put(self, payment: Payment, change: int | None) -> Payment:
        graph = self._graph()
        check_topology(payment.transaction, graph.parents_of(payment.transaction))
        cluster = graph.cluster({each.previous.txid for each in payment.transaction.inputs})
        weighs = size(cluster) + payment.transaction.vsize
        if cluster and (len(cluster) >= CLUSTER_COUNT_MAX or weighs > CLUSTER_SIZE_MAX):
            raise ClusterFull(
                "too much is unconfirmed", transactions=len(cluster) + 1, size_vb=weighs, limit_vb=CLUSTER_SIZE_MAX
            )
        txid = payment.transaction.txid
        self._ledger.put_payment(payment, change)
        for each in payment.transaction.inputs:
            self._ledger.put_spend(each.previous, txid, None)
        self._put_coins(payment.transaction, None)
        return payment

    def _choose(
        self, free: Sequence[WalletCoin], fixed: Sequence[WalletCoin], outputs: Sequence[TxOut], rate: FeeRate
    ) -> list[WalletCoin]:
        """Confirmed coins if they suffice, else our own change too."""
        target = Satoshi(sum(each.value for each in outputs) + fee_of(vsize_of(estimate_weight([], outputs)), rate))
        cost = self._change_cost(rate)
        try:
            return select([c for c in free if c.height is not None], target, rate, change_cost=cost, fixed=fixed)
        except InsufficientValue:
            return select(free, target, rate, change_cost=cost, fixed=fixed)

    def _cover(
        self,
        free: Sequence[WalletCoin],
        fixed: Sequence[WalletCoin],
        outputs: Sequence[TxOut],
        rate: FeeRate,
        evicted: Sequence[Payment],
    ) -> tuple[list[WalletCoin], Satoshi]:
        """Coins of a replacement, and the fee it must pay at least; coins are added until they suffice."""
        chosen = list(fixed)
        rest = sorted(free, key=lambda coin: (-coin.value, coin.out_point))
        change = TxOut(Satoshi(0), self._script(Branch.CHANGE, 0))
        while True:
            own = vsize_of(estimate_weight([self._input(coin) for coin in chosen], [*outputs, change]))
            least = Satoshi(
                max(replacement_fee((each.fee for each in evicted), own, INCREMENTAL_RATE), fee_of(own, rate))
            )
            missing = least + sum(each.value for each in outputs) - sum(coin.value for coin in chosen)
            if not outputs:
                missing += dust_limit(change.script)
            if missing <= 0:
                return chosen, least
            if not rest:
                raise InsufficientValue("coins do not suffice", missing_sat=missing)
            chosen.append(rest.pop(0))

    def _build(
        self,
        coins: Sequence[WalletCoin],
        outputs: Sequence[TxOut],
        rate: FeeRate,
        purpose: str,
        *,
        version: int,
        least_fee_sat: int = 0,
        change_script: bytes | None = None,
        replaces: Txid | None = None,
    ) -> Payment:
        inputs = [self._input(coin) for coin in coins]
        script = change_script or self._next_script(Branch.CHANGE)
        complete, fee = add_change(inputs, outputs, script, rate, least_fee_sat)
        unsigned = build_transaction(inputs, complete, version=version)
        signed = sign_transaction(unsigned, inputs)
        check_standard(signed, [each.output for each in inputs], in_package=version == TRUC_VERSION)
        change = len(complete) - 1 if len(complete) > len(outputs) else None
        return self._put(Payment(signed, fee, purpose, State.PENDING, None, replaces), change)

    def _input(self, coin: WalletCoin) -> Input:
        return Input(coin.out_point, coin.output, KeyPath(self._keyring.key(coin.branch, coin.index)))

    def _pending(self, txid: Txid) -> Payment:
        payment = self._ledger.payment(txid)
        if payment is None or payment.state is not State.PENDING:
            state = payment.state.value if payment else "unknown"
            raise Invalid("payment is not pending", txid=txid, state=state)
        return payment

    def _spendable_beside_restricted(self, confirmed_only: bool) -> list[WalletCoin]:
        """Coins, without change of pending version-3 transactions: only their one child may spend that."""
        restricted = self._ledger.pending_txids(version=TRUC_VERSION)
        coins = self.coins(confirmed_only=confirmed_only)
        return [coin for coin in coins if coin.height is not None or coin.out_point.txid not in restricted]

    def _graph(self) -> Graph:
        return Graph(self._ledger.payments(state=State.PENDING))

    def _next_height(self) -> int:
        tip = self._ledger.tip()
        return tip[0] + 1 if tip is not None else 0

    def _change_cost(self, rate: FeeRate) -> Satoshi:
        script = self._script(Branch.CHANGE, 0)
        made = VSize(len(TxOut(Satoshi(0), script).serialize()))
        return Satoshi(fee_of(VSize(made + -(-INPUT_WEIGHT // 4)), rate) + dust_limit(script))

    def _next_script(self, branch: Branch) -> bytes:
        index = self._ledger.next_index(branch)
        if self._keyring.is_endless():
            self._ledger.put_next_index(branch, index + 1)
            self._watch(branch)
        return self._script(branch, index)

    def _script(self, branch: Branch, index: int) -> bytes:
        return script_of(self._keyring.key(branch, index))

    def _watch(self, branch: Branch) -> None:
        """Keep `LOOKAHEAD` scripts beyond the next one in view."""
        wanted = self._ledger.next_index(branch) + LOOKAHEAD if self._keyring.is_endless() else 1
        for index in range(self._derived[branch], wanted):
            self._watched.setdefault(self._script(branch, index), (branch, index))
        self._derived[branch] = max(self._derived[branch], wanted)


def _is_mature(coin: WalletCoin, next_height: int) -> bool:
    return not coin.coinbase or (coin.height is not None and next_height - coin.height >= COINBASE_MATURITY)
