"""Structured mutations of blocks, envelopes, objects and bodies, judged by the core and by the plain parsers.

A mutation is a function of one integer, so a failure is repeated by its number alone. What it starts from lies in
tests/vectors/da/seeds.json.
"""

import hashlib
import json
import random
from collections import Counter
from pathlib import Path

from bedroll._core import _native
from bedroll.primitives import Invalid
from tests.framework import l1_block
from tests.reference import codec_reader, da_parser

SEEDS = Path(__file__).parents[1] / "vectors/da/seeds.json"
TAG = b"\xbe"
BASE_FEES = [1_000, 1_100, 900, 1_050]
SHARES = {"envelope": 45, "object": 30, "block": 10, "body": 15, "proven": 15}
BLOCK_HEAD = 26
NUMBERS = (0, 1, 2, 4, 15, 16, 17, 75, 76, 255, 256, 519, 520, 521, 9_999, 10_000, 10_001, 65_535, 1 << 24, 2**32 - 1)
OPCODES = bytes.fromhex("0001204b4c4d4e4f5051526061636467687577acadfe")


class Disagreement(AssertionError):
    """Core and plain parser judge one input differently."""


def load():
    """Seeds by kind, and the chain that bodies follow."""
    stored = json.loads(SEEDS.read_text())
    chain = {
        "chain_id": stored["chain"]["chain_id"],
        "timestamp": stored["chain"]["timestamp"],
        "book": [bytes.fromhex(each) for each in stored["chain"]["book"]],
        "nonces": {bytes.fromhex(address): nonce for address, nonce in stored["chain"]["nonces"].items()},
    }
    seeds = {kind: [bytes.fromhex(each) for each in stored[kind]] for kind in SHARES if kind in stored}
    return seeds, chain


class Fuzzer:
    """Makes and judges mutations."""

    def __init__(self):
        self.seeds, self.chain = load()
        self.table = _native.ChainTable(
            chain_id=self.chain["chain_id"],
            parent_timestamp=self.chain["timestamp"],
            book=b"".join(self.chain["book"]),
            nonces=list(self.chain["nonces"].items()),
        )
        stored = json.loads(SEEDS.read_text())["transaction"]
        self.transactions = [(bytes.fromhex(sender), bytes.fromhex(raw)) for sender, raw in stored]
        self.seeds["proven"] = [self.dealt(random.Random(number), codec_reader.PROVEN) for number in range(8)]
        self.kinds = [kind for kind, share in SHARES.items() for _ in range(share)]

    def make(self, number):
        """(kind, input) of a mutation."""
        source = random.Random(number)
        kind = source.choice(self.kinds)
        raw = source.choice(self.seeds[kind])
        return kind, getattr(self, kind)(source, raw)

    def envelope(self, source, raw):
        """Of a leaf script: bytes, or operations dealt anew."""
        if source.random() < 0.4:
            return scramble(source, raw)
        script = b"\x20" + raw[1:33] + b"\xad"
        parts = [push(source) for _ in range(source.randrange(4))]
        dropped = b"".join(part + b"\x75" for part in parts)
        body = source.choice((b"\x00\x63" + b"".join(parts) + b"\x68", dropped))
        script += body + push(source) + b"\x75\x51"
        for _ in range(source.choice((0, 0, 1, 2))):
            at = source.randrange(33, len(script))
            script = script[:at] + bytes([source.choice(OPCODES)]) + script[at + source.randrange(2) :]
        return script

    def object(self, source, raw):
        """Of an object: bytes, or a batch whose hash fits its body again."""
        raw = scramble(source, raw)
        if raw[:2] == b"\x01\x01" and len(raw) > 216 and source.random() < 0.7:
            body_hash = hashlib.sha256(raw[2 + 118 + 96 :]).digest()
            raw = raw[: 2 + 85] + body_hash + raw[2 + 117 :]
            if source.random() < 0.5:
                at = 2 + source.choice((33, 41, 45, 49))
                raw = raw[:at] + source.choice(NUMBERS).to_bytes(4, "little") + raw[at + 4 :]
        return raw

    def block(self, source, raw):
        """Of a block: bytes, or reveals of mutated leaves under hashes that fit."""
        if source.random() < 0.5:
            return scramble(source, raw)
        pairs = []
        for salt in range(source.randrange(1, 4)):
            leaf = self.envelope(source, source.choice(self.seeds["envelope"]))
            control = source.choice(
                (l1_block.CONTROL_BLOCK, b"\xc1" + bytes(64), source.randbytes(source.randrange(70)))
            )
            stack = [[bytes(64), leaf, control], [leaf, control, b"\x50annex"], [leaf], [b"", b""]][source.randrange(4)]
            script = source.choice((l1_block.TAPROOT_SCRIPT, da_parser.FEE_SCRIPT))
            outputs = [l1_block.output(source.choice((0, 330, 10**15, 3 * 10**15)), script)]
            pairs.append(l1_block.transaction([stack, []][: source.randrange(1, 3)], outputs=outputs, salt=salt))
        pairs += pairs[-1:] * source.choice((0, 0, 0, 1, 2))
        made = l1_block.block(pairs, commit=source.random() < 0.9, reserved=bytes(source.choice((32, 32, 32, 31))))
        return scramble(source, made) if source.random() < 0.1 else made

    def proven(self, source, raw):
        """Of a body without signatures."""
        if source.random() < 0.15:
            return self.dealt(source, codec_reader.PROVEN)
        return self.changed(source, raw)

    def body(self, source, raw):
        """Of a body: totals, entropy, signatures."""
        if source.random() < 0.15:
            return self.encoded(source)
        return self.changed(source, raw)

    def changed(self, source, raw):
        way = source.uniform(0.15, 1)
        if way < 0.3:
            return scramble(source, raw)
        if way < 0.45:
            at, size = source.choice(((2, 4), (6, 4), (10, 4), (14, 8), (22, 4)))
            number = source.choice(NUMBERS)
            # What may expand to megabytes would keep the plain reader busy for minutes.
            number = number if at != 10 or number != 1 << 24 else 1 << 14
            return raw[:at] + number.to_bytes(size, "little") + raw[at + size :]
        size = int.from_bytes(raw[22:26], "little")
        entropy = scramble(source, raw[BLOCK_HEAD : BLOCK_HEAD + size])
        head = raw[:10] + source.choice((raw[10:14], (1 << 14).to_bytes(4, "little"))) + raw[14:22]
        return head + len(entropy).to_bytes(4, "little") + entropy + raw[BLOCK_HEAD + size :]

    def encoded(self, source):
        """A true body, one byte of its signatures changed."""
        raw = self.dealt(source, codec_reader.SIGNED)
        size = int.from_bytes(raw[22:26], "little")
        at = source.randrange(BLOCK_HEAD + size, len(raw) + 1)
        return raw[:at] + source.randbytes(1) + raw[at + 1 :] if at + 10 < len(raw) else raw

    def dealt(self, source, form):
        """A true body of transactions dealt at random."""
        dealt = [source.choice(self.transactions) for _ in range(source.randrange(8))]
        blocks, time = [], self.chain["timestamp"]
        for _ in range(source.randrange(1, 5)):
            time += source.choice((0, 2, 2, 2, 7, 1 << 40))
            own, dealt = dealt[:3], dealt[3:]
            blocks.append((time, source.random() < 0.3, BASE_FEES, own))
        return _native.encode_body(self.table, blocks, form=form)

    def judge(self, kind, raw):
        """Whether the input is valid; both must agree on that and on every value.

        Raises:
            Disagreement: They do not.
        """
        try:
            core = getattr(self, f"core_{kind}")(raw)
        except Invalid:
            core = None
        try:
            plain = getattr(self, f"plain_{kind}")(raw)
        except da_parser.Refused:
            plain = None
        if core != plain:
            raise Disagreement(f"{kind} {raw.hex()}: core {core!r}, plain {plain!r}")
        return core is not None

    def core_envelope(self, raw):
        return (_native.parse_envelope(raw),)

    def plain_envelope(self, raw):
        return (da_parser.envelope(raw),)

    def core_object(self, raw):
        return _native.parse_object(raw)

    def plain_object(self, raw):
        return da_parser.parse(raw)

    def core_block(self, raw):
        found = _native.scan_block(raw, TAG)
        fields = (
            "hash",
            "header",
            "previous",
            "time",
            "witness_root",
            "coinbase_value",
            "transaction_count",
            "ambiguous",
        )
        values = {name: getattr(found, name) for name in fields}
        values["relevant"] = [
            (each.index, each.txid, each.wtxid, each.fee_paid, [(at, body) for at, body, _ in each.objects])
            for each in found.relevant
        ]
        return values

    def plain_block(self, raw):
        return da_parser.scan(raw, TAG)

    def core_proven(self, raw):
        return self.core_body(raw, codec_reader.PROVEN)

    def plain_proven(self, raw):
        return self.plain_body(raw, codec_reader.PROVEN)

    def core_body(self, raw, form=codec_reader.SIGNED):
        count = int.from_bytes(raw[2:6], "little")
        found = _native.decode_body(self.table, min(count, 1 << 16), raw, form=form)
        return found.blocks, found.gas_limit, [self.core_raws(found, index) for index in range(count)]

    def core_raws(self, found, index):
        try:
            return found.transactions(index, BASE_FEES)
        except Invalid:
            return None

    def plain_body(self, raw, form=codec_reader.SIGNED):
        count = int.from_bytes(raw[2:6], "little")
        frames, rows, gas = codec_reader.decode(self.chain, min(count, 1 << 16), raw, form)
        return frames, gas, [self.plain_raws(each) for each in rows]

    def plain_raws(self, rows):
        try:
            return [codec_reader.raw(self.chain, row, BASE_FEES) for row in rows]
        except da_parser.Refused:
            return None


def push(source):
    """A push, usually in its minimal form."""
    size = source.choice((0, 1, 1, 2, 20, 74, 75, 76, 77, 254, 255, 256, 300, 519, 520, 521))
    pushed = source.randbytes(size)
    if size == 1 and source.random() < 0.7:
        pushed = bytes([source.choice((0, 1, 16, 17, 0x80, 0x81))])
    opcode = da_parser.minimal(pushed)
    if source.random() < 0.05:
        opcode = source.choice((0x4C, 0x4D, 0x4E, size & 0xFF))
    if opcode > 0x4E:
        return bytes([opcode])
    prefix = {0x4C: 1, 0x4D: 2, 0x4E: 4}.get(opcode, 0)
    return bytes([opcode]) + (size & (1 << 8 * prefix) - 1).to_bytes(prefix, "little") + pushed


def scramble(source, raw):
    """One to three changes of bytes."""
    for _ in range(source.choice((1, 1, 1, 2, 3))):
        at = source.randrange(len(raw) + 1)
        way = source.randrange(7)
        if way == 0 and raw:
            at %= len(raw)
            raw = raw[:at] + bytes([raw[at] ^ 1 << source.randrange(8)]) + raw[at + 1 :]
        elif way == 1:
            raw = raw[:at] + source.randbytes(1) + raw[at + 1 :]
        elif way == 2:
            raw = raw[:at] + source.randbytes(source.randrange(1, 9)) + raw[at:]
        elif way == 3:
            raw = raw[:at] + raw[at + source.randrange(1, 40) :]
        elif way == 4:
            raw = raw[:at]
        elif way == 5:
            size = source.choice((1, 2, 4, 8))
            number = source.choice(NUMBERS) & (1 << 8 * size) - 1
            raw = raw[:at] + number.to_bytes(size, "little") + raw[at + size :]
        else:
            size = source.randrange(1, 60)
            raw = raw[:at] + raw[at : at + size] + raw[at:]
    return raw


def run(first, count, progress=None):
    """Judge mutations `first` to `first + count − 1`: (judged by kind, valid by kind, digest of all verdicts)."""
    fuzzer, judged, valid, digest = Fuzzer(), Counter(), Counter(), hashlib.sha256()
    for number in range(first, first + count):
        kind, raw = fuzzer.make(number)
        try:
            holds = fuzzer.judge(kind, raw)
        except BaseException as error:
            error.add_note(f"mutation {number}, a {kind}: {raw.hex()}")
            raise
        judged[kind] += 1
        valid[kind] += holds
        digest.update(bytes([holds]))
        if progress and (number - first + 1) % 10_000 == 0:
            progress(number - first + 1, judged, valid)
    return judged, valid, digest.hexdigest()
