"""What the execution model keeps: accounts, receipts, and what one block hands to the next."""

from dataclasses import dataclass, field

from .merkle_patricia import keccak, rlp, secure_root

EMPTY_BLOOM = bytes(256)


class Refused(ValueError):
    """A block or a transaction that breaks a rule; nothing has changed."""


@dataclass
class Account:
    nonce: int = 0
    balance: int = 0
    code: bytes = b""
    storage: dict = field(default_factory=dict)

    def leaf(self):
        slots = {key.to_bytes(32, "big"): rlp(value) for key, value in self.storage.items() if value}
        return rlp([self.nonce, self.balance, secure_root(slots), keccak(self.code)])


@dataclass
class Tail:
    """What the next block must know of this one beside its header."""

    origin_height: int
    origin_hash: bytes
    median_time: int
    l1_rate: int
    second_blocks: int = 1
    origin_blocks: int = 0


@dataclass
class Receipt:
    kind: int
    status: int
    gas_used: int
    data_gas: int
    cumulative: int
    price: int
    transaction_hash: bytes
    contract: bytes | None

    def leaf(self):
        prefix = bytes([self.kind]) if self.kind else b""
        return prefix + rlp([self.status, self.cumulative, EMPTY_BLOOM, []])


@dataclass
class Sealed:
    header: bytes
    hash: bytes
    receipts: list
    leaves: list
    forced: list
    forced_count: int


def number(value):
    return int(value, 16) if isinstance(value, str) else value


def unhex(text):
    return bytes.fromhex(text[2:])


def eip1559(base_fee, gas_used, gas_limit):
    """Base fee after a block with these figures."""
    target = gas_limit // 2
    if gas_used > target:
        return base_fee + max(base_fee * (gas_used - target) // target // 8, 1)
    return base_fee - base_fee * (target - gas_used) // target // 8


def slot_of(place, key):
    """Slot of a Vyper map's entry."""
    return int.from_bytes(keccak(place.to_bytes(32, "big") + key.rjust(32, b"\0")), "big")
