"""A run is proved where it is as long as the limit, and refused where it is one cycle longer, before it is planned."""

import stat

import pytest

from bedroll.primitives import Invalid, Misconfigured
from bedroll.prover import JobState
from bedroll.prover.executor import Ran, execute, find_executor
from tests.unit.prover.conftest import given

LIMIT = 1_000


def program(path, text):
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


async def finished(prover, **fields):
    job = await prover.finish(prover.add(given(**fields), "test"))
    await prover.close()
    return job


@pytest.mark.parametrize(("cycles", "state"), [(LIMIT, JobState.HANDED), (LIMIT + 1, JobState.FAILED)])
async def test_a_counted_run_is_planned_up_to_the_limit_alone(opened, cycles, state):
    counted = []

    async def count(elf, file):
        counted.append((elf.name, file.name))
        return Ran(cycles, b"")

    prover = opened(cycles_max=LIMIT, execute=count)
    job = await finished(prover)
    assert job.state is state
    assert counted == [("program.elf", "input.bin")]
    assert (prover.folder_of(job) / "plan.json").exists() == (state is JobState.HANDED)


@pytest.mark.parametrize(("cycles", "state"), [(LIMIT, JobState.HANDED), (LIMIT + 1, JobState.FAILED)])
async def test_without_a_count_the_plan_says_how_long_a_run_is(opened, cycles, state):
    job = await finished(opened(cycles_max=LIMIT), cycles=cycles)
    assert job.state is state


async def test_a_run_that_is_too_long_says_by_how_much(opened):
    job = await finished(opened(cycles_max=LIMIT), cycles=LIMIT + 1)
    assert "longer than one proof may cover" in job.reason
    assert f"value={LIMIT + 1}" in job.reason
    assert f"limit={LIMIT}" in job.reason


async def test_a_run_that_cannot_be_counted_is_judged_by_its_plan(opened):
    async def refuse(_elf, _file):
        raise Invalid("the program states nothing about this input")

    assert (await finished(opened(cycles_max=LIMIT, execute=refuse), cycles=LIMIT)).state is JobState.HANDED
    assert (await finished(opened(cycles_max=LIMIT, execute=refuse), cycles=LIMIT + 1)).state is JobState.FAILED


async def test_cycles_and_statement_are_what_the_executor_says(tmp_path):
    executor = program(tmp_path / "executor", 'cat "$2"')
    for said, values in (("1234 0 ff00", b"\xff\x00"), ("1234 0 ", b"")):
        (tmp_path / "input").write_text(said)
        assert await execute(executor, tmp_path / "program", tmp_path / "input") == Ran(1_234, values)


@pytest.mark.parametrize("text", ["echo 1234 1", "echo broken >&2; exit 3", "echo 5", "true"])
async def test_a_run_without_a_statement_has_no_length(tmp_path, text):
    executor = program(tmp_path / "executor", text)
    with pytest.raises(Invalid, match="states nothing"):
        await execute(executor, tmp_path / "program", tmp_path / "input")


def test_the_executor_is_the_one_given_or_one_that_is_found_or_none(tmp_path, monkeypatch):
    given_one = program(tmp_path / "given", "true")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert find_executor(given_one) == given_one
    assert find_executor(None) is None
    (tmp_path / "bin").mkdir()
    assert find_executor(None) is None
    found = program(tmp_path / "bin/bedroll-executor", "true")
    assert find_executor(None) == found
    with pytest.raises(Misconfigured) as caught:
        find_executor(tmp_path / "absent")
    assert caught.value.option == "prover.executor"
