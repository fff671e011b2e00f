"""What the anchor's headers say is read from a true chain of headers, and from nothing else."""

import pytest

from bedroll.crypto import double_sha256
from bedroll.light import AnchorFacts
from bedroll.primitives import Invalid

EASY, HARD, HARDER = 0x1D00FFFF, 0x1C05A3F4, 0x1C0168FD


def headers(first, last, bits=lambda height: HARD):
    """A chain of headers, ten minutes apart."""
    made, previous = [], bytes(32)
    for height in range(first, last + 1):
        end = (1_000_000 + 600 * height).to_bytes(4, "little") + bits(height).to_bytes(4, "little") + bytes(4)
        made.append((4).to_bytes(4, "little") + previous + bytes(32) + end)
        previous = double_sha256(made[-1])
    return made


def test_a_period_and_eleven_times_are_read():
    chain = headers(2_016, 4_000, lambda height: HARDER if height == 2_016 else HARD)
    facts = AnchorFacts.of_headers(4_000, chain, EASY)
    assert facts.hash == double_sha256(chain[-1])
    assert facts.times == tuple(1_000_000 + 600 * height for height in range(3_990, 4_001))
    assert (facts.bits, facts.period_bits, facts.regular_bits) == (HARD, HARDER, HARD)
    assert facts.period_time == 1_000_000 + 600 * 2_016


def test_an_anchor_at_the_start_of_a_period_asks_for_ten_headers_before_it():
    facts = AnchorFacts.of_headers(4_032, headers(4_022, 4_032), EASY)
    assert len(facts.times) == 11
    assert facts.period_time == facts.times[-1]


def test_near_block_0_there_are_fewer_times():
    assert len(AnchorFacts.of_headers(3, headers(0, 3), EASY).times) == 4


def test_easy_blocks_do_not_count_as_regular_but_the_first_of_a_period_does():
    easy_end = headers(2_016, 2_100, lambda height: EASY if height > 2_050 else HARD)
    assert AnchorFacts.of_headers(2_100, easy_end, EASY).regular_bits == HARD
    all_easy = headers(2_016, 2_100, lambda height: EASY)
    assert AnchorFacts.of_headers(2_100, all_easy, EASY).regular_bits == EASY


@pytest.mark.parametrize("first", [2_015, 2_017])
def test_too_many_or_too_few_headers_are_refused(first):
    with pytest.raises(Invalid, match="1985 headers"):
        AnchorFacts.of_headers(4_000, headers(first, 4_000), EASY)


def test_headers_that_are_no_chain_are_refused():
    chain = headers(4_022, 4_032)
    chain[4] = chain[4][:68] + bytes(12)
    with pytest.raises(Invalid, match="no chain"):
        AnchorFacts.of_headers(4_032, chain, EASY)
