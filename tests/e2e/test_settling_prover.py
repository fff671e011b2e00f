"""`bedroll prover run --settlement` as a process beside a devnet: killed, started again, and it goes on.

Only the proof system is a stand-in: it runs the programs and proves nothing.
"""

import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from bedroll.derivation.settled import parse_settled
from bedroll.sdk import RpcClient
from tests.e2e.test_devnet import QUICK, settle, signed
from tests.framework.devnet_process import ask_until, new_heads, running_devnet

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]
ROOT = Path(__file__).parents[2]


@pytest.fixture
def worker(tmp_path):
    program = tmp_path / "worker"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m tests.framework.settling_worker\n')
    program.chmod(0o755)
    return program


@contextmanager
def running_prover(folder, devnet, worker, end):
    """One that is ended by a signal; only an end of its own is clean."""
    bitcoin = devnet.ready["bitcoin"]
    command = [
        sys.executable, "-m", "bedroll", "prover", "run", "--settlement", "--json", "--network", "regtest",
        "--folder", str(folder / "prover"), "--genesis", str(folder / "devnet/genesis.json"), "--rpc", devnet.url,
        "--bitcoin-url", bitcoin["url"], "--bitcoin-cookie", bitcoin["cookie"], "--prover-worker", str(worker),
    ]  # fmt: skip
    # Permits of its own: another prover of this machine may be at work.
    environment = os.environ | {"TMPDIR": str(folder), "PYTHONPATH": f"{ROOT}/src:{ROOT}"}
    with (folder / "prover.log").open("a") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=environment, cwd=ROOT)
        try:
            yield process
            assert process.poll() is None, (folder / "prover.log").read_text()
        finally:
            process.send_signal(end)
            code = process.wait(30)
    assert code == (0 if end == signal.SIGTERM else -end)


async def settled(folder, devnet, upto):
    """What the newest proof says, once it speaks of an L1 block or a later one."""
    async with new_heads(devnet.url) as next_head:
        while True:
            found = sorted((folder / "prover/prover/settlement").glob("*/settlement.proof"))
            if found and int(found[-1].parent.name) >= upto:
                return parse_settled(found[-1].with_suffix(".values").read_bytes())
            await next_head()


async def test_settlement_goes_on_over_a_kill_and_ends_at_the_leaders_block(tmp_path, worker):
    with running_devnet(tmp_path / "devnet", *QUICK) as devnet:
        async with RpcClient(devnet.url) as client:
            sent = await client.call("eth_sendRawTransaction", signed(devnet.chain_id, 0))
            receipt = await ask_until(devnet.url, client, "eth_getTransactionReceipt", sent)
            number = int(receipt["blockNumber"], 16)
            await settle(client, number)
            with running_prover(tmp_path, devnet, worker, signal.SIGKILL):
                before = await settled(tmp_path, devnet, 1)
            await client.call("bedroll_mine", 4)
            with running_prover(tmp_path, devnet, worker, signal.SIGTERM):
                said = await settled(tmp_path, devnet, before.l1_height + 1)
            assert said.height >= number
            block = await client.call("eth_getBlockByNumber", hex(said.height), False)
            assert (block["hash"], block["stateRoot"]) == ("0x" + said.tip.hex(), "0x" + said.state_root.hex())
            proofs = {path.stem for path in (tmp_path / "prover/prover/proofs").glob("*.proof")}
            assert f"settlement-up-to-L1-block-{said.l1_height}" in proofs
