"""Artifacts of compilers: signatures and names, in every form they come in, and hostile ones passed over."""

import json

import pytest
from eth_utils import keccak

from bedroll.cli.artifact import read_artifacts
from bedroll.cli.output import Output
from bedroll.primitives import Invalid

ABI = [{"type": "function", "name": "knock", "inputs": [{"name": "times", "type": "uint8"}], "outputs": []}]
CODE = "60016002600360045b00"
CALL = keccak(text="knock(uint8)")[:4] + (7).to_bytes(32, "big")


def read(folder, **files):
    for name, made in files.items():
        (folder / f"{name}.json").write_text(made if isinstance(made, str) else json.dumps(made))
    return read_artifacts([folder], Output(as_json=True))


@pytest.mark.parametrize(
    ("made", "name"),
    [
        ({"abi": ABI, "deployedBytecode": {"object": "0x" + CODE}}, "Door"),
        ({"abi": ABI, "deployedBytecode": "0x" + CODE, "contractName": "Gate"}, "Gate"),
        ({"abi": ABI, "runtime": "0x" + CODE, "contract": "Hatch"}, "Hatch"),
    ],
)
def test_a_contract_is_known_by_its_code(tmp_path, made, name):
    known = read(tmp_path, Door=made)
    assert known.names.name_of(bytes.fromhex(CODE)) == name
    assert known.names.name_of(bytes.fromhex(CODE)[:-1]) == ""
    assert known.names.name_of(bytes(10)) == ""


def test_what_a_constructor_writes_into_the_code_does_not_matter(tmp_path):
    holes = {"7": [{"start": 1, "length": 1}, {"start": 3, "length": 1}]}
    made = {"abi": ABI, "deployedBytecode": {"object": CODE, "immutableReferences": holes}}
    names = read(tmp_path, Door=made).names
    assert names.name_of(bytes.fromhex("60ff60ee600360045b00")) == "Door"
    assert names.name_of(bytes.fromhex("60ff60ee60ff60045b00")) == ""


def test_signatures_of_a_folder_are_asked_before_those_of_the_package(tmp_path):
    known = read(tmp_path, Door={"abi": ABI}, list=ABI)
    assert known.book.call(CALL)[0].text == "knock(uint8)"
    assert not known.names


def test_files_that_hold_no_abi_are_passed_over_in_a_folder_and_refused_by_name(tmp_path, capsys):
    known = read(
        tmp_path,
        Door={"abi": ABI, "deployedBytecode": {"object": "0x60__$library$__", "immutableReferences": [1]}},
        deep="[" * 100_000,
        other={"a": 1},
        nothing="",
        odd={"abi": ABI, "deployedBytecode": 7, "contractName": ["x"], "immutableReferences": {"a": [{"start": -1}]}},
    )
    assert not known.names
    for name in ("deep", "other", "nothing"):
        with pytest.raises(Invalid, match="holds no ABI"):
            read_artifacts([tmp_path / f"{name}.json"], Output(as_json=True))
    empty = tmp_path / "empty"
    empty.mkdir()
    read_artifacts([empty], Output(as_json=False))
    assert "no ABI in" in capsys.readouterr().err


def test_a_hostile_name_stays_text(tmp_path):
    made = {"abi": ABI, "deployedBytecode": "0x" + CODE, "contractName": "\x1b[2J" + "x" * 500}
    name = read(tmp_path, Door=made).names.name_of(bytes.fromhex(CODE))
    assert name.startswith("\\x1b[2Jxxx")
    assert name.isprintable()
    assert len(name) < 120
