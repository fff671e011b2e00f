"""No more workers hold memory than there are permits, and a permit is free exactly when its worker is gone."""

import asyncio
import os
import signal
import subprocess
import sys

import pytest

from bedroll.prover import Core, CoreLost
from bedroll.prover.budget import machine_bytes
from bedroll.prover.permit import Permits


@pytest.fixture
def permits(tmp_path):
    return lambda count: Permits(count, tmp_path / "permits")


async def is_held(permits):
    """Whether somebody who asks has to wait."""
    try:
        async with asyncio.timeout(0.05):
            os.close(await permits.take())
    except TimeoutError:
        return True
    return False


async def test_there_are_as_many_as_were_asked_for(permits):
    first = await permits(2).take()
    second = await permits(2).take()
    assert await is_held(permits(2))
    os.close(first)
    assert not await is_held(permits(2))
    os.close(second)


async def test_a_machine_has_one_even_where_two_do_not_fit(tmp_path):
    assert Permits.of_machine(machine_bytes() // 2 + 1, tmp_path)._count == 1
    assert Permits.of_machine(machine_bytes() * 2, tmp_path)._count == 1
    assert Permits.of_machine(machine_bytes() // 3, tmp_path)._count >= 3


async def test_a_worker_has_its_permit_as_long_as_it_lives(permits, worker):
    core = Core(worker, 1 << 30, permits(1))
    assert not await is_held(permits(1))
    process = await core.start()
    assert await is_held(permits(1))
    os.kill(process, signal.SIGKILL)
    with pytest.raises(CoreLost):
        await core.ask({"do": "key", "program": "none"})
    assert not await is_held(permits(1))
    await core.start()
    await core.rest()
    assert not await is_held(permits(1))


async def test_a_second_worker_begins_when_the_first_one_has_ended(permits, worker):
    first, second = (Core(worker, 1 << 30, permits(1)) for _ in range(2))
    await first.start()
    waiting = asyncio.create_task(second.start())
    await first.close()
    assert await waiting
    await second.close()


async def test_a_worker_that_outlives_its_prover_keeps_its_permit(permits, tmp_path):
    """What a killed prover leaves behind still has its memory."""
    orphan = (
        "import asyncio, os, subprocess, sys\n"
        "from pathlib import Path\n"
        "from bedroll.prover.permit import Permits\n"
        f"permit = asyncio.run(Permits(1, Path({str(tmp_path / 'permits')!r})).take())\n"
        "left = subprocess.Popen(['cat'], stdin=0, pass_fds=[permit])\n"
        "print(left.pid, flush=True)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    with subprocess.Popen([sys.executable, "-c", orphan], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as prover:
        assert prover.stdout.readline().strip().isdigit()
        assert prover.wait() == -signal.SIGKILL
        assert await is_held(permits(1))
        prover.stdin.close()
        assert prover.stdout.read() == b""
    os.close(await permits(1).take())
