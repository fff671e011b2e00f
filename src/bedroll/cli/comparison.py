"""Two nodes side by side: every block, transaction and receipt must be the same.

Reads: two nodes' APIs.  Gives: `compare`.
Never: compares what is each node's own (how far a block has come there).  Spec: docs/spec/cli.md#demo
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from bedroll.primitives import Corrupt
from bedroll.sdk import RpcClient

_BLOCKS_AT_ONCE: Final = 10
_OWN: Final = ("class", "bedrollBitcoin")


@dataclass(frozen=True, slots=True)
class Equal:
    """What was found to be equal."""

    blocks: int
    transactions: int
    receipts: int
    state_root: str


async def compare(first: RpcClient, second: RpcClient, height: int, advance: Callable[[int], None]) -> Equal:
    """Compare all blocks up to a height.

    Raises:
        Corrupt: They differ, with the first difference.
    """
    transactions = receipts = 0
    root = ""
    for start in range(0, height + 1, _BLOCKS_AT_ONCE):
        heights = range(start, min(start + _BLOCKS_AT_ONCE, height + 1))
        calls = [("eth_getBlockByNumber", (hex(at), True)) for at in heights]
        calls += [("eth_getBlockReceipts", (hex(at),)) for at in heights]  # type: ignore[misc]
        ours, theirs = [_without_class(each) for each in await first.batch(calls)], await second.batch(calls)
        for (method, params), one, other in zip(calls, ours, map(_without_class, theirs), strict=True):
            if one != other or one is None:
                raise Corrupt("the nodes differ", method=method, block=int(str(params[0]), 16))
        blocks = ours[: len(heights)]
        transactions += sum(len(block["transactions"]) for block in blocks)
        receipts += sum(len(row) for row in ours[len(heights) :])
        root = blocks[-1]["stateRoot"]
        advance(len(heights))
    return Equal(height + 1, transactions, receipts, root)


def _without_class(answer: Any) -> Any:
    if isinstance(answer, list):
        return [_without_class(each) for each in answer]
    return answer if answer is None else {name: value for name, value in answer.items() if name not in _OWN}
