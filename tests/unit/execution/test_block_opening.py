"""Shows which timestamps and origins a block may have (protocol.md 4.2)."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from bedroll.execution.engine import Engine, Origin
from bedroll.primitives import Invalid, Misconfigured
from bedroll.protocol import MAINNET
from tests.framework.ledger import MAP_SIZE_BYTES, TIMESTAMP_FIRST, Ledger, accounts, genesis_for

LEAD = 4 * 3_600


@pytest.fixture
def bounded(tmp_path: Path) -> Ledger:
    """A chain whose timestamps are bounded above, as on mainnet."""
    keys = accounts(1)
    core = replace(genesis_for(keys), network=MAINNET).core_json()
    return Ledger(Engine.open(str(tmp_path / "chain"), core, map_size_bytes=MAP_SIZE_BYTES, sync=False), keys)


def at(ledger: Ledger, timestamp: int, origin: Origin | None = None, automatic: bool = False) -> None:
    ledger.engine.begin(timestamp, origin, automatic=automatic)
    ledger.engine.seal()


def later(ledger: Ledger, median_time: int) -> Origin:
    origin = ledger.next_origin()
    return Origin(
        height=origin.height, hash=origin.hash, header=origin.header, witness_root=origin.witness_root,
        median_time=median_time, l1_rate=origin.l1_rate, forced=[],
    )  # fmt: skip


def refused(ledger: Ledger, *arguments: object, **options: object) -> str:
    """The message; the chain must be as before and go on."""
    before = ledger.engine.tip().hash
    with pytest.raises(Invalid) as caught:
        ledger.engine.begin(*arguments, **options)
    assert ledger.engine.tip().hash == before
    with pytest.raises(Invalid):
        ledger.engine.gas_left()
    return caught.value.message


def test_time_does_not_run_back(ledger):
    at(ledger, TIMESTAMP_FIRST + 10, ledger.next_origin())
    assert "below" in refused(ledger, TIMESTAMP_FIRST + 9)
    at(ledger, TIMESTAMP_FIRST + 10)


def test_time_is_not_below_the_origins_median(ledger):
    origin = later(ledger, TIMESTAMP_FIRST + 100)
    assert "below" in refused(ledger, TIMESTAMP_FIRST + 99, origin)
    at(ledger, TIMESTAMP_FIRST + 100, origin)


def test_time_is_bounded_above_by_the_median_and_the_lead(bounded):
    origin = bounded.next_origin()
    assert "above" in refused(bounded, TIMESTAMP_FIRST + LEAD + 1, origin)
    at(bounded, TIMESTAMP_FIRST + LEAD, origin)
    assert "above" in refused(bounded, TIMESTAMP_FIRST + LEAD + 1)


def test_regtest_time_is_unbounded_above(ledger):
    at(ledger, TIMESTAMP_FIRST + 10 * LEAD, ledger.next_origin())


def test_ten_blocks_share_a_second_and_no_more(ledger):
    at(ledger, TIMESTAMP_FIRST + 1, ledger.next_origin())
    for _ in range(9):
        at(ledger, TIMESTAMP_FIRST + 1)
    assert "share the second" in refused(ledger, TIMESTAMP_FIRST + 1)
    assert "share the second" in refused(ledger, TIMESTAMP_FIRST + 1, ledger.next_origin())
    ledger.origin_height -= 1
    at(ledger, TIMESTAMP_FIRST + 2)


def test_any_number_share_the_upper_bound(bounded):
    at(bounded, TIMESTAMP_FIRST + LEAD, bounded.next_origin())
    for _ in range(15):
        at(bounded, TIMESTAMP_FIRST + LEAD)


def test_automatic_blocks_take_the_lower_bound_and_share_it(ledger):
    at(ledger, TIMESTAMP_FIRST + 5, ledger.next_origin())
    assert "lower bound" in refused(ledger, TIMESTAMP_FIRST + 6, automatic=True)
    for _ in range(15):
        at(ledger, TIMESTAMP_FIRST + 5, automatic=True)
    assert "share the second" in refused(ledger, TIMESTAMP_FIRST + 5)


def test_origins_advance_by_one(ledger):
    origin = ledger.next_origin()
    skipped = ledger.next_origin()
    assert "origin height 2 is not 1" in refused(ledger, TIMESTAMP_FIRST, skipped)
    assert "must take an origin" in refused(ledger, TIMESTAMP_FIRST)
    at(ledger, TIMESTAMP_FIRST, origin)
    assert "origin height 1 is not 2" in refused(ledger, TIMESTAMP_FIRST, origin)
    at(ledger, TIMESTAMP_FIRST, skipped)


def test_an_origins_header_hashes_to_it(ledger):
    origin = ledger.next_origin()
    other = Origin(
        height=1, hash=origin.hash, header=b"\x01" * 80, witness_root=bytes(32), median_time=0,
        l1_rate=origin.l1_rate, forced=[],
    )  # fmt: skip
    assert "header" in refused(ledger, TIMESTAMP_FIRST, other)


@pytest.mark.parametrize("field", ["hash", "header", "witness_root"])
def test_an_origins_fields_have_their_sizes(field):
    fields = {"hash": bytes(32), "header": bytes(80), "witness_root": bytes(32)}
    with pytest.raises(Invalid):
        Origin(**(fields | {field: b"\x01"}), height=1, median_time=0, l1_rate=10**10, forced=[])


def test_an_origin_has_so_many_blocks(tmp_path):
    keys = accounts(1)
    core = json.loads(genesis_for(keys).core_json())
    core["config"]["origin_blocks_max"] = 3
    engine = Engine.open(str(tmp_path / "chain"), json.dumps(core), map_size_bytes=MAP_SIZE_BYTES, sync=False)
    ledger = Ledger(engine, keys)
    for _ in range(3):
        ledger.block()
    assert "3 blocks have this origin" in refused(ledger, ledger.engine.tip().timestamp + 1)
    ledger.block(origin=ledger.next_origin())


@pytest.mark.parametrize(
    "change",
    [
        {"profile": "other"},
        {"light_client": "0x" + "00" * 20},
        {"address_book": "bed0"},
        {"anchor": {"height": 1}},
        {"transfer_bytes": 0},
    ],
)
def test_genesis_without_what_the_rules_need_is_refused(tmp_path, change):
    core = json.loads(genesis_for(accounts(1)).core_json())
    core["config"] |= change
    with pytest.raises(Misconfigured):
        Engine.open(str(tmp_path / "chain"), json.dumps(core), map_size_bytes=MAP_SIZE_BYTES, sync=False)
