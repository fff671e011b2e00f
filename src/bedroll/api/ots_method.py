"""`ots_…` and `erigon_getHeaderByNumber`: what the Otterscan explorer asks beyond Ethereum's methods.

Reads: blocks, traces of the engine.  Gives: `TABLE`, `parse_height`.
Never: shows a transfer that was rolled back.  Spec: docs/spec/api-trace.md#otterscan
"""

from collections.abc import Iterator
from typing import Final

import msgspec

from .block_method import show_head
from .block_tag import LATEST, BlockRef, find_height, parse_block, parse_number, view_at
from .error import invalid_params
from .method import MethodTable, optional, required
from .quantity import parse_address, parse_hash, show_quantity
from .record import BlockRecord
from .render import show_included, show_receipt, total_gas
from .service import Service
from .trace_method import bounds_of, find_transaction, traced

TABLE: Final = MethodTable()

API_LEVEL: Final = 8
"""Version of these methods that Otterscan asks for."""
PAGE_SIZE_MAX: Final = 100
"""Transactions of one page; Otterscan shows 25."""
_TOP: Final = '{"tracer":"callTracer","tracerConfig":{"onlyTopCall":true}}'
_SELECTOR_CHARACTERS: Final = 10
_NOBODY: Final = "0x" + "00" * 20
_OPERATIONS: Final = {"CALL": 0, "SELFDESTRUCT": 1, "CREATE": 2, "CREATE2": 3}
_WITHOUT_VALUE: Final = frozenset(("STATICCALL", "DELEGATECALL"))


class Action(msgspec.Struct, rename="camel"):
    """What a call wanted, as Parity tells it: of a call, a creation or a destruction."""

    from_: str = msgspec.field(name="from", default="")
    to: str = ""
    call_type: str = ""
    creation_method: str = ""
    value: str = "0x0"
    input: str = "0x"
    init: str = "0x"
    address: str = ""
    refund_address: str = ""
    balance: str = "0x0"


class Result(msgspec.Struct):
    """What a call gave."""

    output: str = "0x"
    address: str = ""
    code: str = "0x"


class Step(msgspec.Struct, rename="camel"):
    """A call with its place among the calls of its transaction."""

    action: Action
    type: str
    trace_address: list[int]
    result: Result | None = None
    error: str | None = None

    @property
    def kind(self) -> str:
        """As an instruction of the EVM."""
        if self.type == "suicide":
            return "SELFDESTRUCT"
        if self.type == "create":
            return "CREATE2" if self.action.creation_method == "create2" else "CREATE"
        return self.action.call_type.upper() or "CALL"

    @property
    def ends(self) -> tuple[str, str]:
        """From whom to whom."""
        if self.type == "suicide":
            return self.action.address, self.action.refund_address
        if self.type == "create":
            return self.action.from_, self.result.address if self.result else _NOBODY
        return self.action.from_, self.action.to

    @property
    def output(self) -> str:
        """What it gave: data, or the code of a new contract."""
        if self.result is None:
            return "0x"
        return self.result.code if self.type == "create" else self.result.output

    @property
    def value(self) -> str:
        """Wei that went along."""
        return self.action.balance if self.type == "suicide" else self.action.value


class Top(msgspec.Struct):
    """The outermost call as the call tracer tells it."""

    output: str = "0x"
    error: str | None = None


_steps_decoder: Final = msgspec.json.Decoder(list[Step])
_top_decoder: Final = msgspec.json.Decoder(Top)


def parse_height(value: object, name: str) -> BlockRef:
    """Decode a height as Otterscan writes it: a number; quantities and tags are taken too."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 63:
        return BlockRef(number=value)
    return parse_number(value, name)


def parse_place(value: object, name: str) -> BlockRef:
    """Decode a block as `parse_height`, or by its hash."""
    return parse_height(value, name) if isinstance(value, int) else parse_block(value, name)


def parse_count(value: object, name: str) -> int:
    """Decode a number of pages or nonces."""
    number = parse_height(value, name).number
    if number is None:
        raise invalid_params(f"invalid {name}: got {str(value)[:40]!r}, want a number")
    return number


def parse_page_size(value: object, name: str) -> int:
    """Decode how many transactions a page has."""
    size = parse_count(value, name)
    if not 1 <= size <= PAGE_SIZE_MAX:
        raise invalid_params(f"invalid {name}: {size}, want 1 to {PAGE_SIZE_MAX}")
    return size


_HEIGHT: Final = required("block number", parse_height)
_TRANSACTION: Final = required("transaction hash", parse_hash)


@TABLE.method("ots_getApiLevel")
async def api_level(_service: Service) -> object:
    """Version of these methods."""
    return API_LEVEL


@TABLE.method("ots_hasCode", required("address", parse_address), optional("block", parse_place, LATEST))
async def has_code(service: Service, address: bytes, ref: BlockRef) -> object:
    """Whether there is a contract."""
    return bool(view_at(service, ref).code(address))


@TABLE.method("erigon_getHeaderByNumber", _HEIGHT)
async def header_by_number(service: Service, ref: BlockRef) -> object:
    """A block without its transactions; null if the chain has none such."""
    record = await _find(service, ref)
    return None if record is None else show_head(service, record)


@TABLE.method("ots_getBlockDetails", _HEIGHT)
async def block_details(service: Service, ref: BlockRef) -> object:
    """A block without transactions and bloom, with their count and fees; null if the chain has none such."""
    return _show_details(service, await _find(service, ref))


@TABLE.method("ots_getBlockDetailsByHash", required("block hash", parse_hash))
async def block_details_by_hash(service: Service, block_hash: bytes) -> object:
    """The same by hash."""
    return _show_details(service, await _find(service, BlockRef(hash=block_hash)))


@TABLE.method(
    "ots_getBlockTransactions", _HEIGHT, required("page", parse_count), required("page size", parse_page_size)
)
async def block_transactions(service: Service, ref: BlockRef, page: int, size: int) -> object:
    """A page of a block's transactions and receipts; page 0 ends with the block's last one."""
    record = await _find(service, ref)
    if record is None:
        return None
    end = max(0, len(record.transactions) - page * size)
    places = range(max(0, end - size), end)
    height = record.header.number
    block_class, carriage = service.class_of(height), service.carriage_of(height)
    transactions = [show_included(record, index) for index in places]
    for one in transactions:
        one["input"] = str(one["input"])[:_SELECTOR_CHARACTERS]
    receipts = [show_receipt(record, index, block_class, carriage) for index in places]
    for receipt in receipts:
        receipt |= {"logs": None, "logsBloom": None}
    return {"fullblock": _show_summary(service, record) | {"transactions": transactions}, "receipts": receipts}


@TABLE.method("ots_getTransactionError", _TRANSACTION)
async def transaction_error(service: Service, transaction_hash: bytes) -> object:
    """What a failed transaction gave back, to be decoded as an error; `0x` for one that succeeded."""
    height, index = find_transaction(service, transaction_hash)
    told = await traced(service, service.backend.engine.trace, height, index, _TOP, **bounds_of(service))
    top = _top_decoder.decode(told)
    return top.output if top.error else "0x"


@TABLE.method("ots_traceTransaction", _TRANSACTION)
async def trace_transaction(service: Service, transaction_hash: bytes) -> object:
    """Calls of a transaction, flat, each with its depth."""
    return [
        {
            "type": step.kind,
            "depth": len(step.trace_address),
            "from": step.ends[0],
            "to": step.ends[1],
            "value": None if step.kind in _WITHOUT_VALUE else step.value,
            "input": step.action.init if step.type == "create" else step.action.input,
            "output": "0x"
            if step.result is None
            else step.result.code
            if step.type == "create"
            else step.result.output,
        }
        for step in await read_steps(service, transaction_hash)
    ]


@TABLE.method("ots_getInternalOperations", _TRANSACTION)
async def internal_operations(service: Service, transaction_hash: bytes) -> object:
    """Bitcoin that contracts sent, and contracts that they made and destroyed; nothing that was rolled back."""
    return [
        {"type": _OPERATIONS[step.kind], "from": step.ends[0], "to": step.ends[1], "value": step.value}
        for step in _lasting(await read_steps(service, transaction_hash))
        if step.trace_address and step.kind in _OPERATIONS
        if step.kind != "CALL" or int(step.value, 16)
    ]


async def read_steps(service: Service, transaction_hash: bytes) -> list[Step]:
    """All calls of a transaction, in order."""
    height, index = find_transaction(service, transaction_hash)
    told = await traced(service, service.backend.engine.flat_traces, height, index, **bounds_of(service))
    return _steps_decoder.decode(told)


def _lasting(steps: list[Step]) -> Iterator[Step]:
    """The calls that neither failed nor were made by one that failed."""
    failed: list[int] | None = None
    for step in steps:
        if failed is not None and step.trace_address[: len(failed)] == failed:
            continue
        failed = step.trace_address if step.error else None
        if failed is None:
            yield step


async def _find(service: Service, ref: BlockRef) -> BlockRecord | None:
    height = find_height(service, ref)
    return None if height is None else await service.records.at(height)


def _show_summary(service: Service, record: BlockRecord) -> dict[str, object]:
    return show_head(service, record) | {"transactionCount": len(record.transactions), "logsBloom": None}


def _show_details(service: Service, record: BlockRecord | None) -> object:
    if record is None:
        return None
    fees_wei = sum(total_gas(receipt) * receipt.effective_gas_price for receipt in record.receipts)
    return {
        "block": _show_summary(service, record),
        # No bitcoin comes into being here.
        "issuance": {"blockReward": "0x0", "uncleReward": "0x0", "issuance": "0x0"},
        "totalFees": show_quantity(fees_wei),
    }
