"""Scripts that want all time and memory: each ends in an error soon, in its own process, and others are served."""

import asyncio
import time
from dataclasses import replace
from pathlib import Path

import pytest

from bedroll.api import Code
from bedroll.sdk import RpcFailure

SECONDS = 2.0
LOOP = "0x" + "42" * 20


@pytest.fixture
def service(service):
    service.limits = replace(service.limits, trace_scripts=True, trace_seconds=SECONDS, trace_bytes=100_000)
    return service


def children():
    """Processes that this one has started and that still run."""
    found = Path("/proc/self/task").glob("*/children")
    return [int(pid) for each in found for pid in each.read_text().split()]


async def run(rpc, script, code="0x00"):
    options = {"tracer": script, "stateOverrides": {LOOP: {"code": code}}}
    return await rpc.call("debug_traceCall", {"to": LOOP}, "latest", options)


def tracer(body, name="result", more=""):
    rest = {"fault", "result"} - {name}
    return (
        "{"
        + "".join(f"{other}: function() {{}}, " for other in sorted(rest))
        + f"{name}: function(log) {{ {body} }} {more}}}"
    )


BOMBS = {
    "a loop without end": tracer("while (true) {}"),
    "loops in loops": tracer("for (var i = 0; i < 1e6; i++) [1].map(function() { for (var j = 0; j < 1e6; j++) {} })"),
    "a loop while it is read": "(function() { while (true) {} })()",
    "a loop in setup": tracer("while (true) {}", "setup", ", result: function() {}"),
    "functions that call themselves": tracer("function f() { return f() + f(); } f();"),
    "accessors that call themselves": tracer("var o = {get x() { return this.x; }}; return o.x;"),
    "a sort that calls back": tracer("var a = Array(1e5).fill(1); a.sort(function() { a.sort(); return 1; });"),
    "a string that doubles": tracer("var s = 'xy'; for (var i = 0; i < 60; i++) s += s; return s;"),
    "a string that repeats": tracer("return 'x'.repeat(1e9).split('');"),
    "padding": tracer("return ''.padStart(2 ** 29, 'ab').toUpperCase();"),
    "an array of a billion": tracer("return new Array(1e9).fill(7);"),
    "a buffer of gigabytes": tracer("return new Uint8Array(8e9);"),
    "arrays in arrays": tracer("var a = []; while (true) a = [a, a, new Array(1000).fill(a)];"),
    "a map without end": tracer("var m = new Map(), i = 0; while (true) m.set(i++, 'x'.repeat(1000));"),
    "a number of gigabits": tracer("return 3n ** (2n ** 34n);"),
    "a regular expression that goes back": tracer("return /^(a+)+$/.test('a'.repeat(40) + 'b');"),
    "a regular expression in itself": tracer("return new RegExp('('.repeat(2e4) + ')'.repeat(2e4)).test('');"),
    "JSON that is deep": tracer("return JSON.parse('['.repeat(5e5) + ']'.repeat(5e5));"),
    "a result that is deep": tracer("var a = []; for (var i = 0; i < 1e5; i++) a = [a]; return a;"),
    "a result that holds itself": tracer("var a = {}; a.a = a; return a;"),
    "a result that is long": tracer("return 'x'.repeat(200000);"),
    "brackets without end": "{x: " + "[" * 30_000 + "]" * 30_000 + "}",
    "code that makes code": tracer("return eval('('.repeat(30000) + ')'.repeat(30000));"),
    "a promise that waits": tracer("var f = async function() { while (true) await 1; }; f(); while (true) {}"),
}  # fmt: skip


@pytest.mark.parametrize("name", BOMBS)
async def test_a_bomb_ends_in_an_error_and_its_process_is_gone(rpc, name):
    start = time.monotonic()
    with pytest.raises(RpcFailure) as caught:
        # Far beyond what it may take, for the machine may have other work to do: without the limit none would end.
        await asyncio.wait_for(run(rpc, BOMBS[name]), 30 * SECONDS)
    assert caught.value.code in (Code.LIMIT, Code.INVALID_PARAMS)
    assert children() == []
    print(name, caught.value.message, f"{time.monotonic() - start:.2f} s")


async def test_a_step_that_never_tires_ends_with_the_time(rpc):
    endless = "0x5b5f56"
    script = tracer("this.n = (this.n || 0) + 1;", "step", ", result: function() { return this.n; }")
    with pytest.raises(RpcFailure, match="execution timeout") as caught:
        await run(rpc, script, endless)
    assert caught.value.code == Code.LIMIT


async def test_others_are_served_while_scripts_loop(rpc, service):
    bombs = [asyncio.create_task(run(rpc, BOMBS["loops in loops"])) for _ in range(2)]
    answers = 0
    while not all(bomb.done() for bomb in bombs):
        assert await rpc.call("eth_chainId")
        answers += 1
        await asyncio.sleep(0.02)
    # Two seconds of scripts: who waited for one of them would have had an answer or two.
    assert answers >= 10
    for bomb in bombs:
        with pytest.raises(RpcFailure, match=r"execution timeout|loop"):
            await bomb


async def test_the_process_sees_no_files_and_no_secrets(rpc):
    told = await run(
        rpc,
        tracer("return [typeof require, typeof process, typeof Deno, typeof fetch, typeof console, typeof setTimeout,"
               " typeof XMLHttpRequest, typeof load, typeof print];"),
    )  # fmt: skip
    assert set(told) == {"undefined"}


async def test_what_one_script_leaves_behind_the_next_does_not_find(rpc):
    script = tracer(
        "var before = typeof Array.prototype.left; Array.prototype.left = 1; globalThis.left = 1; return before;"
    )
    assert await run(rpc, script) == "undefined"
    assert await run(rpc, script) == "undefined"
