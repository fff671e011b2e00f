"""`bedroll trace`: what a transaction did, call by call.

Reads: a node's traces, ABIs.  Gives: `command`.
Never: trusts a node, a contract or an ABI with the terminal.  Spec: docs/spec/cli.md#trace
"""

from pathlib import Path
from typing import Any, Final

import click
import msgspec

from bedroll.encoding.json import JsonTooDeep
from bedroll.primitives import Invalid, Unavailable
from bedroll.sdk import RpcClient
from bedroll.sdk.client import RpcFailure

from .artifact import CodeNames, read_artifacts
from .call_frame import LEVELS_MAX, Explained, Frame, bytes_of, explain, nest_flat, number_of, parse_frame, places_of
from .call_tree import calls_json, draw
from .evm_text import clean, show_bitcoin
from .output import Output
from .run import Context, declare, run_once

_HASH_DIGITS: Final = 64
_NAMED_MAX: Final = 200
"""Contracts whose code is asked for."""
_TRACE_NESTING_MAX: Final = 2 * LEVELS_MAX
"""Levels of JSON: two a call."""
_TRACE_CONTAINERS_MAX: Final = 1_000_000


@declare("trace")
@click.argument("transaction")
@click.option(
    "--rpc",
    "url",
    default="http://127.0.0.1:8545",
    envvar="BEDROLL_NODE_URL",
    show_default=True,
    help="Node to ask.",
)
@click.option(
    "--abi",
    "folders",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    help="JSON ABI or artifact, or a folder with such (Foundry's out, Hardhat's artifacts). May be given many times.",
)
@click.option(
    "--depth", type=click.IntRange(1, LEVELS_MAX), default=32, show_default=True, help="Levels of calls to draw."
)
@click.option("--calls", type=click.IntRange(1, 100_000), default=500, show_default=True, help="Calls to draw.")
def command(
    context: Context,
    _flags: dict[str, object],
    transaction: str,
    *,
    url: str,
    folders: tuple[Path, ...],
    depth: int,
    calls: int,
) -> None:
    """Draw what a transaction did: its calls with names, arguments, results, events and reasons.

    TRANSACTION is its hash. Names come from what Bedroll knows (token standards, exchanges, wallets, its own contracts)
    and from --abi.
    """
    text = transaction.removeprefix("0x").lower()
    if len(text) != _HASH_DIGITS or not set(text) <= set("0123456789abcdef"):
        raise Invalid("not a transaction hash", given=clean(transaction), allowed="64 hexadecimal digits")
    known = read_artifacts(folders, context.output)
    receipt, frame, names = run_once(_ask(context.output, url, "0x" + text, known.names))
    show_trace(context.output, receipt, explain(frame, known.book, names), depth=depth, calls=calls)


async def _ask(
    output: Output, url: str, transaction: str, names: CodeNames
) -> tuple[dict[str, Any], Frame, dict[bytes, str]]:
    """Receipt, calls, and names of contracts.

    Raises:
        Invalid: The transaction is in no block, or the node does not trace it.
    """
    async with RpcClient(url, nesting_max=_TRACE_NESTING_MAX, containers_max=_TRACE_CONTAINERS_MAX) as client:
        receipt = await client.call("eth_getTransactionReceipt", transaction)
        if receipt is None:
            waiting = await client.call("eth_getTransactionByHash", transaction)
            if waiting is not None:
                raise Invalid("the transaction waits in the mempool", transaction=transaction, node=url)
            raise Invalid("the node knows no such transaction", transaction=transaction, node=url)
        try:
            frame = await _calls(output, client, transaction)
        except RpcFailure as error:
            raise Invalid(f"the node does not trace it: {clean(error.reason)}", code=error.code, node=url) from None
        return receipt, frame, await _names(client, frame, names) if names else {}


async def _calls(output: Output, client: RpcClient, transaction: str) -> Frame:
    options = {"tracer": "callTracer", "tracerConfig": {"withLog": True}}
    try:
        return parse_frame(await client.call("debug_traceTransaction", transaction, options))
    except Unavailable as error:
        if not isinstance(error.__cause__, JsonTooDeep):
            raise
    frame, deeper = nest_flat(await client.call("trace_transaction", transaction), LEVELS_MAX)
    output.warn(f"{deeper:,} calls nest deeper than {LEVELS_MAX} levels and are left out, and all events")
    return frame


async def _names(client: RpcClient, frame: Frame, names: CodeNames) -> dict[bytes, str]:
    """Names of the contracts that were called, by the code that they have now."""
    places = places_of(frame, _NAMED_MAX)
    codes = await client.batch([("eth_getCode", ["0x" + place.hex(), "latest"]) for place in places])
    found = {place: names.name_of(bytes_of(code)) for place, code in zip(places, codes, strict=True)}
    return {place: name for place, name in found.items() if name}


def show_trace(output: Output, receipt: dict[str, Any], call: Explained, *, depth: int, calls: int) -> None:
    """Say how it ended and what it cost, then draw the calls."""
    try:
        facts = msgspec.convert(receipt, _Receipt)
    except msgspec.ValidationError as error:
        raise Unavailable("the node's answer is not a receipt", reason=clean(str(error))) from None
    gas, data_gas, height = (number_of(each) for each in (facts.gas_used, facts.data_gas_used, facts.block_number))
    fee_wei = gas * number_of(facts.effective_gas_price)
    is_done = facts.status == "0x1"
    if output.as_json:
        output.line(
            {
                "transaction": facts.transaction_hash,
                "block": height,
                "class": facts.block_class,
                "success": is_done,
                "gasUsed": gas,
                "dataGasUsed": data_gas,
                "feeWei": str(fee_wei),
                "calls": list(calls_json(call)),
            }
        )
        return
    word = "succeeded" if is_done else "failed"
    output.say(f"{clean(facts.transaction_hash)} {word}", style="bold green" if is_done else "bold red")
    output.say(
        f"block {height:,} ({clean(facts.block_class)})  gas {gas:,} ({data_gas:,} of it for "
        f"data on Bitcoin)  fee {show_bitcoin(fee_wei)}\n"
    )
    for line in draw(call, depth=depth, calls=calls):
        output.console.print(line)


class _Receipt(
    msgspec.Struct,
    frozen=True,
    rename={
        "transaction_hash": "transactionHash",
        "block_number": "blockNumber",
        "gas_used": "gasUsed",
        "data_gas_used": "dataGasUsed",
        "effective_gas_price": "effectiveGasPrice",
        "block_class": "class",
    },
):
    """What is shown of a receipt."""

    transaction_hash: str
    block_number: str
    gas_used: str
    status: str = "0x0"
    data_gas_used: str = "0x0"
    effective_gas_price: str = "0x0"
    block_class: str = "latest"
