"""Fee coins: who pays for transactions that pay nothing themselves.

Reads: confirmed coins of one key.  Gives: children that pay for a parent through its anchor; coins of equal size.
Never: spends an unconfirmed coin, or a coin that another open child has.  Spec: docs/spec/dispute.md#fees
"""

from collections.abc import Iterable

from bedroll.bitcoin.builder import (
    Input,
    InsufficientValue,
    KeyPath,
    add_change,
    build_transaction,
    estimate_weight,
    sign_transaction,
)
from bedroll.bitcoin.client import BitcoinClient
from bedroll.bitcoin.fee import child_fee, dust_limit, vsize_of
from bedroll.bitcoin.policy import TRUC_CHILD_SIZE_MAX, TRUC_VERSION
from bedroll.bitcoin.taproot import TaprootOutput, tweak_secret_key
from bedroll.bitcoin.transaction import OutPoint, Transaction, TxOut
from bedroll.crypto.secp256k1 import SecretKey
from bedroll.primitives import FeeRate, Invalid, Satoshi

MATURITY_BLOCKS = 100
"""Blocks until a coinbase output can be spent (consensus)."""

_SPLIT = "split"


class Purse:
    """Coins of one key (BIP-0086 output)."""

    def __init__(self, client: BitcoinClient, key: SecretKey) -> None:
        self._client = client
        self._key = tweak_secret_key(key)
        self.script = TaprootOutput.build(key.x_only).script
        self._coins: list[tuple[OutPoint, Satoshi]] = []
        self._used: dict[str, frozenset[OutPoint]] = {}
        self._split: Transaction | None = None

    async def refresh(self) -> None:
        """Look at the coins that are confirmed and unspent now."""
        tip = await self._client.tip()
        found = await self._client.coins([self.script])
        self._coins = [
            (OutPoint(coin.txid, coin.index), coin.value)
            for coin in found
            if coin.height is not None and (not coin.coinbase or tip.height + 1 - coin.height >= MATURITY_BLOCKS)
        ]
        if self._used.get(_SPLIT, frozenset()).isdisjoint(point for point, _ in self._coins):
            self.release(_SPLIT)

    def count(self) -> int:
        """Coins that are confirmed and unspent."""
        return len(self._coins)

    def value_sat(self) -> int:
        """What they are worth."""
        return sum(value for _, value in self._coins)

    def inputs(self) -> list[Input]:
        """Every free coin as an input, for a transaction of our own."""
        return [self._input(*coin) for coin in self._free()]

    def complete(self, unsigned: Transaction) -> Transaction:
        """Sign a transaction of our own again, from what was stored of it.

        Raises:
            Invalid: An input is not a coin of ours now.
        """
        known = dict(self._coins)
        missing = [each.previous for each in unsigned.inputs if each.previous not in known]
        if missing:
            raise Invalid("transaction spends what is no coin of ours now", coin=str(missing[0]))
        inputs = [self._input(each.previous, known[each.previous]) for each in unsigned.inputs]
        return sign_transaction(unsigned, inputs)

    def spent_sat(self, purpose: str) -> int:
        """What a purpose's coins are worth."""
        used = self._used.get(purpose, frozenset())
        return sum(value for point, value in self._coins if point in used)

    def release(self, purpose: str) -> None:
        """Let go of a purpose's coins."""
        self._used.pop(purpose, None)

    def child(self, parent: Transaction, spent: int, rate: FeeRate, purpose: str, least_sat: int = 0) -> Transaction:
        """A child that lifts its parent to a rate; it spends the anchor, the parent's last output.

        Args:
            parent: Pre-signed, with witness, without fee.
            spent: Value of what the parent spends.
            rate: Of both together.
            purpose: Whose coins these are; a later child of the purpose spends the same first.
            least_sat: Least fee of the child.

        Raises:
            InsufficientValue: The coins do not suffice within 1,000 vB.
        """
        anchor = Input(parent.out_point(len(parent.outputs) - 1), parent.outputs[-1], None)
        chosen: list[tuple[OutPoint, Satoshi]] = []
        short = 0
        for coin in self._candidates(purpose):
            chosen.append(coin)
            inputs = [anchor, *(self._input(*each) for each in chosen)]
            size = vsize_of(estimate_weight(inputs, [TxOut(Satoshi(0), self.script)]))
            if size > TRUC_CHILD_SIZE_MAX:
                break
            paid = Satoshi(spent - parent.output_value)
            fee = max(child_fee(paid, parent.vsize, size, rate), least_sat)
            change = sum(value for _, value in chosen) - fee
            short = dust_limit(self.script) - change
            if short <= 0:
                unsigned = build_transaction(inputs, [TxOut(Satoshi(change), self.script)], version=TRUC_VERSION)
                self._used[purpose] = frozenset(point for point, _ in chosen)
                return sign_transaction(unsigned, inputs)
        raise InsufficientValue("fee coins do not suffice", missing_sat=short, coins=len(chosen), purpose=purpose)

    def split(self, count: int, value: Satoshi, rate: FeeRate) -> Transaction | None:
        """A transaction that leaves so many coins of at least a value; None if they are there or cannot be made."""
        if self._split is not None and _SPLIT in self._used:
            # On its way: the same again, as long as its coin is there.
            return self._split
        large = [coin for coin in self._free() if coin[1] >= value]
        missing = count - len(large)
        if missing <= 0 or not large:
            return None
        largest = max(large, key=lambda coin: coin[1])
        made = min(missing, (largest[1] - value) // value)
        inputs = [self._input(*largest)]
        if made < 1:
            return None
        outputs, _ = add_change(inputs, [TxOut(value, self.script)] * made, self.script, rate)
        self._split = sign_transaction(build_transaction(inputs, outputs), inputs)
        self._used[_SPLIT] = frozenset((largest[0],))
        return self._split

    def _candidates(self, purpose: str) -> Iterable[tuple[OutPoint, Satoshi]]:
        mine = self._used.get(purpose, frozenset())
        kept = [coin for coin in self._coins if coin[0] in mine]
        # Largest first: one input is the smallest child.
        return [*kept, *sorted((coin for coin in self._free() if coin[0] not in mine), key=lambda coin: -coin[1])]

    def _free(self) -> list[tuple[OutPoint, Satoshi]]:
        taken = frozenset().union(*self._used.values())
        return [coin for coin in self._coins if coin[0] not in taken]

    def _input(self, point: OutPoint, value: Satoshi) -> Input:
        return Input(point, TxOut(value, self.script), KeyPath(self._key))
