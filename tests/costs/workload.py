"""The workloads whose price is committed: W1 transfers, W2 the same to fresh addresses, W3 tokens, W4 a mix.

Deterministic: a seed and nothing else. Accounts stand in the AddressBook in an order that says nothing about how often
they are used (the dear case); signatures are random bytes, which is what signatures look like to a codec.
"""

import bisect
import hashlib
import itertools
import random
from dataclasses import dataclass

CHAIN_ID = 21_000_102
GWEI = 10**9
PARENT_TIMESTAMP = 1_800_000_000
BLOCK_TIME_SECONDS = 2
BLOCKS = 1_800
TRANSACTIONS = 20_000
ACCOUNTS = 1_000_000
TOKENS = 1_000
TRANSFER_SELECTOR = bytes.fromhex("a9059cbb")
SWAP_SELECTOR = bytes.fromhex("38ed1739")
ORIGIN_EVERY_BLOCKS = 300


@dataclass(frozen=True)
class Workload:
    """Blocks as the codec takes them, and the chain at their parent.

    Attributes:
        book: Addresses of the AddressBook, joined.
        nonces: (address, nonce) of accounts that have sent.
        blocks: (timestamp, origin step, base fees newest first, [(sender, raw)]).
    """

    book: bytes
    nonces: list[tuple[bytes, int]]
    blocks: list[tuple[int, bool, list[int], list[tuple[bytes, bytes]]]]

    @property
    def transactions(self) -> int:
        """How many."""
        return sum(len(block[3]) for block in self.blocks)


class Zipf:
    """Ranks 0 to n − 1 with probability in proportion to 1 / (rank + 1)^exponent."""

    def __init__(self, count: int, exponent: float) -> None:
        self._sums = list(itertools.accumulate((rank + 1) ** -exponent for rank in range(count)))

    def draw(self, source: random.Random) -> int:
        """One rank."""
        return bisect.bisect(self._sums, source.random() * self._sums[-1])


class Maker:
    """Makes transactions of one workload."""

    def __init__(self, seed: int, accounts: int) -> None:
        self.source = random.Random(seed)
        self.book = self.source.randbytes(20 * accounts)
        self.order = list(range(accounts))
        self.source.shuffle(self.order)
        self.crowd = Zipf(accounts, 1.0)
        self.tokens = Zipf(TOKENS, 1.2)
        self.token_addresses = [self.source.randbytes(20) for _ in range(TOKENS)]
        self.start = {}
        self.next = {}

    def account(self) -> bytes:
        """A known account, popular ones more often."""
        at = self.order[self.crowd.draw(self.source)] * 20
        return self.book[at : at + 20]

    def fresh(self) -> bytes:
        """An address that nobody has seen."""
        return self.source.randbytes(20)

    def token(self) -> bytes:
        """A token's contract."""
        return self.token_addresses[self.tokens.draw(self.source)]

    def amount(self) -> int:
        """1 to 4 significant digits, from 0.0001 to 9.999 bitcoin."""
        digits = self.source.randint(1, 4)
        mantissa = self.source.randrange(10 ** (digits - 1), 10**digits)
        return mantissa * 10 ** (18 - self.source.randint(0, 4) - digits + 1)

    def nonce(self, sender: bytes) -> int:
        """The sender's next one."""
        if sender not in self.next:
            self.start[sender] = self.next[sender] = self.source.randrange(1_000)
        self.next[sender] += 1
        return self.next[sender] - 1

    def transaction(self, base_fees, to, *, value=0, data=b"", gas=21_000):
        """(sender, raw) of an EIP-1559 transaction at wallets' usual fee."""
        sender = self.account()
        tip = self.source.choice((0, GWEI, 2 * GWEI))
        cap = 2 * self.source.choice(base_fees[1:]) + tip
        fields = [CHAIN_ID, self.nonce(sender), tip, cap, gas, to, value, data, [], self.source.getrandbits(1)]
        signature = [self.source.getrandbits(256), self.source.getrandbits(255)]
        return sender, b"\x02" + rlp([*fields, *signature])


def rlp(item) -> bytes:
    """RLP of integers, byte strings and lists."""
    if isinstance(item, list):
        body = b"".join(map(rlp, item))
        return _length(len(body), 0xC0) + body
    raw = item.to_bytes((item.bit_length() + 7) // 8, "big") if isinstance(item, int) else item
    if len(raw) == 1 and raw[0] < 0x80:
        return raw
    return _length(len(raw), 0x80) + raw


def _length(size: int, offset: int) -> bytes:
    if size < 56:
        return bytes([offset + size])
    raw = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([offset + 55 + len(raw)]) + raw


def word(value) -> bytes:
    """An ABI word of an integer or an address."""
    return value.to_bytes(32, "big") if isinstance(value, int) else value.rjust(32, b"\0")


def slot_key(contract, owner) -> bytes:
    """Stands for the hash that names an owner's slot of a contract."""
    return hashlib.sha256(contract + owner).digest()


def w1(maker, base_fees, _timestamp):
    """A transfer among known accounts."""
    return maker.transaction(base_fees, maker.account(), value=maker.amount())


def w2(maker, base_fees, _timestamp):
    """A transfer to a fresh address."""
    return maker.transaction(base_fees, maker.fresh(), value=maker.amount())


def w3(maker, base_fees, _timestamp):
    """An ERC-20 transfer among known accounts."""
    data = TRANSFER_SELECTOR + word(maker.account()) + word(maker.amount())
    return maker.transaction(base_fees, maker.token(), data=data, gas=maker.source.choice((52_000, 65_000, 100_000)))


def swap(maker, base_fees, timestamp):
    """A swap over a path of two tokens through one of a few routers."""
    router = maker.token_addresses[maker.source.randrange(4)]
    sender_word = 4 + 32 * 3
    path = word(2) + word(maker.token()) + word(maker.token())
    head = word(maker.amount()) + word(maker.source.getrandbits(70)) + word(160)
    deadline = word(timestamp + 1_200 + maker.source.randrange(12))
    sender, _ = chosen = maker.transaction(base_fees, router, data=SWAP_SELECTOR + head + bytes(32) + deadline + path)
    raw = chosen[1]
    at = raw.index(SWAP_SELECTOR) + sender_word
    return sender, raw[:at] + word(sender) + raw[at + 32 :]


def w4(maker, base_fees, timestamp):
    """40 % transfers, 30 % ERC-20, 20 % swaps, 10 % deployments and large calldata."""
    kind = maker.source.random()
    if kind < 0.4:
        return w1(maker, base_fees, timestamp)
    if kind < 0.7:
        return w3(maker, base_fees, timestamp)
    if kind < 0.9:
        return swap(maker, base_fees, timestamp)
    size = maker.source.randrange(200, 3_000)
    if kind < 0.95:
        code = bytes(maker.source.choices(range(256), cum_weights=maker.opcode_weights, k=size))
        return maker.transaction(base_fees, b"", data=code, gas=1_500_000)
    data = b"\x12\x34\x56\x78" + b"".join(word(maker.source.getrandbits(40)) for _ in range(size // 32))
    return maker.transaction(base_fees, maker.token(), data=data, gas=400_000)


KINDS = {"w1": w1, "w2": w2, "w3": w3, "w4": w4}


def make(kind: str, *, seed: int = 1, transactions: int = TRANSACTIONS, blocks: int = BLOCKS, accounts: int = ACCOUNTS):
    """One hour of blocks (by default) of a workload; base fees move as EIP-1559 moves them."""
    maker = Maker(seed, accounts)
    # Bytes of code are as unequal as opcodes: a weight of 1 / (rank + 2), ranks shuffled.
    ranks = list(range(256))
    maker.source.shuffle(ranks)
    maker.opcode_weights = list(itertools.accumulate(1 / (rank + 2) for rank in ranks))
    counts = [0] * blocks
    for _ in range(transactions):
        counts[maker.source.randrange(blocks)] += 1
    base_fees = [GWEI]
    for _ in range(10):
        base_fees.insert(0, _next_base_fee(base_fees[0], maker.source))
    made = []
    for number, count in enumerate(counts):
        base_fees = [_next_base_fee(base_fees[0], maker.source), *base_fees[:10]]
        timestamp = PARENT_TIMESTAMP + BLOCK_TIME_SECONDS * (number + 1)
        chosen = [KINDS[kind](maker, base_fees, timestamp) for _ in range(count)]
        made.append((timestamp, number % ORIGIN_EVERY_BLOCKS == 0, base_fees, chosen))
    return Workload(book=maker.book, nonces=sorted(maker.start.items()), blocks=made)


def _next_base_fee(base_fee: int, source: random.Random) -> int:
    used, target = source.randrange(30_000_000), 15_000_000
    return max(GWEI // 10, base_fee + base_fee * (used - target) // target // 8)
