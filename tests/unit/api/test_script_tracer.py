"""Tracers in JavaScript: what geth documents of them is there, their errors are told, and they are off by default."""

from dataclasses import replace

import pytest

from bedroll.api import Code
from bedroll.sdk import RpcFailure

OUTER, INNER, FAILING = ("0x" + f"{number}" * 20 for number in (42, 43, 44))
SENDER = "0x" + "99" * 20


def call_to(address):
    return "60205f60045f5f73" + address[2:] + "5af150"


CODES = {
    OUTER: {"code": "0x" + call_to(INNER) + call_to(FAILING) + "00", "balance": "0x7"},
    # SSTORE(0, 1), MSTORE(0, 42), LOG1(0, 32, 0xaa), RETURN(0, 32)
    INNER: {"code": "0x60015f55602a5f5260aa60205fa160205ff3", "stateDiff": {"0x" + "00" * 32: "0x" + f"{5:064x}"}},
    # REVERT(0, 0)
    FAILING: {"code": "0x5f5ffd"},
    SENDER: {"balance": "0xffffffffff", "nonce": "0x3"},
}


@pytest.fixture
def service(service):
    service.limits = replace(service.limits, trace_scripts=True, trace_seconds=20.0)
    return service


@pytest.fixture
def trace(rpc):
    """Traces one call of the outer contract."""

    async def run(script, config=None, **call):
        options = {"tracer": script, "stateOverrides": CODES} | ({} if config is None else {"tracerConfig": config})
        request = {"from": SENDER, "to": OUTER, "input": "0x01020304", "gas": "0x100000"} | call
        return await rpc.call("debug_traceCall", request, "latest", options)

    return run


async def refusal(trace, script, *args, **call):
    with pytest.raises(RpcFailure) as caught:
        await trace(script, *args, **call)
    return caught.value.code, caught.value.message.removeprefix("debug_traceCall failed: ")


async def test_steps_show_what_the_instruction_finds(trace):
    (seen,) = await trace(
        """{
      seen: [],
      step: function(log, db) {
        if (log.op.toString() !== 'SSTORE') return;
        var self = log.contract.getAddress();
        this.seen.push({
          number: log.op.toNumber(), push: log.op.isPush(), pc: log.getPC(), depth: log.getDepth(),
          gas: log.getGas() > 100, cost: log.getCost(), refund: log.getRefund(), error: log.getError() === undefined,
          slot: log.stack.peek(0).toString(16), value: log.stack.peek(1).toString(16), height: log.stack.length(),
          self: toHex(self), caller: toHex(log.contract.getCaller()), input: toHex(log.contract.getInput()),
          paid: log.contract.getValue().toString(),
          held: toHex(db.getState(self, toWord('0x00'))), code: toHex(db.getCode(self)).length / 2 - 1,
          balance: db.getBalance(log.contract.getCaller()).toString(), nonce: db.getNonce(toAddress('NAMED')),
          known: [db.exists(self), db.exists(toAddress('0x77'))]
        });
      },
      fault: function() {},
      result: function() { return this.seen; }
    }""".replace("NAMED", SENDER)
    )
    assert seen == {
        "number": 0x55, "push": False, "pc": 3, "depth": 2, "gas": True, "cost": 5_000, "refund": 0, "error": True,
        "slot": "0", "value": "1", "height": 2, "self": INNER, "caller": OUTER, "input": "0x00000000", "paid": "0",
        "held": "0x" + f"{5:064x}", "code": 18, "balance": "7", "nonce": 4, "known": [True, False],
    }  # fmt: skip


async def test_memory_is_read_by_range_and_by_word(trace):
    told = await trace("""{
      told: null,
      step: function(log) {
        if (log.op.toString() !== 'LOG1') return;
        var start = log.stack.peek(0).valueOf(), size = log.stack.peek(1).valueOf();
        this.told = {
          bytes: toHex(log.memory.slice(start, start + size)), word: toHex(log.memory.getUint(0)),
          length: log.memory.length(), topic: log.stack.peek(2).toString(), part: toHex(slice('0x0102030405', 1, 3))
        };
      },
      fault: function() {},
      result: function() { return this.told; }
    }""")
    word = "0x" + f"{42:064x}"
    assert told == {"bytes": word, "word": word, "length": 32, "topic": "170", "part": "0x0203"}


async def test_frames_are_entered_and_left(trace):
    rows = await trace("""{
      rows: [],
      enter: function(frame) {
        this.rows.push([frame.getType(), toHex(frame.getFrom()), toHex(frame.getTo()), toHex(frame.getInput()),
          frame.getValue().toString(), frame.getGas() > 1000]);
      },
      exit: function(done) {
        this.rows.push([done.getGasUsed() > 0, toHex(done.getOutput()), done.getError() === undefined]);
      },
      fault: function() {},
      result: function() { return this.rows; }
    }""")
    assert rows == [
        ["CALL", OUTER, INNER, "0x00000000", "0", True],
        [True, "0x" + f"{42:064x}", True],
        # The answer of the first call lies where the second one's input is taken from: its first bytes are 0.
        ["CALL", OUTER, FAILING, "0x00000000", "0", True],
        [True, "0x", False],
    ]


async def test_the_result_sees_the_transaction_as_a_whole(trace):
    told = await trace(
        """{
      faults: [],
      fault: function(log) { this.faults.push(log.op.toString() + ' ' + log.getDepth()); },
      step: function() {},
      result: function(ctx, db) {
        return {type: ctx.type, from: toHex(ctx.from), to: toHex(ctx.to), input: toHex(ctx.input), gas: ctx.gas,
          used: ctx.gasUsed, intrinsic: ctx.intrinsicGas, value: ctx.value.toString(), block: ctx.block,
          output: toHex(ctx.output), error: ctx.error === undefined, faults: this.faults,
          slot: toHex(db.getState(toAddress('NAMED'), toWord('0x')))};
      }
    }""".replace("NAMED", INNER)
    )
    used = told.pop("used")
    assert 50_000 > used > told["intrinsic"] == 21_000 + 4 * 16
    assert told == {
        "type": "CALL", "from": SENDER, "to": OUTER, "input": "0x01020304", "gas": 0x100000, "intrinsic": 21_064,
        "value": "0", "block": 1, "output": "0x", "error": True, "faults": ["REVERT 2"],
        # As it was before the transaction.
        "slot": "0x" + f"{5:064x}",
    }  # fmt: skip


async def test_setup_gets_the_configuration_as_text_and_as_an_object(trace):
    script = """{
      setup: function(config) { this.told = [JSON.parse(config).deep[1], config.deep[1], '' + config]; },
      fault: function() {}, result: function() { return this.told; }
    }"""
    odd = "</x>\u2028"
    assert await trace(script, {"deep": [1, odd]}) == [odd, odd, f'{{"deep":[1,"{odd}"]}}']
    assert await trace("{setup: function(c) { this.c = c + ''; }, fault: function() {}, "
                       "result: function() { return this.c; }}") == "{}"  # fmt: skip


async def test_addresses_of_contracts_and_big_numbers_are_computed_as_in_geth(trace):
    told = await trace("""{fault: function() {}, result: function() { return [
      toHex(toContract('0x6ac7ea33f8831ea9dcc53393aaa88b25a785dbf0', 1)),
      toHex(toContract2('0x00000000000000000000000000000000deadbeef', '0xcafebabe', '0xdeadbeef')),
      toHex(toWord('0x01')), toHex(toAddress('0x01')),
      isPrecompiled(toAddress('0x01')), isPrecompiled(toAddress('0x99')),
      bigInt(2).add(3).toString(), bigInt('ff', 16).toString(), undefined === null
    ]; }}""")
    assert told == [
        "0x343c43a37d37dff08ae8c4a11544c718abb4fcf8",  # go-ethereum, crypto_test.go
        "0x60f3f640a8508fc6a86d45df051962668e1e8ac7",  # EIP-1014, example 4
        "0x" + f"{1:064x}", "0x" + f"{1:040x}", True, False, "5", "255", False,
    ]  # fmt: skip


async def test_blocks_and_transactions_of_the_chain_are_traced_with_a_fresh_tracer_each(rpc, chain):
    chain.manual = True
    raws = [
        chain.accounts[0].sign_transaction(
            chain_id=chain.network.chain_id, nonce=nonce, gas_limit=60_000, max_fee_per_gas=10**11,
            max_priority_fee_per_gas=1, to=chain.accounts[1].address, value=nonce + 5,
        )
        for nonce in range(3)
    ]  # fmt: skip
    chain.seal(*raws)
    block = chain.engine.block(chain.engine.tip().number)
    script = """{count: 0, fault: function() {}, result: function(ctx, db) {
      this.count += 1;
      return [this.count, ctx.value.toString(), ctx.txIndex, toHex(ctx.txHash), toHex(ctx.blockHash),
        db.getNonce(ctx.from)];
    }}"""
    rows = await rpc.call("debug_traceBlockByNumber", hex(block.header.number), {"tracer": script})
    names = ["0x" + each.hash.hex() for each in block.transactions]
    assert [row["txHash"] for row in rows] == names
    last = [row["result"] for row in rows][-3:]
    first = len(names) - 3
    assert last == [
        [1, str(nonce + 5), first + nonce, names[first + nonce], "0x" + block.header.hash.hex(), nonce + 1]
        for nonce in range(3)
    ]
    assert await rpc.call("debug_traceTransaction", names[-1], {"tracer": script}) == last[-1]


FAULT, RESULT = "fault: function() {}", "result: function() {}"


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ([RESULT], "trace object must expose a function fault()"),
        ([FAULT], "trace object must expose a function result()"),
        ([FAULT, RESULT, "enter: function() {}"], "either both or none of enter() and exit()"),
        ([FAULT, "result: function() { return this.no.thing; }"], "in server-side tracer function 'result'"),
        ([FAULT, RESULT, "setup: function() { throw 'x'; }"], "x    in server-side tracer function 'setup'"),
        ([FAULT, RESULT, "step: function(log) { log.stack.peek(99); }"], "in server-side tracer function 'step'"),
        (
            [FAULT, RESULT, "step: function(log) { if (log.op.toString() == 'CALL') throw Error('mine'); }"],
            "Error: mine    in server-side tracer function 'step'",
        ),
        (
            [FAULT, RESULT, "enter: function() { throw 1; }, exit: function() {}"],
            "1    in server-side tracer function 'enter'",
        ),
        (
            [FAULT, RESULT, "exit: function() { throw 1; }, enter: function() {}"],
            "1    in server-side tracer function 'exit'",
        ),
        (
            [RESULT, "fault: function() { throw 1; }, step: function() {}"],
            "1    in server-side tracer function 'fault'",
        ),
    ],
)
async def test_the_error_of_a_script_is_told(trace, members, said):
    code, text = await refusal(trace, "{" + ", ".join(members) + "}")
    assert code == Code.INVALID_PARAMS
    assert said in text


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("{", "failed to evaluate JS code"),
        ("{} }", "failed to evaluate JS code"),
        ("(5)", "a tracer is an object with result() and fault()"),
    ],
)
async def test_what_is_no_script_is_told(trace, script, said):
    code, text = await refusal(trace, script)
    assert code == Code.INVALID_PARAMS
    assert said in text


async def test_a_script_that_gives_nothing_gives_null(trace):
    assert await trace("{fault: function() {}, result: function() {}} // and a comment") is None


async def test_what_runs_is_what_ran_without_a_tracer(trace, rpc):
    script = "{fault: function() {}, step: function() {}, result: function(ctx) { return ctx.gasUsed; }}"
    request = {"from": SENDER, "to": OUTER, "input": "0x01020304", "gas": "0x100000"}
    plain = await rpc.call("debug_traceCall", request, "latest", {"tracer": "callTracer", "stateOverrides": CODES})
    assert hex(await trace(script)) == plain["gasUsed"]


async def test_scripts_are_refused_where_the_operator_has_not_asked_for_them(rpc, service):
    service.limits = replace(service.limits, trace_scripts=False)
    for method, params in (
        ("debug_traceCall", [{"to": OUTER}, "latest"]),
        ("debug_traceBlockByNumber", ["latest"]),
    ):
        with pytest.raises(RpcFailure) as caught:
            await rpc.call(method, *params, {"tracer": "{fault: function() {}, result: function() {}}"})
        assert caught.value.code == Code.INVALID_PARAMS
        assert "not enabled" in caught.value.message
        assert "rpc.trace_scripts" in caught.value.message


async def test_a_script_is_no_part_of_another_tracer(rpc, service):
    script = "{fault: function() {}, result: function() {}}"
    with pytest.raises(RpcFailure, match="no tracer"):
        await rpc.call(
            "debug_traceCall", {"to": OUTER}, "latest", {"tracer": "muxTracer", "tracerConfig": {script: {}}}
        )


async def test_a_long_script_is_refused(trace):
    code, text = await refusal(trace, "{/*" + "x" * 70_000 + "*/}")
    assert (code, "at most 65536" in text) == (Code.INVALID_PARAMS, True)
