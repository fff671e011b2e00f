"""The chapter on the dispute's Script states the sizes that are committed."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[3]
COSTS = tomllib.loads((ROOT / "tests/costs/costs.toml").read_text())


def rows(text, columns):
    """Tables of a name and numbers."""
    pattern = r"^\| `(\w+)` \|" + r" ([\d,]+) \|" * columns + "$"
    found = re.findall(pattern, text, flags=re.MULTILINE)
    return {name: [int(value.replace(",", "")) for value in values] for name, *values in found}


def test_leaves_and_blocks_have_the_sizes_that_the_chapter_states():
    text = (ROOT / "docs/spec/bitvm.md").read_text()
    leaves, blocks = rows(text, 3), rows(text, 2)
    assert len(leaves) >= 16
    assert {name: COSTS["leaf"][name] for name in leaves} == leaves
    assert COSTS["block"] == blocks


def test_the_notes_state_the_size_of_blake3():
    text = (ROOT / "docs/design/dispute-script.md").read_text()
    assert f"{COSTS['block']['blake3'][0]:,} bytes" in text
