"""`bedroll light` says what a proof file shows, and what is wrong with it; the proof system is a stand-in."""

import json

import pytest
from click.testing import CliRunner

from bedroll.cli import light
from bedroll.cli.root import main
from bedroll.light.proof_file import join_headers
from tests.framework.settled_file import SettledChain, StandIn


@pytest.fixture(scope="module")
def chain(tmp_path_factory):
    made = SettledChain(tmp_path_factory.mktemp("settled"))
    yield made
    made.close()


@pytest.fixture
def run(chain, tmp_path, monkeypatch):
    monkeypatch.setattr(light, "_verifier", lambda *_: StandIn())
    monkeypatch.delenv("BEDROLL_NODE_URL", raising=False)
    (tmp_path / "genesis.json").write_text(chain.genesis.to_json())
    (tmp_path / "newest.proof").write_bytes(chain.file().encode())

    def ran(*words):
        options = ["light", "--folder", str(tmp_path), "--proof", str(tmp_path / "newest.proof")]
        return CliRunner().invoke(main, [*options, *map(str, words)], catch_exceptions=False)

    return ran


def told(result):
    return json.loads(result.stdout.splitlines()[-1])


def test_a_proof_is_checked_without_a_node(chain, run):
    shown = told(run("--json"))
    assert shown["block"]["number"] == 2
    assert shown["block"]["stateRoot"] == "0x" + chain.site.engine.header(2).state_root.hex()
    assert (shown["bitcoin"]["settled"], shown["bitcoin"]["depth"], shown["bitcoin"]["final"]) == (6, 3, True)
    assert shown["seconds"] < 1


def test_people_are_told_what_to_do_next(run):
    result = run()
    assert result.exit_code == 0
    assert "--account" in result.stdout


def test_a_settled_block_with_nothing_upon_it_is_warned_of(chain, run, tmp_path):
    (tmp_path / "newest.proof").write_bytes(chain.file(later=()).encode())
    assert "0 of 2 Bitcoin blocks" in run().stderr


def in_lines(raw):
    """As `bitcoin-cli getblockheader HASH false` writes them."""
    return "\n".join(raw[at : at + 80].hex() for at in range(0, len(raw), 80)).encode()


@pytest.mark.parametrize("form", [bytes, in_lines])
def test_headers_of_ones_own_are_taken_in_either_form(chain, run, tmp_path, form):
    file = chain.file()
    (tmp_path / "newest.proof").write_bytes(chain.file(later=()).encode())
    (tmp_path / "headers").write_bytes(form(join_headers([*file.settled, *file.later])))
    assert told(run("--json", "--headers", tmp_path / "headers"))["bitcoin"]["depth"] == 3


def test_a_damaged_file_ends_the_command_with_its_reason(chain, run, tmp_path):
    (tmp_path / "newest.proof").write_bytes(chain.file().encode()[:-5])
    result = run("--json")
    assert result.exit_code == 1
    assert told(result)["error"]["reason"] == "cut"


def test_a_proof_that_holds_under_no_key_is_refused_by_the_real_verifier(chain, run, monkeypatch):
    monkeypatch.undo()
    result = run("--json")
    assert result.exit_code == 1
    assert told(result)["error"]["reason"] == "program"


@pytest.mark.parametrize("words", [("--account", "0x" + "11" * 20), ("--receipt", "0x" + "11" * 32)])
def test_who_asks_for_accounts_must_name_a_node(run, words):
    result = run("--json", *words)
    assert (result.exit_code, told(result)["error"]["option"]) == (2, "--rpc")


@pytest.mark.parametrize("words", [("--account", "0x12"), ("--receipt", "zz")])
def test_what_is_no_address_or_hash_is_refused(run, words):
    result = run("--json", "--rpc", "http://127.0.0.1:1", *words)
    assert (result.exit_code, told(result)["error"]["option"]) == (2, words[0])


def test_the_checked_proof_is_kept_where_that_is_asked(run, tmp_path):
    shown = told(run("--json", "--save", tmp_path / "kept.proof"))
    assert shown["saved"] == str(tmp_path / "kept.proof")
    assert (tmp_path / "kept.proof").read_bytes() == (tmp_path / "newest.proof").read_bytes()
