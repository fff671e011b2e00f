"""How fast data on Bitcoin is written and read on one core: the codec on W1 to W4, the scan of a full L1 block."""

import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from bedroll.da import build_leaf, scan_block  # noqa: E402
from bedroll.da.codec import ChainTable, decode_body, encode_body  # noqa: E402
from tests.costs import workload  # noqa: E402
from tests.framework import l1_block  # noqa: E402

RUNS = 5
_T = TypeVar("_T")


def timed(call: Callable[[], _T]) -> tuple[_T, float]:
    """Result and median seconds of a few runs."""
    seconds = []
    for _ in range(RUNS):
        begun = time.perf_counter()
        result = call()
        seconds.append(time.perf_counter() - begun)
    return result, statistics.median(seconds)


def bench_codec(kind: str) -> str:
    """One line about a workload."""
    made = workload.make(kind)
    chain = ChainTable(
        chain_id=workload.CHAIN_ID, parent_timestamp=workload.PARENT_TIMESTAMP, book=made.book, nonces=made.nonces
    )
    count = made.transactions
    body, encode_seconds = timed(lambda: encode_body(chain, made.blocks))
    decoded, decode_seconds = timed(lambda: decode_body(chain, len(made.blocks), body))
    _, raw_seconds = timed(lambda: [decoded.transactions(index, block[2]) for index, block in enumerate(made.blocks)])
    return (
        f"{kind}: {len(body):,} bytes, encode {count / encode_seconds:,.0f} tx/s, "
        f"decode {count / decode_seconds:,.0f} tx/s, to raw bytes {count / raw_seconds:,.0f} tx/s"
    )


def main() -> None:
    """Print one line a workload, and one for the scan."""
    for kind in workload.KINDS:
        print(bench_codec(kind))
    fillers = [l1_block.transaction([[bytes(64), bytes(33)]], salt=number) for number in range(6_000)]
    raw = l1_block.block([*fillers, l1_block.reveal(build_leaf(bytes(32), bytes(390_000)), tag=b"\xbe")])
    _, seconds = timed(lambda: scan_block(raw, b"\xbe"))
    print(f"scan: {len(raw):,} bytes, {len(fillers) + 2:,} transactions, {seconds * 1e3:.1f} ms")


if __name__ == "__main__":
    main()
