"""Shows that published blocks run to their roots: heavy ones of every opcode, and blocks from their witness alone.

The witness fixtures are of the fork Amsterdam. What it changes but for gas and logs is nothing that a witness is about,
so they run under Osaka's rules; the cases whose gas or logs differ (EIP-8037, EIP-7778, EIP-7708) are named in
tests/vectors/ethereum/amsterdam_only.txt.
"""

import pytest

from tests.framework.published import VECTORS, run_example, unpack

BENCHMARKS = 322
WITNESS_CASES = 161


@pytest.mark.slow
@pytest.mark.timeout(1_800)
def test_every_benchmark_block_gives_its_roots(tmp_path):
    unpack("eest_benchmark_v0.0.7.tar.zst", tmp_path)
    lines = run_example("block_vectors", tmp_path)
    assert lines[-1] == f"passed {BENCHMARKS} failed 0 witnesses 0", "\n".join(lines[-50:])


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_blocks_run_from_their_witness_alone_and_not_from_less(tmp_path):
    unpack("eest_zkevm_v0.3.3_witness.tar.zst", tmp_path)
    *failed, total = run_example("block_vectors", tmp_path)
    names = {line.removeprefix("FAILED ").rpartition("]: ")[0] + "]" for line in failed}
    of_amsterdam = set((VECTORS / "amsterdam_only.txt").read_text().splitlines())
    assert names == of_amsterdam, "\n".join(sorted(names ^ of_amsterdam))
    passed = WITNESS_CASES - len(of_amsterdam)
    assert total.startswith(f"passed {passed} failed {len(of_amsterdam)} witnesses ")
