"""The interpreter agrees with Bitcoin Core's own code: on random scripts, on Core's script tests, on each limit."""

import json
import random
from pathlib import Path

import pytest

from bedroll.bitcoin.opcode import SUCCESS, Opcode
from bedroll.bitcoin.opcode import Opcode as Op
from bedroll.bitcoin.script import build_script, encode_number, encode_push, parse_script
from bedroll.bitvm.interpreter import Cost, Rules, ScriptFailure, execute, run_steps
from bedroll.encoding import Malformed
from tests.framework.tapscript import SECRET, Spend

SEED = 20261121
CONSENSUS = Rules(policy=False)
SCRIPT_TESTS = Path(__file__).parents[2] / "vectors/bitcoin/core/script_tests.json"
KEY = SECRET.x_only


def ours(spend: Spend, items: list[bytes], rules: Rules = CONSENSUS) -> Cost | str:
    try:
        return execute(spend.script, items, rules=rules, context=spend.context(items))
    except ScriptFailure as failure:
        return failure.reason


def agree(script: bytes, items: list[bytes], **fields: int) -> bool:
    """Whether both accept; it is an error if they differ."""
    spend = Spend(script, **fields)
    mine, theirs = ours(spend, items), spend.is_valid(items)
    assert isinstance(mine, Cost) == theirs, (script.hex(), [item.hex() for item in items], mine)
    return theirs


INTERESTING = [b"", b"\x01", b"\x80", b"\x00", b"\x02", b"\x81", b"\x05\x00", b"\xff\xff\xff\x7f", b"\xff\xff\xff\xff",
               b"\x00\x00\x00\x80", b"\xff" * 5, b"\x00" * 32, KEY]  # fmt: skip
PLAIN = [code for code in Opcode if code not in SUCCESS and not 1 <= code <= 0x4E]


def random_script(rng: random.Random) -> bytes:
    parts: list[bytes] = []
    depth = 0
    for _ in range(rng.randrange(1, 30)):
        kind = rng.random()
        if kind < 0.45:
            parts.append(
                encode_push(rng.choice(INTERESTING) if rng.random() < 0.5 else encode_number(rng.randrange(-3, 20)))
            )
        elif kind < 0.55:
            parts.append(bytes((rng.choice([Op.OP_IF, Op.OP_NOTIF]),)))
            depth += 1
        elif kind < 0.62 and depth:
            parts.append(bytes((Op.OP_ELSE,)))
        elif kind < 0.7 and depth:
            parts.append(bytes((Op.OP_ENDIF,)))
            depth -= 1
        elif kind < 0.71:
            parts.append(bytes((rng.randrange(256),)))
        else:
            parts.append(bytes((rng.choice(PLAIN),)))
    if rng.random() < 0.8:
        parts.append(bytes((Op.OP_ENDIF,)) * depth)
    return b"".join(parts)


def settled(script: bytes, items: list[bytes]) -> bytes:
    """The script, ended so that success does not need a lucky stack: what is left is dropped, then 1."""
    state = None
    try:
        for step in run_steps(script, items, rules=CONSENSUS):
            state = step
    except ScriptFailure as failure:
        if failure.reason not in ("CLEANSTACK", "EVAL_FALSE") or state is None:
            return script
    return script + bytes((Op.OP_DROP,)) * len(state.stack) + b"\x51" if state is not None else script


def test_random_scripts_are_judged_as_bitcoin_core_judges_them():
    rng = random.Random(SEED)
    print(f"seed {SEED}")
    accepted = 0
    for _ in range(1_500):
        script = random_script(rng)
        items = [rng.choice(INTERESTING) for _ in range(rng.randrange(8))]
        if rng.random() < 0.7:
            script = settled(script, items)
        fields = {
            "version": rng.choice([1, 2]),
            "sequence": rng.choice([0xFFFFFFFF, 0xFFFFFFFD, 5, 1 << 22]),
            "lock_time": rng.choice([0, 3, 500_000_001]),
        }
        accepted += agree(script, items, **fields)
    assert accepted > 250, accepted


def test_each_operation_on_each_pair_of_interesting_items():
    accepted = refused = 0
    for code in PLAIN:
        if code in (Op.OP_IF, Op.OP_NOTIF, Op.OP_ELSE, Op.OP_ENDIF):
            continue
        for one in INTERESTING:
            for two in (b"", b"\x01", b"\x02", b"\x00"):
                items = [b"\x03", b"\x02", b"\x01", one, two]
                if agree(settled(bytes((code,)), items), items):
                    accepted += 1
                else:
                    refused += 1
    assert min(accepted, refused) > 500


def published() -> list[tuple[list[bytes], bytes]]:
    """Pushes and scripts of Core's script tests, taken as the items and the leaf of a tapscript."""
    found = []
    for case in json.loads(SCRIPT_TESTS.read_text()):
        if len(case) < 4 or not isinstance(case[0], str) or any("#" in part for part in case[:2]):
            continue
        items: list[bytes] = []
        first, second = (assembled(part) for part in case[:2])
        try:
            for element in parse_script(first):
                if element.push is not None:
                    items.append(element.push)
                elif 0x4F <= element.opcode <= 0x60 and element.opcode != 0x50:
                    items.append(encode_number(element.opcode - 0x50))
                else:
                    raise ValueError
        except ValueError:
            # What computes before the script is part of it.
            items, second = [], first + second
        except Malformed:
            continue
        found.append((items, second))
    return found


def assembled(text: str) -> bytes:
    """Core's notation: numbers, 'text', 0x raw bytes, opcodes without their prefix."""
    parts = []
    for word in text.split():
        if word.lstrip("-").isdigit():
            parts.append(encode_push(encode_number(int(word))))
        elif word.startswith("0x"):
            parts.append(bytes.fromhex(word[2:]))
        elif word.startswith("'"):
            parts.append(encode_push(word[1:-1].encode()))
        else:
            name = word if word.startswith("OP_") else f"OP_{word}"
            code = LEGACY[name] if name in LEGACY else Opcode[name]
            parts.append(bytes((code,)))
    return b"".join(parts)


LEGACY = {
    "OP_CAT": 126, "OP_SUBSTR": 127, "OP_LEFT": 128, "OP_RIGHT": 129, "OP_INVERT": 131, "OP_AND": 132, "OP_OR": 133,
    "OP_XOR": 134, "OP_RESERVED1": 137, "OP_RESERVED2": 138, "OP_2MUL": 141, "OP_2DIV": 142, "OP_MUL": 149,
    "OP_DIV": 150, "OP_MOD": 151, "OP_LSHIFT": 152, "OP_RSHIFT": 153, "OP_CHECKLOCKTIMEVERIFY": 177,
    "OP_CHECKSEQUENCEVERIFY": 178, "OP_NOP2": 177, "OP_NOP3": 178, **{f"OP_NOP{n}": 175 + n for n in range(4, 11)},
}  # fmt: skip


def test_published_scripts_are_judged_as_bitcoin_core_judges_them():
    cases = published()
    accepted = sum(agree(script, items) for items, script in cases)
    print(f"{len(cases)} scripts, {accepted} accepted")
    assert len(cases) > 900
    assert accepted > 250


def test_a_signature_is_checked_and_each_check_costs_of_the_budget():
    script = build_script(KEY, Op.OP_CHECKSIGVERIFY, 1)
    spend = Spend(script)
    assert ours(spend, [spend.signature()]) == Cost(1 + 1, 3, 1)
    assert spend.is_valid([spend.signature()])
    wrong = bytes(64)
    assert ours(spend, [wrong]) == "SCHNORR_SIG"
    assert not spend.is_valid([wrong])
    for count in (2, 3, 4, 8, 20):
        many = build_script(*[Op.OP_DUP, KEY, Op.OP_CHECKSIGVERIFY] * count)
        spend = Spend(many)
        item = [spend.signature()]
        assert isinstance(ours(spend, item), Cost) == spend.is_valid(item)
    short = build_script(*[Op.OP_2DUP, Op.OP_CHECKSIGVERIFY] * 6, Op.OP_DROP)
    spend = Spend(short)
    assert ours(spend, [spend.signature(), KEY]) == "TAPSCRIPT_VALIDATION_WEIGHT"
    assert not spend.is_valid([spend.signature(), KEY])


def test_a_code_separator_is_signed():
    script = build_script(Op.OP_CODESEPARATOR, KEY, Op.OP_CHECKSIG)
    spend = Spend(script)
    for position in (0, 0xFFFFFFFF):
        agree(script, [spend.signature(position)])
    assert isinstance(ours(spend, [spend.signature(0)]), Cost)


def test_locks_are_checked():
    for script, sequence, version, lock_time, fine in [
        (build_script(5, Op.OP_CHECKSEQUENCEVERIFY), 5, 2, 0, True),
        (build_script(5, Op.OP_CHECKSEQUENCEVERIFY), 4, 2, 0, False),
        (build_script(5, Op.OP_CHECKSEQUENCEVERIFY), 5, 1, 0, False),
        (build_script(5, Op.OP_CHECKSEQUENCEVERIFY), 5 | 1 << 22, 2, 0, False),
        (build_script(5, Op.OP_CHECKLOCKTIMEVERIFY), 5, 2, 5, True),
        (build_script(6, Op.OP_CHECKLOCKTIMEVERIFY), 5, 2, 5, False),
        (build_script(5, Op.OP_CHECKLOCKTIMEVERIFY), 0xFFFFFFFF, 2, 5, False),
        (build_script(-1, Op.OP_CHECKLOCKTIMEVERIFY), 5, 2, 5, False),
    ]:
        assert agree(script, [], sequence=sequence, version=version, lock_time=lock_time) == fine


def test_the_stacks_hold_a_thousand_items():
    for items, pushes in ((999, 1), (1_000, 0), (1_000, 1), (1_001, 0), (500, 500), (500, 501)):
        script = build_script(*[1] * pushes, *[Op.OP_2DROP] * ((items + pushes - 1) // 2))
        if (items + pushes) % 2 == 0:
            script += bytes((Op.OP_DROP,))
        assert agree(script, [b"\x01"] * items) == (items + pushes <= 1_000)


def test_relay_bounds_items_pushes_numbers_and_unknown_opcodes():
    def reason(script: bytes, *items: bytes) -> Cost | str:
        spend = Spend(script)
        assert isinstance(ours(spend, list(items)), Cost)
        assert spend.is_valid(items)
        return ours(spend, list(items), Rules())

    assert reason(build_script(Op.OP_DROP, 1), bytes(81)) == "PUSH_SIZE"
    assert reason(b"\x01\x05") == "MINIMALDATA"
    assert reason(build_script(Op.OP_1ADD), b"\x05\x00") == "SCRIPTNUM"
    assert reason(build_script(Op.OP_NOP1, 1)) == "DISCOURAGE_UPGRADABLE_NOPS"
    assert reason(bytes((0xFE,))) == "DISCOURAGE_OP_SUCCESS"
    assert reason(build_script(b"\x02" * 33, Op.OP_CHECKSIG), b"\x01") == "DISCOURAGE_UPGRADABLE_PUBKEYTYPE"
    assert isinstance(reason(build_script(Op.OP_DROP, 1), bytes(80)), Cost)


@pytest.mark.parametrize("size", [520, 521])
def test_an_item_has_at_most_520_bytes(size):
    assert agree(build_script(Op.OP_DROP, 1), [bytes(size)]) == (size == 520)
    assert agree(encode_push(bytes(size)) + build_script(Op.OP_DROP, 1), []) == (size == 520)
