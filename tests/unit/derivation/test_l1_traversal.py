"""Facts of origins: median times, fees, rates, as bitcoind and protocol.md 6 have them."""

import pytest

from bedroll.bitcoin.embedded import subsidy
from bedroll.derivation import HistoryForgotten
from bedroll.derivation.l1_traversal import Anchor, L1Traversal, subsidy_sat
from bedroll.execution.genesis import L1_RATE_FIRST
from bedroll.primitives import Invalid, Reorg
from bedroll.protocol import MAINNET, REGTEST
from tests.framework.l1_block import block, double_sha256
from tests.framework.l1_chain import ANCHOR_HEIGHT, ANCHOR_TIME, L1Chain


def traversal(chain, times=None, network=REGTEST):
    return L1Traversal(
        network, Anchor(chain.anchor_height, chain.anchor_hash, times or chain.anchor_times), L1_RATE_FIRST
    )


def wei_a_byte(rate_sat_vb):
    return rate_sat_vb * 10**10 // 4


@pytest.mark.parametrize("height", [0, 1, 149, 150, 299, 300, 4_499, 9_600, 10**6])
def test_the_subsidy_on_regtest_is_the_miners(height):
    assert subsidy_sat("regtest", height) == subsidy(height)


@pytest.mark.parametrize(
    ("height", "sat"),
    [(0, 50 * 10**8), (209_999, 50 * 10**8), (210_000, 25 * 10**8), (840_000, 312_500_000), (210_000 * 64, 0)],
)
def test_the_subsidy_halves_every_210_000_blocks_elsewhere(height, sat):
    assert subsidy_sat(MAINNET.bitcoin, height) == sat
    assert subsidy_sat("testnet4", height) == sat


def test_the_median_time_counts_the_block_itself_and_ten_before():
    chain = L1Chain()
    before = tuple(ANCHOR_TIME - 600 * back for back in range(10, -1, -1))
    stage = traversal(chain, before)
    times = list(before)
    for time in (ANCHOR_TIME + 7_200, ANCHOR_TIME + 1, ANCHOR_TIME - 100, ANCHOR_TIME + 5, ANCHOR_TIME + 5):
        times.append(time)
        record = stage.advance(chain.mine(time=time)).record
        assert record.median_time == sorted(times[-11:])[5]


def test_a_young_chain_takes_the_median_of_what_there_is():
    chain = L1Chain(anchor_height=0)
    stage = traversal(chain)
    assert stage.advance(chain.mine(time=ANCHOR_TIME + 600)).record.median_time == ANCHOR_TIME + 600
    assert stage.advance(chain.mine(time=ANCHOR_TIME + 1_200)).record.median_time == ANCHOR_TIME + 600


def test_fees_are_what_the_coinbase_takes_beyond_the_subsidy():
    chain = L1Chain()
    stage = traversal(chain)
    assert stage.advance(chain.mine(fees=12_345)).record.fees_sat == 12_345
    assert stage.advance(chain.mine(fees=0)).record.fees_sat == 0
    assert stage.advance(chain.mine(fees=-5)).record.fees_sat == 0


def test_the_rate_follows_the_lower_median_by_an_eighth_a_block_at_most():
    chain = L1Chain()
    stage = traversal(chain)
    rate, fees = L1_RATE_FIRST, []
    for fee in [400_000_000, 3_000_000, 8_000_000, 1, 50_000_000, 9_000_000, 0, 0, 0, 0, 0, 0, 0]:
        fees.append(fee)
        wanted = sorted(fees)[(len(fees) - 1) // 2] * 10**10 // (4 * 10**6)
        wanted = min(max(wanted, wei_a_byte(1)), wei_a_byte(200))
        rate = min(max(wanted, rate - rate // 8), rate + rate // 8)
        assert stage.advance(chain.mine(fees=fee)).record.l1_rate == rate


def test_the_rate_looks_at_144_origins_and_no_more():
    chain = L1Chain()
    stage = traversal(chain)
    for _ in range(144):
        stage.advance(chain.mine(fees=0))
    for _ in range(73):
        last = stage.advance(chain.mine(fees=40_000_000)).record.l1_rate
    assert last == L1_RATE_FIRST + L1_RATE_FIRST // 8


def test_a_block_without_a_witness_commitment_has_root_zero_and_nothing_relevant():
    chain = L1Chain()
    stage = traversal(chain)
    raw = block([], previous=chain.anchor_hash, commit=False)
    taken = stage.advance(raw)
    assert taken.record.witness_root == bytes(32)
    assert taken.scan.relevant == []


def test_bytes_that_are_no_block_are_invalid_and_change_nothing():
    chain = L1Chain()
    stage = traversal(chain)
    raw = chain.mine()
    for broken in (b"", raw[:-1], raw[:80], raw + b"\x00", raw[:36] + bytes(32) + raw[68:]):
        with pytest.raises(Invalid):
            stage.advance(broken)
    assert stage.height == ANCHOR_HEIGHT
    assert stage.advance(raw).record.hash == double_sha256(raw[:80])


def test_a_stray_block_is_a_reorganisation_below_its_place():
    chain = L1Chain()
    stage = traversal(chain)
    stage.advance(chain.mine())
    chain.fork(ANCHOR_HEIGHT)
    with pytest.raises(Reorg) as caught:
        stage.advance(chain.mine())
    assert caught.value.height == ANCHOR_HEIGHT


def test_the_anchor_is_the_lowest_block_to_return_to():
    chain = L1Chain()
    stage = traversal(chain)
    stage.advance(chain.mine())
    stage.unwind(ANCHOR_HEIGHT)
    assert stage.hash == chain.anchor_hash
    stage.advance(chain.blocks[0])
    with pytest.raises(HistoryForgotten):
        stage.unwind(ANCHOR_HEIGHT - 1)
