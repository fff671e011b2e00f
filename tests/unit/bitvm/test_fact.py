"""For each fact, both directions: where it is false a challenger's witness succeeds, where it is true none does.

Bodies run over bare digits, so that whole domains can be tried; `test_leaf_spend.py` plays each leaf with signatures.
"""

import random
from functools import cache

import pytest

from bedroll.bitvm.leaf import Catalogue, Ground, opening_hints
from bedroll.bitvm.message import row_messages
from bedroll.bitvm.search import Shape
from bedroll.riscv import Program, Trace
from tests.framework import assembler
from tests.framework.assembler import CODE, DATA, INPUT, RODATA, STACK, encode
from tests.framework.signed_leaf import digits_of, run_body
from tests.reference.riscv_model import blake3

SEED = 20261121
SHAPE = Shape(8)
INSTANCE = bytes(range(32))
RNG_DATA = random.Random(SEED)
DATA_BYTES, RODATA_BYTES, INPUT_BYTES = (RNG_DATA.randbytes(count) for count in (64, 32, 64))


@cache
def game():
    """Catalogue and trace of a small program: loads, stores, a halt that says yes."""
    words = {CODE + 0: encode("lui", 20, DATA >> 12), CODE + 4: encode("lui", 23, INPUT >> 12)}
    code = [
        *words.values(), encode("lui", 21, STACK >> 12), encode("lui", 22, RODATA >> 12), encode("lw", 5, 23, 4),
        encode("sb", 5, 20, 1), encode("lw", 6, 20, 0), encode("sw", 6, 21, 8), encode("lw", 7, 21, 8),
        encode("lw", 8, 22, 12), encode("add", 9, 7, 8), *[encode("addi", 9, 9, 1)] * 150,
        encode("addi", 17, 0, 93), encode("addi", 10, 0, 1), encode("ecall"),
    ]  # fmt: skip
    raw = assembler.layout(code, data=DATA_BYTES, rodata=RODATA_BYTES, input_bytes=INPUT_BYTES.__len__())
    program = Program(raw)
    trace = Trace(program, INPUT_BYTES, instance_id=INSTANCE, exponent=SHAPE.exponent)
    return Catalogue(SHAPE, Ground.of(program, trace.hash_at(0))), trace


def messages_at(step):
    """Everything that an honest prover signs for a step, and an honest opening of nothing."""
    catalogue, trace = game()
    found = row_messages(catalogue.layout, trace.row_at(step))
    found["left_hash"], found["right_hash"] = trace.hash_at(step - 1), trace.hash_at(step)
    found["end_hash"] = trace.hash_at(SHAPE.steps)
    for number, message in enumerate(catalogue.layout.input[:-1]):
        found[message.label] = INPUT_BYTES[32 * number : 32 * number + 32]
    return found


def encoded(label, **values):
    return game()[0].layout.messages[label].encode(**values)


def changed(messages, label, **values):
    message = game()[0].layout.messages[label]
    return {**messages, label: message.encode(**{**message.decode(messages[label]), **values})}


def flipped(raw, bit):
    return (int.from_bytes(raw, "big") ^ 1 << bit).to_bytes(len(raw), "big")


@pytest.mark.parametrize("step", [1, 6])
def test_trace_hash(step):
    leaf, honest = game()[0].leaf("trace_hash"), messages_at(step)
    assert run_body(leaf, honest) is None
    assert run_body(leaf, {**honest, "right_hash": flipped(honest["right_hash"], 0)}) is not None
    assert run_body(leaf, {**honest, "left_hash": flipped(honest["left_hash"], 159)}) is not None
    for field in ("addr", "value", "pc"):
        old = game()[0].layout.messages["write"].decode(honest["write"])[field]
        assert run_body(leaf, changed(honest, "write", **{field: old ^ 0x8000_0000})) is not None


def test_program_counter():
    catalogue, trace = game()
    leaf, step = catalogue.leaf("program_counter"), 7
    honest, before = messages_at(step), trace.row_at(step - 1)
    opening = opening_hints(trace.hash_at(step - 2), before.write.addr, before.write.value, before.write_pc)
    hints = digits_of(leaf, opening)
    lie = changed(honest, "read_pc", addr=before.write_pc + 4)
    cost = run_body(leaf, lie, hints)
    assert cost is not None
    print(f"peak {cost.peak_items} items")
    assert run_body(leaf, honest, hints) is None
    for name, at in (("before", 0), ("addr", 3), ("pc", 7)):
        for wrong in (hints[name][at] ^ 1, hints[name][at] + 16, hints[name][at] - 16):
            hostile = {**hints, name: [*hints[name][:at], wrong, *hints[name][at + 1 :]]}
            assert run_body(leaf, honest, hostile) is None


def test_h_0_does_not_open_as_a_step():
    catalogue, trace = game()
    leaf, honest = catalogue.leaf("program_counter"), messages_at(1)
    # H_0 hashes 0x00 and the instance; as an opening the same 32 bytes hash with 0x01.
    assert blake3(b"\0" + INSTANCE)[:20] == trace.hash_at(0)
    words = [int.from_bytes(INSTANCE[at : at + 4], "big") for at in (20, 24, 28)]
    hints = digits_of(leaf, opening_hints(INSTANCE[:20], *words))
    assert run_body(leaf, changed(honest, "read_pc", addr=CODE + 4), hints) is None


def test_trace_hash_zero():
    leaf = game()[0].leaf("trace_hash_zero")
    first = messages_at(1)
    assert run_body(leaf, first) is None
    for bit in (0, 3, 80, 159):
        assert run_body(leaf, {**first, "left_hash": flipped(first["left_hash"], bit)}) is not None
    later = messages_at(2)
    assert run_body(leaf, {**later, "left_hash": flipped(later["left_hash"], 0)}) is None


def facts_about(*prefixes):
    return [leaf for leaf in game()[0].row_facts if leaf.name.startswith(prefixes)]


MEMORY = ("input_word", "initialized", "uninitialized")


def false_facts(messages, *prefixes):
    """Leaves that the challenger can play."""
    return [leaf.name for leaf in facts_about(*prefixes) if run_body(leaf, messages) is not None]


def test_honest_rows_have_no_false_fact():
    for step in [*range(1, 15), 100, 256]:
        assert false_facts(messages_at(step), *MEMORY, "opcode_chunk") == []


def test_opcode_chunk():
    for step in (1, 3, 110, 163):
        honest = messages_at(step)
        values = game()[0].layout.messages["read_pc"].decode(honest["read_pc"])
        number = (values["addr"] - CODE) // 400
        for bit in (0, 15, 16, 31):
            lie = changed(honest, "read_pc", opcode=values["opcode"] ^ 1 << bit)
            assert false_facts(lie, "opcode_chunk") == [f"opcode_chunk_{number}"]
        leaf = game()[0].leaf(f"opcode_chunk_{number}")
        for index in (-1, 0, 1, 99, 100, 1 << 30, -(1 << 30)):
            assert run_body(leaf, honest, {"index": [index]}) is None


def first_read(addr, value, last_step=0):
    return {**messages_at(100), "read_2": encoded("read_2", addr=addr, value=value, last_step=last_step)}


def word_of(raw, at):
    return int.from_bytes(raw[at : at + 4], "little")


def test_input_word():
    for at in range(0, len(INPUT_BYTES), 4):
        value, name = word_of(INPUT_BYTES, at), f"input_word_{at // 32}"
        assert false_facts(first_read(INPUT + at, value), *MEMORY) == []
        for bit in (0, 13, 31):
            assert false_facts(first_read(INPUT + at, value ^ 1 << bit), *MEMORY) == [name]
        assert false_facts(first_read(INPUT + at, value ^ 1, last_step=3), *MEMORY) == []


def test_initialized():
    for start, raw in ((DATA, DATA_BYTES), (RODATA, RODATA_BYTES)):
        for at in range(0, len(raw), 4):
            value = word_of(raw, at)
            assert false_facts(first_read(start + at, value), *MEMORY) == []
            found = false_facts(first_read(start + at, value ^ 0x4000), *MEMORY)
            assert len(found) == 1
            assert found[0].startswith("initialized_")
            assert false_facts(first_read(start + at, value ^ 1, last_step=1), *MEMORY) == []


def test_initialized_for_the_old_word_of_a_small_store():
    honest = messages_at(100)
    value = word_of(DATA_BYTES, 8)
    for given, count in ((value, 0), (value ^ 1, 1)):
        messages = {**honest, "read_3": encoded("read_3", addr=DATA + 8, value=given, last_step=0)}
        assert len(false_facts(messages, *MEMORY)) == count


def test_uninitialized():
    zero = [STACK, STACK + 252, 0xF000_0004, 0xF000_007C, DATA + 64, RODATA + 32]
    for addr in zero:
        for label in ("read_1", "read_2", "read_3"):
            for value, last, name in (
                (0, 0, []),
                (1, 0, [f"uninitialized_{label}"]),
                (1 << 31, 0, [f"uninitialized_{label}"]),
                (1, 1, []),
            ):
                messages = {**messages_at(100), "read_2": encoded("read_2", addr=0, value=0, last_step=0)}
                messages[label] = encoded(label, addr=addr, value=value, last_step=last)
                assert false_facts(messages, *MEMORY) == name, (hex(addr), label)


def test_a_read_of_address_0_is_no_read():
    for label in ("read_1", "read_2", "read_3"):
        messages = {**messages_at(100), label: encoded(label, addr=0, value=5, last_step=0)}
        assert false_facts(messages, *MEMORY) == []


def first_value(addr):
    """What an address holds before step 1, from the sections' bytes."""
    for start, raw in ((DATA, DATA_BYTES), (RODATA, RODATA_BYTES), (INPUT, INPUT_BYTES)):
        if start <= addr < start + len(raw):
            return word_of(raw, addr - start)
    return 0


def random_address(rng):
    section = rng.choice([(DATA, 64), (RODATA, 32), (INPUT, 64), (STACK, 256), (0xF000_0004, 31 * 4)])
    return section[0] + 4 * rng.randrange(section[1] // 4)


def test_random_reads_are_false_exactly_where_a_leaf_succeeds():
    """Any address of any section, a true or a wrong value, from the start or from a step: one leaf, or none."""
    rng = random.Random(SEED)
    print(f"seed {SEED}")
    wrong = 0
    for _ in range(100):
        addr = random_address(rng)
        label = rng.choice(["read_1"] if addr >= 0xF000_0000 else ["read_2", "read_2", "read_3"])
        if label == "read_3" and not (DATA <= addr < DATA + 64 or STACK <= addr < STACK + 256):
            label = "read_2"
        true = first_value(addr)
        value = rng.choice([true, true, true ^ 1 << rng.randrange(32), rng.getrandbits(32), 0])
        last = rng.choice([0, 0, 0, rng.randrange(100)])
        messages = {**messages_at(100), "read_1": encoded("read_1", addr=0, value=0, last_step=0)}
        messages["read_2"] = messages["read_1"]
        messages[label] = encoded(label, addr=addr, value=value, last_step=last)
        found = false_facts(messages, *MEMORY)
        assert len(found) == (last == 0 and value != true), (hex(addr), label, value, last, found)
        wrong += len(found)
    assert 20 < wrong < 80


def random_hash(rng):
    return rng.randbytes(20)


def test_equivocation_for_every_step_and_every_leaf():
    """Each of the 256 numbers against each leaf: only the selected hash can differ, and does so if it differs."""
    rng = random.Random(SEED)
    catalogue = game()[0]
    leaves = facts_about("equivocation", "trace_hash_zero")
    assert len(leaves) == 2 * (7 + 7 + 3) + 2
    published = {
        catalogue.layout.hash(1, number, index).label: random_hash(rng)
        for number, arity in enumerate(SHAPE.arities, 1)
        for index in range(1, arity)
    }
    start = catalogue.ground.start_hash
    published["end_hash"] = random_hash(rng)
    won = 0
    for number in range(SHAPE.steps):
        digits = SHAPE.digits(number)
        left, right = SHAPE.left(digits), SHAPE.right(digits)
        left_label = f"hash_1_{left.round}_{left.index}" if left else None
        right_label = f"hash_1_{right.round}_{right.index}" if right else "end_hash"
        honest = {
            **published, "step": encoded("step", step=number), "left_hash": published.get(left_label, start),
            "right_hash": published[right_label],
        }  # fmt: skip
        left_name = f"equivocation_left_{left.round}_{left.index}" if left else "trace_hash_zero"
        right_name = f"equivocation_right_{right.round}_{right.index}" if right else "equivocation_end"
        for leaf in leaves if number % 64 == 5 else rng.sample(leaves, 3):
            assert run_body(leaf, honest) is None, (number, leaf.name)
        for name, label in ((left_name, "left_hash"), (right_name, "right_hash")):
            lie = {**honest, label: flipped(honest[label], rng.randrange(160))}
            winners = leaves if number % 64 == 9 else [leaf for leaf in leaves if leaf.name == name]
            assert [leaf.name for leaf in winners if run_body(leaf, lie) is not None] == [name]
            won += 1
    assert won == 2 * SHAPE.steps


def test_no_quotient_makes_another_hash_the_selected_one():
    catalogue = game()[0]
    honest = {**messages_at(8), "hash_1_2_1": bytes(20), "hash_1_3_1": bytes(20)}
    for name in ("equivocation_left_2_1", "equivocation_right_2_1", "equivocation_left_3_1"):
        leaf = catalogue.leaf(name)
        for quotient in (-1, 0, 1, 2, 7, 8, 1 << 20, 1 << 26, (1 << 31) - 1, -(1 << 20)):
            assert run_body(leaf, honest, {"quotient": [quotient]}) is None


def test_equivocation_search():
    """The searches must have gone the same way before the round: for all pairs of numbers of a sample."""
    rng = random.Random(SEED)
    catalogue = game()[0]
    for number, arity in ((2, 8), (3, 4)):
        leaf = catalogue.leaf(f"equivocation_search_{number}_1")
        modulus = SHAPE.places[number - 1] * arity
        for _ in range(150):
            one = rng.randrange(SHAPE.steps)
            two = rng.choice([rng.randrange(SHAPE.steps), one // modulus * modulus + rng.randrange(modulus)])
            messages = {
                "step": encoded("step", step=one), "step_2": encoded("step_2", step=two),
                f"hash_1_{number}_1": bytes(20),
                f"hash_2_{number}_1": rng.choice([bytes(20), bytes(19) + b"\1"]),
            }  # fmt: skip
            wrong = one // modulus == two // modulus and messages[f"hash_2_{number}_1"] != bytes(20)
            assert (run_body(leaf, messages) is not None) == wrong
            if not wrong:
                for quotient in (0, two // modulus, -1, 1 << 25):
                    assert run_body(leaf, messages, {"quotient": [quotient]}) is None


def opened(step, addr, value, last_step, target):
    """Messages after a second search for `target`, of an honest prover who signed this read in step `step`."""
    trace = game()[1]
    return {
        "step": encoded("step", step=step - 1), "step_2": encoded("step_2", step=target - 1),
        "opened": encoded("opened", addr=addr, value=value, last_step=last_step),
        "left_hash_2": trace.hash_at(target - 1), "right_hash_2": trace.hash_at(target),
    }  # fmt: skip


def opening_of(leaf, target):
    trace = game()[1]
    row = trace.row_at(target)
    return digits_of(leaf, opening_hints(trace.hash_at(target - 1), row.write.addr, row.write.value, row.write_pc))


def test_opened_later_write():
    """Step 6 stores to DATA, step 7 reads it. A lie says: step 3, or the first value."""
    catalogue, trace = game()
    leaf = catalogue.leaf("opened_later_write")
    write = trace.row_at(6).write
    assert write.addr == DATA
    hints = opening_of(leaf, 6)
    for last, wins in ((0, True), (3, True), (5, True), (6, False), (7, False)):
        assert (run_body(leaf, opened(7, DATA, 1, last, 6), hints) is not None) == wins
    assert run_body(leaf, opened(6, DATA, 1, 0, 6), hints) is None
    assert run_body(leaf, opened(5, DATA, 1, 0, 6), hints) is None
    assert run_body(leaf, opened(7, DATA + 4, 1, 0, 6), hints) is None
    hostile = {**hints, "addr": [*hints["addr"][:-1], hints["addr"][-1] + 16]}
    assert run_body(leaf, opened(7, DATA, 1, 0, 6), hostile) is None


def test_opened_wrong_value():
    catalogue, trace = game()
    leaf = catalogue.leaf("opened_wrong_value")
    write, hints = trace.row_at(6).write, opening_of(leaf, 6)
    assert run_body(leaf, opened(7, DATA, write.value, 6, 6), hints) is None
    assert run_body(leaf, opened(7, DATA, write.value ^ 1 << 31, 6, 6), hints) is not None
    assert run_body(leaf, opened(7, DATA + 4, write.value, 6, 6), hints) is not None
    assert run_body(leaf, opened(7, DATA, write.value ^ 1, 5, 6), hints) is None


def test_opened_wrong_hash():
    leaf = game()[0].leaf("opened_wrong_hash")
    hints = opening_of(leaf, 6)
    honest = opened(7, DATA, 1, 5, 6)
    assert run_body(leaf, honest, hints) is None
    assert run_body(leaf, {**honest, "left_hash_2": flipped(honest["left_hash_2"], 77)}, hints) is not None
    assert run_body(leaf, {**honest, "right_hash_2": flipped(honest["right_hash_2"], 77)}, hints) is None


def test_an_opening_repeats_a_used_read_exactly():
    honest = messages_at(7)
    layout = game()[0].layout
    for number in (1, 2):
        leaf = game()[0].leaf(f"opening_{number}")
        label = f"read_{number}"
        values = layout.messages[label].decode(honest[label])
        assert run_body(leaf, {**honest, "opened": encoded("opened", **values)}) is not None
        for field in values:
            other = encoded("opened", **{**values, field: values[field] ^ 1})
            assert run_body(leaf, {**honest, "opened": other}) is None
    unused = game()[0].leaf("opening_3")
    assert run_body(unused, {**honest, "opened": encoded("opened", addr=0, value=0, last_step=0)}) is None


def test_execute_2_takes_every_number_of_the_answers_and_no_other():
    leaf = game()[0].leaf("execute_2")
    for number in (0, 1, 3, 4, 31, 32, 200, 255):
        answers = {f"digit_2_{at}": bytes((digit,)) for at, digit in enumerate(SHAPE.digits(number), 1)}
        assert run_body(leaf, {**answers, "step_2": encoded("step_2", step=number)}) is not None
        assert run_body(leaf, {**answers, "step_2": encoded("step_2", step=number ^ 4)}) is None


def honest_game(step, target):
    """All messages of an honest prover in a game that finds `step`, then opens a read and finds `target`."""
    catalogue, trace = game()
    found = {**messages_at(step), "opened": messages_at(step)["read_2"]}
    for search, at in ((1, step), (2, target)):
        digits = SHAPE.digits(at - 1)
        for number in range(1, SHAPE.rounds + 1):
            for index, point in enumerate(SHAPE.points(digits[: number - 1]), 1):
                if (search, number) != (2, 1):
                    found[catalogue.layout.hash(search, number, index).label] = trace.hash_at(point)
    found["step_2"] = encoded("step_2", step=target - 1)
    found["left_hash_2"], found["right_hash_2"] = trace.hash_at(target - 1), trace.hash_at(target)
    return found


def test_an_honest_prover_loses_by_no_leaf_whatever_the_hints():
    rng = random.Random(SEED)
    catalogue = game()[0]
    every = [leaf for leaf in (*catalogue.row_facts, *catalogue.search_facts) if len(leaf.body) < 20_000]
    assert len(every) > 70
    pool = [-(1 << 31) + 1, -256, -8, -1, 0, 1, 2, 3, 7, 8, 15, 31, 99, 100, 255, 1 << 20, (1 << 31) - 1]
    for step, target in ((1, 256), (7, 6), (32, 33), (256, 1), (163, 160)):
        messages = honest_game(step, target)
        for leaf in rng.sample(every, 30):
            assert run_body(leaf, messages) is None, (leaf.name, step, target)
            for _ in range(3 if leaf.hints else 0):
                hints = {hint.name: [rng.choice(pool) for _ in hint.radices] for hint in leaf.hints}
                assert run_body(leaf, messages, hints) is None, (leaf.name, hints)
    large = [leaf for leaf in (*catalogue.row_facts, *catalogue.search_facts) if leaf not in every]
    messages = honest_game(7, 6)
    for leaf in large:
        hints = {hint.name: [rng.randrange(16) for _ in hint.radices] for hint in leaf.hints}
        assert run_body(leaf, messages, hints) is None
