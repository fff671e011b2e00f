"""The same workloads posted in other ways: brotli over RLP, and a difference of states.

Both are given the best of what we could think of, and neither is charged for signatures, proofs or commitments: only
their bytes, put on Bitcoin by the same transactions.
"""

from collections import Counter

import brotli

from bedroll.encoding.rlp import decode_rlp
from tests.costs import workload
from tests.costs.price import carried_weight

GAS_OF_TRANSFER = 21_000
SLOT_KEY_BYTES = 32
TOKEN_SLOTS = 2
"""Balances of payer and payee."""
SWAP_SLOTS = 7
"""Two balances of the trader, two of the pair, its reserves, its two price sums (Uniswap v2)."""


def _number(value):
    """A length and big-endian bytes; of a negative one the length's highest bit is set."""
    size = (abs(value).bit_length() + 7) // 8
    return bytes([size | (0x80 if value < 0 else 0)]) + abs(value).to_bytes(size, "big")


def _varint(value):
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def _rows(made):
    """(fields of a signed EIP-1559 transaction, sender, base fee) of every transaction."""
    for _, _, base_fees, transactions in made.blocks:
        for sender, raw in transactions:
            yield decode_rlp(raw[1:]), sender, base_fees[0]


def rlp_bytes(made):
    """Blocks as lists of unsigned transactions with senders, in RLP, through brotli at its strongest."""
    blocks = []
    for timestamp, step, _, transactions in made.blocks:
        unsigned = [[sender, *decode_rlp(raw[1:])[1:9]] for sender, raw in transactions]
        blocks.append([timestamp, int(step), unsigned])
    return len(brotli.compress(workload.rlp(_plain(blocks)), quality=11, lgwin=24, mode=brotli.MODE_GENERIC))


def _plain(item):
    return [_plain(each) for each in item] if isinstance(item, list) else item


def state_bytes(made):
    """What the hour changed, once: columns of accounts, nonces, balances, slots and codes, each through brotli.

    Known accounts are named by their index in the AddressBook, sorted, as distances; nonces as increments; balances as
    exact differences in wei. A slot is its 32 bytes of key and the difference of its value: which slots a call changes
    stands in `TOKEN_SLOTS` and `SWAP_SLOTS`. Code stands as it is.
    """
    index = {made.book[at : at + 20]: at // 20 for at in range(0, len(made.book), 20)}
    balances, nonces, slots, codes = Counter(), Counter(), {}, []
    for fields, sender, base_fee in _rows(made):
        tip, cap, gas, to, value, data = (fields[at] for at in (2, 3, 4, 5, 6, 7))
        price = min(int.from_bytes(cap, "big"), base_fee + int.from_bytes(tip, "big"))
        used = GAS_OF_TRANSFER if not data else int.from_bytes(gas, "big") * 7 // 10
        worth = int.from_bytes(value, "big")
        balances[sender] -= worth + used * price
        nonces[sender] += 1
        if worth:
            balances[to] += worth
        if not to:
            codes.append(data)
        elif data[:4] == workload.TRANSFER_SELECTOR:
            amount = int.from_bytes(data[36:68], "big")
            for holder, change in ((sender, -amount), (data[16:36], amount)):
                _change(slots, to, holder, change)
        elif data[:4] == workload.SWAP_SELECTOR:
            amount = int.from_bytes(data[4:36], "big")
            tokens = (data[-52:-32], data[-20:])
            for at in range(SWAP_SLOTS):
                owner = sender if at < 2 else b"pair" + bytes([at])
                _change(slots, tokens[at % 2], owner, amount + at)
    known = sorted(index[address] for address in balances if address in index)
    fresh = sorted(address for address in balances if address not in index)
    order = [*(made.book[20 * at : 20 * at + 20] for at in known), *fresh]
    columns = [
        b"".join(_varint(later - earlier) for earlier, later in zip([0, *known], known, strict=False)),
        b"".join(fresh),
        bytes(min(255, nonces[address]) for address in order),
        b"".join(_number(balances[address]) for address in order),
        b"".join(slots),
        b"".join(_number(change) for change in slots.values()),
        b"".join(codes),
    ]
    return sum(len(brotli.compress(column, quality=11, lgwin=24)) for column in columns if column)


def _change(slots, contract, owner, change):
    """A slot is named by a hash: as good as random to any encoding."""
    key = workload.slot_key(contract, owner)
    slots[key] = slots.get(key, 0) + change


def compared(kind):
    """Bytes a transaction on Bitcoin of both."""
    made = workload.make(kind)
    count = made.transactions
    return {
        "rlp_brotli_bytes": round(carried_weight(rlp_bytes(made)) / count, 2),
        "state_difference_bytes": round(carried_weight(state_bytes(made)) / count, 2),
    }
