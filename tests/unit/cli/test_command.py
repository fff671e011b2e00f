"""The command line: JSON or words, exit codes by who must act, first errors, wallet and forced message on a chain."""

import json
from hashlib import sha256

import pytest
from click.testing import CliRunner

from bedroll.api.key import ApiKeys
from bedroll.cli import main
from bedroll.cli.inspect import describe_witness
from bedroll.da import Forced, build_leaf
from bedroll.primitives import Address, Gas, Wei
from bedroll.protocol import REGTEST
from bedroll.sdk import DEVNET_MNEMONIC, accounts_of

BODY = Forced(network=REGTEST.number, payload=b"\x01\x02").encode()


@pytest.fixture
def bedroll(tmp_path, monkeypatch):
    """Run a command in a folder of its own, on an embedded chain."""
    for name in ("BEDROLL_CONFIG", "BEDROLL_KEY_PASSWORD"):
        monkeypatch.delenv(name, raising=False)
    file = tmp_path / "bedroll.toml"
    file.write_text(f'folder = "{tmp_path / "data"}"\n[bitcoin]\nsource = "embedded"\n')

    def run(*arguments, code=0, words=False):
        options = [] if words else ["--json"]
        done = CliRunner().invoke(main, [*options, "--config", str(file), *arguments], catch_exceptions=False)
        assert done.exit_code == code, done.output
        return done.output if words else json.loads(done.stdout)

    return run


def signed(**changes):
    fields = {
        "chain_id": REGTEST.chain_id,
        "nonce": 0,
        "gas_limit": Gas(21_000),
        "max_fee_per_gas": Wei(10**10),
        "max_priority_fee_per_gas": Wei(0),
        "to": Address(bytes(20)),
    }
    return "0x" + accounts_of(DEVNET_MNEMONIC, 1)[0].sign_transaction(**(fields | changes)).hex()


def test_every_command_explains_itself(bedroll):
    listing = bedroll("--help", words=True)
    for name in (
        "demo",
        "devnet",
        "node",
        "sequencer",
        "forced",
        "trace",
        "inspect",
        "wallet",
        "key",
        "riscv",
        "doctor",
    ):
        assert name in listing
        assert "Usage" in bedroll(name, "--help", words=True)


def test_a_page_of_help_begins_with_what_people_use(bedroll):
    page = bedroll("devnet", "--help", words=True)
    assert page.index("--port") < page.index("--silent") < page.index("Options of rpc") < page.index("--rpc-call-gas")
    assert "BEDROLL_RPC_PORT" in page


def test_a_misspelt_command_is_answered_with_the_one_that_was_meant():
    done = CliRunner().invoke(main, ["trac"])
    assert done.exit_code == 2
    assert "Did you mean 'trace'?" in done.output
    assert "Did you mean" not in CliRunner().invoke(main, ["xyzzy"]).output


def test_a_node_that_does_not_answer_is_told_with_what_helps():
    done = CliRunner().invoke(main, ["trace", "ab" * 32, "--rpc", "http://127.0.0.1:1"])
    assert done.exit_code == 3
    assert "Connection refused" in done.output
    assert "bedroll devnet" in done.output
    said = json.loads(CliRunner().invoke(main, ["--json", "trace", "ab" * 32, "--rpc", "http://127.0.0.1:1"]).stdout)
    assert said["error"]["reason"] == "Connection refused"


def test_a_trace_wants_a_hash(bedroll):
    assert bedroll("trace", "0x12", code=1)["error"]["allowed"] == "64 hexadecimal digits"


def test_a_missing_bitcoin_is_the_first_error_and_says_what_to_do(tmp_path):
    arguments = ["wallet", "new", "--json", "--folder", str(tmp_path), "--bitcoin-url", "http://127.0.0.1:1"]
    done = CliRunner().invoke(main, [*arguments, "--bitcoin-user", "u", "--bitcoin-password", "p"])
    assert done.exit_code == 3
    error = json.loads(done.stdout)["error"]
    assert error["kind"] == "Unavailable"
    assert "no Bitcoin at http://127.0.0.1:1" in error["message"]
    assert "start bitcoind" in error["help"]


def test_a_wrong_option_names_value_and_range(bedroll):
    error = bedroll("doctor", "--rpc-port", "70000", code=2)["error"]
    assert (error["option"], error["value"], error["allowed"]) == ("rpc.port", "70000", "0 to 65,535")


def test_json_may_stand_before_or_after_the_command(bedroll):
    assert json.loads(bedroll("doctor", "--json", "--rpc-port", "0", words=True))["doctor"]


def test_a_wallet_is_made_funded_and_used_to_force_a_transaction(bedroll):
    made = bedroll("wallet", "new")
    assert made["address"].startswith("bcrt1p")
    assert bedroll("wallet", "new", code=2)["error"]["kind"] == "Misconfigured"
    bedroll("wallet", "fund")
    assert bedroll("wallet", "balance")["available_sat"] >= 50 * 10**8
    sent = bedroll("forced", "send", signed())
    assert sent["state"] == "broadcast"
    assert len(sent["txids"]) == 2
    assert len(sent["message_ids"][0]) == 66
    paid = bedroll("wallet", "send", bedroll("wallet", "address")["address"], "1000")
    assert paid["fee_sat"] > 0


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"chain_id": 1}, "another chain"),
        ({"gas_limit": Gas(1_000_001)}, "too high"),
        ({"gas_limit": Gas(20_000)}, "too low"),
    ],
)
def test_a_message_that_would_be_ineligible_is_not_paid_for(bedroll, change, text):
    assert text in bedroll("forced", "send", signed(**change), code=1)["error"]["message"]


@pytest.mark.parametrize("raw", ["zz", "", "0x02c0", "0x" + "00" * 20_000])
def test_what_is_no_transaction_is_not_paid_for(bedroll, raw):
    assert bedroll("forced", "send", raw, code=1)["error"]


def test_a_message_without_coins_says_what_it_waits_for(bedroll):
    bedroll("wallet", "new")
    error = bedroll("forced", "send", signed(), code=1)["error"]
    assert "cannot be sent" in error["message"]
    assert error["reason"]


def test_a_wallet_that_is_not_there_is_said_so(bedroll):
    assert "bedroll wallet new" in bedroll("wallet", "balance", code=2)["error"]["message"]


def test_a_bitcoin_transaction_is_taken_apart(bedroll):
    coinbase = (
        "01000000010000000000000000000000000000000000000000000000000000000000000000ffffffff0704ffff001d0104ffffffff"
        "0100f2052a0100000043410496b538e853519c726a2c91e61ec11600ae1390813a627c66fb8be7947be63c52da7589379515d4e0"
        "a604f8141781e62294721166bf621e73a82cbf2342c858eeac00000000"
    )
    shown = bedroll("inspect", "transaction", coinbase)
    assert shown["txid"] == "0e3e2357e806b6cdb1f70b54c3a3a17b6714ee1f0e68bebb44a74b1efd512098"
    assert shown["objects"] == [{"object": None, "reason": "no script path spend"}]
    assert bedroll("inspect", "transaction", "0x", code=1)["error"]


def test_what_a_leaf_holds_is_described():
    leaf = build_leaf(bytes.fromhex("79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"), BODY, 0)
    shown = describe_witness((bytes(64), leaf, bytes(33)))
    assert shown == {"object_id": sha256(BODY).digest().hex(), "object": "forced", "network": 3, "payload": "0102"}
    assert describe_witness((bytes(64), leaf, bytes(33), b"\x50annex"))["object"] == "forced"
    assert describe_witness((bytes(64), leaf[:-1], bytes(33)))["reason"]
    assert describe_witness((b"", b"\x51", bytes(33)))["object"] is None
    assert describe_witness(())["object"] is None


def test_no_node_is_said_so(bedroll):
    assert (
        bedroll("inspect", "block", "1", "--rpc", "http://127.0.0.1:1", code=3)["error"]["url"] == "http://127.0.0.1:1"
    )


def test_the_manual_is_printed(bedroll):
    assert bedroll("doctor", "--manual", words=True).startswith("# Configure a node")


def test_an_api_key_is_made_shown_once_and_taken_away(bedroll, tmp_path):
    made = bedroll("key", "new", "ops")
    file = tmp_path / "data" / "api_keys"
    assert made["file"] == str(file)
    assert made["key"] not in file.read_text()
    assert ApiKeys(file).name_of(made["key"]) == "ops"
    assert bedroll("key", "new", "ops", code=2)["error"]["kind"] == "Misconfigured"
    assert bedroll("key", "new", "two words", code=2)["error"]["value"] == "two words"
    (row,) = bedroll("key", "list")["keys"]
    assert (row["name"], len(row["hash"])) == ("ops", 16)
    assert bedroll("key", "remove", "ops")["left"] == 0
    assert bedroll("key", "remove", "ops", code=2)["error"]["allowed"] == "none"
    assert ApiKeys(file).name_of(made["key"]) is None


def test_an_api_key_goes_where_the_option_says(bedroll, tmp_path):
    file = tmp_path / "elsewhere" / "keys"
    assert bedroll("key", "new", "ops", "--rpc-keys", str(file))["file"] == str(file)
    assert file.exists()
