"""A plain, slow reader of batch bodies, written from docs/spec/da.md alone: the oracle of `crates/core/src/codec`.

It only decodes, shares no code with the project, and looks sums up one by one. `Refused` as in `da_parser`.
"""

from tests.reference.da_parser import Bytes, Refused, need

U32, U64 = (1 << 32) - 1, (1 << 64) - 1


class Coder:
    """The range decoder."""

    def __init__(self, raw):
        self.raw, self.at, self.code, self.range = raw, 0, 0, U32
        for _ in range(4):
            self.shift()

    def shift(self):
        byte = self.raw[self.at] if self.at < len(self.raw) else 0
        self.at += 1
        self.code = (self.code << 8 | byte) & U32

    def renormalise(self):
        while self.range < 1 << 24:
            self.range = self.range << 8 & U32
            self.shift()

    def bit(self, one):
        bound = self.range * one >> 16
        if self.code < bound:
            self.range, found = bound, 1
        else:
            self.code -= bound
            self.range, found = self.range - bound, 0
        self.renormalise()
        return found

    def direct(self, count):
        value = 0
        while count:
            part = min(count, 16)
            count -= part
            self.range >>= part
            found = min(self.code // self.range, (1 << part) - 1)
            self.code -= found * self.range
            self.renormalise()
            value = value << part | found
        return value


class Bit:
    def __init__(self):
        self.one, self.met = 32_768, 0

    def probability(self):
        return max(32, min(65_504, self.one))

    def learn(self, bit, memory):
        self.one += ((65_535 if bit else 0) - self.one) * (131_072 // (2 * self.met + 3) >> 1) >> 15
        self.met = min(self.met + 1, memory)

    def read(self, coder):
        bit = coder.bit(self.probability())
        self.learn(bit, 127)
        return bit


class Symbol:
    def __init__(self, bits):
        self.bits, self.nodes = bits, {}

    def read(self, coder):
        node = 1
        for _ in range(self.bits):
            node = node << 1 | self.nodes.setdefault(node, Bit()).read(coder)
        return node - (1 << self.bits)


class Flags:
    def __init__(self):
        self.bits = {}

    def read(self, coder, context=0):
        return bool(self.bits.setdefault(context, Bit()).read(coder))


class Integer:
    def __init__(self):
        self.length, self.heads = Symbol(7), {}

    def read(self, coder):
        length = self.length.read(coder)
        need(length <= 64, "integer")
        if length < 2:
            return length
        headed = min(length - 1, 3)
        head = self.heads.setdefault(length, Symbol(3)).read(coder) >> (3 - headed)
        rest = length - 1 - headed
        return (1 << headed | head) << rest | coder.direct(rest)

    def read_signed(self, coder):
        folded = self.read(coder)
        return -(folded >> 1) - 1 if folded & 1 else folded >> 1


class Decimal:
    def __init__(self):
        self.magnitude, self.significant, self.digits = Symbol(7), Symbol(7), {}

    def read(self, coder):
        magnitude = self.magnitude.read(coder)
        if magnitude == 0:
            return 0
        need(magnitude <= 78, "magnitude")
        significant = self.significant.read(coder)
        need(1 <= significant <= magnitude, "significant")
        value = 0
        for place in range(significant):
            context = min(significant, 7), min(place, 7)
            digit = self.digits.setdefault(context, Symbol(4)).read(coder)
            need(digit <= 9, "digit")
            value = value * 10 + digit
        value *= 10 ** (magnitude - significant)
        need(value < 1 << 256, "amount")
        return value


class Repeated:
    def __init__(self, bits=256):
        self.slot, self.values, self.next, self.other, self.bits = Symbol(5), [], 0, Decimal(), bits

    def read(self, coder):
        place = self.slot.read(coder)
        if place < 31:
            need(place < len(self.values), "place")
            value = self.values[place]
        else:
            value = self.other.read(coder)
            if len(self.values) < 31:
                self.values.append(value)
            else:
                self.values[self.next] = value
                self.next = (self.next + 1) % 31
        need(value < 1 << self.bits, "amount")
        return value


class Frequency:
    def __init__(self):
        self.weights = []

    def read(self, coder):
        total = sum(self.weights)
        need(total > 0, "no address")
        unit = coder.range // total
        target = min(coder.code // unit, total - 1)
        start, found = 0, 0
        while start + self.weights[found] <= target:
            start += self.weights[found]
            found += 1
        coder.code -= unit * start
        coder.range = unit * self.weights[found]
        coder.renormalise()
        return found

    def count(self, found):
        self.weights += [0] * (found + 1 - len(self.weights))
        self.weights[found] += 2 if self.weights[found] else 1
        if sum(self.weights) >= 1 << 16:
            self.weights = [(weight + 1) // 2 for weight in self.weights]


SENDER, RECIPIENT, MENTIONED = range(3)


class Addresses:
    def __init__(self, apart, book):
        self.apart, self.book, self.known = apart, book, []
        self.together, self.roles = Frequency(), [Frequency() for _ in range(3)]
        self.sources, self.indices = [Symbol(2) for _ in range(3)], Integer()

    def read(self, coder, role):
        source = self.sources[role].read(coder)
        if source == 0:
            found = self.roles[role].read(coder)
        elif source == 1:
            found = self.together.read(coder)
        else:
            found = len(self.known)
            if source == 2:
                index = self.indices.read(coder)
                need(index < len(self.book), "book")
                self.known.append(self.book[index])
            else:
                self.known.append(b"".join(coder.direct(32).to_bytes(4, "big") for _ in range(5)))
        self.together.count(found)
        if self.apart:
            self.roles[role].count(found)
        return found


# fmt: off
SQUASH = [1, 2, 3, 6, 10, 16, 27, 45, 73, 120, 194, 310, 488, 747, 1101, 1546, 2047, 2549, 2994, 3348, 3607, 3785, 3901,
          3975, 4024, 4050, 4068, 4079, 4085, 4089, 4092, 4093, 4094]
# fmt: on


def squash(x):
    if x > 2047:
        return 4095
    if x < -2047:
        return 0
    at, part = (x >> 7) + 16, x & 127
    return (SQUASH[at] * (128 - part) + SQUASH[at + 1] * part + 64) >> 7


def stretches():
    table = []
    for x in range(-2047, 2048):
        table += [x] * (squash(x) + 1 - len(table))
    return table + [2047] * (4096 - len(table))


STRETCH = stretches()


def mix(seed, context):
    return ((context * 0x2C1B3C6D & U32) ^ (seed * 0x297A2D39 & U32)) * 0x9E3779B1 & U32


class Mixed:
    """Bytes without a column of their own."""

    def __init__(self):
        self.history, self.tables, self.matches = bytearray(), [{} for _ in range(5)], {}
        self.last, self.weights, self.match_at, self.match_length = {}, {}, 0, 0

    def ago(self, back):
        return self.history[-back] if back <= len(self.history) else 0

    def read(self, coder, size):
        found = bytearray()
        for place in range(size):
            need(coder.at <= len(coder.raw), "entropy")
            found.append(self.byte(coder, place % 32))
        return bytes(found)

    def byte(self, coder, column):
        one, two, three, four = (self.ago(back) for back in (1, 2, 3, 4))
        recent = (one, two << 8 | one, three << 16 | two << 8 | one, four << 24 | three << 16 | two << 8 | one)
        seeds = [mix(order, context) for order, context in enumerate(recent, 1)]
        seeds.append(mix(5, self.ago(32) << 8 | column))
        expected = self.history[self.match_at] if self.match_length else None
        weights = self.weights.setdefault(min(self.match_length, 15), [20_000] * 6)
        partial, lines = 1, []
        for place in range(7, -1, -1):
            if place % 4 == 3:
                lines = [((seed + partial * 0x9E3779B1) & U32) >> 20 for seed in seeds]
                half = partial
            node = partial if place > 3 else partial - (half << (3 - place)) + (1 << (3 - place))
            models = [self.tables[context].setdefault((line, node), Bit()) for context, line in enumerate(lines)]
            inputs = [STRETCH[model.probability() >> 4] for model in models] + [0]
            guess = None
            if expected is not None and (expected | 256) >> (place + 1) == partial:
                guess = expected >> place & 1
                match = self.matches.setdefault(self.match_length, Bit())
                sure = STRETCH[match.probability() >> 4]
                inputs[5] = sure if guess else -sure
            total = sum(input_ * weight for input_, weight in zip(inputs, weights, strict=True)) >> 16
            mixed = squash(max(-2047, min(2047, total)))
            bit = coder.bit(max(32, min(65_504, mixed * 16 + 8)))
            miss = ((bit << 12) - mixed) * 6
            for at, input_ in enumerate(inputs):
                weights[at] = max(-(1 << 20), min(1 << 20, weights[at] + (input_ * miss + 0x2000 >> 14)))
            for model in models:
                model.learn(bit, 30)
            if guess is not None:
                match.learn(bit == guess, 30)
            partial = partial << 1 | bit
        self.remember(partial & 255)
        return partial & 255

    def remember(self, byte):
        if self.match_length and self.history[self.match_at] == byte:
            self.match_at += 1
            self.match_length = min(self.match_length + 1, 31)
        else:
            self.match_length = 0
        self.history.append(byte)
        if len(self.history) < 4:
            return
        slot = mix(6, self.ago(4) << 24 | self.ago(3) << 16 | self.ago(2) << 8 | self.ago(1)) >> 16
        if self.match_length == 0:
            self.match_at = self.last.get(slot, 0)
            while self.match_length < min(self.match_at, 31) and (
                self.history[self.match_at - 1 - self.match_length] == self.history[-1 - self.match_length]
            ):
                self.match_length += 1
        self.last[slot] = len(self.history)


class Template:
    def __init__(self, selector):
        self.selector, self.size, self.gas = selector, 4, 0
        self.classes, self.last = [Symbol(3) for _ in range(16)], [bytes(32)] * 16


NUMBER, ADDRESS, SAME, BYTES, REPEAT, OWN, TIME = range(7)
DYNAMIC, LEGACY, LISTED, SET_CODE, UNPROTECTED = range(5)
SIGNED, PROVEN = range(2)


class Columns:
    """Everything that is learned in one batch."""

    def __init__(self, chain, apart, budget, form):
        self.chain, self.budget, self.form = chain, budget, form
        self.addresses = Addresses(apart, chain["book"])
        self.timestamp, self.interval, self.kind = chain["timestamp"], 0, 0
        self.flags = {}
        self.integers = {}
        self.kinds = [Symbol(3) for _ in range(5)]
        self.next_nonce, self.last_recipient, self.called = {}, {}, {}
        self.values = [Decimal() for _ in range(3)]
        self.gas = [Repeated(64) for _ in range(3)]
        self.fees = [{"formula": Symbol(2), "age": Symbol(4), "tip": Repeated(128), "cap": Repeated(128)} for _ in "ab"]
        self.templates, self.next_template, self.habit, self.place = [], 0, {}, Symbol(8)
        self.decimals = [Decimal() for _ in range(64)]
        self.recent, self.next_recent, self.repeat = [], 0, Symbol(6)
        self.bytes, self.authorization_chain = Mixed(), Symbol(2)

    def flag(self, coder, name, context=0):
        return self.flags.setdefault(name, Flags()).read(coder, context)

    def integer(self, coder, name):
        return self.integers.setdefault(name, Integer()).read(coder)

    def spend(self, size):
        need(size <= self.budget, "declares")
        self.budget -= size
        return size

    def frame(self, coder):
        if not self.flag(coder, "same interval"):
            self.interval = self.integer(coder, "interval")
        self.timestamp += self.interval
        need(self.timestamp <= U64, "timestamp")
        return self.timestamp, self.flag(coder, "step"), self.integer(coder, "count")

    def row(self, coder):
        self.kind = self.kinds[self.kind].read(coder)
        kind = self.kind
        need(kind <= UNPROTECTED, "kind")
        sender = self.addresses.read(coder, SENDER)
        found = {"kind": kind, "sender": self.addresses.known[sender]}
        found["nonce"] = self.nonce(coder, sender)
        recipient = self.recipient(coder, kind, sender)
        found["to"] = b"" if recipient is None else self.addresses.known[recipient]
        found["input"], template = self.input(coder, found["sender"], recipient)
        shape = 2 if recipient is None else int(bool(found["input"]))
        found["value"] = self.values[shape].read(coder)
        found["gas"] = self.gas_limit(coder, shape, template)
        found["fee"] = self.fee(coder, int(kind in (DYNAMIC, SET_CODE)))
        found["access"] = self.access(coder, kind) if kind in (DYNAMIC, LISTED, SET_CODE) else []
        found["authorizations"] = self.authorizations(coder) if kind == SET_CODE else []
        return found

    def nonce(self, coder, sender):
        known = self.next_nonce.get(sender)
        expected = self.chain["nonces"].get(self.addresses.known[sender], 0) if known is None else known
        if not self.flag(coder, "nonce"):
            expected = expected + self.integers.setdefault("nonce", Integer()).read_signed(coder) & U64
        self.next_nonce[sender] = expected + 1 & U64
        return expected

    def recipient(self, coder, kind, sender):
        if kind == UNPROTECTED or (kind != SET_CODE and self.flag(coder, "creation", kind)):
            return None
        if sender in self.last_recipient and self.flag(coder, "same recipient"):
            return self.last_recipient[sender]
        found = self.addresses.read(coder, RECIPIENT)
        self.last_recipient[sender] = found
        return found

    def input(self, coder, sender, recipient):
        context = 3 if recipient is None else self.called.get(recipient, 0)
        present = self.flag(coder, "input", context)
        if recipient is not None:
            self.called[recipient] = 2 if present else 1
        if not present:
            return b"", None
        if self.flag(coder, "raw", recipient is None) or recipient is None:
            return self.bytes.read(coder, self.spend(self.integer(coder, "raw size"))), None
        at = self.selector(coder, recipient)
        template = self.templates[at]
        size = template.size if self.flag(coder, "same size") else self.integer(coder, "size")
        self.spend(size)
        need(size >= 4, "selector")
        template.size = size
        words = [self.word(coder, sender, at, place) for place in range((size - 4) // 32)]
        return template.selector + b"".join(words) + self.bytes.read(coder, (size - 4) % 32), template

    def selector(self, coder, recipient):
        if recipient in self.habit and self.flag(coder, "habit"):
            return self.habit[recipient]
        at = self.place.read(coder)
        if at == 255:
            template = Template(coder.direct(32).to_bytes(4, "big"))
            if len(self.templates) < 255:
                at = len(self.templates)
                self.templates.append(template)
            else:
                at, self.next_template = self.next_template, (self.next_template + 1) % 255
                self.templates[at] = template
        need(at < len(self.templates), "selector")
        self.habit[recipient] = at
        return at

    def word(self, coder, sender, at, place):
        template, place = self.templates[at], min(place, 15)
        kind = template.classes[place].read(coder)
        if kind == NUMBER:
            word = self.decimals[(at * 16 + place) % 64].read(coder).to_bytes(32, "big")
        elif kind == ADDRESS:
            word = self.addresses.known[self.addresses.read(coder, MENTIONED)].rjust(32, b"\0")
        elif kind == SAME:
            word = template.last[place]
        elif kind == BYTES:
            word = self.bytes.read(coder, 32)
            if len(self.recent) < 63:
                self.recent.append(word)
            else:
                self.recent[self.next_recent] = word
                self.next_recent = (self.next_recent + 1) % 63
        elif kind == REPEAT:
            found = self.repeat.read(coder)
            need(found < len(self.recent), "word")
            word = self.recent[found]
        elif kind == OWN:
            word = sender.rjust(32, b"\0")
        else:
            need(kind == TIME, "class")
            near = self.integers.setdefault("time", Integer()).read_signed(coder)
            word = (self.timestamp + near & U64).to_bytes(32, "big")
        template.last[place] = word
        return word

    def gas_limit(self, coder, shape, template):
        if template is None:
            return self.gas[shape].read(coder)
        if not self.flag(coder, "same gas"):
            template.gas = self.gas[shape].read(coder)
        return template.gas

    def fee(self, coder, dynamic):
        columns = self.fees[dynamic]
        formula = columns["formula"].read(coder)
        if formula < 3:
            age = columns["age"].read(coder)
            need(age <= 10, "age")
            return formula, age, columns["tip"].read(coder)
        cap = columns["cap"].read(coder)
        return formula, cap, columns["tip"].read(coder) if dynamic else cap

    def access(self, coder, kind):
        if not self.flag(coder, "listed", kind):
            return []
        size = self.integer(coder, "entries")
        self.spend(size * 32)
        found = []
        for _ in range(size):
            address = self.addresses.known[self.addresses.read(coder, MENTIONED)]
            count = self.integer(coder, "keys")
            self.spend(count * 32)
            found.append([address, [self.key(coder) for _ in range(count)]])
        return found

    def key(self, coder):
        if self.flag(coder, "small key"):
            return self.decimals[63].read(coder).to_bytes(32, "big")
        return self.bytes.read(coder, 32)

    def authorizations(self, coder):
        size = self.integer(coder, "authorizations")
        self.spend(size * 160)
        found = []
        for _ in range(size):
            kind = self.authorization_chain.read(coder)
            need(kind <= 2, "chain")
            chain = (0, self.chain["chain_id"], None)[kind]
            chain = coder.direct(256) if chain is None else chain
            address = self.addresses.known[self.addresses.read(coder, MENTIONED)]
            nonce = self.integer(coder, "authorization nonce")
            if self.form == PROVEN:
                authority = b""
                if self.flag(coder, "authority"):
                    authority = self.addresses.known[self.addresses.read(coder, SENDER)]
                found.append([chain, address, nonce, authority])
                continue
            parity = self.integer(coder, "parity")
            need(parity <= 255, "parity")
            found.append([chain, address, nonce, parity, coder.direct(256), coder.direct(256)])
        return found


# --- bodies --------------------------------------------------------------------------------------


def decode(chain, block_count, body, form=SIGNED):
    """(frames, rows of each block, gas limit). `chain`: chain_id, timestamp, book (a list), nonces (a dict)."""
    source = Bytes(body)
    need(source.number(1) == 1, "version")
    flags = source.number(1)
    need(flags <= 1, "flags")
    blocks, count, expanded, gas = (source.number(size) for size in (4, 4, 4, 8))
    need(1 <= blocks <= 10_000 and blocks == block_count, "blocks")
    need(expanded <= 32 << 20 and gas <= 10_000_000_000, "limits")
    need(32 * blocks + 200 * count <= expanded, "declares")
    entropy = source.take(source.number(4))
    kept = count if form == SIGNED else 0
    signatures = [source.take(64) for _ in range(kept)] if kept * 64 <= source.left() else need(False, "truncated")
    parities = int.from_bytes(source.take((kept + 7) // 8), "little")
    need(source.left() == 0 and parities >> kept == 0, "trailing")
    coder, columns = Coder(entropy), Columns(chain, flags == 1, expanded, form)
    frames, rows, total = [], [], 0
    for _ in range(blocks):
        columns.spend(32)
        frame = columns.frame(coder)
        frames.append(frame)
        need(total + frame[2] <= count, "transactions")
        rows.append([])
        for _ in range(frame[2]):
            columns.spend(200)
            row = columns.row(coder)
            if form == SIGNED:
                row["signature"], row["odd"] = signatures[total], parities >> total & 1
            rows[-1].append(row)
            total += 1
            need(coder.at <= len(entropy), "entropy")
    need(coder.at == len(entropy) and total == count and columns.budget == 0, "declares")
    need(sum(min(row["gas"], 1 << 24) for each in rows for row in each) == gas, "gas")
    return frames, rows, gas


def raw(chain, row, base_fees):
    """EIP-2718 bytes of a row; in the proven form 0x7f, the sender and what was signed, makers for signatures."""
    formula, first, tip = row["fee"]
    cap = first
    dynamic = row["kind"] in (DYNAMIC, SET_CODE)
    if formula < 3:
        need(first < len(base_fees), "base fee")
        cap = base_fees[first] * (20, 10, 12)[formula] // 10 + tip
        need(cap < 1 << 128, "fee")
    proven = "signature" not in row
    if not proven:
        r, s = (int.from_bytes(row["signature"][at : at + 32], "big") for at in (0, 32))
    fees = [tip, cap] if dynamic else [cap]
    fields = [row["nonce"], *fees, row["gas"], row["to"], row["value"], row["input"]]
    if proven and row["kind"] in (UNPROTECTED, LEGACY):
        return b"\x7f" + row["sender"] + rlp(fields + ([chain["chain_id"], 0, 0] if row["kind"] == LEGACY else []))
    if row["kind"] == UNPROTECTED:
        return rlp([*fields, 27 + row["odd"], r, s])
    if row["kind"] == LEGACY:
        return rlp([*fields, 35 + 2 * chain["chain_id"] + row["odd"], r, s])
    fields = [chain["chain_id"], *fields, row["access"]]
    if row["kind"] == SET_CODE:
        fields.append(row["authorizations"])
    number = bytes([{LISTED: 1, DYNAMIC: 2, SET_CODE: 4}[row["kind"]]])
    if proven:
        return b"\x7f" + row["sender"] + number + rlp(fields)
    return number + rlp([*fields, row["odd"], r, s])


def rlp(item):
    if isinstance(item, list):
        body = b"".join(rlp(each) for each in item)
        return length(len(body), 0xC0) + body
    found = item.to_bytes((item.bit_length() + 7) // 8, "big") if isinstance(item, int) else item
    return found if len(found) == 1 and found[0] < 0x80 else length(len(found), 0x80) + found


def length(size, offset):
    if size < 56:
        return bytes([offset + size])
    found = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([offset + 55 + len(found)]) + found


__all__ = ["Refused", "decode", "raw"]
