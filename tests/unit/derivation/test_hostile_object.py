"""Whatever is inscribed ends in the right state with a reason; each test names one attack and asserts the reason."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bedroll.crypto import sha256
from bedroll.da import build_leaf
from bedroll.derivation import Accepted, Pending, Rejected
from bedroll.derivation.record import AutomaticBlocks, EnvelopeRejected, ForcedEnqueued, ObjectSeen
from bedroll.protocol import REGTEST
from tests.framework.plain_chain import BAD, plain_body, plain_child
from tests.framework.plain_rollup import LEADER, OTHER, PlainRollup

KEY = LEADER.x_only


@pytest.fixture
def rollup():
    made = PlainRollup()
    made.quiet(4)
    return made


def rejected(rollup, index=0, input=0):
    verdict = rollup.verdict(index, input)
    assert isinstance(verdict, Rejected), verdict
    return verdict.reason


def refused_envelopes(rollup):
    height = rollup.chain.height
    return [r.reason for r in rollup.records if isinstance(r, EnvelopeRejected) and r.place.height == height]


def post(rollup, *objects):
    """One transaction an object, mined in one block."""
    for each in objects:
        rollup.stage(each if isinstance(each, bytes) else each.encode())
    return rollup.mine()


# --- envelopes and objects ------------------------------------------------------------------------


@pytest.mark.parametrize("body", [b"", b"\x00", b"\x01", b"\x01\x01", b"\x02\x03abc", b"\x01\x63", bytes(500)])
def test_garbage_in_an_envelope_is_ignored_with_a_reason(rollup, body):
    rollup.stage(body)
    rollup.mine()
    assert len(refused_envelopes(rollup)) == 1
    assert rollup.pipeline.safe.height == 0


def test_near_valid_envelopes_are_ignored_with_a_reason(rollup):
    body = rollup.honest().encode()
    leaf = build_leaf(KEY, body)
    near = [leaf[:-1], leaf + b"\x51", b"\x21" + leaf[1:], leaf.replace(b"\x00\x63", b"\x51\x63", 1), leaf[:40]]
    for script in near:
        rollup.staged.append((rollup.grinder.carry(leaves=[script]), [], 0))
    rollup.mine()
    assert len(refused_envelopes(rollup)) == len(near)
    assert rollup.pipeline.safe.height == 0


@pytest.mark.parametrize("kind", [0, 5, 8, 9, 255])
def test_kinds_that_are_not_valid_yet_are_no_objects(rollup, kind):
    rollup.stage(bytes([1, kind]) + bytes(100))
    rollup.mine()
    assert len(refused_envelopes(rollup)) == 1


@pytest.mark.parametrize("cut", [1, 50, 118, 150, 213])
def test_a_truncated_batch_is_no_object(rollup, cut):
    rollup.stage(rollup.honest().encode()[:cut])
    rollup.mine()
    assert len(refused_envelopes(rollup)) == 1


def test_five_thousand_junk_transactions_in_a_block_are_ignored(rollup):
    for number in range(5_000):
        rollup.stage(b"junk %d" % number)
    batch = rollup.honest()
    rollup.stage(batch.encode())
    rollup.mine()
    assert len(refused_envelopes(rollup)) == 5_000
    assert isinstance(rollup.verdict(5_000), Accepted)
    assert rollup.pipeline.checkpoint().references == ()


@settings(max_examples=60, deadline=None)
@given(
    bodies=st.lists(st.binary(max_size=300), min_size=1, max_size=6),
    prefix=st.sampled_from([b"", b"\x01", b"\x01\x01", b"\x01\x04"]),
)
def test_no_bytes_in_relevant_transactions_raise(bodies, prefix):
    rollup = PlainRollup()
    rollup.stage(*[prefix + body for body in bodies])
    rollup.staged.append((rollup.grinder.carry(leaves=[prefix + body for body in bodies]), [], 0))
    rollup.mine()
    rollup.quiet(1)
    assert rollup.pipeline.safe.height == 0


@settings(max_examples=60, deadline=None)
@given(at=st.integers(0, 400), flip=st.integers(1, 255))
def test_a_batch_with_any_byte_changed_never_raises_and_never_counts(at, flip):
    rollup = PlainRollup()
    rollup.quiet(4)
    raw = bytearray(rollup.honest(blocks=2).encode())
    raw[at % len(raw)] ^= flip
    rollup.stage(bytes(raw))
    rollup.mine()
    assert rollup.pipeline.safe.height == 0
    rollup.private = rollup.private[:1]
    post(rollup, rollup.honest())
    assert isinstance(rollup.verdict(), Accepted)


# --- every field of a batch -----------------------------------------------------------------------

MUTATED = {
    "network": (1, "it is for network 1, not 3"),
    "parent_l2_hash": (bytes(32), "its parent is not the tip"),
    "first_height": (2, "it begins above the tip: held until its parent comes"),
    "block_count": (3, "its body has 2 blocks, its header says 3"),
    "first_origin": (200, "the first block of the chain takes the first origin"),
    "last_origin": (202, "its last block's origin is not the one its header names"),
    "tip_l2_hash": (bytes(32), "executing it gives another tip than it names"),
}


@pytest.mark.parametrize("field", MUTATED)
def test_a_signed_batch_with_a_false_field_is_ignored_for_that_field(rollup, field):
    value, reason = MUTATED[field]
    parent = rollup.private[-1]
    rows, made = rollup.grow(parent, blocks=2, steps=1)
    post(rollup, rollup.batch(parent, rows, made[-1].hash, **{field: value}))
    verdict = rollup.verdict()
    assert verdict == (Pending(reason) if field == "first_height" else Rejected(reason))
    assert rollup.pipeline.safe.height == 0


@pytest.mark.parametrize("field", ["parent_l2_hash", "first_height", "tip_l2_hash", "last_origin", "block_count"])
def test_a_field_changed_after_signing_breaks_the_signature(rollup, field):
    batch = rollup.honest(blocks=3)
    value = getattr(batch.header, field)
    changed = bytes(32) if isinstance(value, bytes) else value + 1
    post(rollup, replace(batch, header=replace(batch.header, **{field: changed})))
    assert rejected(rollup) == "it is not signed by the leader of its L1 height"


def test_another_body_under_a_signed_header_is_no_object_and_mutes_nobody(rollup):
    batch = rollup.honest()
    raw = batch.encode()
    rollup.stage(raw[: -len(batch.body)] + batch.body[:-1] + bytes([batch.body[-1] ^ 1]))
    rollup.mine()
    assert refused_envelopes(rollup) == ["body does not hash to the header's body hash"]
    assert rollup.pipeline._selector.state.muted == ()


def test_a_body_hash_of_another_body_is_no_object(rollup):
    parent = rollup.private[-1]
    rows, made = rollup.grow(parent)
    good = rollup.batch(parent, rows, made[-1].hash).encode()
    rollup.stage(good.replace(bytes(sha256(plain_body(rows))), bytes(32)))
    rollup.mine()
    assert refused_envelopes(rollup) == ["body does not hash to the header's body hash"]


@pytest.mark.parametrize("count", [0, 10_001, 100_000])
def test_a_header_of_too_many_or_no_blocks_is_no_object(rollup, count):
    raw = rollup.honest().encode()
    rollup.stage(raw[:43] + count.to_bytes(4, "little") + raw[47:])
    rollup.mine()
    assert refused_envelopes(rollup) == ["a batch has 1 to 10,000 blocks"]


def test_a_body_of_a_hundred_thousand_blocks_is_ignored_before_it_is_executed(rollup):
    parent = rollup.private[-1]
    rows, made = rollup.grow(parent)
    body = plain_body([*rows, *[(rows[0][0], False, [])] * 99_999])
    post(rollup, *rollup.chunks(rollup.batch(parent, rows, made[-1].hash, body=body).encode(), 3))
    assert rejected(rollup, 2) == "its body has 100000 blocks, its header says 1"


def test_a_strangers_batch_is_ignored(rollup):
    post(rollup, rollup.honest(key=OTHER))
    assert rejected(rollup) == "it is not signed by the leader of its L1 height"


def test_a_wrong_signature_under_the_leaders_key_is_ignored(rollup):
    batch = replace(rollup.honest(), signature=bytes(64))
    post(rollup, batch)
    assert rejected(rollup) == "it is not signed by the leader of its L1 height"


# --- position -------------------------------------------------------------------------------------


def test_a_replayed_batch_is_ignored(rollup):
    raw = rollup.honest().encode()
    post(rollup, raw, raw)
    assert isinstance(rollup.verdict(0), Accepted)
    assert rejected(rollup, 1) == "it begins at height 1, the tip is at 1 already"
    post(rollup, raw)
    assert rejected(rollup) == "it begins at height 1, the tip is at 1 already"


def test_of_two_valid_batches_the_first_on_l1_wins(rollup):
    parent = rollup.private[-1]
    first, second = rollup.honest(parent=parent), rollup.honest(parent=parent)
    post(rollup, first, second)
    assert isinstance(rollup.verdict(0), Accepted)
    assert isinstance(rollup.verdict(1), Rejected)
    assert rollup.pipeline.safe.hash == first.header.tip_l2_hash


def test_a_batch_upon_an_unknown_parent_is_ignored(rollup):
    parent = rollup.private[-1]
    rows, made = rollup.grow(parent)
    post(rollup, rollup.batch(replace(parent, hash=b"\x07" * 32), rows, made[-1].hash))
    assert rejected(rollup) == "its parent is not the tip"


def test_an_origin_that_is_too_young_is_refused(rollup):
    parent = rollup.private[-1]
    youngest = rollup.next_height - 1
    blocks = youngest - parent.origin_height
    rows, made = rollup.grow(parent, blocks=blocks, steps=blocks, youngest=youngest)
    post(rollup, rollup.batch(parent, rows, made[-1].hash))
    assert rejected(rollup) == f"its last origin {youngest} is younger than {rollup.chain.height - 2}"
    assert rollup.pipeline._selector.state.muted == ()


def test_an_origin_exactly_at_depth_is_taken(rollup):
    youngest = rollup.next_height - 2
    blocks = youngest - rollup.chain.anchor_height
    post(rollup, rollup.honest(blocks=blocks, steps=blocks))
    assert isinstance(rollup.verdict(), Accepted)
    assert rollup.pipeline.safe.origin_height == rollup.chain.height - 2


def test_an_old_batch_is_valid_but_does_not_end_silence(rollup):
    before = rollup.pipeline.silent_since
    batch = rollup.honest(steps=1)
    rollup.quiet(3)
    assert batch.header.last_origin < rollup.next_height - 2 - 4
    post(rollup, batch)
    assert isinstance(rollup.verdict(), Accepted)
    assert rollup.pipeline.silent_since == before


def test_a_batch_at_the_lags_edge_ends_silence(rollup):
    batch = rollup.honest(steps=1)
    rollup.quiet(2)
    assert batch.header.last_origin == rollup.next_height - 2 - 4
    post(rollup, batch)
    assert rollup.pipeline.silent_since == rollup.chain.height


def test_origins_may_not_skip(rollup):
    parent = rollup.private[-1]
    rows, made = rollup.grow(parent)
    post(rollup, rollup.batch(parent, rows, made[-1].hash, first_origin=202, last_origin=202))
    assert rejected(rollup) == "its first origin is 202, the tip's is 200"


# --- held batches ---------------------------------------------------------------------------------


def family(rollup, size):
    """Batches of which each builds on the one before."""
    return [rollup.honest(steps=1 if number == 0 else 0) for number in range(size)]


def test_a_signed_child_before_its_parent_is_held_and_accepted_after_it(rollup):
    parent, child = family(rollup, 2)
    post(rollup, child)
    assert rollup.verdict() == Pending("it begins above the tip: held until its parent comes")
    post(rollup, parent)
    assert rollup.pipeline.safe.hash == child.header.tip_l2_hash
    assert rollup.pipeline.silent_since == rollup.chain.height


def test_a_whole_family_in_reverse_order_is_accepted_at_once(rollup):
    batches = family(rollup, 12)
    post(rollup, *reversed(batches))
    assert rollup.pipeline.safe.hash == batches[-1].header.tip_l2_hash


def test_sixteen_batches_are_held_and_no_more(rollup):
    batches = family(rollup, 18)
    post(rollup, *batches[1:])
    assert rejected(rollup, 16) == "16 batches are held already"
    post(rollup, batches[0])
    assert rollup.pipeline.safe.hash == batches[16].header.tip_l2_hash


def test_a_held_batch_inscribed_again_takes_no_second_place(rollup):
    _, child = family(rollup, 2)
    post(rollup, child, child)
    assert rejected(rollup, 1) == "the same batch is held already"


def test_a_held_batch_ends_after_v_blocks(rollup):
    parent, child = family(rollup, 2)
    rollup.quiet(1)
    post(rollup, parent)
    other = rollup.honest(steps=0)
    later = rollup.honest(steps=0)
    post(rollup, later)
    posted = rollup.chain.height
    while rollup.chain.height < posted + REGTEST.parameters.proof_ttl:
        step = rollup.mine()
        if any(isinstance(record, AutomaticBlocks) for record in step.records):
            break
    assert rollup.pipeline._selector.state.held == ()
    assert other.header.first_height == 2
    assert child.header.first_height == 2


def test_a_held_batch_whose_parent_lost_is_refused(rollup):
    parent, child = family(rollup, 2)
    post(rollup, child)
    rival = rollup.honest(parent=rollup.executor.blocks[0])
    assert rival.header.parent_l2_hash == parent.header.parent_l2_hash
    post(rollup, rival)
    assert rollup.pipeline._selector.state.held == ()
    assert rollup.verdicts()[(rollup.chain.height - 1, 1, 0)] == "rejected"


def test_a_strangers_batch_is_never_held(rollup):
    rollup.honest()
    post(rollup, rollup.honest(key=OTHER, steps=0))
    assert rejected(rollup) == "it is not signed by the leader of its L1 height"


# --- muting ---------------------------------------------------------------------------------------


def test_a_batch_that_proves_invalid_mutes_its_key_for_c_blocks(rollup):
    post(rollup, rollup.lying(), rollup.honest())
    assert rejected(rollup, 0).startswith("block 0: a bad transaction")
    assert rejected(rollup, 1) == "its key is muted: a batch of it proved invalid"
    for _ in range(2):
        post(rollup, rollup.honest())
        assert rejected(rollup) == "its key is muted: a batch of it proved invalid"
    post(rollup, rollup.honest())
    assert isinstance(rollup.verdict(), Accepted)


def test_held_batches_of_a_muted_key_are_dropped(rollup):
    _, child = family(rollup, 2)
    post(rollup, child)
    rollup.private = list(rollup.executor.blocks)
    post(rollup, rollup.lying())
    assert rollup.pipeline._selector.state.held == ()


def test_an_invalid_batch_that_anyone_inscribes_again_mutes_nobody_again(rollup):
    bad = rollup.lying().encode()
    post(rollup, bad)
    rollup.quiet(2)
    post(rollup, bad)
    assert rejected(rollup) == "the same batch proved invalid upon this tip"
    post(rollup, rollup.honest())
    assert isinstance(rollup.verdict(), Accepted)


@pytest.mark.parametrize("field", ["network", "parent_l2_hash"])
def test_a_batch_for_elsewhere_mutes_nobody(rollup, field):
    parent = rollup.private[-1]
    rows, made = rollup.grow(parent)
    value = {"network": 1, "parent_l2_hash": bytes(32)}[field]
    post(rollup, rollup.batch(parent, rows, made[-1].hash, **{field: value}), rollup.honest())
    assert isinstance(rollup.verdict(1), Accepted)


# --- blocks ---------------------------------------------------------------------------------------


def blocks_of(rollup, rows):
    """A batch of rows, whatever they say."""
    return rollup.batch(rollup.private[-1], rows, bytes(32))


def test_a_timestamp_below_the_origins_median_time_is_refused(rollup):
    median_time = rollup.pipeline.origin(201).median_time
    post(rollup, blocks_of(rollup, [(median_time - 1, True, [])]))
    assert rejected(rollup) == f"block 0: its timestamp {median_time - 1} lies below {median_time}"


def test_a_timestamp_below_its_parents_is_refused(rollup):
    time = rollup.pipeline.origin(201).median_time + 100
    post(rollup, blocks_of(rollup, [(time, True, []), (time - 1, False, [])]))
    assert rejected(rollup) == f"block 1: its timestamp {time - 1} lies below {time}"


def test_an_eleventh_block_in_one_second_is_refused(rollup):
    time = rollup.pipeline.origin(201).median_time
    post(rollup, blocks_of(rollup, [(time, True, [])] + [(time, False, [])] * 10))
    assert rejected(rollup) == f"block 10: more than 10 blocks share second {time}"


def test_a_shared_second_counts_across_batches(rollup):
    time = rollup.pipeline.origin(201).median_time
    parent = rollup.private[-1]
    rows, made = rollup.grow(parent, blocks=10, steps=1)
    rows = [(time, step, content) for _, step, content in rows]
    tip = rollup.private[-1]
    made = []
    for stamp, step, content in rows:
        origin = (201, rollup.chain.hash_at(201), ()) if step else None
        made.append(plain_child(made[-1] if made else tip, stamp, origin, False, content))
    post(rollup, rollup.batch(parent, rows, made[-1].hash))
    assert isinstance(rollup.verdict(), Accepted)
    post(rollup, rollup.batch(rollup.private[-1], [(time, False, [])], bytes(32)))
    assert rejected(rollup) == f"block 0: more than 10 blocks share second {time}"


def test_more_than_3600_blocks_of_one_origin_are_refused(rollup):
    time = rollup.pipeline.origin(201).median_time
    rows = [(time + number, number == 0, []) for number in range(3_601)]
    post(rollup, blocks_of(rollup, rows))
    assert rejected(rollup) == "block 3600: more than 3600 blocks have origin 201"


def test_gas_limits_beyond_a_batchs_are_refused_before_execution(rollup):
    limited = replace(REGTEST, parameters=replace(REGTEST.parameters, batch_gas_limit=2))
    rollup = PlainRollup(limited)
    rollup.quiet(4)
    post(rollup, rollup.honest(transactions=[b"a", b"b"]))
    assert rejected(rollup) == "its gas limits sum to 3, more than 2"


def test_a_bad_last_block_leaves_nothing_of_its_batch_behind(rollup):
    parent = rollup.private[-1]
    rows, made = rollup.grow(parent, blocks=5, steps=1)
    rows[4][2].append(BAD)
    post(rollup, rollup.batch(parent, rows, made[-1].hash))
    assert rejected(rollup).startswith("block 4: ")
    assert [block.height for block in rollup.executor.blocks] == [0]


# --- series of chunks -----------------------------------------------------------------------------


def test_a_batch_in_chunks_stands_where_its_last_chunk_stands(rollup):
    batch = rollup.honest(transactions=[bytes(500)])
    post(rollup, *rollup.chunks(batch.encode(), 4))
    assert rollup.pipeline.safe.hash == batch.header.tip_l2_hash
    seen = [record for record in rollup.records if isinstance(record, ObjectSeen) and record.kind == "batch"]
    assert [record.place.transaction for record in seen] == [4]


def test_a_chunk_forged_under_anothers_root_is_no_object(rollup):
    chunks = rollup.chunks(rollup.honest().encode(), 3)
    rollup.stage(chunks[0][:-1] + bytes([chunks[0][-1] ^ 1]))
    for chunk in chunks:
        rollup.stage(chunk)
    rollup.mine()
    assert refused_envelopes(rollup) == ["chunk does not belong to its root"]
    assert rollup.pipeline.safe.height == 1


def test_a_chunk_given_twice_counts_once(rollup):
    chunks = rollup.chunks(rollup.honest().encode(), 3)
    post(rollup, chunks[0], chunks[0], chunks[1], chunks[2])
    assert rejected(rollup, 1) == "the series has this chunk already"
    assert rollup.pipeline.safe.height == 1


def test_a_series_of_chunks_that_makes_a_chunk_is_refused(rollup):
    inner = rollup.chunks(rollup.honest().encode(), 2)[0]
    post(rollup, *rollup.chunks(inner, 2))
    assert rejected(rollup, 1) == "its series holds an object that may not be one"


def test_a_series_that_makes_a_forced_message_is_refused(rollup):
    post(rollup, *rollup.chunks(rollup.forced(bytes(400)).encode(), 2))
    assert rejected(rollup, 1) == "its series holds an object that may not be one"
    assert not any(isinstance(record, ForcedEnqueued) for record in rollup.records)


def test_a_series_of_garbage_is_refused(rollup):
    post(rollup, *rollup.chunks(bytes(400), 2))
    assert rejected(rollup, 1).startswith("its series is no object: ")


def test_a_series_ends_v_blocks_after_its_first_chunk(rollup):
    chunks = rollup.chunks(rollup.honest().encode(), 2)
    post(rollup, chunks[0])
    rollup.quiet(REGTEST.parameters.proof_ttl)
    post(rollup, chunks[1])
    assert rollup.verdict() == Pending("1 of 2 chunks of its series are there")


def test_the_oldest_series_makes_room_for_the_newest():
    small = replace(REGTEST, parameters=replace(REGTEST.parameters, pending_size_max=2_500))
    rollup = PlainRollup(small)
    series = [rollup.chunks(bytes([number]) * 300, 3) for number in range(3)]
    post(rollup, series[0][0], series[1][0], series[2][0])
    waiting = rollup.pipeline._assembler.state
    assert len(waiting.series) == 2
    assert waiting.charge == 2_000
    assert rollup.pipeline._assembler.state.series.keys() == {
        bytes(body[2:34]) for body in (series[1][0], series[2][0])
    }


# --- forced messages and fees ---------------------------------------------------------------------


def enqueued(rollup):
    return [record for record in rollup.records if isinstance(record, ForcedEnqueued)]


def test_only_the_first_fee_bearing_object_of_a_transaction_counts(rollup):
    rollup.stage(rollup.forced(b"one").encode(), rollup.forced(b"two").encode(), fee=5_000)
    rollup.mine()
    assert len(enqueued(rollup)) == 1
    assert rejected(rollup, 0, 1) == "the fee of its transaction is taken by an earlier object"


def test_a_strangers_batch_takes_the_fee_before_a_forced_message(rollup):
    rollup.stage(rollup.honest(key=OTHER).encode(), rollup.forced().encode(), fee=1_000)
    rollup.mine()
    assert enqueued(rollup) == []


def test_the_leaders_batch_bears_no_fee(rollup):
    rollup.stage(rollup.honest().encode(), rollup.forced().encode(), fee=1_000)
    rollup.mine()
    assert [record.paid for record in enqueued(rollup)] == [True]


@pytest.mark.parametrize(
    ("fee", "network", "paid"), [(999, 3, False), (1_000, 3, True), (1_000, 1, False), (0, 3, False)]
)
def test_a_message_without_its_fee_or_for_elsewhere_is_enqueued_as_ineligible(rollup, fee, network, paid):
    rollup.stage(rollup.forced(network=network).encode(), fee=fee)
    rollup.mine()
    assert [record.paid for record in enqueued(rollup)] == [paid]


def test_the_same_message_in_another_transaction_is_another_message(rollup):
    rollup.stage(rollup.forced().encode(), fee=1_000)
    rollup.stage(rollup.forced().encode(), fee=1_000)
    rollup.mine()
    first, second = enqueued(rollup)
    assert first.id != second.id
    assert first.object_id == second.object_id
