"""`eth_sendRawTransactionSync` (EIP-7966): hand in a transaction and wait for its receipt.

Reads: signed bytes of a stranger.  Gives: `TABLE`.
Never: waits longer than the limits say.  Spec: docs/spec/api-chain.md#send
"""

from typing import Final

from bedroll.primitives import Address, Hash32

from .block_method import transaction_receipt
from .error import Code, RpcError
from .method import MethodTable, optional, required
from .quantity import parse_quantity, refuse, show_data, show_quantity
from .send_method import parse_raw
from .service import Service

TABLE: Final = MethodTable()


def parse_timeout(value: object, name: str) -> int:
    """Decode milliseconds; clients write a number or a quantity."""
    if isinstance(value, int) and not isinstance(value, bool):
        if not 0 <= value < 1 << 63:
            raise refuse(name, value, "milliseconds")
        return value
    return parse_quantity(value, name, bits=64)


@TABLE.method("eth_sendRawTransactionSync", required("transaction", parse_raw), optional("timeout", parse_timeout, 0))
async def send_sync(service: Service, raw: bytes, timeout_milliseconds: int) -> object:
    """Hand in a signed transaction; the answer is its receipt, or an error with its hash if that takes too long."""
    limits = service.limits
    seconds = min(timeout_milliseconds / 1_000 or limits.sync_seconds, limits.sync_seconds_max)
    with service.inclusion.place():
        return await _send_and_wait(service, raw, seconds)


async def _send_and_wait(service: Service, raw: bytes, seconds: float) -> object:
    transaction_hash = await service.backend.send_transaction(raw)
    _refuse_gap(service, transaction_hash)
    if not await service.inclusion.wait(transaction_hash, seconds):
        _refuse_late(service, transaction_hash, seconds)
    receipt = await transaction_receipt(service, transaction_hash)
    if receipt is None:
        # Its block left the chain between two reads; the mempool has it again.
        _refuse_late(service, transaction_hash, seconds)
    return receipt


def _refuse_gap(service: Service, transaction_hash: Hash32) -> None:
    """End at once where a nonce before it is missing: no block can have it."""
    backend = service.backend
    waiting = backend.pool_transaction(transaction_hash)
    if waiting is None or backend.engine.find_transaction(transaction_hash) is not None:
        return
    following = backend.pending_nonce(Address(waiting.sender))
    if waiting.nonce > following:
        raise RpcError(
            Code.NONCE_GAP,
            f"the transaction waits behind a nonce gap: it has nonce {waiting.nonce}, the sender's next is {following}",
            show_quantity(following),
        )


def _refuse_late(service: Service, transaction_hash: Hash32, seconds: float) -> None:
    backend = service.backend
    waiting = backend.pool_transaction(transaction_hash)
    price_wei = backend.engine.next_base_fee()
    if waiting is not None and waiting.max_fee_per_gas < price_wei:
        raise RpcError(
            Code.UNREADY,
            f"the transaction was added to the mempool but cannot be executed now: it pays at most "
            f"{waiting.max_fee_per_gas} wei a gas, the base fee is {price_wei}",
            show_data(transaction_hash),
        )
    raise RpcError(
        Code.SYNC_TIMEOUT,
        f"the transaction was added to the mempool but wasn't processed in {seconds:g} s",
        show_data(transaction_hash),
    )
