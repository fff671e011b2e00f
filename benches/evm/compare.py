"""`make bench-evm`: this node against anvil, interleaved in one run, as a table of ratios.

Each round starts both nodes anew and runs every row on both, so that what else the machine does meets both alike.
Medians of the rounds. `per CPU s`: per second of CPU time of the server's process, all threads; `wall`: as the client
sees it, with the generator on the same machine. Both check every signature, nonce and balance, and neither prints
anything (`--silent`).

`accepted`: both hold their blocks (`--no-mining`). `blocks at the end`: both go on holding them until everything was
accepted, then make as many as it takes; anvil's fastest mode, and it keeps nothing on a disk. `a block every 0.25 s`:
both make blocks meanwhile. Bedroll's time ends when the last block is on the disk, in all rows but the lone sender's.
"""

import argparse
import os
import platform
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from history import measure_logs, measure_loops
from measure import measure_load, measure_loop, measure_reads
from table import Figures, new_figures, table

import peer as peers
from peer import BLOCK_SECONDS, Anvil, Bedroll


def run_round(make: type[Anvil] | type[Bedroll], figures: Figures, options: argparse.Namespace, seed: str) -> None:
    """Everything that is asked for, on one of the two."""
    parts = options.only.split(",")
    for kind in options.kind.split(",") if "load" in parts else ():
        for batch in (1, 100):
            # Each on a node of its own: what one row leaves behind is not the next one's burden.
            for seconds in (None, BLOCK_SECONDS):
                with make(seconds) as node:
                    measure_load(node, figures, kind, batch, options.count, seed)
    if "reads" in parts:
        with make(None) as node:
            measure_reads(node, figures, options.count // 10, seed)
    if "loop" in parts:
        with make(0) as node:
            measure_loop(node, figures, options.count // 20, seed)
    if "loops" in parts:
        with make(0) as node:
            measure_loops(node, figures, seed)
    if "logs" in parts:
        with make(0) as node:
            measure_logs(node, figures, seed)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--count", type=int, default=10_000, help="transactions a row")
    parser.add_argument("--quick", action="store_true", help="2 rounds of 4,000 transactions")
    parser.add_argument("--only", default="load,reads,loop,loops,logs", help="which parts")
    parser.add_argument("--kind", default="transfer,erc20")
    parser.add_argument("--peer", default="bedroll,anvil")
    parser.add_argument("--bedroll", default="", help="further words for `bedroll devnet`")
    options = parser.parse_args()
    if options.quick:
        options.rounds, options.count = 2, 4_000
    peers.EXTRA = options.bedroll.split()
    figures = new_figures()
    for number in range(options.rounds):
        for make in (Bedroll, Anvil):
            if make.name in options.peer.split(","):
                run_round(make, figures, options, f"{number}/{time.time()}")
    load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    print(f"{platform.machine()}, {os.cpu_count()} cores, load {load}; {options.rounds} rounds of {options.count:,} "
          f"transactions; anvil {peers.ANVIL_VERSION}\n")  # fmt: skip
    print(table(figures))


if __name__ == "__main__":
    main()
