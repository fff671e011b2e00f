"""Shows that the search finds a step that decides: places, digits, both strategies against every kind of lie."""

import random
from itertools import product

import pytest

from bedroll.bitvm.search import Difference, Published, Shape, find_difference, first_digit, second_digit
from bedroll.primitives import Invalid

SEED = 20261121


def truth(step):
    return step.to_bytes(4, "big")


def wrong(step, salt=0):
    return b"no" + bytes((salt,)) + step.to_bytes(4, "big")


def test_the_real_game_has_the_places_of_its_design():
    shape = Shape(26)
    assert shape.rounds == 9
    assert shape.arities == (8,) * 8 + (4,)
    assert shape.places == (*(2**power for power in range(23, 1, -3)), 1)
    assert [shape.hashes(number) for number in range(1, 10)] == [7] * 8 + [3]


@pytest.mark.parametrize("exponent", [2, 3, 4, 5, 6, 7])
def test_digits_and_numbers_are_the_same_thing(exponent):
    shape = Shape(exponent)
    assert [shape.number(shape.digits(number)) for number in range(shape.steps)] == list(range(shape.steps))
    assert len({shape.digits(number) for number in range(shape.steps)}) == shape.steps


@pytest.mark.parametrize("exponent", [2, 5, 7])
def test_the_bracketing_hashes_are_those_of_the_steps_beside(exponent):
    shape = Shape(exponent)
    for number in range(shape.steps):
        digits = shape.digits(number)
        left, right = shape.left(digits), shape.right(digits)
        assert (shape.step(digits[: left.round - 1], left.index) if left else 0) == number
        assert (shape.step(digits[: right.round - 1], right.index) if right else shape.steps) == number + 1


def test_a_digit_out_of_range_is_refused():
    shape = Shape(26)
    with pytest.raises(Invalid, match="digit is out of range"):
        shape.number([0] * 8 + [4])
    with pytest.raises(Invalid, match="too many"):
        shape.number([0] * 10)
    with pytest.raises(Invalid, match="number is out of range"):
        shape.digits(2**26)
    for exponent in (1, 31):
        with pytest.raises(Invalid, match="T is out of range"):
            Shape(exponent)
    assert shape.left([0] * 9) is None
    assert shape.right([7] * 8 + [3]) is None
    assert shape.right([7] * 8 + [1]) == Published(9, 2)


def play_first(shape, prover):
    """Digits and hashes of a first search that an honest challenger plays."""
    digits, rounds = [], []
    for _ in range(shape.rounds):
        rounds.append([prover(point, tuple(digits)) for point in shape.points(digits)])
        digits.append(first_digit(shape, digits, rounds[-1], truth))
    return digits, rounds


@pytest.mark.parametrize("exponent", [2, 3])
def test_every_wrong_history_of_one_round_is_found_at_its_first_step(exponent):
    shape = Shape(exponent)
    for lies in product([False, True], repeat=shape.steps):
        digits, _ = play_first(shape, lambda point, _, lies=lies: wrong(point) if lies[point - 1] else truth(point))
        first = lies.index(True) + 1 if any(lies) else shape.steps
        assert shape.number(digits) + 1 == first


@pytest.mark.parametrize("exponent", [4, 5, 8])
def test_the_left_hash_of_the_found_step_is_right_whatever_the_prover_answers(exponent):
    shape, rng = Shape(exponent), random.Random(SEED)
    for game in range(500):
        share = rng.random()

        def lie(point, _, share=share, rng=rng):
            return wrong(point, rng.randrange(3)) if rng.random() < share else truth(point)

        digits, rounds = play_first(shape, lie)
        final_is_right = game % 2 == 0
        step = shape.number(digits) + 1
        left, right = shape.left(digits), shape.right(digits)
        assert left is None or rounds[left.round - 1][left.index - 1] == truth(step - 1)
        if right is None:
            assert step == shape.steps
        elif step < shape.steps or not final_is_right:
            assert rounds[right.round - 1][right.index - 1] != truth(step)


def play_second(shape, target, first, first_digits, final, prover):
    second, digits = [first[0]], []
    while True:
        digits.append(second_digit(shape, target, first, first_digits, second, digits, truth, final))
        if len(digits) == shape.rounds:
            return digits, second
        second.append([prover(point, tuple(digits)) for point in shape.points(digits)])


def hash_of(shape, digits, rounds, side, final):
    place = shape.left(digits) if side == "left" else shape.right(digits)
    if place is None:
        return truth(0) if side == "left" else final
    return rounds[place.round - 1][place.index - 1]


def verdict(shape, target, first, first_digits, second, digits, final):
    """How the challenger wins, or None."""
    if find_difference(first, second, first_digits, digits) is not None:
        return "difference"
    step = shape.number(digits) + 1
    if hash_of(shape, digits, second, "right", final) != truth(step):
        return None
    if hash_of(shape, digits, second, "left", final) != truth(step - 1):
        return "wrong left"
    return "target" if step == target + 1 else None


@pytest.mark.parametrize("exponent", [3, 4, 5, 8])
def test_the_second_search_refutes_the_read_or_catches_the_prover(exponent):
    shape, rng = Shape(exponent), random.Random(SEED)
    print(f"seed {SEED}")
    seen = set()
    for _ in range(1_500):
        share, kept = rng.random(), rng.random()
        final = truth(shape.steps) if rng.random() < 0.5 else wrong(shape.steps)
        first_digits, first = play_first(
            shape, lambda point, _, share=share: wrong(point) if rng.random() < share else truth(point)
        )
        found = shape.number(first_digits) + 1
        if found == 1:
            continue
        target = rng.randrange(found - 1)

        def again(point, digits, first=first, first_digits=first_digits, kept=kept):
            if digits == tuple(first_digits[: len(digits)]) and rng.random() < 0.97:
                return first[len(digits)][shape.points(digits).index(point)]
            return wrong(point, 7) if rng.random() > kept else truth(point)

        digits, second = play_second(shape, target, first, first_digits, final, again)
        how = verdict(shape, target, first, first_digits, second, digits, final)
        assert how is not None, (found, target, first_digits, digits)
        seen.add(how)
    assert seen >= ({"target"} if shape.rounds == 1 else {"target", "wrong left", "difference"})


def test_honest_hashes_lead_the_second_search_to_its_target_always():
    shape = Shape(5)
    first_digits, first = play_first(shape, lambda point, _: truth(point) if point < 23 else wrong(point))
    assert shape.number(first_digits) + 1 == 23
    for target in range(22):
        digits, _ = play_second(
            shape, target, first, first_digits, wrong(32), lambda point, _: truth(point) if point < 23 else wrong(point)
        )
        assert shape.number(digits) == target


def test_a_difference_counts_only_while_the_digits_before_are_equal():
    first = [[b"a"] * 7, [b"b"] * 7, [b"c"] * 3]
    assert find_difference(first, [[b"a"] * 7, [b"b"] * 6 + [b"x"]], [3], [3]) == Difference(2, 7)
    assert find_difference(first, [[b"a"] * 7, [b"x"] * 7], [3], [4]) is None
    assert find_difference(first, [[b"x"] * 7], [], []) is None
