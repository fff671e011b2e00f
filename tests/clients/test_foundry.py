"""forge and cast, unmodified, against a devnet: the project of examples/foundry is deployed, looked at and traced.

forge's compiler is npm's solc behind a script (solc.sh), so that nothing is downloaded.
"""

import json
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

pytestmark = [pytest.mark.clients, pytest.mark.timeout(120)]

HERE = Path(__file__).parent
PROJECT = HERE.parents[1] / "examples/foundry"
ARTIFACT = HERE.parents[1] / "src/bedroll/execution/artifact/demo_token.json"
KEY = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
ADDRESS = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
OTHER = "0x90F79bf6EB2c4f870365E785982E1f101E93b906"


@pytest.fixture(scope="module")
def forge(tools, tmp_path_factory):
    """Run forge in a copy of the project."""
    folder = tmp_path_factory.mktemp("foundry") / "project"
    shutil.copytree(PROJECT, folder)
    shutil.copy(HERE / "foundry/Look.s.sol", folder / "script")

    def run(*arguments):
        command = [tools.foundry("forge"), *arguments, "--offline", "--use", HERE / "solc.sh"]
        environment = os.environ | {"BEDROLL_CLIENTS": str(tools.folder)}
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=200, check=False, env=environment, cwd=folder
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    run.folder = folder
    return run


@pytest.fixture(scope="module")
def cast(tools, devnet):
    """Run one cast command; its output."""

    def run(*arguments):
        command = [tools.foundry("cast"), arguments[0], "--rpc-url", devnet.url, *arguments[1:]]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    return run


def counter_of(forge, devnet):
    """What the deployment script wrote down: the counter's address, the hash of the call."""
    run = json.loads((forge.folder / f"broadcast/Deploy.s.sol/{devnet.chain_id}/run-latest.json").read_text())
    assert [receipt["status"] for receipt in run["receipts"]] == ["0x1", "0x1"]
    return run["receipts"][0]["contractAddress"], run["receipts"][1]["transactionHash"]


@pytest.fixture(scope="module")
def counter(forge, devnet):
    """Deployed by a script; without --skip-simulation forge reckons gas itself and knows nothing of data gas."""
    rpc = ("--rpc-url", devnet.url, "--private-key", KEY)
    said = forge("script", "script/Deploy.s.sol", *rpc, "--broadcast", "--skip-simulation")
    assert "ONCHAIN EXECUTION COMPLETE & SUCCESSFUL" in said
    return counter_of(forge, devnet)


def test_a_forge_script_deploys_calls_and_counts_with_a_higher_multiplier_too(forge, devnet, cast):
    rpc = ("--rpc-url", devnet.url, "--private-key", KEY)
    said = forge("script", "script/Deploy.s.sol", *rpc, "--broadcast", "--gas-estimate-multiplier", "300")
    assert "ONCHAIN EXECUTION COMPLETE & SUCCESSFUL" in said
    address, _call = counter_of(forge, devnet)
    assert cast("call", address, "number()(uint256)") == "7"


def test_a_forge_script_reads_estimates_traces_and_finds_events(forge, devnet, counter):
    address, call = counter
    arguments = ("--sig", "run(address,bytes32)", "--rpc-url", devnet.url, "--json")
    said = forge("script", "script/Look.s.sol", address, call, *arguments)
    returned = next(json.loads(line)["returns"] for line in said.splitlines() if '"returns"' in line)
    found = {name: int(value["value"]) for name, value in returned.items()}
    assert found["number"] == 7
    assert found["estimated"] > 21_000
    assert found["traced"] > 0
    assert found["events"] == 1


def test_forge_create_deploys(forge, devnet):
    said = forge(
        "create", "src/Counter.sol:Counter", "--rpc-url", devnet.url, "--private-key", KEY, "--broadcast", "--json"
    )
    assert json.loads(said[said.index("{") :])["deployedTo"].startswith("0x")


def test_cast_deploys_sends_reads_and_estimates(devnet, cast):
    assert cast("chain-id") == str(devnet.chain_id)
    assert int(cast("balance", ADDRESS)) > 10**18
    creation = json.loads(ARTIFACT.read_text())["creation"] + (10**21).to_bytes(32, "big").hex()
    receipt = json.loads(cast("send", "--json", "--private-key", KEY, "--create", creation))
    assert receipt["status"] == "0x1"
    token = receipt["contractAddress"]
    transfer = ("transfer(address,uint256)", OTHER, "9")
    sent = json.loads(cast("send", "--json", "--private-key", KEY, token, *transfer))
    assert sent["status"] == "0x1"
    assert cast("call", token, "balanceOf(address)(uint256)", OTHER) == "9"
    assert int(cast("estimate", "--from", ADDRESS, OTHER, "--value", "1")) == 21_000
    assert json.loads(cast("receipt", "--json", sent["transactionHash"]))["logs"] == sent["logs"]
    logs = json.loads(cast("logs", "--json", "--from-block", "0", "--address", token))
    assert len(logs) == 2
    assert int(cast("nonce", ADDRESS)) >= 2
    assert cast("block", "latest", "-f", "class") in ("latest", "safe", "finalized")
    assert cast("codehash", token).startswith("0x")
    assert int(cast("storage", token, "0"), 16) == 10**21


def test_cast_traces(cast, counter):
    address, call = counter
    frame = json.loads(cast("rpc", "debug_traceTransaction", call, '{"tracer":"callTracer"}'))
    assert frame["to"] == address.lower()
    assert "Transaction successfully executed" in cast("run", call)


def test_the_trace_knows_the_contract_by_forges_artifacts(forge, devnet, counter):
    _address, call = counter
    command = [sys.executable, "-m", "bedroll", "trace", call, "--rpc", devnet.url, "--abi", str(forge.folder / "out")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert "Counter@0x" in done.stdout
    assert ".add(amount: 7)" in done.stdout
    assert f"event Counted(by: {ADDRESS}, number: 7)" in done.stdout


def test_cast_watches_events(tools, devnet, cast, counter):
    address, _call = counter
    socket = ("--rpc-url", devnet.socket_url)
    command = [tools.foundry("cast"), "logs", "--subscribe", *socket, "--address", address]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as watcher:
        try:
            # Calls go on until the watcher, whose start nobody can see, has told of one.
            lines: list[str] = []
            reading = threading.Thread(target=lambda: lines.append(watcher.stdout.readline()))
            reading.start()
            while reading.is_alive():
                cast("send", "--json", "--private-key", KEY, address, "add(uint256)", "1")
        finally:
            watcher.terminate()
    assert address.lower() in lines[0].lower()
