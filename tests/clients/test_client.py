"""viem, ethers and cast, unmodified, against a devnet: deploy, send, read, estimate, logs, events, revert reasons.

`make test-clients` installs them from npm into a cache folder (BEDROLL_CLIENTS) before it runs this file.
"""

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.framework.devnet_process import Devnet, running_devnet

pytestmark = [pytest.mark.clients, pytest.mark.timeout(300)]

HERE = Path(__file__).parent
ARTIFACT = HERE.parents[1] / "src/bedroll/execution/artifact/demo_token.json"
KEY = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
ADDRESS = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
OTHER = "0x90F79bf6EB2c4f870365E785982E1f101E93b906"


@pytest.fixture(scope="module")
def modules() -> Path:
    """The folder that npm installed into."""
    folder = Path(os.environ.get("BEDROLL_CLIENTS", Path.home() / ".cache/bedroll/clients")) / "node_modules"
    assert folder.is_dir(), f"no clients in {folder}: run `make test-clients`"
    return folder


@pytest.fixture(scope="module")
def devnet(tmp_path_factory):
    with running_devnet(tmp_path_factory.mktemp("clients") / "chain", "--sequencer-block-time-seconds", "0.2") as made:
        yield made


def run_script(name: str, devnet: Devnet, modules: Path) -> dict[str, object]:
    """Run a script beside the modules it imports: Node looks for them from the script's place upward."""
    script = modules.parent / name
    script.write_text((HERE / name).read_text())
    command = ["node", str(script), devnet.url, devnet.socket_url, str(ARTIFACT), str(devnet.chain_id)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_viem_deploys_sends_reads_estimates_and_watches(devnet, modules):
    said = run_script("viem.mjs", devnet, modules)
    assert (said["deployed"], said["transferred"], said["paid"]) == ("success",) * 3
    assert (said["balance"], said["watched"], said["logs"]) == ("7", "7", 2)
    assert int(said["estimated"]) == 21_000
    assert "balance too low" in said["reason"]
    assert said["supply"] == str(1000 * 10**18)
    assert said["fees"] == "bigint"


def test_ethers_deploys_sends_reads_estimates_and_watches(devnet, modules):
    said = run_script("ethers.mjs", devnet, modules)
    assert (said["deployed"], said["transferred"], said["paid"]) == (1, 1, 1)
    assert (said["balance"], said["watched"], said["logs"]) == ("7", "7", 2)
    assert int(said["estimated"]) == 21_000
    assert said["reason"] == "CALL_EXCEPTION: balance too low"
    assert said["funds"] == "INSUFFICIENT_FUNDS"


def cast(devnet: Devnet, modules: Path, *arguments: str) -> str:
    """Output of one cast command."""
    program = modules / "@foundry-rs/cast-linux-amd64/bin/cast"
    command = [str(program), arguments[0], "--rpc-url", devnet.url, *arguments[1:]]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_cast_sends_and_reads(devnet, modules):
    assert cast(devnet, modules, "chain-id") == str(devnet.chain_id)
    assert int(cast(devnet, modules, "balance", ADDRESS)) > 10**18
    creation = json.loads(ARTIFACT.read_text())["creation"] + (10**21).to_bytes(32, "big").hex()
    receipt = json.loads(cast(devnet, modules, "send", "--json", "--private-key", KEY, "--create", creation))
    assert receipt["status"] == "0x1"
    token = receipt["contractAddress"]
    sent = json.loads(
        cast(devnet, modules, "send", "--json", "--private-key", KEY, token, "transfer(address,uint256)", OTHER, "9")
    )
    assert sent["status"] == "0x1"
    assert cast(devnet, modules, "call", token, "balanceOf(address)(uint256)", OTHER) == "9"
    assert int(cast(devnet, modules, "estimate", "--from", ADDRESS, OTHER, "--value", "1")) == 21_000
    assert json.loads(cast(devnet, modules, "receipt", "--json", sent["transactionHash"]))["logs"] == sent["logs"]
    logs = json.loads(cast(devnet, modules, "logs", "--json", "--from-block", "0", "--address", token))
    assert len(logs) == 2
    assert int(cast(devnet, modules, "nonce", ADDRESS)) >= 2
    assert cast(devnet, modules, "block", "latest", "-f", "class") in ("latest", "safe", "finalized")
    assert cast(devnet, modules, "codehash", token).startswith("0x")
    assert int(cast(devnet, modules, "storage", token, "0"), 16) == 10**21
