"""The rules of a chain of Ethereum's own by time: what holds now, next and last, and the ids of its forks."""

import pytest

from bedroll.api.fork_rule import ForkSchedule

MAINNET = ForkSchedule(
    forks=[
        ("Homestead", 1_150_000, None),
        ("Homestead", 1_920_000, None),
        ("Tangerine", 2_463_000, None),
        ("Spurious", 2_675_000, None),
        ("Byzantium", 4_370_000, None),
        ("Petersburg", 7_280_000, None),
        ("Istanbul", 9_069_000, None),
        ("Istanbul", 9_200_000, None),
        ("Berlin", 12_244_000, None),
        ("London", 12_965_000, None),
        ("London", 13_773_000, None),
        ("London", 15_050_000, None),
        ("Shanghai", None, 1_681_338_455),
        ("Cancun", None, 1_710_338_135),
        ("Prague", None, 1_746_612_311),
        ("Osaka", None, 1_764_798_551),
    ],
    blobs=[
        (1_710_338_135, 3, 6, 3_338_477),
        (1_746_612_311, 6, 9, 5_007_716),
        (1_764_798_551, 6, 9, 5_007_716),
        (1_765_290_071, 10, 15, 8_346_193),
        (1_767_747_671, 14, 21, 11_684_671),
    ],
    deposit_contract=b"\xde" * 20,
    genesis_hash=bytes.fromhex("d4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3"),
    genesis_time=0,
)


@pytest.mark.parametrize(
    ("height", "time", "wanted"),
    [
        (0, 0, "fc64ec04"),
        (1_149_999, 0, "fc64ec04"),
        (1_150_000, 0, "97c2c34c"),
        (1_920_000, 0, "91d1f948"),
        (2_463_000, 0, "7a64da13"),
        (2_675_000, 0, "3edd5b10"),
        (4_370_000, 0, "a00bc324"),
        (7_280_000, 0, "668db0af"),
        (9_069_000, 0, "879d6e30"),
        (9_200_000, 0, "e029e991"),
        (12_244_000, 0, "0eb440f6"),
        (12_965_000, 0, "b715077d"),
        (13_773_000, 0, "20c327fc"),
        (15_050_000, 0, "f0afd0e3"),
        (20_000_000, 1_681_338_455, "dce96c2d"),
        (30_000_000, 1_710_338_135, "9f3d2254"),
        (30_000_000, 1_746_612_311, "c376cf8b"),
    ],
)
def test_fork_ids_are_those_of_mainnet(height, time, wanted):
    assert MAINNET.fork_id(height, time).hex() == wanted


def test_current_next_and_last_are_told_apart():
    current, following, last = MAINNET.around(20_000_000, 1_700_000_000)
    assert (current.activation_time, current.blobs) == (1_681_338_455, None)
    assert "KZG_POINT_EVALUATION" not in current.precompiles
    assert current.system_contracts == {}
    assert following is not None
    assert (following.activation_time, following.blobs) == (1_710_338_135, (3, 6, 3_338_477))
    assert set(following.system_contracts) == {"BEACON_ROOTS_ADDRESS"}
    assert last is not None
    assert (last.activation_time, last.blobs) == (1_767_747_671, (14, 21, 11_684_671))
    assert "P256VERIFY" in last.precompiles
    assert last.system_contracts["DEPOSIT_CONTRACT_ADDRESS"] == "de" * 20
    assert last.fork_id != following.fork_id


def test_nothing_comes_after_the_last():
    current, following, last = MAINNET.around(30_000_000, 1_800_000_000)
    assert (current.activation_time, following, last) == (1_767_747_671, None, None)


def test_what_holds_from_block_0_on_was_never_activated():
    merged = ForkSchedule([("Prague", None, 5)], [(5, 6, 9, 5_007_716)], None, bytes(32), 5)
    current, _, _ = merged.around(1, 9)
    assert current.activation_time == 0
    assert current.fork_id == merged.fork_id(0, 0)
    assert "DEPOSIT_CONTRACT_ADDRESS" not in current.system_contracts
