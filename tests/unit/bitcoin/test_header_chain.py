"""Shows that the chain with the most work wins, targets change as on each network, and bad headers are named."""

import random
from dataclasses import replace
from pathlib import Path

import pbk
import pytest

from bedroll.bitcoin.header import Header
from bedroll.bitcoin.header_chain import GENESIS, BadHeader, Entry, HeaderChain
from bedroll.bitcoin.work import (
    RETARGET_INTERVAL,
    RETARGET_TIMESPAN,
    WORK_RULES,
    WorkRule,
    decode_target,
    encode_target,
    retarget,
    work_of_target,
)
from bedroll.primitives import BlockHash, Invalid, L1Height

EASY = WorkRule(limit=2**255 - 1, limit_bits=0x207FFFFF, version_heights=(1, 1, 1))
"""Retargets like mainnet, from a target that one hash in two meets."""
START = 1_500_000_000


def _mine(parent: Header, time: int, bits: int = 0x207FFFFF, salt: int = 0, version: int = 4) -> Header:
    nonce = 0
    while True:
        header = Header(version, parent.hash, salt.to_bytes(32, "big"), time, bits, nonce)
        if header.meets_target():
            return header
        nonce += 1


def _extend(chain: HeaderChain, parent: Entry, count: int, *, step: int = 600, salt: int = 0) -> list[Header]:
    headers = []
    for _ in range(count):
        time = parent.header.time + step
        header = _mine(parent.header, time, chain.next_bits(parent, time), salt)
        chain.add(header)
        found = chain.entry(header.hash)
        assert found is not None
        parent = found
        headers.append(header)
    return headers


def _anchor(bits: int = 0x207FFFFF) -> Header:
    return Header(4, BlockHash(bytes(32)), bytes(32), START, bits, 0)


@pytest.mark.parametrize(
    ("network", "displayed"),
    [
        ("main", "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f"),
        ("testnet4", "00000000da84f2bafbbc53dee25a72ae507ff4914b867c565be350b0da8bf043"),
        ("regtest", "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206"),
    ],
)
def test_each_network_begins_at_its_genesis(network: str, displayed: str) -> None:
    header = GENESIS[network]
    assert header.hash[::-1].hex() == displayed
    assert header.meets_target()
    assert header.bits == WORK_RULES[network].limit_bits
    assert Header.parse(header.raw) == header


def test_the_first_mainnet_block_follows_genesis() -> None:
    # Block 1 of mainnet, from its published fields.
    header = Header(
        1,
        GENESIS["main"].hash,
        bytes.fromhex("0e3e2357e806b6cdb1f70b54c3a3a17b6714ee1f0e68bebb44a74b1efd512098")[::-1],
        1_231_469_665,
        0x1D00FFFF,
        2_573_394_689,
    )
    assert header.hash[::-1].hex() == "00000000839a8e6886ab5951d76f411475428afc90947ee320161bbf18eb6048"
    chain = HeaderChain.genesis("main")
    change = chain.add(header)
    assert [each.height for each in change.connected] == [1]
    assert chain.tip.work == 2 * 0x100010001


@pytest.mark.parametrize(
    ("bits", "target"),
    [
        (0x1D00FFFF, 0xFFFF << 208),
        (0x207FFFFF, 0x7FFFFF << 232),
        (0x03123456, 0x123456),
        (0x02123456, 0x1234),
        (0x01123456, 0x12),
        (0x04123456, 0x12345600),
        (0x04923456, None),
        (0x01003456, None),
        (0, None),
        (0xFF123456, None),
        (0x2200FFFF, None),
        (0x220000FF, 0xFF << 248),
        (0x2300FFFF, None),
    ],
)
def test_compact_targets_of_bitcoin_core(bits: int, target: int | None) -> None:
    assert decode_target(bits) == target


def test_a_compact_target_comes_back_rounded_down() -> None:
    source = random.Random(7)
    for _ in range(500):
        target = source.getrandbits(source.randrange(1, 256)) or 1
        back = decode_target(encode_target(target))
        assert back is not None
        assert back <= target
        assert target - back < max(1, target >> 15)
        assert encode_target(back) == encode_target(target)
    assert encode_target(0x80) == 0x02008000


def test_the_mainnet_retargets_of_bitcoin_cores_tests() -> None:
    # src/test/pow_tests.cpp: get_next_work, _pow_limit, _lower_limit_actual, _upper_limit_actual.
    rule = WORK_RULES["main"]
    for bits, first, last, expected in (
        (0x1D00FFFF, 1_261_130_161, 1_262_152_739, 0x1D00D86A),
        (0x1D00FFFF, 1_231_006_505, 1_233_061_996, 0x1D00FFFF),
        (0x1C05A3F4, 1_279_008_237, 1_279_297_671, 0x1C0168FD),
        (0x1C387F6F, 1_263_163_443, 1_269_211_443, 0x1D00E1FD),
    ):
        assert retarget(rule, bits, first, last) == expected
    assert retarget(WORK_RULES["regtest"], 0x207FFFFF, 0, 1) == 0x207FFFFF


def test_the_target_follows_the_time_a_period_took() -> None:
    chain = HeaderChain(EASY, _anchor(), L1Height(0))
    _extend(chain, chain.tip, RETARGET_INTERVAL - 1, step=300)
    assert {chain.at(L1Height(height)).header.bits for height in range(RETARGET_INTERVAL)} == {0x207FFFFF}  # type: ignore[union-attr]
    time = chain.tip.header.time + 300
    expected = retarget(EASY, 0x207FFFFF, START, chain.tip.header.time)
    assert chain.next_bits(chain.tip, time) == expected != 0x207FFFFF
    with pytest.raises(BadHeader) as caught:
        chain.add(_mine(chain.tip.header, time))
    assert (caught.value.reason, caught.value.fields["expected"]) == ("bad-diffbits", expected)
    chain.add(_mine(chain.tip.header, time, expected))
    assert chain.tip.header.work > chain.at(L1Height(1)).header.work  # type: ignore[union-attr]


def test_testnet4_judges_a_period_by_its_first_target_and_refuses_a_timewarp() -> None:
    rule = WorkRule(limit=2**255 - 1, limit_bits=0x207FFFFF, easy_blocks=True, first_of_period=True)
    harder = 0x203FFFFF
    chain = HeaderChain(rule, _anchor(harder), L1Height(0))
    # Late blocks may be easy; the next timely one is as hard as before them.
    late = _mine(chain.tip.header, START + 1_201)
    assert chain.next_bits(chain.tip, START + 1_201) == 0x207FFFFF
    chain.add(late)
    assert chain.next_bits(chain.tip, late.time + 1_200) == harder
    _extend(chain, chain.tip, RETARGET_INTERVAL - 3)
    # The last header of the period is easy; the retarget does not start from it.
    last = _mine(chain.tip.header, chain.tip.header.time + 1_201)
    chain.add(last)
    expected = retarget(rule, harder, START, last.time)
    assert chain.next_bits(chain.tip, last.time + 600) == expected
    with pytest.raises(BadHeader) as caught:
        chain.add(_mine(last, last.time - 601, expected))
    assert caught.value.reason == "time-timewarp-attack"
    chain.add(_mine(last, last.time - 600, expected))
    assert chain.tip.height == RETARGET_INTERVAL


def test_more_work_wins_not_more_height() -> None:
    chain = HeaderChain(EASY, _anchor(), L1Height(0))
    shared = _extend(chain, chain.tip, RETARGET_INTERVAL - 1, step=300)
    fork = chain.tip
    # Side A: one header, as hard as the rule says. Side B: its period took four times as long, so the next is easier.
    hard = _extend(chain, fork, 1, step=300)
    slow_parent = chain.entry(shared[-2].hash)
    assert slow_parent is not None
    slow = _mine(shared[-2], shared[-2].time + 4 * RETARGET_TIMESPAN, salt=1)
    assert chain.add(slow).connected == ()
    side = chain.entry(slow.hash)
    assert side is not None
    easy = _extend(chain, side, 1, step=300, salt=1)
    assert (easy[0].bits, hard[0].bits) == (0x207FFFFF, retarget(EASY, 0x207FFFFF, START, fork.header.time))
    assert chain.tip.header == hard[0]
    found = chain.entry(easy[0].hash)
    assert found is not None
    second = _mine(easy[0], easy[0].time + 300, salt=1)
    change = chain.add(second)
    # Two easy headers have as much work as the hard one and its parent's share; the switch comes when there is more.
    while not change.connected:
        assert chain.tip.header == hard[0]
        second = _mine(second, second.time + 300, salt=1)
        change = chain.add(second)
    assert [each.header for each in change.disconnected] == [hard[0], shared[-1]]
    assert change.connected[0].header == slow
    assert chain.tip.header == second
    assert not chain.is_best(hard[0].hash)
    assert chain.is_best(second.hash)


def test_equal_work_keeps_the_first_seen() -> None:
    chain = HeaderChain.genesis("regtest")
    first = _extend(chain, chain.tip, 3)
    genesis = chain.at(L1Height(0))
    assert genesis is not None
    rival = _extend(chain, genesis, 3, salt=1)
    assert chain.tip.header == first[-1]
    change = chain.add_many([*rival, _mine(rival[-1], rival[-1].time + 600, salt=1)])
    assert [each.header for each in change.disconnected] == first[::-1]
    assert [each.height for each in change.connected] == [1, 2, 3, 4]
    assert chain.add(first[0]).connected == ()


def test_bad_headers_are_named_as_bitcoin_core_does() -> None:
    chain = HeaderChain.genesis("regtest")
    _extend(chain, chain.tip, 11)
    tip = chain.tip.header
    median = chain.median_time(chain.tip)
    assert median == chain.at(L1Height(6)).header.time  # type: ignore[union-attr]
    unmet = next(
        h
        for h in (Header(4, tip.hash, bytes(32), tip.time + 1, 0x207FFFFF, n) for n in range(99))
        if not h.meets_target()
    )
    for header, reason, now in (
        (Header(4, BlockHash(b"\x01" * 32), bytes(32), 0, 0x207FFFFF, 0), "prev-blk-not-found", None),
        (unmet, "high-hash", None),
        (_mine(tip, tip.time + 1, 0x2000FFFF), "bad-diffbits", None),
        (Header(4, tip.hash, bytes(32), tip.time + 1, 0x2100FFFF, 0), "high-hash", None),
        (_mine(tip, median), "time-too-old", None),
        (_mine(tip, tip.time + 7_202), "time-too-new", tip.time + 1),
        (_mine(tip, tip.time + 1, version=3), "bad-version", None),
    ):
        with pytest.raises(BadHeader) as caught:
            chain.add(header, now)
        assert caught.value.reason == reason
    chain.add(_mine(tip, median + 1))
    assert chain.tip.height == 12


def test_forks_far_below_the_tip_are_refused() -> None:
    chain = HeaderChain.genesis("regtest")
    _extend(chain, chain.tip, 2_017)
    with pytest.raises(BadHeader) as caught:
        chain.add(_mine(GENESIS["regtest"], GENESIS["regtest"].time + 1, salt=9))
    assert (caught.value.reason, caught.value.fields["depth"]) == ("fork-too-deep", 2_017)
    first = chain.at(L1Height(1))
    assert first is not None
    chain.add(_mine(first.header, first.header.time + 1, salt=9))


def test_a_chain_begins_where_a_period_does() -> None:
    with pytest.raises(Invalid, match="first header of a period"):
        HeaderChain(EASY, _anchor(), L1Height(2_017))
    chain = HeaderChain(EASY, _anchor(), L1Height(4_032))
    assert (chain.tip.height, chain.at(L1Height(4_031)), chain.at(L1Height(4_033))) == (4_032, None, None)
    _extend(chain, chain.tip, 1)
    assert chain.tip.height == 4_033


def test_work_is_that_of_the_definition() -> None:
    assert work_of_target(2**256 - 1) == 1
    assert work_of_target(0xFFFF << 208) == 0x100010001
    assert Header(4, BlockHash(bytes(32)), bytes(32), 0, 0, 0).work == 0


def _reason(chain: HeaderChain, header: Header) -> str | None:
    try:
        chain.add(header)
    except BadHeader as error:
        return error.reason
    return None


def _kernel_takes(manager: pbk.ChainstateManager, header: Header) -> bool:
    try:
        state = manager.process_block_header(pbk.BlockHeader(header.raw))
    except pbk.ProcessBlockHeaderException:
        return False
    return bool(state.validation_mode == pbk.ValidationMode.VALID)


def test_bitcoin_core_judges_headers_alike(tmp_path: Path) -> None:
    source = random.Random(11)
    manager = pbk.load_chainman(tmp_path / "regtest", pbk.ChainType.REGTEST)
    chain = HeaderChain.genesis("regtest")
    known = [GENESIS["regtest"]]
    taken = 0
    reasons: dict[str, int] = {}
    for number in range(600):
        # Mostly near the newest ones, so that chains grow and compete.
        parent = known[-1 - source.randrange(min(len(known), 4 if number % 9 else 40))]
        time = parent.time + source.choice((1, 600, 1_201, -1, -600, -7_200, 0))
        bits = source.choice((0x207FFFFF,) * 12 + (0x207FFFFE, 0x2000FFFF, 0x2100FFFF, 0x20FFFFFF, 0))
        version = source.choice((4, 4, 4, 0x20000000, 3, -1))
        previous = source.choice((parent.hash,) * 9 + (BlockHash(bytes(32)),))
        header = Header(version, previous, number.to_bytes(32, "big"), max(time, 0), bits, 0)
        if source.randrange(8):
            nonces = (replace(header, nonce=nonce) for nonce in range(64))
            header = next((each for each in nonces if each.meets_target()), header)
        ours = _reason(chain, header)
        assert _kernel_takes(manager, header) == (ours is None), (header, ours)
        if ours is not None:
            reasons[ours] = reasons.get(ours, 0) + 1
            continue
        known.append(header)
        taken += 1
        assert bytes(manager.best_entry.block_hash) == chain.tip.header.hash
    print(f"{taken} taken, refused: {reasons}")
    assert taken > 150
    assert set(reasons) == {"prev-blk-not-found", "high-hash", "bad-diffbits", "time-too-old", "bad-version"}
