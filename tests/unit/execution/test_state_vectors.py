"""Shows that profile `ethereum` gives state root and logs hash of every published Prague and Osaka state test."""

from pathlib import Path

import pytest

from tests.framework.published import run_example, unpack

CASES = 9_919 + 10_557


@pytest.mark.slow
@pytest.mark.timeout(1_200)
def test_every_published_state_test_gives_its_root_and_logs(tmp_path: Path) -> None:
    unpack("eest_v5.4.0_state_tests.tar.zst", tmp_path)
    lines = run_example("state_vectors", tmp_path)
    assert lines[-1] == f"passed {CASES} failed 0", "\n".join(lines[-50:])
