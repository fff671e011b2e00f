"""Methods of a development chain: Bitcoin blocks and coins on demand.

Reads: the devnet's node.  Gives: `TABLE`.  Never: is served by any other node.  Spec: docs/spec/api-chain.md#devnet
"""

from typing import Final

from .error import method_not_found
from .method import MethodTable, optional, required
from .quantity import parse_quantity, refuse, show_reversed
from .service import Service

TABLE: Final = MethodTable()
_MINED_BLOCKS_MAX: Final = 1_000
_ADDRESS_CHARACTERS_MAX: Final = 100
_FUND_SAT_MAX: Final = 10**10


def _parse_count(value: object, name: str) -> int:
    count = value if isinstance(value, int) and not isinstance(value, bool) else parse_quantity(value, name, bits=32)
    if not 1 <= count <= _MINED_BLOCKS_MAX:
        raise refuse(name, value, f"1 to {_MINED_BLOCKS_MAX}")
    return count


@TABLE.method("bedroll_mine", optional("blocks", _parse_count, 1))
async def mine(service: Service, count: int) -> object:
    """Mine Bitcoin blocks; the answer is their hashes."""
    return [show_reversed(block) for block in await service.backend.mine(count)]


@TABLE.method("bedroll_makeBlock")
async def mine_block(service: Service) -> object:
    """Make an L2 block of what waits, where `--no-mining` leaves that to this call."""
    await service.backend.make_block()
    return True


def _parse_bitcoin_address(value: object, name: str) -> str:
    if not isinstance(value, str) or len(value) > _ADDRESS_CHARACTERS_MAX:
        raise refuse(name, value, "a Bitcoin address")
    return value


def _parse_amount(value: object, name: str) -> int:
    amount = value if isinstance(value, int) and not isinstance(value, bool) else parse_quantity(value, name, bits=64)
    if not 1 <= amount <= _FUND_SAT_MAX:
        raise refuse(name, value, f"1 to {_FUND_SAT_MAX} satoshi")
    return amount


@TABLE.method(
    "bedroll_fund", required("Bitcoin address", _parse_bitcoin_address), optional("satoshi", _parse_amount, 1_000_000)
)
async def fund(service: Service, address: str, amount_sat: int) -> object:
    """Pay bitcoin to a Bitcoin address; the answer is the txid, and a block must be mined before it counts."""
    if service.faucet is None:
        raise method_not_found("bedroll_fund")
    return show_reversed(await service.faucet(address, amount_sat))
