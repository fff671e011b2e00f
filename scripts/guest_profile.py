"""Where the proved program spends its cycles: a flame graph as SVG and a table of parts, from a run in the executor.

The program is built once more, with its symbols and otherwise alike; the executor with its profiler writes the stack of
functions every few cycles. `INPUT` is an input of the program as `bedroll prover prove` takes it; without one it is the
batch of 1,000 transfers that tests/costs counts.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).resolve().parent))
from guest_proved import CACHE, ROOT, build

sys.path.insert(0, str(ROOT))
from tests.costs.guest import sample

WIDTH: Final = 1200
ROW: Final = 17
CHARACTER: Final = 6.6
SHARE_MIN: Final = 0.0015
PERIOD: Final = 101
"""Cycles between samples; a prime, so that no loop is in step with it."""

PROFILER: Final = CACHE / "profiler/release/bedroll-executor"
"""Where the Makefile builds the executor with its profiler."""

PARTS: Final = (
    ("signatures", r"bedroll_core::sender|ecrecover|bedroll_guest::(curve|field)"),
    ("roots of state", r"bedroll_core::(trie::|state::State::seal)"),
    ("state", r"bedroll_core::state"),
    ("roots of lists", r"alloy_trie|bedroll_core::(header|receipt)"),
    ("codec", r"bedroll_core::(codec|compact|object)"),
    ("transactions", r"bedroll_core::(transaction|payload|envelope|fee)|alloy_consensus"),
    ("evm", r"\brevm|bedroll_core::stf::(charge|run|env|precompile)"),
    ("hash of the body", r"\bsha2\b"),
    ("blocks", r"bedroll_core"),
)
"""A sample belongs to the part whose pattern the deepest of its functions fits that fits any."""

WITNESS: Final = re.compile(r"bedroll_core::(trie::Trie::from_part|program::(witness|input))")
"""Opening it has its share of tries and keccak, which are counted for it."""

Stack = tuple[str, ...]


@dataclass(slots=True)
class Node:
    """A function under its callers."""

    samples: int = 0
    below: dict[str, "Node"] = field(default_factory=dict)

    def add(self, stack: Stack, samples: int) -> None:
        """Count a stack, outermost function first."""
        self.samples += samples
        node = self
        for name in stack:
            node = node.below.setdefault(name, Node())
            node.samples += samples

    @property
    def depth(self) -> int:
        """Rows below this one."""
        return 1 + max((node.depth for node in self.below.values()), default=0)


def folded(profile: dict[str, Any]) -> Counter[Stack]:
    """Samples by stack, of a profile in Firefox's format."""
    thread = profile["threads"][0]
    strings = [short(name) for name in thread["stringTable"]]
    frames, stacks = thread["frameTable"], thread["stackTable"]
    place = frames["schema"]["location"]
    names = [strings[row[place]] for row in frames["data"]]
    prefix, frame = stacks["schema"]["prefix"], stacks["schema"]["frame"]
    known: list[Stack] = []
    for row in stacks["data"]:
        before: Stack = () if row[prefix] is None else known[row[prefix]]
        known.append((*before, names[row[frame]]))
    column = thread["samples"]["schema"]["stack"]
    return Counter(known[row[column]] for row in thread["samples"]["data"] if row[column] is not None)


def short(name: str) -> str:
    """A symbol without hashes and without its types' parameters; a method by the type that it is of."""
    name = re.sub(r"::h[0-9a-f]{16}$|\[[0-9a-f]{8,16}\]", "", name)
    if name.startswith("<"):
        name = owner(name)
    while (shorter := re.sub(r"<[^<>]*>", "", name)) != name:
        name = shorter
    return name.strip(":") or "?"


def owner(name: str) -> str:
    """`<A as B>::f` or `<A>::f` as `A::f`."""
    depth = 0
    for place, (before, character) in enumerate(zip(" " + name, name, strict=False)):
        depth += (character == "<") - (character == ">" and before != "-")
        if depth == 0:
            inner = name[1:place]
            while (flat := re.sub(r"<[^<>]*>", "", inner)) != inner:
                inner = flat
            return inner.split(" as ")[0].lstrip("&").removeprefix("mut ") + name[place + 1 :]
    return name


def part_of(stack: Stack) -> str:
    """Which part of the program a sample belongs to."""
    if any(map(WITNESS.search, stack)):
        return "witness"
    for name in reversed(stack):
        for part, pattern in PARTS:
            if re.search(pattern, name):
                return part
    return "rest"


def drawn(root: Node, title: str) -> str:
    """The flame graph, callers above, widths by cycles."""
    height = (root.depth + 2) * ROW
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
        'font-family="monospace" font-size="11">',
        f'<text x="4" y="13">{escape(title)}</text>',
    ]

    def draw(node: Node, name: str, left: float, row: int) -> None:
        width = WIDTH * node.samples / root.samples
        if node.samples < SHARE_MIN * root.samples:
            return
        hue = 20 + sum(map(ord, name.split("::")[0])) % 40
        share = f"{100 * node.samples / root.samples:.1f} %"
        fits = int((width - 4) / CHARACTER)
        last = name if len(name) <= fits else name.split("::")[-1]
        shown = last[:fits] if fits >= 3 else ""
        box = f'x="{left:.1f}" y="{row * ROW}" width="{max(width - 0.5, 0.5):.1f}" height="{ROW - 1}"'
        out.append(
            f"<g><title>{escape(name)} {share}</title>"
            f'<rect {box} fill="hsl({hue},80%,{62 + row % 2 * 5}%)"/>'
            f'<text x="{left + 2:.1f}" y="{row * ROW + 12}">{escape(shown)}</text></g>'
        )
        for below, part in sorted(node.below.items(), key=lambda item: -item[1].samples):
            draw(part, below, left, row + 1)
            left += WIDTH * part.samples / root.samples

    draw(root, "all", 0.0, 1)
    return "\n".join([*out, "</svg>"]) + "\n"


def profiled(executor: Path, program: Path, given: Path, trace: Path) -> tuple[int, Counter[Stack]]:
    """Cycles of a run, and its samples by stack."""
    environment = os.environ | {"TRACE_FILE": str(trace), "TRACE_SAMPLE_RATE": str(PERIOD)}
    asked = [str(executor), str(program), str(given)]
    said = subprocess.run(asked, capture_output=True, text=True, check=True, env=environment).stdout.split()
    if said[1] != "0":
        raise SystemExit(f"the program ended with exit code {said[1]}")
    return int(said[0]), folded(json.loads(trace.read_bytes()))


def profile(given: bytes, executor: Path = PROFILER, folder: Path = CACHE / "guest") -> tuple[int, Counter[Stack]]:
    """The program is built with its symbols, and run upon an input: cycles, and samples by stack."""
    folder = folder.resolve()
    program = build(ROOT, folder, extra=("--config", "profile.release.strip=false"))
    with tempfile.TemporaryDirectory() as place:
        files = [Path(place) / name for name in ("program.elf", "input.bin", "trace.json")]
        for file, content in zip(files, (program, given), strict=False):
            file.write_bytes(content)
        return profiled(executor, *files)


def parts_of(samples: Counter[Stack]) -> Counter[str]:
    """Samples by part of the program."""
    parts: Counter[str] = Counter()
    for stack, count in samples.items():
        parts[part_of(stack)] += count
    return parts


def table(cycles: int, samples: Counter[Stack]) -> Iterator[str]:
    """A line a part, the dearest first, and one for all."""
    total = samples.total()
    for part, count in parts_of(samples).most_common():
        yield f"{part:<16} {cycles * count // total:>12,} cycles {100 * count / total:5.1f} %"
    yield f"{'all':<16} {cycles:>12,} cycles"


def main() -> int:
    """Build, run, draw."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("input", type=Path, metavar="INPUT", nargs="?")
    options.add_argument("--executor", type=Path, default=PROFILER, help="built with the feature `profiling`")
    options.add_argument("--folder", type=Path, default=CACHE / "guest", help="for intermediate files")
    options.add_argument("--svg", type=Path, help="where the flame graph goes")
    chosen = options.parse_args()
    given = sample() if chosen.input is None else chosen.input.read_bytes()
    cycles, samples = profile(given, chosen.executor, chosen.folder)
    for line in table(cycles, samples):
        print(line)
    if chosen.svg:
        root = Node()
        for stack, count in samples.items():
            root.add(stack, count)
        chosen.svg.write_text(drawn(root, f"{cycles:,} cycles by function; hover for names and shares"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
