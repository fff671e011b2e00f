"""Methods of a development chain: mine Bitcoin blocks on demand.

Reads: the devnet's node.  Gives: `TABLE`.  Never: is served by any other node.  Spec: docs/spec/api.md#devnet
"""

from typing import Final

from .method import MethodTable, optional
from .quantity import parse_quantity, refuse, show_reversed
from .service import Service

TABLE: Final = MethodTable()
_MINED_BLOCKS_MAX: Final = 1_000


def _parse_count(value: object, name: str) -> int:
    count = value if isinstance(value, int) and not isinstance(value, bool) else parse_quantity(value, name, bits=32)
    if not 1 <= count <= _MINED_BLOCKS_MAX:
        raise refuse(name, value, f"1 to {_MINED_BLOCKS_MAX}")
    return count


@TABLE.method("bedroll_mine", optional("blocks", _parse_count, 1))
async def mine(service: Service, count: int) -> object:
    """Mine Bitcoin blocks; the answer is their hashes."""
    return [show_reversed(block) for block in await service.backend.mine(count)]
