"""What went wrong in other systems' Script, by class of incident; each must not happen here.

Classes 1 to 10 and 12 of the survey that the design rests on; the others are of transactions and players.
"""

import random

import pytest

from bedroll.bitcoin.policy import NonStandard, check_standard
from bedroll.bitcoin.script import ANCHOR_SCRIPT, encode_number, parse_script
from bedroll.bitcoin.transaction import Transaction, TxIn, TxOut
from bedroll.bitvm.interpreter import ScriptFailure, execute
from bedroll.bitvm.leaf import Keys
from bedroll.bitvm.leaf.chain import MESSAGE_BYTES
from bedroll.bitvm.leaf.second import execute_2_leaf
from bedroll.bitvm.message import Layout
from bedroll.bitvm.script.blake3 import SUMS, hash_block, push_tables
from bedroll.bitvm.search import Shape
from bedroll.bitvm.winternitz import parse_items, sign, witness_items
from bedroll.bitvm.winternitz.key import checksum_radices
from bedroll.primitives import Invalid, Satoshi
from tests.framework.leaf_play import LEAVES, game, lies, play, signed_for
from tests.framework.script_block import Block
from tests.framework.script_blocks import LARGE
from tests.framework.signed_leaf import digits_of, judged, run_body
from tests.reference.riscv_model import blake3

SEED = 20261121


def test_01_a_carry_table_has_an_entry_for_every_sum():
    """Three nibbles and a carry of two: 47; a table of 47 entries ends at 46. Whole words: `test_block.py`."""
    assert SUMS == 3 * 15 + 2 + 1
    extreme = [15] * 64
    assert LARGE["blake3"].block.run(*extreme) == list(LARGE["blake3"].model(*extreme))


@pytest.mark.parametrize("size", [1, 4, 31, 33, 63, 64])
def test_02_a_hash_knows_its_message_s_length(size):
    """One block, of each length; the leaves hash 33 bytes and nothing else."""
    rng = random.Random(SEED + size)
    raw = rng.randbytes(size)

    def write(asm, items):
        for item in reversed(items):
            asm.to_alt(item)
        push_tables(asm)
        for _ in items:
            asm.from_alt()
        return [asm.sub(nibble, 1) for nibble in hash_block(asm, items, size)]

    found = Block(2 * size, write).run(*(int(digit, 16) for digit in raw.hex()))
    assert found == [int(digit, 16) for digit in blake3(raw)[:20].hex()]
    assert MESSAGE_BYTES == 33


def test_03_no_second_encoding_of_a_number_hashes_like_it():
    """The challenger's unsigned nibbles are bounded: x + 16, x − 16 and the like never stand for x."""
    catalogue = game()[0]
    for name in ("program_counter", "opened_later_write"):
        leaf = catalogue.leaf(name)
        messages, given = lies(name)
        hints = digits_of(leaf, given)
        assert run_body(leaf, messages, hints) is not None
        for field, value in (("before", hints["before"][-1] + 16), ("pc", hints["pc"][-1] - 16), ("pc", -1)):
            hostile = {**hints, field: [*hints[field][:-1], value]}
            assert run_body(leaf, messages, hostile) is None


def test_04_a_wrong_or_missing_hint_only_fails():
    """No leaf counts an abort as a verdict: a spend is a success or nothing."""
    catalogue, _, signer = game()
    messages, _ = lies("opcode_chunk_0")
    leaf = catalogue.leaf("opcode_chunk_0")
    spend, items = signer.spend(leaf, messages)
    for wrong in (items[1:], (b"\x63", *items[1:]), (b"", *items)):
        assert isinstance(judged(spend, wrong), str)
        assert not spend.is_valid(wrong)


def test_05_hash_and_product_leaves_have_a_second_generator():
    """`test_second_form.py` compares verdicts; here: that no part is shared but the writer."""
    import bedroll.bitvm.script.second.blake3 as one
    import bedroll.bitvm.script.second.multiply as two

    for module in (one, two):
        names = vars(module).values()
        assert not any(getattr(each, "__module__", "").endswith((".script.blake3", ".script.table")) for each in names)


def test_06_a_third_party_cannot_change_what_was_signed():
    """Only a 7 can be written larger; the message, and with it the game, stays the same, and the size hardly grows."""
    catalogue, _, signer = game()
    leaf = catalogue.leaf("digit_1_1")
    spend, items = signer.spend(leaf, {**signed_for(4), "digit_1_1": b"\x07"})
    larger = (b"\xff\xff\xff\x7f", *items[1:])
    assert not isinstance(judged(spend, larger), str)
    assert leaf.read(larger[:-1])["digit_1_1"].message == b"\x07"
    assert len(spend.filled(larger).raw) - len(spend.filled(items).raw) == 3


def test_06_a_checksum_has_room_for_the_smallest_message():
    for radices in ((16,) * 40, (16,) * 64, (4, 16, 16), (8,), (2,)):
        room = 1
        for radix in checksum_radices(radices):
            room *= radix
        assert room > sum(radix - 1 for radix in radices)


def test_06_a_public_key_of_another_size_is_refused_before_any_work():
    catalogue, _, signer = game()
    layout = catalogue.layout
    keys = {label: b"".join(signer.keys.pieces(label)) for label in layout.messages}
    for wrong in (b"", bytes(20), keys["end_hash"] + bytes(20), bytes(20_000_000)):
        with pytest.raises(Invalid) as refused:
            Keys(layout, both=bytes(32), challenger=bytes(32), one_time={**keys, "end_hash": wrong})
        assert (refused.value.size, refused.value.limit) == (len(wrong), 860)


def test_06_zeros_at_the_end_of_a_hash_survive():
    message = game()[0].layout.messages["left_hash"]
    for raw in (bytes(20), b"\x01" + bytes(19), bytes(19) + b"\x10"):
        assert parse_items(message, witness_items(message, sign(bytes(32), message, raw))).message == raw


def test_07_every_value_that_execute_accepts_can_be_contested():
    """Facts never abort on a committed value: each leaf runs to its verdict on the extremes of every field."""
    catalogue = game()[0]
    layout = catalogue.layout
    honest = signed_for(6)
    high = {"addr": 0xFFFF_FFFF, "value": 0xFFFF_FFFF, "last_step": 0}
    for label in ("read_1", "read_2", "read_3"):
        messages = {**honest, label: layout.messages[label].encode(**high)}
        assert run_body(catalogue.leaf(f"uninitialized_{label}"), messages) is not None
    largest = layout.messages["step"].encode(step=(1 << 26) - 1)
    assert run_body(catalogue.leaf("equivocation_end"), {**honest, "step": largest}) is not None


def test_08_the_layout_of_a_step_is_that_of_the_answers():
    """The number that Execute compares is the one that the search's own arithmetic gives, for every shape."""
    for exponent in (2, 3, 4, 5, 7, 13, 26, 30):
        shape = Shape(exponent)
        layout = Layout(shape, 0)
        leaf = execute_2_leaf(layout)
        rng = random.Random(SEED)
        for number in (0, 1, shape.steps - 1, rng.randrange(shape.steps)):
            answers = {f"digit_2_{at}": bytes((digit,)) for at, digit in enumerate(shape.digits(number), 1)}
            step = layout.messages["step_2"]
            assert run_body(leaf, {**answers, "step_2": step.encode(step=number)}) is not None
            if number:
                assert run_body(leaf, {**answers, "step_2": step.encode(step=number - 1)}) is None


@pytest.mark.parametrize("name", ["input", "hashes_1_1", "execute_div", "trace_hash", "opened_later_write"])
def test_09_every_spend_is_far_below_the_standard_weight(name):
    _, spend, items = play(name)
    assert spend.filled(items).weight < 100_000


def test_10_no_item_and_no_push_is_above_80_bytes():
    catalogue, _, signer = game()
    for name in LEAVES[::4]:
        script = catalogue.leaf(name).script(signer.keys)
        assert max(len(element.push or b"") for element in parse_script(script)) <= 32
        assert max(map(len, play(name)[2])) <= 80


def test_12_no_spend_is_a_transaction_of_64_bytes():
    """64 bytes without witness could pass for two inner nodes of a block's tree."""
    _, spend, _ = play("digit_1_1")
    assert len(spend.transaction.stripped) > 64
    small = Transaction((TxIn(spend.transaction.inputs[0].previous),), (TxOut(Satoshi(330), ANCHOR_SCRIPT),))
    assert len(small.stripped) == 64
    with pytest.raises(NonStandard) as refused:
        check_standard(small, [spend.spent])
    assert refused.value.reason == "tx-size-small"


def test_a_script_that_ends_early_or_late_fails():
    leaf = game()[0].leaf("trace_hash_zero")
    items = [encode_number(digit) for message in leaf.revealed for digit in [0] * len(message.radices)]
    execute(leaf.body, items)
    for wrong in (items[:-1], [*items, b""], [b"\x01", *items]):
        with pytest.raises(ScriptFailure):
            execute(leaf.body, wrong)
