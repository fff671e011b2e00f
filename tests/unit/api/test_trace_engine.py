"""Traces of the engine: they tell what the block did, the chain's own parts included, and stay inside their bounds."""

import hashlib
import json

import pytest

from bedroll.primitives import Invalid
from bedroll.protocol import LIGHT_CLIENT
from tests.framework.ledger import Ledger, address_of, selector

BOUNDS = {"result_bytes": 4 << 20, "seconds": 20.0}
SYSTEM = "0xfffffffffffffffffffffffffffffffffffffffe"
WORD_42 = "0x" + (42).to_bytes(32, "big").hex()
INNER = bytes.fromhex("60015f5560075f5fa1602a5f5260205ff3")
"""Stores 1 in slot 0, logs topic 7, returns 42."""
REVERTER = bytes.fromhex("5f5ffd")
LOOP = bytes.fromhex("5b5f56")
CREATE_EMPTY = bytes.fromhex("5f5f5ff050")


def init(runtime):
    return bytes.fromhex("61") + len(runtime).to_bytes(2, "big") + bytes.fromhex("80600a5f395ff3") + runtime


def call(address):
    return bytes.fromhex("5f5f5f5f5f73") + address + bytes.fromhex("5af150")


def show(raw):
    return "0x" + raw.hex()


@pytest.fixture(scope="module")
def ledger(tmp_path_factory):
    made = Ledger.open(tmp_path_factory.mktemp("trace"))
    yield made
    made.engine.close()


def deploy(ledger, runtime):
    receipt = ledger.block(ledger.sign(ledger.keys[0], to=None, data=init(runtime))).receipts[-1]
    assert receipt.status == 1
    return receipt.contract


@pytest.fixture(scope="module")
def tree(ledger):
    """A block whose one transaction calls, logs, fails inside, creates and destroys; with the addresses."""
    inner, reverter = deploy(ledger, INNER), deploy(ledger, REVERTER)
    destructor = deploy(ledger, bytes([0x73]) + b"\x55" * 20 + b"\xff")
    outer = deploy(ledger, call(inner) + call(reverter) + CREATE_EMPTY + call(destructor))
    block = ledger.block(ledger.sign(ledger.keys[1], to=outer, gas=1_000_000))
    return block, outer, inner, reverter, destructor


def trace(ledger, height, index, **options):
    return json.loads(ledger.engine.trace(height, index, json.dumps(options), **BOUNDS))


def test_the_call_tracer_shows_the_tree_of_calls(ledger, tree):
    block, outer, inner, reverter, destructor = tree
    root = trace(ledger, block.header.number, 0, tracer="callTracer", tracerConfig={"withLog": True})
    assert root["type"] == "CALL"
    assert root["from"] == show(address_of(ledger.keys[1]))
    assert root["to"] == show(outer)
    assert int(root["gasUsed"], 16) == block.receipts[0].gas_used
    assert int(root["gas"], 16) == 1_000_000 - block.receipts[0].data_gas
    first, second, third, fourth = root["calls"]
    assert (first["to"], first["output"]) == (show(inner), WORD_42)
    (log,) = first["logs"]
    assert (log["address"], log["topics"]) == (show(inner), ["0x" + (7).to_bytes(32, "big").hex()])
    assert (second["to"], second["error"]) == (show(reverter), "execution reverted")
    assert third["type"] == "CREATE"
    assert fourth["to"] == show(destructor)
    assert [one["type"] for one in fourth["calls"]] == ["SELFDESTRUCT"]
    assert "calls" not in trace(ledger, block.header.number, 0, tracer="callTracer", tracerConfig={"onlyTopCall": True})


def test_the_struct_logger_has_every_step_and_its_options(ledger, tree):
    block = tree[0]
    frame = trace(ledger, block.header.number, 0)
    assert (frame["failed"], frame["gas"]) == (False, block.receipts[0].gas_used)
    steps = frame["structLogs"]
    assert steps[0]["op"] == "PUSH0"
    assert {step["depth"] for step in steps} == {1, 2}
    (store,) = [step for step in steps if step["op"] == "SSTORE"]
    assert store["storage"] == {"00" * 32: "00" * 31 + "01"} or store["storage"] == {
        "0x" + "00" * 32: "0x" + "00" * 31 + "01"
    }
    assert store["gasCost"] == 22_100
    assert all("memory" not in step for step in steps)
    bare = trace(ledger, block.header.number, 0, disableStack=True, disableStorage=True, enableMemory=True, limit=9)
    assert len(bare["structLogs"]) == 9
    assert all("stack" not in step and "storage" not in step for step in bare["structLogs"])


def test_the_prestate_is_the_state_before(ledger, tree):
    block, outer, inner, _, _ = tree
    before = ledger.engine.view(block.header.number - 1)
    accounts = trace(ledger, block.header.number, 0, tracer="prestateTracer")
    assert {show(outer), show(inner), show(address_of(ledger.keys[1]))} <= accounts.keys()
    for address, account in accounts.items():
        raw = bytes.fromhex(address[2:])
        assert int(account["balance"], 16) == before.balance(raw)
        assert account.get("nonce", 0) == before.nonce(raw)
        assert account.get("code", "0x") == show(before.code(raw))
        for slot, value in account.get("storage", {}).items():
            assert value == show(before.storage(raw, int(slot, 16)))


def walk(ledger, height):
    """Follow the differences of a block's transactions from its parent's state, and compare with its own."""
    before, after = ledger.engine.view(height - 1), ledger.engine.view(height)
    seen: dict[tuple[str, str], int] = {}

    def fields(accounts):
        for address, account in accounts.items():
            for name in ("balance", "nonce"):
                if name in account:
                    value = account[name]
                    yield (address, name), value if isinstance(value, int) else int(value, 16)
            for slot, value in account.get("storage", {}).items():
                yield (address, slot), int(value, 16)

    def held(view, key):
        address, name = bytes.fromhex(key[0][2:]), key[1]
        if name == "balance":
            return view.balance(address)
        return view.nonce(address) if name == "nonce" else int.from_bytes(view.storage(address, int(name, 16)), "big")

    rows = trace(ledger, height, None, tracer="prestateTracer", tracerConfig={"diffMode": True})
    for row in rows:
        pre, post = dict(fields(row["result"]["pre"])), dict(fields(row["result"]["post"]))
        for key, value in pre.items():
            assert value == seen.get(key, held(before, key)), key
        seen.update({key: 0 for key in pre if len(key[1]) == 66 and key not in post})
        seen.update(post)
    for key, value in seen.items():
        assert value == held(after, key), key
    return rows, seen


def test_differences_lead_from_a_block_s_parent_to_the_block_itself(ledger, tree):
    block, outer = tree[:2]
    pay = ledger.sign(ledger.keys[2], to=b"\x66" * 20, value=5, maxPriorityFeePerGas=1_000)
    made = ledger.block(ledger.sign(ledger.keys[1], to=outer, gas=1_000_000), pay, origin=ledger.next_origin())
    rows, seen = walk(ledger, made.header.number)
    assert [row["txHash"] for row in rows] == [show(one.hash) for one in made.transactions]
    assert seen[show(b"\x66" * 20), "balance"] == 5
    walk(ledger, block.header.number)


def test_the_call_with_facts_of_l1_is_traced_like_any_other(ledger, tree):
    root = trace(ledger, 1, 0, tracer="callTracer")
    assert (root["from"], root["to"]) == (SYSTEM, show(LIGHT_CLIENT))
    assert "error" not in root
    assert root["input"] == show(ledger.engine.block(1).transactions[0].input)
    walk(ledger, 1)


def test_forced_transactions_run_again_as_they_ran(ledger, tree):
    outer = tree[1]
    keys, engine = ledger.keys, ledger.engine
    base_fee = engine.next_base_fee()
    payloads = [
        # A price below the base fee is right for a forced message.
        ledger.sign(keys[2], to=outer, gas=1_000_000, maxFeePerGas=base_fee // 2),
        ledger.sign(keys[3], to=None, data=LOOP, gas=100_000),
        b"no transaction",
        ledger.sign(keys[2], to=b"\x77" * 20, value=10**30, nonce=engine.view().nonce(address_of(keys[2])) + 1),
    ]
    messages = [(hashlib.sha256(bytes([at])).digest(), payload, True) for at, payload in enumerate(payloads)]
    reader = deploy(ledger, bytes.fromhex("5f545f5500"))
    made = ledger.block(ledger.sign(keys[1], to=reader, gas=200_000), origin=ledger.next_origin(messages))
    assert (made.forced_count, len(made.transactions)) == (3, 4)
    rows, _ = walk(ledger, made.header.number)
    assert len(rows) == 4
    calls = trace(ledger, made.header.number, None, tracer="callTracer")
    gas = [int(row["result"]["gasUsed"], 16) for row in calls]
    assert gas[1:] == [receipt.gas_used for receipt in made.receipts[1:]]
    assert calls[2]["result"]["error"] == "out of gas"
    assert trace(ledger, made.header.number, 2, tracer="callTracer") == calls[2]["result"]


def ask_and_store(signature, slot):
    """Code that stores what a function of the light client returns."""
    asked = bytes.fromhex("63") + selector(signature) + bytes.fromhex("5f5260205f6004601c73") + LIGHT_CLIENT
    return asked + bytes.fromhex("5afa505f5160") + bytes([slot, 0x55])


def test_contracts_see_the_queue_as_they_saw_it_in_the_block(ledger, tree):
    """`queue_enqueued` changes before the first transaction, `queue_done` after the last forced one."""
    code = ask_and_store("queue_enqueued()", 0) + ask_and_store("queue_done()", 1)
    early, late = deploy(ledger, code), deploy(ledger, code)
    keys, done = ledger.keys, ledger.read(LIGHT_CLIENT, "queue_done()", gives="uint256")
    forced = (hashlib.sha256(b"queue").digest(), ledger.sign(keys[2], to=early, gas=300_000), True)
    ineligible = (hashlib.sha256(b"no").digest(), b"no transaction", True)
    made = ledger.block(ledger.sign(keys[1], to=late, gas=300_000), origin=ledger.next_origin([forced, ineligible]))
    assert made.forced_count == 2
    view = ledger.engine.view()
    words = [int.from_bytes(view.storage(who, slot), "big") for who in (early, late) for slot in (0, 1)]
    assert words == [done + 2, done, done + 2, done + 2]
    walk(ledger, made.header.number)


def test_flat_and_small_tracers_have_geth_s_shapes(ledger, tree):
    block, outer, inner, _, _ = tree
    height = block.header.number
    flat = trace(ledger, height, 0, tracer="flatCallTracer")
    assert [row["type"] for row in flat] == ["call", "call", "call", "create", "call", "suicide"]
    assert [row["traceAddress"] for row in flat] == [[], [0], [1], [2], [3], [3, 0]]
    assert flat[0]["blockNumber"] == height
    assert flat[0]["transactionHash"] == show(block.transactions[0].hash)
    assert trace(ledger, height, 0, tracer="noopTracer") == {}
    assert trace(ledger, height, 0, tracer="4byteTracer") == {}
    data = bytes.fromhex("a9059cbb") + bytes(64)
    asked = ledger.block(ledger.sign(ledger.keys[1], to=inner, data=data, gas=200_000))
    assert trace(ledger, asked.header.number, 0, tracer="4byteTracer") == {"0xa9059cbb-64": 1}
    mux = trace(
        ledger, height, 0, tracer="muxTracer", tracerConfig={"callTracer": {"onlyTopCall": True}, "4byteTracer": None}
    )
    assert mux.keys() == {"callTracer", "4byteTracer"}
    assert mux["callTracer"]["to"] == show(outer)


def test_parity_s_replay_has_calls_steps_and_changes(ledger, tree):
    block, outer, inner, _, _ = tree
    parts = ["trace", "vmTrace", "stateDiff"]
    told = json.loads(ledger.engine.replay(block.header.number, 0, parts, **BOUNDS))
    assert told.keys() == {"output", "stateDiff", "trace", "vmTrace"}
    assert told["stateDiff"][show(inner)]["storage"] == {
        "0x" + "00" * 32: {"*": {"from": "0x" + "00" * 32, "to": "0x" + "00" * 31 + "01"}}
    }
    sender = told["stateDiff"][show(address_of(ledger.keys[1]))]["balance"]["*"]
    receipt = block.receipts[0]
    paid = (receipt.gas_used + receipt.data_gas) * receipt.effective_gas_price
    assert int(sender["from"], 16) - int(sender["to"], 16) == paid
    assert told["trace"][0]["action"]["to"] == show(outer)
    assert told["vmTrace"]["ops"][0]["pc"] == 0
    (row,) = json.loads(ledger.engine.replay(block.header.number, None, ["trace"], **BOUNDS))
    assert row["transactionHash"] == show(block.transactions[0].hash)
    assert (row["vmTrace"], row["stateDiff"]) == (None, None)


def test_a_filter_finds_calls_by_who_and_whom(ledger, tree):
    block, outer, inner, _, _ = tree
    height = block.header.number

    def find(*, senders=(), recipients=(), both=True, after=0, count=None):
        found = ledger.engine.filter_traces(
            1, height, senders=list(senders), recipients=list(recipients), both=both, after=after, count=count, **BOUNDS
        )
        return json.loads(found)

    (row,) = find(senders=[outer], recipients=[inner])
    assert (row["blockNumber"], row["traceAddress"]) == (height, [0])
    assert len(find(senders=[outer])) == 4
    assert find(senders=[outer], after=1, count=2) == find(senders=[outer])[1:3]
    listed = [json.loads(ledger.engine.flat_traces(at, None, **BOUNDS)) for at in range(1, height + 1)]
    assert find() == [row for rows in listed for row in rows]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"tracer": "{step: function() {}}"}, "JavaScript tracers are not enabled"),
        ({"tracer": "callTracer", "tracerConfig": {"withLog": "yes"}}, "invalid tracer config"),
        ({"tracer": 5}, "tracer options"),
    ],
)
def test_bad_options_are_refused_in_words(ledger, tree, options, said):
    with pytest.raises(Invalid, match=said) as caught:
        trace(ledger, tree[0].header.number, 0, **options)
    assert caught.value.fields["reason"] == "tracer"


def run_call(ledger, code, *, options=None, gas_limit=50_000_000, **bounds):
    target = b"\x99" * 20
    return ledger.engine.view().trace_call(
        sender=bytes(20),
        to=target,
        data=b"",
        value=0,
        gas_limit=gas_limit,
        gas_price=0,
        access_list=[],
        overrides=json.dumps({show(target): {"code": show(code)}}),
        options=json.dumps(options or {}),
        **(BOUNDS | bounds),
    )


MANY_SLOTS = bytes.fromhex("5f5b60010180545060015600")
"""Reads slots 1, 2, 3 … until the gas ends: each step's copy of the storage is longer than the one before."""
WIDE_CALLS = bytes.fromhex("5b5f5f620800005f5f60045af1505f56")
"""Calls a precompile with half a megabyte again and again."""


@pytest.mark.parametrize(
    ("code", "options"),
    [
        (LOOP, {}),
        (bytes.fromhex("62100000515b5f56"), {"enableMemory": True, "disableStack": True}),
        (MANY_SLOTS, {"disableStack": True}),
        (WIDE_CALLS, {"tracer": "callTracer"}),
        (WIDE_CALLS, {"tracer": "flatCallTracer"}),
        (bytes.fromhex("5b5f5f5f5f5f305af15f56"), {"tracer": "callTracer"}),
    ],
)
def test_a_bomb_ends_in_an_error(ledger, tree, code, options):
    with pytest.raises(Invalid, match="more than 1000000 bytes") as caught:
        run_call(ledger, code, options=options, result_bytes=1_000_000)
    assert caught.value.fields["reason"] == "limit"


def test_time_ends_a_trace_that_records_nothing(ledger, tree):
    with pytest.raises(Invalid, match="execution timeout") as caught:
        run_call(ledger, LOOP, options={"tracer": "noopTracer"}, seconds=0.0)
    assert caught.value.fields["reason"] == "limit"


def test_a_call_is_traced_on_a_view_and_changes_nothing(ledger, tree):
    told = json.loads(run_call(ledger, INNER, options={"tracer": "callTracer", "tracerConfig": {"withLog": True}}))
    assert (told["output"], len(told["logs"])) == (WORD_42, 1)
    assert ledger.engine.view().storage(b"\x99" * 20, 0) == bytes(32)
    diff = json.loads(run_call(ledger, INNER, options={"tracer": "prestateTracer", "tracerConfig": {"diffMode": True}}))
    assert diff["post"][show(b"\x99" * 20)]["storage"] == {"0x" + "00" * 32: "0x" + "00" * 31 + "01"}


def test_what_cannot_be_traced_is_refused(ledger, tree):
    tip = ledger.engine.tip().number
    for height, index, said in ((0, None, "genesis"), (tip + 1, None, "no block"), (tip, 99, "no transaction")):
        with pytest.raises(Invalid, match=said):
            ledger.engine.trace(height, index, "{}", **BOUNDS)


def test_a_trace_does_not_wait_for_the_writer(ledger, tree):
    ledger.engine.begin(ledger.engine.tip().timestamp + 1, None)
    try:
        assert trace(ledger, tree[0].header.number, 0, tracer="noopTracer") == {}
        view = ledger.engine.pending()
        assert view.height == ledger.engine.tip().number + 1
    finally:
        ledger.engine.abandon()


def test_a_trace_outlives_a_restart_and_ends_with_the_state_before(tmp_path):
    ledger = Ledger.open(tmp_path)
    ledger.block()
    reader = deploy(ledger, INNER)
    payload = ledger.sign(ledger.keys[2], to=reader, gas=300_000)
    forced = (hashlib.sha256(b"restart").digest(), payload, True)
    made = ledger.block(ledger.sign(ledger.keys[1], to=reader, gas=200_000), origin=ledger.next_origin([forced]))
    height = made.header.number
    told = trace(ledger, height, None, tracer="prestateTracer", tracerConfig={"diffMode": True})
    assert len(told) == 3
    ledger.engine.commit()
    ledger.engine.close()
    again = Ledger.open(tmp_path)
    assert trace(again, height, None, tracer="prestateTracer", tracerConfig={"diffMode": True}) == told
    walk(again, height)
    again.engine.prune(height)
    with pytest.raises(Invalid) as caught:
        trace(again, height, None)
    assert caught.value.fields["reason"] == "height"
    again.engine.close()
