"""The table of options: order of sources, ranges, misspelt names, and that the manual is what the table says."""

from pathlib import Path

import pytest

from bedroll.config import OPTIONS, Source, load, manual
from bedroll.primitives import Misconfigured

PAGE = Path(__file__).parents[3] / "docs/howto/configure.md"


def test_defaults_stand_where_nothing_is_given():
    loaded = load(environment={})
    assert loaded.config.rpc.port == 8545
    assert set(loaded.sources.values()) == {Source.DEFAULT}


def test_a_flag_is_stronger_than_the_environment_and_that_than_the_file(tmp_path):
    file = tmp_path / "bedroll.toml"
    file.write_text('[rpc]\nport = 1\nhost = "10.0.0.1"\ncall_gas = 30000\n')
    environment = {"BEDROLL_RPC_PORT": "2", "BEDROLL_RPC_HOST": "10.0.0.2", "HOME": "/nowhere"}
    loaded = load(file, environment=environment, flags={"rpc.port": "3"})
    assert (loaded.config.rpc.port, loaded.config.rpc.host, loaded.config.rpc.call_gas) == (3, "10.0.0.2", 30000)
    assert loaded.sources["rpc.port"] is Source.FLAG
    assert loaded.sources["rpc.host"] is Source.ENVIRONMENT
    assert loaded.sources["rpc.call_gas"] is Source.FILE


def test_the_environment_names_the_file(tmp_path):
    file = tmp_path / "bedroll.toml"
    file.write_text('network = "testnet"\n')
    assert load(environment={"BEDROLL_CONFIG": str(file)}).config.network == "testnet"


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("rpc.port", "65536"),
        ("rpc.port", "-1"),
        ("rpc.port", "eighty"),
        ("rpc.port", True),
        ("rpc.port", 80.5),
        ("network", "ropsten"),
        ("sequencer.block_time_seconds", "nan"),
        ("sequencer.block_time_seconds", "inf"),
        ("sequencer.commitments", "maybe"),
        ("rpc.origins", [1]),
        ("folder", 7),
    ],
)
def test_a_value_that_is_not_allowed_names_option_value_and_range(option, value):
    with pytest.raises(Misconfigured) as caught:
        load(environment={}, flags={option: value})
    assert caught.value.option == option
    assert caught.value.value == value
    assert caught.value.allowed


def test_sizes_may_carry_a_unit():
    assert load(environment={}, flags={"mempool.size_bytes": "64 MiB"}).config.mempool.size_bytes == 64 << 20


@pytest.mark.parametrize("text", ["[rpc]\nprot = 1\n", "rpc_port = 1\n", "[prc]\nport = 1\n"])
def test_a_misspelt_name_in_the_file_is_refused_with_the_nearest(tmp_path, text):
    file = tmp_path / "bedroll.toml"
    file.write_text(text)
    with pytest.raises(Misconfigured, match="there is no option"):
        load(file, environment={})


def test_a_misspelt_variable_is_refused_with_the_nearest():
    with pytest.raises(Misconfigured, match="did you mean BEDROLL_RPC_PORT"):
        load(environment={"BEDROLL_RPC_PROT": "1"})


def test_variables_of_others_with_the_prefix_are_left_alone():
    load(environment={"BEDROLL_CLIENTS": "/x", "BEDROLL_BITCOIND": "/y", "BEDROLL_CRASH": "z", "BEDROLL_NODE_URL": "u"})
    with pytest.raises(Misconfigured):
        load(environment={"BEDROLL_NETWROK": "regtest"})


@pytest.mark.parametrize("raw", [b"port = ", b"\xff\xfe", b"a" * ((1 << 20) + 1)])
def test_a_file_that_cannot_be_read_is_named(tmp_path, raw):
    file = tmp_path / "bedroll.toml"
    file.write_bytes(raw)
    with pytest.raises(Misconfigured) as caught:
        load(file, environment={})
    assert caught.value.option == "config"
    with pytest.raises(Misconfigured, match="cannot be read"):
        load(tmp_path / "missing.toml", environment={})


def test_a_secret_is_never_shown():
    loaded = load(environment={"BEDROLL_BITCOIN_PASSWORD": "hunter2"})
    assert loaded.config.bitcoin.password == "hunter2"
    assert "hunter2" not in repr(loaded)


def test_every_name_is_unique_in_each_of_its_forms():
    for form in ("name", "environment", "flag", "attribute"):
        assert len({getattr(option, form) for option in OPTIONS}) == len(OPTIONS)


def test_every_default_is_allowed():
    for option in OPTIONS:
        if option.default is not None:
            assert option.read(option.default) is not None


def test_the_manual_is_what_the_table_says():
    assert PAGE.read_text() == manual(), "run: bedroll doctor --manual > docs/howto/configure.md"
