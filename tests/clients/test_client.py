"""viem and ethers, unmodified, against a devnet: deploy, send, read, estimate, trace, logs, events, reasons.

`make test-clients` installs them from npm into a cache folder (BEDROLL_CLIENTS) before it runs this folder.
"""

import json
import subprocess
from pathlib import Path

import pytest

pytestmark = [pytest.mark.clients, pytest.mark.timeout(300)]

HERE = Path(__file__).parent
ARTIFACT = HERE.parents[1] / "src/bedroll/execution/artifact/demo_token.json"


def run_script(name, devnet, tools):
    """Run a script beside the modules it imports: Node looks for them from the script's place upward."""
    script = tools.folder / name
    script.write_text((HERE / name).read_text())
    command = [tools.node, script, devnet.url, devnet.socket_url, ARTIFACT, str(devnet.chain_id)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_viem_deploys_sends_reads_estimates_traces_and_watches(devnet, tools):
    said = run_script("viem.mjs", devnet, tools)
    assert (said["deployed"], said["transferred"], said["paid"]) == ("success",) * 3
    assert (said["balance"], said["watched"], said["logs"]) == ("7", "7", 2)
    assert said["traced"] == "CALL with 1 log"
    assert int(said["estimated"]) == 21_000
    assert "balance too low" in said["reason"]
    assert said["many"] == str(1000 * 10**18)
    assert said["supply"] == str(1000 * 10**18)
    assert said["fees"] == "bigint"


def test_ethers_deploys_sends_reads_estimates_traces_and_watches(devnet, tools):
    said = run_script("ethers.mjs", devnet, tools)
    assert (said["deployed"], said["transferred"], said["paid"]) == (1, 1, 1)
    assert (said["balance"], said["watched"], said["logs"]) == ("7", "7", 2)
    assert said["traced"] == "CALL with 1 log"
    assert int(said["estimated"]) == 21_000
    assert said["reason"] == "CALL_EXCEPTION: balance too low"
    assert said["funds"] == "INSUFFICIENT_FUNDS"
