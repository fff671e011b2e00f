"""Building and signing transactions whose inputs are taproot outputs of ours.

Reads: coins, keys, leaves, outputs.  Gives: unsigned transactions, exact weights before signing, signed transactions.
Never: chooses coins or draws randomness.  Spec: docs/spec/bitcoin.md#builder
"""

from collections.abc import Sequence
from dataclasses import dataclass

from bedroll.crypto import schnorr
from bedroll.crypto.secp256k1 import SecretKey
from bedroll.primitives import FeeRate, Invalid, Satoshi, Weight

from .fee import dust_limit, fee_of, vsize_of
from .sighash import HashType, SighashCache, taproot_sighash
from .taproot import leaf_hash
from .transaction import MONEY_MAX, SEQUENCE_REPLACEABLE, OutPoint, Transaction, TxIn, TxOut


class InsufficientValue(Invalid):
    """Inputs do not pay for outputs and fee; `.missing_sat` more would."""

    missing_sat: int


@dataclass(frozen=True, slots=True)
class KeyPath:
    """Spend by the output key.

    Attributes:
        key: Secret of the output key, tweak included.
        hash_type: What the signature covers.
    """

    key: SecretKey
    hash_type: HashType = HashType.DEFAULT


@dataclass(frozen=True, slots=True)
class LeafPath:
    """Spend by a tapscript leaf.

    Attributes:
        script: The leaf.
        control_block: Serialised.
        key: Signs for the leaf; None where no signature is needed.
        items: Other items of the stack, bottom first; the signature goes on top of them.
        hash_type: What the signature covers.
    """

    script: bytes
    control_block: bytes
    key: SecretKey | None = None
    items: tuple[bytes, ...] = ()
    hash_type: HashType = HashType.DEFAULT


@dataclass(frozen=True, slots=True)
class Input:
    """An output that is to be spent, and how.

    Attributes:
        previous: Its name.
        output: Its value and script.
        spend: None for one that needs no witness (an anchor).
        sequence: Of the input.
    """

    previous: OutPoint
    output: TxOut
    spend: KeyPath | LeafPath | None
    sequence: int = SEQUENCE_REPLACEABLE


def build_transaction(
    inputs: Sequence[Input], outputs: Sequence[TxOut], *, version: int = 2, lock_time: int = 0
) -> Transaction:
    """Unsigned transaction.

    Raises:
        Invalid: No inputs, no outputs, or a value that is none.
        InsufficientValue: The outputs are worth more than the inputs.
    """
    if not inputs or not outputs:
        raise Invalid("a transaction has inputs and outputs", inputs=len(inputs), outputs=len(outputs))
    _check_values(outputs)
    missing = sum(each.value for each in outputs) - sum(each.output.value for each in inputs)
    if missing > 0:
        raise InsufficientValue("outputs are worth more than inputs", missing_sat=missing)
    ins = tuple(TxIn(each.previous, b"", each.sequence) for each in inputs)
    return Transaction(ins, tuple(outputs), version, lock_time)


def sign_transaction(unsigned: Transaction, inputs: Sequence[Input], entropy: bytes = bytes(32)) -> Transaction:
    """Fill in every witness.

    Args:
        unsigned: Built from the same inputs, in order.
        inputs: What they spend and how.
        entropy: 32 bytes for the signatures; the default makes them deterministic.

    Raises:
        Invalid: The inputs are not those of the transaction.
    """
    if [each.previous for each in unsigned.inputs] != [each.previous for each in inputs]:
        raise Invalid("inputs are not those of the transaction", inputs=len(inputs))
    cache = SighashCache(unsigned, [each.output for each in inputs])
    signed = tuple(
        each._replace(witness=_witness(cache, index, spent.spend, entropy))
        for index, (each, spent) in enumerate(zip(unsigned.inputs, inputs, strict=True))
    )
    return Transaction(signed, unsigned.outputs, unsigned.version, unsigned.lock_time)


def estimate_weight(inputs: Sequence[Input], outputs: Sequence[TxOut]) -> Weight:
    """Weight that the signed transaction will have, exactly: BIP-0340 signatures have one size.

    Raises:
        Invalid: A value is none.
    """
    _check_values(outputs)
    ins = tuple(TxIn(each.previous, b"", each.sequence, _placeholder(each.spend)) for each in inputs)
    return Transaction(ins, tuple(outputs)).weight


def add_change(
    inputs: Sequence[Input],
    outputs: Sequence[TxOut],
    change_script: bytes,
    rate: FeeRate,
    least_fee_sat: int = 0,
) -> tuple[list[TxOut], Satoshi]:
    """Append change that leaves the fee at a rate; where it would be dust, the fee takes it.

    Args:
        inputs: All inputs.
        outputs: Without change.
        change_script: Where change goes.
        rate: Of the whole transaction.
        least_fee_sat: Lower bound of the fee, whatever the rate says.

    Returns:
        All outputs, change last if there is any, and the fee.

    Raises:
        InsufficientValue: The inputs do not pay for outputs and fee.
        Invalid: A value is none.
    """
    left = Satoshi(sum(each.output.value for each in inputs) - sum(each.value for each in outputs))
    with_change = [*outputs, TxOut(Satoshi(0), change_script)]
    fee = max(fee_of(vsize_of(estimate_weight(inputs, with_change)), rate), least_fee_sat)
    change = Satoshi(left - fee)
    if change >= dust_limit(change_script):
        with_change[-1] = TxOut(change, change_script)
        return with_change, Satoshi(fee)
    needed = max(fee_of(vsize_of(estimate_weight(inputs, outputs or with_change)), rate), least_fee_sat)
    if left < needed or not outputs:
        short = needed - left if outputs else dust_limit(change_script) - change
        raise InsufficientValue("inputs do not pay for outputs and fee", missing_sat=short, fee_sat=needed)
    return list(outputs), left


def _check_values(outputs: Sequence[TxOut]) -> None:
    for at, each in enumerate(outputs):
        if not 0 <= each.value <= MONEY_MAX:
            raise Invalid("no such value", output=at, value=each.value, limit=MONEY_MAX)


def _witness(cache: SighashCache, index: int, spend: KeyPath | LeafPath | None, entropy: bytes) -> tuple[bytes, ...]:
    if spend is None:
        return ()
    if isinstance(spend, KeyPath):
        return (_signature(spend.key, taproot_sighash(cache, index, spend.hash_type), spend.hash_type, entropy),)
    items = spend.items
    if spend.key is not None:
        digest = taproot_sighash(cache, index, spend.hash_type, leaf_hash=leaf_hash(spend.script))
        items = (*items, _signature(spend.key, digest, spend.hash_type, entropy))
    return (*items, spend.script, spend.control_block)


def _signature(key: SecretKey, digest: bytes, hash_type: HashType, entropy: bytes) -> bytes:
    return schnorr.sign(key, digest, entropy) + (bytes((hash_type,)) if hash_type else b"")


def _placeholder(spend: KeyPath | LeafPath | None) -> tuple[bytes, ...]:
    if spend is None:
        return ()
    signature = bytes(schnorr.SIGNATURE_SIZE + (1 if spend.hash_type else 0))
    if isinstance(spend, KeyPath):
        return (signature,)
    items = (*spend.items, signature) if spend.key is not None else spend.items
    return (*items, spend.script, spend.control_block)
