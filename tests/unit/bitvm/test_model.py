"""The model checker: every state that an opponent can reach in small games, and a move that wins in each.

Three walks. *Lies*: an honest challenger against every choice of a prover: each hash of each round right or wrong, each
field of the row, each lie in the second search; at the end a leaf succeeds, by predicates that know no Script
(`tests/reference/dispute_judge.py`). *Doubts*: an honest prover against every choice of a challenger: Execute takes his
row always, and no leaf ever succeeds. *Time*: the real graph, block by block: silence, delay, reorganisations below the
answer depth; the honest side always moves, or ends the game, before the other side may.
"""

from dataclasses import replace
from functools import cache
from itertools import islice, product

import pytest

from bedroll.bitvm.game.answer import challenger_answer, prover_answer
from bedroll.bitvm.game.fact import fact_of
from bedroll.bitvm.game.record import (
    DigitMessage,
    Execute2Message,
    ExecuteMessage,
    InputMessage,
    OpeningMessage,
    Record,
)
from bedroll.bitvm.game.refute import ContestRead
from bedroll.bitvm.game.run import OwnRun
from bedroll.bitvm.graph import MAIN, REGTEST, TIMEOUT, Kind, Party, close_name, is_prover_turn, moves
from bedroll.bitvm.lie.replay import replay
from bedroll.bitvm.search import Shape
from bedroll.riscv import Program, Read, ReadPc
from tests.framework.assembler import DATA, INPUT, STACK, assemble, layout, pack
from tests.reference.dispute_judge import Stage, chain
from tests.unit.bitvm.test_graph import make_graph, make_terms

INSTANCE = bytes(range(32))
EXPONENT = 4
SHAPE = Shape(EXPONENT)
MOVES = moves(SHAPE)
SOURCE = f"""
lui t0, {DATA >> 12}
lui t1, {INPUT >> 12}
lw t2, 0(t1)
lw t3, 4(t0)
add t2, t2, t3
sw t2, 0(t0)
sb t3, 1(t0)
lw t4, 0(t0)
add t2, t2, t4
lui sp, {STACK >> 12}
lw t5, 4(sp)
addi a0, zero, 1
addi a7, zero, 93
ecall
"""
DATA_IN = pack([5])


class CachedRun(OwnRun):
    """Asked a hundred thousand times."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.hash_at, self.row_at = cache(super().hash_at), cache(super().row_at)
        self.last_write = cache(super().last_write)


@cache
def world():
    program = Program(layout(assemble(SOURCE), data=pack([0, 7]), input_bytes=4))
    own = CachedRun(program, DATA_IN, instance_id=INSTANCE, exponent=EXPONENT)
    assert own.trace.outcome.is_accepted
    openings = {own.hash_at(step): (own.hash_at(step - 1), own.row_at(step)) for step in range(1, SHAPE.steps + 1)}
    return own, Stage(program, DATA_IN, own.hash_at(0), EXPONENT, openings)


def noise(step, salt=b"w"):
    return (b"noise" + salt + step.to_bytes(4, "big")).ljust(20, b"\0")


def false_reads(step, read):
    """Ways to be wrong about a read."""
    if read.addr == 0:
        return
    yield replace(read, value=read.value ^ 1)
    for last in {0, read.last_step - 1, read.last_step + 1, step - 1} - {read.last_step}:
        if 0 <= last < step:
            yield replace(read, last_step=last)
            yield replace(read, last_step=last, value=read.value ^ 1)


@cache
def rows(step):
    """Rows that a prover could sign for a step: the true one, and each with one or two false fields."""
    own, stage = world()
    true = own.row_at(step)
    found = [true]
    for address, word in stage.code.items():
        if address != true.read_pc.addr:
            found.append(replace(true, read_pc=ReadPc(address, true.read_pc.opcode)))
            found.append(replace(true, read_pc=ReadPc(true.read_pc.addr, word)))
    names = ("read_1", "read_2", "read_3")
    for name in names:
        found += [replace(true, **{name: read}) for read in false_reads(step, getattr(true, name))]
    for one, two in product(false_reads(step, true.read_1), false_reads(step, true.read_2)):
        found.append(replace(true, read_1=one, read_2=two))
    if step == SHAPE.steps:
        found.append(replace(true, read_2=Read(true.read_2.addr, 1, 0)))
    return list(dict.fromkeys(replay(row) for row in found if _is_instruction(row)))


def _is_instruction(row):
    opcode = row.read_pc.opcode
    return opcode & 3 == 3


def histories():
    """Every pattern of right and wrong hashes in the first search, with the honest challenger's answers."""
    own, _ = world()
    for pattern in product((True, False), repeat=SHAPE.arities[0]):
        final = own.hash_at(SHAPE.steps) if pattern[-1] else noise(SHAPE.steps)
        points = SHAPE.points(())
        first = tuple(
            own.hash_at(point) if right else noise(point) for point, right in zip(points, pattern, strict=False)
        )
        begun = Record(InputMessage(DATA_IN, final), (first,))
        (digit,) = (challenger_answer(SHAPE, own, begun, MOVES[2], world()[1].sections).digit,)
        for inner in product((True, False), repeat=SHAPE.arities[1] - 1):
            points = SHAPE.points((digit,))
            second = tuple(
                own.hash_at(point) if right else noise(point) for point, right in zip(points, inner, strict=True)
            )
            record = replace(begun, hashes=(first, second), digits=(digit,))
            last = challenger_answer(SHAPE, own, record, MOVES[4], world()[1].sections)
            yield replace(record, digits=(digit, last.digit))


def selected(record, hashes, digits):
    own, _ = world()
    left, right = SHAPE.left(digits), SHAPE.right(digits)
    return (
        hashes[left.round - 1][left.index - 1] if left else own.hash_at(0),
        hashes[right.round - 1][right.index - 1] if right else record.input.final,
    )


def second_searches(record, contest):
    """Every way the prover can play the second search against the honest challenger, to Execute2."""
    own, stage = world()
    opening = challenger_answer(SHAPE, own, record, MOVES[6], stage.sections)
    assert isinstance(opening, OpeningMessage)
    assert opening.read == contest.read
    record = replace(record, opening=opening, digits_2=(opening.digit,))
    point = SHAPE.points(record.digits_2)[0]
    for given in dict.fromkeys((own.hash_at(point), record.hashes[1][0], noise(point, b"2"))):
        here = replace(record, hashes_2=((given,),))
        answer = challenger_answer(SHAPE, own, here, MOVES[8], stage.sections)
        assert isinstance(answer, DigitMessage)
        here = replace(here, digits_2=(opening.digit, answer.digit))
        left, right = selected(here, here.second, here.digits_2)
        for signed_left, signed_right in product((left, noise(0, b"l")), (right, noise(0, b"r"))):
            yield replace(here, execute_2=Execute2Message(here.digits_2, signed_left, signed_right))


@pytest.mark.parametrize("stride", [pytest.param(1, marks=pytest.mark.slow), 13])
def test_every_lie_of_a_prover_meets_a_leaf_that_succeeds(stride):
    """All first searches under the marker `slow`, every 13th by default."""
    own, stage = world()
    states, leaves, played = 0, set(), set()
    for record in islice(histories(), 0, None, stride):
        states += 1
        step = SHAPE.number(record.digits) + 1
        left, right = selected(record, record.hashes, record.digits)
        assert left == own.hash_at(step - 1), "the honest challenger keeps the left end right"
        for row in rows(step):
            if not stage.may_execute(record.digits, row, replay):
                continue
            rights = dict.fromkeys((right, chain(left, row), noise(step, b"e")))
            for signed_left, signed_right in product((left, noise(step, b"l")), rights):
                execute = ExecuteMessage(record.digits, signed_left, signed_right, row)
                states += 1
                states += _decided(replace(record, execute=execute), leaves, played)
    print(f"lies: {states:,} states, {len(played):,} second searches, {len(leaves)} leaves decide")
    assert {name.split("_read")[0].rstrip("0123456789_") for name in leaves} >= {
        "trace_hash", "program_counter", "opcode_chunk", "input_word", "initialized", "uninitialized",
        "equivocation_left", "equivocation_right", "equivocation_end", "opened_wrong_value", "opened_later_write",
        "opened_wrong_hash", "equivocation_search",
    }  # fmt: skip


def _decided(record, leaves, played):
    """Follow a signed row to its end; how many states that took."""
    own, stage = world()
    said = challenger_answer(SHAPE, own, record, MOVES[6], stage.sections)
    true = record.execute.row == own.row_at(record.execute.row.step)
    if said is None:
        assert true
        assert record.execute.right == own.hash_at(record.execute.row.step)
        assert not stage.facts(record)
        return 0
    if not isinstance(said, OpeningMessage):
        name = fact_of(said)[0]
        short = name if name.startswith(("equi", "trace", "uninit")) else name.split("_read")[0].rstrip("0123456789_")
        assert short in stage.facts(record), (name, stage.facts(record), record)
        leaves.add(short)
        return 0
    contest = ContestRead(said.read, said.value, 0)
    # What came before Execute matters to the second search only through these.
    key = (record.hashes, record.input.final, record.execute.row, record.digits)
    if key in played:
        return 0
    played.add(key)
    states = 0
    for end in second_searches(record, contest):
        states += 1
        last = challenger_answer(SHAPE, own, end, None, stage.sections)
        assert last is not None, end
        name = fact_of(last)[0]
        assert name in stage.last_facts(end), (name, stage.last_facts(end), end)
        leaves.add(name)
    return states


def test_no_doubt_of_a_challenger_meets_a_leaf_that_succeeds():
    own, stage = world()
    states = 0
    for number in range(SHAPE.steps):
        record, digits = Record(), SHAPE.digits(number)
        for move in MOVES[:6]:
            said = DigitMessage(digits[move.round - 1])
            if move.mover is Party.PROVER:
                said = prover_answer(SHAPE, own, DATA_IN, record, move)
            record = record.heard(move, said)
            states += 1
        row = record.execute.row
        assert stage.may_execute(digits, row, replay)
        assert stage.facts(record) == set()
        for at, target in product((1, 2, 3), range(SHAPE.steps)):
            read = (row.read_1, row.read_2, row.read_3)[at - 1]
            if read.addr == 0:
                continue
            second = SHAPE.digits(target)
            end = record.heard(MOVES[6], OpeningMessage(at, read, second[0]))
            for move in MOVES[7:]:
                said = DigitMessage(second[move.round - 1]) if move.kind is Kind.DIGIT else None
                if move.mover is Party.PROVER:
                    said = prover_answer(SHAPE, own, DATA_IN, end, move)
                end = end.heard(move, said)
                states += 1
            assert stage.last_facts(end) == set()
    print(f"doubts: {states:,} states")


@pytest.mark.parametrize("clock", [REGTEST, MAIN], ids=["regtest", "main"])
@pytest.mark.parametrize("honest", list(Party))
def test_the_honest_side_is_never_out_of_time(clock, honest):
    graph = make_graph(make_terms(exponent=26 if clock is MAIN else 8, clock=clock))
    states, ends = walk_bounded(graph, honest)
    print(f"time, honest {honest}: {states:,} states, {len(ends)} ways it ends by silence or a fact")
    turns = [number for number in range(len(graph.outputs)) if is_prover_turn(graph.terms, number)]
    others = set(range(len(graph.outputs))) - set(turns)
    assert {number for how, number in ends if how == "silence"} == (
        set(turns) if honest is Party.CHALLENGER else others
    )


def walk_bounded(graph, honest):
    """Every (output, age) that an opponent's timing can reach; blocks since the claim are kept at their worst.

    The opponent moves in any block of his window, or after it until he is punished, or never; as long as his move is
    younger than the answer depth, a reorganisation may replace it. The honest side moves at the depth, or as late as
    its margin allows.
    """
    terms = graph.terms
    clock, last = terms.clock, len(terms.moves)
    worst, seen, ends = {(0, 0): 0}, set(), set()
    for number in range(last + 1):
        mover = Party.PROVER if is_prover_turn(terms, number) else Party.CHALLENGER
        window = clock.delta_blocks if number else clock.input_blocks
        begun = worst.get((number, 0), 0)
        answered = number > 0 and terms.moves[number - 1].mover is not honest
        if mover is honest:
            need = clock.answer_depth_blocks if answered else 1
            # Below the answer depth the opponent's move may be replaced again and again: age 0 at a later block.
            for age in range(window):
                seen.add((number, age, "mine"))
            begun += clock.answer_depth_blocks - 1 if answered else 0
            late = min(clock.latest_blocks, window - 1)
            assert need <= late < window, "the honest move is confirmed before the opponent may end the game"
            if number == last:
                ends.add(("fact", number))
            else:
                worst[number + 1, 0] = begun + late
            continue
        for age in range(window + clock.margin_blocks):
            seen.add((number, age, "theirs" if age < window else "silence"))
        if honest is Party.CHALLENGER:
            assert TIMEOUT in graph.outputs[number].names, f"output {number}: no leaf against a silent prover"
        else:
            close = graph.planned[close_name(number)].transaction
            assert close.inputs[0].previous == graph.game_point(number)
            assert close.inputs[0].sequence == clock.delta_blocks
            assert close.inputs[1].previous == graph.claim.gate
            assert begun + window + clock.margin_blocks <= terms.burn_blocks, (number, begun)
        ends.add(("silence", number))
        if number < last:
            # He may still move after his window, until the honest end is confirmed.
            worst[number + 1, 0] = begun + window
    return len(seen), ends


def test_a_taken_bond_makes_every_close_impossible_and_burn_the_only_spend_of_the_gate():
    graph = make_graph(make_terms(exponent=8, clock=REGTEST))
    closes = [step for name, step in graph.planned.items() if name.startswith("close_")]
    spent = [close.transaction.inputs[0].previous for close in closes]
    assert len(set(spent)) == len(spent)
    chain_of_outputs = {graph.game_point(number) for number in range(len(graph.outputs))}
    assert set(spent) <= chain_of_outputs
    users = {name for name, step in graph.planned.items() for each in step.transaction.inputs
             if each.previous == graph.claim.gate}  # fmt: skip
    assert users == {close.name for close in closes} | {"burn"}
