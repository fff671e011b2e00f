"""SHA-256 and BN254 of the EVM in the machine: what the node computes, upon published, random and hostile input."""

import io
import json
import os
import random
import tarfile
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

import pytest
import zstandard
from py_ecc.optimized_bn128 import FQ2, normalize
from py_ecc.optimized_bn128 import add as sum_of
from py_ecc.optimized_bn128 import multiply as multiple_of

from bedroll.crypto import bn254
from tests.costs.guest import executed
from tests.costs.precompile import EC_ADD, EC_MUL, EC_PAIRING, G1, G2, SHA256, first, second
from tests.framework.precompile_batch import Call, ran
from tests.framework.published import VECTORS

pytestmark = pytest.mark.guest
SEED = 7
ROUNDS = 12
"""Random operands of each kind."""
MAX = (1 << 256) - 1
NAMES = {"ecmul": EC_MUL, "ecpairing": EC_PAIRING}
CALLS = bytes.fromhex("30c8d1da")
"""What many of the published contracts are called by: with an ABI's `bytes`, the precompile's input."""
COFACTOR = 2 * bn254.Q - bn254.R
"""The twist has this many times r points."""
LEAST_ORDER = 10_069
"""Its least prime factor."""
NOTHING = bytes(64)
"""The point at infinity of G1."""
NOTHING_2 = bytes(128)


@pytest.fixture(scope="module")
def executor():
    """The program that `make test-guest` builds."""
    return Path(os.environ["BEDROLL_EXECUTOR"])


def gave(executor, folder, calls):
    """What the calls gave, the same in both."""
    made = ran(folder, calls)
    cycles, code, values = executed(executor, made.given)
    assert (code, values) == (0, made.stated)
    print(f"{len(calls)} calls, {cycles:,} cycles")
    return made.gave


def inputs_of(name, data):
    """What a published contract gives to precompiles, by the test's name and the contract's calldata."""
    kind = name.partition("_")[0].removesuffix(".json")
    if kind in NAMES and data[:4] == CALLS:
        size = int.from_bytes(data[36:68])
        yield NAMES[kind], data[68 : 68 + size]
    elif kind == "ecpairing":
        yield EC_PAIRING, data
    elif kind.startswith("point"):
        yield EC_ADD, data[:128]
        if "Mul" in kind:
            yield EC_MUL, data[128:224]


def published():
    """Inputs of the published state tests about BN254, by precompile, each once."""
    found = set()
    reader = zstandard.ZstdDecompressor(max_window_size=1 << 27)
    with (VECTORS / "eest_v5.4.0_state_tests.tar.zst").open("rb") as packed:
        unpacked = io.BytesIO(reader.stream_reader(packed).read())
    with tarfile.open(fileobj=unpacked) as files:
        for file in files:
            if "stZeroKnowledge/" in file.name and file.isfile():
                for case in json.load(files.extractfile(file)).values():
                    data = bytes.fromhex(case["transaction"]["data"][0][2:])
                    found.update(inputs_of(Path(file.name).name, data))
    return sorted(found)


def test_published_inputs_give_in_the_machine_what_they_give_in_the_node(executor, tmp_path):
    inputs = published()
    assert {precompile for precompile, _ in inputs} == {EC_ADD, EC_MUL, EC_PAIRING}
    results = gave(executor, tmp_path, [Call(*each) for each in inputs])
    print(f"{len(inputs)} inputs, {results.count(None)} of them refused")
    assert None in results
    assert (1).to_bytes(32, "big") in results


def numbers(*values):
    return b"".join(value.to_bytes(32, "big") for value in values)


def point(source):
    """Somewhere on the curve."""
    while (found := bn254.curve_point(source.randrange(bn254.Q), source.random() < 0.5)) is None:
        pass
    return found


def strange(source):
    """A point of the twist of nearly any order: one of r points has order r."""
    while True:
        x = source.randrange(bn254.Q), source.randrange(bn254.Q)
        if (found := bn254.twist_point(x, source.random() < 0.5)) is not None:
            return found


def near_order(source):
    """Points of the twist not in G2: of the cofactor's order, of the least one, and a point of G2 plus each."""
    point, generator = (tuple(FQ2(part) for part in (*each, (1, 0))) for each in (strange(source), G2))
    rest = multiple_of(point, bn254.R)
    least = multiple_of(rest, COFACTOR // LEAST_ORDER)
    found = [rest, least, sum_of(generator, least), sum_of(generator, rest)]
    return [tuple(tuple(map(int, part.coeffs)) for part in normalize(each)) for each in found]


def invalid_points():
    """What is no point of G1, as the EVM reads it."""
    x, y = G1
    off = [(1, 1), (0, 1), (1, 0), (x, y + 1)]
    beyond = [(x + bn254.Q, y), (x, y + bn254.Q), (bn254.Q, bn254.Q), (bn254.Q, 0), (0, bn254.Q), (MAX, MAX), (x, MAX)]
    return [numbers(*each) for each in off + beyond]


def test_sums_of_points_are_the_nodes_whatever_the_points(executor, tmp_path):
    source = random.Random(SEED)
    points = [G1, bn254.multiply(G1, bn254.R - 1), *(point(source) for _ in range(ROUNDS))]
    good = [(first(one), first(two)) for one, two in pairwise(points)]
    good += [(first(one), first(one)) for one in points]
    good += [(first((x, y)), first((x, bn254.Q - y))) for x, y in points]
    good += [(first(G1), NOTHING), (NOTHING, first(G1)), (NOTHING, NOTHING)]
    calls = [Call(EC_ADD, one + two) for one, two in good]
    bad = [Call(EC_ADD, each) for wrong in invalid_points() for each in (wrong + first(G1), first(G1) + wrong)]
    whole = first(G1) + first(points[2])
    cut = [Call(EC_ADD, whole[:size]) for size in (0, 1, 31, 32, 63, 64, 65, 96, 127)] + [Call(EC_ADD, whole + b"\1")]
    results = gave(executor, tmp_path, calls + bad + cut)
    sums = [first(bn254.add(*(read(each) for each in pair))) for pair in good]
    assert results[: len(calls)] == sums
    assert set(results[len(calls) : len(calls) + len(bad)]) == {None}


def read(point):
    """A valid point of G1; None is infinity."""
    x, y = int.from_bytes(point[:32]), int.from_bytes(point[32:])
    return (x, y) if x or y else None


def test_multiples_of_points_are_the_nodes_whatever_the_scalar(executor, tmp_path):
    source = random.Random(SEED)
    edges = [0, 1, 2, 15, 16, 17, bn254.R - 1, bn254.R, bn254.R + 1, 2 * bn254.R, bn254.Q, 1 << 255, MAX - 1, MAX]
    scalars = edges + [source.getrandbits(256) for _ in range(ROUNDS)]
    points = [point(source) for _ in scalars]
    good = [*zip(points, scalars, strict=True), (None, 0), (None, 5), (None, MAX)]
    calls = [Call(EC_MUL, first(each) + numbers(scalar)) for each, scalar in good]
    bad = [Call(EC_MUL, wrong + numbers(scalar)) for wrong in invalid_points() for scalar in (0, 3)]
    whole = first(G1) + numbers(MAX)
    cut = [Call(EC_MUL, whole[:size]) for size in (0, 32, 33, 63, 64, 65, 80, 95)] + [Call(EC_MUL, whole + b"\1")]
    results = gave(executor, tmp_path, calls + bad + cut)
    assert results[: len(calls)] == [first(each and bn254.multiply(each, scalar % bn254.R)) for each, scalar in good]
    assert set(results[len(calls) : len(calls) + len(bad)]) == {None}


def opposite(point):
    return point[0], bn254.Q - point[1]


def yes(one):
    return numbers(int(one))


def test_pairings_are_the_nodes_whatever_the_points(executor, tmp_path):
    source = random.Random(SEED)
    other = bn254.negate(G2)
    one = first(G1) + second(G2)
    minus = first(opposite(G1)) + second(G2)
    factor = source.randrange(1, bn254.R)
    many = first(bn254.multiply(G1, factor)) + second(G2)
    less = first(bn254.multiply(G1, bn254.R - factor)) + second(G2)
    expected = [
        (b"", True),
        (one, False),
        (one + minus, True),
        (one + one, False),
        (minus + first(opposite(G1)) + second(other), True),
        (first(G1) + second(other) + one, True),
        (many + less, True),
        (many + minus, False),
        (many + less + one + minus, True),
        (NOTHING + second(G2), True),
        (first(G1) + NOTHING_2, True),
        (NOTHING + NOTHING_2, True),
        (NOTHING + second(G2) + one, False),
        (one + NOTHING + NOTHING_2 + minus, True),
    ]
    calls = [Call(EC_PAIRING, given) for given, _ in expected]
    (a, b), (c, d) = G2
    q = bn254.Q
    outside = [second(each) for each in [*(strange(source) for _ in range(ROUNDS)), *near_order(source)]]
    outside += [numbers(b + q, a, d, c), numbers(b, a + q, d, c), numbers(b, a, d + q, c), numbers(b, a, d, c + q)]
    outside += [numbers(a, b, c, d), numbers(b, a, c, d), numbers(q, 0, 0, 0), numbers(0, 0, 0, 1), b"\xff" * 128]
    bad = [one + first(G1) + each for each in outside] + [NOTHING + each for each in outside]
    bad += [each + second(G2) for each in invalid_points()] + [each + NOTHING_2 for each in invalid_points()]
    bad += [one[:-1], one + b"\0", one[:1], one + minus[:64], bytes(191), bytes(193)]
    results = gave(executor, tmp_path, calls + [Call(EC_PAIRING, each) for each in bad])
    assert results[: len(calls)] == [yes(holds) for _, holds in expected]
    assert set(results[len(calls) :]) == {None}


def test_digests_are_the_nodes_about_a_block_and_where_instructions_begin(executor, tmp_path):
    source = random.Random(SEED)
    lengths = [
        *range(132),
        *range(183, 194),
        *range(247, 258),
        *range(1_983, 1_994),
        *range(2_039, 2_058),
        2_112,
        3_000,
    ]
    inputs = [source.randbytes(length) for length in lengths]
    zeros = Call(SHA256, size=100_000)
    results = gave(executor, tmp_path, [Call(SHA256, each, gas=1_500_000) for each in inputs] + [zeros])
    assert results == [sha256(each).digest() for each in [*inputs, bytes(zeros.size)]]
