"""The engine and a plain model of it make the same chains, to the last byte of every header (docs/spec/execution.md).

Chains are random: origins with rates and forced messages of every kind, replays and garbage among them, blocks that
share a second, automatic blocks, base fees that move, transactions that may not be in the block. Every refusal,
receipt, status and header is compared; the state root in the header speaks for all accounts and slots.
"""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bedroll._core._native import Origin
from tests.framework.execution_pair import (
    BOUNDED,
    SECRETS,
    SENDERS,
    TARGETS,
    TIME,
    access_lists,
    calldata,
    pair_with,
)
from tests.reference.execution_model import PROGRAMS, RATE_MAX, RATE_MIN
from tests.reference.signed_transaction import Signed, sign, with_signature

TINY = {
    "block_gas_limit": 300_000, "forced_gas_limit": 120_000, "forced_message_gas_limit": 110_000,
    "forced_size_max": 400, "max_origin_lag": 1, "second_blocks_max": 3, "origin_blocks_max": 4,
}  # fmt: skip
RULES = [TINY, TINY, TINY | {"timestamp_lead_max": 40, "transfer_bytes": 7}, {}]


# --- what is sent --------------------------------------------------------------------------------

FLAWS = [
    "chain", "cut", "fee beyond", "fee low", "gas huge", "gas limit", "gas short", "garbage", "high s", "no chain",
    "nonce beyond", "nonce end", "nonce high", "nonce low", "replay", "sum beyond", "tip high", "type 4", "unpaid",
    "value all", "value beyond",
]  # fmt: skip
flaws = st.integers(0, 2).flatmap(lambda lot: st.just(None) if lot else st.sampled_from(FLAWS))


@st.composite
def plans(draw):
    """One transaction, but for what the state decides: nonce and fees."""
    creation = draw(st.integers(0, 5)) == 0
    kind = draw(st.sampled_from([0, 1, 2, 2]))
    return {
        "kind": kind,
        "who": draw(st.sampled_from([0, 0, 0, 1, 1, 2, 3, 4])),
        "to": b"" if creation else draw(st.sampled_from(TARGETS)),
        "data": draw(st.sampled_from(sorted(PROGRAMS))) if creation else draw(calldata),
        "access_list": draw(access_lists) if kind and draw(st.booleans()) else [],
        "value": draw(st.sampled_from([0, 1, 10**9, 10**13, 10**18])),
        "fee_percent": draw(st.sampled_from([100, 100, 101, 150, 300])),
        "tip": draw(st.sampled_from([0, 0, 1, 10**6])),
        "extra_gas": draw(st.sampled_from([0, 0, 1, 5_000, 35_000, 60_000])),
        "flaw": draw(flaws),
        "noise": draw(st.binary(min_size=1, max_size=40)),
    }


def transaction_of(pair, plan, nonces, forced):
    """Signed bytes by a plan. `nonces` counts what each sender sent into this block."""
    model, flaw, secret = pair.model, plan["flaw"], SECRETS[plan["who"]]
    sender = SENDERS[plan["who"]]
    nonce = nonces.setdefault(sender, model.nonce(sender))
    base_fee = model.base_fee
    max_fee = max(base_fee * plan["fee_percent"] // 100, 1)
    tip = min(plan["tip"], max_fee) if plan["kind"] == 2 else max_fee
    made = Signed(
        plan["kind"], model.rules["chain_id"], nonce, tip, max_fee, 0, plan["to"], plan["value"], plan["data"],
        plan["access_list"], sender=sender,
    )  # fmt: skip
    made.gas_limit = max(made.intrinsic_gas, made.floor_gas) + plan["extra_gas"]
    if not forced:
        made.gas_limit += model.data_gas(replace(made, gas_limit=made.gas_limit + 10_000))
    made = replace(made, **flawed(pair, made, flaw))
    if flaw == "garbage":
        return plan["noise"]
    if flaw == "replay":
        return pair.raws[plan["noise"][0] % len(pair.raws)]
    if flaw == "high s":
        return with_signature(made, 0, 5, 2**256 - 2**200)
    raw = sign(made, secret)
    if flaw == "cut":
        return raw[: -1 - plan["noise"][0] % len(raw)]
    if flaw is None:
        nonces[sender] += 1
    return raw


def flawed(pair, made, flaw):
    """The fields that a flaw replaces."""
    model = pair.model
    left = model.balance(made.sender)
    free = left - made.gas_limit * made.max_fee
    return {
        "nonce low": {"nonce": max(made.nonce - 1, 0)},
        "nonce high": {"nonce": made.nonce + 1},
        "nonce end": {"nonce": 2**64 - 1},
        "nonce beyond": {"nonce": 2**64},
        "chain": {"chain_id": 1},
        "no chain": {"chain_id": None, "kind": 0, "access_list": []},
        "gas short": {"gas_limit": made.gas_limit - 1},
        "gas huge": {"gas_limit": 2**40},
        "gas limit": {"gas_limit": model.rules["forced_message_gas_limit"] + 1},
        "value all": {"value": max(free, 0)},
        "value beyond": {"value": max(free, 0) + 1},
        "fee low": {"max_fee": model.base_fee - 1, "tip": min(made.tip, model.base_fee - 1)},
        "fee beyond": {"max_fee": 2**128, "tip": 0, "kind": 2},
        "tip high": {"tip": made.max_fee + 1, "kind": 2},
        "sum beyond": {"value": 2**256 - 1},
        "type 4": {"kind": 4, "to": made.to or SENDERS[0]},
    }.get(flaw, {})


blocks = st.fixed_dictionaries(
    {
        "step": st.booleans(),
        "automatic": st.sampled_from([False, False, False, True]),
        "rate": st.one_of(st.just(RATE_MIN), st.just(RATE_MIN), st.integers(RATE_MIN - 1, RATE_MAX + 1)),
        "lead": st.sampled_from([-100, 0, 0, 5, 30]),
        "witness_root": st.sampled_from([bytes(32), b"\x5a" * 32]),
        "time": st.sampled_from(["same", "same", "same", "next", "next", "ring", "high", "above", "below"]),
        "forced": st.one_of(st.just([]), st.lists(plans(), min_size=3, max_size=7)),
        "sent": st.one_of(st.just([]), st.lists(plans(), min_size=4, max_size=10)),
    }
)
chains = st.tuples(st.sampled_from(RULES), st.lists(blocks, min_size=5, max_size=12))


def open_block(pair, plan):
    """Begin a block by a plan; says whether both did."""
    model = pair.model
    nonces, payloads = {}, []
    for message in plan["forced"]:
        payload = transaction_of(pair, message, nonces, forced=True)
        payloads.append((payload, message["flaw"] != "unpaid"))
        pair.raws.append(payload)
    stepping = plan["step"] or not model.height
    origin = pair.origin(plan["rate"], plan["lead"], plan["witness_root"], payloads) if stepping else None
    low, high = model.time_bounds(origin.median_time if origin else model.tail.median_time)
    timestamp = {
        "same": low, "next": low + 1, "ring": low + 8_191, "high": high or low + 9_999,
        "above": (high or low) + 1, "below": low - 1,
    }[plan["time"]]  # fmt: skip
    if plan["automatic"] and plan["time"] not in ("above", "below"):
        timestamp = low
    return pair.begin(timestamp, origin, plan["automatic"]) is not None


def run_chain(rules, plan):
    """Make a chain by a plan in both; every difference is an assertion."""
    with pair_with(rules) as pair:
        for block in plan:
            if not open_block(pair, block):
                continue
            nonces = {}
            for sent in [] if block["automatic"] else block["sent"]:
                pair.add(transaction_of(pair, sent, nonces, forced=False))
            pair.seal()
        pair.compare_accounts()
        return pair.ends


@given(chains)
@settings(max_examples=45, **BOUNDED)
def test_random_chains_are_those_of_the_model(chain):
    run_chain(*chain)


@pytest.mark.slow
@pytest.mark.timeout(1_800)
@given(chains)
@settings(max_examples=1_000, **BOUNDED)
def test_many_random_chains_are_those_of_the_model(chain):
    run_chain(*chain)


# --- what chance seldom meets --------------------------------------------------------------------


def message(pair, **fields):
    """A signed transfer of the first sender, or what `fields` make of it."""
    kept = {"nonce": 0, "tip": 0, "max_fee": 10**10, "gas_limit": 21_000, "to": TARGETS[5], "value": 1, "data": b""}
    return sign(Signed(2, pair.model.rules["chain_id"], **(kept | fields)), SECRETS[0])


def next_block(pair, *payloads, step=True, automatic=False):
    """Seal a block a second later (an automatic one at once)."""
    origin = pair.origin(RATE_MIN, 0, bytes(32), [(payload, True) for payload in payloads]) if step else None
    assert pair.begin(pair.model.time + (not automatic), origin, automatic)
    return pair.seal()


def test_a_queue_that_waits_too_long_has_the_whole_block():
    with pair_with(TINY) as pair:
        burners = [message(pair, nonce=nonce, to=b"", data=b"\xfe", gas_limit=100_000) for nonce in range(8)]
        ended = [len(next_block(pair, *burners).forced), len(next_block(pair, step=False).forced)]
        ended += [len(next_block(pair).forced), len(next_block(pair).forced), len(next_block(pair).forced)]
        assert ended == [1, 1, 1, 3, 2]
        assert {end[2] for end in pair.ends} == {"reverted"}
        automatic = [message(pair, nonce=nonce) for nonce in range(8, 20)]
        assert [len(next_block(pair, *automatic, automatic=True).forced)] == [6]


def test_init_code_has_its_longest():
    with pair_with({"forced_size_max": 60_000}) as pair:
        longest, longer = (message(pair, to=b"", data=bytes(size), gas_limit=900_000) for size in (49_152, 49_153))
        block = next_block(pair, longer, longest)
        assert [end[2] for end in block.forced] == ["ineligible", "executed"]


def test_automatic_blocks_count_for_their_origin_and_are_never_too_many():
    with pair_with(TINY) as pair:
        next_block(pair)
        for _ in range(5):
            next_block(pair, step=False, automatic=True)
        assert pair.begin(pair.model.time + 1) is None
        next_block(pair)


def test_an_origin_is_refused_by_both_for_each_of_its_rules():
    with pair_with(TINY) as pair:
        good = pair.origin(RATE_MIN, 0, bytes(32), [])
        fields = {
            name: getattr(good, name)
            for name in ("height", "hash", "header", "witness_root", "median_time", "l1_rate", "forced")
        }
        wrong = [{"height": 9}, {"height": 7}, {"header": bytes(80)}, {"l1_rate": RATE_MIN - 1}, {"l1_rate": 0}]
        for change in [*wrong, {"l1_rate": RATE_MAX + 1}, {"median_time": TIME + 2}]:
            assert pair.begin(TIME + 1, Origin(**(fields | change))) is None
        assert pair.begin(TIME + 1, good)
        pair.seal()


def test_no_transaction_has_more_evm_gas_than_eip_7825_allows():
    with pair_with({}) as pair:
        next_block(pair)
        assert pair.begin(pair.model.time + 1)
        spent = [message(pair, nonce=nonce, to=b"", data=b"\xfe", gas_limit=2**25) for nonce in range(2)]
        assert pair.add(spent[0])[0].gas_used == 2**24
        assert pair.add(spent[1]) is None
        pair.seal()
