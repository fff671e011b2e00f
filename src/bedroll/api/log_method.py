"""`eth_getLogs` and the filter that subscriptions share with it.

Reads: JSON values of a stranger, the engine's log index.  Gives: `TABLE`, `LogFilter`, `parse_filter`.
Never: reads more blocks or returns more logs than the limits say.  Spec: docs/spec/api-chain.md#logs
"""

from dataclasses import dataclass
from typing import Final

import msgspec

from bedroll.execution.engine import Log
from bedroll.primitives import Invalid

from .block_tag import LATEST, BlockRef, need_height, parse_number
from .error import Code, RpcError, invalid_params
from .method import MethodTable, required
from .quantity import parse_address, parse_hash, refuse
from .service import Service

TABLE: Final = MethodTable()

_ADDRESSES_MAX: Final = 1_000
_TOPICS_MAX: Final = 1_000
_MEMBERS: Final = frozenset(("fromBlock", "toBlock", "blockHash", "address", "topics"))


@dataclass(frozen=True, slots=True)
class LogFilter:
    """Which logs a client wants.

    Attributes:
        first, last: Blocks.
        addresses: Emitters; none given: any.
        topics: For each of up to four positions the accepted topics; none given: any.
    """

    first: BlockRef
    last: BlockRef
    addresses: frozenset[bytes]
    topics: tuple[frozenset[bytes], ...]

    def check_range(self) -> None:
        """Refuse a range that no block is ever in.

        Raises:
            RpcError: It begins above its end.
        """
        first, last = self.first.number, self.last.number
        if first is not None and last is not None and first > last:
            raise invalid_params(f"invalid block range params: from {first} to {last}")

    def covers(self, height: int) -> bool:
        """Whether a new block of this height is in its range; what is not a height bounds nothing."""
        first, last = self.first.number, self.last.number
        return (first is None or first <= height) and (last is None or height <= last)

    def matches(self, log: Log) -> bool:
        """Whether emitter and topics fit."""
        if self.addresses and log.address not in self.addresses:
            return False
        if len(self.topics) > len(log.topics):
            return False
        return all(not wanted or topic in wanted for wanted, topic in zip(self.topics, log.topics, strict=False))


def parse_filter(value: object, name: str = "filter") -> LogFilter:
    """Decode a filter object."""
    if not isinstance(value, dict):
        raise refuse(name, value, "an object")
    given = {key: item for key, item in value.items() if item is not None}
    if unknown := given.keys() - _MEMBERS:
        raise invalid_params(f"unknown member {min(unknown)[:40]!r} of the filter")
    if "blockHash" in given:
        if given.keys() & {"fromBlock", "toBlock"}:
            raise invalid_params("cannot specify both BlockHash and FromBlock/ToBlock, choose one or the other")
        first = last = BlockRef(hash=parse_hash(given["blockHash"], "blockHash"))
    else:
        first = parse_number(given["fromBlock"], "fromBlock") if "fromBlock" in given else LATEST
        last = parse_number(given["toBlock"], "toBlock") if "toBlock" in given else LATEST
    return LogFilter(first, last, _parse_addresses(given.get("address", [])), _parse_topics(given.get("topics", [])))


def _parse_addresses(value: object) -> frozenset[bytes]:
    rows = value if isinstance(value, list) else [value]
    if len(rows) > _ADDRESSES_MAX:
        raise invalid_params(f"exceed max addresses: {len(rows)}, at most {_ADDRESSES_MAX}")
    return frozenset(parse_address(row) for row in rows)


def _parse_topics(value: object) -> tuple[frozenset[bytes], ...]:
    if not isinstance(value, list):
        raise refuse("topics", value, "an array")
    if len(value) > 4:
        raise invalid_params(f"exceed max topics: {len(value)}, at most 4")
    rows: list[frozenset[bytes]] = []
    for row in value:
        choices = [] if row is None else row if isinstance(row, list) else [row]
        if len(choices) > _TOPICS_MAX:
            raise invalid_params(f"exceed max topics: {len(choices)} at one position, at most {_TOPICS_MAX}")
        # Null among the choices of a position means any topic there.
        chosen = [] if None in choices else [parse_hash(choice, "topic") for choice in choices]
        rows.append(frozenset(chosen))
    return tuple(rows)


@TABLE.method("eth_getLogs", required("filter", lambda value, name: parse_filter(value, name)))
async def get_logs(service: Service, wanted: LogFilter) -> object:
    """Logs of a range of blocks, in order."""
    latest = service.backend.heads().latest.height
    if wanted.last.number is not None and wanted.last.number > latest:
        # Cut instead, a client would take blocks for read that do not exist yet.
        raise invalid_params(f"block range extends beyond current head block {latest}")
    if wanted.first.number is not None and wanted.first.number > latest:
        return []
    first, last = need_height(service, wanted.first), need_height(service, wanted.last)
    if first > last:
        raise invalid_params(f"invalid block range params: from {first} to {last}")
    limits = service.limits
    if last - first >= limits.log_range_blocks:
        text = f"block range too large: {last - first + 1} blocks, at most {limits.log_range_blocks}"
        raise RpcError(Code.LIMIT, text)
    return await service.worker.run(_find, service, wanted, first, last)


def _find(service: Service, wanted: LogFilter, first: int, last: int) -> msgspec.Raw:
    engine, limits = service.backend.engine, service.limits
    addresses, topics = sorted(wanted.addresses), [sorted(row) for row in wanted.topics]
    limit, size = limits.log_results, limits.response_bytes
    try:
        return msgspec.Raw(engine.logs_json(first, last, addresses, topics, limit, result_bytes=size))
    except Invalid as refused:
        what = f"more than {size} bytes" if refused.fields.get("reason") == "size" else f"more than {limit} results"
        raise RpcError(Code.LIMIT, f"query returned {what}, narrow the range") from None
