"""`bedroll inspect`: look at what is on Bitcoin and what became of it.

Reads: raw Bitcoin transactions, a node's API.  Gives: `command`.
Never: trusts what it looks at.  Spec: docs/spec/cli.md#inspect
"""

import sys
from dataclasses import fields, is_dataclass
from typing import Any, Final

import click

from bedroll.bitcoin.block import Block
from bedroll.bitcoin.transaction import Transaction
from bedroll.config import Config
from bedroll.da import object_id, parse_leaf, parse_object
from bedroll.primitives import Invalid, L1Height
from bedroll.protocol import NETWORKS
from bedroll.protocol.fee_output import FEE_SCRIPT
from bedroll.sdk import RpcClient

from .bitcoin import open_bitcoin
from .output import Output
from .run import QUIET, Context, declare, run_once

_URL: Final = click.option(
    "--rpc", "url", default="http://127.0.0.1:8545", envvar="BEDROLL_NODE_URL", show_default=True, help="Node to ask."
)
_RAW_BYTES_MAX: Final = 4_000_000


@click.group("inspect")
def command() -> None:
    """Look at a Bitcoin transaction, an object, a batch, a block."""


@declare("transaction", "network", "folder", "bitcoin", "log", group=command)
@click.argument("transaction")
@click.option("--block", "height", type=click.IntRange(min=0), help="Height of the Bitcoin block that holds it.")
def transaction(context: Context, flags: dict[str, object], transaction: str, *, height: int | None) -> None:
    """Take a Bitcoin transaction apart: which objects it carries.

    TRANSACTION is its hexadecimal form (bitcoin-cli getrawtransaction), - to read that from standard input, or with
    --block its txid.
    """
    text = sys.stdin.read(2 * _RAW_BYTES_MAX + 1).strip() if transaction == "-" else transaction
    try:
        raw = bytes.fromhex(text)
    except ValueError:
        raise Invalid("not hexadecimal", characters=len(text)) from None
    parsed = (
        Transaction.parse(raw) if height is None else run_once(_fetch(context.load(flags, QUIET), raw[::-1], height))
    )
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


async def _fetch(config: Config, txid: bytes, height: int) -> Transaction:
    """A transaction of a block of Bitcoin's best chain.

    Raises:
        Invalid: There is no such block, or it does not hold the transaction.
    """
    async with open_bitcoin(config) as client:
        block = await client.block_hash(L1Height(height))
        if block is None:
            raise Invalid("Bitcoin has no block at this height", height=height)
        for each in Block.parse(await client.block(block)).transactions:
            if each.txid == txid:
                return each
    raise Invalid("the block does not hold this transaction", height=height, txid=txid[::-1])


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
