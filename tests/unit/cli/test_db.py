"""`bedroll db` checks, prunes, rolls back and carries the chain of a node's folder, and keeps off a held one."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from bedroll.cli.root import main
from bedroll.storage.folder import DataFolder
from tests.framework.ledger import Ledger, genesis_for


@pytest.fixture
def folder(tmp_path):
    """A node's folder with a chain of ten blocks."""
    made = tmp_path / "node"
    made.mkdir()
    ledger = Ledger.open(made / "chain")
    for number in range(10):
        ledger.block(ledger.sign(ledger.keys[0], to=bytes([number + 1]) * 20, value=1))
    ledger.engine.commit()
    ledger.engine.close()
    (made / "genesis.json").write_text(genesis_for(ledger.keys).to_json())
    return made


def run(folder, *words):
    """Exit code and the JSON of a command."""
    done = CliRunner().invoke(main, ["--json", "db", words[0], *words[1:], "--folder", str(folder)])
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    return done.exit_code, json.loads(lines[0]) if lines else done.output


def test_a_whole_chain_is_called_whole(folder):
    code, told = run(folder, "check")
    assert (code, told["verdict"], told["problems"], told["tip"]["height"]) == (0, "whole", [], 10)


def test_a_damaged_one_is_called_damaged_with_exit_code_4(folder):
    assert run(folder, "check")[1]["verdict"] == "whole"
    path = folder / "chain/accounts/00000001"
    path.write_bytes(path.read_bytes().replace(b"\x05" * 20 + b"\x00\x01", b"\x05" * 20 + b"\x00\x02"))
    code, told = run(folder, "check")
    assert (code, told["verdict"]) == (4, "damaged")
    assert "the record at" in told["problems"][0]


def test_pruning_keeps_the_newest_states(folder):
    code, told = run(folder, "prune", "--keep", "3")
    assert (code, told["oldest state"], told["tip"]) == (0, 7, 10)
    assert run(folder, "check")[1]["oldest state"] == 7
    code, told = run(folder, "rollback", "6")
    assert (code, told["error"]["oldest"], told["error"]["newest"]) == (1, 7, 10)


def test_rolling_back_makes_an_old_block_the_newest(folder):
    code, told = run(folder, "rollback", "4")
    assert (code, told["newest before"], told["newest"]) == (0, 10, 4)
    assert run(folder, "check")[1]["tip"] == {"height": 4, "hash": told["hash"]}


def test_a_leaders_folder_is_not_rolled_back(folder):
    (folder / "signer.log").write_bytes(b"")
    code, told = run(folder, "rollback", "4")
    assert code == 2
    assert "leads a chain" in told["error"]["message"]


def test_a_snapshot_goes_out_and_comes_in(folder, tmp_path):
    file = tmp_path / "snapshot"
    code, out = run(folder, "export", str(file))
    assert (code, out["blocks"]) == (0, "0 to 10")
    code, told = run(tmp_path / "other", "import", str(file), "--block", out["newest"])
    assert (code, told["newest"]) == (0, out["newest"])
    assert (tmp_path / "other/genesis.json").read_text() == (folder / "genesis.json").read_text()
    assert run(tmp_path / "other", "check")[1]["verdict"] == "whole"
    code, told = run(tmp_path / "third", "import", str(file), "--block", "0x" + "11" * 32)
    assert (code, told["error"]["message"]) == (1, "the snapshot is of another block")
    assert not (tmp_path / "third/chain").exists()
    assert run(tmp_path / "third", "import", str(file), "--block", "0x11")[0] == 2


@pytest.mark.parametrize("words", [("check",), ("prune", "--keep", "1"), ("rollback", "1"), ("export", "file")])
def test_a_held_folder_is_refused_by_name(folder, words):
    with DataFolder(folder, "a node"):
        code, told = run(folder, *words)
    assert code == 2
    assert "in use by a node" in told["error"]["message"]
    assert not Path("file").exists()


def test_a_folder_without_a_chain_is_refused(tmp_path):
    code, told = run(tmp_path / "empty", "check")
    assert (code, told["error"]["message"]) == (2, "there is no chain in the folder")
