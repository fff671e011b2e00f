"""An engine and the execution model side by side: told the same, they must say the same."""

import json
from contextlib import contextmanager
from hashlib import sha256
from tempfile import TemporaryDirectory

import pytest
from eth_keys import keys
from hypothesis import HealthCheck
from hypothesis import strategies as st

from bedroll._core._native import Engine, Origin
from bedroll.execution.genesis import Genesis
from bedroll.primitives import Address, BlockHash, Invalid, L1Height, Wei
from bedroll.protocol import REGTEST
from tests.reference.execution_model import CALLER, ExecutionModel
from tests.reference.execution_record import Refused

SECRETS = [number.to_bytes(32, "big") for number in range(1, 6)]
SENDERS = [keys.PrivateKey(secret).public_key.to_canonical_address() for secret in SECRETS]
TARGETS = [*SENDERS, b"\x77" * 20, bytes(20), CALLER, b"\x0a\x00" * 10]
FUNDS = [10**21, 10**21, 10**15, 4 * 10**13, 0]
TIME = 1_700_000_000
NOOP = json.dumps({"tracer": "noopTracer"})


def genesis_with(rules):
    """Genesis of the test network, some numbers replaced."""
    made = Genesis(
        network=REGTEST,
        anchor_height=L1Height(7),
        anchor_hash=BlockHash(b"\x11" * 32),
        timestamp=TIME,
        leader_key=b"\x01" * 32,
        rotation_key=b"\x02" * 32,
        upgrade_key=b"\x03" * 32,
        fee_recipient=Address(b"\xfe" * 20),
        balances={Address(who): Wei(funds) for who, funds in zip(SENDERS, FUNDS, strict=True) if funds},
    )
    core = json.loads(made.core_json())
    core["config"] |= rules
    return json.dumps(core)


class Pair:
    """The engine and the model, told the same."""

    def __init__(self, folder, rules):
        core = genesis_with(rules)
        self.engine = Engine.open(folder, core, map_size_bytes=1 << 26, sync=False)
        self.model = ExecutionModel(core)
        self.raws = [b""]
        self.messages = 0
        self.ends = []
        assert self.engine.tip().hash == self.model.parent

    def close(self):
        self.engine.close()

    def origin(self, rate, lead, witness_root, payloads):
        """The next origin, with these (payload, paid)."""
        height = self.model.tail.origin_height + 1
        header = sha256(height.to_bytes(8, "big")).digest() * 2 + height.to_bytes(16, "little")
        forced = []
        for payload, paid in payloads:
            self.messages += 1
            forced.append((sha256(b"id" + self.messages.to_bytes(8, "big")).digest(), payload, paid))
        return Origin(
            height=height, hash=sha256(sha256(header).digest()).digest(), header=header, witness_root=witness_root,
            median_time=TIME + lead, l1_rate=rate, forced=forced,
        )  # fmt: skip

    def both(self, engine_does, model_does):
        """What both give, or None if both refuse."""
        try:
            theirs = engine_does()
        except Invalid:
            with pytest.raises(Refused):
                model_does()
            return None
        return theirs, model_does()

    def begin(self, timestamp, origin=None, automatic=False):
        return self.both(
            lambda: self.engine.begin(timestamp, origin, automatic=automatic),
            lambda: self.model.begin(timestamp, origin, automatic),
        )

    def add(self, raw):
        done = self.both(lambda: self.engine.add(raw), lambda: self.model.add(raw))
        if done:
            same_receipt(*done)
            self.raws.append(raw)
        assert self.engine.gas_left() == self.model.rules["block_gas_limit"] - self.model.gas_used
        return done

    def seal(self):
        block, sealed = self.engine.seal(), self.model.seal()
        for theirs, ours in zip(block.receipts, sealed.receipts, strict=True):
            same_receipt(theirs, ours)
        assert [row[:4] for row in block.forced] == sealed.forced
        assert block.forced_count == sealed.forced_count
        assert block.book_length == self.model.book_length()
        for theirs, (_, _, ours) in zip(block.transactions, self.model.included, strict=True):
            if ours is not None:
                assert theirs.raw == ours.raw
                assert theirs.size == ours.size(REGTEST.parameters.transfer_bytes)
                assert theirs.intrinsic_gas == max(ours.intrinsic_gas, ours.floor_gas)
        assert [found.sender + found.payload for found in block.transactions] == sealed.leaves
        assert block.header.rlp == sealed.header
        assert block.header.hash == sealed.hash
        self.ends += sealed.forced
        waiting = [(index, identity, payload) for index, identity, payload, *_ in self.model.waiting]
        assert self.engine.forced_pending() == waiting
        assert block.queue_enqueued - block.queue_done == len(waiting)
        # Run again for a trace, every transaction must come to the receipt that it has: the engine compares.
        traced = self.engine.trace(block.header.number, None, NOOP, result_bytes=1 << 20, seconds=10.0)
        assert len(json.loads(traced)) == len(block.transactions)
        return block

    def compare_accounts(self):
        view = self.engine.view()
        for who in {*self.model.state, *TARGETS}:
            assert (view.balance(who), view.nonce(who)) == (self.model.balance(who), self.model.nonce(who))


def same_receipt(theirs, ours):
    assert (
        theirs.status, theirs.gas_used, theirs.data_gas, theirs.cumulative_gas_used, theirs.effective_gas_price,
        theirs.transaction_hash, theirs.contract, theirs.logs, theirs.logs_bloom,
    ) == (
        ours.status, ours.gas_used, ours.data_gas, ours.cumulative, ours.price, ours.transaction_hash, ours.contract,
        [], bytes(256),
    )  # fmt: skip


@contextmanager
def pair_with(rules):
    with TemporaryDirectory() as folder:
        pair = Pair(folder, rules)
        try:
            yield pair
        finally:
            pair.close()


# --- what random tests of it share

BOUNDED = {"deadline": None, "derandomize": True, "suppress_health_check": list(HealthCheck)}
access_lists = st.lists(
    st.tuples(st.sampled_from(TARGETS), st.lists(st.sampled_from([bytes(32), b"\x01" * 32]), max_size=3)).map(list),
    max_size=2,
)
calldata = st.one_of(
    st.just(b""), st.just(b""), st.binary(max_size=90), st.builds(lambda part, times: part * times,
    st.binary(min_size=1, max_size=9), st.integers(2, 40)),
)  # fmt: skip
