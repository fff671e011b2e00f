"""`txpool_…`: what waits in the mempool, by sender and nonce.

Reads: the mempool.  Gives: `TABLE`.
Never: shows more of a huge mempool at once than the limits say, or a part of it as if it were all.
Spec: docs/spec/api-chain.md#mempool
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from bedroll.execution.engine import Transaction
from bedroll.primitives import Address
from bedroll.sdk import checksum_address

from .error import Code, RpcError, invalid_params
from .method import MethodTable, optional, required
from .quantity import parse_address, parse_quantity, refuse, show_data, show_quantity
from .render import show_transaction
from .service import Service

TABLE: Final = MethodTable()

ZERO_ADDRESS: Final = Address(bytes(20))
Show = Callable[[Transaction], object]
_MEMBERS: Final = frozenset(("sender", "nonce", "count"))


@dataclass(frozen=True, slots=True)
class Page:
    """A part of the mempool that a client asks for, in the order of senders and nonces.

    Attributes:
        sender, nonce: Where it begins.
        count: Transactions to show at most; None: as many as the server shows.
    """

    sender: Address = ZERO_ADDRESS
    nonce: int = 0
    count: int | None = None


def parse_page(value: object, name: str = "page") -> Page:
    """Decode `{sender, nonce, count}`, any of which may be missing."""
    if not isinstance(value, dict):
        raise refuse(name, value, "an object of sender, nonce and count")
    given = {key: item for key, item in value.items() if item is not None}
    if unknown := given.keys() - _MEMBERS:
        raise invalid_params(f"unknown member {min(unknown)[:40]!r} of {name}")
    count = given.get("count")
    if count is not None and (not isinstance(count, int) or isinstance(count, bool) or count < 1):
        raise refuse("count", count, "a positive number of transactions")
    return Page(
        sender=parse_address(given["sender"], "sender") if "sender" in given else ZERO_ADDRESS,
        nonce=parse_quantity(given["nonce"], "nonce", bits=64) if "nonce" in given else 0,
        count=count,
    )


_PAGE: Final = optional("page", parse_page)


@TABLE.method("txpool_status")
async def status(service: Service) -> object:
    """How many transactions can be executed, and how many wait for another."""
    counts = service.backend.pool_status()
    return {"pending": show_quantity(counts.pending), "queued": show_quantity(counts.queued)}


@TABLE.method("txpool_content", _PAGE)
async def content(service: Service, page: Page | None) -> object:
    """All that waits; of a mempool that is too large for one answer, a page."""
    return _show(service, page, show_transaction)


@TABLE.method("txpool_inspect", _PAGE)
async def inspect(service: Service, page: Page | None) -> object:
    """The same as `txpool_content`, each transaction in one line."""
    return _show(service, page, show_line)


@TABLE.method("txpool_contentFrom", required("address", parse_address))
async def content_from(service: Service, sender: Address) -> object:
    """What waits of one sender."""
    pending, queued = service.backend.pool_account(sender)
    waiting = [*pending, *queued]
    _check_room(service, len(waiting), sum(len(one.raw) for one in waiting))
    return {"pending": _by_nonce(pending, show_transaction), "queued": _by_nonce(queued, show_transaction)}


def show_line(transaction: Transaction) -> str:
    """A transaction in geth's words."""
    to = "contract creation" if transaction.to is None else show_data(transaction.to)
    return f"{to}: {transaction.value} wei + {transaction.gas_limit} gas × {transaction.max_fee_per_gas} wei"


def _check_room(service: Service, count: int, size_bytes: int) -> None:
    limits = service.limits
    if count > limits.pool_shown or size_bytes > limits.pool_shown_bytes:
        raise RpcError(
            Code.LIMIT,
            f"{count} transactions of {size_bytes} bytes wait, one answer shows at most {limits.pool_shown} of "
            f'{limits.pool_shown_bytes} bytes: ask txpool_content for a page, {{"sender": address, "count": number}}',
        )


def _show(service: Service, page: Page | None, show: Show) -> dict[str, object]:
    backend = service.backend
    if page is None:
        counts = backend.pool_status()
        _check_room(service, counts.pending + counts.queued, counts.size_bytes)
    pending: dict[str, dict[str, object]] = {}
    queued: dict[str, dict[str, object]] = {}
    shown: dict[str, object] = {"pending": pending, "queued": queued}
    for is_pending, transaction, follows in _pages(service, page or Page()):
        if follows:
            # Only a page can have more behind it, so clients that do not know pages never see this member.
            shown["bedrollNext"] = {"sender": show_data(transaction.sender), "nonce": show_quantity(transaction.nonce)}
            break
        part = pending if is_pending else queued
        part.setdefault(checksum_address(transaction.sender), {})[str(transaction.nonce)] = show(transaction)
    return shown


def _pages(service: Service, page: Page) -> Iterator[tuple[bool, Transaction, bool]]:
    """(can be executed, transaction, does not fit any more) in order; at least one fits."""
    limits = service.limits
    count = min(page.count or limits.pool_shown, limits.pool_shown)
    size_bytes = limits.pool_shown_bytes
    for sender in service.backend.pool_senders(page.sender, count + 1):
        pending, queued = service.backend.pool_account(sender)
        for is_pending, row in ((True, pending), (False, queued)):
            for transaction in row:
                if sender == page.sender and transaction.nonce < page.nonce:
                    continue
                yield is_pending, transaction, count <= 0 or size_bytes <= 0
                count -= 1
                size_bytes -= len(transaction.raw)


def _by_nonce(row: Sequence[Transaction], show: Show) -> dict[str, object]:
    return {str(transaction.nonce): show(transaction) for transaction in row}
