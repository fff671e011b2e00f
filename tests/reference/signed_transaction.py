"""Transactions of L2 once more: their one encoding, who signed them, what their bytes alone decide.

Written from docs/spec/execution.md ("Transactions", "Size"), EIP-155, 2718, 2930, 1559, 2028, 3860 and 7623. Of type 4
only what has no authorisations, which no block may hold: those with some run code, which the model does not.
"""

from dataclasses import dataclass, field

import rlp as rlp_library
from eth_keys import keys
from eth_keys.exceptions import BadSignature, ValidationError

from .merkle_patricia import keccak, rlp

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


class NoTransaction(ValueError):
    """Bytes that are no transaction of this chain."""


@dataclass
class Signed:
    kind: int
    chain_id: int | None
    nonce: int
    tip: int
    max_fee: int
    gas_limit: int
    to: bytes
    value: int
    data: bytes
    access_list: list = field(default_factory=list)
    sender: bytes = b""
    hash: bytes = b""
    raw: bytes = b""

    @property
    def payload(self):
        """What is signed."""
        call = [self.gas_limit, self.to, self.value, self.data]
        if self.kind == 0:
            tail = [] if self.chain_id is None else [self.chain_id, 0, 0]
            return rlp([self.nonce, self.max_fee, *call, *tail])
        if self.kind == 1:
            return b"\x01" + rlp([self.chain_id, self.nonce, self.max_fee, *call, self.access_list])
        grants = [[]] if self.kind == 4 else []
        fees = [self.tip, self.max_fee]
        return bytes([self.kind]) + rlp([self.chain_id, self.nonce, *fees, *call, self.access_list, *grants])

    @property
    def intrinsic_gas(self):
        """What it pays before it runs."""
        gas = 21_000 + 4 * self.tokens
        for _, slots in self.access_list:
            gas += 2_400 + 1_900 * len(slots)
        if not self.to:
            gas += 32_000 + 2 * -(-len(self.data) // 32)
        return gas

    @property
    def floor_gas(self):
        return 21_000 + 10 * self.tokens

    @property
    def tokens(self):
        zeros = self.data.count(0)
        return zeros + 4 * (len(self.data) - zeros)

    @property
    def contract(self):
        """Address that it makes, if it makes one."""
        return None if self.to else keccak(rlp([self.sender, self.nonce]))[12:]

    def size(self, transfer_bytes):
        if not self.data and not self.access_list:
            return transfer_bytes
        return lz_length(self.sender + self.payload) + transfer_bytes * 2 // 5


def lz_length(data):
    """Bytes that are left where repetitions count 3."""
    places = {}
    total = at = 0
    while at < len(data):
        run = 0
        if at + 4 <= len(data):
            word = int.from_bytes(data[at : at + 4], "little")
            place = (word * 2_654_435_769 % 2**32) >> 20
            before = places.get(place)
            places[place] = at
            if before is not None and at - before <= 8_191 and data[before : before + 4] == data[at : at + 4]:
                run = 4
                while run < 264 and at + run < len(data) and data[before + run] == data[at + run]:
                    run += 1
        total += 3 if run else 1
        at += run or 1
    return total


def sign(transaction, secret):
    """Bytes of this transaction, signed by a 32-byte key."""
    found = keys.PrivateKey(secret).sign_msg_hash(keccak(transaction.payload))
    return with_signature(transaction, found.v, found.r, found.s)


def with_signature(transaction, parity, r, s):
    items = _split(transaction.payload)
    if transaction.kind:
        return bytes([transaction.kind]) + rlp([*items, parity, r, s])
    v = 27 + parity if transaction.chain_id is None else 35 + 2 * transaction.chain_id + parity
    return rlp([*items[:6], v, r, s])


def decode(raw):
    """Read bytes and recover who signed; NoTransaction for anything but a canonical encoding."""
    kind = 0 if raw and raw[0] >= 0xC0 else (raw[0] if raw else 3)
    if kind not in (0, 1, 2, 4):
        raise NoTransaction("type")
    items = _split(raw)
    if len(items) != {0: 9, 1: 11, 2: 12, 4: 13}[kind]:
        raise NoTransaction("count of fields")
    v, r, s = _integer(items[-3], 16), _integer(items[-2], 32), _integer(items[-1], 32)
    if kind == 0:
        chain_id, parity = (None, v - 27) if v in (27, 28) else ((v - 35) // 2, (v - 35) % 2)
        if v < 27 or 28 < v < 35 or (chain_id or 0) >= 2**64:
            raise NoTransaction("v")
        nonce, price, gas_limit, to, value, data = items[:6]
        tip, access_list = price, []
    else:
        chain_id, parity = _integer(items[0], 8), v
        nonce, tip, price = items[1], items[2], items[2 if kind == 1 else 3]
        gas_limit, to, value, data, access_list = items[3 if kind == 1 else 4 :][:5]
    if kind == 4 and not isinstance(items[9], list):
        raise NoTransaction("authorisations")
    if kind == 4:
        assert not items[9], "the model runs no authorisations"
    if not isinstance(data, bytes) or not isinstance(to, bytes) or len(to) not in ((20,) if kind == 4 else (0, 20)):
        raise NoTransaction("recipient or data")
    found = Signed(
        kind, chain_id, _integer(nonce, 8), _integer(tip, 16), _integer(price, 16), _integer(gas_limit, 8), to,
        _integer(value, 32), data, _access_list(access_list), hash=keccak(raw), raw=raw,
    )  # fmt: skip
    found.sender = _recover(keccak(found.payload), parity, r, s)
    return found


def _split(raw):
    try:
        items = rlp_library.decode(raw if raw[0] >= 0xC0 else raw[1:], strict=True)
    except (rlp_library.DecodingError, IndexError) as error:
        raise NoTransaction("RLP") from error
    if not isinstance(items, list):
        raise NoTransaction("no list")
    return items


def _integer(item, width):
    if not isinstance(item, bytes) or len(item) > width or item[:1] == b"\0":
        raise NoTransaction("integer")
    return int.from_bytes(item, "big")


def _access_list(items):
    if not isinstance(items, list):
        raise NoTransaction("access list")
    for entry in items:
        well = isinstance(entry, list) and len(entry) == 2 and isinstance(entry[0], bytes) and len(entry[0]) == 20
        if not well or not isinstance(entry[1], list):
            raise NoTransaction("access list")
        if not all(isinstance(slot, bytes) and len(slot) == 32 for slot in entry[1]):
            raise NoTransaction("access list")
    return items


def _recover(digest, parity, r, s):
    if parity > 1 or not 0 < r < ORDER or not 0 < s <= ORDER // 2:
        raise NoTransaction("signature")
    try:
        key = keys.Signature(vrs=(parity, r, s)).recover_public_key_from_msg_hash(digest)
    except (BadSignature, ValidationError) as error:
        raise NoTransaction("signature") from error
    return key.to_canonical_address()
