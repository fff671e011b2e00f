"""Methods that say what gas costs.

Reads: headers and receipts.  Gives: `TABLE`, `suggest_tip`.
Never: guesses: each answer follows from the newest blocks.  Spec: docs/spec/api-chain.md#fees
"""

from typing import Final

from .block_tag import BlockRef, need_height, parse_number
from .error import invalid_params
from .method import MethodTable, optional, required
from .quantity import parse_quantity, refuse, show_quantity
from .record import BlockRecord
from .service import Service

TABLE: Final = MethodTable()

_TIP_BLOCKS: Final = 5
"""Newest blocks whose tips are looked at."""
_TIP_FLOOR_DIVISOR: Final = 8
"""Where nobody tips, an eighth of the base fee: a gas price with it outlives one rise of the base fee."""
_HISTORY_BLOCKS_MAX: Final = 1_024
_REWARD_BLOCKS_MAX: Final = 128
"""With percentiles every transaction of each block is looked at."""
_PERCENTILES_MAX: Final = 100
_NO_BLOBS: Final = (1, 1, 0.0)
"""Of a chain that knows blobs and has none: the least price that there is."""


@TABLE.method("eth_gasPrice")
async def gas_price(service: Service) -> object:
    """Price a gas that gets a legacy transaction into the next block."""
    return show_quantity(service.backend.engine.next_base_fee() + await suggest_tip(service))


@TABLE.method("eth_maxPriorityFeePerGas")
async def max_priority_fee(service: Service) -> object:
    """Tip a gas that others pay."""
    return show_quantity(await suggest_tip(service))


@TABLE.method("eth_baseFee")
async def base_fee(service: Service) -> object:
    """Base fee a gas of the next block."""
    return show_quantity(service.backend.engine.next_base_fee())


@TABLE.method("eth_blobBaseFee")
async def blob_base_fee(service: Service) -> object:
    """Wei a blob gas in the newest block: of a chain of Bedroll the least there is, as it has no blobs."""
    price_wei, _next, _ratio = _blob_fees(service, service.backend.heads().latest.height)
    return show_quantity(price_wei)


@TABLE.method(
    "eth_feeHistory",
    required("block count", lambda value, name: _parse_count(value, name)),
    required("newest block", parse_number),
    optional("percentiles", lambda value, _name: _parse_percentiles(value), []),
)
async def fee_history(service: Service, count: int, ref: BlockRef, percentiles: list[float]) -> object:
    """Base fees, fullness and tips of a run of blocks."""
    engine = service.backend.engine
    newest = need_height(service, ref)
    first = max(0, newest - min(count, _REWARD_BLOCKS_MAX if percentiles else count) + 1)
    base_fees: list[str] = []
    ratios: list[float] = []
    blob_fees: list[str] = []
    blob_ratios: list[float] = []
    next_blob_fee_wei = 0
    rewards: list[list[str]] = []
    for height in range(first, newest + 1):
        header = engine.header(height)
        if header is None:
            break
        base_fees.append(show_quantity(header.base_fee_per_gas))
        ratios.append(header.gas_used / header.gas_limit if header.gas_limit else 0.0)
        blob_fee_wei, next_blob_fee_wei, blob_ratio = _blob_fees(service, height)
        blob_fees.append(show_quantity(blob_fee_wei))
        blob_ratios.append(blob_ratio)
        if percentiles:
            record = await service.records.at(height)
            tips = [] if record is None else block_tips(record)
            rewards.append([show_quantity(tip) for tip in _at_percentiles(tips, percentiles)])
    following = engine.header(newest + 1)
    after = engine.next_base_fee() if following is None else following.base_fee_per_gas
    history: dict[str, object] = {
        "oldestBlock": show_quantity(first),
        "baseFeePerGas": [*base_fees, show_quantity(after)],
        "gasUsedRatio": ratios,
        "baseFeePerBlobGas": [*blob_fees, show_quantity(next_blob_fee_wei)],
        "blobGasUsedRatio": blob_ratios,
    }
    if percentiles:
        history["reward"] = rewards
    return history


def _blob_fees(service: Service, height: int) -> tuple[int, int, float]:
    """Wei a blob gas in a block and after it, and how full of blobs it is."""
    engine = service.backend.engine
    if engine.schedule() is None:
        return _NO_BLOBS
    return engine.blob_fees(height) or (0, 0, 0.0)


async def suggest_tip(service: Service) -> int:
    """Median tip of the newest blocks that have users' transactions, wei a gas; a share of the base fee if none has."""
    engine = service.backend.engine
    tip_height = service.backend.heads().latest.height
    tips: list[int] = []
    for height in range(tip_height, max(0, tip_height - _TIP_BLOCKS), -1):
        header = engine.header(height)
        if header is None or header.gas_used == 0:
            continue
        record = await service.records.at(height)
        if record is not None:
            tips.extend(tip for tip, _gas in block_tips(record))
    floor = max(1, engine.next_base_fee() // _TIP_FLOOR_DIVISOR)
    return max(floor, sorted(tips)[len(tips) // 2]) if tips else floor


def block_tips(record: BlockRecord) -> list[tuple[int, int]]:
    """(tip a gas, EVM gas) of a block's transactions that pay, cheapest first."""
    base_fee = record.header.base_fee_per_gas
    return sorted(
        (max(0, receipt.effective_gas_price - base_fee), receipt.gas_used)
        for receipt in record.receipts
        if receipt.effective_gas_price
    )


def _at_percentiles(tips: list[tuple[int, int]], percentiles: list[float]) -> list[int]:
    """The tip at each share of the block's gas, counted from the cheapest."""
    total = sum(gas for _tip, gas in tips)
    found: list[int] = []
    position = covered = 0
    for percentile in percentiles:
        while position < len(tips) - 1 and covered + tips[position][1] < total * percentile / 100:
            covered += tips[position][1]
            position += 1
        found.append(tips[position][0] if tips else 0)
    return found


def _parse_count(value: object, name: str) -> int:
    # Clients disagree on the type: geth's own sends a number, the specification says quantity.
    count = value if isinstance(value, int) and not isinstance(value, bool) else parse_quantity(value, name, bits=64)
    if count < 1:
        raise refuse(name, value, "at least 1")
    return min(count, _HISTORY_BLOCKS_MAX)


def _parse_percentiles(value: object) -> list[float]:
    if not isinstance(value, list) or len(value) > _PERCENTILES_MAX:
        raise refuse("percentiles", value, f"an array of at most {_PERCENTILES_MAX} numbers")
    numbers: list[float] = []
    for item in value:
        if isinstance(item, bool) or not isinstance(item, int | float) or not 0 <= item <= 100:
            raise refuse("percentile", item, "a number from 0 to 100")
        if numbers and item < numbers[-1]:
            raise invalid_params(f"invalid reward percentile: {item} after {numbers[-1]}, must not fall")
        numbers.append(float(item))
    return numbers
