"""A chain of its own for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.framework.ledger import Ledger


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """An engine at block 0, with funded keys."""
    opened = Ledger.open(tmp_path / "chain")
    yield opened
    opened.engine.close()
