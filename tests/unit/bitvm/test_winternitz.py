"""One-time signatures: what is signed is what Script reveals, nothing else verifies, sizes are those promised."""

import hashlib
import random

import pytest

from bedroll.bitcoin.opcode import Opcode as Op
from bedroll.bitcoin.script import build_script
from bedroll.bitvm.graph.move import Party
from bedroll.bitvm.interpreter import Rules, ScriptFailure, execute, run_steps
from bedroll.bitvm.message import Field, Layout, Message
from bedroll.bitvm.search import Shape
from bedroll.bitvm.winternitz import (
    Mode,
    Signature,
    derive_public_key,
    extraction,
    is_signature,
    key_pieces,
    parse_items,
    public_key_bytes,
    sign,
    verification,
    witness_items,
)
from bedroll.bitvm.winternitz.key import all_radices, checksum_radices, digits_with_checksum
from bedroll.bitvm.winternitz.verify import total
from bedroll.primitives import Invalid

SEED = 20261121
SECRET = bytes(range(32))
LAYOUT = Layout(Shape(26), 32)
LABELS = ["end_hash", "proof_0", "step", "read_1", "write", "read_pc", "digit_1_1", "digit_1_9"]


def script_of(message: Message, key: bytes, mode: Mode = Mode.REVEAL) -> bytes:
    segments = verification(message.radices, mode)
    parts = [segments[0]]
    for piece, segment in zip(key_pieces(message, key), segments[1:], strict=True):
        parts += [piece, segment]
    return b"".join(parts) + (extraction(message.radices) if mode is Mode.REVEAL else build_script(1))


def revealed(script: bytes, items: tuple[bytes, ...]) -> list[int] | str:
    """Digits that a script leaves, or why it fails."""
    state = None
    try:
        for step in run_steps(script, items, rules=Rules(policy=False)):
            state = step
    except ScriptFailure as failure:
        if failure.reason not in ("CLEANSTACK", "EVAL_FALSE"):
            return failure.reason
    assert state is not None
    return [state.number(item) for item in state.stack]


def random_message(rng: random.Random, message: Message) -> bytes:
    return message.join([rng.choice([0, radix - 1, rng.randrange(radix)]) for radix in message.radices])


@pytest.mark.parametrize("label", LABELS)
def test_script_reveals_what_was_signed(label):
    rng = random.Random(f"{SEED} {label}")
    message = LAYOUT.messages[label]
    key = derive_public_key(SECRET, message)
    script, plain = script_of(message, key), script_of(message, key, Mode.VERIFY)
    low, high = (message.join([pick(radix) for radix in message.radices]) for pick in (lambda _: 0, lambda r: r - 1))
    for raw in (low, high, *(random_message(rng, message) for _ in range(8))):
        signature = sign(SECRET, message, raw)
        items = witness_items(message, signature)
        assert is_signature(key, message, signature)
        assert revealed(script, items) == list(message.digits(raw))
        assert execute(plain, items).peak_items <= len(items) + 10
        assert parse_items(message, items) == signature
        assert Signature.from_compact(message, signature.compact()) == signature
        assert message.encode(**message.decode(raw)) == raw


def test_every_digit_of_every_radix_is_verified_and_none_beside_it():
    for radix in (2, 3, 4, 8, 16):
        message = Message("digit", Party.PROVER, (Field("digit", (radix,)),))
        key = derive_public_key(SECRET, message)
        script = script_of(message, key)
        for digit in range(radix):
            signature = sign(SECRET, message, bytes((digit,)))
            assert revealed(script, witness_items(message, signature)) == [digit]
            for other in range(radix):
                if other != digit:
                    forged = Signature(bytes((other,)), signature.nodes)
                    assert not is_signature(key, message, forged)
                    assert isinstance(revealed(script, witness_items(message, forged)), str)


def test_a_signed_digit_can_be_raised_but_the_checksum_refuses():
    message = LAYOUT.messages["step"]
    key, raw = derive_public_key(SECRET, message), (0x123456).to_bytes(4, "big")
    signature = sign(SECRET, message, raw)
    raised = sign(SECRET, message, (0x123457).to_bytes(4, "big"))
    for at in range(len(signature.nodes)):
        # All nodes of the signed message but for one, which stands for more: the sum is not that of any message.
        nodes = list(signature.nodes)
        nodes[at] = raised.nodes[at]
        forged = Signature(raised.message, tuple(nodes))
        if nodes != list(raised.nodes):
            assert isinstance(revealed(script_of(message, key), witness_items(message, forged)), str)


def test_hostile_items_never_verify_as_another_message():
    rng = random.Random(SEED)
    message = LAYOUT.messages["read_pc"]
    key = derive_public_key(SECRET, message)
    script, raw = script_of(message, key), random_message(rng, message)
    items = witness_items(message, sign(SECRET, message, raw))
    values = [b"", b"\x01", b"\x02", b"\x07", b"\x08", b"\x10", b"\x81", b"\x80", b"\xff\xff\xff\x7f", b"\x00" * 5,
              key[:20], bytes(20)]  # fmt: skip
    same = other = 0
    for at in range(len(items)):
        for value in values:
            changed = (*items[:at], value, *items[at + 1 :])
            found = revealed(script, changed)
            if isinstance(found, str):
                other += 1
            else:
                # Only the same message: 7 written as something larger.
                assert found == list(message.digits(raw))
                same += changed != items
    assert other > 500
    assert same < 100


def test_a_signer_cannot_commit_a_digit_out_of_range():
    """The signer knows every node; still no digit above its radix comes out of the script."""
    message = Message("pair", Party.PROVER, (Field("pair", (16, 4)),))
    key = derive_public_key(SECRET, message)
    script = script_of(message, key)
    for first in range(16):
        for second in range(4):
            signature = sign(SECRET, message, message.join((first, second)))
            items = list(witness_items(message, signature))
            for at, value in ((0, b"\x63"), (0, b"\x81"), (3, b"\x63"), (3, b"\x04"), (3, b"\x81"), (1, b"\x02")):
                hostile = list(items)
                hostile[at] = value
                found = revealed(script, tuple(hostile))
                assert isinstance(found, str) or (found[0] < 16 and found[1] < 4)


def test_a_checksum_takes_no_more_values_than_it_needs():
    for label in LABELS:
        message = LAYOUT.messages[label]
        largest = total(message.radices)
        assert digits_with_checksum(message, message.join([0] * len(message.radices)))[-1] is not None
        room = 1
        for radix in checksum_radices(message.radices):
            room *= radix
        assert largest < room


def test_wrong_sizes_are_refused_with_the_size():
    message = LAYOUT.messages["end_hash"]
    key = derive_public_key(SECRET, message)
    assert len(key) == public_key_bytes(message) == 20 * len(all_radices(message.radices)) == 860
    with pytest.raises(Invalid) as refused:
        is_signature(key[:-1], message, sign(SECRET, message, bytes(20)))
    assert (refused.value.size, refused.value.limit) == (859, 860)
    with pytest.raises(Invalid):
        sign(bytes(31), message, bytes(20))
    with pytest.raises(Invalid):
        sign(SECRET, message, bytes(19))
    with pytest.raises(Invalid):
        Signature.from_compact(message, bytes(3))
    with pytest.raises(Invalid):
        LAYOUT.messages["step"].encode(step=1 << 26)


def test_twenty_bytes_cost_less_than_promised():
    message = LAYOUT.messages["end_hash"]
    rng = random.Random(SEED)
    raw = rng.randbytes(20)
    items = witness_items(message, sign(SECRET, message, raw))
    script = script_of(message, derive_public_key(SECRET, message), Mode.VERIFY)
    weight = len(script) - 1 + sum(1 + len(item) for item in items)
    print(f"{weight} WU, {len(items)} items")
    assert weight <= 4_010
    assert len(items) == 128


def test_a_hash_that_ends_in_zeros_and_digit_zero_survive_the_witness():
    message = LAYOUT.messages["end_hash"]
    raw = bytes(10) + b"\xff" * 5 + bytes(5)
    items = witness_items(message, sign(SECRET, message, raw))
    assert parse_items(message, items).message == raw
    assert revealed(script_of(message, derive_public_key(SECRET, message)), items) == list(message.digits(raw))


def test_the_script_of_a_leaf_is_total_in_its_items():
    """One item more or less, and nothing succeeds."""
    message = LAYOUT.messages["digit_1_1"]
    script = script_of(message, derive_public_key(SECRET, message), Mode.VERIFY)
    items = witness_items(message, sign(SECRET, message, b"\x05"))
    execute(script, items)
    for wrong in (items[1:], items[:-1], (b"\x01", *items)):
        with pytest.raises(ScriptFailure):
            execute(script, wrong)
    assert build_script(Op.OP_1) == b"\x51"


def test_a_node_of_another_size_is_refused_even_where_it_hashes_to_the_key():
    """A signer may begin a chain with 500 bytes; nobody could copy such an item into a transaction that relays."""
    for radix, label in ((16, "nibble"), (8, "answer")):
        message = Message(label, Party.PROVER, (Field("digit", (radix,)),))
        secret = bytes(range(32))
        signature = sign(secret, message, b"\0")
        for size in (0, 19, 21, 80, 500):
            start = bytes(size)
            end = start
            for _ in range(radix - 1):
                end = hash160(end)
            key = end + derive_public_key(secret, message)[20:]
            forged = Signature(b"\0", (start, *signature.nodes[1:]))
            for mode in Mode:
                assert revealed(script_of(message, key, mode), witness_items(message, forged)) == "EQUALVERIFY"
            with pytest.raises(Invalid):
                parse_items(message, witness_items(message, forged))


def hash160(raw):
    return hashlib.new("ripemd160", hashlib.sha256(raw).digest()).digest()
