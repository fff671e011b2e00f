"""What a prover may try on the settlement program, and L1 blocks that are odd but allowed.

A lie is one change of a true input over an L1 block with a batch: something left out, another thing in its place, a
list that hashes to the same root, a header that Bitcoin would refuse. The program must give no statement to any.
"""

import rlp

from bedroll.da import Forced

from .l1_block import COMMITMENT_PREFIX, block, double_sha256, has_work, merkle_root, output, transaction
from .l1_chain import Grinder
from .plain_settlement import BATCH_KEY, SETTLEMENT_KEY
from .settling_site import SettlingSite
from .site import HOLDERS, Wallet, new_rollup

BLOCKS = 5
HEADER, COINBASE, BRANCH, WTXIDS, RELEVANT = range(5)
REGTEST_NUMBER = 3


class LyingProver:
    """A true run over a block with a batch and a marker, and what its program verified before."""

    def __init__(self, folder):
        leader = new_rollup(folder / "leader")
        leader.seal([Wallet(HOLDERS[0]).sign(value=1)])
        leader.post(leader.batch())
        site = SettlingSite(folder / "settling", leader.genesis, leader.chain)
        site.follow()
        self.given, self.statement = site.steps[-1].input, site.steps[-1].statement
        self.proved = [(BATCH_KEY, site.verdicts[-1]), (SETTLEMENT_KEY, site.steps[-2].statement)]
        site.close()
        leader.close()

    def told(self, lie):
        """The input with a lie in it."""
        fields = rlp.decode(self.given)
        fields = [list(each) if isinstance(each, list) else each for each in fields]
        (part,) = fields[BLOCKS]
        part = [list(each) if isinstance(each, list) else each for each in part]
        lie(part)
        fields[BLOCKS] = [part]
        return rlp.encode(fields)


def mined(header, place, content):
    """The header with other bytes, with work."""
    changed = header[:place] + content + header[place + len(content) :]
    tries = (changed[:76] + nonce.to_bytes(4, "little") for nonce in range(1 << 16))
    return next(each for each in tries if has_work(each))


def without_work(header):
    tries = (header[:76] + nonce.to_bytes(4, "little") for nonce in range(1 << 16))
    return next(each for each in tries if not has_work(each))


def inner(part):
    """The lowest pair of the tree of txids, as if its 64 bytes were the coinbase."""
    coinbase = double_sha256(bare(part[COINBASE]))
    assert merkle_root([coinbase, part[BRANCH][0]]) == double_sha256(coinbase + part[BRANCH][0])
    return coinbase + part[BRANCH][0]


def bare(coinbase):
    """A coinbase with one witness element of 32 bytes, without it."""
    return coinbase[:4] + coinbase[6 : -4 - 34] + coinbase[-4:]


LIES = {
    "a relevant transaction left out": lambda part: part[RELEVANT].pop(),
    "its place in the list left out": lambda part: (part[WTXIDS].pop(0), part[RELEVANT].pop()),
    "an empty list": lambda part: (part[WTXIDS].clear(), part[RELEVANT].clear()),
    "the list in another order": lambda part: part[WTXIDS].reverse(),
    "the tail doubled": lambda part: part[WTXIDS].append(part[WTXIDS][-1]),
    "a zero wtxid more": lambda part: part[WTXIDS].insert(0, bytes(32)),
    "inner nodes for the list": lambda part: put(part, WTXIDS, [double_sha256(part[WTXIDS][1] * 2)]),
    "another transaction": lambda part: swap(part, lambda index, raw: [index, raw[:-1] + bytes([raw[-1] ^ 1])]),
    "a transaction without its witness": lambda part: swap(part, lambda index, raw: [index, raw[:60]]),
    "another place": lambda part: swap(part, lambda index, raw: [bytes([index[0] + 1]), raw]),
    "a transaction twice": lambda part: part[RELEVANT].append(part[RELEVANT][0]),
    "a transaction that is not relevant": lambda part: part[RELEVANT].append([b"\x02", part[COINBASE]]),
    "another coinbase": lambda part: put(part, COINBASE, part[COINBASE][:-1] + b"\x01"),
    "64 bytes of inner nodes for the coinbase": lambda part: (
        put(part, COINBASE, inner(part)),
        part[BRANCH].pop(0),
    ),
    "a branch cut": lambda part: part[BRANCH].pop(),
    "a branch too long": lambda part: part[BRANCH].append(bytes(32)),
    "a header without work": lambda part: put(part, HEADER, without_work(part[HEADER])),
    "a header upon another": lambda part: put(part, HEADER, mined(part[HEADER], 4, bytes(32))),
    "a header of an old version": lambda part: put(part, HEADER, mined(part[HEADER], 0, b"\x03\0\0\0")),
    "a header from before its ancestors": lambda part: put(part, HEADER, mined(part[HEADER], 68, bytes(4))),
    "a header with an easier target": lambda part: put(part, HEADER, mined(part[HEADER], 72, b"\xff\xff\x7f\x21")),
    "a header of 79 bytes": lambda part: put(part, HEADER, part[HEADER][:79]),
}


def put(part, place, content):
    part[place] = content


def swap(part, change):
    part[RELEVANT][0] = change(*part[RELEVANT][0])


# --- odd, but allowed ------------------------------------------------------------------------------


def odd_blocks(chain, grinder):
    """Blocks that Bitcoin takes and whose coinbase or tree is not as usual; each carries a forced message if it can."""
    fee = 10**5
    message = Forced(network=REGTEST_NUMBER, payload=b"odd").encode()

    def next_block(*transactions, **options):
        time = 1_900_000_000 + len(chain.blocks)
        raw = block(transactions, previous=chain.tip, time=time, **options)
        chain.blocks.append(raw)
        chain.hashes.append(double_sha256(raw[:80]))

    value, short = output(10**9), output(0, COMMITMENT_PREFIX + bytes(31))
    false = output(0, COMMITMENT_PREFIX + bytes(32))
    next_block(coinbase_outputs=[value])
    next_block(transaction([[]]), transaction([[]], salt=1), coinbase_outputs=[value])
    next_block(coinbase_outputs=[value, None])
    next_block(coinbase_outputs=[value, None, short])
    for outputs in ([value, None], [value, None, short], [value, short, None], [value, false, None]):
        next_block(grinder.carry(message, fee=fee), coinbase_outputs=outputs)
    for count in (2, 3, 4, 6):
        carried = [grinder.carry(message, fee=fee) for _ in range(count)]
        next_block(*carried, coinbase_outputs=[value, None])


def odd_site(folder):
    """A node that settles over those blocks."""
    leader = new_rollup(folder / "leader")
    odd_blocks(leader.chain, Grinder())
    site = SettlingSite(folder / "settling", leader.genesis, leader.chain)
    site.follow()
    leader.close()
    return site
