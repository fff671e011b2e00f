"""L1 blocks made by hand: regtest's work, no signatures, but every hash in its place.

For tests of what reads blocks. A chain that Bitcoin's own rules accept is `bitcoin.embedded`'s matter.
"""

import hashlib
from itertools import count

COMMITMENT_PREFIX = bytes.fromhex("6a24aa21a9ed")
TAPROOT_SCRIPT = b"\x51\x20" + bytes(32)
SIGNATURE = bytes(64)
CONTROL_BLOCK = b"\xc0" + bytes(32)
VERSION = (0x20000000).to_bytes(4, "little")
BITS = (0x207FFFFF).to_bytes(4, "little")
NULL_OUT_POINT = bytes(32) + b"\xff" * 4


def double_sha256(raw):
    return hashlib.sha256(hashlib.sha256(raw).digest()).digest()


def has_work(header):
    """Whether a header meets regtest's target: every second one does."""
    return double_sha256(header)[-1] < 0x80


def compact(value):
    if value < 0xFD:
        return bytes([value])
    size, mark = (2, 0xFD) if value < 1 << 16 else (4, 0xFE) if value < 1 << 32 else (8, 0xFF)
    return bytes([mark]) + value.to_bytes(size, "little")


def sized(raw):
    return compact(len(raw)) + raw


def output(value, script=TAPROOT_SCRIPT):
    return value.to_bytes(8, "little") + sized(script)


PLAIN_OUTPUT = output(330)


def transaction(witnesses, *, outputs=(PLAIN_OUTPUT,), salt=0, out_points=None, lock_time=0):
    """(bytes with witness, bytes without). One input a witness; an empty list of elements is an input without."""
    points = out_points or [
        salt.to_bytes(32, "little") + index.to_bytes(4, "little") for index in range(len(witnesses))
    ]
    inputs = compact(len(points)) + b"".join(point + b"\x00" + b"\xfd\xff\xff\xff" for point in points)
    body = inputs + compact(len(outputs)) + b"".join(outputs)
    version, lock = (2).to_bytes(4, "little"), lock_time.to_bytes(4, "little")
    bare = version + body + lock
    if not any(witnesses):
        return bare, bare
    stacks = b"".join(compact(len(stack)) + b"".join(map(sized, stack)) for stack in witnesses)
    return version + b"\x00\x01" + body + stacks + lock, bare


def reveal(leaf, *, tag=b"", fee_script=None, fee=0, before=(), annex=None):
    """A transaction whose last input reveals `leaf`, ground until its wtxid begins with `tag`."""
    stack = [SIGNATURE, leaf, CONTROL_BLOCK] + ([] if annex is None else [annex])
    outputs = [output(330)] + ([output(fee, fee_script)] if fee_script else [])
    salt = 0
    while True:
        found = transaction([*before, stack], outputs=outputs, salt=salt)
        if double_sha256(found[0]).startswith(tag):
            return found
        salt += 1


def merkle_root(level):
    while len(level) > 1:
        if len(level) % 2:
            level = [*level, level[-1]]
        level = [double_sha256(level[at] + level[at + 1]) for at in range(0, len(level), 2)]
    return level[0]


def block(
    transactions, *, commit=True, coinbase_outputs=None, reserved=bytes(32), previous=bytes(32), time=1_700_000_000
):
    """A block of (with witness, without) pairs under a coinbase of 50 bitcoin.

    Args:
        commit: Whether the coinbase commits to the witnesses.
        coinbase_outputs: In place of the usual two; `None` in it stands for the true commitment.
        reserved: The coinbase's witness element.
    """
    witness_root = merkle_root([bytes(32)] + [double_sha256(full) for full, _ in transactions])
    commitment = output(0, COMMITMENT_PREFIX + double_sha256(witness_root + reserved))
    outputs = coinbase_outputs or [output(50 * 10**8), *([None] if commit else [])]
    coinbase = transaction(
        [[reserved] if None in outputs else []],
        outputs=[commitment if each is None else each for each in outputs],
        out_points=[NULL_OUT_POINT],
    )
    return assemble([coinbase, *transactions], previous=previous, time=time)


def assemble(transactions, *, previous=bytes(32), time=1_700_000_000):
    """A block of exactly these pairs, with the header that they hash to."""
    root = merkle_root([double_sha256(bare) for _, bare in transactions])
    fields = VERSION + previous + root + time.to_bytes(4, "little") + BITS
    header = next(found for nonce in count() if has_work(found := fields + nonce.to_bytes(4, "little")))
    return header + compact(len(transactions)) + b"".join(full for full, _ in transactions)
