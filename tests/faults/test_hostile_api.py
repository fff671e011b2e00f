"""Whatever one client does to the API, the server lives, its memory stays bounded, and another client is answered."""

import contextlib
import http.client
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.framework.api_attack import ATTACKS

pytestmark = pytest.mark.faults
ROOT = Path(__file__).parents[2]
SLOWEST_SECONDS = 5.0
"""One answer at most; machines that run this have other work to do."""
MEDIAN_SECONDS = 0.5
MEMORY_KIB_MAX = 1_600_000
PROBE = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "eth_blockNumber", "params": []})


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A process that serves, and what it said."""
    folder = tmp_path_factory.mktemp("api")
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.framework.api_process", str(folder)],
            cwd=ROOT, stdout=subprocess.PIPE, stderr=log, text=True,
        )  # fmt: skip
        facts = json.loads(process.stdout.readline())
        yield process, facts
        process.kill()
        process.communicate()


def ask(place):
    """One question on a connection of its own: how long it took, and the answer."""
    start = time.monotonic()
    connection = http.client.HTTPConnection(place, timeout=30)
    connection.request("POST", "/", PROBE, {"Content-Type": "application/json"})
    answer = json.loads(connection.getresponse().read())
    connection.close()
    return time.monotonic() - start, answer["result"]


def resident_kib(process):
    lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


@pytest.mark.parametrize("name", ATTACKS)
def test_another_client_is_answered_meanwhile(server, name, record_property):
    process, facts = server
    place = facts["url"].removeprefix("http://")
    kept = http.client.HTTPConnection(place, timeout=30)
    attacker = subprocess.Popen(
        [sys.executable, "-m", "tests.framework.api_attack", name, json.dumps(facts)],
        cwd=ROOT, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    taken, heights, memory_kib = [], [], 0
    while attacker.poll() is None:
        seconds, height = ask(place)
        taken.append(seconds)
        heights.append(int(height, 16))
        start = time.monotonic()
        kept.request("POST", "/", PROBE, {"Content-Type": "application/json"})
        assert "result" in json.loads(kept.getresponse().read())
        taken.append(time.monotonic() - start)
        memory_kib = max(memory_kib, resident_kib(process))
        with contextlib.suppress(subprocess.TimeoutExpired):
            attacker.wait(0.02)
    seen = attacker.communicate()[0]
    kept.close()
    median = statistics.median(taken)
    line = f"{name}: {len(taken)} answers, median {median * 1e3:.1f} ms, slowest {max(taken) * 1e3:.0f} ms, "
    line += f"{memory_kib // 1024} MiB, blocks {heights[0]} to {heights[-1]}, the attack saw {seen.strip()}"
    print(line)
    record_property("attack", line)
    assert attacker.returncode == 0
    assert process.poll() is None
    assert len(taken) >= 10
    assert max(taken) < SLOWEST_SECONDS
    assert median < MEDIAN_SECONDS
    assert heights[-1] > heights[0]
    assert memory_kib < MEMORY_KIB_MAX
