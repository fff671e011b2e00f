"""Hardhat 3, unmodified, against a devnet: the project of examples/hardhat compiles and its script does the rest."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

pytestmark = [pytest.mark.clients, pytest.mark.timeout(300)]

PROJECT = Path(__file__).parents[2] / "examples/hardhat"


def test_a_script_deploys_calls_estimates_traces_and_watches(devnet, tools, tmp_path):
    folder = tmp_path / "project"
    shutil.copytree(PROJECT, folder)
    (folder / "node_modules").symlink_to(tools.modules)
    hardhat = tools.modules / "hardhat/dist/src/cli.js"
    # Its statistics would go to a server that the tests do not need.
    environment = os.environ | {"BEDROLL_URL": devnet.url, "HARDHAT_DISABLE_TELEMETRY_PROMPT": "true", "CI": "true"}

    def run(*arguments):
        command = [tools.node, hardhat, *arguments]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=200, check=False, cwd=folder, env=environment
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    assert "Compiled 1 Solidity file" in run("build")
    said = json.loads(run("run", "scripts/deploy.js", "--network", "devnet").strip().splitlines()[-1])
    assert said["counted"] == 1
    assert said["number"] == 7
    assert said["estimated"] >= said["gasUsed"] > 21_000
    assert said["seen"]["number"] == 7
    assert said["traced"] == 1
    assert said["refused"] == "TooMuch"
