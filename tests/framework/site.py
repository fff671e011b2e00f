"""A node's chain without its services: an engine, its executor, a pipeline; and a leader who makes blocks in his own.

L1 is `L1Chain`, handmade; everything above it is the real thing.
"""

from dataclasses import replace

from eth_account import Account
from eth_utils import to_checksum_address

from bedroll.crypto import sha256
from bedroll.da import Batch, BatchForm, BatchHeader
from bedroll.da.codec import encode_batch
from bedroll.derivation import Pipeline
from bedroll.derivation.statement import l1_digest
from bedroll.execution.engine import Engine
from bedroll.node.executor import EngineExecutor, native_origin
from bedroll.primitives import Address, Wei
from bedroll.protocol import REGTEST

from .l1_chain import Grinder, L1Chain
from .plain_rollup import LEADER, genesis_on, signed

MAP_SIZE_BYTES = 1 << 30
HOLDERS = [Account.from_key(bytes(31) + bytes([number])) for number in range(1, 9)]
FUNDS = Wei(1_000 * 10**18)


def address_of(account):
    return bytes.fromhex(account.address[2:])


def funded_genesis(chain, network=REGTEST, holders=HOLDERS):
    """Genesis on a handmade chain with `FUNDS` for each holder."""
    return replace(genesis_on(chain, network), balances={Address(address_of(holder)): FUNDS for holder in holders})


class Wallet:
    """Signs dynamic-fee transactions with ascending nonces."""

    def __init__(self, account, chain_id=REGTEST.chain_id):
        self.account = account
        self.chain_id = chain_id
        self.nonce = 0

    def sign(self, *, to=b"\x77" * 20, value=10**15, data=b"", gas=21_000, fee=10**12, nonce=None, chain_id=None):
        if nonce is None:
            nonce, self.nonce = self.nonce, self.nonce + 1
        fields = {
            "type": 2,
            "chainId": self.chain_id if chain_id is None else chain_id,
            "nonce": nonce,
            "gas": gas,
            "maxFeePerGas": fee,
            "maxPriorityFeePerGas": 0,
            "value": value,
            "data": data,
        }
        if to is not None:
            fields["to"] = to_checksum_address(to)
        return bytes(self.account.sign_transaction(fields).raw_transaction)


class Site:
    """One node."""

    def __init__(self, folder, genesis, chain, *, keep_unsafe=False, verifier=None):
        self.folder = folder
        self.genesis = genesis
        self.chain = chain
        self.changes = []
        self.verifier = verifier
        folder.mkdir(parents=True, exist_ok=True)
        self.engine = Engine.open(str(folder), genesis.core_json(), map_size_bytes=MAP_SIZE_BYTES, sync=False)
        self.executor = EngineExecutor(self.engine, keep_unsafe=keep_unsafe, on_change=self.changes.append)
        self.pipeline = self.new_pipeline()
        self.records = []

    def new_pipeline(self):
        pipeline = Pipeline(self.genesis, self.chain.anchor_times, self.executor, verifier=self.verifier)
        self.executor.use_origins(pipeline.origin)
        return pipeline

    def follow(self):
        """Derive what the chain has beyond the pipeline."""
        step = None
        while self.pipeline.height < self.chain.height:
            step = self.pipeline.advance(self.chain.blocks[self.pipeline.height - self.chain.anchor_height])
            self.records.extend(step.records)
        return step

    def blocks(self):
        """All blocks of the engine, from 1 on."""
        return [self.engine.block(height) for height in range(1, self.engine.tip().number + 1)]

    def close(self):
        self.engine.close()


class LeaderSite(Site):
    """A sequencing node, reduced to its calls on the engine."""

    def __init__(self, folder, genesis, chain, **options):
        super().__init__(folder, genesis, chain, keep_unsafe=True, **options)
        self.grinder = Grinder(genesis.network.parameters.tag)

    @property
    def youngest(self):
        """Newest L1 height that a batch in the next L1 block may have for an origin."""
        return self.chain.height + 1 - self.genesis.network.parameters.finality_depth

    def seal(self, raws=(), *, step=None, timestamp=None):
        """One block: on the next origin if there is one (or as told), with these transactions."""
        tip = self.engine.tip()
        parent_origin = self.engine.block(tip.number).origin_height if tip.number else self.genesis.anchor_height
        if step is None:
            step = parent_origin < self.youngest
        origin = self.pipeline.origin(parent_origin + 1) if step else None
        lowest = max(tip.timestamp, origin.median_time if origin else 0)
        self.engine.begin(
            max(lowest, tip.timestamp + 2) if timestamp is None else timestamp,
            native_origin(origin) if origin else None,
        )
        for outcome in self.engine.add_many(list(raws)) if raws else ():
            assert not isinstance(outcome, str), outcome
        return self.engine.seal()

    def batch(self, first=None, last=None, *, key=LEADER, body=None, **header):
        """Signed batch of the engine's blocks `first` to `last`; all underived ones if not said."""
        first = self.pipeline.safe.height + 1 if first is None else first
        last = self.engine.tip().number if last is None else last
        form = header.get("form", BatchForm.SIGNED)
        body = encode_batch(self.engine, first, last, form=int(form)) if body is None else body
        parent, tip = self.engine.header(first - 1), self.engine.header(last)
        fields = {
            "network": self.genesis.network.number,
            "parent_l2_hash": parent.hash,
            "first_height": first,
            "block_count": last - first + 1,
            "first_origin": self.engine.block(first).origin_height,
            "last_origin": self.engine.block(last).origin_height,
            "tip_l2_hash": tip.hash,
            "body_hash": bytes(sha256(body)),
        } | header
        return signed(Batch(header=BatchHeader(**fields), leader_key=key.x_only, body=body), key)

    def statement(self, batch):
        """What a true proof says of a batch upon the derived tip, from this node's own view of parent and L1."""
        header, tip = batch.header, self.pipeline.safe
        origins = [self.pipeline.origin(height) for height in range(tip.origin_height + 1, header.last_origin + 1)]
        parts = [bytes([1, header.network]), self.engine.rules_digest(), bytes(header.signing_hash()), tip.hash]
        parts += [self.engine.facts_digest(tip.height), l1_digest(origins), bytes(160), b"\x00"]
        return b"".join([*parts, header.tip_l2_hash, bytes(32)])

    def post(self, *objects, fee=0):
        """Mine a block with one transaction an object, and derive it."""
        raws = [each if isinstance(each, bytes) else each.encode() for each in objects]
        self.chain.mine(*[self.grinder.carry(raw, fee=fee) for raw in raws])
        return self.follow()


def new_rollup(folder, network=REGTEST, **options):
    """A leader on a fresh chain with a few L1 blocks."""
    chain = L1Chain()
    leader = LeaderSite(folder, funded_genesis(chain, network), chain, **options)
    for _ in range(4):
        chain.mine()
    leader.follow()
    return leader
