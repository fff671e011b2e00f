"""Ray is asked for where it is wanted, and nowhere else; what comes back from a cluster cannot write elsewhere."""

import re
import subprocess
import sys
from types import ModuleType

import pytest

from bedroll.primitives import Invalid, Misconfigured
from bedroll.prover.job import Task, files_of, is_made
from bedroll.prover.ray_crew import RayCrew, _reply


def test_without_ray_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(Misconfigured, match="Ray is not installed") as caught:
        RayCrew("auto", None, None, 1)
    assert "pip install 'bedroll[ray]'" in caught.value.allowed


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("127.0.0.1:1", "refused"),
        ("ray://127.0.0.1:10001", "not an address"),
        ("127.0.0.1", "not an address"),
        (":6379", "not an address"),
        ("127.0.0.1:70000", "not an address"),
        ("127.0.0.1:x", "not an address"),
    ],
)
def test_a_cluster_that_is_not_there_is_refused_at_once(monkeypatch, address, reason):
    monkeypatch.setitem(sys.modules, "ray", ModuleType("ray"))
    with pytest.raises(Misconfigured, match="cannot be joined") as caught:
        RayCrew(address, 1, None, 1)
    assert (caught.value.option, caught.value.value) == ("prover.ray", address)
    assert re.search(reason, caught.value.allowed)


def test_the_command_and_the_node_load_without_ray():
    asked = "import sys, bedroll.cli, bedroll.node, bedroll.prover; sys.exit('ray' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", asked], check=False).returncode == 0


@pytest.mark.parametrize(
    "name",
    [
        "plan.json",
        "values.bin",
        "program.key",
        "shard-0000.trace",
        "shard-12345.calls",
        "node-0001.proof",
        "wrapped.proof",
    ],
)
def test_files_of_tasks_are_taken(name):
    assert is_made(name)
    assert _reply(("file", name, b"x")) == ("file", name, b"x")


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "../plan.json",
        "/plan.json",
        "program.elf",
        "input.bin",
        "shard-1.proof",
        "node-0000.trace",
        "plan.json\n",
    ],
)
def test_other_files_are_refused(name):
    with pytest.raises(Invalid):
        _reply(("file", name, b"x"))


def test_content_that_is_no_bytes_is_refused():
    with pytest.raises(Invalid):
        _reply(("file", "plan.json", "text"))


def test_a_task_reads_what_its_worker_opens():
    assert files_of(Task(name="plan", kind="plan", index=0))[0] == ("program.elf", "input.bin")
    assert files_of(Task(name="shard-0002", kind="core", index=2))[0] == (
        "program.elf",
        "plan.json",
        "shard-0002.trace",
    )
    wrap = Task(name="wrap", kind="wrap", index=0, parts=("node-0001",))
    assert files_of(wrap)[0] == ("program.elf", "plan.json", "node-0001.proof")
    node = Task(name="node-0001", kind="node", index=1, parts=("shard-0004", "node-0000"))
    assert files_of(node)[0] == ("program.elf", "plan.json", "shard-0004.proof", "node-0000.proof")
