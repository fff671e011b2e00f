"""What Script of the dispute costs: each kind of leaf with its signatures, each block by itself."""

import tomllib
from functools import cache
from pathlib import Path

from bedroll.bitvm.interpreter import Cost
from tests.framework.leaf_play import LEAVES, play
from tests.framework.script_blocks import BLOCKS
from tests.framework.signed_leaf import judged

COSTS = Path(__file__).parent / "costs.toml"


@cache
def _recorded() -> dict[str, dict[str, list[int]]]:
    return tomllib.loads(COSTS.read_text())


def recorded_leaf(name: str) -> list[int] | None:
    """Committed [script bytes, witness items, peak items] of a leaf."""
    return _recorded().get("leaf", {}).get(name)


def recorded_block(name: str) -> list[int] | None:
    """Committed [script bytes, peak items] of a block."""
    return _recorded().get("block", {}).get(name)


def leaf_price(name: str) -> list[int]:
    """[script bytes, witness items, peak items] of a leaf, played."""
    leaf, spend, items = play(name)
    cost = judged(spend, items)
    assert isinstance(cost, Cost), (name, cost)
    return [leaf.size_bytes, len(items), cost.peak_items]


def price() -> dict[str, dict[str, list[int]]]:
    """Both sections of `costs.toml`."""
    return {
        "leaf": {name: leaf_price(name) for name in LEAVES},
        "block": {name: block.price() for name, block in BLOCKS.items()},
    }
