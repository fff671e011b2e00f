"""Shows that `bedroll dispute demo` plays a game to its verdict and tells each move, for people and for programs."""

import json

import pytest
from click.testing import CliRunner

from bedroll.bitvm.lie.catalogue import lies
from bedroll.cli import main

pytestmark = pytest.mark.timeout(1_200)
"""A game ends after a bounded number of blocks; this bounds a hang, on a machine that does much else."""


def invoke(*arguments):
    return CliRunner().invoke(main, ["dispute", "demo", *arguments], catch_exceptions=False)


def test_a_lie_dies_and_every_move_is_told():
    done = invoke("--lie", "opcode", "--exponent", "7", "--json")
    assert done.exit_code == 0, done.output
    *moves, verdict = [json.loads(line) for line in done.stdout.splitlines()]
    assert verdict["winner"] == "challenger"
    assert verdict["decided_by"] == "opcode_chunk_0"
    assert verdict["gate"] == "burn"
    assert [move["move"] for move in moves][-3:] == ["execute", "take_8", "burn"]
    assert len({move["txid"] for move in moves}) == len(moves) == 10
    for move in moves:
        assert move["vbytes"] <= 10_000
        assert move["fee_sat"] >= move["vbytes"]
        assert move["said"]
    assert all(move["deadline"] >= move["block"] for move in moves[:-1])
    assert verdict["total_vb"] == sum(move["vbytes"] for move in moves)


def test_people_see_who_claims_what():
    done = invoke("--lie", "silent_opening", "--exponent", "7")
    assert done.exit_code == 0, done.output
    assert "The challenger lies: nothing is contested" in done.output
    assert "step " in done.output
    assert "winner" in done.output


def test_all_lies_are_listed():
    done = invoke("--list", "--json")
    (found,) = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["name"] for row in found["lies"]] == list(lies(3))


def test_an_unknown_lie_is_refused():
    done = invoke("--lie", "nonsense")
    assert done.exit_code == 2
