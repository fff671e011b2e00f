"""`bedroll inspect`: look at what is on Bitcoin and what became of it.

Reads: raw Bitcoin transactions, a node's API.  Gives: `command`.
Never: trusts what it looks at.  Spec: docs/spec/cli.md#inspect
"""

import sys
from dataclasses import fields, is_dataclass
from typing import Any, Final

import click

from bedroll.bitcoin.transaction import Transaction
from bedroll.da import object_id, parse_leaf, parse_object
from bedroll.primitives import Invalid
from bedroll.protocol import NETWORKS
from bedroll.protocol.fee_output import FEE_SCRIPT
from bedroll.sdk import RpcClient

from .output import Output
from .run import Context, declare, run_once

_URL: Final = click.option(
    "--rpc", "url", default="http://127.0.0.1:8545", envvar="BEDROLL_NODE_URL", show_default=True, help="Node to ask."
)
_RAW_BYTES_MAX: Final = 4_000_000


@click.group("inspect")
def command() -> None:
    """Look at a Bitcoin transaction, an object, a batch, a block."""


@declare("transaction", group=command)
@click.argument("raw")
def transaction(context: Context, _flags: dict[str, object], raw: str) -> None:
    """Take a Bitcoin transaction apart: which objects it carries.

    RAW is its hexadecimal form (bitcoin-cli getrawtransaction), or - to read it from standard input.
    """
    text = sys.stdin.read(2 * _RAW_BYTES_MAX + 1).strip() if raw == "-" else raw
    try:
        parsed = Transaction.parse(bytes.fromhex(text))
    except ValueError:
        raise Invalid("not hexadecimal", characters=len(text)) from None
    tags = [name for name, network in NETWORKS.items() if parsed.wtxid.startswith(network.parameters.tag)]
    context.output.result(
        {
            "txid": parsed.txid[::-1].hex(),
            "wtxid": parsed.wtxid[::-1].hex(),
            "relevant_on": tags,
            "fee_output_sat": sum(output.value for output in parsed.outputs if output.script == FEE_SCRIPT),
            "objects": [describe_witness(source.witness) for source in parsed.inputs],
        },
        title="transaction",
    )


@declare("object", group=command)
@click.argument("object_id")
@_URL
def one_object(context: Context, _flags: dict[str, object], object_id: str, url: str) -> None:
    """Ask a node what became of an object on Bitcoin."""
    _ask(context.output, url, "object", "bedroll_getObject", _with_prefix(object_id))


@declare("batch", group=command)
@click.argument("block")
@_URL
def batch(context: Context, _flags: dict[str, object], block: str, url: str) -> None:
    """Ask a node which batch carries a block of this chain: a height, a hash or a tag."""
    _ask(context.output, url, "batch", "bedroll_getBatch", _block_name(block))


@declare("block", group=command)
@click.argument("block")
@_URL
def block_of_chain(context: Context, _flags: dict[str, object], block: str, url: str) -> None:
    """Ask a node for a block of this chain: a height, a hash or a tag."""
    name = _block_name(block)
    method = "eth_getBlockByHash" if len(name) == 66 else "eth_getBlockByNumber"
    _ask(context.output, url, "block", method, name, False)


def _ask(output: Output, url: str, title: str, method: str, *params: object) -> None:
    async def ask() -> Any:
        async with RpcClient(url) as client:
            return await client.call(method, *params)

    answer = run_once(ask())
    if answer is None:
        raise Invalid(f"the node knows no such {title}", asked=str(params[0]))
    output.result(answer, title=title)


def _block_name(text: str) -> str:
    if text.isdecimal():
        return hex(int(text))
    return _with_prefix(text) if len(text) == 64 else text


def _with_prefix(text: str) -> str:
    return text if text.startswith("0x") else "0x" + text


def describe_witness(witness: tuple[bytes, ...]) -> dict[str, object]:
    """The object in an input's witness, or why there is none."""
    stack = witness[:-1] if len(witness) > 1 and witness[-1][:1] == b"\x50" else witness
    if len(stack) < 2:
        return {"object": None, "reason": "no script path spend"}
    try:
        body = parse_leaf(stack[-2])
        return {"object_id": object_id(body).hex()} | describe(parse_object(body))
    except Invalid as error:
        return {"object": None, "reason": str(error)}


def describe(value: Any) -> dict[str, object]:
    """An object's fields; long byte strings as their size."""
    shown: dict[str, object] = {"object": type(value).__name__.lower()}
    for field in fields(value):
        item = getattr(value, field.name)
        if is_dataclass(item):
            shown |= {f"{field.name}.{key}": each for key, each in describe(item).items() if key != "object"}
        elif isinstance(item, bytes):
            shown[field.name] = item.hex() if len(item) <= 64 else f"{len(item)} bytes"
        else:
            shown[field.name] = item if isinstance(item, int) else str(item)
    return shown
