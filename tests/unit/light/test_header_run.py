"""Headers after a known block: what the header chain takes is taken with the same work, what it refuses is refused."""

import random
from dataclasses import replace

import pytest

from bedroll.bitcoin.header import Header
from bedroll.bitcoin.header_chain import BadHeader, HeaderChain
from bedroll.bitcoin.work import WorkRule
from bedroll.light import AnchorFacts, BadProofFile
from bedroll.light.header_run import HeaderRun

LIMIT = 0x207FFFFF
RULE = WorkRule(limit=2**255 - 1, limit_bits=LIMIT)
RULES = {
    "a target for each period": RULE,
    "easy blocks": replace(RULE, easy_blocks=True),
    "easy blocks, from the first of a period": replace(RULE, easy_blocks=True, first_of_period=True),
    "one target for ever": replace(RULE, easy_blocks=True, fixed=True),
}
TIME = 1_700_000_000
HEADERS = 2_016 + 60
SEED = 11


def mined(previous, time, bits, salt=0):
    """A header with work, ground."""
    merkle = salt.to_bytes(32, "little")
    for nonce in range(1 << 32):
        header = Header(version=4, previous=previous, merkle_root=merkle, time=time, bits=bits, nonce=nonce)
        if header.meets_target():
            return header
    raise AssertionError("no nonce fits")


@pytest.fixture(scope="module", params=RULES, ids=list(RULES))
def chain(request):
    """A period of headers and more, some late, some early."""
    rule, chance = RULES[request.param], random.Random(SEED)
    first = mined(bytes(32), TIME, LIMIT)
    made = HeaderChain(rule, first, 0)
    while made.tip.height < HEADERS:
        gap = chance.choice((1, 200, 400, 600, 1_300, 2_000))
        time = made.tip.header.time + gap
        made.add(mined(made.tip.header.hash, time, made.next_bits(made.tip, time)))
    return rule, [made.at(height).header for height in range(made.tip.height + 1)]


def facts_at(headers, height, rule):
    first = max(0, min(height - height % 2_016, height - 10))
    return AnchorFacts.of_headers(height, [each.raw for each in headers[first : height + 1]], rule.limit_bits)


@pytest.mark.parametrize("height", [0, 5, 2_000, 2_014, 2_015, 2_016, 2_020, 2_070])
def test_the_run_takes_what_the_chain_took(chain, height):
    rule, headers = chain
    later = headers[height + 1 :]
    run = HeaderRun.after(facts_at(headers, height, rule), rule, [each.raw for each in later])
    assert (run.height, run.hash, run.time) == (len(headers) - 1, headers[-1].hash, headers[-1].time)
    assert (run.work, run.count) == (sum(each.work for each in later), len(later))


@pytest.mark.parametrize("height", [2_010, 2_015, 2_040])
def test_the_run_refuses_what_the_chain_refuses(chain, height):
    """The next header with another target or time: both say yes, or both say no."""
    rule, headers = chain
    known, chance = facts_at(headers, height, rule), random.Random(height)
    other = HeaderChain(rule, headers[0], 0)
    other.add_many(headers[1 : height + 1])
    refused = taken = 0
    for salt in range(60):
        parent = headers[height]
        time = parent.time + chance.choice((-8_000, -700, -599, 0, 1, 600, 1_200, 1_201))
        bits = chance.choice((headers[height + 1].bits, parent.bits, headers[height - 300].bits, LIMIT))
        header = mined(parent.hash, time, bits, salt)
        try:
            other.add(header)
        except BadHeader:
            refused += 1
            with pytest.raises(BadProofFile):
                HeaderRun.after(known, rule, [header.raw])
        else:
            taken += 1
            assert HeaderRun.after(known, rule, [header.raw]).hash == header.hash
    assert refused
    assert taken


@pytest.fixture(scope="module")
def short():
    made = [mined(bytes(32), TIME, LIMIT)]
    for height in range(1, 20):
        made.append(mined(made[-1].hash, TIME + 600 * height, LIMIT))
    return made


@pytest.mark.parametrize(
    ("forge", "words"),
    [
        (lambda parent: mined(bytes(32), parent.time + 600, LIMIT), "does not follow"),
        (lambda parent: mined(parent.hash, parent.time + 600, LIMIT - 1), "another target"),
        (lambda parent: mined(parent.hash, TIME, LIMIT), "not above the median"),
        (lambda parent: mined(parent.hash, parent.time + 10_000_000, LIMIT), "in the future"),
        (lambda parent: Header(4, parent.hash, bytes(32), parent.time + 600, 0x03000001, 0), "lacks the work"),
        (lambda parent: Header(4, parent.hash, bytes(32), parent.time + 600, 0xFFFFFFFF, 0), "lacks the work"),
    ],
)
def test_each_broken_rule_has_its_words(short, forge, words):
    known = facts_at(short, 19, RULE)
    with pytest.raises(BadProofFile, match=words):
        HeaderRun.after(known, RULE, [forge(short[-1]).raw], now_seconds=short[-1].time)


def test_an_old_version_is_refused(short):
    header = mined(short[-1].hash, short[-1].time + 600, LIMIT)
    for nonce in range(1_000):
        old = replace(header, version=3, nonce=nonce)
        if old.meets_target():
            break
    with pytest.raises(BadProofFile, match="version"):
        HeaderRun.after(facts_at(short, 19, RULE), RULE, [old.raw])


def test_no_header_after_is_no_depth(short):
    run = HeaderRun.after(facts_at(short, 19, RULE), RULE, [])
    assert (run.count, run.work, run.hash) == (0, 0, short[-1].hash)
