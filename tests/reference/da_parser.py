"""A plain, slow parser of data on Bitcoin, written from docs/spec/da.md alone: the oracle of `crates/core`.

It shares no code with the project. `Refused` carries the rule in the spec's words; which rule is named first where
several are broken is not part of the contract, whether the bytes are refused is.
"""

import hashlib
from dataclasses import dataclass

FEE_SCRIPT = bytes.fromhex("512050929b74c1a04954b78b4b6035e97a5e078a5a0f28ec96d547bfee9ace803ac0")


class Refused(Exception):
    """The bytes break a rule."""


def need(holds, rule):
    if not holds:
        raise Refused(rule)


def sha(raw):
    return hashlib.sha256(raw).digest()


def twice(raw):
    return sha(sha(raw))


def tagged(tag, raw):
    return sha(sha(tag.encode()) * 2 + raw)


class Bytes:
    """Bytes taken from the front."""

    def __init__(self, raw):
        self.raw, self.at = bytes(raw), 0

    def left(self):
        return len(self.raw) - self.at

    def take(self, count):
        need(count <= self.left(), "truncated")
        self.at += count
        return self.raw[self.at - count : self.at]

    def number(self, size):
        return int.from_bytes(self.take(size), "little")

    def compact(self):
        first = self.number(1)
        if first < 0xFD:
            return first
        size = {0xFD: 2, 0xFE: 4, 0xFF: 8}[first]
        value = self.number(size)
        need(value >= {2: 0xFD, 4: 1 << 16, 8: 1 << 32}[size], "compact size")
        return value

    def count(self, unit):
        value = self.compact()
        need(value * unit <= self.left(), "truncated")
        return value

    def sized(self):
        return self.take(self.compact())

    def rest(self):
        return self.take(self.left())


# --- blocks --------------------------------------------------------------------------------------


@dataclass
class Tx:
    txid: bytes
    wtxid: bytes
    size: int
    prevouts: list
    outputs: list
    witnesses: list


def transaction(source):
    start = source.at
    version = source.take(4)
    body_start = source.at
    inputs = source.compact()
    segwit = inputs == 0
    if segwit:
        need(source.number(1) == 1, "flag")
        body_start = source.at
        inputs = source.compact()
    need(0 < inputs <= source.left() // 41, "inputs")
    prevouts = []
    for _ in range(inputs):
        prevouts.append(source.take(36))
        source.sized()
        source.take(4)
    outputs = []
    count = source.count(9)
    need(count > 0, "outputs")
    for _ in range(count):
        value = source.number(8)
        outputs.append((value, source.sized()))
    need(sum(value for value, _ in outputs) <= 21_000_000 * 10**8, "values")
    body = source.raw[body_start : source.at]
    witnesses = [[] for _ in prevouts]
    if segwit:
        witnesses = [[source.sized() for _ in range(source.count(1))] for _ in prevouts]
        need(any(witnesses), "empty witnesses")
    lock_time = source.take(4)
    txid = twice(version + body + lock_time)
    wtxid = twice(source.raw[start : source.at]) if segwit else txid
    return Tx(txid, wtxid, 8 + len(body), prevouts, outputs, witnesses)


def merkle(level):
    while len(level) > 1:
        above = []
        for at in range(0, len(level), 2):
            left = level[at]
            right = level[at + 1] if at + 1 < len(level) else None
            need(left != right, "doubled")
            above.append(twice(left + (left if right is None else right)))
        level = above
    return level[0]


def scan(raw, tag):
    """The values of a `BlockScan` as a dictionary."""
    need(len(raw) <= 4_000_000, "too long")
    source = Bytes(raw)
    header = source.take(80)
    transactions = [transaction(source) for _ in range(source.count(60))]
    need(source.left() == 0, "trailing")
    need(transactions, "no transaction")
    for index, tx in enumerate(transactions):
        coinbase = tx.prevouts == [bytes(32) + b"\xff" * 4]
        need(coinbase == (index == 0), "coinbase")
    need(merkle([tx.txid for tx in transactions]) == header[36:68], "merkle root")
    root = witness_root(transactions)
    relevant = []
    for index, tx in enumerate(transactions):
        if root is not None and index and tx.wtxid.startswith(tag):
            fee = sum(value for value, script in tx.outputs if script == FEE_SCRIPT)
            relevant.append((index, tx.txid, tx.wtxid, fee, carried(tx)))
    return {
        "hash": twice(header),
        "header": header,
        "previous": header[4:36],
        "time": int.from_bytes(header[68:72], "little"),
        "witness_root": root or bytes(32),
        "coinbase_value": sum(value for value, _ in transactions[0].outputs),
        "transaction_count": len(transactions),
        "ambiguous": [index for index, tx in enumerate(transactions) if tx.size == 64],
        "relevant": relevant,
    }


def witness_root(transactions):
    coinbase = transactions[0]
    commitments = [
        script for _, script in coinbase.outputs if len(script) >= 38 and script[:6] == bytes.fromhex("6a24aa21a9ed")
    ]
    if not commitments:
        need(not any(any(tx.witnesses) for tx in transactions), "witness without commitment")
        return None
    need([len(item) for item in coinbase.witnesses[0]] == [32], "reserved value")
    root = merkle([bytes(32)] + [tx.wtxid for tx in transactions[1:]])
    need(twice(root + coinbase.witnesses[0][0]) == commitments[-1][6:38], "witness commitment")
    return root


def carried(tx):
    """(input, body or None) of each input that spends by a leaf."""
    found = []
    for index, stack in enumerate(tx.witnesses):
        script = leaf(stack)
        if script is not None:
            try:
                found.append((index, envelope(script)))
            except Refused:
                found.append((index, None))
    return found


def leaf(stack):
    if len(stack) >= 2 and stack[-1][:1] == b"\x50":
        stack = stack[:-1]
    if len(stack) < 2:
        return None
    control = stack[-1]
    shaped = len(control) >= 33 and (len(control) - 33) % 32 == 0 and (len(control) - 33) // 32 <= 128
    return stack[-2] if shaped and control[0] & 0xFE == 0xC0 else None


# --- envelopes -----------------------------------------------------------------------------------


def operations(script):
    """(opcode, pushed bytes or None) of a whole script; every push must be minimal."""
    source, found = Bytes(script), []
    while source.left():
        opcode = source.number(1)
        if opcode <= 0x4B:
            pushed = source.take(opcode)
        elif opcode == 0x4C:
            pushed = source.take(source.number(1))
        elif opcode == 0x4D:
            pushed = source.take(source.number(2))
        elif opcode == 0x4F:
            pushed = b"\x81"
        elif 0x51 <= opcode <= 0x60:
            pushed = bytes([opcode - 0x50])
        else:
            found.append((opcode, None))
            continue
        need(minimal(pushed) == opcode, "push is not minimal")
        found.append((opcode, pushed))
    return found


def minimal(pushed):
    if len(pushed) == 1 and 1 <= pushed[0] <= 16:
        return 0x50 + pushed[0]
    if pushed == b"\x81":
        return 0x4F
    if len(pushed) <= 75:
        return len(pushed)
    return 0x4C if len(pushed) <= 255 else 0x4D


def envelope(script):
    ops = operations(script)
    need(len(ops) >= 5, "too short")
    need(ops[0][0] == 32 and ops[1][0] == 0xAD, "key")
    need(ops[-3][1] is not None and ops[-2][0] == 0x75 and ops[-1][0] == 0x51, "nonce")
    inner, nonce = ops[2:-3], ops[-3][1]
    if len(inner) >= 3 and inner[0][0] == 0x00 and inner[1][0] == 0x63:
        need(inner[-1][0] == 0x68, "OP_ENDIF")
        pushes, limit = [pushed for _, pushed in inner[2:-1]], 520
    else:
        need(len(inner) % 2 == 0 and all(opcode == 0x75 for opcode, _ in inner[1::2]), "OP_DROP")
        pushes, limit = [pushed for _, pushed in inner[0::2]], 255
    need(all(pushed is not None and len(pushed) <= limit for pushed in [*pushes, nonce]), "pushes")
    body = b"".join(pushes)
    need(len(body) <= 390_000, "body")
    return body


# --- objects -------------------------------------------------------------------------------------


def parse(raw):
    """An object as a tuple: kind, then its fields in wire order."""
    need(len(raw) <= 4 << 20, "size")
    source = Bytes(raw)
    need(source.number(1) == 1, "version")
    kind = source.number(1)
    need(kind in KINDS, "kind")
    found = (kind, *KINDS[kind](source))
    need(source.left() == 0, "trailing")
    return found


def batch(source):
    header = (
        source.number(1),
        source.take(32),
        source.number(8),
        source.number(4),
        source.number(4),
        source.number(4),
        source.take(32),
        source.take(32),
        source.number(1),
    )
    _, _, first_height, block_count, first_origin, last_origin, _, body_hash, form = header
    need(1 <= block_count <= 10_000, "blocks")
    need(first_height >= 1 and first_height + block_count < 1 << 64, "height")
    need(0 <= last_origin - first_origin < block_count, "origins")
    need(form in (0, 1), "form")
    key, signature, body = source.take(32), source.take(64), source.rest()
    need(sha(body) == body_hash, "body hash")
    return header, key, signature, body


def commitment(source):
    found = (source.take(32), source.take(32), source.number(4), source.number(4), source.take(32), source.take(64))
    need(found[2] >= 1, "blocks")
    return found


def forced(source):
    return source.number(1), source.rest()


def chunk(source):
    root, index, count = source.take(32), source.number(1), source.number(1)
    need(2 <= count <= 16 and index < count, "index")
    neighbours, at, width = [], index, count
    while width > 1:
        neighbours.append((at % 2, source.take(32)) if at ^ 1 < width else None)
        at, width = at // 2, (width + 1) // 2
    part = source.rest()
    need(part, "empty")
    node = tagged("bedroll/chunk", part)
    for step in neighbours:
        if step is not None:
            right, other = step
            node = tagged("bedroll/chunk-node", other + node if right else node + other)
    need(tagged("bedroll/series", bytes([count]) + node) == root, "root")
    return root, index, count, [step[1] for step in neighbours if step], part


def proof(source):
    statement, system, size = source.number(1), source.number(1), source.number(2)
    need(statement in (1, 2), "statement")
    need(1 <= size <= 1_024, "public values")
    values, shown = source.take(size), source.rest()
    need(system in (1, 2), "system")
    need(len(shown) == 356 if system == 1 else 1 <= len(shown) <= 2 << 20, "proof")
    return statement, system, values, shown


def rotate(source):
    return source.number(1), source.number(4), source.take(32), source.take(64)


def upgrade(source):
    return source.number(1), source.number(4), source.take(32), source.number(4), source.take(64), source.take(64)


KINDS = {1: batch, 2: commitment, 3: forced, 4: chunk, 5: proof, 6: rotate, 7: upgrade}


def series(chunks):
    """The object that chunks, as `parse` gives them, make; None unless complete."""
    parts = {found[2]: found[5] for found in chunks}
    if not chunks or len({(found[1], found[3]) for found in chunks}) != 1 or len(parts) != chunks[0][3]:
        return None
    raw = b"".join(parts[index] for index in range(chunks[0][3]))
    need(len(raw) <= 4 << 20, "size")
    return raw
