"""Schemas of parameters: by the function that reads one, else by its name.

Reads: declarations of parameters.  Gives: `schema_of`.  Never: guesses.  Spec: docs/spec/api.md#openrpc
"""

from typing import Final

from bedroll.primitives import Corrupt

from ..admin_method import parse_level, parse_proof
from ..block_tag import parse_block, parse_number
from ..build_method import EXTRA_BYTES_MAX, TRANSACTIONS_MAX, parse_attributes, parse_extra, parse_raws
from ..call import parse_call
from ..method import Parameter, Parse
from ..ots_method import PAGE_SIZE_MAX, parse_count, parse_height, parse_page_size, parse_place
from ..override import parse_block_overrides, parse_overrides
from ..pool_method import parse_page
from ..quantity import parse_address, parse_bool, parse_hash, parse_quantity, parse_slot
from ..replay_method import CALLS_MAX, parse_block_bytes, parse_calls, parse_trace_address
from ..send_method import parse_raw
from ..simulate_method import parse_simulation
from ..sync_method import parse_timeout
from ..trace_option import parse_call_options, parse_options, parse_parts, parse_trace_filter
from .component import ADDRESS, ADDRESS_PATTERN, BOOL, COUNT, DATA, HASH, HEIGHT, QUANTITY, SLOT_PATTERN
from .shape import Schema, array, by_key, choice, fields, nullable, pair, ref, text

_SLOTS: Final = array(text(SLOT_PATTERN), 1_024)

_BY_PARSER: Final[dict[Parse, Schema]] = {
    parse_address: ADDRESS,
    parse_attributes: ref("PayloadAttributes"),
    parse_block: ref("BlockName"),
    parse_block_bytes: DATA,
    parse_block_overrides: nullable(ref("BlockOverrides")),
    parse_bool: BOOL,
    parse_call: ref("Call"),
    parse_call_options: ref("Tracing"),
    parse_calls: array(pair(ref("Call"), ref("TraceParts")), CALLS_MAX),
    parse_count: ref("Number"),
    parse_extra: text(f"^0x([0-9a-fA-F]{{2}}){{0,{EXTRA_BYTES_MAX}}}$"),
    parse_hash: HASH,
    parse_height: choice(ref("Integer"), ref("BlockHeight")),
    parse_level: {"type": "string", "enum": ["debug", "info", "warning", "error"]},
    parse_number: HEIGHT,
    parse_options: ref("Tracing"),
    parse_overrides: nullable(ref("StateOverrides")),
    parse_page: fields({}, {"sender": ADDRESS, "nonce": QUANTITY, "count": {"type": "integer", "minimum": 1}}),
    parse_page_size: choice(
        {"type": "integer", "minimum": 1, "maximum": PAGE_SIZE_MAX}, text("^0x([1-9a-f]|[1-5][0-9a-f]|6[0-4])$")
    ),
    parse_parts: ref("TraceParts"),
    parse_place: choice(ref("Integer"), ref("BlockName")),
    parse_quantity: QUANTITY,
    parse_raw: DATA,
    parse_raws: array(DATA, TRANSACTIONS_MAX),
    parse_proof: DATA,
    parse_simulation: ref("Simulation"),
    parse_slot: ref("Slot"),
    parse_timeout: ref("Number"),
    parse_trace_address: array(QUANTITY),
    parse_trace_filter: fields(
        {},
        {
            "fromBlock": HEIGHT,
            "toBlock": HEIGHT,
            "fromAddress": choice(ADDRESS, array(ADDRESS, 1_000)),
            "toAddress": choice(ADDRESS, array(ADDRESS, 1_000)),
            "mode": {"type": "string", "enum": ["intersection", "union"]},
            "after": ref("Number"),
            "count": ref("Number"),
        },
    ),
}
_BY_NAME: Final[dict[str, Schema]] = {
    "transaction": ref("Call"),
    "slots": _SLOTS,
    "slots by address": by_key(ADDRESS_PATTERN, _SLOTS),
    "filter": ref("LogFilter"),
    "filter id": text("^.{0,66}$", "16 bytes, as the filter was given them; of any other word there is no filter."),
    "block count": choice({"type": "integer", "minimum": 1}, text("^0x[1-9a-fA-F][0-9a-fA-F]{0,15}$")),
    "percentiles": array({"type": "number", "minimum": 0, "maximum": 100}, 100),
    "bytes": DATA,
    "message": DATA,
    "typed data": choice({"type": "object"}, text("", "The object as JSON.")),
    "blocks": ref("Number"),
    "Bitcoin address": text(),
    "satoshi": choice(COUNT, QUANTITY),
}


def schema_of(method: str, parameter: Parameter) -> Schema:
    """Schema of one parameter.

    Raises:
        Corrupt: Neither its parser nor its name is described: a fault of ours that a test finds.
    """
    found = _BY_PARSER.get(parameter.parse) or _BY_NAME.get(parameter.name)
    if found is None:
        raise Corrupt("a parameter has no schema", method=method, parameter=parameter.name)
    return found
