"""What relays: the rules of Bitcoin Core's mempool that our transactions could break.

Reads: a transaction and the outputs it spends.  Gives: a refusal with Core's own word, or nothing.
Never: executes scripts, or knows a mempool's content beyond the parents it is told.  Spec: docs/spec/bitcoin.md#policy
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NoReturn

from bedroll.primitives import FeeRate, Invalid, Satoshi, VSize, Weight

from .fee import MIN_RELAY_RATE, dust_limit, fee_of
from .script import ANCHOR_SCRIPT, Kind, classify, is_push_only, witness_program
from .taproot import TAPSCRIPT
from .transaction import MONEY_MAX, NULL_OUT_POINT, Transaction, TxOut
from .witness import ANNEX_TAG

STANDARD_WEIGHT_MAX: Final = Weight(400_000)
"""Heaviest transaction that relays."""
STANDARD_SIZE_MIN: Final = 65
"""Shortest serialisation without witness that relays, bytes."""
SCRIPT_SIG_SIZE_MAX: Final = 1_650
"""Longest script_sig that relays, bytes."""
TAPSCRIPT_ITEM_SIZE_MAX: Final = 80
"""Longest item on the stack of a tapscript that relays, bytes."""
WITNESS_SCRIPT_SIZE_MAX: Final = 3_600
"""Longest version-0 witness script that relays, bytes."""
WITNESS_ITEMS_MAX: Final = 100
"""Most items beside a version-0 witness script."""
WITNESS_ITEM_SIZE_MAX: Final = 80
"""Longest of these, bytes."""
CARRIER_SIZE_MAX: Final = 100_000
"""Bytes of all `OP_RETURN` scripts of a transaction together (Bitcoin Core ≥ 30)."""
TRUC_VERSION: Final = 3
"""Version of a topologically restricted transaction (BIP-0431)."""
TRUC_SIZE_MAX: Final = VSize(10_000)
"""Largest such transaction, virtual bytes."""
TRUC_CHILD_SIZE_MAX: Final = VSize(1_000)
"""Largest such transaction with an unconfirmed parent, virtual bytes."""
CLUSTER_SIZE_MAX: Final = VSize(101_000)
"""Unconfirmed transactions that hang together weigh at most this, virtual bytes (Bitcoin Core ≥ 31)."""
CLUSTER_COUNT_MAX: Final = 64
"""And are at most so many."""


class NonStandard(Invalid):
    """A transaction does not relay, or breaks a rule that needs no context; `.reason` is Bitcoin Core's word."""

    reason: str


@dataclass(frozen=True, slots=True)
class UnconfirmedParent:
    """An unconfirmed transaction that another one spends from.

    Attributes:
        version: Of the transaction.
        ancestors: Its own unconfirmed ancestors, without itself.
        other_children: Unconfirmed transactions that spend from it, without the judged one and what that replaces.
    """

    version: int
    ancestors: int
    other_children: int


def check_transaction(transaction: Transaction) -> None:
    """Consensus rules that a transaction keeps or breaks by itself (Core's `CheckTransaction`).

    Raises:
        NonStandard: With the reason.
    """
    if transaction.output_value > MONEY_MAX:
        _refuse("bad-txns-txouttotal-toolarge", value=transaction.output_value, limit=MONEY_MAX)
    if 4 * len(transaction.stripped) > 4_000_000:
        _refuse("bad-txns-oversize", size=len(transaction.stripped), limit=1_000_000)
    spent = [each.previous for each in transaction.inputs]
    if len(set(spent)) != len(spent):
        _refuse("bad-txns-inputs-duplicate", inputs=len(spent), distinct=len(set(spent)))
    if transaction.is_coinbase:
        size = len(transaction.inputs[0].script_sig)
        if not 2 <= size <= 100:
            _refuse("bad-cb-length", size=size, limit=100)
    elif NULL_OUT_POINT in spent:
        _refuse("bad-txns-prevout-null", index=spent.index(NULL_OUT_POINT))


def check_standard(
    transaction: Transaction,
    spent: Sequence[TxOut],
    *,
    min_rate: FeeRate = MIN_RELAY_RATE,
    carrier_size_max: int = CARRIER_SIZE_MAX,
    in_package: bool = False,
) -> Satoshi:
    """Whether a transaction relays by itself.

    Args:
        transaction: Signed.
        spent: The outputs its inputs spend, in order.
        min_rate: Least fee rate of the node.
        carrier_size_max: The node's limit on `OP_RETURN` bytes (Bitcoin Core < 30: 83).
        in_package: Whether a child pays for it: then no fee is asked, and one dust output is allowed at fee zero.

    Returns:
        Its fee.

    Raises:
        NonStandard: With the reason.
    """
    check_transaction(transaction)
    if transaction.is_coinbase:
        _refuse("coinbase")
    _check_form(transaction)
    _check_outputs(transaction, carrier_size_max)
    for index, (each, output) in enumerate(zip(transaction.inputs, spent, strict=True)):
        _check_spend(index, each.script_sig, each.witness, output.script)
    fee = Satoshi(sum(each.value for each in spent) - transaction.output_value)
    if fee < 0:
        _refuse("bad-txns-in-belowout", spent=fee + transaction.output_value, outputs=transaction.output_value)
    dust = [at for at, each in enumerate(transaction.outputs) if each.value < dust_limit(each.script)]
    if dust and (fee or len(dust) > 1 or not in_package):
        output = transaction.outputs[dust[0]]
        _refuse("dust", index=dust[0], value=output.value, limit=dust_limit(output.script))
    if not in_package and fee < fee_of(transaction.vsize, min_rate):
        _refuse("min relay fee not met", fee=fee, limit=fee_of(transaction.vsize, min_rate))
    return fee


def check_topology(transaction: Transaction, parents: Sequence[UnconfirmedParent]) -> None:
    """Rules of version 3 (BIP-0431), and against spending from it with another version.

    Raises:
        NonStandard: `TRUC-violation` with the rule.
    """
    restricted = transaction.version == TRUC_VERSION
    if any((parent.version == TRUC_VERSION) != restricted for parent in parents):
        _refuse("TRUC-violation", rule="version 3 and others do not spend each other unconfirmed")
    if not restricted:
        return
    limit = TRUC_CHILD_SIZE_MAX if parents else TRUC_SIZE_MAX
    if transaction.vsize > limit:
        _refuse("TRUC-violation", rule="too big", size=transaction.vsize, limit=limit)
    if len(parents) > 1 or any(parent.ancestors for parent in parents):
        _refuse("TRUC-violation", rule="at most one unconfirmed ancestor", parents=len(parents))
    if any(parent.other_children for parent in parents):
        _refuse("TRUC-violation", rule="at most one unconfirmed child")


def _check_form(transaction: Transaction) -> None:
    if not 1 <= transaction.version <= TRUC_VERSION:
        _refuse("version", version=transaction.version, limit=TRUC_VERSION)
    if transaction.weight > STANDARD_WEIGHT_MAX:
        _refuse("tx-size", weight=transaction.weight, limit=STANDARD_WEIGHT_MAX)
    if len(transaction.stripped) < STANDARD_SIZE_MIN:
        _refuse("tx-size-small", size=len(transaction.stripped), limit=STANDARD_SIZE_MIN)
    for index, each in enumerate(transaction.inputs):
        if len(each.script_sig) > SCRIPT_SIG_SIZE_MAX:
            _refuse("scriptsig-size", index=index, size=len(each.script_sig), limit=SCRIPT_SIG_SIZE_MAX)
        if not is_push_only(each.script_sig):
            _refuse("scriptsig-not-pushonly", index=index)


def _check_outputs(transaction: Transaction, carrier_size_max: int) -> None:
    carried = 0
    for index, output in enumerate(transaction.outputs):
        kind = classify(output.script)
        if kind is Kind.NONSTANDARD or (kind is Kind.MULTISIG and output.script[-2] - 0x50 > 3):
            _refuse("scriptpubkey", index=index, script=output.script[:80])
        if kind is Kind.DATA:
            carried += len(output.script)
            if carried > carrier_size_max:
                _refuse("datacarrier", size=carried, limit=carrier_size_max)


def _check_spend(index: int, script_sig: bytes, witness: tuple[bytes, ...], script: bytes) -> None:
    kind = classify(script)
    if kind in (Kind.NONSTANDARD, Kind.WITNESS_UNKNOWN, Kind.DATA):
        _refuse("bad-txns-nonstandard-inputs", index=index, kind=kind.value)
    if not witness:
        return
    program = witness_program(script)
    if kind is Kind.SCRIPT_HASH:
        # Nested witness: the redeem script is the last push.
        program = witness_program(script_sig[1:])
    if script == ANCHOR_SCRIPT or program is None:
        _refuse_witness(index, "an output without a witness program has a witness")
    elif program[0] == 0 and len(program[1]) == 32:
        _check_witness_script(index, witness)
    elif kind is Kind.TAPROOT:
        _check_taproot(index, witness)


def _check_witness_script(index: int, witness: tuple[bytes, ...]) -> None:
    if len(witness[-1]) > WITNESS_SCRIPT_SIZE_MAX:
        _refuse_witness(index, "witness script is too long", size=len(witness[-1]), limit=WITNESS_SCRIPT_SIZE_MAX)
    if len(witness) - 1 > WITNESS_ITEMS_MAX:
        _refuse_witness(index, "too many items", items=len(witness) - 1, limit=WITNESS_ITEMS_MAX)
    longest = max(map(len, witness[:-1]), default=0)
    if longest > WITNESS_ITEM_SIZE_MAX:
        _refuse_witness(index, "item is too long", size=longest, limit=WITNESS_ITEM_SIZE_MAX)


def _check_taproot(index: int, witness: tuple[bytes, ...]) -> None:
    if len(witness) == 1:
        return
    if witness[-1][:1] == bytes((ANNEX_TAG,)):
        _refuse_witness(index, "there is an annex", size=len(witness[-1]))
    control = witness[-1]
    if not control:
        _refuse_witness(index, "control block is empty")
    longest = max(map(len, witness[:-2]), default=0)
    if control[0] & 0xFE == TAPSCRIPT and longest > TAPSCRIPT_ITEM_SIZE_MAX:
        _refuse_witness(index, "item is too long", size=longest, limit=TAPSCRIPT_ITEM_SIZE_MAX)


def _refuse_witness(index: int, rule: str, **fields: object) -> NoReturn:
    _refuse("bad-witness-nonstandard", index=index, rule=rule, **fields)


def _refuse(reason: str, **fields: object) -> NoReturn:
    raise NonStandard("transaction does not relay", reason=reason, **fields)
